import { Button } from "@mantine/core";
import { CircleX, Clock } from "lucide-react";
import { useLanguage } from "../../i18n/languageContext";
import { problemText } from "../../i18n/problems";
import { timeOfDay } from "../../i18n/times";
import classes from "./Bubble.module.css";
import type { Outgoing } from "./outbox";
import state from "./SendState.module.css";

interface Props {
  message: Outgoing;
  onRetry: (message: Outgoing) => void;
  onDiscard: (key: string) => void;
}

/** A reply that the server does not have yet. */
export function OutgoingBubble({ message, onRetry, onDiscard }: Props) {
  const { t, language } = useLanguage();
  const { problem } = message;
  const status = problem ? "refused" : "pending";
  return (
    <article className={classes["bubble"]} data-author="agent" data-side="out" data-status={status} data-testid="outgoing-bubble">
      <div className={classes["body"]}>
        <div className={classes["text"]}>{message.text}</div>
      </div>
      <div className={classes["meta"]}>
        <time dateTime={message.at}>{timeOfDay(message.at, language)}</time>
        <span className={state["state"]} data-status={status} role={problem ? "alert" : undefined}>
          {problem ? <CircleX size={13} aria-hidden /> : <Clock size={13} aria-hidden />}
          {problem ? t("outgoing.failed", { reason: problemText(t, problem) }) : t("status.pending")}
        </span>
        {problem && (
          <>
            <Button
              variant="subtle"
              size="compact-xs"
              onClick={() => {
                onRetry(message);
              }}
            >
              {t("common.retry")}
            </Button>
            <Button
              variant="subtle"
              size="compact-xs"
              color="gray"
              onClick={() => {
                onDiscard(message.key);
              }}
            >
              {t("outgoing.discard")}
            </Button>
          </>
        )}
      </div>
    </article>
  );
}
