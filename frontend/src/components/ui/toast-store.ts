/** Short notices that pass: what happened, and the one thing that undoes it. Owned here, shown by <Toasts>. */
import { useSyncExternalStore } from "react";

export interface ToastAction {
  label: string;
  run: () => void;
  /** What comes of it when the notice goes and the action was not run. */
  lapse?: () => void;
}

export interface Toast {
  id: number;
  text: string;
  action?: ToastAction;
}

const SECONDS = { plain: 5, withAction: 8 };
const MOST_PLAIN = 3;

let toasts: readonly Toast[] = [];
let lastId = 0;
const timers = new Map<number, ReturnType<typeof setTimeout>>();
const listeners = new Set<() => void>();

function change(next: readonly Toast[]): void {
  toasts = next;
  listeners.forEach((tell) => tell());
}

function take(id: number): Toast | undefined {
  const taken = toasts.find((toast) => toast.id === id);
  clearTimeout(timers.get(id));
  timers.delete(id);
  if (taken) change(toasts.filter((toast) => toast !== taken));
  return taken;
}

/** Takes the notice away, and with it the chance to run its action. */
export function dismissToast(id: number): void {
  take(id)?.action?.lapse?.();
}

export function runToastAction(id: number): void {
  take(id)?.action?.run();
}

/** Keeps the notice until it is released: somebody is about to use it. */
export function holdToast(id: number): void {
  clearTimeout(timers.get(id));
}

/** Lets the notice pass, after its whole time. */
export function releaseToast(id: number): void {
  const released = toasts.find((toast) => toast.id === id);
  if (!released) return;
  clearTimeout(timers.get(id));
  const seconds = released.action ? SECONDS.withAction : SECONDS.plain;
  timers.set(id, setTimeout(() => dismissToast(id), 1000 * seconds));
}

/** Shows a notice. Old ones give way to new ones, but never one with an action: it may be the only way back. */
export function toast(text: string, action?: ToastAction): void {
  const id = ++lastId;
  change([...toasts, { id, text, ...(action && { action }) }]);
  releaseToast(id);
  const plain = toasts.filter((each) => !each.action);
  plain.slice(0, -MOST_PLAIN).forEach((each) => dismissToast(each.id));
}

export function useToasts(): readonly Toast[] {
  return useSyncExternalStore(
    (tell) => {
      listeners.add(tell);
      return () => listeners.delete(tell);
    },
    () => toasts,
  );
}
