import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { Job } from "@/api/client";
import { hasEnded, percentOf, songName } from "@/api/songs";
import { Link } from "@/components/ui/Link";
import { paths } from "@/lib/route";

import { StatusDot } from "./JobHeading";
import { useJobs } from "./queries";
import { useHiddenSongs } from "./removals";

const MOST = 4;

/** The newest songs, below what is being composed; nothing at all before the first. */
export function RecentSongs({ renderPlay }: { renderPlay: (job: Job) => ReactNode }) {
  const { t } = useTranslation();
  const hidden = useHiddenSongs();
  const { data } = useJobs();
  const jobs = (data?.pages[0]?.jobs ?? []).filter((job) => !hidden.has(job.job_id)).slice(0, MOST);
  if (jobs.length === 0) return null;
  return (
    <section aria-labelledby="recent-songs" className="mt-6">
      <div className="mb-2 flex items-baseline justify-between">
        <h2 id="recent-songs" className="text-lg">
          {t("recent.title")}
        </h2>
        <Link href={paths.library} className="text-sm text-hot-text hover:underline">
          {t("recent.all")}
        </Link>
      </div>
      <ul className="grid grid-cols-1 gap-px overflow-hidden rounded-lg border border-line bg-line md:grid-cols-2">
        {jobs.map((job) => (
          <Row key={job.job_id} job={job} play={hasEnded(job.status) ? renderPlay(job) : null} />
        ))}
      </ul>
    </section>
  );
}

function Row({ job, play }: { job: Job; play: ReactNode }) {
  const { t } = useTranslation();
  const percent = percentOf(job);
  const ended = hasEnded(job.status);
  return (
    <li className="relative flex min-h-16 items-center gap-3 bg-panel px-4 md:last:odd:col-span-2">
      {play}
      <div className="min-w-0 flex-1">
        <Link href={paths.song(job.job_id)} className="block truncate font-medium hover:underline">
          {songName(job) || t("song.untitled")}
        </Link>
        <p className="truncate text-sm text-soft">
          <StatusDot job={job} />
          {t(`status.${job.status}`)}
          {!ended && ` · ${percent}%`}
        </p>
      </div>
      {!ended && (
        <span aria-hidden className="absolute bottom-0 left-0 h-0.5 bg-hot transition-[width]" style={{ width: `${percent}%` }} />
      )}
    </li>
  );
}
