import { ActionIcon, Button } from "@mantine/core";
import { ArrowDown } from "lucide-react";
import { type UIEvent, useRef, useState } from "react";
import { useTimeline } from "../../api/conversations";
import type { Conversation } from "../../api/types";
import { useT } from "../../i18n/languageContext";
import { LoadingScreen } from "../../parts/LoadingScreen";
import { ProblemScreen } from "../../parts/ProblemScreen";
import { OutgoingBubble } from "./OutgoingBubble";
import { useOutbox } from "./outboxContext";
import classes from "./Thread.module.css";
import { TimelineItems } from "./TimelineItems";
import { visitorName } from "./visitorName";

/** Pixels from the oldest loaded item at which older ones are asked for. */
const ahead = 240;

/**
 * The transcript. The scroller is a reversed column: the browser itself keeps the newest message in sight while the reader is at
 * the end, and keeps the place when older pages come in above.
 */
export function Thread({ conversation }: { conversation: Conversation }) {
  const t = useT();
  const timeline = useTimeline(conversation.id);
  const outbox = useOutbox();
  const scroller = useRef<HTMLDivElement>(null);
  const [isAway, setIsAway] = useState(false);
  const outgoing = outbox.messages.filter((message) => message.conversationId === conversation.id);

  const onScroll = ({ currentTarget: { scrollTop, scrollHeight, clientHeight } }: UIEvent<HTMLElement>) => {
    setIsAway(scrollTop < -ahead);
    if (scrollHeight - clientHeight + scrollTop < ahead) timeline.loadOlder();
  };

  if (timeline.isPending) return <LoadingScreen />;
  if (!timeline.data) return <ProblemScreen error={timeline.error} onRetry={() => void timeline.refetch()} />;
  return (
    <div className={classes["frame"]}>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a scroller must be reachable by keyboard */}
      <div ref={scroller} className={classes["scroller"]} onScroll={onScroll} tabIndex={0} role="region" aria-label={t("thread.transcript")}>
        <div className={classes["content"]} role="log" aria-label={t("thread.transcript")} data-testid="thread">
          {timeline.hasOlder && (
            <Button
              variant="subtle"
              size="compact-xs"
              className={classes["older"] ?? ""}
              loading={timeline.isLoadingOlder}
              onClick={timeline.loadOlder}
            >
              {t(timeline.olderFailed ? "thread.older_failed" : "thread.older")}
            </Button>
          )}
          <TimelineItems items={timeline.data.items} visitor={visitorName(t, conversation.visitor)} />
          {outgoing.map((message) => (
            <OutgoingBubble key={message.key} message={message} onRetry={outbox.retry} onDiscard={outbox.discard} />
          ))}
        </div>
      </div>
      {isAway && (
        <ActionIcon
          className={classes["newest"] ?? ""}
          variant="default"
          radius="xl"
          size="lg"
          aria-label={t("thread.newest")}
          onClick={() => scroller.current?.scrollTo({ top: 0 })}
        >
          <ArrowDown size={18} aria-hidden />
        </ActionIcon>
      )}
    </div>
  );
}
