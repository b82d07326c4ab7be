import { act, screen, waitFor } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { afterEach, describe, expect, it, vi } from "vitest";

import type { Status } from "@/api/client";
import { readSystem } from "@/features/system/system-state";
import { renderApp } from "@/testing/renderApp";
import { SAMPLE_CONFIG, SAMPLE_STATUS } from "@/testing/samples";
import { server } from "@/testing/server";

const withWorker = (to: Partial<Status["workers"][number]>): Status => ({
  ...SAMPLE_STATUS,
  workers: SAMPLE_STATUS.workers.map((worker) => ({ ...worker, ...to })),
});

describe("the system's one word", () => {
  it("follows its workers", () => {
    expect(readSystem(SAMPLE_STATUS, false)).toBe("idle");
    expect(readSystem(withWorker({ status: "busy", phase: "backbone" }), false)).toBe("busy");
    expect(readSystem(withWorker({ status: "offline", loaded: false }), false)).toBe("waking");
    expect(readSystem(withWorker({ status: "offline", error: "No memory." }), false)).toBe("broken");
    expect(readSystem({ ...SAMPLE_STATUS, held_up: "The disk is full." }, false)).toBe("held");
    expect(readSystem({ ...withWorker({ status: "busy", phase: "backbone" }), held_up: "Full." }, false)).toBe("held");
    expect(readSystem({ ...withWorker({ status: "offline", error: "No memory." }), held_up: "Full." }, false)).toBe("broken");
    expect(readSystem(undefined, false)).toBe("waking");
    expect(readSystem(SAMPLE_STATUS, true)).toBe("unreachable");
  });
});

describe("the badge", () => {
  it("opens on workers and model", async () => {
    const { user } = renderApp();
    await user.click(await screen.findByRole("button", { name: /Ready/ }));
    const details = screen.getByRole("dialog", { name: "System" });
    expect(details).toHaveTextContent("Worker on GPU 0");
    expect(details).toHaveTextContent("khala-demo");
    expect(details).toHaveTextContent("native · cuda · bfloat16");
  });

  it("turns soon after the worker has rested from its last song", async () => {
    let asked = 0;
    server.use(
      http.get("*/api/status", () =>
        HttpResponse.json(asked++ ? SAMPLE_STATUS : withWorker({ status: "busy", phase: "decoding" })),
      ),
    );
    renderApp();
    expect(await screen.findByRole("button", { name: /Working/ })).toBeInTheDocument();
    expect(await screen.findByRole("button", { name: /Ready/ }, { timeout: 3000 })).toBeInTheDocument();
  });
});

describe("banners", () => {
  afterEach(() => vi.restoreAllMocks());

  it("say that the miniature only makes noise", async () => {
    server.use(http.get("*/api/status", () => HttpResponse.json({ ...SAMPLE_STATUS, untrained: true })));
    renderApp();
    expect(await screen.findByText(/untrained miniature/)).toBeInTheDocument();
  });

  it("say why no worker can make songs", async () => {
    const broken = withWorker({ status: "offline", loaded: false, error: "No memory." });
    server.use(http.get("*/api/status", () => HttpResponse.json(broken)));
    renderApp();
    expect(await screen.findByText("No worker can make songs.")).toBeInTheDocument();
    expect(screen.getByText("No memory.")).toBeInTheDocument();
  });

  it("say why nothing new is begun, though workers could, and not that all is ready", async () => {
    server.use(http.get("*/api/status", () => HttpResponse.json({ ...SAMPLE_STATUS, held_up: "The disk is nearly full." })));
    renderApp();
    expect(await screen.findByText("Nothing new is begun.")).toBeInTheDocument();
    expect(screen.getByText("The disk is nearly full.")).toHaveAttribute("lang", "en");
    expect(screen.getByRole("button", { name: /Nothing new begins/ })).toBeInTheDocument();
    expect(screen.queryByRole("button", { name: /Ready/ })).not.toBeInTheDocument();
  });

  it("say that the server is gone, and go when it is back", async () => {
    let up = false;
    server.use(http.get("*/api/status", () => (up ? HttpResponse.json(SAMPLE_STATUS) : HttpResponse.error())));
    const { user } = renderApp();
    expect(await screen.findByText("The server does not answer.")).toBeInTheDocument();
    up = true;
    await user.click(screen.getByRole("button", { name: "Try again" }));
    await waitFor(() => expect(screen.queryByText("The server does not answer.")).not.toBeInTheDocument());
  });

  it("are not needed for what failed to come: it is asked for again", async () => {
    let up = false;
    server.use(
      http.get("*/api/tags", () =>
        up ? HttpResponse.json({ genre_style: { label: "Genre", tags: ["Jazz"] } }) : HttpResponse.error(),
      ),
    );
    renderApp();
    expect(await screen.findByRole("alert")).toHaveTextContent("The server could not be reached.");
    up = true;
    expect(await screen.findByRole("button", { name: "Jazz" })).toBeInTheDocument();
    expect(screen.queryByRole("alert")).not.toBeInTheDocument();
  });

  it("say that the browser is offline", async () => {
    renderApp();
    vi.spyOn(navigator, "onLine", "get").mockReturnValue(false);
    act(() => void window.dispatchEvent(new Event("offline")));
    expect(await screen.findByText("You are offline.")).toBeInTheDocument();
  });
});

