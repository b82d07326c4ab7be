import { describe, expect, it } from "vitest";

import { SAMPLE_TAGS } from "@/testing/samples";

import { addTags, categoryOf, inPromptOrder, labelIn, MOST_PER_CATEGORY, OWN, ownTag, promptOf, searchTags, toggleTag } from "./tags";

describe("choosing tags", () => {
  it("adds and takes away", () => {
    const one = toggleTag([], "Jazz", SAMPLE_TAGS);
    expect(one).toEqual(["Jazz"]);
    expect(toggleTag(one, "Jazz", SAMPLE_TAGS)).toEqual([]);
  });

  it("stops at ten of one category and lets the others go on", () => {
    const genres = SAMPLE_TAGS["genre_style"]?.tags ?? [];
    const all = genres.reduce<readonly string[]>((tags, tag) => toggleTag(tags, tag, SAMPLE_TAGS), []);
    expect(all).toHaveLength(MOST_PER_CATEGORY);
    expect(toggleTag(all, "Piano", SAMPLE_TAGS)).toHaveLength(MOST_PER_CATEGORY + 1);
  });
});

describe("adding a list of tags", () => {
  it("takes known ones as they are spelled, keeps those that are there, and makes the others own tags", () => {
    expect(addTags(["Piano"], ["jazz", "Piano", "J-Pop"], SAMPLE_TAGS)).toEqual(["Piano", "Jazz", "J-Pop"]);
  });

  it("leaves out what has no room", () => {
    const own = Array.from({ length: MOST_PER_CATEGORY + 1 }, (_, index) => `Own ${index}`);
    expect(addTags([], [...own, "Piano"], SAMPLE_TAGS)).toEqual([...own.slice(0, MOST_PER_CATEGORY), "Piano"]);
  });
});

describe("the assembled prompt", () => {
  it("goes category by category, own tags last", () => {
    const tags = ["Theremin", "Slow Tempo", "Piano", "Ballad", "Jazz"];
    expect(inPromptOrder(tags, SAMPLE_TAGS)).toEqual(["Ballad", "Jazz", "Piano", "Slow Tempo", "Theremin"]);
    expect(promptOf(["Piano", "Jazz"], SAMPLE_TAGS)).toBe("Jazz, Piano");
    expect(categoryOf("Theremin", SAMPLE_TAGS)).toBe(OWN);
  });
});

it("searching ignores case and finds parts of words", () => {
  expect(searchTags(["Lo-fi", "Lo-fi Hiss", "Jazz"], " LO-FI ")).toEqual(["Lo-fi", "Lo-fi Hiss"]);
});

it("a search becomes an own tag only when no category has it and no comma splits it", () => {
  expect(ownTag("Theremin", SAMPLE_TAGS)).toBe("Theremin");
  expect(ownTag("jazz", SAMPLE_TAGS)).toBeNull();
  expect(ownTag("a, b", SAMPLE_TAGS)).toBeNull();
  expect(ownTag("  ", SAMPLE_TAGS)).toBeNull();
});

it("a bilingual label is read in the reader's language", () => {
  expect(labelIn("zh", "流派/风格 (Genre/Style)")).toBe("流派/风格");
  expect(labelIn("en", "流派/风格 (Genre/Style)")).toBe("Genre/Style");
  expect(labelIn("en", "Just one")).toBe("Just one");
});
