import { useTranslation } from "react-i18next";

import { EMPTY_DRAFT } from "./draft";
import { useDraft } from "./draft-context";
import { EXAMPLES } from "./exampleDrafts";
import { toast } from "@/components/ui/toast-store";

/** Ready drafts; what they replace can be had back. */
export function Examples() {
  const { t } = useTranslation();
  const { draft, change } = useDraft();
  return (
    <div className="mt-auto border-t border-line pt-3">
      <p className="mb-2 text-sm text-soft">{t("examples.title")}</p>
      <ul className="flex flex-wrap gap-x-4 gap-y-1">
        {EXAMPLES.map((example) => (
          <li key={example.id}>
            <button
              type="button"
              className="min-h-8 text-sm text-hot-text underline decoration-line underline-offset-4 hover:decoration-current"
              onClick={() => {
                change({ ...EMPTY_DRAFT, ...example.draft });
                toast(t("examples.loaded", { name: t(`examples.${example.id}`) }), {
                  label: t("action.undo"),
                  run: () => change(draft),
                });
              }}
            >
              {t(`examples.${example.id}`)}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
