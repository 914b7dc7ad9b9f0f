import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { call, rememberCsrfToken } from "./call";
import { Problem } from "./problem";

describe("a call of the API", () => {
  const fetching = vi.fn<typeof fetch>();
  const sent = () => {
    const [url, request] = fetching.mock.lastCall ?? [];
    return { url, request, headers: new Headers(request?.headers) };
  };

  beforeEach(() => {
    vi.stubGlobal("fetch", fetching);
    fetching.mockReset().mockImplementation(() => Promise.resolve(Response.json({})));
  });
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it("fills path and query and escapes both", async () => {
    await call("GET /conversations/{id}/timeline", { path: { id: "a/b" }, query: { limit: 100, before: "x&y" } });
    expect(sent().url).toBe("/api/v1/conversations/a%2Fb/timeline?limit=100&before=x%26y");
  });

  it("carries the token of the session and the key of the act", async () => {
    rememberCsrfToken("secret");
    await call("POST /conversations/{id}/replies", { path: { id: "c1" }, body: { text: "hi" }, idempotencyKey: "k1" });
    expect(sent().headers.get("X-CSRF-Token")).toBe("secret");
    expect(sent().headers.get("Idempotency-Key")).toBe("k1");
    expect(sent().request?.body).toBe('{"text":"hi"}');
  });

  it("says which version an edit is based on", async () => {
    await call("PATCH /channels/{id}", { path: { id: "c1" }, body: { name: "x" }, ifMatch: 7 });
    expect(sent().headers.get("If-Match")).toBe("7");
  });

  it("throws the problem that the server names", async () => {
    fetching.mockResolvedValue(Response.json({ id: "stale", title: "", status: 409, detail: "version 3" }, { status: 409 }));
    await expect(call("GET /presence", {})).rejects.toMatchObject({ id: "stale", status: 409, detail: "version 3" });
  });

  it.each([
    [502, "unavailable"],
    [413, "payload_too_large"],
    [500, "internal"],
  ])("makes a problem of an answer %i that a proxy gave", async (status, id) => {
    fetching.mockResolvedValue(new Response("<html>", { status }));
    await expect(call("GET /presence", {})).rejects.toMatchObject({ id });
  });

  it("tells that the server could not be reached", async () => {
    fetching.mockRejectedValue(new TypeError("Failed to fetch"));
    const failure = await call("GET /presence", {}).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Problem);
    expect(failure).toMatchObject({ id: "unreachable", isPassing: true });
  });
});
