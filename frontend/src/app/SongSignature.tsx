import { useDraft } from "@/features/compose/draft-context";
import { categoryOf, colourOf, inPromptOrder } from "@/features/tags/tags";
import { useTags } from "@/features/tags/useTags";
import { hashOf, skeletonHeights } from "@/lib/skeleton-wave";

/** The shape of a song to come: 64 bars that move with every word, in the colours of the chosen tags. */
export function SongSignature() {
  const { draft } = useDraft();
  const { data: catalogue = {} } = useTags();
  const lyrics = draft.mode === "vocal" ? draft.lyrics : "";
  const tags = draft.promptMode === "tags" ? inPromptOrder(draft.tags, catalogue) : [];
  const words = draft.promptMode === "tags" ? tags.join() : draft.prompt;
  const heights = skeletonHeights(hashOf(words + lyrics));
  const colour = (index: number) => {
    const tag = tags[Math.floor((index * tags.length) / heights.length)];
    if (tag !== undefined) return colourOf(categoryOf(tag, catalogue));
    return words.trim() ? "var(--color-hot)" : "var(--color-edge)";
  };
  return (
    <div aria-hidden className="flex h-14 items-center gap-[2px]">
      {heights.map((height, index) => (
        <span
          key={index}
          className="min-w-0 flex-1 rounded-full transition-[height,background-color] duration-500"
          style={{ height: `${height}%`, backgroundColor: colour(index) }}
        />
      ))}
    </div>
  );
}
