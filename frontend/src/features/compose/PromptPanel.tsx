import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { Panel } from "@/components/ui/Panel";
import { Segmented } from "@/components/ui/Segmented";

import { useDraft } from "./draft-context";
import { Examples } from "./Examples";

interface PromptPanelProps {
  maxCharacters: number | undefined;
  /** The tag builder, for tag mode. */
  tags: ReactNode;
}

export function PromptPanel({ maxCharacters, tags }: PromptPanelProps) {
  const { t } = useTranslation();
  const { draft, change } = useDraft();
  return (
    <Panel
      title={t("prompt.title")}
      aside={
        <Segmented
          label={t("prompt.mode")}
          className="w-52"
          value={draft.promptMode}
          onChange={(promptMode) => change({ promptMode })}
          options={[
            { value: "tags", text: t("prompt.tags") },
            { value: "natural", text: t("prompt.natural") },
          ]}
        />
      }
    >
      <div className="flex flex-1 flex-col gap-4 px-4 pb-4">
        {draft.promptMode === "tags" ? (
          tags
        ) : (
          <textarea
            aria-label={t("prompt.describe")}
            value={draft.prompt}
            maxLength={maxCharacters}
            rows={8}
            placeholder={t("prompt.placeholder")}
            onChange={(event) => change({ prompt: event.currentTarget.value })}
            className="min-h-56 flex-1 resize-y rounded-md border border-edge bg-raised p-3 text-base leading-relaxed"
          />
        )}
        <Examples />
      </div>
    </Panel>
  );
}
