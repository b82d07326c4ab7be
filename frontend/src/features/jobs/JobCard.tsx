import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { Job, Track } from "@/api/client";
import { hasEnded } from "@/api/songs";

import type { JobActions } from "./actions";
import { JobHeading } from "./JobHeading";
import { JobToolbar } from "./JobToolbar";
import { TrackProgress } from "./TrackProgress";

interface JobCardProps {
  job: Job;
  actions: JobActions;
  /** Plays a finished track. */
  renderTrack: (track: Track) => ReactNode;
  onUseSettings: () => void;
  onAgain: () => void;
  onRemoved: () => void;
}

/** One job with its tracks: what it is, how far it is, what can be done with it. */
export function JobCard({ job, actions, renderTrack, onUseSettings, onAgain, onRemoved }: JobCardProps) {
  const { t } = useTranslation();
  return (
    <article className="min-w-0 rounded-lg border border-line bg-panel">
      <JobHeading job={job} actions={actions} />
      {job.warnings.length > 0 && (
        <ul className="space-y-1 px-4 pb-3 text-sm text-warn md:px-6">
          {job.warnings.map((warning) => (
            <li key={warning} lang="en">
              {warning}
            </li>
          ))}
        </ul>
      )}
      <ol className="border-t border-line">
        {job.tracks.map((track) => (
          <li key={track.index} className="border-b border-line px-4 py-4 md:px-6">
            <p className="mb-2 flex flex-wrap items-baseline justify-between gap-x-4 text-sm">
              <span className="font-semibold">{t("song.track", { number: track.index + 1 })}</span>
              <span className="text-soft">{t("song.seed", { seed: String(track.seed) })}</span>
            </p>
            {track.status === "done" ? renderTrack(track) : <TrackProgress job={job} track={track} />}
            {track.warning && (
              <p lang="en" className="pl-16 text-sm text-warn">
                {track.warning}
              </p>
            )}
          </li>
        ))}
      </ol>
      <JobToolbar
        job={job}
        ended={hasEnded(job.status)}
        actions={actions}
        onUseSettings={onUseSettings}
        onAgain={onAgain}
        onRemoved={onRemoved}
      />
    </article>
  );
}
