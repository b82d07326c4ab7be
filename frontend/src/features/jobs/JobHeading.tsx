import { Pencil, Star } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { Job } from "@/api/client";
import { descriptionOf, songName } from "@/api/songs";
import { IconButton } from "@/components/ui/Button";
import { moment } from "@/lib/format";
import { useFocusAfter } from "@/lib/useFocusAfter";

import type { JobActions } from "./actions";
import { TitleForm } from "./TitleForm";

export function JobHeading({ job, actions }: { job: Job; actions: JobActions }) {
  const { t, i18n } = useTranslation();
  const [renaming, setRenaming] = useState(false);
  const heading = useFocusAfter<HTMLHeadingElement>(renaming);
  const name = songName(job) || t("song.untitled");
  return (
    <header className="px-4 py-4 md:px-6 md:pt-5">
      {renaming ? (
        <TitleForm
          title={job.title}
          onSave={(title, options) => actions.rename(job, title, options)}
          onClose={() => setRenaming(false)}
        />
      ) : (
        <h1 ref={heading} tabIndex={-1} data-page-title className="text-2xl leading-tight break-words outline-none md:text-3xl">
          {name}
        </h1>
      )}
      <div className="mt-1 flex items-center text-sm text-soft">
        <p className="mr-auto">
          <StatusDot job={job} />
          <span role="status">{t(`status.${job.status}`)}</span> · {moment(job.created_at, i18n.language)} ·{" "}
          {t("song.minutes", { count: job.request.duration })}
          {job.checkpoint && ` · ${job.checkpoint}`}
        </p>
        <IconButton label={t("action.rename")} disabled={renaming} onClick={() => setRenaming(true)}>
          <Pencil size={16} aria-hidden />
        </IconButton>
        <IconButton label={t("action.favourite")} pressed={job.favourite} onClick={() => actions.favour(job)}>
          <Star size={18} aria-hidden fill={job.favourite ? "currentColor" : "none"} />
        </IconButton>
      </div>
      <p className="mt-2 max-w-prose text-sm">{descriptionOf(job.request) || t("song.noDescription")}</p>
    </header>
  );
}

const DOTS = {
  queued: "bg-edge",
  pending: "bg-edge",
  generating: "bg-hot",
  completed: "bg-good",
  partial: "bg-warn",
  failed: "bg-bad",
  cancelled: "bg-edge",
} as const satisfies Record<Job["status"], string>;

export function StatusDot({ job }: { job: Job }) {
  return <span aria-hidden className={`mr-2 inline-block size-2 rounded-full ${DOTS[job.status]}`} />;
}
