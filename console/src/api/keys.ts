import type { ConversationView } from "./types";

/** The names under which server state is cached. */
export const keys = {
  session: ["session"],
  presence: ["presence"],
  counters: ["counters"],
  conversationLists: ["conversations"],
  conversationList: (view: ConversationView) => ["conversations", view],
  conversations: ["conversation"],
  conversation: (id: string) => ["conversation", id],
  timelines: ["timeline"],
  timeline: (id: string) => ["timeline", id],
  administration: ["administration"],
  resource: (name: string) => ["administration", name],
} as const;
