/**
 * What the broker refuses when nobody waits for its answer.
 *
 * @module
 */

import type { ActiveMQDestination, Throwable } from "../../codec/mod.ts";
import { formatDestination } from "../destination/destination.ts";
import { BrokerError } from "../errors.ts";
import { harmless } from "../harmless.ts";

/** A message that was sent. */
export interface SentMessage {
  readonly id: string;
  readonly destination: ActiveMQDestination;
  /** The transaction that it is part of, as text. */
  readonly transactionId: string | undefined;
}

/** Ids that an error has. */
export const MOST_IDS = 100;

/** Ids that its message names. */
const MOST_NAMED = 10;

/**
 * The broker refused a message whose `send()` did not wait for the answer: one that is not persistent, is part of a transaction, or
 * was sent with `useAsyncSend`. The connection's `status()` reports it. Its `code` is that of a {@linkcode BrokerError}.
 *
 * ActiveMQ does not say which message it is. The message is found by the destination that the exception names, among those that the
 * broker may not have handled yet. If there are several, the error has the ids of all of them, and it is one of these. Artemis
 * drops such a message without an exception: send with `confirm: true` to know.
 *
 * @example
 * ```ts
 * import { AsyncSendError, type Connection } from "../../mod.ts";
 *
 * async function watch(connection: Connection, sendAgain: (messageId: string) => void) {
 *   for await (const { error } of connection.status()) {
 *     if (error instanceof AsyncSendError && error.messageId) sendAgain(error.messageId);
 *   }
 * }
 * ```
 */
export class AsyncSendError extends BrokerError {
  /** Name of the class. */
  override readonly name: string = "AsyncSendError";
  /** The message that was refused; undefined when it may be one of several. */
  readonly messageId: string | undefined;
  /** The message that was refused, or those that it may be, in the order in which they were sent; 100 at most. */
  readonly messageIds: readonly string[];
  /** Where the message was sent, such as `queue://orders`; undefined when it may be one of several with other destinations. */
  readonly destination: string | undefined;
  /** The transaction that the message was part of, such as `TX:ID:host-1-2-1:1:7`; it can't be committed. */
  readonly transactionId: string | undefined;

  /**
   * Made by connections.
   *
   * @ignore Not for users.
   */
  constructor(messages: readonly SentMessage[], count: number, exception: Throwable | null) {
    const ids = messages.map(({ id }) => harmless(id));
    const destination = same(messages.map(({ destination }) => formatDestination(destination)));
    const named = ids.slice(0, MOST_NAMED).join(", ");
    const others = count - MOST_NAMED;
    const which = count === 1
      ? named
      : `one of ${count} messages (${named}${others > 0 ? ` and ${others} others` : ""})`;
    const where = destination === undefined ? "" : ` to ${harmless(destination)}`;
    super(`Cannot send ${which}${where}`, exception);
    this.messageIds = ids;
    this.messageId = count === 1 ? ids[0] : undefined;
    this.destination = destination && harmless(destination);
    this.transactionId = same(messages.map(({ transactionId }) => transactionId));
  }
}

/** The value that all have. */
function same<T>(values: readonly T[]): T | undefined {
  return values.every((value) => value === values[0]) ? values[0] : undefined;
}
