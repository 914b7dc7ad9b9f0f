import { apiRoot } from "../api/call";
import type { Change } from "../api/types";

export type FeedState = "connecting" | "live" | "interrupted";

/** The part of `EventSource` that the client uses. */
export interface EventStream {
  addEventListener: (type: string, listener: (event: MessageEvent<string>) => void) => void;
  onerror: ((event: Event) => void) | null;
  close: () => void;
}

export interface FeedListener {
  onChange: (change: Change) => void;
  /** The place we stopped at is gone: read everything again and say from where to follow. */
  onReload: () => Promise<string>;
  onState: (state: FeedState) => void;
  /** The stream could not be opened; perhaps the session is over. */
  onRefused: () => void;
}

const firstWaitMs = 500;
const longestWaitMs = 15_000;

/**
 * Follows the live feed from a cursor. Every reconnect asks for what came after the last change that was seen, so no cut
 * loses or repeats one.
 *
 * The reconnect is ours and not the browser's: `EventSource` gives up for good when an answer is not 200, which is what a
 * restarting server gives.
 */
export class FeedClient {
  readonly #listener: FeedListener;
  readonly #open: (url: string) => EventStream;
  #stream: EventStream | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #cursor = "";
  #waitMs = firstWaitMs;

  constructor(listener: FeedListener, open: (url: string) => EventStream = (url) => new EventSource(url)) {
    this.#listener = listener;
    this.#open = open;
  }

  follow(cursor: string): void {
    this.stop();
    this.#cursor = cursor;
    this.#connect();
  }

  stop(): void {
    this.#stream?.close();
    this.#stream = null;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** The network came back: there is no reason to wait any longer. */
  reconnectNow(): void {
    if (this.#timer === null) return;
    this.stop();
    this.#connect();
  }

  #connect(): void {
    this.#listener.onState("connecting");
    const stream = this.#open(`${apiRoot}/feed?${new URLSearchParams({ cursor: this.#cursor }).toString()}`);
    this.#stream = stream;
    stream.addEventListener("hello", () => {
      this.#waitMs = firstWaitMs;
      this.#listener.onState("live");
    });
    stream.addEventListener("changed", (event) => {
      const change = JSON.parse(event.data) as Change;
      this.#cursor = change.cursor;
      this.#listener.onChange(change);
    });
    stream.addEventListener("reload", () => {
      this.stop();
      void this.#startOver();
    });
    stream.onerror = () => {
      this.#reconnectLater();
    };
  }

  async #startOver(): Promise<void> {
    try {
      this.#cursor = await this.#listener.onReload();
      this.#connect();
    } catch {
      this.#later(() => void this.#startOver());
    }
  }

  #reconnectLater(): void {
    this.stop();
    this.#listener.onRefused();
    this.#later(() => {
      this.#connect();
    });
  }

  #later(what: () => void): void {
    this.#listener.onState("interrupted");
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        what();
      },
      // Half of the wait is random: a restarted server is not met by all consoles at once.
      this.#waitMs * (0.5 + Math.random() / 2),
    );
    this.#waitMs = Math.min(this.#waitMs * 2, longestWaitMs);
  }
}
