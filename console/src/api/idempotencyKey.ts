/** A key for one act of a person. `crypto.randomUUID` would be missing where the console is opened over plain HTTP in a local network. */
export function newIdempotencyKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
