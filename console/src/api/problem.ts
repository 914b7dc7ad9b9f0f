import { problemIds, type ProblemId } from "./types";

/** Why a call did not succeed: what the server said, or that it could not be reached. */
export class Problem extends Error {
  readonly id: ProblemId | "unreachable";
  readonly status: number;
  readonly detail: string | null;

  constructor(id: ProblemId | "unreachable", status: number, detail: string | null = null) {
    super(id);
    this.name = "Problem";
    this.id = id;
    this.status = status;
    this.detail = detail;
  }

  /** Whether asking again with the same Idempotency-Key is worth it. */
  get isPassing(): boolean {
    return this.id === "unreachable" || this.id === "unavailable";
  }
}

export async function problemOf(response: Response): Promise<Problem> {
  const body: unknown = await response.json().catch(() => null);
  const { id, detail } = readBody(body);
  return new Problem(id ?? idOfStatus(response.status), response.status, detail);
}

export function asProblem(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem("internal", 0);
}

function readBody(body: unknown): { id: ProblemId | null; detail: string | null } {
  if (typeof body !== "object" || body === null) return { id: null, detail: null };
  const id = "id" in body ? problemIds.find((known) => known === body.id) : undefined;
  const detail = "detail" in body && typeof body.detail === "string" ? body.detail : null;
  return { id: id ?? null, detail };
}

/** A proxy in between answers without our body. */
function idOfStatus(status: number): ProblemId {
  if (status === 401) return "not_signed_in";
  if (status === 403) return "not_permitted";
  if (status === 404) return "not_found";
  if (status === 413) return "payload_too_large";
  if (status === 429) return "too_many_attempts";
  if (status === 502 || status === 503 || status === 504) return "unavailable";
  return status < 500 ? "invalid_request" : "internal";
}
