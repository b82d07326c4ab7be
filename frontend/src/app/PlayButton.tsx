import { Pause, Play } from "lucide-react";
import { useTranslation } from "react-i18next";

import type { Job } from "@/api/client";
import { useDeck } from "@/features/player/deck-context";

import { firstPlayable } from "./playables";

/** Plays a job's first finished track; nothing where there is none. */
export function PlayButton({ job }: { job: Job }) {
  const { t } = useTranslation();
  const { deck, state } = useDeck();
  const song = firstPlayable(job, t);
  if (!song) return null;
  // Whichever of the job's tracks is on the deck, it is this row's song that plays.
  const current = state.current?.href === song.href ? state.current : null;
  const playing = current !== null && state.playing;
  return (
    <button
      type="button"
      aria-label={t(playing ? "player.pauseSong" : "player.playSong", { name: song.name })}
      onClick={() => deck.toggle(current ?? song)}
      className="grid size-10 shrink-0 place-items-center rounded-full border border-line bg-raised transition-colors hover:border-hot hover:bg-hot hover:text-on-hot"
    >
      {playing ? <Pause size={16} fill="currentColor" aria-hidden /> : <Play size={16} fill="currentColor" aria-hidden className="ml-0.5" />}
    </button>
  );
}
