import { queryOptions, useQuery } from "@tanstack/react-query";

import { answer, api } from "@/api/client";

const POLL_MS = 5000;

export const statusQuery = queryOptions({
  queryKey: ["status"],
  queryFn: ({ signal }) => answer(api.GET("/status", { signal })),
  retry: false,
});

export function useStatus() {
  return useQuery({ ...statusQuery, refetchInterval: POLL_MS });
}
