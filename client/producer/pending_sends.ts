/** How many bytes of messages a connection may have whose sending has not ended. */

import { OpenWireError } from "../../errors.ts";
import { EncodedBody, type FixedBody } from "../message/outgoing_message.ts";

/** What a message counts beside its body and properties, as in the broker. */
export const MINIMUM_SIZE = 1024;

/** Bytes of a message that was not made yet, about. */
export function roughSize(body: FixedBody): number {
  if (body instanceof EncodedBody) return MINIMUM_SIZE + (body.command.content?.length ?? 0);
  return MINIMUM_SIZE + (typeof body === "string" ? body.length : 0);
}

/** Counts the bytes of messages that were given to `send()` and are still in memory. */
export class PendingSends {
  readonly #limit: number;
  #bytes = 0;

  /** @param limit Bytes; 0 for no limit. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes that are counted now. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Counts messages, unless there are too many; a single call may be larger than all that is allowed.
   *
   * @param bytes Their size.
   * @param action What can't be done if they are too many.
   * @throws {OpenWireError} `"SEND_BUFFER_FULL"`
   */
  add(bytes: number, action: string): void {
    const limit = this.#limit;
    if (limit > 0 && this.#bytes > 0 && this.#bytes + bytes > limit) {
      throw new OpenWireError(
        "SEND_BUFFER_FULL",
        `${action}: ${this.#bytes} bytes of messages are still on their way, and maxPendingSendBytes is ${limit}; ` +
          "it was not sent. Wait for earlier sends before sending more",
        { retryable: true },
      );
    }
    this.#bytes += bytes;
  }

  /** The sending of messages has ended. */
  remove(bytes: number): void {
    this.#bytes -= bytes;
  }
}
