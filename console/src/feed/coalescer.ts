interface Work {
  /** Gathers what comes in quick succession. */
  delayMs: number;
  parallel: number;
  /** More than this many keys at once are cheaper to renew all together. */
  limit: number;
  run: (key: string) => Promise<void>;
  runAll: () => Promise<void>;
}

const everything = "*";

/**
 * Runs `run(key)` at least once after every request for that key, never twice at the same time for one key,
 * and never more often than needed: a burst of changes of one conversation is one look at it.
 */
export class Coalescer {
  readonly #work: Work;
  readonly #waiting = new Set<string>();
  readonly #running = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(work: Work) {
    this.#work = work;
  }

  request(key: string): void {
    this.#waiting.add(key);
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#startWhatMay();
    }, this.#work.delayMs);
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#waiting.clear();
  }

  #startWhatMay(): void {
    if (this.#waiting.size > this.#work.limit && !this.#running.has(everything)) {
      this.#waiting.clear();
      this.#start(everything, this.#work.runAll);
      return;
    }
    for (const key of this.#waiting) {
      if (this.#running.size >= this.#work.parallel) return;
      if (this.#running.has(key)) continue;
      this.#waiting.delete(key);
      this.#start(key, () => this.#work.run(key));
    }
  }

  #start(key: string, run: () => Promise<void>): void {
    this.#running.add(key);
    void run()
      // What cannot be read now is read again with its next change or the next reload.
      .catch(() => undefined)
      .then(() => {
        this.#running.delete(key);
        if (this.#timer === null) this.#startWhatMay();
      });
  }
}
