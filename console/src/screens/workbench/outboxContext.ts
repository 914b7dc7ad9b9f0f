import { createContext, use } from "react";
import type { Outgoing } from "./outbox";

export interface Outbox {
  messages: Outgoing[];
  send: (conversationId: string, text: string) => void;
  retry: (message: Outgoing) => void;
  discard: (key: string) => void;
}

export const OutboxContext = createContext<Outbox | null>(null);

export function useOutbox(): Outbox {
  const outbox = use(OutboxContext);
  if (!outbox) throw new Error("useOutbox is used outside of OutboxProvider");
  return outbox;
}
