import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const backend = process.env["KHALA_BACKEND"] ?? "http://127.0.0.1:8889";
const src = fileURLToPath(new URL("./src", import.meta.url));

export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: { alias: { "@": src } },
  server: {
    port: 30869,
    strictPort: true,
    proxy: { "/api": backend },
    fs: { allow: [".."] },
  },
  build: {
    target: "es2022",
    manifest: true,
    // The bundle report knows chunks by name; wavesurfer must never slip into the first load.
    chunkSizeWarningLimit: 600,
  },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/testing/setup.ts"],
    restoreMocks: true,
    css: false,
    testTimeout: 120_000,
  },
});
