import { Minus, Plus } from "lucide-react";
import { useTranslation } from "react-i18next";

import type { Config } from "@/api/client";
import { IconButton } from "@/components/ui/Button";
import { Panel } from "@/components/ui/Panel";
import { Segmented } from "@/components/ui/Segmented";

import { Advanced } from "./Advanced";
import { minutesOf } from "./draft";
import { useDraft } from "./draft-context";
import { Field } from "./Field";

const MINUTES = [1, 2, 3, 4, 5, 8, 10] as const;

export function ControlsPanel({ config }: { config: Config | undefined }) {
  const { t } = useTranslation();
  const { draft, change } = useDraft();
  const limits = config?.limits ?? {};
  const minutes = minutesOf(draft, config);
  const best = config?.engine?.suggested_minutes;
  const tracks = limits["num_tracks"];
  const trackCount = draft.numTracks ?? tracks?.default ?? null;
  const presets = minutes === null || MINUTES.some((each) => each === minutes) ? MINUTES : [...MINUTES, minutes];

  return (
    <Panel title={t("controls.title")}>
      <div className="space-y-5 px-4 pb-4">
        <Segmented
          label={t("controls.mode")}
          value={draft.mode}
          onChange={(mode) => change({ mode })}
          options={[
            { value: "vocal", text: t("mode.vocal") },
            { value: "instrumental", text: t("mode.instrumental") },
          ]}
        />
        <Field label={t("controls.songTitle")} hint={t("controls.optional")}>
          {(id) => (
            <input
              id={id}
              value={draft.title}
              maxLength={config?.max_characters["title"]}
              onChange={(event) => change({ title: event.currentTarget.value })}
              className="h-10 w-full rounded-md border border-edge bg-raised px-3 text-sm"
            />
          )}
        </Field>
        <div>
          <p className="mb-1.5 text-sm font-medium">{t("controls.duration")}</p>
          <Segmented
            label={t("controls.duration")}
            value={String(minutes)}
            onChange={(value) => change({ duration: Number(value) })}
            options={[...presets]
              .sort((one, other) => one - other)
              .map((each) => ({ value: String(each), text: String(each) }))}
          />
          {best != null && minutes !== null && minutes > best && (
            <p className="mt-1.5 text-xs text-soft">{t("controls.bestAt", { count: best })}</p>
          )}
          {config?.max_seconds != null && (
            <p className="mt-1.5 text-xs text-soft">
              {t("controls.maxSeconds", { count: Math.round(config.max_seconds) })}
            </p>
          )}
        </div>
        <div className="flex items-center justify-between gap-4">
          <div>
            <p className="text-sm font-medium">{t("controls.tracks")}</p>
            <p className="text-xs text-soft">{t("controls.tracksHint")}</p>
          </div>
          <div role="group" aria-label={t("controls.tracks")} className="flex items-center rounded-md bg-sunken p-1">
            <IconButton
              label={t("controls.fewerTracks")}
              className="size-8"
              disabled={trackCount === null || !tracks || trackCount <= tracks.low}
              onClick={() => change({ numTracks: (trackCount ?? 1) - 1 })}
            >
              <Minus size={16} aria-hidden />
            </IconButton>
            <output className="w-6 text-center text-sm font-semibold">{trackCount ?? "–"}</output>
            <IconButton
              label={t("controls.moreTracks")}
              className="size-8"
              disabled={trackCount === null || !tracks || trackCount >= tracks.high}
              onClick={() => change({ numTracks: (trackCount ?? 1) + 1 })}
            >
              <Plus size={16} aria-hidden />
            </IconButton>
          </div>
        </div>
        <Advanced limits={limits} />
      </div>
    </Panel>
  );
}
