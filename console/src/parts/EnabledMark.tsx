import { useT } from "../i18n/languageContext";
import classes from "./EnabledMark.module.css";

export function EnabledMark({ isEnabled }: { isEnabled: boolean }) {
  const t = useT();
  return (
    <span className={classes["mark"]} data-enabled={isEnabled}>
      {t(isEnabled ? "common.enabled" : "common.disabled")}
    </span>
  );
}
