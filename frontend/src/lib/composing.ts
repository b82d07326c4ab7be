import type { KeyboardEvent } from "react";

/**
 * Whether the key belongs to an input method that is putting a character together, as for Chinese: its Enter and Escape
 * mean nothing to the page. Safari says so by the key code alone.
 */
export function isComposing(event: KeyboardEvent): boolean {
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  return event.nativeEvent.isComposing || event.keyCode === 229;
}
