import { useTranslation } from "react-i18next";

import { useConfig } from "@/api/config";
import { Button } from "@/components/ui/Button";
import { isComposing } from "@/lib/composing";

interface TitleFormProps {
  title: string;
  /** Takes the new title; whoever saves it closes the form once it is saved. */
  onSave: (title: string) => void;
  /** Nothing is to change. */
  onClose: () => void;
}

export function TitleForm({ title, onSave, onClose }: TitleFormProps) {
  const { t } = useTranslation();
  const { data: config } = useConfig();
  return (
    <form
      className="flex min-w-0 flex-1 flex-wrap items-center gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        const value = new FormData(event.currentTarget).get("title");
        if (typeof value === "string" && value.trim() !== title) onSave(value.trim());
        else onClose();
      }}
      onKeyDown={(event) => {
        if (isComposing(event)) {
          if (event.key === "Enter") event.preventDefault();
        } else if (event.key === "Escape") onClose();
      }}
    >
      <input
        name="title"
        aria-label={t("song.title")}
        defaultValue={title}
        maxLength={config?.max_characters["title"]}
        autoFocus
        className="h-10 min-w-0 flex-1 rounded-md border border-edge bg-raised px-3"
      />
      <Button type="submit">{t("action.save")}</Button>
      <Button look="ghost" onClick={onClose}>
        {t("action.keep")}
      </Button>
    </form>
  );
}
