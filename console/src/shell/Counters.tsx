import { useTotalWaiting } from "../api/conversations";
import { usePresence } from "../api/presence";
import { useT } from "../i18n/languageContext";
import classes from "./Counters.module.css";

export function Counters() {
  const t = useT();
  const presence = usePresence();
  const waiting = useTotalWaiting();
  return (
    <dl className={classes["counters"]}>
      <div>
        <dt>{t("counters.active")}</dt>
        <dd data-testid="counter-active">{presence.data ? `${presence.data.active}/${presence.data.capacity}` : "–"}</dd>
      </div>
      <div>
        <dt>{t("counters.waiting")}</dt>
        <dd data-testid="counter-waiting" data-attention={(waiting.data ?? 0) > 0}>
          {waiting.data ?? "–"}
        </dd>
      </div>
    </dl>
  );
}
