import type { ReactNode } from "react";
import { useLanguage } from "../../i18n/languageContext";
import { fullTime, timeOfDay } from "../../i18n/times";
import classes from "./Notice.module.css";

export function Notice({ at, children }: { at?: string; children: ReactNode }) {
  const { language } = useLanguage();
  return (
    <p className={classes["notice"]} data-testid="notice">
      {children}
      {at !== undefined && (
        <time dateTime={at} title={fullTime(at, language)}>
          {timeOfDay(at, language)}
        </time>
      )}
    </p>
  );
}
