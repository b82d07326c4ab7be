/** Short notices that pass: what happened, and the one thing that undoes it. Owned here, shown by <Toasts>. */
import { useSyncExternalStore } from "react";

export interface Toast {
  id: number;
  text: string;
  action?: { label: string; run: () => void };
}

const SECONDS = { plain: 5, withAction: 8 };

let toasts: readonly Toast[] = [];
let lastId = 0;
const listeners = new Set<() => void>();

function change(next: readonly Toast[]): void {
  toasts = next;
  listeners.forEach((tell) => tell());
}

export function dismissToast(id: number): void {
  change(toasts.filter((toast) => toast.id !== id));
}

/** Shows a notice; its action, once run, dismisses it. */
export function toast(text: string, action?: Toast["action"]): number {
  const id = ++lastId;
  change([...toasts, { id, text, ...(action && { action }) }].slice(-3));
  setTimeout(() => dismissToast(id), 1000 * (action ? SECONDS.withAction : SECONDS.plain));
  return id;
}

/** How long a person has to take something back. */
export const UNDO_SECONDS = SECONDS.withAction;

export function useToasts(): readonly Toast[] {
  return useSyncExternalStore(
    (tell) => {
      listeners.add(tell);
      return () => listeners.delete(tell);
    },
    () => toasts,
  );
}
