import { notifications } from "@mantine/notifications";
import { useChangePresence, usePresence } from "../api/presence";
import { asProblem } from "../api/problem";
import type { PresenceState } from "../api/types";
import { problemText } from "../i18n/problems";
import { useT } from "../i18n/languageContext";
import classes from "./PresenceSwitch.module.css";

const choices = ["ready", "busy"] as const;

export function PresenceSwitch() {
  const t = useT();
  const presence = usePresence();
  const change = useChangePresence();
  const current: PresenceState | undefined = change.isPending ? change.variables : presence.data?.presence;

  const choose = (chosen: PresenceState) => {
    change.mutate(chosen, {
      onError: (error) => {
        notifications.show({ color: "red", message: problemText(t, asProblem(error)) });
      },
    });
  };

  return (
    <div className={classes["switch"]} role="group" aria-label={t("presence.label")}>
      {choices.map((choice) => (
        <button
          key={choice}
          type="button"
          className={classes["choice"]}
          data-testid={`presence-${choice}`}
          data-choice={choice}
          aria-pressed={current === choice}
          title={t(`presence.${choice}_hint`)}
          onClick={() => {
            choose(choice);
          }}
        >
          <span className={classes["dot"]} aria-hidden />
          {t(`presence.${choice}`)}
        </button>
      ))}
    </div>
  );
}
