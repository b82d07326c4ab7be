import { useId, useState, type CSSProperties } from "react";
import { useTranslation } from "react-i18next";

import type { TagCategory } from "@/api/client";
import { cx } from "@/lib/cx";

import { colourOf, labelIn, MOST_PER_CATEGORY, searchTags } from "./tags";

const PAGE = 10;

interface TagCategorySectionProps {
  id: string;
  category: TagCategory;
  selected: readonly string[];
  full: boolean;
  search: string;
  onToggle: (tag: string) => void;
}

export function TagCategorySection({ id, category, selected, full, search, onToggle }: TagCategorySectionProps) {
  const { t, i18n } = useTranslation();
  const heading = useId();
  const [shown, setShown] = useState(PAGE);
  const found = searchTags(category.tags, search);
  const visible = found.filter((tag, index) => index < shown || selected.includes(tag));
  const chosen = category.tags.filter((tag) => selected.includes(tag)).length;
  if (found.length === 0) return null;

  return (
    <section aria-labelledby={heading} style={{ "--tag": colourOf(id) } as CSSProperties}>
      <h3 id={heading} className="mb-2 flex items-center gap-2 text-sm">
        <span aria-hidden className="h-3.5 w-1 rounded-full bg-(--tag)" />
        {labelIn(i18n.language, category.label)}
        <span className="font-normal text-soft">
          {chosen > 0 ? t("tags.chosen", { chosen, most: MOST_PER_CATEGORY }) : category.tags.length}
        </span>
      </h3>
      <ul className="flex flex-wrap gap-1.5">
        {visible.map((tag) => {
          const on = selected.includes(tag);
          return (
            <li key={tag}>
              <button
                type="button"
                lang="en"
                aria-pressed={on}
                disabled={full && !on}
                onClick={() => onToggle(tag)}
                className={cx(
                  "h-8 rounded-sm px-2.5 text-sm transition-colors disabled:opacity-45",
                  on
                    ? "bg-(--tag) font-semibold text-panel"
                    : "bg-sunken text-soft enabled:hover:bg-[color-mix(in_oklab,var(--tag)_22%,var(--color-sunken))] enabled:hover:text-text",
                )}
              >
                {tag}
              </button>
            </li>
          );
        })}
        {shown < found.length && (
          <li>
            <button
              type="button"
              onClick={() => setShown(shown + PAGE)}
              className="h-8 rounded-sm px-2.5 text-sm text-hot-text hover:underline"
            >
              {t("tags.more", { count: found.length - shown })}
            </button>
          </li>
        )}
      </ul>
      {full && <p className="mt-2 text-xs text-warn">{t("tags.full", { count: MOST_PER_CATEGORY })}</p>}
    </section>
  );
}
