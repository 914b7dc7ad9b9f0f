import { createContext, use } from "react";
import type { Language, Translate } from ".";

export interface LanguageChoice {
  language: Language;
  t: Translate;
  choose: (language: Language) => void;
}

export const LanguageContext = createContext<LanguageChoice | null>(null);

export function useLanguage(): LanguageChoice {
  const choice = use(LanguageContext);
  if (!choice) throw new Error("useLanguage is used outside of LanguageProvider");
  return choice;
}

export function useT(): Translate {
  return useLanguage().t;
}
