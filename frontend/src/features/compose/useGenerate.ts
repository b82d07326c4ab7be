import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";

import type { GenerateBody } from "@/api/client";
import { ApiError } from "@/api/errors";
import { placeSong } from "@/api/generate";
import { randomKey } from "@/lib/random";

export function useGenerate() {
  const queries = useQueryClient();
  // Sending the same again after a failure is the same wish: its first try may have arrived.
  const unanswered = useRef<{ text: string; key: string } | null>(null);
  return useMutation({
    mutationFn: async (body: GenerateBody) => {
      const text = JSON.stringify(body);
      if (unanswered.current?.text !== text) unanswered.current = { text, key: randomKey() };
      const placed = await placeSong(body, unanswered.current.key);
      unanswered.current = null;
      return placed;
    },
    retry: (failures, error) => failures < 2 && error instanceof ApiError && error.status === 0,
    retryDelay: 500,
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ["jobs"] });
      void queries.invalidateQueries({ queryKey: ["status"] });
    },
  });
}
