/** Where the page is: three places, read from the address. Paths keep clear of the API's own (/job, /jobs, /tags …). */
import { useSyncExternalStore } from "react";

export type Route = { page: "compose" } | { page: "library" } | { page: "song"; jobId: string } | { page: "lost" };

export const paths = {
  compose: "/",
  library: "/library",
  song: (jobId: string) => `/song/${encodeURIComponent(jobId)}`,
};

export function routeOf(pathname: string): Route {
  const path = pathname.replace(/\/+$/, "") || "/";
  if (path === paths.compose) return { page: "compose" };
  if (path === paths.library) return { page: "library" };
  const song = /^\/song\/([^/]+)$/.exec(path)?.[1];
  if (!song) return { page: "lost" };
  try {
    return { page: "song", jobId: decodeURIComponent(song) };
  } catch {
    return { page: "lost" };
  }
}

const MOVED = "khala:moved";

export function navigate(path: string): void {
  if (path !== location.pathname) history.pushState(null, "", path);
  window.dispatchEvent(new Event(MOVED));
}

function subscribe(tell: () => void): () => void {
  window.addEventListener("popstate", tell);
  window.addEventListener(MOVED, tell);
  return () => {
    window.removeEventListener("popstate", tell);
    window.removeEventListener(MOVED, tell);
  };
}

export function usePathname(): string {
  return useSyncExternalStore(subscribe, () => location.pathname);
}

/** What stands behind the question mark. */
export const readQuery = (): URLSearchParams => new URLSearchParams(location.search);

/** Keep it in the address, so that going back and reloading find it again; empty values are left out. */
export function writeQuery(values: Record<string, string>): void {
  const query = new URLSearchParams(Object.entries(values).filter(([, value]) => value !== "")).toString();
  history.replaceState(history.state, "", `${location.pathname}${query && `?${query}`}`);
}
