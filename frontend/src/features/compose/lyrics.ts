/** Counting and shaping lyrics. Section lines such as [Verse] are marks, not words to sing. */

export const SECTIONS = ["Verse", "Pre-Chorus", "Chorus", "Bridge", "Outro"] as const;

const SECTION_LINE = /^\s*\[[^\]]*\]\s*$/;
const IDEOGRAPH = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/gu;

export interface LyricsCount {
  lines: number;
  /** Words; where a script has no spaces, its characters. */
  words: number;
}

export function countLyrics(text: string): LyricsCount {
  const lines = text.split("\n").filter((line) => line.trim() && !SECTION_LINE.test(line));
  const sung = lines.join(" ");
  const ideographs = sung.match(IDEOGRAPH)?.length ?? 0;
  const words = sung.replace(IDEOGRAPH, " ").match(/[\p{L}\p{N}][\p{L}\p{N}'’-]*/gu)?.length ?? 0;
  return { lines: lines.length, words: words + ideographs };
}

/** A fast rap is near 200 words a minute; nothing sings more than this. */
const MOST_WORDS_A_MINUTE = 220;

export type LyricsAdvice = "missing" | "tooLong" | null;

/** The gentle warning that vocal lyrics deserve, if any; minutes is null while it is not known. */
export function adviseLyrics(text: string, minutes: number | null): LyricsAdvice {
  const { words } = countLyrics(text);
  if (words === 0) return "missing";
  return minutes !== null && words > minutes * MOST_WORDS_A_MINUTE ? "tooLong" : null;
}

/** Puts a section mark on a line of its own where the cursor is; answers the text and where to write on. */
export function insertSection(text: string, cursor: number, section: string): { text: string; cursor: number } {
  const before = text.slice(0, cursor).trimEnd();
  const after = text.slice(cursor).trimStart();
  const head = `${before ? `${before}\n\n` : ""}[${section}]\n`;
  return { text: after ? `${head}${after}` : head, cursor: head.length };
}
