/** Whether the server asks for a key. Told by whoever sees a 401, asked by the dialog that takes the key. */
import { useSyncExternalStore } from "react";

let needed = false;
const listeners = new Set<() => void>();

export function setKeyNeeded(next: boolean): void {
  if (next === needed) return;
  needed = next;
  listeners.forEach((tell) => tell());
}

export function useKeyNeeded(): boolean {
  return useSyncExternalStore(
    (tell) => {
      listeners.add(tell);
      return () => listeners.delete(tell);
    },
    () => needed,
  );
}
