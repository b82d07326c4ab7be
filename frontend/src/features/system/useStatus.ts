import { queryOptions, useQuery } from "@tanstack/react-query";

import { answer, api } from "@/api/client";

import { readSystem } from "./system-state";

/** Once it is ready, little changes by itself; until then somebody waits for the word to turn. */
const READY_POLL_MS = 5000;
const WAITING_POLL_MS = 1000;

export const statusQuery = queryOptions({
  queryKey: ["status"],
  queryFn: ({ signal }) => answer(api.GET("/status", { signal })),
  retry: false,
});

export function useStatus() {
  return useQuery({
    ...statusQuery,
    refetchInterval: ({ state }) =>
      readSystem(state.data, state.status === "error") === "idle" ? READY_POLL_MS : WAITING_POLL_MS,
  });
}
