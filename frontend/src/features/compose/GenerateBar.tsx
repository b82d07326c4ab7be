import { useTranslation } from "react-i18next";

import { Problem } from "@/components/Problem";
import { Button } from "@/components/ui/Button";
import { toast } from "@/components/ui/toast-store";

import { useDraft } from "./draft-context";

interface GenerateBarProps {
  busy: boolean;
  error: unknown;
  onGenerate: () => void;
}

const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent);

export function GenerateBar({ busy, error, onGenerate }: GenerateBarProps) {
  const { t } = useTranslation();
  const { draft, dispatch, change } = useDraft();
  const reset = () => {
    dispatch({ type: "reset" });
    toast(t("controls.wasReset"), { label: t("action.undo"), run: () => change(draft) });
  };
  return (
    <div className="space-y-3">
      {error != null && <Problem error={error} />}
      <div className="flex gap-2">
        <Button look="hot" size="lg" className="flex-1" disabled={busy} onClick={onGenerate} aria-keyshortcuts="Control+Enter Meta+Enter">
          <span className="size-3 rounded-full bg-on-hot" aria-hidden />
          {t(busy ? "controls.sending" : "controls.generate")}
          <kbd className="hidden font-sans text-xs font-normal lg:inline">{isMac ? "⌘↵" : "Ctrl ↵"}</kbd>
        </Button>
        <Button size="lg" look="ghost" onClick={reset}>
          {t("controls.reset")}
        </Button>
      </div>
    </div>
  );
}
