/**
 * Songs about to be removed: hidden at once, removed for ever when the way back is closed or the page is left.
 *
 * The server removes without a way back, so the way back is here. How long it stays open is the notice's to say.
 */
import { useSyncExternalStore } from "react";

interface Removal {
  remove: (options: { keepalive?: boolean }) => Promise<unknown>;
  /** Settles when no list has the song any more. */
  onRemoved: () => Promise<unknown>;
  onError: (error: unknown) => void;
}

const waiting = new Map<string, Removal>();
const removed = new Set<string>();
let hidden: ReadonlySet<string> = new Set();
const listeners = new Set<() => void>();

function setHidden(next: ReadonlySet<string>): void {
  hidden = next;
  listeners.forEach((tell) => tell());
}

function show(jobId: string): void {
  setHidden(new Set([...hidden].filter((each) => each !== jobId)));
}

/** Removes a song that still waits for it. */
export async function carryOutRemoval(jobId: string, options: { keepalive?: boolean } = {}): Promise<void> {
  const removal = waiting.get(jobId);
  if (!removal) return;
  waiting.delete(jobId);
  removed.add(jobId);
  try {
    await removal.remove(options);
    await removal.onRemoved();
  } catch (error) {
    removed.delete(jobId);
    removal.onError(error);
  }
  show(jobId);
}

export function prepareRemoval(jobId: string, removal: Removal): void {
  waiting.set(jobId, removal);
  setHidden(new Set([...hidden, jobId]));
}

export function undoRemoval(jobId: string): void {
  if (waiting.delete(jobId)) show(jobId);
}

/** Whether the song is gone, or going without a way back. */
export function isRemoved(jobId: string): boolean {
  return removed.has(jobId);
}

/** Carries out every removal that still waits; called when the page is left. */
export function finishRemovals(): void {
  for (const jobId of [...waiting.keys()]) void carryOutRemoval(jobId, { keepalive: true });
}

/** The songs that are not to be shown. */
export function useHiddenSongs(): ReadonlySet<string> {
  return useSyncExternalStore(
    (tell) => {
      listeners.add(tell);
      return () => listeners.delete(tell);
    },
    () => hidden,
  );
}
