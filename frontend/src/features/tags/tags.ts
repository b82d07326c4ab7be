/** Choosing tags out of the server's catalogue. Pure; the chosen tags belong to the draft. */
import type { TagCategory } from "@/api/client";

export type Catalogue = Record<string, TagCategory>;

export const MOST_PER_CATEGORY = 10;
/** Tags that are in no category: a person's own. */
export const OWN = "own";

const COLOURS: Record<string, string> = {
  genre_style: "var(--color-genre)",
  vocal_instrument: "var(--color-voice)",
  emotion_mood: "var(--color-mood)",
  production_other: "var(--color-craft)",
};

export function colourOf(category: string): string {
  return COLOURS[category] ?? "var(--color-own)";
}

export function categoryOf(tag: string, catalogue: Catalogue): string {
  return Object.keys(catalogue).find((category) => catalogue[category]?.tags.includes(tag)) ?? OWN;
}

export function countIn(category: string, tags: readonly string[], catalogue: Catalogue): number {
  return tags.filter((tag) => categoryOf(tag, catalogue) === category).length;
}

/** Adds the tag or takes it away; the same list when its category is full. */
export function toggleTag(tags: readonly string[], tag: string, catalogue: Catalogue): readonly string[] {
  if (tags.includes(tag)) return tags.filter((each) => each !== tag);
  return countIn(categoryOf(tag, catalogue), tags, catalogue) < MOST_PER_CATEGORY ? [...tags, tag] : tags;
}

/** Adds each tag, as the catalogue spells it where it has it; what is there stays, and what has no room is left out. */
export function addTags(tags: readonly string[], added: readonly string[], catalogue: Catalogue): readonly string[] {
  return added.reduce((all, each) => {
    const tag = knownTag(each, catalogue) ?? each;
    return all.includes(tag) ? all : toggleTag(all, tag, catalogue);
  }, tags);
}

/** The prompt: category by category, in the catalogue's order, each in the order of choosing; own tags last. */
export function inPromptOrder(tags: readonly string[], catalogue: Catalogue): string[] {
  return [...Object.keys(catalogue), OWN].flatMap((category) =>
    tags.filter((tag) => categoryOf(tag, catalogue) === category),
  );
}

export function promptOf(tags: readonly string[], catalogue: Catalogue): string {
  return inPromptOrder(tags, catalogue).join(", ");
}

export function searchTags(tags: readonly string[], search: string): readonly string[] {
  const wanted = search.trim().toLocaleLowerCase();
  return wanted ? tags.filter((tag) => tag.toLocaleLowerCase().includes(wanted)) : tags;
}

/** A search that may become a tag of its own: one that no category has, and that no comma splits. */
export function ownTag(search: string, catalogue: Catalogue): string | null {
  const tag = search.trim();
  if (!tag || /[,，、\n]/.test(tag)) return null;
  return knownTag(tag, catalogue) === null ? tag : null;
}

/** The tag as the catalogue spells it; null when no category has it. */
function knownTag(tag: string, catalogue: Catalogue): string | null {
  const tags = Object.values(catalogue).flatMap((category) => category.tags);
  return tags.find((each) => each.toLocaleLowerCase() === tag.toLocaleLowerCase()) ?? null;
}

/** "流派/风格 (Genre/Style)" holds both languages: the part that is this one's. */
export function labelIn(language: string, label: string): string {
  const [, first, second] = /^(.+?)\s*\((.+)\)$/.exec(label) ?? [];
  if (!first || !second) return label;
  return language.startsWith("zh") ? first : second;
}
