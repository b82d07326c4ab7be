import { useLayoutEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import { Panel } from "@/components/ui/Panel";

import { useDraft } from "./draft-context";
import { adviseLyrics, countLyrics, insertSection, SECTIONS } from "./lyrics";

interface LyricsPanelProps {
  minutes: number | null;
  maxCharacters: number | undefined;
}

export function LyricsPanel({ minutes, maxCharacters }: LyricsPanelProps) {
  const { t } = useTranslation();
  const { draft, change } = useDraft();
  if (draft.mode === "instrumental") {
    return (
      <Panel title={t("lyrics.title")}>
        <p className="px-4 pb-6 text-sm text-soft">
          {t("lyrics.instrumental")} {draft.lyrics.trim() && t("lyrics.kept")}
        </p>
      </Panel>
    );
  }

  const count = countLyrics(draft.lyrics);
  const advice = adviseLyrics(draft.lyrics, minutes);
  return (
    <Panel title={t("lyrics.title")}>
      <LyricsEditor value={draft.lyrics} maxLength={maxCharacters} onChange={(lyrics) => change({ lyrics })} />
      <footer className="flex min-h-11 flex-wrap items-center justify-between gap-x-4 border-t border-line px-4 py-2 text-sm text-soft">
        <p>
          {t("lyrics.lines", { count: count.lines })} · {t("lyrics.words", { count: count.words })}
        </p>
        <p role="status" className="text-warn">
          {advice === "missing" && t("lyrics.missing")}
          {advice === "tooLong" && minutes !== null && t("lyrics.tooLong", { count: minutes })}
        </p>
      </footer>
    </Panel>
  );
}

interface LyricsEditorProps {
  value: string;
  maxLength: number | undefined;
  onChange: (value: string) => void;
}

function LyricsEditor({ value, maxLength, onChange }: LyricsEditorProps) {
  const { t } = useTranslation();
  const sheet = useRef<HTMLTextAreaElement>(null);
  const cursorAfter = useRef<number | null>(null);

  // The sheet grows with its text; after a section was put in, writing goes on behind it.
  useLayoutEffect(() => {
    const element = sheet.current;
    if (!element) return;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight}px`;
    if (cursorAfter.current === null) return;
    element.focus();
    element.setSelectionRange(cursorAfter.current, cursorAfter.current);
    cursorAfter.current = null;
  }, [value]);

  const insert = (section: string) => {
    const next = insertSection(value, sheet.current?.selectionStart ?? value.length, section);
    cursorAfter.current = next.cursor;
    onChange(next.text);
  };

  return (
    <>
      <div role="group" aria-label={t("lyrics.sections")} className="flex flex-wrap gap-1.5 px-4 pb-3">
        {SECTIONS.map((section) => (
          <button
            key={section}
            type="button"
            lang="en"
            onClick={() => insert(section)}
            className="h-8 rounded-sm border border-line bg-raised px-2.5 text-sm text-soft transition-colors hover:border-edge hover:text-text"
          >
            [{section}]
          </button>
        ))}
      </div>
      <textarea
        ref={sheet}
        aria-label={t("lyrics.write")}
        value={value}
        maxLength={maxLength}
        rows={12}
        placeholder={t("lyrics.placeholder")}
        onChange={(event) => onChange(event.currentTarget.value)}
        className="ruled max-h-[70dvh] min-h-112 resize-none border-t border-line bg-raised pr-4 text-base/8 focus-visible:outline-offset-[-2px]"
      />
    </>
  );
}
