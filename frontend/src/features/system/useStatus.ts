import { queryOptions, useQuery } from "@tanstack/react-query";

import { answer, api } from "@/api/client";

import { readSystem } from "./system-state";

const POLL_MS = 5000;
/** While it works or wakes up, somebody waits for the word to turn. */
const WAITING_POLL_MS = 1000;

export const statusQuery = queryOptions({
  queryKey: ["status"],
  queryFn: ({ signal }) => answer(api.GET("/status", { signal })),
  retry: false,
});

export function useStatus() {
  return useQuery({
    ...statusQuery,
    refetchInterval: ({ state }) => {
      const system = readSystem(state.data, state.status === "error");
      return system === "busy" || system === "waking" ? WAITING_POLL_MS : POLL_MS;
    },
  });
}
