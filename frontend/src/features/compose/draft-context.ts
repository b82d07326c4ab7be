import { createContext, use, type Dispatch } from "react";

import type { Draft, DraftAction } from "./draft";

export const DraftContext = createContext<{ draft: Draft; dispatch: Dispatch<DraftAction> } | null>(null);

export function useDraft() {
  const context = use(DraftContext);
  if (!context) throw new Error("useDraft needs a <DraftProvider> above it.");
  return {
    ...context,
    change: (to: Partial<Draft>) => context.dispatch({ type: "changed", to }),
  };
}
