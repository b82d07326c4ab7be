import { queryOptions, useQuery } from "@tanstack/react-query";

import { answer, api } from "@/api/client";
import { askAgain } from "@/api/errors";

export const tagsQuery = queryOptions({
  queryKey: ["tags"],
  queryFn: ({ signal }) => answer(api.GET("/tags", { signal })),
  staleTime: Infinity,
});

export function useTags() {
  return useQuery({ ...tagsQuery, refetchInterval: ({ state }) => askAgain(state.error) });
}
