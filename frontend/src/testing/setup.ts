/** What every test has: the network's edge faked by MSW, and the few browser parts that jsdom lacks. */
import "@testing-library/jest-dom/vitest";

import { cleanup, configure } from "@testing-library/react";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";

import { setLanguage, startTranslations } from "@/i18n";
import { setKeyNeeded } from "@/features/system/auth";
import { setTheme } from "@/lib/theme";

import { server } from "./server";

class NothingToObserve {
  observe() {
    // jsdom lays nothing out, so nothing ever changes its size.
  }
  unobserve() {
    // As above.
  }
  disconnect() {
    // As above.
  }
}

Object.assign(globalThis, { ResizeObserver: NothingToObserve });
Object.assign(window, {
  matchMedia: (query: string) => Object.assign(new EventTarget(), { matches: false, media: query }),
  scrollTo: () => undefined,
});
Object.assign(Element.prototype, {
  hasPointerCapture: () => false,
  scrollIntoView: () => undefined,
});
// jsdom plays nothing: an element only says that it does.
Object.assign(HTMLMediaElement.prototype, {
  play(this: HTMLMediaElement) {
    this.dispatchEvent(new Event("play"));
    return Promise.resolve();
  },
  pause(this: HTMLMediaElement) {
    this.dispatchEvent(new Event("pause"));
  },
  load: () => undefined,
});

const times = new WeakMap<HTMLMediaElement, number>();
Object.defineProperty(HTMLMediaElement.prototype, "currentTime", {
  get(this: HTMLMediaElement) {
    return times.get(this) ?? 0;
  },
  set(this: HTMLMediaElement, seconds: number) {
    times.set(this, seconds);
    this.dispatchEvent(new Event("seeking"));
  },
});

// Machines that are busy with something else are slow, not wrong.
configure({ asyncUtilTimeout: 30_000 });

beforeAll(async () => {
  server.listen({ onUnhandledRequest: "error" });
  await startTranslations();
});
beforeEach(async () => {
  localStorage.clear();
  history.replaceState(null, "", "/");
  setTheme("system");
  setKeyNeeded(false);
  await setLanguage("en");
});
afterEach(() => {
  cleanup();
  server.resetHandlers();
});
afterAll(() => server.close());
