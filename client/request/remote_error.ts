/**
 * Failures of who answers requests.
 *
 * @module
 */

import { OpenWireError } from "../../errors.ts";
import { harmless } from "../harmless.ts";
import type { Message } from "../message/message.ts";

/** The property by which a reply stands for a failure; its value is the code. The text of the message says what failed. */
export const ERROR_CODE = "OpenWireErrorCode";

/**
 * Who was to answer a request has failed: the handler of `connection.respond()` has thrown. Its `code` is `"REMOTE"`, its
 * message is what was thrown there.
 *
 * @example
 * ```ts
 * import { connect, RemoteError } from "../../mod.ts";
 * import { MemoryBroker } from "../../testing/mod.ts";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * await using broker = await MemoryBroker.listen();
 * await using connection = await connect(broker.url);
 * await using responder = await connection.respond("prices", () => {
 *   throw Object.assign(new Error("There is no such thing"), { code: "NOT_FOUND" });
 * });
 * const error = await assertRejects(() => connection.request("prices", "apples"), RemoteError);
 * assertEquals(error.remoteCode, "NOT_FOUND");
 * assertEquals(error.message, "There is no such thing");
 * ```
 */
export class RemoteError extends OpenWireError {
  /** Name of the class. */
  override readonly name: string = "RemoteError";
  /** The `code` of what was thrown there, or else its name, such as `TypeError`. */
  readonly remoteCode: string;

  /**
   * Creates an error.
   *
   * @param remoteCode The code of what was thrown.
   * @param message What was thrown.
   */
  constructor(remoteCode: string, message: string) {
    super("REMOTE", harmless(message));
    this.remoteCode = harmless(remoteCode);
  }

  /**
   * The failure that a reply stands for.
   *
   * @param reply The reply.
   * @returns The error; undefined when the reply is an ordinary one.
   * @throws {ProtocolError} When the sender marshalled the reply wrongly.
   */
  static of(reply: Message): RemoteError | undefined {
    const code = reply.properties.get(ERROR_CODE);
    if (typeof code !== "string") return undefined;
    return new RemoteError(code, (reply.kind === "text" ? reply.text : null) ?? code);
  }
}
