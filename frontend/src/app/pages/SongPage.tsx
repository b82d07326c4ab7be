import { Download } from "lucide-react";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";

import type { Job, Track } from "@/api/client";
import { songName, trackUrl } from "@/api/songs";
import { Problem } from "@/components/Problem";
import { SkeletonWave } from "@/components/SkeletonWave";
import { IconButton } from "@/components/ui/Button";
import { Menu, MenuDownload } from "@/components/ui/Menu";
import { toast } from "@/components/ui/toast-store";
import { useDraft } from "@/features/compose/draft-context";
import { useJobActions } from "@/features/jobs/actions";
import { JobCard } from "@/features/jobs/JobCard";
import { JobDetails } from "@/features/jobs/JobDetails";
import { LyricsSheet } from "@/features/jobs/LyricsSheet";
import { useJob } from "@/features/jobs/queries";
import { useDeck } from "@/features/player/deck-context";
import { TrackPlayer } from "@/features/player/TrackPlayer";
import { navigate, paths } from "@/lib/route";

import { playableOf } from "../playables";

/** The studio: one job, its tracks as they come into being, and the words beside them. */
export function SongPage({ jobId }: { jobId: string }) {
  const { t } = useTranslation();
  const query = useJob(jobId);
  const actions = useJobActions();
  const { draft, dispatch, change } = useDraft();
  const { deck, state } = useDeck();
  const job = query.data;
  const name = job && (songName(job) || t("song.untitled"));
  useDocumentTitle(name);

  if (!job) {
    return query.isError ? (
      <Problem error={query.error} onRetry={() => void query.refetch()} />
    ) : (
      <div aria-hidden className="h-[30rem] animate-pulse rounded-lg bg-panel" />
    );
  }
  return (
    <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,1fr)_22rem]">
      <JobCard
        job={job}
        actions={actions}
        renderTrack={(track) => <FinishedTrack job={job} track={track} />}
        onAgain={() => actions.again(job, (placed) => navigate(paths.song(placed)))}
        onUseSettings={() => {
          dispatch({ type: "loaded", request: job.request, title: job.title });
          toast(t("song.settingsUsed"), { label: t("action.undo"), run: () => change(draft) });
          navigate(paths.compose);
        }}
        onRemoved={() => {
          if (state.current?.href === paths.song(job.job_id)) deck.eject();
          navigate(paths.library);
        }}
      />
      <div className="space-y-5">
        <LyricsSheet lyrics={job.cleaned_lyrics} mode={job.request.mode} />
        <JobDetails job={job} actions={actions} />
      </div>
    </div>
  );
}

const KINDS = ["mp3", "wav", "json"] as const;

function FinishedTrack({ job, track }: { job: Job; track: Track }) {
  const { t } = useTranslation();
  const song = playableOf(job, track, t);
  if (!song) return null;
  const label = t("song.download", { track: song.detail });
  return (
    <TrackPlayer
      song={song}
      placeholder={<SkeletonWave seed={track.seed} percent={0} />}
      actions={
        <Menu
          trigger={
            <IconButton label={label}>
              <Download size={18} aria-hidden />
            </IconButton>
          }
        >
          {KINDS.filter((kind) => kind !== "mp3" || track.has_mp3).map((kind) => (
            <MenuDownload key={kind} href={trackUrl(job.job_id, track.index, kind)}>
              <span className="w-12 font-semibold">{kind.toUpperCase()}</span>
              <span className="text-soft">{t(`song.files.${kind}`)}</span>
            </MenuDownload>
          ))}
        </Menu>
      }
    />
  );
}

function useDocumentTitle(name: string | undefined) {
  useEffect(() => {
    document.title = name ? `${name} · Khala` : "Khala";
    return () => {
      document.title = "Khala";
    };
  }, [name]);
}
