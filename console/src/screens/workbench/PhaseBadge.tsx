import type { Phase } from "../../api/types";
import { useT } from "../../i18n/languageContext";
import classes from "./PhaseBadge.module.css";

export function PhaseBadge({ phase }: { phase: Phase }) {
  const t = useT();
  return (
    <span className={classes["badge"]} data-phase={phase}>
      {t(`phase.${phase}`)}
    </span>
  );
}
