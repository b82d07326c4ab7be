/**
 * Songs about to be removed: hidden at once, removed for ever when the time to undo has passed or the page is left.
 *
 * The server removes without a way back, so the way back is here.
 */
import { useSyncExternalStore } from "react";

import { UNDO_SECONDS } from "@/components/ui/toast-store";

interface Removal {
  remove: (options: { keepalive?: boolean }) => Promise<unknown>;
  /** Settles when no list has the song any more. */
  onRemoved: () => Promise<unknown>;
  onError: (error: unknown) => void;
}

const waiting = new Map<string, { timer: ReturnType<typeof setTimeout>; removal: Removal }>();
let hidden: ReadonlySet<string> = new Set();
const listeners = new Set<() => void>();

function setHidden(next: ReadonlySet<string>): void {
  hidden = next;
  listeners.forEach((tell) => tell());
}

function show(jobId: string): void {
  setHidden(new Set([...hidden].filter((each) => each !== jobId)));
}

async function carryOut(jobId: string, options: { keepalive?: boolean } = {}): Promise<void> {
  const entry = waiting.get(jobId);
  if (!entry) return;
  clearTimeout(entry.timer);
  waiting.delete(jobId);
  try {
    await entry.removal.remove(options);
    await entry.removal.onRemoved();
  } catch (error) {
    entry.removal.onError(error);
  }
  show(jobId);
}

export function scheduleRemoval(jobId: string, removal: Removal): void {
  const timer = setTimeout(() => void carryOut(jobId), UNDO_SECONDS * 1000);
  waiting.set(jobId, { timer, removal });
  setHidden(new Set([...hidden, jobId]));
}

export function undoRemoval(jobId: string): void {
  const entry = waiting.get(jobId);
  if (!entry) return;
  clearTimeout(entry.timer);
  waiting.delete(jobId);
  show(jobId);
}

/** Carries out every removal that still waits; called when the page is left. */
export function finishRemovals(): void {
  for (const jobId of [...waiting.keys()]) void carryOut(jobId, { keepalive: true });
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
