import type { Conversation, ConversationPage, ConversationView } from "../api/types";

/** The loaded part of one list of the workbench, in its order, each conversation once. */
export interface ConversationList {
  conversations: Conversation[];
  /** Where the next page begins, or null when everything is loaded. */
  next: string | null;
}

export const views: readonly ConversationView[] = ["mine", "queue", "open", "closed"];

/** Whether a conversation that the person may see belongs in a list. */
export function belongs(conversation: Conversation, view: ConversationView, personId: string): boolean {
  switch (view) {
    case "mine":
      return isMine(conversation, personId);
    case "queue":
      return conversation.phase === "waiting";
    case "open":
      return conversation.phase !== "closed";
    case "closed":
      return conversation.phase === "closed";
  }
}

export function isMine(conversation: Conversation, personId: string): boolean {
  return conversation.phase !== "closed" && conversation.agent?.id === personId;
}

export function find(list: ConversationList | undefined, id: string): Conversation | undefined {
  return list?.conversations.find((one) => one.id === id);
}

export function listOf(page: ConversationPage, view: ConversationView): ConversationList {
  return appendPage({ conversations: [], next: null }, page, view);
}

/** A page read later may repeat what the feed brought in earlier; the newer of the two stays. */
export function appendPage(list: ConversationList, page: ConversationPage, view: ConversationView): ConversationList {
  const byId = new Map(list.conversations.map((one) => [one.id, one]));
  for (const one of page.conversations) {
    const known = byId.get(one.id);
    if (!known || known.version <= one.version) byId.set(one.id, one);
  }
  return { conversations: [...byId.values()].sort(orderOf(view)), next: page.meta.next };
}

/** Puts the newest state of a conversation into a list, or takes it out when it no longer belongs there. */
export function placeConversation(list: ConversationList, view: ConversationView, conversation: Conversation, personId: string): ConversationList {
  const known = find(list, conversation.id);
  if (known && known.version > conversation.version) return list;
  const without = removeConversation(list, conversation.id);
  if (!belongs(conversation, view, personId)) return without;
  return { ...list, conversations: [...without.conversations, conversation].sort(orderOf(view)) };
}

export function removeConversation(list: ConversationList, id: string): ConversationList {
  return find(list, id) ? { ...list, conversations: list.conversations.filter((one) => one.id !== id) } : list;
}

/** The queue is first come, first served; every other list shows the newest first. */
function orderOf(view: ConversationView): (a: Conversation, b: Conversation) => number {
  if (view === "queue") return (a, b) => compare(a.waiting_since ?? a.opened_at, b.waiting_since ?? b.opened_at);
  return (a, b) => compare(b.last_activity_at, a.last_activity_at);
}

/** Times of the API are all UTC with the same number of digits, so they sort as text. */
function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
