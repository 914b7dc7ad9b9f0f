import { asProblem } from "../../api/problem";

const waitsMs = [500, 1_500, 4_000];

/** Tries again while the server cannot be reached. Only for acts that carry an Idempotency-Key. */
export async function persistently<T>(act: () => Promise<T>): Promise<T> {
  for (const waitMs of waitsMs) {
    try {
      return await act();
    } catch (error) {
      if (!asProblem(error).isPassing) throw error;
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }
  return act();
}
