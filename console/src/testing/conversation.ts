import type { Conversation, ConversationPage, Item, TimelinePage } from "../api/types";

/** A conversation like the API gives it; a test names only what it is about. */
export function conversation(differs: Partial<Conversation> = {}): Conversation {
  return {
    id: "c1",
    visitor: { id: "v1", name: "Mei", page_id: "159955055741" },
    channel: { id: "ch1", name: "Demo" },
    skill_group: { id: "g1", name: "Sales" },
    phase: "with_agent",
    agent: { id: "me", name: "Zhang San" },
    opened_at: "2026-01-01T08:00:00.000Z",
    waiting_since: null,
    last_activity_at: "2026-01-01T09:00:00.000Z",
    last_message: null,
    unanswered: false,
    version: 1,
    ...differs,
  };
}

export function conversationPage(conversations: Conversation[], next: string | null = null): ConversationPage {
  return { conversations, meta: { next, total_waiting: 0 }, cursor: "1" };
}

export function item(id: string, differs: Partial<Item> = {}): Item {
  return {
    id,
    at: `2026-01-01T08:00:0${id.slice(-1)}.000Z`,
    kind: "message",
    direction: "in",
    author: { kind: "visitor", id: null, name: null },
    text: id,
    attachments: [],
    buttons: [],
    status: null,
    status_reason: null,
    event: null,
    late: false,
    ...differs,
  };
}

export function timelinePage(items: Item[], next: string | null = null): TimelinePage {
  return { items, meta: { next }, cursor: "1" };
}
