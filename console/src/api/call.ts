import { Problem, problemOf } from "./problem";
import type { Api } from "./types";

export const apiRoot = "/api/v1";

const timeoutMs = 20_000;

type Part<E extends keyof Api, K extends string> = Api[E] extends Record<K, infer V> ? Record<K, V> : unknown;

/** What an endpoint needs: exactly the parts that its description names, and what every command may carry. */
export type Needs<E extends keyof Api> = Part<E, "path"> &
  Part<E, "query"> &
  Part<E, "body"> & { idempotencyKey?: string; ifMatch?: number; signal?: AbortSignal };

let csrfToken = "";

/** Kept out of storage: it comes with every session answer. */
export function rememberCsrfToken(token: string): void {
  csrfToken = token;
}

/** Calls the API; throws a `Problem` and nothing else (an abort by the caller excepted). */
export async function call<E extends keyof Api>(endpoint: E, needs: Needs<E>): Promise<Api[E]["answer"]> {
  const parts: LooseNeeds = needs;
  const [method = "GET", template = ""] = endpoint.split(" ");
  const response = await send(urlOf(template, parts), requestOf(method, parts));
  if (!response.ok) throw await problemOf(response);
  const answer: unknown = response.status === 204 ? null : await response.json();
  return answer as Api[E]["answer"];
}

interface LooseNeeds {
  path?: object;
  query?: object;
  body?: unknown;
  idempotencyKey?: string;
  ifMatch?: number;
  signal?: AbortSignal;
}

function urlOf(template: string, { path = {}, query = {} }: LooseNeeds): string {
  const filled = Object.entries(path).reduce((url, [name, value]) => url.replace(`{${name}}`, encodeURIComponent(String(value))), template);
  const search = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]));
  return `${apiRoot}${filled}${search.size > 0 ? `?${search.toString()}` : ""}`;
}

function requestOf(method: string, { body, idempotencyKey, ifMatch, signal }: LooseNeeds): RequestInit {
  const headers = new Headers({ Accept: "application/json" });
  if (method !== "GET") headers.set("X-CSRF-Token", csrfToken);
  if (body !== undefined) headers.set("Content-Type", "application/json");
  if (idempotencyKey !== undefined) headers.set("Idempotency-Key", idempotencyKey);
  if (ifMatch !== undefined) headers.set("If-Match", String(ifMatch));
  const timeout = AbortSignal.timeout(timeoutMs);
  return {
    method,
    headers,
    body: body === undefined ? null : JSON.stringify(body),
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    credentials: "same-origin",
  };
}

async function send(url: string, request: RequestInit): Promise<Response> {
  try {
    return await fetch(url, request);
  } catch (error) {
    // React Query aborts what nobody looks at any more; that is not a failure to show.
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem("unreachable", 0);
  }
}
