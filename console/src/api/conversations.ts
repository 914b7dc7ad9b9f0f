import { type QueryClient, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { appendPage, listOf, placeConversation, type ConversationList } from "../feed/conversationLists";
import { mergeNewest, prependOlder, type Timeline } from "../feed/timeline";
import { call } from "./call";
import { keys } from "./keys";
import type { Conversation, ConversationView } from "./types";

const listPage = 50;
const timelinePage = 100;

export function useConversationList(view: ConversationView, personId: string) {
  const client = useQueryClient();
  const key = keys.conversationList(view);
  const list = useQuery({
    queryKey: key,
    queryFn: async ({ signal }): Promise<ConversationList> => {
      const began = Date.now();
      const page = await call("GET /conversations", { query: { view, limit: listPage }, signal });
      return overlay(client, listOf(page, view), view, personId, began);
    },
  });
  const more = useMutation({
    mutationFn: (after: string) => call("GET /conversations", { query: { view, limit: listPage, after } }),
    onSuccess: (page) => {
      client.setQueryData<ConversationList>(key, (known) => known && appendPage(known, page, view));
    },
  });
  const next = list.data?.next ?? null;
  return {
    ...list,
    isLoadingMore: more.isPending,
    loadMore: () => {
      if (next !== null && !more.isPending) more.mutate(next);
    },
  };
}

/** What the feed renewed while a list was on its way may be newer than that list. */
function overlay(client: QueryClient, list: ConversationList, view: ConversationView, personId: string, since: number): ConversationList {
  return client
    .getQueryCache()
    .findAll({ queryKey: keys.conversations })
    .filter((query) => query.state.dataUpdatedAt >= since)
    .map((query) => query.state.data as Conversation | undefined)
    .reduce((result, one) => (one ? placeConversation(result, view, one, personId) : result), list);
}

export function useConversation(id: string) {
  return useQuery({
    queryKey: keys.conversation(id),
    queryFn: async ({ signal }) => (await call("GET /conversations/{id}", { path: { id }, signal })).conversation,
  });
}

/** How many wait in the queues of this person. */
export function useTotalWaiting() {
  return useQuery({
    queryKey: keys.counters,
    queryFn: async ({ signal }) => (await call("GET /conversations", { query: { view: "queue", limit: 1 }, signal })).meta.total_waiting,
  });
}

export function useTimeline(id: string) {
  const client = useQueryClient();
  const key = keys.timeline(id);
  const timeline = useQuery({
    queryKey: key,
    queryFn: async ({ signal }): Promise<Timeline> => {
      const page = await call("GET /conversations/{id}/timeline", { path: { id }, query: { limit: timelinePage }, signal });
      return mergeNewest(client.getQueryData<Timeline>(key), page);
    },
  });
  const older = useMutation({
    mutationFn: (before: string) => call("GET /conversations/{id}/timeline", { path: { id }, query: { limit: timelinePage, before } }),
    onSuccess: (page) => {
      client.setQueryData<Timeline>(key, (known) => known && prependOlder(known, page));
    },
  });
  const before = timeline.data?.older ?? null;
  return {
    ...timeline,
    hasOlder: before !== null,
    isLoadingOlder: older.isPending,
    olderFailed: older.isError,
    loadOlder: () => {
      if (before !== null && !older.isPending) older.mutate(before);
    },
  };
}

export type ConversationAction = { kind: "accept" } | { kind: "close" } | { kind: "hand-over"; to: "queue" | "bot" };

export interface ConversationCommand {
  id: string;
  action: ConversationAction;
  /** Makes a double click and a retry one act. */
  idempotencyKey: string;
}

export function command({ id, action, idempotencyKey }: ConversationCommand) {
  const path = { id };
  switch (action.kind) {
    case "accept":
      return call("POST /conversations/{id}/accept", { path, body: {}, idempotencyKey });
    case "close":
      return call("POST /conversations/{id}/close", { path, body: {}, idempotencyKey });
    case "hand-over":
      return call("POST /conversations/{id}/hand-over", { path, body: { to: action.to }, idempotencyKey });
  }
}

export function reply(id: string, text: string, idempotencyKey: string) {
  return call("POST /conversations/{id}/replies", { path: { id }, body: { text }, idempotencyKey });
}
