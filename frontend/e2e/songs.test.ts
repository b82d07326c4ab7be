/** Songs from wish to sound, by a person's clicks, on the real server with the checkpoint it chose. */
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";

import { launchBrowser, listen, openPage } from "./browser";

const SONG_MS = 240_000;
const SILENCE_RMS = 1e-4;

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));
afterAll(() => browser.close());

const open = (options = {}) => openPage(browser, inject("url"), options);
const generate = async (page: Page) => {
  await page.getByRole("button", { name: /^Generate/ }).click();
  await page.waitForURL(/\/song\//);
};
const minutes = (page: Page, value: string) => page.getByRole("radio", { name: value, exact: true }).click();

/** Waits for a track and checks that it can be heard: in the browser's player, and in its samples. */
async function expectAudible(page: Page, track: number): Promise<void> {
  await page.getByRole("button", { name: `Play Track ${track}` }).click({ timeout: SONG_MS });
  await page.getByRole("button", { name: `Pause Track ${track}` }).waitFor();
  const audio = page.locator("audio").nth(track - 1);
  await expect
    .poll(() => audio.evaluate((element: HTMLAudioElement) => element.currentTime), { timeout: 30_000 })
    .toBeGreaterThan(0.2);
  const { duration, src } = await audio.evaluate((element: HTMLAudioElement) => ({
    duration: element.duration,
    src: element.src,
  }));
  expect(duration).toBeGreaterThan(1);
  const heard = await listen(page, src);
  expect(heard.seconds).toBeGreaterThan(1);
  expect(heard.rms).toBeGreaterThan(SILENCE_RMS);
}

describe("a song", () => {
  it("is made of tags and lyrics, twice, and both are heard", async () => {
    const { page, complaints } = await open();
    await page.getByRole("button", { name: "Ballad", exact: true }).click();
    await page.getByRole("button", { name: "Piano", exact: true }).click();
    await page.getByRole("button", { name: "[Verse]" }).click();
    await page.keyboard.type("The kettle sings before the street awakes");
    await minutes(page, "1");
    await generate(page);
    await page.getByRole("progressbar", { name: "Track 1" }).or(page.getByRole("button", { name: "Play Track 1" })).first().waitFor();
    await expectAudible(page, 1);
    await expectAudible(page, 2);

    const playing = await page.locator("audio").evaluateAll((all) => all.filter((each) => !(each as HTMLAudioElement).paused));
    expect(playing).toHaveLength(1);
    await page.locator("canvas").first().waitFor({ timeout: 30_000 });
    await page.getByRole("button", { name: "Show spectrogram" }).first().click();
    await expect.poll(() => page.locator("canvas").count(), { timeout: 30_000 }).toBeGreaterThan(4);

    await page.getByRole("button", { name: "Download Track 1" }).click();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("menuitem", { name: /WAV/ }).click(),
    ]);
    expect(download.suggestedFilename()).toMatch(/\.wav$/);
    expect(await download.failure()).toBeNull();
    expect(complaints).toEqual([]);
  });

  it("is made of a description without words", async () => {
    const { page, complaints } = await open();
    await page.getByRole("radio", { name: "Natural" }).click();
    await page.getByRole("radio", { name: "Instrumental" }).click();
    await page.getByRole("textbox", { name: "Describe the song" }).fill("A slow ambient piece for a piano by the harbour");
    await page.getByRole("button", { name: "Fewer tracks" }).click();
    await minutes(page, "1");
    await page.keyboard.press("Control+Enter");
    await page.waitForURL(/\/song\//);
    await expectAudible(page, 1);
    await page.getByText("No words: this one is instrumental.").waitFor();

    const fetched: string[] = [];
    page.on("request", (request) => {
      if (request.resourceType() === "fetch" && request.url().endsWith("/mp3")) fetched.push(request.url());
    });
    await page.reload();
    await page.locator("canvas").first().waitFor({ timeout: 30_000 });
    expect(fetched, "a song's shape is drawn without fetching the song").toEqual([]);
    expect(complaints).toEqual([]);
  });

  it("goes on in the making through a reload, and is cancelled", async () => {
    const { page, complaints } = await open();
    await page.getByRole("button", { name: "Anime", exact: true }).click();
    await minutes(page, "10");
    const events = page.waitForRequest(/\/events$/);
    await generate(page);
    await events;
    const progress = page.getByRole("progressbar", { name: "Track 1" });
    const percent = async () => Number(await progress.getAttribute("aria-valuenow"));
    await expect.poll(percent, { timeout: 120_000 }).toBeGreaterThan(2);
    const before = await percent();
    await page.reload();
    await progress.waitFor();
    await expect.poll(percent, { timeout: 60_000 }).toBeGreaterThanOrEqual(before);

    await page.getByRole("button", { name: "Cancel", exact: true }).click();
    await page.getByText(/^Cancelled · /).waitFor({ timeout: 30_000 });
    expect(await page.getByRole("button", { name: "Try the missing tracks again" }).isVisible()).toBe(true);
    expect(complaints).toEqual([]);
  });
});

describe("the library", () => {
  it("finds a song by its new name, keeps it as a favourite, and lets a deletion be undone", async () => {
    const { page, complaints } = await open();
    // Cancelled at once: a library does not need to sound.
    for (const title of ["First", "Second", "Third"]) {
      const placed = await page.request.post("/api/generate", { data: { title, tags: "Jazz", num_tracks: 1 } });
      const { job_id } = (await placed.json()) as { job_id: string };
      await page.request.delete(`/api/job/${job_id}`);
    }
    await page.getByRole("link", { name: "Library" }).click();
    const list = page.getByRole("list", { name: "Library" });
    const rows = list.getByRole("listitem");
    await expect.poll(() => rows.count()).toBeGreaterThanOrEqual(3);

    await page.getByRole("button", { name: "More for Second" }).click();
    await page.getByRole("menuitem", { name: "Rename" }).click();
    await page.getByRole("textbox", { name: "Title" }).fill("Zephyr seventeen");
    await page.keyboard.press("Enter");
    await page.getByRole("searchbox").fill("zephyr SEVEN");
    await page.getByText("1 song found").waitFor();
    await page.getByRole("button", { name: "Favourite: Zephyr seventeen" }).click();
    await page.getByRole("button", { name: "Favourite: Zephyr seventeen", pressed: true }).waitFor();
    await page.getByRole("searchbox").fill("");
    await page.getByRole("button", { name: "Favourites" }).click();
    await page.getByText("1 song found").waitFor();

    await page.getByRole("button", { name: "More for Zephyr seventeen" }).click();
    await page.getByRole("menuitem", { name: "Delete" }).click();
    await rows.first().waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByRole("link", { name: "Zephyr seventeen" }).click();
    await page.getByRole("heading", { level: 1, name: "Zephyr seventeen" }).waitFor();
    expect(complaints).toEqual([]);
  });
});
