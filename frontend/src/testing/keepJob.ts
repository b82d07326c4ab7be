import { http, HttpResponse } from "msw";

import type { Job } from "@/api/client";

import { sampleJob, sampleTrack } from "./samples";
import { server } from "./server";

/** A server with one job, which a test may change while it runs. */
export function keepJob(first: Job) {
  const kept = { job: first, asked: 0 };
  server.use(
    http.get("*/api/job/job-1", () => {
      kept.asked += 1;
      return HttpResponse.json(kept.job);
    }),
    http.get("*/api/job/job-1/track/:index/waveform", () => HttpResponse.json({ error: "Gone" }, { status: 404 })),
  );
  return kept;
}

/** The first track is being composed, the second waits. */
export const runningJob = sampleJob({
  status: "generating",
  tracks: [
    sampleTrack({
      status: "generating",
      worker_phase: "backbone",
      progress: 42,
      tokens_per_second: 310.4,
      eta_seconds: 40,
    }),
    sampleTrack({ index: 1, seed: 8 }),
  ],
  queue_position: 1,
});
