import { useEffect, useRef, type RefObject } from "react";

/** A ref for what takes the focus when that which is open closes with the focus in it. */
export function useFocusAfter<T extends HTMLElement>(open: boolean): RefObject<T | null> {
  const target = useRef<T>(null);
  const wasOpen = useRef(open);
  useEffect(() => {
    // The body has the focus only when what had it is gone: nobody has moved it elsewhere meanwhile.
    if (wasOpen.current && !open && document.activeElement === document.body) target.current?.focus();
    wasOpen.current = open;
  }, [open]);
  return target;
}
