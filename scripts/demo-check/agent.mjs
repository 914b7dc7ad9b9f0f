// The agent, acting through the public API and learning of news from the live feed.

import { until } from "./patience.mjs";

export class Agent {
  #base;
  #cookie;
  #csrf;
  #news = [];
  #feed = new AbortController();
  conversation;

  constructor(consoleUrl) {
    this.#base = `${consoleUrl}/api/v1`;
  }

  async #call(method, path, body, headers = {}) {
    const answer = await fetch(this.#base + path, {
      method,
      headers: {
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...(this.#cookie ? { Cookie: this.#cookie } : {}),
        ...(this.#csrf ? { "X-CSRF-Token": this.#csrf } : {}),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`the API answers ${answer.status} to ${method} ${path}: ${await answer.text()}`);
    return answer;
  }

  async signIn(login, password) {
    const answer = await this.#call("POST", "/session", { login, password });
    this.#cookie = answer.headers.getSetCookie().map((cookie) => cookie.split(";")[0]).join("; ");
    this.#csrf = (await answer.json()).csrf_token;
  }

  becomeReady() {
    return this.#call("PUT", "/presence", { presence: "ready" });
  }

  // Opens the feed; what it brings is kept in order.
  async listen() {
    const answer = await this.#call("GET", "/feed", undefined, { Accept: "text/event-stream" });
    this.#read(answer.body).catch((error) => {
      if (!this.#feed.signal.aborted) this.#news.push({ event: "broken", error });
    });
    await until("the feed's hello", () => this.#news.some((news) => news.event === "hello"));
  }

  async #read(body) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    this.#feed.signal.addEventListener("abort", () => reader.cancel().catch(() => {}));
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const blocks = (rest + value).split(/\r?\n\r?\n/);
      rest = blocks.pop();
      for (const block of blocks) this.#note(block);
    }
  }

  #note(block) {
    const fields = block.split(/\r?\n/).map((line) => line.match(/^(event|data): ?(.*)$/)).filter(Boolean);
    const event = fields.find(([, name]) => name === "event")?.[2];
    const data = fields.filter(([, name]) => name === "data").map(([, , value]) => value).join("\n");
    if (event) this.#news.push({ event, data: data ? JSON.parse(data) : null });
  }

  stopListening() {
    this.#feed.abort();
  }

  // The conversation in which a visitor said this, once the feed has told of it and a human is wanted.
  async receives(text) {
    this.conversation = await until("the conversation to reach the agent", async () => {
      for (const conversation of await this.#listed()) {
        if (this.#heardOf(conversation) && this.#wantsHuman(conversation) && (await this.#holds(conversation, text))) return conversation;
      }
      return undefined;
    });
    if (["waiting", "offered"].includes(this.conversation.phase)) {
      await this.#call("POST", `/conversations/${this.conversation.id}/accept`, {});
    }
    return this.conversation;
  }

  #heardOf({ id }) {
    return this.#news.some(({ event, data }) => event === "changed" && data.conversation_id === id);
  }

  #wantsHuman({ phase }) {
    return ["waiting", "offered", "with_agent"].includes(phase);
  }

  async #holds(conversation, text) {
    return (await this.timeline(conversation)).some((item) => item.text === text);
  }

  async #listed() {
    const views = await Promise.all(["mine", "queue"].map((view) => this.#call("GET", `/conversations?view=${view}`)));
    const lists = await Promise.all(views.map((view) => view.json()));
    return lists.flatMap((list) => list.conversations);
  }

  async timeline(conversation) {
    const answer = await this.#call("GET", `/conversations/${conversation.id}/timeline?limit=100`);
    return (await answer.json()).items;
  }

  seesInTimeline(conversation, what, fits) {
    return until(`the agent to see ${what}`, async () => (await this.timeline(conversation)).find(fits));
  }

  async reply(conversation, text, key) {
    const headers = { "Idempotency-Key": key };
    await this.#call("POST", `/conversations/${conversation.id}/replies`, { text }, headers);
    // The same again, as after a lost answer: it must not be sent twice.
    await this.#call("POST", `/conversations/${conversation.id}/replies`, { text }, headers);
  }
}
