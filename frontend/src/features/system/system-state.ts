/** One word for the whole system. */
import type { Status } from "@/api/client";

export type SystemState = "unreachable" | "waking" | "broken" | "held" | "idle" | "busy";

export function readSystem(status: Status | undefined, failed: boolean): SystemState {
  if (failed || !status) return failed ? "unreachable" : "waking";
  const up = status.workers.filter((worker) => worker.status !== "offline" && worker.error === null);
  if (up.length === 0) return status.workers.some((worker) => worker.error !== null) ? "broken" : "waking";
  if (status.held_up) return "held";
  return up.some((worker) => worker.status === "idle" && worker.loaded) ? "idle" : "busy";
}
