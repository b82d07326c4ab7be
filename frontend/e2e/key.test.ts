/** A server with a key, as a person meets it. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";

import { axeFindings, launchBrowser, openPage } from "./browser";
import { startServer } from "./server";

let browser: Browser;
let server: Awaited<ReturnType<typeof startServer>>;
beforeAll(async () => {
  browser = await launchBrowser();
  server = await startServer({ until: "/healthz", env: { KHALA_API_KEYS: "open-sesame" } });
});
afterAll(async () => {
  await browser.close();
  await server.stop();
});

it("asks for the key, refuses a wrong one, and remembers the right one without any script seeing it", async () => {
  const { page } = await openPage(browser, server.url);
  const input = page.getByLabel("API key");
  await input.fill("sesame");
  await page.keyboard.press("Enter");
  await page.getByText(/does not know this key/).waitFor();
  expect(await axeFindings(page)).toEqual([]);
  await input.fill("open-sesame");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Ballad", exact: true }).waitFor();
  expect(await page.evaluate(() => document.cookie)).toBe("");

  await page.reload();
  await page.getByRole("button", { name: "Ballad", exact: true }).waitFor();
  await page.getByRole("button", { name: /Details of the system/ }).click();
  await page.getByRole("button", { name: "Forget the key here" }).click();
  await input.waitFor();
});
