import { Ellipsis, Pencil, Star, Trash2 } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { Job } from "@/api/client";
import { descriptionOf, hasEnded, percentOf, songName } from "@/api/songs";
import { IconButton } from "@/components/ui/Button";
import { Link } from "@/components/ui/Link";
import { Menu, MenuItem } from "@/components/ui/Menu";
import { clock, moment } from "@/lib/format";
import { paths } from "@/lib/route";
import { useFocusAfter } from "@/lib/useFocusAfter";

interface SongRowProps {
  job: Job;
  play: ReactNode;
  renderRename: (done: () => void) => ReactNode;
  onFavour: () => void;
  onRemove: () => void;
}

export function SongRow({ job, play, renderRename, onFavour, onRemove }: SongRowProps) {
  const { t, i18n } = useTranslation();
  const [renaming, setRenaming] = useState(false);
  const link = useFocusAfter<HTMLAnchorElement>(renaming);
  const name = songName(job) || t("song.untitled");
  const seconds = job.tracks.find((track) => track.duration_sec !== null)?.duration_sec ?? null;
  const ended = hasEnded(job.status);
  return (
    <li className="flex min-h-18 items-center gap-3 bg-panel py-2 pr-2 pl-3">
      <div className="grid size-10 shrink-0 place-items-center text-sm font-semibold">
        {ended ? play : `${percentOf(job)}%`}
      </div>
      <div className="min-w-0 flex-1">
        {renaming ? (
          renderRename(() => setRenaming(false))
        ) : (
          <Link ref={link} href={paths.song(job.job_id)} className="block truncate font-medium hover:underline">
            {name}
          </Link>
        )}
        <p className="truncate text-sm text-soft">{descriptionOf(job.request) || t("song.noDescription")}</p>
      </div>
      <div className="hidden w-36 shrink-0 text-right text-sm text-soft sm:block">
        <p>{ended && seconds !== null && job.status === "completed" ? clock(seconds) : t(`status.${job.status}`)}</p>
        <p className="text-xs">
          <time dateTime={job.created_at}>{moment(job.created_at, i18n.language)}</time>
        </p>
      </div>
      <IconButton label={t("action.favouriteSong", { name })} pressed={job.favourite} onClick={onFavour}>
        <Star size={18} aria-hidden fill={job.favourite ? "currentColor" : "none"} />
      </IconButton>
      <Menu
        trigger={
          <IconButton label={t("action.more", { name })}>
            <Ellipsis size={18} aria-hidden />
          </IconButton>
        }
      >
        <MenuItem onSelect={() => setRenaming(true)}>
          <Pencil size={16} aria-hidden /> {t("action.rename")}
        </MenuItem>
        <MenuItem disabled={!ended} onSelect={onRemove} className="data-disabled:opacity-50">
          <Trash2 size={16} aria-hidden /> {t("action.remove")}
        </MenuItem>
      </Menu>
    </li>
  );
}
