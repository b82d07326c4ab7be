import { Plus, Search } from "lucide-react";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";

import { Problem } from "@/components/Problem";
import { toast } from "@/components/ui/toast-store";
import { isComposing } from "@/lib/composing";
import { splitTags } from "@/lib/tag-list";

import { AssembledPrompt } from "./AssembledPrompt";
import { TagCategorySection } from "./TagCategorySection";
import { addTags, countIn, MOST_PER_CATEGORY, ownTag, searchTags, toggleTag, type Catalogue } from "./tags";
import { useTags } from "./useTags";

interface TagBuilderProps {
  tags: readonly string[];
  /** What is sent in place of the prompt that the tags make, until they change. */
  text: string | null;
  onChange: (tags: readonly string[]) => void;
}

const NONE: Catalogue = {};

/** Builds a prompt out of the catalogue's four categories, and of a person's own words. */
export function TagBuilder({ tags, text, onChange }: TagBuilderProps) {
  const { t } = useTranslation();
  const query = useTags();
  const [search, setSearch] = useState("");
  const searchId = useId();
  const catalogue = query.data ?? NONE;
  const toggle = (tag: string) => onChange(toggleTag(tags, tag, catalogue));
  const wanted = query.data ? splitTags(search) : [];
  const own = ownTag(search, catalogue);
  const addLabel = wanted.length > 1 ? t("tags.addAll", { count: wanted.length }) : own && t("tags.addOwn", { tag: own });
  const canAdd = addTags(tags, wanted, catalogue).length > tags.length;
  const fits = Object.values(catalogue).some((category) => searchTags(category.tags, search).length > 0);
  const add = (list: readonly string[]) => {
    const next = addTags(tags, list, catalogue);
    const leftOut = list.filter((tag) => !next.some((each) => each.toLocaleLowerCase() === tag.toLocaleLowerCase()));
    if (leftOut.length > 0) toast(t("tags.full", { count: MOST_PER_CATEGORY }));
    onChange(next);
    setSearch(leftOut.join(", "));
  };

  return (
    <div className="flex flex-col gap-4">
      <AssembledPrompt tags={tags} text={text} catalogue={catalogue} onToggle={toggle} onClear={() => onChange([])} />
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
            if (event.key !== "Enter" || event.ctrlKey || event.metaKey || isComposing(event)) return;
            event.preventDefault();
            if (wanted.length > 0) add(wanted);
          }}
          onPaste={(event) => {
            const list = splitTags(event.clipboardData.getData("text"));
            if (!query.data || list.length < 2) return;
            event.preventDefault();
            add(list);
          }}
          className="h-10 w-full rounded-md border border-edge bg-raised pr-3 pl-9 text-sm"
        />
      </div>
      {query.isError && <Problem error={query.error} onRetry={() => void query.refetch()} />}
      {query.data && !fits && !(canAdd && wanted.length > 1) && (
        <p role="status" className="text-sm text-soft">
          {t("tags.noneFits")}
        </p>
      )}
      {canAdd && addLabel && (
        <button
          type="button"
          onClick={() => add(wanted)}
          className="flex items-center gap-2 self-start text-sm text-hot-text hover:underline"
        >
          <Plus size={16} aria-hidden /> {addLabel}
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
