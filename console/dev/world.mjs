// The state behind the stand-in server, and just enough behaviour to look at every state of the screens.
import { randomUUID } from "node:crypto";

const group = { id: randomUUID(), name: "售前咨询" };
const second = { id: randomUUID(), name: "售后服务" };
const bot = { id: randomUUID(), name: "小春" };
const app = { id: randomUUID(), name: "春松客服应用" };
const channel = { id: randomUUID(), name: "春松客服 DEMO" };
const names = ["Mei Lin", "王小明", null, "Alexander Thompson-Rodriguez", "陈思雨", "Nguyễn Văn An", "李华", null, "Fatima Al-Sayed", "赵敏"];
const questions = ["你好，请问这款产品有现货吗？", "How long does shipping to Singapore take?", "订单 20231 一直没有收到", "谢谢！", "可以开发票吗", "👍"];
const agentMay = ["conversation.read", "conversation.reply", "presence.change"];
const administratorMay = [...agentMay, "conversation.assign", "directory.read", "app.manage", "channel.manage", "bot.manage", "skill_group.manage", "person.manage"];

export class World {
  position = 0;
  changes = [];
  listeners = new Set();
  conversations = new Map();

  constructor(count) {
    this.people = [
      this.#person("zhangsan", "张三", "小张", "agent", [group.id]),
      this.#person("admin", "管理员", "客服主管", "administrator", [group.id, second.id]),
    ];
    this.administration = this.#administration();
    for (let index = 0; index < count; index += 1) this.#seed(index, count);
  }

  cursor() {
    return String(this.position);
  }

  session(person) {
    const { id, login, name, public_name, role, skill_groups } = person;
    return { person: { id, login, name, public_name, role, skill_groups }, permissions: this.permissions(person), csrf_token: "development", presence: this.presence(person) };
  }

  permissions({ role }) {
    return role === "administrator" ? administratorMay : agentMay;
  }

  presence({ id }) {
    const person = this.people.find((one) => one.id === id);
    const active = [...this.conversations.values()].filter((one) => one.agent?.id === id && one.phase === "with_agent").length;
    return { presence: person.presence, capacity: person.capacity, active, position: this.cursor() };
  }

  changePresence(person, presence) {
    person.presence = presence;
    if (presence === "ready") [...this.conversations.values()].filter((one) => one.phase === "waiting").slice(0, 1).forEach((one) => this.#assign(one, person));
    this.#tell("presence_changed", "agent", { agent_id: person.id });
    return this.presence(person);
  }

  list(view, person, limit, after) {
    const belongs = {
      mine: (one) => one.phase !== "closed" && one.agent?.id === person.id,
      queue: (one) => one.phase === "waiting",
      open: (one) => one.phase !== "closed",
      closed: (one) => one.phase === "closed",
    }[view];
    const found = [...this.conversations.values()].filter(belongs);
    found.sort((a, b) => (view === "queue" ? a.waiting_since.localeCompare(b.waiting_since) : b.last_activity_at.localeCompare(a.last_activity_at)));
    const start = Number(after ?? 0);
    return {
      conversations: found.slice(start, start + limit).map((one) => this.shown(one)),
      meta: { next: start + limit < found.length ? String(start + limit) : null, total_waiting: [...this.conversations.values()].filter((one) => one.phase === "waiting").length },
      cursor: this.cursor(),
    };
  }

  shown({ items: _, ...one }) {
    return one;
  }

  timeline(one, limit, before) {
    const end = before === null ? one.items.length : Number(before);
    const start = Math.max(0, end - limit);
    return { items: one.items.slice(start, end), meta: { next: start > 0 ? String(start) : null }, cursor: this.cursor() };
  }

  accept(one, person) {
    this.#assign(one, person);
    return { position: this.cursor() };
  }

  handOver(one, to, person) {
    one.agent = null;
    one.phase = to === "bot" ? "with_bot" : "waiting";
    one.waiting_since = to === "bot" ? null : new Date().toISOString();
    this.#notice(one, to === "bot" ? "handed_over" : "queued", person);
    return { position: this.cursor() };
  }

  close(one, person) {
    one.phase = "closed";
    one.unanswered = false;
    this.#notice(one, "closed", person);
    return { position: this.cursor() };
  }

  reply(one, text, person) {
    const item = this.#item(one, { direction: "out", author: { kind: "agent", id: person.id, name: person.name }, text, status: "pending" });
    one.unanswered = false;
    this.#tell("reply_intended", "conversation", { conversation_id: one.id });
    setTimeout(() => {
      item.status = text.includes("!refused") ? "refused" : "sent";
      item.status_reason = item.status === "refused" ? "window_closed" : null;
      this.#tell("attempt_ended", "conversation", { conversation_id: one.id });
    }, 400);
    return { message_id: item.id, position: this.cursor() };
  }

  visitorWrites(psid, text) {
    const one = this.#openOf(psid);
    this.#item(one, { direction: "in", author: { kind: "visitor", id: null, name: null }, text });
    one.unanswered = one.phase !== "with_bot";
    this.#tell("message_received", "conversation", { conversation_id: one.id });
    if (one.phase !== "with_bot") return;
    const knows = text.includes("你好");
    const answer = knows ? { text: "您好，我是小春，请问有什么可以帮您？" } : { text: "抱歉，我没有找到合适的答案。", buttons: ["转人工"] };
    this.#item(one, { direction: "out", author: { kind: "bot", id: bot.id, name: bot.name }, status: "sent", ...answer });
    this.#tell("bot_answered", "conversation", { conversation_id: one.id });
  }

  visitorTaps(psid, title) {
    const one = this.#openOf(psid);
    this.#item(one, { kind: "postback", direction: "in", author: { kind: "visitor", id: null, name: null }, text: title });
    this.#notice(one, "handed_over");
    const ready = this.people.find((person) => person.presence === "ready");
    if (ready) this.#assign(one, ready);
    else {
      one.phase = "waiting";
      one.waiting_since = new Date().toISOString();
      this.#notice(one, "queued");
    }
  }

  seenBy(psid) {
    const mine = [...this.conversations.values()].filter((one) => one.visitor.id.endsWith(psid));
    return mine.flatMap((one) => one.items.filter((item) => ["message", "postback"].includes(item.kind)));
  }

  #openOf(psid) {
    const open = [...this.conversations.values()].find((one) => one.visitor.id.endsWith(psid) && one.phase !== "closed");
    return open ?? this.#open(psid, null, "with_bot", new Date());
  }

