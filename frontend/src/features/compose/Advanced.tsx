import { ChevronDown } from "lucide-react";
import { Collapsible } from "radix-ui";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { Config } from "@/api/client";
import { Range } from "@/components/ui/Range";

import type { Draft } from "./draft";
import { useDraft } from "./draft-context";
import { Field } from "./Field";
import { SeedField } from "./SeedField";

const KNOBS = [
  { name: "topKBackbone", limit: "top_k_bb", step: 1 },
  { name: "temperature", limit: "temperature", step: 0.05 },
  { name: "topKSuperres", limit: "top_k_sr", step: 1 },
] as const satisfies readonly { name: keyof Draft; limit: string; step: number }[];

/** How the models draw: for those who know, folded away for those who don't. */
export function Advanced({ limits }: { limits: Config["limits"] }) {
  const { t } = useTranslation();
  const { draft, change } = useDraft();
  const changed = draft.seed !== null || KNOBS.some(({ name }) => draft[name] !== null);
  const [open, setOpen] = useState(false);

  return (
    <Collapsible.Root open={open} onOpenChange={setOpen} className="border-t border-line pt-2">
      <Collapsible.Trigger className="flex h-9 w-full items-center gap-2 rounded-sm text-sm font-medium">
        {t("controls.advanced")}
        {changed && <span className="text-xs font-normal text-hot-text">{t("controls.changed")}</span>}
        <ChevronDown size={18} aria-hidden className={`ml-auto transition-transform ${open ? "rotate-180" : ""}`} />
      </Collapsible.Trigger>
      <Collapsible.Content className="space-y-4 pt-2">
        {KNOBS.map(({ name, limit, step }) => {
          const range = limits[limit];
          const value = draft[name] ?? range?.default ?? 0;
          return (
            <Field key={name} label={t(`knob.${name}.label`)} hint={range ? String(Number(value.toFixed(2))) : "–"}>
              {(id) => (
                <>
                  <Range
                    id={id}
                    className="w-full"
                    aria-describedby={`${id}-hint`}
                    disabled={!range}
                    min={range?.low ?? 0}
                    max={range?.high ?? 1}
                    step={step}
                    value={value}
                    onChange={(next) => change({ [name]: next })}
                  />
                  <p id={`${id}-hint`} className="text-xs text-soft">
                    {t(`knob.${name}.hint`)}
                  </p>
                </>
              )}
            </Field>
          );
        })}
        <SeedField />
      </Collapsible.Content>
    </Collapsible.Root>
  );
}
