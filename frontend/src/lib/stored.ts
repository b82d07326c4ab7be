/** JSON kept in the browser. What is stored may be old or damaged, so reading goes through a guard. */

export function readStored<T>(key: string, guard: (value: unknown) => T | null): T | null {
  try {
    const text = localStorage.getItem(key);
    return text === null ? null : guard(JSON.parse(text));
  } catch {
    return null;
  }
}

export function writeStored(key: string, value: unknown): void {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Full, or closed to this page: the value lives until the page is left.
  }
}
