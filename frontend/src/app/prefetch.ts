import type { QueryClient } from "@tanstack/react-query";

import { configQuery } from "@/api/config";
import { statusQuery } from "@/features/system/useStatus";
import { tagsQuery } from "@/features/tags/useTags";

/** A server that takes longer than this is not waited for: the page shows where its answers will be. */
const PATIENCE_MS = 400;

/** Asks for what the first page shows, so that it comes in whole and nothing moves afterwards. */
export async function prefetch(queries: QueryClient): Promise<void> {
  // A failure is the page's to show: each of its parts asks again for itself.
  const answers = Promise.allSettled([queries.query(configQuery), queries.query(statusQuery), queries.query(tagsQuery)]);
  await Promise.race([answers, new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
}
