/**
 * The page's words. A language is one file in locales/, named by its code; nothing else has to know of it.
 *
 * English is the fallback and the list of all keys (its type checks every t() call).
 */
import i18next from "i18next";
import { initReactI18next } from "react-i18next";

import { readStored, writeStored } from "@/lib/stored";

import en from "./locales/en.json";

const KEY = "khala.language";
const files = import.meta.glob<Record<string, unknown>>(["./locales/*.json", "!./locales/en.json"], {
  import: "default",
});
const codeOf = (file: string) => file.replace(/^.*\/(.+)\.json$/, "$1");

export const LANGUAGES: readonly string[] = ["en", ...Object.keys(files).map(codeOf)];

/** A language's name in that language: "中文". */
export function languageName(code: string): string {
  return new Intl.DisplayNames([code], { type: "language" }).of(code) ?? code;
}

/** The first wanted language that there is: exactly, or by its first part ("zh-TW" → "zh"). */
export function pickLanguage(wanted: readonly string[], available: readonly string[] = LANGUAGES): string {
  for (const code of wanted) {
    const found = [code, code.split("-")[0]].find((each) => each !== undefined && available.includes(each));
    if (found) return found;
  }
  return "en";
}

export async function setLanguage(code: string): Promise<void> {
  if (!i18next.hasResourceBundle(code, "translation")) {
    const load = files[`./locales/${code}.json`];
    if (load) i18next.addResourceBundle(code, "translation", await load());
  }
  await i18next.changeLanguage(code);
  document.documentElement.lang = code;
}

export async function chooseLanguage(code: string): Promise<void> {
  writeStored(KEY, code);
  await setLanguage(code);
}

export async function startTranslations(): Promise<void> {
  await i18next.use(initReactI18next).init({
    resources: { en: { translation: en } },
    lng: "en",
    fallbackLng: "en",
    interpolation: { escapeValue: false },
  });
  const stored = readStored(KEY, (value) => (typeof value === "string" ? value : null));
  try {
    await setLanguage(pickLanguage([...(stored ? [stored] : []), ...navigator.languages]));
  } catch {
    // The language's file could not be loaded: English is better than no page.
    await setLanguage("en");
  }
}
