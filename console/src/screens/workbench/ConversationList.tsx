import { Loader } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { Inbox } from "lucide-react";
import { type KeyboardEvent, useEffect, useRef } from "react";
import { useConversationList } from "../../api/conversations";
import type { ConversationView } from "../../api/types";
import { useT } from "../../i18n/languageContext";
import { EmptyState } from "../../parts/EmptyState";
import { LoadingScreen } from "../../parts/LoadingScreen";
import { ProblemScreen } from "../../parts/ProblemScreen";
import { useNow } from "../../parts/useNow";
import { useSignedIn } from "../../shell/sessionContext";
import { ConversationItem } from "./ConversationItem";
import classes from "./ConversationList.module.css";

interface Props {
  view: ConversationView;
  selected: string | null;
  unseen: ReadonlySet<string>;
}

const rowHeight = 84;
/** The next page is asked for this many rows before the end. */
const ahead = 15;

/** Only the rows in sight exist, so ten thousand conversations scroll like ten. */
export function ConversationList({ view, selected, unseen }: Props) {
  const t = useT();
  const now = useNow();
  const { person } = useSignedIn();
  const list = useConversationList(view, person.id);
  const scroller = useRef<HTMLDivElement>(null);
  const conversations = list.data?.conversations ?? [];
  // eslint-disable-next-line react-hooks/incompatible-library -- the compiler leaves this component alone, which is right
  const rows = useVirtualizer({
    count: conversations.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    getItemKey: (index) => conversations[index]?.id ?? index,
    overscan: 8,
  });
  const visible = rows.getVirtualItems();
  const last = visible.at(-1)?.index ?? 0;
  const { loadMore } = list;
  const nearEnd = list.data?.next != null && last >= conversations.length - ahead;

  useEffect(() => {
    if (nearEnd) loadMore();
  }, [nearEnd, loadMore]);

  return (
    <div ref={scroller} className={classes["scroller"]} data-testid="conversation-list" aria-busy={list.isFetching}>
      {list.isPending && <LoadingScreen />}
      {list.isError && !list.data && <ProblemScreen error={list.error} onRetry={() => void list.refetch()} />}
      {list.data && conversations.length === 0 && <EmptyState icon={Inbox} title={t(`list.empty_${view}`)} />}
      <ul className={classes["rows"]} style={{ height: rows.getTotalSize() }} aria-label={t(`view.${view}`)}>
        {visible.map((row) => {
          const conversation = conversations[row.index];
          return (
            conversation && (
              <li key={row.key} className={classes["row"]} style={{ height: row.size, transform: `translateY(${row.start}px)` }}>
                <ConversationItem
                  conversation={conversation}
                  view={view}
                  now={now}
                  isSelected={conversation.id === selected}
                  isNew={unseen.has(conversation.id)}
                  onKeyDown={moveFocus}
                />
              </li>
            )
          );
        })}
      </ul>
      {list.isLoadingMore && (
        <div className={classes["more"]}>
          <Loader size="xs" aria-label={t("common.loading")} />
        </div>
      )}
    </div>
  );
}

/** Arrow keys walk the list; Tab leaves it. */
function moveFocus(event: KeyboardEvent<HTMLElement>): void {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const row = event.currentTarget.closest("li");
  const neighbour = event.key === "ArrowDown" ? row?.nextElementSibling : row?.previousElementSibling;
  const link = neighbour?.querySelector("a");
  if (!link) return;
  event.preventDefault();
  link.focus();
}
