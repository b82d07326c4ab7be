import { useEffect, useEffectEvent, useRef } from "react";

export interface SaveOptions {
  /** Goes on when the page is left. */
  keepalive?: boolean;
}

/** Says whether the text is saved. */
export type Save = (text: string, options: SaveOptions) => Promise<boolean>;

/**
 * Saves a text when it is told to, and when its field goes with the page: a text area that is taken away is not blurred.
 *
 * Each text is sent once, unless saving it failed. What nobody changed is not sent at all.
 */
export function useAutosave(text: string, stored: string, onSave: Save) {
  /** The text of which nothing is left to do: sent, or given up. */
  const settled = useRef<string | null>(null);
  const save = (options: SaveOptions = {}) => {
    if (text === (settled.current ?? stored)) return;
    settled.current = text;
    void onSave(text, options).then((saved) => {
      if (!saved && settled.current === text) settled.current = null;
    });
  };
  const onLeave = useEffectEvent(() => save({ keepalive: true }));
  useEffect(() => {
    const leave = () => onLeave();
    window.addEventListener("pagehide", leave);
    return () => {
      window.removeEventListener("pagehide", leave);
      leave();
    };
  }, []);
  return {
    save,
    giveUp: () => {
      settled.current = text;
    },
  };
}
