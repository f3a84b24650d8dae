/**
 * How values of an application become bodies of messages.
 *
 * @module
 */

import type { Message } from "./message.ts";
import type { MessageBody } from "./outgoing_message.ts";

/**
 * How values of an application become bodies of messages, and back.
 *
 * @example
 * ```ts
 * import type { BodyCodec } from "../mod.ts";
 *
 * const dates: BodyCodec<Date> = {
 *   encode: (date) => date.toISOString(),
 *   decode: (message) => new Date(message.text ?? ""),
 * };
 * ```
 */
export interface BodyCodec<T> {
  /** The body for a value. */
  encode(value: T): MessageBody;
  /** The value of a body. What it throws, `getBody()` throws. */
  decode(message: Message): T;
}
