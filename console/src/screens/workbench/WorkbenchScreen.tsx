import { VisuallyHidden } from "@mantine/core";
import { MessagesSquare } from "lucide-react";
import { useEffect } from "react";
import { useParams, useSearchParams } from "react-router";
import type { ConversationView } from "../../api/types";
import { views } from "../../feed/conversationLists";
import { useT } from "../../i18n/languageContext";
import { EmptyState } from "../../parts/EmptyState";
import { ConversationPane } from "./ConversationPane";
import { ThreadPane } from "./ThreadPane";
import classes from "./WorkbenchScreen.module.css";

interface Props {
  unseen: ReadonlySet<string>;
  onSeen: (conversationId: string) => void;
}

/** The list on the left, one conversation on the right; on a telephone one of the two. */
export function WorkbenchScreen({ unseen, onSeen }: Props) {
  const t = useT();
  const { id } = useParams();
  const view = useView();

  useEffect(() => {
    if (id !== undefined) onSeen(id);
  }, [id, onSeen]);

  return (
    <div className={classes["screen"]} data-open={id !== undefined}>
      <VisuallyHidden component="h1">{t("nav.conversations")}</VisuallyHidden>
      <aside className={classes["list"]} aria-label={t("list.label")}>
        <ConversationPane view={view} selected={id ?? null} unseen={unseen} />
      </aside>
      <section className={classes["thread"]} aria-label={t("thread.label")}>
        {id === undefined ? (
          <div className={classes["nothing"]}>
            <EmptyState icon={MessagesSquare} title={t("thread.none")} hint={t("thread.none_hint")} />
          </div>
        ) : (
          <ThreadPane key={id} id={id} view={view} />
        )}
      </section>
    </div>
  );
}

function useView(): ConversationView {
  const [search] = useSearchParams();
  return views.find((view) => view === search.get("view")) ?? "mine";
}
