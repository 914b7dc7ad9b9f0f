import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Change } from "../api/types";
import { FeedClient, type EventStream, type FeedState } from "./feedClient";

class FakeStream implements EventStream {
  onerror: ((event: Event) => void) | null = null;
  isClosed = false;
  readonly url: string;
  readonly #listeners = new Map<string, (event: MessageEvent<string>) => void>();

  constructor(url: string) {
    this.url = url;
  }

  addEventListener(type: string, listener: (event: MessageEvent<string>) => void): void {
    this.#listeners.set(type, listener);
  }

  close(): void {
    this.isClosed = true;
  }

  emit(type: string, data: unknown = null): void {
    this.#listeners.get(type)?.(new MessageEvent(type, { data: JSON.stringify(data) }));
  }

  change(cursor: string): void {
    this.emit("changed", { cursor, type: "message_received", stream: "conversation", conversation_id: "c1", visitor_id: null, agent_id: null, occurred_at: "" });
  }
}

describe("the feed client", () => {
  let streams: FakeStream[];
  let changes: Change[];
  let states: FeedState[];
  let reload: ReturnType<typeof vi.fn<() => Promise<string>>>;
  let client: FeedClient;
  const latest = () => streams.at(-1) ?? expect.fail("no stream was opened");

  beforeEach(() => {
    vi.useFakeTimers();
    streams = [];
    changes = [];
    states = [];
    reload = vi.fn(() => Promise.resolve("500"));
    client = new FeedClient(
      {
        onChange: (change) => changes.push(change),
        onReload: reload,
        onState: (state) => states.push(state),
        onRefused: () => undefined,
      },
      (url) => {
        const stream = new FakeStream(url);
        streams.push(stream);
        return stream;
      },
    );
  });

  afterEach(() => {
    client.stop();
    vi.useRealTimers();
  });

  it("begins at the cursor of the snapshot that is on the screen", () => {
    client.follow("42");
    expect(latest().url).toBe("/api/v1/feed?cursor=42");
  });

  it("is live only after the server said hello", () => {
    client.follow("42");
    expect(states).toEqual(["connecting"]);
    latest().emit("hello", { cursor: "42" });
    expect(states).toEqual(["connecting", "live"]);
  });

  it("resumes after a cut behind the last change that it saw", async () => {
    client.follow("42");
    latest().emit("hello", { cursor: "42" });
    latest().change("43");
    latest().change("44");
    latest().onerror?.(new Event("error"));
    await vi.advanceTimersByTimeAsync(1000);
    expect(streams).toHaveLength(2);
    expect(latest().url).toBe("/api/v1/feed?cursor=44");
    expect(changes.map(({ cursor }) => cursor)).toEqual(["43", "44"]);
  });

  it("does not jump ahead by a hello, as the changes up to it are still to come", async () => {
    client.follow("42");
    latest().emit("hello", { cursor: "99" });
    latest().onerror?.(new Event("error"));
    await vi.advanceTimersByTimeAsync(1000);
    expect(latest().url).toBe("/api/v1/feed?cursor=42");
  });

  it("closes the broken stream, so that the browser does not reconnect beside it", () => {
    client.follow("42");
    const broken = latest();
    broken.onerror?.(new Event("error"));
    expect(broken.isClosed).toBe(true);
  });

  it("waits longer from failure to failure and starts short again after a success", async () => {
    client.follow("42");
    for (let failures = 0; failures < 6; failures += 1) {
      latest().onerror?.(new Event("error"));
      await vi.advanceTimersByTimeAsync(15_000);
    }
    latest().onerror?.(new Event("error"));
    const before = streams.length;
    await vi.advanceTimersByTimeAsync(7_000);
    expect(streams).toHaveLength(before);
    await vi.advanceTimersByTimeAsync(8_001);
    latest().emit("hello");
    latest().onerror?.(new Event("error"));
    await vi.advanceTimersByTimeAsync(501);
    expect(streams).toHaveLength(before + 2);
  });

  it("reads everything again when its place is gone and follows from the new one", async () => {
    client.follow("42");
    const old = latest();
    old.emit("reload");
    await vi.advanceTimersByTimeAsync(0);
    expect(reload).toHaveBeenCalledTimes(1);
    expect(old.isClosed).toBe(true);
    expect(latest().url).toBe("/api/v1/feed?cursor=500");
  });

  it("tries the reload again when it failed", async () => {
    reload.mockRejectedValueOnce(new Error("cut"));
    client.follow("42");
    latest().emit("reload");
    await vi.advanceTimersByTimeAsync(1000);
    expect(reload).toHaveBeenCalledTimes(2);
    expect(latest().url).toBe("/api/v1/feed?cursor=500");
  });

  it("does not wait when the network has come back", () => {
    client.follow("42");
    latest().onerror?.(new Event("error"));
    client.reconnectNow();
    expect(streams).toHaveLength(2);
  });

  it("opens nothing more after it was stopped", async () => {
    client.follow("42");
    latest().onerror?.(new Event("error"));
    client.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(streams).toHaveLength(1);
  });
});
