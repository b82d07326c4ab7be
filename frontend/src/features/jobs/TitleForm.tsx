import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useConfig } from "@/api/config";
import { Button } from "@/components/ui/Button";
import { isComposing } from "@/lib/composing";

import { useAutosave, type Save } from "./useAutosave";

interface TitleFormProps {
  title: string;
  onSave: Save;
  /** The title is saved, or is not to change. */
  onClose: () => void;
}

/** Escape leaves the title as it is; leaving the page keeps what was typed. */
export function TitleForm({ title, onSave, onClose }: TitleFormProps) {
  const { t } = useTranslation();
  const { data: config } = useConfig();
  const [typed, setTyped] = useState<string | null>(null);
  const text = typed === null ? title : typed.trim();
  const { save, giveUp } = useAutosave(text, title, async (...change) => {
    const saved = await onSave(...change);
    if (saved) onClose();
    return saved;
  });
  const cancel = () => {
    giveUp();
    onClose();
  };
  return (
    <form
      className="flex min-w-0 flex-1 flex-wrap items-center gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        if (text === title) onClose();
        else save();
      }}
      onKeyDown={(event) => {
        if (isComposing(event)) {
          if (event.key === "Enter") event.preventDefault();
        } else if (event.key === "Escape") cancel();
      }}
    >
      <input
        aria-label={t("song.title")}
        value={typed ?? title}
        maxLength={config?.max_characters["title"]}
        autoFocus
        onChange={(event) => setTyped(event.currentTarget.value)}
        className="h-10 min-w-0 flex-1 rounded-md border border-edge bg-raised px-3"
      />
      <Button type="submit">{t("action.save")}</Button>
      <Button look="ghost" onClick={cancel}>
        {t("action.keep")}
      </Button>
    </form>
  );
}
