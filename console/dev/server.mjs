// A stand-in for the dispatcher, for working on the console alone: `npm run dev:server`, then `npm run dev`.
// It keeps everything in memory, serves dist/ too when that is built, and has a telephone at /phone.
// Environment: PORT (8036), CONVERSATIONS (how many to begin with, 12).
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { randomUUID } from "node:crypto";
import { phonePage } from "./phone.mjs";
import { World } from "./world.mjs";

const port = Number(process.env.PORT ?? 8036);
const world = new World(Number(process.env.CONVERSATIONS ?? 12));
const dist = fileURLToPath(new URL("../dist", import.meta.url));
const sessions = new Map();
const answers = new Map();
const problemStatus = {
  not_signed_in: 401, wrong_credentials: 401, not_permitted: 403, not_found: 404, method_not_allowed: 405,
  already_exists: 409, stale: 409, conversation_over: 409, not_your_conversation: 409, text_empty: 422, unavailable: 503,
};

class Refused extends Error {}
const refuse = (id) => {
  throw new Refused(id);
};

createServer((request, response) => {
  route(request, response).catch((error) => {
    if (!(error instanceof Refused)) process.stderr.write(`${error.stack}\n`);
    const id = error instanceof Refused ? error.message : "internal";
    send(response, problemStatus[id] ?? 500, { id, title: id, status: problemStatus[id] ?? 500 }, "application/problem+json");
  });
}).listen(port, "127.0.0.1", () => process.stdout.write(`http://127.0.0.1:${port}\n`));

async function route(request, response) {
  const url = new URL(request.url, "http://localhost");
  if (url.pathname === "/phone") return send(response, 200, phonePage, "text/html; charset=utf-8");
  if (url.pathname.startsWith("/phone/")) return phone(request, response, url);
  if (!url.pathname.startsWith("/api/v1/")) return file(response, url.pathname);
  const path = url.pathname.slice("/api/v1".length);
  if (path === "/session" && request.method === "POST") return signIn(request, response);
  const person = sessions.get(/frontdesk_session=([\w-]+)/.exec(request.headers.cookie ?? "")?.[1]) ?? refuse("not_signed_in");
  if (path === "/feed") return feed(request, response, url);
  const body = ["POST", "PUT", "PATCH"].includes(request.method) ? JSON.parse((await read(request)) || "{}") : {};
  const key = request.headers["idempotency-key"];
  if (key && answers.has(key)) return send(response, ...answers.get(key));
  const answer = api(request.method, path, url.searchParams, body, person);
  if (key) answers.set(key, answer);
  send(response, ...answer);
}

async function signIn(request, response) {
  const { login, password } = JSON.parse(await read(request));
  const person = world.people.find((one) => one.login === login && one.password === password) ?? refuse("wrong_credentials");
  const id = randomUUID();
  sessions.set(id, person);
  response.setHeader("Set-Cookie", `frontdesk_session=${id}; HttpOnly; SameSite=Strict; Path=/`);
  send(response, 200, world.session(person));
}

function api(method, path, query, body, person) {
  const [, resource, id, part] = path.split("/");
  const call = `${method} ${resource}`;
  if (call === "GET session") return [200, world.session(person)];
  if (call === "DELETE session") return [204, ""];
  if (call === "GET presence") return [200, world.presence(person)];
  if (call === "PUT presence") return [200, world.changePresence(person, body.presence)];
  if (call === "GET conversations" && !id) return [200, world.list(query.get("view"), person, Number(query.get("limit")), query.get("after"))];
  if (resource === "conversations") return conversation(method, id, part, query, body, person);
  return administration(method, resource, id, body);
}

function conversation(method, id, part, query, body, person) {
  const one = world.conversations.get(id) ?? refuse("not_found");
  if (method === "GET" && !part) return [200, { conversation: world.shown(one), cursor: world.cursor() }];
  if (method === "GET") return [200, world.timeline(one, Number(query.get("limit")), query.get("before"))];
  if (one.phase === "closed") refuse("conversation_over");
  if (part === "accept") return [200, world.accept(one, person)];
  if (part === "hand-over") return [200, world.handOver(one, body.to, person)];
  const isOwn = one.agent?.id === person.id;
  if (part === "close" && (isOwn || world.permissions(person).includes("conversation.assign"))) return [200, world.close(one, person)];
  if (!isOwn) refuse("not_your_conversation");
  if (part === "replies") return [202, world.reply(one, body.text || refuse("text_empty"), person)];
  return refuse("not_found");
}

function administration(method, resource, id, body) {
  const kind = world.administration[resource] ?? refuse("not_found");
  if (method === "GET" && !id) return [200, { [kind.many]: kind.rows.map(kind.shown) }];
  if (method === "POST") {
    if (body.page_id && kind.rows.some((row) => row.page_id === body.page_id)) refuse("already_exists");
    return [201, { [kind.one]: kind.shown(kind.create(body)) }];
  }
  const row = kind.rows.find((one) => one.id === id) ?? refuse("not_found");
  return [200, { [kind.one]: kind.shown(method === "GET" ? row : kind.edit(row, body)) }];
}

function feed(request, response, url) {
  response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-cache" });
  const from = Number(request.headers["last-event-id"] ?? url.searchParams.get("cursor") ?? world.position);
  response.write(`event: hello\ndata: ${JSON.stringify({ cursor: world.cursor() })}\n\n`);
  const write = (change) => response.write(`id: ${change.cursor}\nevent: changed\ndata: ${JSON.stringify(change)}\n\n`);
  world.changes.filter((change) => Number(change.cursor) > from).forEach(write);
  const ping = setInterval(() => response.write(": ping\n\n"), 15_000);
  world.listeners.add(write);
  request.on("close", () => {
    clearInterval(ping);
    world.listeners.delete(write);
  });
}

async function phone(request, response, url) {
  const [, , visitor, act] = url.pathname.split("/");
  if (request.method === "POST") {
    const body = JSON.parse(await read(request));
    if (act === "messages") world.visitorWrites(visitor, body.text);
    if (act === "taps") world.visitorTaps(visitor, body.title);
  }
  send(response, 200, world.seenBy(visitor));
}

function file(response, path) {
  const wanted = join(dist, normalize(path));
  const found = wanted.startsWith(dist) && existsSync(wanted) && statSync(wanted).isFile() ? wanted : join(dist, "index.html");
  const types = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
  response.writeHead(200, { "Content-Type": types[extname(found)] ?? "application/octet-stream" });
  createReadStream(found).pipe(response);
}

function send(response, status, body, type = "application/json") {
  response.writeHead(status, { "Content-Type": type });
  response.end(typeof body === "string" ? body : JSON.stringify(body));
}

async function read(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString();
}
