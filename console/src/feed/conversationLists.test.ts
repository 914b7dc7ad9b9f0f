import { describe, expect, it } from "vitest";
import type { Phase } from "../api/types";
import { conversation, conversationPage } from "../testing/conversation";
import { appendPage, belongs, listOf, placeConversation, removeConversation, views } from "./conversationLists";

const ids = (list: { conversations: { id: string }[] }) => list.conversations.map((one) => one.id);

describe("which list a conversation is in", () => {
  const expected: [Phase, string[]][] = [
    ["with_bot", ["open"]],
    ["waiting", ["queue", "open"]],
    ["offered", ["mine", "open"]],
    ["with_agent", ["mine", "open"]],
    ["wrap_up", ["mine", "open"]],
    ["closed", ["closed"]],
  ];

  it.each(expected)("a conversation that is %s is in %j", (phase, lists) => {
    const agent = phase === "with_bot" || phase === "waiting" ? null : { id: "me", name: "Zhang San" };
    expect(views.filter((view) => belongs(conversation({ phase, agent }), view, "me"))).toEqual(lists);
  });

  it("a conversation of somebody else is not mine", () => {
    expect(belongs(conversation({ agent: { id: "other", name: "Li Si" } }), "mine", "me")).toBe(false);
  });
});

describe("placing a conversation that changed", () => {
  const early = conversation({ id: "early", last_activity_at: "2026-01-01T09:00:00.000Z" });
  const late = conversation({ id: "late", last_activity_at: "2026-01-01T10:00:00.000Z" });
  const list = listOf(conversationPage([late, early]), "mine");

  it("moves to the front by its newest activity", () => {
    const changed = { ...early, version: 2, last_activity_at: "2026-01-01T11:00:00.000Z" };
    expect(ids(placeConversation(list, "mine", changed, "me"))).toEqual(["early", "late"]);
  });

  it("enters a list that it now belongs in", () => {
    expect(ids(placeConversation(list, "mine", conversation({ id: "new" }), "me"))).toContain("new");
  });

  it("leaves a list when it no longer belongs there", () => {
    expect(ids(placeConversation(list, "mine", { ...late, version: 2, phase: "closed" }, "me"))).toEqual(["early"]);
  });

  it("does not let an answer that was overtaken undo a newer one", () => {
    const newer = placeConversation(list, "mine", { ...early, version: 5, unanswered: true }, "me");
    expect(placeConversation(newer, "mine", { ...early, version: 4 }, "me")).toBe(newer);
  });

  it("keeps the queue in the order of arrival", () => {
    const waiting = (id: string, since: string) => conversation({ id, phase: "waiting", agent: null, waiting_since: since });
    const queue = listOf(conversationPage([waiting("second", "2026-01-01T08:05:00.000Z")]), "queue");
    const longer = placeConversation(queue, "queue", waiting("first", "2026-01-01T08:00:00.000Z"), "me");
    expect(ids(placeConversation(longer, "queue", waiting("third", "2026-01-01T08:10:00.000Z"), "me"))).toEqual(["first", "second", "third"]);
  });
});

describe("loading further pages", () => {
  it("shows a conversation once that the feed had brought in before", () => {
    const list = listOf(conversationPage([conversation({ id: "a", version: 7 })], "more"), "mine");
    const longer = appendPage(list, conversationPage([conversation({ id: "a", version: 3 }), conversation({ id: "b" })]), "mine");
    expect(ids(longer)).toEqual(["a", "b"]);
    expect(longer.conversations[0]?.version).toBe(7);
    expect(longer.next).toBeNull();
  });

  it("removes only what is there, without a new list otherwise", () => {
    const list = listOf(conversationPage([conversation()]), "mine");
    expect(removeConversation(list, "unknown")).toBe(list);
    expect(ids(removeConversation(list, "c1"))).toEqual([]);
  });

  it("places a change among ten thousand conversations within a frame or two", () => {
    const many = Array.from({ length: 10_000 }, (_, index) =>
      conversation({ id: `c${index}`, last_activity_at: new Date(1_700_000_000_000 + index * 1000).toISOString() }),
    );
    const list = listOf(conversationPage(many), "mine");
    const began = performance.now();
    const changed = placeConversation(list, "mine", conversation({ id: "c0", version: 2, last_activity_at: "2027-01-01T00:00:00.000Z" }), "me");
    expect(changed.conversations[0]?.id).toBe("c0");
    expect(performance.now() - began).toBeLessThan(200);
  });
});
