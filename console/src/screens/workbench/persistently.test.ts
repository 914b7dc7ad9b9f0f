import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Problem } from "../../api/problem";
import { persistently } from "./persistently";

describe("persistence", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("tries again while the server cannot be reached", async () => {
    const act = vi.fn().mockRejectedValueOnce(new Problem("unreachable", 0)).mockRejectedValueOnce(new Problem("unavailable", 503)).mockResolvedValue("done");
    const result = persistently(act);
    await vi.advanceTimersByTimeAsync(10_000);
    await expect(result).resolves.toBe("done");
    expect(act).toHaveBeenCalledTimes(3);
  });

  it("does not repeat what was refused", async () => {
    const act = vi.fn().mockRejectedValue(new Problem("conversation_over", 409));
    await expect(persistently(act)).rejects.toThrow("conversation_over");
    expect(act).toHaveBeenCalledTimes(1);
  });

  it("gives up at last", async () => {
    const act = vi.fn().mockRejectedValue(new Problem("unreachable", 0));
    const result = expect(persistently(act)).rejects.toThrow("unreachable");
    await vi.advanceTimersByTimeAsync(60_000);
    await result;
    expect(act).toHaveBeenCalledTimes(4);
  });
});
