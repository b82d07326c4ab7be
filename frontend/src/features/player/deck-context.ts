import { createContext, use, useSyncExternalStore } from "react";

import type { Deck, DeckState } from "./deck";

export const DeckContext = createContext<Deck | null>(null);

export function useDeck(): { deck: Deck; state: DeckState } {
  const deck = use(DeckContext);
  if (!deck) throw new Error("useDeck needs a <DeckContext> above it.");
  return { deck, state: useSyncExternalStore(deck.subscribe, deck.getState) };
}

const TIME_EVENTS = ["timeupdate", "seeking", "loadedmetadata", "durationchange"] as const;

/** Where the audio is, in seconds. */
export function useCurrentTime(audio: HTMLAudioElement | null): number {
  return useSyncExternalStore(
    (tell) => {
      TIME_EVENTS.forEach((name) => audio?.addEventListener(name, tell));
      return () => TIME_EVENTS.forEach((name) => audio?.removeEventListener(name, tell));
    },
    () => audio?.currentTime ?? 0,
  );
}
