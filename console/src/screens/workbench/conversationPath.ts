import type { ConversationView } from "../../api/types";

/** The address of a conversation within a list, so that a reload and a shared link show the same. */
export function conversationPath(id: string | null, view: ConversationView): string {
  const search = view === "mine" ? "" : `?view=${view}`;
  return `/conversations${id === null ? "" : `/${id}`}${search}`;
}
