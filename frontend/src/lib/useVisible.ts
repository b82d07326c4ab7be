import { useSyncExternalStore } from "react";

/** Whether the page can be seen: false in a tab behind another one. */
export function useVisible(): boolean {
  return useSyncExternalStore(
    (tell) => {
      document.addEventListener("visibilitychange", tell);
      return () => document.removeEventListener("visibilitychange", tell);
    },
    () => document.visibilityState === "visible",
  );
}
