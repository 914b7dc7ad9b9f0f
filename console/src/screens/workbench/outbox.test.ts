import { describe, expect, it } from "vitest";
import { Problem } from "../../api/problem";
import { outboxReducer, type Outgoing } from "./outbox";

const message = (key: string): Outgoing => ({ key, conversationId: "c1", text: key, at: "2026-01-01T08:00:00.000Z", problem: null });

describe("the outbox", () => {
  const both = [message("a"), message("b")];

  it("keeps replies in the order in which they were written", () => {
    expect(outboxReducer([message("a")], { kind: "written", message: message("b") })).toEqual(both);
  });

  it("lets go of a reply that the server has, and of no other", () => {
    expect(outboxReducer(both, { kind: "accepted", key: "a" })).toEqual([message("b")]);
  });

  it("keeps a reply that failed, with the reason", () => {
    const problem = new Problem("text_too_long", 422);
    expect(outboxReducer(both, { kind: "failed", key: "b", problem })).toEqual([message("a"), { ...message("b"), problem }]);
  });

  it("forgets the reason when the reply is tried again, in its place", () => {
    const failed = [{ ...message("a"), problem: new Problem("unreachable", 0) }, message("b")];
    expect(outboxReducer(failed, { kind: "retried", key: "a", newKey: "a2" })).toEqual([{ ...message("a"), key: "a2" }, message("b")]);
  });

  it("drops a reply that the agent gave up", () => {
    expect(outboxReducer(both, { kind: "discarded", key: "b" })).toEqual([message("a")]);
  });
});
