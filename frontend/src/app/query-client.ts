import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";

import { isPassing, isUnauthorized } from "@/api/errors";
import { setKeyNeeded } from "@/features/system/auth";

/** The cache of everything the server said. A 401 anywhere opens the door for the key. */
export function createQueryClient(): QueryClient {
  const onError = (error: unknown) => {
    if (isUnauthorized(error)) setKeyNeeded(true);
  };
  return new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    // networkMode: the server may be on this very machine, so being offline is no reason to wait.
    defaultOptions: {
      queries: { networkMode: "always", staleTime: 2000, retry: (failures, error) => failures < 2 && isPassing(error) },
      mutations: { networkMode: "always" },
    },
  });
}
