import type { Conversation, Permission } from "../../api/types";

export interface PossibleActions {
  accept: boolean;
  toQueue: boolean;
  toBot: boolean;
  close: boolean;
  reply: boolean;
}

const nothing: PossibleActions = { accept: false, toQueue: false, toBot: false, close: false, reply: false };

/** What is offered to a person. The server decides; this keeps away what it would surely refuse. */
export function possibleActions(conversation: Conversation, personId: string, may: (permission: Permission) => boolean): PossibleActions {
  if (!may("conversation.reply")) return nothing;
  const isOwn = conversation.agent?.id === personId;
  // Who may assign may end anybody's conversation, but only the agent who has it passes it on.
  const mayEnd = may("conversation.assign");
  switch (conversation.phase) {
    case "with_bot":
      return { ...nothing, close: mayEnd };
    case "waiting":
      return { ...nothing, accept: true, close: mayEnd };
    case "offered":
      return { ...nothing, accept: isOwn, toQueue: isOwn, close: mayEnd };
    case "with_agent":
      return { accept: false, toQueue: isOwn, toBot: isOwn, close: isOwn || mayEnd, reply: isOwn };
    case "wrap_up":
      return { ...nothing, close: isOwn || mayEnd };
    case "closed":
      return nothing;
  }
}
