import { Dices, Lock, LockOpen } from "lucide-react";
import { useTranslation } from "react-i18next";

import { IconButton } from "@/components/ui/Button";
import { MAX_SEED, randomSeed } from "@/lib/random";

import { useDraft } from "./draft-context";
import { Field } from "./Field";

export function SeedField() {
  const { t } = useTranslation();
  const { draft, change } = useDraft();
  return (
    <Field label={t("seed.label")}>
      {(id) => (
        <>
          <div className="flex items-center gap-1">
            <input
              id={id}
              inputMode="numeric"
              autoComplete="off"
              aria-describedby={`${id}-hint`}
              placeholder={t("seed.random")}
              value={draft.seed ?? ""}
              onChange={(event) => {
                const digits = event.currentTarget.value.replace(/\D/g, "");
                change({ seed: digits ? Math.min(Number(digits), MAX_SEED) : null });
              }}
              className="h-10 w-full min-w-0 rounded-md border border-edge bg-raised px-3 text-sm"
            />
            <IconButton label={t("seed.dice")} onClick={() => change({ seed: randomSeed() })}>
              <Dices size={18} aria-hidden />
            </IconButton>
            <IconButton
              label={t("seed.lock")}
              pressed={draft.seedLocked}
              onClick={() =>
                change({ seedLocked: !draft.seedLocked, ...(draft.seed === null && { seed: randomSeed() }) })
              }
            >
              {draft.seedLocked ? <Lock size={18} aria-hidden /> : <LockOpen size={18} aria-hidden />}
            </IconButton>
          </div>
          <p id={`${id}-hint`} className="mt-1.5 text-xs text-soft">
            {t(draft.seedLocked ? "seed.lockedHint" : "seed.hint")}
          </p>
        </>
      )}
    </Field>
  );
}
