import { describe, expect, it } from "vitest";
import type { Permission } from "../../api/types";
import { conversation } from "../../testing/conversation";
import { possibleActions } from "./possibleActions";

const agent = (permission: Permission) => permission === "conversation.read" || permission === "conversation.reply";
const administrator = () => true;

describe("what an agent may do", () => {
  it("with a conversation of their own: reply, hand over, close", () => {
    expect(possibleActions(conversation(), "me", agent)).toEqual({ accept: false, toQueue: true, toBot: true, close: true, reply: true });
  });

  it("with a conversation of somebody else: look", () => {
    const others = conversation({ agent: { id: "other", name: "Li Si" } });
    expect(Object.values(possibleActions(others, "me", agent))).not.toContain(true);
  });

  it("with a waiting conversation: take it", () => {
    expect(possibleActions(conversation({ phase: "waiting", agent: null }), "me", agent)).toMatchObject({ accept: true, reply: false });
  });

  it("with a closed conversation: look", () => {
    expect(Object.values(possibleActions(conversation({ phase: "closed" }), "me", administrator))).not.toContain(true);
  });
});

describe("what an administrator may do", () => {
  it("with a conversation of an agent: close it, not speak in the agent's name or pass it on", () => {
    const others = conversation({ agent: { id: "other", name: "Li Si" } });
    expect(possibleActions(others, "me", administrator)).toEqual({ accept: false, toQueue: false, toBot: false, close: true, reply: false });
  });
});
