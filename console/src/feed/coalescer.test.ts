import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Coalescer } from "./coalescer";

function deferred() {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

describe("the coalescer", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const coalescer = (run: (key: string) => Promise<void>, differs: { limit?: number; parallel?: number; runAll?: () => Promise<void> } = {}) =>
    new Coalescer({ delayMs: 30, parallel: 4, limit: 10, run, runAll: () => Promise.resolve(), ...differs });

  it("looks once after a burst of requests for one key", async () => {
    const run = vi.fn(() => Promise.resolve());
    const looks = coalescer(run);
    for (let count = 0; count < 5; count += 1) looks.request("a");
    await vi.advanceTimersByTimeAsync(100);
    expect(run).toHaveBeenCalledTimes(1);
  });

  it("looks again when a change came in while it was looking", async () => {
    const first = deferred();
    const run = vi.fn().mockReturnValueOnce(first.promise).mockResolvedValue(undefined);
    const looks = coalescer(run);
    looks.request("a");
    await vi.advanceTimersByTimeAsync(30);
    looks.request("a");
    await vi.advanceTimersByTimeAsync(100);
    expect(run).toHaveBeenCalledTimes(1);
    first.resolve();
    await vi.advanceTimersByTimeAsync(100);
    expect(run).toHaveBeenCalledTimes(2);
  });

  it("goes on after a look that failed", async () => {
    const run = vi.fn().mockRejectedValueOnce(new Error("cut")).mockResolvedValue(undefined);
    const looks = coalescer(run);
    looks.request("a");
    await vi.advanceTimersByTimeAsync(50);
    looks.request("a");
    await vi.advanceTimersByTimeAsync(50);
    expect(run).toHaveBeenCalledTimes(2);
  });

  it("keeps to its number of looks at a time and finishes them all", async () => {
    const gates = Array.from({ length: 3 }, deferred);
    const run = vi.fn((key: string) => gates[Number(key)]?.promise ?? Promise.resolve());
    const looks = coalescer(run, { parallel: 2 });
    for (const key of ["0", "1", "2"]) looks.request(key);
    await vi.advanceTimersByTimeAsync(30);
    expect(run).toHaveBeenCalledTimes(2);
    gates[0]?.resolve();
    await vi.advanceTimersByTimeAsync(1);
    expect(run.mock.calls.map(([key]) => key)).toEqual(["0", "1", "2"]);
  });

  it("renews everything at once when too many keys wait", async () => {
    const run = vi.fn(() => Promise.resolve());
    const runAll = vi.fn(() => Promise.resolve());
    const looks = coalescer(run, { limit: 3, runAll });
    for (const key of ["a", "b", "c", "d"]) looks.request(key);
    await vi.advanceTimersByTimeAsync(50);
    expect(runAll).toHaveBeenCalledTimes(1);
    expect(run).not.toHaveBeenCalled();
  });

  it("does nothing after it was stopped", async () => {
    const run = vi.fn(() => Promise.resolve());
    const looks = coalescer(run);
    looks.request("a");
    looks.stop();
    await vi.advanceTimersByTimeAsync(100);
    expect(run).not.toHaveBeenCalled();
  });
});
