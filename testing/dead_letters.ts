/**
 * Where messages go that nobody could consume (Java: SharedDeadLetterStrategy).
 *
 * @module
 */

import { createActiveMQQueue, type Message, type Throwable } from "../codec/mod.ts";
import type { Advisories } from "./advisories.ts";
import { deadLetter, messageKey } from "./messages.ts";

const QUEUE = createActiveMQQueue({ physicalName: "ActiveMQ.DLQ" });

/** Keeps persistent messages, and each once. */
export class DeadLetters {
  readonly #known: Set<string> = new Set();
  readonly #deliver: (message: Message) => void;
  readonly #advisories: Advisories;

  constructor(deliver: (message: Message) => void, advisories: Advisories) {
    this.#deliver = deliver;
    this.#advisories = advisories;
  }

  /** Takes a message that nobody could consume. */
  bury(message: Message, cause: Throwable | null): void {
    const key = messageKey(message.messageId!);
    const there = message.destination?.physicalName === QUEUE.physicalName;
    if (!message.persistent || there || this.#known.has(key)) return;
    this.#known.add(key);
    this.#deliver(deadLetter(message, QUEUE, cause));
    this.#advisories.deadLettered(message);
  }

  /** Takes a message whose time is over. */
  expire(message: Message): void {
    this.bury(message, {
      className: "java.lang.Throwable",
      message: `Message Expired. Expiration:${message.expiration}`,
      stackTrace: [],
      cause: null,
    });
    this.#advisories.expired(message);
  }
}
