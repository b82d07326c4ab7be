/**
 * What all browser tests of a run share: the page built from this tree, on a real server with the checkpoint that the
 * server chooses by itself. KHALA_E2E_URL names a server that runs already, which is then used instead.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { build } from "vite";
import type { TestProject } from "vitest/node";

import { CHROMIUM } from "./browser";
import { ROOT, startServer } from "./server";

declare module "vitest" {
  interface ProvidedContext {
    url: string;
  }
}

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  if (!existsSync(CHROMIUM)) {
    throw new Error(`No browser at ${CHROMIUM}. Install it (apt-get install chromium) or name one: CHROMIUM=/path/to/it.`);
  }
  const running = process.env["KHALA_E2E_URL"];
  if (running) {
    project.provide("url", running);
    return undefined;
  }
  await build({ root: join(ROOT, "frontend"), logLevel: "error" });
  const { url, stop } = await startServer({ until: "/readyz" });
  project.provide("url", url);
  return stop;
}
