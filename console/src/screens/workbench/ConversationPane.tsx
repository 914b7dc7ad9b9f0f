import { Tabs } from "@mantine/core";
import { useNavigate } from "react-router";
import { useConversationList, useTotalWaiting } from "../../api/conversations";
import type { ConversationView } from "../../api/types";
import { views } from "../../feed/conversationLists";
import { useT } from "../../i18n/languageContext";
import { useSignedIn } from "../../shell/sessionContext";
import classes from "./ConversationPane.module.css";
import { ConversationList } from "./ConversationList";
import { conversationPath } from "./conversationPath";

interface Props {
  view: ConversationView;
  selected: string | null;
  unseen: ReadonlySet<string>;
}

export function ConversationPane({ view, selected, unseen }: Props) {
  const t = useT();
  const navigate = useNavigate();
  const counts = useCounts();
  return (
    <Tabs
      value={view}
      onChange={(chosen) => void navigate(conversationPath(selected, views.find((one) => one === chosen) ?? "mine"))}
      className={classes["pane"] ?? ""}
      keepMounted={false}
    >
      <Tabs.List grow className={classes["tabs"] ?? ""} aria-label={t("list.views")}>
        {views.map((one) => (
          <Tabs.Tab key={one} value={one} className={classes["tab"] ?? ""} data-testid={`view-${one}`}>
            {t(`view.${one}`)}
            {(counts[one] ?? 0) > 0 && <span className={classes["count"]}>{counts[one]}</span>}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      <Tabs.Panel value={view} className={classes["panel"] ?? ""}>
        <ConversationList key={view} view={view} selected={selected} unseen={unseen} />
      </Tabs.Panel>
    </Tabs>
  );
}

function useCounts(): Partial<Record<ConversationView, number>> {
  const { person } = useSignedIn();
  const mine = useConversationList("mine", person.id);
  const waiting = useTotalWaiting();
  return { mine: mine.data?.conversations.length ?? 0, queue: waiting.data ?? 0 };
}
