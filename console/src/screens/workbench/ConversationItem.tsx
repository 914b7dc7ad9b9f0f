import { type KeyboardEvent, memo } from "react";
import { Link } from "react-router";
import type { Conversation, ConversationView } from "../../api/types";
import { useLanguage } from "../../i18n/languageContext";
import { shortTime, waited } from "../../i18n/times";
import classes from "./ConversationItem.module.css";
import { conversationPath } from "./conversationPath";
import { PhaseBadge } from "./PhaseBadge";
import { visitorName } from "./visitorName";

interface Props {
  conversation: Conversation;
  view: ConversationView;
  now: Date;
  isSelected: boolean;
  isNew: boolean;
  onKeyDown: (event: KeyboardEvent<HTMLElement>) => void;
}

export const ConversationItem = memo(function ConversationItem({ conversation, view, now, isSelected, isNew, onKeyDown }: Props) {
  const { t, language } = useLanguage();
  const { last_message: last, phase } = conversation;
  const waiting = phase === "waiting" && conversation.waiting_since !== null ? waited(conversation.waiting_since, now) : null;
  const owes = conversation.unanswered && phase !== "closed";
  return (
    <Link
      to={conversationPath(conversation.id, view)}
      className={classes["item"]}
      data-testid="conversation-item"
      data-conversation={conversation.id}
      data-phase={phase}
      data-unanswered={owes}
      aria-current={isSelected ? "true" : undefined}
      onKeyDown={onKeyDown}
    >
      <span className={classes["line"]}>
        <span className={classes["name"]}>{visitorName(t, conversation.visitor)}</span>
        {isNew && <span className={classes["new"]}>{t("item.new")}</span>}
        <time className={classes["time"]} dateTime={conversation.last_activity_at}>
          {shortTime(last?.at ?? conversation.last_activity_at, now, language)}
        </time>
      </span>
      <span className={classes["line"]}>
        <span className={classes["preview"]}>
          {last?.direction === "out" && <span aria-label={t("item.ours")}>↩ </span>}
          {last === null ? t("item.no_message") : (last.text ?? t("item.no_text"))}
        </span>
        {owes && <span className={classes["owed"]}>{t("item.unanswered")}</span>}
      </span>
      <span className={classes["line"]}>
        <PhaseBadge phase={phase} />
        {waiting && <span className={classes["waited"]}>{t(waiting.key, waiting.values)}</span>}
        <span className={classes["where"]}>
          {conversation.agent !== null && view !== "mine" ? `${conversation.agent.name} · ` : ""}
          {conversation.channel.name}
        </span>
      </span>
    </Link>
  );
});
