import { Plus, Search } from "lucide-react";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";

import { Problem } from "@/components/Problem";

import { AssembledPrompt } from "./AssembledPrompt";
import { TagCategorySection } from "./TagCategorySection";
import { countIn, OWN, MOST_PER_CATEGORY, ownTag, toggleTag, type Catalogue } from "./tags";
import { useTags } from "./useTags";

interface TagBuilderProps {
  tags: readonly string[];
  onChange: (tags: readonly string[]) => void;
}

const NONE: Catalogue = {};

/** Builds a prompt out of the catalogue's four categories, and of a person's own words. */
export function TagBuilder({ tags, onChange }: TagBuilderProps) {
  const { t } = useTranslation();
  const query = useTags();
  const [search, setSearch] = useState("");
  const searchId = useId();
  const catalogue = query.data ?? NONE;
  const own = query.data ? ownTag(search, catalogue) : null;
  const roomForOwn = own !== null && !tags.includes(own) && countIn(OWN, tags, catalogue) < MOST_PER_CATEGORY;
  const toggle = (tag: string) => onChange(toggleTag(tags, tag, catalogue));

  return (
    <div className="flex flex-col gap-4">
      <AssembledPrompt tags={tags} catalogue={catalogue} onToggle={toggle} onClear={() => onChange([])} />
      <div className="relative">
        <label htmlFor={searchId} className="sr-only">
          {t("tags.search")}
        </label>
        <Search size={16} aria-hidden className="pointer-events-none absolute top-3 left-3 text-soft" />
        <input
          id={searchId}
          type="search"
          value={search}
          placeholder={t("tags.search")}
          onChange={(event) => setSearch(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || event.ctrlKey || event.metaKey || !roomForOwn) return;
            event.preventDefault();
            toggle(own);
            setSearch("");
          }}
          className="h-10 w-full rounded-md border border-edge bg-raised pr-3 pl-9 text-sm"
        />
      </div>
      {query.isError && <Problem error={query.error} onRetry={() => void query.refetch()} />}
      {roomForOwn && (
        <button
          type="button"
          onClick={() => {
            toggle(own);
            setSearch("");
          }}
          className="flex items-center gap-2 self-start text-sm text-hot-text hover:underline"
        >
          <Plus size={16} aria-hidden /> {t("tags.addOwn", { tag: own })}
        </button>
      )}
      {query.isPending && <div aria-hidden className="h-[34rem] animate-pulse rounded-md bg-sunken" />}
      {Object.entries(catalogue).map(([id, category]) => (
        <TagCategorySection
          key={id}
          id={id}
          category={category}
          selected={tags}
          full={countIn(id, tags, catalogue) >= MOST_PER_CATEGORY}
          search={search}
          onToggle={toggle}
        />
      ))}
    </div>
  );
}
