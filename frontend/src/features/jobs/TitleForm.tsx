import { useTranslation } from "react-i18next";

import { useConfig } from "@/api/config";
import { Button } from "@/components/ui/Button";

interface TitleFormProps {
  title: string;
  /** The new title, or null when it stays as it is. */
  onDone: (title: string | null) => void;
}

export function TitleForm({ title, onDone }: TitleFormProps) {
  const { t } = useTranslation();
  const { data: config } = useConfig();
  return (
    <form
      className="flex min-w-0 flex-1 flex-wrap items-center gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        const value = new FormData(event.currentTarget).get("title");
        onDone(typeof value === "string" ? value.trim() : null);
      }}
      onKeyDown={(event) => event.key === "Escape" && onDone(null)}
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
      <Button look="ghost" onClick={() => onDone(null)}>
        {t("action.keep")}
      </Button>
    </form>
  );
}
