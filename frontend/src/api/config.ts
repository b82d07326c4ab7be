/** What the server can do: its limits, its model. Shared by every feature that asks within limits. */
import { queryOptions, useQuery } from "@tanstack/react-query";

import { answer, api } from "./client";

const FRESH_MS = 60_000;
const UNSETTLED_POLL_MS = 5000;

export const configQuery = queryOptions({
  queryKey: ["config"],
  queryFn: ({ signal }) => answer(api.GET("/config", { signal })),
  staleTime: FRESH_MS,
});

export function useConfig() {
  return useQuery({
    ...configQuery,
    // Until a worker has loaded its models the server does not know which they are.
    refetchInterval: (query) => (query.state.data?.engine ? false : UNSETTLED_POLL_MS),
  });
}
