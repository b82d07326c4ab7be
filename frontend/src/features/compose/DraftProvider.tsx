import { useEffect, useReducer, type ReactNode } from "react";

import { readStored, writeStored } from "@/lib/stored";

import { draftReducer, EMPTY_DRAFT, readDraft } from "./draft";
import { DraftContext } from "./draft-context";

const KEY = "khala.draft";

/** Owns the draft for the whole page, and keeps it over a reload. */
export function DraftProvider({ children }: { children: ReactNode }) {
  const [draft, dispatch] = useReducer(draftReducer, null, () => readStored(KEY, readDraft) ?? EMPTY_DRAFT);
  useEffect(() => writeStored(KEY, draft), [draft]);
  return <DraftContext value={{ draft, dispatch }}>{children}</DraftContext>;
}
