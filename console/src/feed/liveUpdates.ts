import type { QueryClient } from "@tanstack/react-query";
import { call } from "../api/call";
import { keys } from "../api/keys";
import { asProblem } from "../api/problem";
import type { Change, Conversation } from "../api/types";
import { Coalescer } from "./coalescer";
import { find, isMine, placeConversation, removeConversation, views, type ConversationList } from "./conversationLists";

const administrationStreams = new Set(["channel", "skill_group", "bot", "app", "person"]);

/**
 * Turns changes of the feed into fresh caches. It never guesses the new state from a change: it asks for it, so that an event
 * type which the console does not know yet is shown all the same.
 */
export class LiveUpdates {
  readonly #client: QueryClient;
  readonly #personId: string;
  #onArrival: (conversation: Conversation) => void = () => undefined;
  readonly #conversations: Coalescer;
  readonly #counters: Coalescer;

  constructor(client: QueryClient, personId: string) {
    this.#client = client;
    this.#personId = personId;
    this.#conversations = new Coalescer({
      delayMs: 30,
      parallel: 4,
      limit: 60,
      run: (id) => this.renewConversation(id),
      runAll: () => this.renewEverything(),
    });
    this.#counters = new Coalescer({
      delayMs: 400,
      parallel: 1,
      limit: 10,
      run: () => this.#renewCounters(),
      runAll: () => this.#renewCounters(),
    });
  }

  /** `onArrival` hears of each conversation that has become this person's. */
  start(onArrival: (conversation: Conversation) => void): void {
    this.#onArrival = onArrival;
  }

  changed(change: Change): void {
    if (change.conversation_id !== null) this.#conversations.request(change.conversation_id);
    else if (change.visitor_id !== null) this.#openConversationsOf(change.visitor_id).forEach((id) => { this.#conversations.request(id); });
    if (change.conversation_id !== null || change.stream === "agent") this.#counters.request("all");
    if (administrationStreams.has(change.stream)) void this.#client.invalidateQueries({ queryKey: keys.administration });
  }

  stop(): void {
    this.#conversations.stop();
    this.#counters.stop();
  }

  async renewConversation(id: string): Promise<void> {
    const timeline = this.#client.invalidateQueries({ queryKey: keys.timeline(id) });
    const conversation = await readConversation(id);
    if (conversation) this.#place(conversation);
    else this.#remove(id);
    await timeline;
  }

  async renewEverything(): Promise<void> {
    await this.#client.invalidateQueries({ predicate: (query) => query.queryKey[0] !== keys.session[0] });
  }

  #place(conversation: Conversation): void {
    const mine = this.#client.getQueryData<ConversationList>(keys.conversationList("mine"));
    const isNew = mine !== undefined && isMine(conversation, this.#personId) && !find(mine, conversation.id);
    this.#client.setQueryData(keys.conversation(conversation.id), conversation);
    for (const view of views) {
      this.#client.setQueryData<ConversationList>(
        keys.conversationList(view),
        (list) => list && placeConversation(list, view, conversation, this.#personId),
      );
    }
    if (isNew) this.#onArrival(conversation);
  }

  /** What a visitor does beside writing (reads, reacts) names no conversation; those that were looked at show it. */
  #openConversationsOf(visitorId: string): string[] {
    return this.#client
      .getQueriesData<Conversation>({ queryKey: keys.conversations })
      .flatMap(([, conversation]) => (conversation?.visitor.id === visitorId && conversation.phase !== "closed" ? [conversation.id] : []));
  }

  #remove(id: string): void {
    this.#client.setQueriesData<ConversationList>({ queryKey: keys.conversationLists }, (list) => list && removeConversation(list, id));
    this.#client.removeQueries({ queryKey: keys.conversation(id) });
  }

  async #renewCounters(): Promise<void> {
    await Promise.all([
      this.#client.invalidateQueries({ queryKey: keys.counters }),
      this.#client.invalidateQueries({ queryKey: keys.presence }),
    ]);
  }
}

async function readConversation(id: string): Promise<Conversation | null> {
  try {
    return (await call("GET /conversations/{id}", { path: { id } })).conversation;
  } catch (error) {
    const { id: problem } = asProblem(error);
    // Handed to a group that this person does not belong to.
    if (problem === "not_found" || problem === "not_permitted") return null;
    throw error;
  }
}
