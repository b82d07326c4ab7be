import { describe, expect, it } from "vitest";

import { adviseLyrics, countLyrics, insertSection } from "./lyrics";

describe("counting lyrics", () => {
  it("leaves out empty lines and section marks", () => {
    expect(countLyrics("[Verse]\nThe night's long\n\n [Chorus] \nSing-along with me")).toEqual({ lines: 2, words: 6 });
  });

  it("counts characters where a script has no spaces", () => {
    expect(countLyrics("窗外的月亮\nさくら oh oh")).toEqual({ lines: 2, words: 10 });
  });
});

describe("advice", () => {
  it("is given when there is nothing to sing", () => {
    expect(adviseLyrics("", 3)).toBe("missing");
    expect(adviseLyrics("[Verse]\n\n", 3)).toBe("missing");
  });

  it("is given when nobody could sing so much, and only then", () => {
    const words = (count: number) => "la ".repeat(count);
    expect(adviseLyrics(words(150), 1)).toBeNull();
    expect(adviseLyrics(words(400), 1)).toBe("tooLong");
    expect(adviseLyrics(words(400), 3)).toBeNull();
    expect(adviseLyrics(words(9000), null)).toBeNull();
  });
});

describe("putting in a section", () => {
  it("begins an empty sheet", () => {
    expect(insertSection("", 0, "Verse")).toEqual({ text: "[Verse]\n", cursor: 8 });
  });

  it("sets it apart from what is before and after the cursor", () => {
    const { text, cursor } = insertSection("one\ntwo\nthree", 8, "Chorus");
    expect(text).toBe("one\ntwo\n\n[Chorus]\nthree");
    expect(text.slice(cursor)).toBe("three");
  });
});
