import { type ReactNode, useMemo, useReducer, useRef } from "react";
import { reply } from "../../api/conversations";
import { newIdempotencyKey } from "../../api/idempotencyKey";
import { asProblem } from "../../api/problem";
import { useFeed } from "../../feed/feedContext";
import { outboxReducer, type Outgoing } from "./outbox";
import { OutboxContext, type Outbox } from "./outboxContext";
import { persistently } from "./persistently";

/** Sends replies in the order in which they were written, one conversation not waiting for another. */
export function OutboxProvider({ children }: { children: ReactNode }) {
  const { renew } = useFeed();
  const [messages, change] = useReducer(outboxReducer, []);
  const turns = useRef(new Map<string, Promise<void>>());

  const outbox = useMemo((): Outbox => {
    const deliver = async ({ conversationId, key, text }: Outgoing) => {
      try {
        await persistently(() => reply(conversationId, text, key));
      } catch (error) {
        change({ kind: "failed", key, problem: asProblem(error) });
        return;
      }
      // The bubble stays until the timeline has the message in its place.
      await renew(conversationId).catch(() => undefined);
      change({ kind: "accepted", key });
    };
    const enqueue = (message: Outgoing) => {
      const before = turns.current.get(message.conversationId) ?? Promise.resolve();
      turns.current.set(
        message.conversationId,
        before.then(() => deliver(message)),
      );
    };
    return {
      messages,
      send: (conversationId, text) => {
        const message = { key: newIdempotencyKey(), conversationId, text, at: new Date().toISOString(), problem: null };
        change({ kind: "written", message });
        enqueue(message);
      },
      retry: (message) => {
        // A refusal is remembered under its key; only what may have been lost on the way keeps it.
        const newKey = message.problem?.isPassing ? message.key : newIdempotencyKey();
        change({ kind: "retried", key: message.key, newKey });
        enqueue({ ...message, key: newKey, problem: null });
      },
      discard: (key) => {
        change({ kind: "discarded", key });
      },
    };
  }, [messages, renew]);

  return <OutboxContext value={outbox}>{children}</OutboxContext>;
}
