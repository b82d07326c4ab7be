/** The real server as a process of its own: own ports, own database, own files. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "..", "..");
const PYTHON = join(ROOT, ".venv", "bin", "python");
const READY_SECONDS = 300;

interface StartOptions {
  /** The path that answers 200 when the server can do what the test needs. */
  until: "/healthz" | "/readyz";
  env?: Record<string, string>;
}

export async function startServer({ until, env = {} }: StartOptions): Promise<{ url: string; stop: () => Promise<void> }> {
  if (!existsSync(PYTHON)) throw new Error(`No Python at ${PYTHON}. Set it up first: bash run_backend.sh setup --dev`);
  const files = await mkdtemp(join(tmpdir(), "khala-e2e-"));
  const port = await freePort();
  const server = spawn(PYTHON, ["-m", "backend", "serve", "--gpus", "cpu", "--runtime-mode", "keep_loaded"], {
    cwd: ROOT,
    stdio: "ignore",
    env: {
      ...process.env,
      OMP_WAIT_POLICY: "passive",
      API_PORT: String(port),
      WORKER_BASE_PORT: String(await freePort()),
      KHALA_OUTPUT_DIR: join(files, "audio"),
      KHALA_LOGS_DIR: join(files, "logs"),
      KHALA_DATABASE_URL: `sqlite:///${join(files, "jobs.sqlite3")}`,
      ...env,
    },
  });
  // Tests that are broken off leave no server behind.
  process.once("exit", () => server.kill());
  const ended = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  const stop = async () => {
    if (server.exitCode === null) server.kill("SIGTERM");
    await ended;
    await rm(files, { recursive: true, force: true });
  };

  const url = `http://127.0.0.1:${port}`;
  try {
    await untilAnswered(url + until, () => server.exitCode !== null);
  } catch (error) {
    const log = await readFile(join(files, "logs", "api.log"), "utf8").catch(() => "no log");
    await stop();
    throw new Error(`${String(error)}\n${log.slice(-2000)}`, { cause: error });
  }
  return { url, stop };
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

async function untilAnswered(url: string, hasEnded: () => boolean): Promise<void> {
  const deadline = Date.now() + READY_SECONDS * 1000;
  while (Date.now() < deadline) {
    if (hasEnded()) throw new Error("The server ended while it was starting.");
    const answer = await fetch(url).catch(() => null);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error(`${url} did not answer 200 within ${READY_SECONDS} seconds.`);
}
