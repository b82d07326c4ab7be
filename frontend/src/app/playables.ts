/** Where jobs meet the player: a finished track as the deck takes it. */
import type { TFunction } from "i18next";

import type { Job, Track } from "@/api/client";
import { playableUrl, songName, trackPeaks } from "@/api/songs";
import type { Playable } from "@/features/player/deck";
import { paths } from "@/lib/route";

export function playableOf(job: Job, track: Track, t: TFunction): Playable | null {
  const url = playableUrl(job, track);
  if (url === null) return null;
  return {
    key: `${job.job_id}/${track.index}`,
    url,
    name: songName(job) || t("song.untitled"),
    detail: t("song.track", { number: track.index + 1 }),
    href: paths.song(job.job_id),
    seconds: track.duration_sec ?? 0,
    peaks: () => trackPeaks(job.job_id, track.index),
  };
}

export function firstPlayable(job: Job, t: TFunction): Playable | null {
  const done = job.tracks.find((track) => track.status === "done");
  return done ? playableOf(job, done, t) : null;
}
