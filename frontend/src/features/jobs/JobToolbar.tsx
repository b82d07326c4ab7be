import { Copy, RefreshCw, RotateCcw, SlidersHorizontal, Square, Trash2 } from "lucide-react";
import { useTranslation } from "react-i18next";

import type { Job } from "@/api/client";
import { Button } from "@/components/ui/Button";
import { toast } from "@/components/ui/toast-store";
import { paths } from "@/lib/route";

import type { JobActions } from "./actions";

interface JobToolbarProps {
  job: Job;
  ended: boolean;
  actions: JobActions;
  onUseSettings: () => void;
  onAgain: () => void;
  onRemoved: () => void;
}

export function JobToolbar({ job, ended, actions, onUseSettings, onAgain, onRemoved }: JobToolbarProps) {
  const { t } = useTranslation();
  const canRetry = ended && job.tracks.some((track) => track.status === "error" || track.status === "cancelled");
  const copyLink = async () => {
    try {
      await navigator.clipboard.writeText(new URL(paths.song(job.job_id), location.origin).href);
      toast(t("song.linkCopied"));
    } catch {
      toast(t("song.linkNotCopied"));
    }
  };
  return (
    <div className="flex flex-wrap gap-2 p-4 md:px-6">
      {!ended && (
        <Button onClick={() => actions.cancel(job)} disabled={actions.busy}>
          <Square size={14} fill="currentColor" aria-hidden /> {t("action.cancel")}
        </Button>
      )}
      {canRetry && (
        <Button look="hot" onClick={() => actions.retry(job)} disabled={actions.busy}>
          <RotateCcw size={16} aria-hidden /> {t("action.retry")}
        </Button>
      )}
      <Button onClick={onAgain} disabled={actions.busy}>
        <RefreshCw size={16} aria-hidden /> {t("action.again")}
      </Button>
      <Button onClick={onUseSettings}>
        <SlidersHorizontal size={16} aria-hidden /> {t("action.useSettings")}
      </Button>
      <Button look="ghost" onClick={() => void copyLink()}>
        <Copy size={16} aria-hidden /> {t("action.copyLink")}
      </Button>
      {ended && (
        <Button
          look="ghost"
          className="ml-auto"
          onClick={() => {
            actions.remove(job);
            onRemoved();
          }}
        >
          <Trash2 size={16} aria-hidden /> {t("action.remove")}
        </Button>
      )}
    </div>
  );
}
