import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useEffectEvent, useMemo, useState } from "react";
import { call } from "../api/call";
import { keys } from "../api/keys";
import type { Conversation, Session } from "../api/types";
import { LoadingScreen } from "../parts/LoadingScreen";
import { ProblemScreen } from "../parts/ProblemScreen";
import { FeedClient, type FeedState } from "./feedClient";
import { FeedContext } from "./feedContext";
import { LiveUpdates } from "./liveUpdates";

interface Props {
  person: Session["person"];
  onArrival: (conversation: Conversation) => void;
  children: ReactNode;
}

/**
 * Keeps everything below it live. Its children are shown only when the starting cursor is known, so whatever they read is
 * newer than that cursor and no change can fall between a list and the feed.
 */
export function FeedProvider({ person, onArrival, children }: Props) {
  const client = useQueryClient();
  const [state, setState] = useState<FeedState>("connecting");
  const start = useQuery({ queryKey: ["feed-start", person.id], queryFn: readCursor, gcTime: 0 });
  const arrived = useEffectEvent(onArrival);
  const live = useMemo(() => new LiveUpdates(client, person.id), [client, person.id]);
  const cursor = start.data;

  useEffect(() => {
    if (cursor === undefined) return undefined;
    live.start((conversation) => {
      arrived(conversation);
    });
    const feed = new FeedClient({
      onChange: (change) => {
        live.changed(change);
      },
      onReload: async () => {
        const from = await readCursor();
        await live.renewEverything();
        return from;
      },
      onState: setState,
      onRefused: () => void client.invalidateQueries({ queryKey: keys.session }),
    });
    feed.follow(cursor);
    const reconnect = () => {
      feed.reconnectNow();
    };
    window.addEventListener("online", reconnect);
    return () => {
      window.removeEventListener("online", reconnect);
      feed.stop();
      live.stop();
    };
  }, [client, cursor, live]);

  const feed = useMemo(() => ({ state, renew: (id: string) => live.renewConversation(id) }), [state, live]);
  if (start.isError) return <ProblemScreen error={start.error} onRetry={() => void start.refetch()} />;
  if (cursor === undefined) return <LoadingScreen />;
  return <FeedContext value={feed}>{children}</FeedContext>;
}

async function readCursor(): Promise<string> {
  return (await call("GET /conversations", { query: { view: "queue", limit: 1 } })).cursor;
}
