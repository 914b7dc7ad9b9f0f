import { QueryClient } from "@tanstack/react-query";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { keys } from "../api/keys";
import type { Change, Conversation } from "../api/types";
import { conversation, conversationPage } from "../testing/conversation";
import { listOf, type ConversationList } from "./conversationLists";
import { LiveUpdates } from "./liveUpdates";

const change = (differs: Partial<Change>): Change => ({
  cursor: "2",
  type: "assigned",
  stream: "conversation",
  conversation_id: null,
  visitor_id: null,
  agent_id: null,
  occurred_at: "",
  ...differs,
});

describe("live updates", () => {
  let client: QueryClient;
  let live: LiveUpdates;
  let arrivals: string[];
  let answer: Response;
  const mine = () => client.getQueryData<ConversationList>(keys.conversationList("mine"))?.conversations.map(({ id }) => id);

  const serve = (served: Conversation) => {
    answer = Response.json({ conversation: served, cursor: "2" });
  };

  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal("fetch", vi.fn(() => Promise.resolve(answer)));
    client = new QueryClient();
    client.setQueryData(keys.conversationList("mine"), listOf(conversationPage([conversation({ id: "old" })]), "mine"));
    arrivals = [];
    live = new LiveUpdates(client, "me");
    live.start(({ id }) => arrivals.push(id));
  });

  afterEach(() => {
    live.stop();
    client.clear();
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  it("a conversation that became mine enters the list and is announced", async () => {
    serve(conversation({ id: "new" }));
    live.changed(change({ conversation_id: "new" }));
    await vi.advanceTimersByTimeAsync(50);
    expect(mine()).toContain("new");
    expect(arrivals).toEqual(["new"]);
  });

  it("a change of a conversation that was mine already is not announced", async () => {
    serve(conversation({ id: "old", version: 2 }));
    live.changed(change({ conversation_id: "old" }));
    await vi.advanceTimersByTimeAsync(50);
    expect(arrivals).toEqual([]);
  });

  it("what a visitor does beside writing renews the conversation that is looked at", async () => {
    client.setQueryData(keys.conversation("old"), conversation({ id: "old" }));
    serve(conversation({ id: "old", version: 9 }));
    live.changed(change({ stream: "visitor", visitor_id: "v1" }));
    live.changed(change({ stream: "visitor", visitor_id: "somebody else" }));
    await vi.advanceTimersByTimeAsync(50);
    expect(fetch).toHaveBeenCalledTimes(1);
    expect(client.getQueryData<Conversation>(keys.conversation("old"))?.version).toBe(9);
  });

  it("a conversation of somebody else is not announced", async () => {
    serve(conversation({ id: "new", agent: { id: "other", name: "Li Si" } }));
    live.changed(change({ conversation_id: "new" }));
    await vi.advanceTimersByTimeAsync(50);
    expect(mine()).toEqual(["old"]);
    expect(arrivals).toEqual([]);
  });

  it("a conversation that may no longer be seen leaves the lists", async () => {
    answer = Response.json({ id: "not_permitted" }, { status: 403 });
    live.changed(change({ conversation_id: "old" }));
    await vi.advanceTimersByTimeAsync(50);
    expect(mine()).toEqual([]);
  });

  it("a conversation stays in the lists when the server could not be asked", async () => {
    answer = Response.json({ id: "unavailable" }, { status: 503 });
    live.changed(change({ conversation_id: "old" }));
    await vi.advanceTimersByTimeAsync(50);
    expect(mine()).toEqual(["old"]);
  });
});
