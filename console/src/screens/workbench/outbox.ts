import type { Problem } from "../../api/problem";

/** A reply on its way to the server: not yet part of the timeline. */
export interface Outgoing {
  /** Its Idempotency-Key. */
  key: string;
  conversationId: string;
  text: string;
  at: string;
  problem: Problem | null;
}

export type OutboxChange =
  | { kind: "written"; message: Outgoing }
  | { kind: "accepted"; key: string }
  | { kind: "failed"; key: string; problem: Problem }
  | { kind: "retried"; key: string; newKey: string }
  | { kind: "discarded"; key: string };

export function outboxReducer(outbox: Outgoing[], change: OutboxChange): Outgoing[] {
  switch (change.kind) {
    case "written":
      return [...outbox, change.message];
    case "accepted":
    case "discarded":
      return outbox.filter((message) => message.key !== change.key);
    case "failed":
      return outbox.map((message) => (message.key === change.key ? { ...message, problem: change.problem } : message));
    case "retried":
      return outbox.map((message) => (message.key === change.key ? { ...message, key: change.newKey, problem: null } : message));
  }
}
