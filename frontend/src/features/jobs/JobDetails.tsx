import { useEffect, useEffectEvent, useState } from "react";
import { useTranslation } from "react-i18next";

import type { Job } from "@/api/client";
import { useConfig } from "@/api/config";

import type { JobActions } from "./actions";
import { useAutosave, type Save } from "./useAutosave";

/** The numbers a song was made with, and a person's own words about it. */
export function JobDetails({ job, actions }: { job: Job; actions: JobActions }) {
  const { t } = useTranslation();
  const { request } = job;
  const facts: [string, string | number][] = [
    [t("knob.topKBackbone.label"), request.top_k_bb],
    [t("knob.temperature.label"), request.temperature],
    [t("knob.topKSuperres.label"), request.top_k_sr],
    [t("controls.tracks"), request.num_tracks],
  ];
  return (
    <section aria-label={t("song.details")} className="rounded-lg border border-line bg-panel p-5">
      <dl className="grid grid-cols-[1fr_auto] gap-x-4 gap-y-1 text-sm">
        {facts.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-soft">{name}</dt>
            <dd className="text-right">{value}</dd>
          </div>
        ))}
      </dl>
      <Notes key={job.job_id} notes={job.notes} onSave={(notes, options) => actions.note(job, notes, options)} />
    </section>
  );
}

/** Saved when they lose the focus, when another page is shown, and when this one is hidden, which comes before it is closed. */
function Notes({ notes, onSave }: { notes: string; onSave: Save }) {
  const { t } = useTranslation();
  const { data: config } = useConfig();
  const [typed, setTyped] = useState<string | null>(null);
  const text = typed ?? notes;
  const { save } = useAutosave(text, notes, onSave);
  const onHide = useEffectEvent(() => save({ keepalive: true }));
  useEffect(() => {
    const listen = () => document.visibilityState === "hidden" && onHide();
    document.addEventListener("visibilitychange", listen);
    return () => document.removeEventListener("visibilitychange", listen);
  }, []);
  return (
    <label className="mt-4 block text-sm">
      <span className="mb-1.5 block font-medium">{t("song.notes")}</span>
      <textarea
        value={text}
        rows={3}
        maxLength={config?.max_characters["notes"]}
        placeholder={t("song.notesPlaceholder")}
        onChange={(event) => setTyped(event.currentTarget.value)}
        onBlur={() => save()}
        className="w-full resize-y rounded-md border border-edge bg-raised p-2.5"
      />
    </label>
  );
}
