/** Takes the pictures in assets/ of the real page on the real server: npm run screenshots. */
import { join } from "node:path";
import type { APIRequestContext, Browser, BrowserContextOptions } from "playwright-core";
import { afterAll, beforeAll, inject, it } from "vitest";

import { launchBrowser, openPage } from "./browser";

const ASSETS = join(import.meta.dirname, "..", "..", "assets");
const SONG_MS = 280_000;

const SONGS = [
  { title: "Harbour before dawn", prompt_mode: "natural", prompt: "A slow ambient piece for piano and soft pads, long reverb, no drums" },
  { title: "Neon drive", tags: "Synthwave, Synth Lead, Drum Machine, Euphoric, 120 BPM" },
  { title: "Market day", tags: "Folk, Acoustic Guitar, Hand Claps, Festive, Fast Tempo" },
  { title: "Night bus", tags: "Lo-fi, Electric Piano, Vinyl Crackle, Calm, 70 BPM" },
  { title: "Glasshouse", tags: "Jazz, Upright Bass, Saxophone, Brushed Drums, Warm" },
];

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

const open = async (options: BrowserContextOptions = {}) => {
  const { page } = await openPage(browser, inject("url"), {
    viewport: { width: 1440, height: 900 },
    deviceScaleFactor: 1.5,
    colorScheme: "dark",
    ...options,
  });
  const picture = async (name: string) => {
    await page.evaluate(async () => {
      window.scrollTo(0, 0);
      await document.fonts.ready;
    });
    await page.screenshot({ path: join(ASSETS, `${name}.png`), animations: "disabled", style: "[data-toasts] { visibility: hidden }" });
  };
  return { page, picture };
};

async function makeSongs(request: APIRequestContext): Promise<void> {
  for (const song of SONGS) {
    const placed = await request.post("/api/generate", { data: { mode: "instrumental", duration: 1, num_tracks: 1, ...song } });
    const { job_id } = (await placed.json()) as { job_id: string };
    if (song.title === "Night bus") await request.patch(`/api/job/${job_id}`, { data: { favourite: true } });
  }
}

it("takes the pictures", async () => {
  const desk = await open();
  const { page, picture } = desk;
  await page.getByRole("button", { name: "Rain and a kettle" }).click();
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await picture("compose-tags");

  const light = await open({ colorScheme: "light" });
  await light.page.getByRole("button", { name: "Moonlight on the river" }).click();
  await light.picture("light");

  const natural = await open();
  await natural.page.getByRole("button", { name: "Harvest evening" }).click();
  await natural.page.getByRole("button", { name: /Advanced/ }).click();
  await natural.picture("compose-natural");

  await page.getByRole("button", { name: /^Generate/ }).click();
  await page.waitForURL(/\/song\//);
  await page.waitForFunction(
    () => Number(document.querySelector("[role=progressbar]")?.getAttribute("aria-valuenow")) >= 20,
    undefined,
    { timeout: SONG_MS },
  );
  await picture("running");

  await page.getByRole("button", { name: "Play Track 2" }).waitFor({ timeout: SONG_MS });
  await page.locator("canvas").first().waitFor();
  await page.getByRole("button", { name: "Show spectrogram" }).first().click();
  await page.getByRole("button", { name: "Play Track 1" }).click();
  await page.waitForFunction(() => (document.querySelector("audio")?.currentTime ?? 0) > 8);
  await page.getByRole("button", { name: "Pause Track 1" }).click();
  await picture("finished");

  const phone = await open({ viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true });
  await phone.page.goto(new URL(page.url()).pathname);
  await phone.page.getByRole("button", { name: "Play Track 1" }).click();
  await phone.page.locator("canvas").first().waitFor();
  await phone.page.waitForFunction(() => (document.querySelector("audio")?.currentTime ?? 0) > 3);
  await phone.picture("phone");

  await makeSongs(page.request);
  await page.getByRole("link", { name: "Library" }).click();
  await page.getByRole("button", { name: `Play ${SONGS.at(-1)?.title}` }).waitFor({ timeout: SONG_MS });
  await picture("library");
});
