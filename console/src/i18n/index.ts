import en from "./en.json";
import zh from "./zh.json";

export type Language = "zh" | "en";

/** A text that the console shows. The Chinese file decides which keys there are. */
export type TextKey = keyof typeof zh;

export const texts: Record<Language, Record<TextKey, string>> = { zh, en };

export type Translate = (key: TextKey, values?: Record<string, string | number>) => string;

export function translator(language: Language): Translate {
  const dictionary = texts[language];
  return (key, values) => fill(dictionary[key], values ?? {});
}

/** Looks up a key that is put together from data of the server, which may be newer than this console. */
export function isTextKey(key: string): key is TextKey {
  return Object.hasOwn(zh, key);
}

/** Chinese for every variety of Chinese and for browsers that do not say; English for everybody else. */
export function preferredLanguage(browserLanguages: readonly string[]): Language {
  const first = browserLanguages[0]?.toLowerCase() ?? "zh";
  return first.startsWith("zh") ? "zh" : "en";
}

function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (placeholder, name: string) => String(values[name] ?? placeholder));
}
