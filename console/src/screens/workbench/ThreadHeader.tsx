import { ActionIcon } from "@mantine/core";
import { ArrowLeft } from "lucide-react";
import { Link } from "react-router";
import type { Conversation, ConversationView } from "../../api/types";
import { useT } from "../../i18n/languageContext";
import { Actions } from "./Actions";
import { conversationPath } from "./conversationPath";
import { PhaseBadge } from "./PhaseBadge";
import classes from "./ThreadHeader.module.css";
import { visitorName } from "./visitorName";

export function ThreadHeader({ conversation, view }: { conversation: Conversation; view: ConversationView }) {
  const t = useT();
  const { agent, channel, phase, skill_group: group, visitor } = conversation;
  return (
    <header className={classes["header"]}>
      <ActionIcon
        component={Link}
        to={conversationPath(null, view)}
        variant="subtle"
        color="gray"
        className={classes["back"] ?? ""}
        aria-label={t("thread.back")}
      >
        <ArrowLeft size={18} aria-hidden />
      </ActionIcon>
      <div className={classes["who"]}>
        <h2 className={classes["name"]}>{visitorName(t, visitor)}</h2>
        <div className={classes["facts"]}>
          <PhaseBadge phase={phase} />
          {agent !== null && <span>{t("thread.agent", { name: agent.name })}</span>}
          <span className={classes["where"]}>
            {channel.name} · {group.name}
          </span>
        </div>
      </div>
      <Actions conversation={conversation} />
    </header>
  );
}
