import { useTranslation } from "react-i18next";

import type { Job, Track } from "@/api/client";
import { SkeletonWave } from "@/components/SkeletonWave";
import { span } from "@/lib/format";

/** A track that is not a song yet, or never became one. */
export function TrackProgress({ job, track }: { job: Job; track: Track }) {
  const { t } = useTranslation();
  const words = useTrackWords(job, track);
  const over = track.status === "error" || track.status === "cancelled";
  return (
    <div>
      <div className="flex items-center gap-4">
        <p className="w-12 shrink-0 text-center text-xl font-semibold [font-stretch:90%]">
          {over ? "–" : `${track.progress}%`}
        </p>
        <div
          {...(!over && {
            role: "progressbar",
            "aria-label": t("song.track", { number: track.index + 1 }),
            "aria-valuemin": 0,
            "aria-valuemax": 100,
            "aria-valuenow": track.progress,
            "aria-valuetext": `${track.progress}% · ${words}`,
          })}
          className="min-w-0 flex-1"
        >
          <SkeletonWave seed={track.seed} percent={over ? 0 : track.progress} />
        </div>
      </div>
      <p className="mt-1 flex min-h-10 flex-wrap items-center gap-x-2 pl-16 text-sm text-soft">
        {track.status === "error" ? (
          <span className="text-bad">
            {words} <span lang="en">{track.error}</span>
          </span>
        ) : (
          words
        )}
      </p>
    </div>
  );
}

/** "Composing · 310 tokens/s · about 40 s left", with only what is known. */
function useTrackWords(job: Job, track: Track): string {
  const { t, i18n } = useTranslation();
  if (track.status === "error") return t("song.trackFailed");
  if (track.status === "cancelled") return t("status.cancelled");
  if (track.status === "queued") {
    return [
      job.queue_position > 0 ? t("song.queuePosition", { count: job.queue_position }) : t("status.queued"),
      job.starts_in_seconds !== null && t("song.startsIn", { time: span(job.starts_in_seconds, i18n.language) }),
    ]
      .filter(Boolean)
      .join(" · ");
  }
  return [
    t(`phase.${track.worker_phase}`),
    track.tokens_per_second !== null && t("song.speed", { count: Math.round(track.tokens_per_second) }),
    track.eta_seconds !== null && t("song.left", { time: span(track.eta_seconds, i18n.language) }),
  ]
    .filter(Boolean)
    .join(" · ");
}
