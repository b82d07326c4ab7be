import { defineConfig } from "vitest/config";

export default defineConfig({
  root: import.meta.dirname,
  test: {
    environment: "node",
    // Pictures are no test: npm run screenshots asks for them by name.
    include: [process.env["KHALA_SCREENSHOTS"] ? "screenshots.ts" : "*.test.ts"],
    globalSetup: ["./backend.ts"],
    // One server and one model: the songs would only wait for each other.
    fileParallelism: false,
    expect: { poll: { timeout: 60_000 } },
    testTimeout: 600_000,
    hookTimeout: 300_000,
  },
});
