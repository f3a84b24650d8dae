/** Compressed bodies, inflated when they are read. */

import {
  inflateMessage,
  type InflateOptions,
  type Message as WireMessage,
} from "../../codec/mod.ts";

/**
 * Inflates the bodies of a consumer's messages, and keeps the last one until its message is settled. So reading twice
 * inflates once, and a hundred unsettled messages hold one inflated body.
 */
export class InflatedBody {
  readonly limits: InflateOptions;
  #message: WireMessage | undefined;
  #inflated: WireMessage | undefined;

  constructor(limits: InflateOptions) {
    this.limits = limits;
  }

  /** Bytes of the body that is kept. */
  get bytes(): number {
    return this.#inflated?.content?.length ?? 0;
  }

  /**
   * A message with its body inflated.
   *
   * @throws {ProtocolError} When the body can't be inflated.
   */
  of(message: WireMessage): WireMessage {
    if (!message.compressed) return message;
    if (this.#message === message) return this.#inflated!;
    // The one before need not be there while the next is inflated.
    this.#message = this.#inflated = undefined;
    this.#inflated = inflateMessage(message, this.limits);
    this.#message = message;
    return this.#inflated;
  }

  /** Keeps the body of a message no longer. */
  release(message: WireMessage): void {
    if (this.#message === message) this.#message = this.#inflated = undefined;
  }

  /** Keeps no body any more. */
  clear(): void {
    this.#message = this.#inflated = undefined;
  }
}
