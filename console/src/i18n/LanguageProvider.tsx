import { type ReactNode, useEffect, useMemo, useState } from "react";
import { type Language, preferredLanguage, translator } from ".";
import { LanguageContext } from "./languageContext";

const storageKey = "frontdesk.language";

export function LanguageProvider({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState<Language>(storedLanguage);

  useEffect(() => {
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  }, [language]);

  const choice = useMemo(
    () => ({
      language,
      t: translator(language),
      choose: (chosen: Language) => {
        localStorage.setItem(storageKey, chosen);
        setLanguage(chosen);
      },
    }),
    [language],
  );
  return <LanguageContext value={choice}>{children}</LanguageContext>;
}

function storedLanguage(): Language {
  const stored = localStorage.getItem(storageKey);
  return stored === "zh" || stored === "en" ? stored : preferredLanguage(navigator.languages);
}