  #open(psid, name, phase, at) {
    const one = {
      id: randomUUID(), visitor: { id: `00000000-0000-0000-0000-${psid}`, name, page_id: "159955055741" }, channel, skill_group: group, phase, agent: null,
      opened_at: at.toISOString(), waiting_since: null, last_activity_at: at.toISOString(), last_message: null, unanswered: false, version: 1, items: [],
    };
    this.conversations.set(one.id, one);
    this.#notice(one, "conversation_opened", null, at);
    return one;
  }

  #assign(one, person) {
    one.agent = { id: person.id, name: person.name };
    one.phase = "with_agent";
    one.waiting_since = null;
    this.#notice(one, "assigned", person);
  }

  #item(one, item, at = new Date()) {
    const whole = { id: randomUUID(), at: at.toISOString(), kind: "message", direction: "none", text: null, attachments: [], buttons: [], status: null, status_reason: null, event: null, late: false, ...item };
    one.items.push(whole);
    one.version += 1;
    one.last_activity_at = whole.at;
    if (whole.direction !== "none") one.last_message = { direction: whole.direction, text: whole.text, at: whole.at };
    return whole;
  }

  #notice(one, event, person = null, at = new Date()) {
    this.#item(one, { kind: "notice", event, author: { kind: "system", id: person?.id ?? null, name: person?.name ?? null } }, at);
    this.#tell(event, "conversation", { conversation_id: one.id });
  }

  #tell(type, stream, what) {
    this.position += 1;
    const change = { cursor: this.cursor(), type, stream, conversation_id: null, visitor_id: null, agent_id: null, occurred_at: new Date().toISOString(), payload: {}, ...what };
    this.changes.push(change);
    if (this.changes.length > 2000) this.changes.shift();
    this.listeners.forEach((write) => write(change));
  }

  #person(login, name, public_name, role, skill_groups) {
    return { id: randomUUID(), login, name, public_name, role, skill_groups, capacity: 5, enabled: true, version: 1, password: "demo-demo", presence: "offline" };
  }

  #seed(index, count) {
    const at = new Date(Date.now() - (index < 6 ? index * 7 : index * 300) * 60_000);
    const many = count > 100;
    const phase = ["with_agent", "waiting", "with_bot", "with_agent", "closed", "waiting"][index % 6];
    const one = this.#open(String(1000 + index).padStart(12, "7"), names[index % names.length], phase, new Date(at.getTime() - 86_400_000));
    for (let turn = 0; turn < (index === 0 ? 140 : many ? 1 : 3); turn += 1) {
      const when = new Date(at.getTime() - (150 - turn) * 40_000);
      this.#item(one, { direction: "in", author: { kind: "visitor", id: null, name: null }, text: questions[(index + turn) % questions.length] }, when);
      if (turn % 3 === 1) this.#item(one, { direction: "out", author: { kind: "bot", id: bot.id, name: bot.name }, text: "抱歉，我没有找到合适的答案。", buttons: ["转人工"], status: "read" }, when);
    }
    if (phase === "with_agent") this.#serve(one, index, at);
    if (phase === "waiting") Object.assign(one, { waiting_since: at.toISOString(), unanswered: true });
    one.last_activity_at = at.toISOString();
  }

  #serve(one, index, at) {
    const agent = this.people[index % 4 === 0 || index % 4 === 3 ? 0 : 1];
    const author = { kind: "agent", id: agent.id, name: agent.name };
    one.agent = { id: agent.id, name: agent.name };
    this.#notice(one, "assigned", agent, at);
    this.#item(one, { direction: "out", author: { kind: "system", id: null, name: null }, text: `坐席分配成功，${agent.public_name || agent.name}为您服务。`, status: "sent" }, at);
    this.#item(one, { direction: "out", author, text: "您好，现货充足，今天下单明天即可发出。", status: "read" }, at);
    this.#item(one, { direction: "out", author, text: "We ship with DHL Express, which takes three to five working days:\nhttps://www.example.com/shipping/international/south-east-asia?language=en&method=express", status: "refused", status_reason: "window_closed" }, at);
    this.#item(one, { direction: "out", author, text: "需要我为您登记吗？", status: "unknown" }, at);
    this.#item(one, { direction: "in", author: { kind: "visitor", id: null, name: null }, text: null, attachments: [{ type: "file", url: "https://example.com/a.pdf", title: "订单.pdf" }] }, at);
    this.#item(one, { direction: "in", author: { kind: "visitor", id: null, name: null }, text: questions[index % questions.length] }, at);
    one.unanswered = index % 2 === 0;
  }

  #administration() {
    const rows = (many, one, list, complete, shown = (row) => row) => ({
      many, one, rows: list, shown,
      create: (body) => list[list.push({ id: randomUUID(), version: 1, ...complete(body) }) - 1],
      edit: (row, body) => Object.assign(row, complete({ ...row, ...body }), { version: row.version + 1 }),
    });
    const refer = (list, id) => { const { id: found, name } = list.find((one) => one.id === id) ?? {}; return found ? { id: found, name } : null; };
    const apps = [{ ...app, app_id: "2711253129125871", callback_path: "/facebook/webhook/159955055741", has_app_secret: true, has_second_secret: false, version: 1 }];
    const bots = [{ ...bot, client_id: "63a0b0d5f1c2", base_url: null, has_secret: true, enabled: true, deadline_ms: 30_000, version: 1 }];
    const groups = [{ ...group, members: this.people.map((one) => one.id), version: 1 }, { ...second, members: [this.people[1].id], version: 1 }];
    const texts = { no_agent: "坐席全忙，已进入等待队列。", queued: "在您之前，还有 {num} 位等待用户。", assigned: "坐席分配成功，{agent}为您服务。", ended: "坐席已断开和您的对话", transfer_manual_service: "转人工" };
    const channels = [{ ...channel, page_id: "159955055741", app, skill_group: group, bot, work_mode: "bot_first", enabled: true, has_token: true, webhook_path: "/facebook/webhook/159955055741", texts, version: 1 }];
    return {
      apps: rows("apps", "app", apps, ({ app_secret, second_secret, verify_token: _, ...rest }) => ({ callback_path: "", ...rest, has_app_secret: Boolean(app_secret) || rest.has_app_secret, has_second_secret: second_secret === undefined ? rest.has_second_secret ?? false : second_secret !== null })),
      bots: rows("bots", "bot", bots, ({ secret, ...rest }) => ({ enabled: true, deadline_ms: 30_000, ...rest, has_secret: Boolean(secret) || (rest.has_secret ?? false) })),
      "skill-groups": rows("skill_groups", "skill_group", groups, (body) => ({ members: [], ...body })),
      people: rows("people", "person", this.people, (body) => ({ enabled: true, presence: "offline", ...body }), ({ password: _, presence: __, ...person }) => person),
      channels: rows("channels", "channel", channels, ({ access_token, app_id, skill_group_id, bot_id, ...rest }) => ({
        enabled: true, texts, webhook_path: `/facebook/webhook/${rest.page_id}`, ...rest,
        has_token: Boolean(access_token) || (rest.has_token ?? false),
        ...(app_id ? { app: refer(apps, app_id) } : {}), ...(skill_group_id ? { skill_group: refer(groups, skill_group_id) } : {}), ...(bot_id === undefined ? {} : { bot: refer(bots, bot_id) }),
      })),
    };
  }
}
