/** What follows from a job's own fields: names, files, states; every feature may ask. */
import { answer, api, API_BASE, type Job, type JobStatus, type SongRequest, type Track } from "./client";

const ENDED: ReadonlySet<JobStatus> = new Set<JobStatus>(["completed", "partial", "failed", "cancelled"]);

export function hasEnded(status: JobStatus): boolean {
  return ENDED.has(status);
}

/** How far a job is, 0 to 100: its tracks on average. */
export function percentOf(job: Job): number {
  return Math.round(job.tracks.reduce((sum, track) => sum + track.progress, 0) / Math.max(1, job.tracks.length));
}

/** The description that the models read. */
export function descriptionOf(request: SongRequest): string {
  return request.prompt_mode === "natural" ? request.prompt : request.tags;
}

const NAME_LENGTH = 48;

/** The title, else the first sung line, else the beginning of the description; empty when there is none. */
export function songName(job: Job): string {
  const line = job.cleaned_lyrics.split("\n").find((each) => each.trim() && !each.trim().startsWith("["));
  const name = job.title.trim() || line?.trim() || descriptionOf(job.request).trim();
  return name.length > NAME_LENGTH ? `${name.slice(0, NAME_LENGTH - 1).trimEnd()}…` : name;
}

export function trackUrl(jobId: string, index: number, kind: "mp3" | "wav" | "json"): string {
  return new URL(`${API_BASE}/job/${encodeURIComponent(jobId)}/track/${index}/${kind}`, location.origin).href;
}

/** The shape of a finished track, which the server draws from the whole of it. */
export async function trackPeaks(jobId: string, index: number): Promise<number[]> {
  const path = { job_id: jobId, index };
  return (await answer(api.GET("/job/{job_id}/track/{index}/waveform", { params: { path } }))).peaks;
}

/** What to play of a track: its MP3, or its WAV where that is missing. */
export function playableUrl(job: Job, track: Track): string | null {
  if (track.status !== "done") return null;
  return trackUrl(job.job_id, track.index, track.has_mp3 ? "mp3" : "wav");
}
