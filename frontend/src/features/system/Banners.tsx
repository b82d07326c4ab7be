import { CircleAlert, Unplug } from "lucide-react";
import { useSyncExternalStore, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { isPassing } from "@/api/errors";
import { Button } from "@/components/ui/Button";

import { readSystem } from "./system-state";
import { useStatus } from "./useStatus";

/** What everybody must know before anything else: no connection, no worker, no room, a model that only makes noise. */
export function Banners() {
  const { t } = useTranslation();
  const online = useSyncExternalStore(
    (tell) => {
      window.addEventListener("online", tell);
      window.addEventListener("offline", tell);
      return () => {
        window.removeEventListener("online", tell);
        window.removeEventListener("offline", tell);
      };
    },
    () => navigator.onLine,
  );
  const status = useStatus();
  const state = readSystem(status.data, status.isError);
  const errors = new Set(status.data?.workers.flatMap((worker) => worker.error ?? []));
  const unreachable = status.isError && isPassing(status.error);
  return (
    <div role="status">
      {(unreachable || !online) && (
        <Banner icon={<Unplug size={18} aria-hidden className="mt-0.5 shrink-0 text-bad" />}>
          <span className="flex-1">
            <strong className="font-semibold">{t(online ? "banner.unreachable" : "banner.offline")}</strong>{" "}
            {t("banner.reconnecting")}
          </span>
          <Button size="sm" disabled={status.isFetching} onClick={() => void status.refetch()}>
            {t("action.tryAgain")}
          </Button>
        </Banner>
      )}
      {(state === "broken" || state === "held") && (
        <Banner icon={<CircleAlert size={18} aria-hidden className="mt-0.5 shrink-0 text-bad" />}>
          <span>
            <strong className="font-semibold">{t(`banner.${state}`)}</strong>{" "}
            <span lang="en" className="break-words">
              {state === "held" ? status.data?.held_up : [...errors].join(" ")}
            </span>
          </span>
        </Banner>
      )}
      {status.data?.untrained === true && (
        <Banner icon={<CircleAlert size={18} aria-hidden className="mt-0.5 shrink-0 text-warn" />}>
          <span>
            <strong className="font-semibold">{t("banner.untrained")}</strong> {t("banner.untrainedTodo")}
          </span>
        </Banner>
      )}
    </div>
  );
}

function Banner({ icon, children }: { icon: ReactNode; children: ReactNode }) {
  return (
    <div className="mb-4 flex flex-wrap items-start gap-3 rounded-lg border border-line bg-panel px-4 py-3 text-sm">
      {icon}
      <div className="flex min-w-0 flex-1 flex-wrap items-center gap-3">{children}</div>
    </div>
  );
}
