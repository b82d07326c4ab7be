/** The page for everyone: languages, themes, phones, keyboards, screen readers. */
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";

import { axeFindings, launchBrowser, openPage } from "./browser";

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
  // A short song, so that library and studio have something to show.
  const data = { tags: "Jazz", mode: "instrumental", duration: 1, num_tracks: 1 };
  const { page } = await openPage(browser, inject("url"));
  await page.request.post("/api/generate", { data });
});
afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));
afterAll(() => browser.close());

const open = (options = {}) => openPage(browser, inject("url"), options);
const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };

async function openSong(page: Page): Promise<void> {
  await page.getByRole("link", { name: "Library" }).click();
  await page.getByRole("list", { name: "Library" }).getByRole("link").first().click();
  await page.getByRole("button", { name: "Play Track 1" }).waitFor({ timeout: 240_000 });
}

it("speaks Chinese after a click, and still after a reload", async () => {
  const { page } = await open();
  await page.getByRole("button", { name: "Language and theme" }).click();
  await page.getByRole("menuitemradio", { name: "中文" }).click();
  await page.getByRole("heading", { name: "歌词" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "歌词" }).waitFor();
  expect(await page.getAttribute("html", "lang")).toBe("zh");
});

it("greets a Chinese browser in Chinese", async () => {
  const { page } = await open({ locale: "zh-CN" });
  await page.getByRole("radio", { name: "纯音乐" }).waitFor();
});

it("turns light and dark, and is not the other one for a moment after a reload", async () => {
  const { page } = await open({ colorScheme: "dark" });
  const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const dark = await ground();
  await page.getByRole("button", { name: "Language and theme" }).click();
  await page.getByRole("menuitemradio", { name: "Light" }).click();
  await expect.poll(ground).not.toBe(dark);
  const light = await ground();
  await page.reload({ waitUntil: "commit" });
  await page.waitForSelector("#root", { state: "attached" });
  expect(await ground()).toBe(light);
});

describe("a draft", () => {
  it("is there again after a reload", async () => {
    const { page } = await open();
    await page.getByRole("textbox", { name: "Lyrics" }).fill("Still here");
    await page.getByRole("button", { name: "Dreamy", exact: true }).click();
    await page.reload();
    await page.getByRole("button", { name: "Dreamy", exact: true, pressed: true }).waitFor();
    expect(await page.getByRole("textbox", { name: "Lyrics" }).inputValue()).toBe("Still here");
  });

  it("grows its sheet with its lyrics", async () => {
    const { page } = await open();
    const sheet = page.getByRole("textbox", { name: "Lyrics" });
    const height = () => sheet.evaluate((element) => element.clientHeight);
    const before = await height();
    await sheet.fill("la\n".repeat(18));
    expect(await height()).toBeGreaterThan(before);
  });
});

it("a phone shows every page without sideways scrolling, and Generate within reach", async () => {
  const { page } = await open(PHONE);
  const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(await overflow()).toBe(0);
  const box = await page.getByRole("button", { name: /^Generate/ }).boundingBox();
  expect(box && box.y + box.height).toBeLessThanOrEqual(740);
  await page.getByRole("link", { name: "Library" }).click();
  await page.getByRole("list", { name: "Library" }).waitFor();
  expect(await overflow()).toBe(0);
  await openSong(page);
  await page.getByRole("button", { name: "Play Track 1" }).click();
  await page.getByRole("region", { name: "Player" }).waitFor();
  expect(await overflow()).toBe(0);
});

it("a phone that plays a song has Generate above the player", async () => {
  const { page } = await open({ ...PHONE, viewport: { width: 390, height: 740 } });
  await openSong(page);
  await page.getByRole("button", { name: "Play Track 1" }).click();
  await page.getByRole("region", { name: "Player" }).waitFor();
  await page.getByRole("link", { name: "Compose", exact: true }).click();
  const inSight = () =>
    page.getByRole("button", { name: /^Generate/ }).evaluate((button) => {
      const { x, y, width, height } = button.getBoundingClientRect();
      return button.contains(document.elementFromPoint(x + width / 2, y + height / 2));
    });
  await expect.poll(inSight).toBe(true);
});

it("keys alone compose: skip link, radio groups, tags, generate", async () => {
  const { page } = await open();
  await page.keyboard.press("Tab");
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Skip to the content");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Vocal");
  // Held as long as a finger holds it: the choice follows the focus only while the key is down.
  await page.keyboard.press("ArrowRight", { delay: 60 });
  await page.getByRole("radio", { name: "Instrumental", checked: true }).waitFor();
  await page.getByRole("button", { name: "Ballad", exact: true }).focus();
  await page.keyboard.press("Space");
  await page.getByRole("button", { pressed: true }).first().waitFor();
  const outline = await page.evaluate(() => document.activeElement && getComputedStyle(document.activeElement).outlineStyle);
  expect(outline).not.toBe("none");
});

it("nothing moves while the page comes in", async () => {
  const { page } = await open();
  await page.getByRole("button", { name: "Ballad", exact: true }).waitFor();
  const shift = await page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        let sum = 0;
        const observer = new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) sum += (entry as PerformanceEntry & { value: number }).value;
        });
        observer.observe({ type: "layout-shift", buffered: true });
        requestAnimationFrame(() => setTimeout(() => resolve(sum), 300));
      }),
  );
  expect(shift).toBeLessThan(0.02);
});

describe.each(["dark", "light"] as const)("axe finds nothing, %s", (colorScheme) => {
  it("on any page", async () => {
    const { page } = await open({ colorScheme });
    await page.getByRole("button", { name: "Rain and a kettle" }).click();
    await page.getByRole("button", { name: /Advanced/ }).click();
    expect(await axeFindings(page)).toEqual([]);
    await page.getByRole("radio", { name: "Natural" }).click();
    expect(await axeFindings(page)).toEqual([]);
    await page.getByRole("button", { name: /Details of the system/ }).click();
    await page.getByRole("dialog").waitFor();
    expect(await axeFindings(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await page.getByRole("link", { name: "Library" }).click();
    await page.getByRole("list", { name: "Library" }).waitFor();
    expect(await axeFindings(page)).toEqual([]);
    await openSong(page);
    await page.getByRole("button", { name: "Play Track 1" }).click();
    await page.getByRole("region", { name: "Player" }).waitFor();
    expect(await axeFindings(page)).toEqual([]);
  });
});
