/**
 * When messages count as done.
 *
 * @module
 */

/**
 * When the messages of a session's consumers count as done.
 *
 * - `"auto"`: when `receive()` has returned one, when a loop asks for the next one, when a handler has ended well.
 * - `"client"`: when `ack()` of a message is called, all that the session has given out so far.
 * - `"individual"`: each when its `ack()` is called.
 * - `"dups-ok"`: as in mode `"auto"`, but the broker is told later, for many messages at once. Those that it was not told of
 *   are delivered again if the connection breaks.
 * - `"transacted"`: when the session's transaction is committed.
 *
 * @example
 * ```ts
 * import type { AcknowledgeMode } from "../../mod.ts";
 *
 * const mode: AcknowledgeMode = "individual";
 * ```
 */
export type AcknowledgeMode = "auto" | "client" | "individual" | "dups-ok" | "transacted";

const modes: readonly string[] = ["auto", "client", "individual", "dups-ok", "transacted"];

/** Checks a mode that a user gave. */
export function checkAcknowledgeMode(mode: AcknowledgeMode): AcknowledgeMode {
  if (modes.includes(mode)) return mode;
  const expected = modes.map((name) => `"${name}"`).join(", ");
  throw new TypeError(`Cannot acknowledge in mode "${mode}": one of ${expected} is expected`);
}