describe("a server with a key", () => {
  it("gets it asked for, refuses a wrong one, and opens with the right one", async () => {
    let open = false;
    const guarded = (body: object) => () =>
      open ? HttpResponse.json(body) : HttpResponse.json({ error: "A key is needed." }, { status: 401 });
    server.use(
      http.get("*/api/config", () => HttpResponse.json({ ...SAMPLE_CONFIG, api_key_required: true })),
      http.get("*/api/status", guarded(SAMPLE_STATUS)),
      http.get("*/api/tags", guarded({ genre_style: { label: "Genre", tags: ["Jazz"] } })),
      http.post("*/api/session", async ({ request }) => {
        const { key } = (await request.json()) as { key: string };
        open = key === "sesame";
        return open
          ? new HttpResponse(null, { status: 204 })
          : HttpResponse.json({ error: "This key is not known." }, { status: 401 });
      }),
    );
    const { user } = renderApp();
    const input = await screen.findByLabelText("API key");
    await user.type(input, "open{Enter}");
    expect(await screen.findByText(/does not know this key/)).toBeInTheDocument();
    await user.clear(input);
    await user.type(input, "sesame{Enter}");
    await waitFor(() => expect(screen.queryByLabelText("API key")).not.toBeInTheDocument());
    expect(await screen.findByRole("button", { name: "Jazz" })).toBeInTheDocument();

    server.use(
      http.delete("*/api/session", () => {
        open = false;
        return new HttpResponse(null, { status: 204 });
      }),
    );
    await user.click(screen.getByRole("button", { name: /Ready/ }));
    await user.click(screen.getByRole("button", { name: "Forget the key here" }));
    expect(await screen.findByLabelText("API key")).toBeInTheDocument();
    expect(screen.queryByText("Jazz")).not.toBeInTheDocument();
  });
});

describe("preferences", () => {
  it("change the language at once", async () => {
    const { user } = renderApp();
    await user.click(screen.getByRole("button", { name: "Language and theme" }));
    await user.click(await screen.findByRole("menuitemradio", { name: "中文" }));
    expect(await screen.findByRole("heading", { name: "控制" })).toBeInTheDocument();
    expect(document.documentElement.lang).toBe("zh");
    expect(await screen.findByRole("region", { name: /流派\/风格/ })).toBeInTheDocument();
  });

  it("change the theme and keep it", async () => {
    const { user } = renderApp();
    await user.click(screen.getByRole("button", { name: "Language and theme" }));
    await user.click(await screen.findByRole("menuitemradio", { name: "Light" }));
    expect(document.documentElement.dataset["theme"]).toBe("light");
    expect(localStorage.getItem("khala.theme")).toBe("light");
  });
});

it("an address that leads nowhere says so", () => {
  renderApp("/nowhere");
  expect(screen.getByRole("heading", { name: "There is no such page" })).toBeInTheDocument();
});
