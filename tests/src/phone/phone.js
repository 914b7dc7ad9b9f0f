// The phone shows the thread that the server sends, whole, with every change; it keeps nothing of its own.

const CHINESE = {
  tongue: "zh-CN",
  connected: "Messenger · 在线",
  connecting: "正在连接…",
  stranger: "新访客",
  strangerHint: "以另一位访客的身份打开（新窗口）",
  write: "输入消息",
  send: "发送",
  thread: "对话",
  replies: "快捷回复",
  typing: "对方正在输入",
  sent: "✓ 已发送",
  delivered: "✓✓ 已送达",
  read: "✓✓ 已读",
  failed: "消息未能发出，请再试一次",
  visitor: (name, psid) => (name ? `访客 ${name} · PSID ${psid}` : `PSID ${psid}`),
  file: { image: "图片", audio: "语音", video: "视频", file: "文件" },
};

const ENGLISH = {
  tongue: "en",
  connected: "Messenger · online",
  connecting: "Connecting…",
  stranger: "New visitor",
  strangerHint: "Open as another visitor (new window)",
  write: "Write a message",
  send: "Send",
  thread: "Conversation",
  replies: "Quick replies",
  typing: "Typing",
  sent: "✓ Sent",
  delivered: "✓✓ Delivered",
  read: "✓✓ Read",
  failed: "The message was not sent. Please try again.",
  visitor: (name, psid) => (name ? `Visitor ${name} · PSID ${psid}` : `PSID ${psid}`),
  file: { image: "Picture", audio: "Audio", video: "Video", file: "File" },
};

const parameters = new URLSearchParams(location.search);
const psid = parameters.get("psid");
const tongue = parameters.get("lang") ?? navigator.language;
const texts = tongue.toLowerCase().startsWith("en") ? ENGLISH : CHINESE;
const api = `/phone/threads/${encodeURIComponent(psid)}`;
const element = (id) => document.getElementById(id);

let typingEnds;
// Whether the newest item is in sight, and should stay so when something comes or the window changes.
let following = true;

function make(tag, className, words) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (words !== undefined) made.textContent = words;
  return made;
}

