/** A job's live events. Owns the connections: a browser opens only six to one server, so few streams run at once. */
import { API_BASE, type Job } from "@/api/client";

const MOST_STREAMS = 3;
let open = 0;

interface Listener {
  onJob: (job: Job) => void;
  /** Whether events are coming; while they are not, somebody has to ask. */
  onLive: (live: boolean) => void;
}

/** The job of one event; null when the text is not one, which a proxy's error page would not be. */
export function readJob(text: string): Job | null {
  try {
    const value: unknown = JSON.parse(text);
    const isJob = typeof value === "object" && value !== null && "job_id" in value && "tracks" in value;
    return isJob ? (value as Job) : null;
  } catch {
    return null;
  }
}

/** Listens to a job until the answered function is called. Without a free stream it does nothing. */
export function listenToJob(jobId: string, { onJob, onLive }: Listener): () => void {
  if (typeof EventSource === "undefined" || open >= MOST_STREAMS) return () => undefined;
  open += 1;
  const source = new EventSource(`${API_BASE}/job/${encodeURIComponent(jobId)}/events`);
  source.addEventListener("job", (event: MessageEvent<string>) => {
    const job = readJob(event.data);
    if (!job) return;
    onLive(true);
    onJob(job);
  });
  // The browser connects again by itself, and says from which event; it is asked meanwhile.
  source.addEventListener("error", () => onLive(false));
  let listening = true;
  return () => {
    if (!listening) return;
    listening = false;
    open -= 1;
    source.close();
  };
}
