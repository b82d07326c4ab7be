import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Dialog } from "radix-ui";
import { useId } from "react";
import { useTranslation } from "react-i18next";

import { answer, api } from "@/api/client";
import { isUnauthorized } from "@/api/errors";
import { Problem } from "@/components/Problem";
import { Button } from "@/components/ui/Button";

import { setKeyNeeded, useKeyNeeded } from "./auth";

/** Asks for the API key when the server wants one. The key becomes a cookie that no script can read. */
export function KeyDialog() {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const id = useId();
  const enter = useMutation({
    mutationFn: (key: string) => answer(api.POST("/session", { body: { key } })),
    onSuccess: () => {
      setKeyNeeded(false);
      void queries.invalidateQueries();
    },
  });
  const wrong = isUnauthorized(enter.error);
  return (
    <Dialog.Root open={useKeyNeeded()} onOpenChange={setKeyNeeded}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-50 bg-[rgb(8_12_16/0.6)]" />
        <Dialog.Content className="fixed top-1/2 left-1/2 z-50 w-[min(26rem,calc(100vw-2rem))] -translate-1/2 rounded-lg border border-line bg-raised p-6 shadow-float">
          <Dialog.Title className="text-xl">{t("key.title")}</Dialog.Title>
          <Dialog.Description className="mt-1 text-sm text-soft">{t("key.description")}</Dialog.Description>
          <form
            className="mt-4 space-y-3"
            onSubmit={(event) => {
              event.preventDefault();
              const key = new FormData(event.currentTarget).get("key");
              if (typeof key === "string" && key.trim()) enter.mutate(key.trim());
            }}
          >
            <label htmlFor={id} className="block text-sm font-medium">
              {t("key.label")}
            </label>
            <input
              id={id}
              name="key"
              type="password"
              autoComplete="current-password"
              aria-invalid={wrong}
              aria-describedby={`${id}-error`}
              className="h-10 w-full rounded-md border border-edge bg-panel px-3"
            />
            <div id={`${id}-error`}>
              {wrong && (
                <p role="alert" className="text-sm text-bad">
                  {t("key.wrong")}
                </p>
              )}
              {enter.isError && !wrong && <Problem error={enter.error} />}
            </div>
            <Button type="submit" look="hot" className="w-full" disabled={enter.isPending}>
              {t("key.enter")}
            </Button>
          </form>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