async function post(path, body) {
  const answer = await fetch(`${api}/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
}

function tap(mid, { title, payload }) {
  post("taps", { title, payload, mid }).catch(() => connection(texts.failed));
}

function connection(words) {
  element("connection").textContent = words;
}

function button(mid, { type, title, payload, url }) {
  if (type === "web_url") {
    const link = make("a", "", title);
    link.href = url;
    link.target = "_blank";
    link.rel = "noopener";
    return link;
  }
  const made = make("button", "", title);
  made.type = "button";
  made.dataset.testid = "phone-button";
  made.addEventListener("click", () => tap(mid, { title, payload }));
  return made;
}

function attachment({ type, url, title, subtitle }) {
  const bubble = make("div", "bubble");
  if ((type === "image" || type === "card") && url) {
    const image = make("img");
    image.src = url;
    image.alt = title ?? texts.file.image;
    bubble.append(image);
  } else if (type !== "card") {
    const link = make("a", "", texts.file[type] ?? type);
    if (url) link.href = url;
    link.target = "_blank";
    link.rel = "noopener";
    bubble.append(link);
  }
  if (title) bubble.append(make("strong", "", title));
  if (subtitle) bubble.append(make("div", "subtitle", subtitle));
  return bubble;
}

function fate(item) {
  if (item.read) return texts.read;
  return item.delivered ? texts.delivered : texts.sent;
}

function words(text) {
  const bubble = make("div", "bubble", text);
  bubble.dataset.testid = "phone-bubble";
  return bubble;
}

function drawItem(item, before, isLastOwn) {
  const row = make("li", `item ${item.from}`);
  row.dataset.mid = item.mid;
  if (before && before.from !== item.from) row.classList.add("turn");
  if (item.text) row.append(words(item.text));
  for (const shown of item.attachments) row.append(attachment(shown));
  if (item.buttons.length > 0) {
    const group = make("div", "buttons");
    for (const shown of item.buttons) group.append(button(item.mid, shown));
    row.append(group);
  }
  if (isLastOwn) row.append(make("div", "fate", fate(item)));
  row.title = new Date(item.at).toLocaleString(texts.tongue);
  return row;
}

function drawHour(item, before) {
  if (before && item.at - before.at < 15 * 60_000) return [];
  const words = new Date(item.at).toLocaleTimeString(texts.tongue, { hour: "2-digit", minute: "2-digit" });
  return [make("li", "hour", words)];
}

function drawThread(items) {
  const lastOwn = items.findLast((item) => item.from === "visitor");
  return items.flatMap((item, place) => {
    const before = items[place - 1];
    return [...drawHour(item, before), drawItem(item, before, item === lastOwn)];
  });
}

// Rows that did not change stay as they are: the focus stays where it is, and a screen reader hears only what is new.
function update(list, rows) {
  rows.forEach((row, place) => {
    const shown = list.children[place];
    if (!shown) list.append(row);
    else if (!shown.isEqualNode(row)) shown.replaceWith(row);
  });
  while (list.children.length > rows.length) list.lastElementChild.remove();
}

// A row's buttons act through listeners, which a comparison does not see: equal rows have equal mids, hence equal taps.
function drawReplies(items) {
  const newest = items.at(-1);
  const replies = newest?.from === "page" ? newest.quick_replies : [];
  const shown = replies.map((reply) => {
    const made = button(newest.mid, reply);
    made.dataset.mid = newest.mid;
    return made;
  });
  update(element("replies"), shown);
  element("replies").hidden = replies.length === 0;
}

function drawTyping(until) {
  clearTimeout(typingEnds);
  const left = (until ?? 0) - Date.now();
  element("typing").hidden = left <= 0;
  element("typing-words").textContent = left > 0 ? texts.typing : "";
  if (left > 0) typingEnds = setTimeout(() => drawTyping(null), left);
}

function stayAtEnd() {
  const list = element("thread");
  if (following) list.scrollTop = list.scrollHeight;
}

function follow() {
  const list = element("thread");
  list.addEventListener("scroll", () => {
    following = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  });
  new ResizeObserver(stayAtEnd).observe(list);
}

function draw(thread) {
  element("page-name").textContent = thread.page.name;
  element("portrait").textContent = [...thread.page.name][0] ?? "";
  element("visitor").textContent = texts.visitor(thread.visitor_name, thread.psid);
  document.title = thread.page.name;
  update(element("thread"), drawThread(thread.items));
  drawReplies(thread.items);
  drawTyping(thread.typing_until);
  stayAtEnd();
  if (document.visibilityState === "visible" && thread.items.some((item) => item.from === "page" && !item.read)) {
    post("reads", {}).catch(() => {});
  }
}

function label() {
  document.documentElement.lang = texts.tongue;
  connection(texts.connecting);
  element("stranger").textContent = texts.stranger;
  element("stranger").title = texts.strangerHint;
  element("words-label").textContent = texts.write;
  element("words").placeholder = texts.write;
  element("send").setAttribute("aria-label", texts.send);
  element("thread").setAttribute("aria-label", texts.thread);
  element("replies").setAttribute("aria-label", texts.replies);
  if (parameters.has("lang")) element("stranger").href = `/phone?lang=${texts.tongue}`;
}

function listen() {
  const events = new EventSource(`${api}/events`);
  let latest;
  events.addEventListener("open", () => connection(texts.connected));
  events.addEventListener("error", () => connection(texts.connecting));
  events.addEventListener("thread", (event) => {
    latest = JSON.parse(event.data);
    draw(latest);
  });
  document.addEventListener("visibilitychange", () => latest && draw(latest));
}

async function say(event) {
  event.preventDefault();
  const words = element("words");
  const text = words.value.trim();
  if (!text) return;
  words.value = "";
  following = true;
  try {
    await post("messages", { text });
  } catch {
    words.value = text;
    connection(texts.failed);
  }
  words.focus();
}

label();
follow();
listen();
element("composer").addEventListener("submit", say);
element("words").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) say(event);
});
element("words").focus();
