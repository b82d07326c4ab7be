import { useEffect, useState } from "react";

const DELAY_MS = 250;

/** The value once it has rested: so that typing does not ask the server at every letter. */
export function useDebounced<T>(value: T): T {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), DELAY_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return rested;
}
