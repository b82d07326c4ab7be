/** Answers of a server, typed by its own schema. */
import type { Config, Job, JobsPage, Status, Track } from "@/api/client";
import type { Catalogue } from "@/features/tags/tags";

export function sampleTrack(to: Partial<Track> = {}): Track {
  return {
    index: 0,
    status: "queued",
    progress: 0,
    phase_display: "Queued",
    worker_id: null,
    worker_phase: "idle",
    duration_sec: null,
    error: null,
    warning: null,
    has_mp3: true,
    seed: 7,
    tokens_per_second: null,
    eta_seconds: null,
    ...to,
  };
}

export const doneTrack = (index = 0) =>
  sampleTrack({ index, status: "done", progress: 100, duration_sec: 62.5, seed: 7 + index, phase_display: "Done" });

export function sampleJob(to: Partial<Job> = {}): Job {
  return {
    job_id: "job-1",
    status: "completed",
    queue_position: 0,
    cleaned_lyrics: "[Verse]\nThe kettle sings",
    created_at: "2026-11-21T10:00:00Z",
    tracks: [doneTrack(0), doneTrack(1)],
    warnings: [],
    title: "Kettle",
    favourite: false,
    notes: "",
    finished_at: null,
    starts_in_seconds: null,
    finishes_in_seconds: null,
    request: {
      mode: "vocal",
      prompt_mode: "tags",
      prompt: "",
      tags: "Jazz, Piano",
      lyrics: "[Verse]\nThe kettle sings",
      duration: 2,
      top_k_bb: 60,
      temperature: 0.9,
      top_k_sr: 10,
      num_tracks: 2,
      seed: 7,
    },
    checkpoint: "khala-demo",
    ...to,
  };
}

export function samplePage(jobs: Job[], to: Partial<JobsPage> = {}): JobsPage {
  return { jobs, next_cursor: null, total: jobs.length, ...to };
}

const tags = (name: string, count: number) => Array.from({ length: count }, (_, index) => `${name} ${index + 1}`);

export const SAMPLE_TAGS: Catalogue = {
  genre_style: { label: "流派/风格 (Genre/Style)", tags: ["Jazz", "Ballad", ...tags("Genre", 23)] },
  vocal_instrument: { label: "人声/乐器 (Vocals/Instruments)", tags: ["Piano", "Female Vocals"] },
  emotion_mood: { label: "情绪/氛围 (Emotion/Mood)", tags: ["Dreamy"] },
  production_other: { label: "节奏/制作/其他 (Rhythm/Production/Other)", tags: ["Slow Tempo"] },
};

export const SAMPLE_STATUS: Status = {
  total_gpus: 1,
  idle_gpus: 1,
  active_jobs: 0,
  queued_jobs: 0,
  untrained: false,
  workers: [
    {
      worker_id: 0,
      url: "http://127.0.0.1:8001",
      status: "idle",
      phase: "idle",
      gpu_id: 0,
      loaded: true,
      error: null,
    },
  ],
};

export const SAMPLE_CONFIG: Config = {
  runtime_mode: "keep_loaded",
  max_seconds: null,
  untrained: false,
  fc1_bias: "once",
  api_key_required: false,
  checkpoint: { name: "khala-demo", trained: true, licence: "Apache-2.0" },
  engine: {
    checkpoint: "khala-demo",
    trained: true,
    backbone_name: "backbone",
    superres_name: "superres",
    codec_name: "codec",
    fc1_bias: "once",
    engine: "native",
    device: "cuda",
    dtype: "bfloat16",
    runtime_mode: "keep_loaded",
    licence: "Apache-2.0",
  },
  limits: {
    duration: { low: 1, high: 10, default: 3, clamped: true },
    top_k_bb: { low: 1, high: 200, default: 80, clamped: true },
    temperature: { low: 0.6, high: 1.4, default: 1, clamped: true },
    top_k_sr: { low: 1, high: 1024, default: 10, clamped: false },
    num_tracks: { low: 1, high: 4, default: 2, clamped: false },
  },
  max_characters: { prompt: 4000, tags: 4000, lyrics: 20000, title: 120, notes: 4000 },
};
