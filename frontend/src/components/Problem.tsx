import { TriangleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";

import { adviceFor, ApiError } from "@/api/errors";
import { Button } from "@/components/ui/Button";

interface ProblemProps {
  error: unknown;
  onRetry?: () => void;
}

/** An error in words: the server's sentence where there is one, and what to do. */
export function Problem({ error, onRetry }: ProblemProps) {
  const { t } = useTranslation();
  const advice = adviceFor(error);
  const sentence = error instanceof ApiError ? error.sentence : "";
  const seconds = error instanceof ApiError ? error.retryAfterSeconds : null;
  return (
    <div role="alert" className="flex gap-3 rounded-md border border-bad bg-panel p-3 text-sm">
      <TriangleAlert size={18} className="mt-0.5 shrink-0 text-bad" aria-hidden />
      <div className="min-w-0 flex-1 space-y-1">
        <p className="font-semibold">{t(`problem.${advice}.what`)}</p>
        {sentence && (
          <p lang="en" className="break-words">
            {sentence}
          </p>
        )}
        <p className="text-soft">
          {t(`problem.${advice}.todo`)}
          {seconds !== null && ` ${t("problem.retryIn", { count: seconds })}`}
        </p>
        {onRetry && (
          <Button size="sm" className="mt-1" onClick={onRetry}>
            {t("action.tryAgain")}
          </Button>
        )}
      </div>
    </div>
  );
}
