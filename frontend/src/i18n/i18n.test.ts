import { describe, expect, it } from "vitest";

import { chooseLanguage, languageName, LANGUAGES, pickLanguage } from ".";

const files = import.meta.glob<object>("./locales/*.json", { import: "default", eager: true });

/** Every message by its key; forms for different counts are one message. */
function messages(value: object, prefix = ""): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, inner] of Object.entries(value)) {
    const key = `${prefix}${name}`;
    if (typeof inner === "string") found.set(key.replace(/_(zero|one|two|few|many|other)$/, ""), inner);
    else if (inner) for (const [deep, text] of messages(inner as object, `${key}.`)) found.set(deep, text);
  }
  return found;
}

const placeholders = (text: string) => [...text.matchAll(/{{(\w+)}}/g)].map((match) => match[1]).sort();
const english = messages(files["./locales/en.json"] ?? {});

describe.each(Object.entries(files))("%s", (_file, content) => {
  const translated = messages(content);

  it("has every message and no other", () => {
    expect([...translated.keys()].sort()).toEqual([...english.keys()].sort());
  });

  it("fills in the same names", () => {
    for (const [key, text] of translated) {
      expect(placeholders(text), key).toEqual(placeholders(english.get(key) ?? ""));
    }
  });

  it("says something everywhere", () => {
    for (const [key, text] of translated) expect(text.trim(), key).not.toBe("");
  });
});

describe("languages", () => {
  it("are found exactly, or by their first part, or else English", () => {
    expect(pickLanguage(["de", "zh-Hant-TW"], ["en", "zh"])).toBe("zh");
    expect(pickLanguage(["pt-BR"], ["en", "pt-BR"])).toBe("pt-BR");
    expect(pickLanguage(["tlh"], ["en", "zh"])).toBe("en");
  });

  it("are called what their speakers call them", () => {
    expect(LANGUAGES.map(languageName)).toEqual(["English", "中文"]);
  });

  it("are remembered and told to the browser", async () => {
    await chooseLanguage("zh");
    expect(document.documentElement.lang).toBe("zh");
    expect(localStorage.getItem("khala.language")).toBe('"zh"');
  });
});
