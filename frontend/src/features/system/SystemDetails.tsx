import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { answer, api, type Config, type Status } from "@/api/client";
import { Problem } from "@/components/Problem";

interface SystemDetailsProps {
  status: Status | undefined;
  config: Config | undefined;
  error: unknown;
}

export function SystemDetails({ status, config, error }: SystemDetailsProps) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const forgetKey = useMutation({
    mutationFn: () => answer(api.DELETE("/session")),
    // What was told to the holder of the key is not for whoever comes next.
    onSuccess: () => queries.resetQueries(),
  });
  const engine = config?.engine;
  const facts: [string, string | undefined | null][] = [
    [t("system.checkpoint"), config?.checkpoint?.name ?? engine?.checkpoint],
    [t("system.licence"), config?.checkpoint?.licence ?? engine?.licence],
    [t("system.engine"), engine && `${engine.engine} · ${engine.device} · ${engine.dtype}`],
    [t("system.models"), engine && [engine.backbone_name, engine.superres_name, engine.codec_name].join(", ")],
    [t("system.memory"), config && t(`system.runtime.${config.runtime_mode}`)],
  ];
  return (
    <div className="space-y-4 text-sm">
      <h2 className="text-base">{t("system.title")}</h2>
      {error != null && <Problem error={error} />}
      {status && (
        <ul className="space-y-2">
          {status.workers.map((worker) => (
            <li key={worker.worker_id}>
              <p className="flex justify-between gap-4">
                <span className="font-medium">
                  {t("system.worker", {
                    device: typeof worker.gpu_id === "number" ? `GPU ${worker.gpu_id}` : worker.gpu_id.toUpperCase(),
                  })}
                </span>
                <span className="text-soft">
                  {worker.status === "busy" ? t(`phase.${worker.phase}`) : t(`system.workerStatus.${worker.status}`)}
                </span>
              </p>
              {worker.error && (
                <p lang="en" className="mt-1 break-words text-bad">
                  {worker.error}
                </p>
              )}
            </li>
          ))}
          <li className="text-soft">
            {t("system.queue", { active: status.active_jobs, queued: status.queued_jobs })}
          </li>
        </ul>
      )}
      <dl className="space-y-2 border-t border-line pt-3">
        {facts.map(
          ([name, value]) =>
            value && (
              <div key={name}>
                <dt className="text-xs text-soft">{name}</dt>
                <dd className="break-words">{value}</dd>
              </div>
            ),
        )}
      </dl>
      <p className="flex flex-wrap justify-between gap-4">
        <a href="/docs" className="text-hot-text hover:underline">
          {t("system.api")}
        </a>
        {config?.api_key_required && (
          <button type="button" className="text-hot-text hover:underline" onClick={() => forgetKey.mutate()}>
            {t("key.forget")}
          </button>
        )}
      </p>
    </div>
  );
}
