import { useTranslation } from "react-i18next";

import type { SongRequest } from "@/api/client";

/** The words as the models read them, section marks set apart. */
export function LyricsSheet({ lyrics, mode }: { lyrics: string; mode: SongRequest["mode"] }) {
  const { t } = useTranslation();
  return (
    <section aria-label={t("lyrics.title")} className="rounded-lg border border-line bg-raised">
      <h2 className="px-5 pt-4 pb-2 text-lg">{t("lyrics.title")}</h2>
      {lyrics.trim() ? (
        <div className="px-5 pb-5 text-[0.9375rem] leading-7">
          {lyrics.split("\n").map((line, index) =>
            /^\s*\[.*\]\s*$/.test(line) ? (
              <p key={index} className="mt-3 text-sm font-semibold text-hot-text first:mt-0">
                {line.trim().slice(1, -1)}
              </p>
            ) : (
              <p key={index} className="min-h-3 break-words">
                {line}
              </p>
            ),
          )}
        </div>
      ) : (
        <p className="px-5 pb-5 text-sm text-soft">{t(mode === "vocal" ? "song.lyricsMissing" : "song.noLyrics")}</p>
      )}
    </section>
  );
}
