import { Check, Copy, X } from "lucide-react";
import { useState, type CSSProperties } from "react";
import { useTranslation } from "react-i18next";

import { IconButton } from "@/components/ui/Button";
import { toast } from "@/components/ui/toast-store";

import { categoryOf, colourOf, inPromptOrder, promptOf, type Catalogue } from "./tags";

interface AssembledPromptProps {
  tags: readonly string[];
  /** What the models will read in place of what the tags make. */
  text: string | null;
  catalogue: Catalogue;
  onToggle: (tag: string) => void;
  onClear: () => void;
}

/** The prompt as the models will read it, each tag underlined in its category's colour; a click takes one out. */
export function AssembledPrompt({ tags, text, catalogue, onToggle, onClear }: AssembledPromptProps) {
  const { t } = useTranslation();
  const [copied, setCopied] = useState(false);
  const shown = text === null ? inPromptOrder(tags, catalogue) : tags;
  const prompt = text ?? promptOf(tags, catalogue);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(prompt);
      setCopied(true);
      setTimeout(() => setCopied(false), 1500);
    } catch {
      toast(t("tags.copyFailed"));
    }
  };
  return (
    <div role="group" aria-label={t("tags.assembled")} className="flex min-h-24 gap-2 rounded-md bg-sunken p-3">
      <div className="min-w-0 flex-1">
        <ul className="flex flex-wrap gap-x-3 gap-y-1.5">
          {tags.length === 0 && <li className="text-sm text-soft">{t("tags.none")}</li>}
          {shown.map((tag) => (
            <li key={tag}>
              <button
                type="button"
                title={t("tags.remove", { tag })}
                aria-label={t("tags.remove", { tag })}
                onClick={() => onToggle(tag)}
                style={{ "--tag": colourOf(categoryOf(tag, catalogue)) } as CSSProperties}
                className="border-b-2 border-(--tag) text-sm font-medium hover:line-through"
              >
                {tag}
              </button>
            </li>
          ))}
        </ul>
        {prompt !== shown.join(", ") && (
          <p className="mt-2 text-sm break-words whitespace-pre-wrap text-soft">{t("tags.asWritten", { text: prompt })}</p>
        )}
      </div>
      <div className="flex flex-col">
        <IconButton label={t("tags.copy")} className="size-8" disabled={prompt === ""} onClick={() => void copy()}>
          {copied ? <Check size={16} aria-hidden className="text-good" /> : <Copy size={16} aria-hidden />}
        </IconButton>
        <IconButton label={t("tags.clear")} className="size-8" disabled={prompt === ""} onClick={onClear}>
          <X size={16} aria-hidden />
        </IconButton>
      </div>
    </div>
  );
}
