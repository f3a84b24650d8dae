/**
 * The types of acknowledgements, and which of the dispatched messages one is about.
 *
 * @module
 */

import type { MessageAck } from "../codec/mod.ts";
import { jmsException, required } from "./exceptions.ts";
import { messageKey } from "./messages.ts";

/** Values of `MessageAck.ackType` (Java: MessageAck). */
export const AckType = {
  /** Received, not consumed: only widens the window. */
  Delivered: 0,
  /** Can't be consumed: goes to the dead letter queue. */
  Poison: 1,
  /** Consumed, with all dispatched before it. */
  Standard: 2,
  /** Will be handed out again by the client. */
  Redelivered: 3,
  /** Consumed, alone. */
  Individual: 4,
  /** Did not match; between brokers. */
  Unmatched: 5,
  /** Its time was over when the client looked at it. */
  Expired: 6,
} as const;

/** Something that was dispatched. */
export interface Dispatched {
  /** Its message's id, from `messageKey`. */
  readonly key: string;
}

/** Positions in the list of what was dispatched. */
export interface Range {
  /** First position. */
  start: number;
  /** Position after the last. */
  end: number;
}

/** The range of a STANDARD acknowledgement. It must fit exactly: the wrong messages are never acknowledged. */
export function exactRange(dispatched: readonly Dispatched[], ack: MessageAck): Range {
  const range = find(dispatched, ack);
  const fail = (problem: string): never => {
    throw jmsException(`Unmatched acknowledge: ${describe(ack)}; ${problem}`);
  };
  if (range.start < 0) {
    fail(`Could not find Message-ID ${range.first} in dispatched-list (start of ack)`);
  }
  if (range.end < 0) {
    fail(`Could not find Message-ID ${range.last} in dispatched-list (end of ack)`);
  }
  const count = range.end - range.start;
  if (count !== ack.messageCount) {
    fail(
      `Expected message count (${ack.messageCount}) differs from count in dispatched-list (${count})`,
    );
  }
  return range;
}

/** The range of any other acknowledgement; how many messages it counts does not matter. */
export function looseRange(dispatched: readonly Dispatched[], ack: MessageAck): Range {
  const range = find(dispatched, ack);
  if (range.start < 0 || range.end < 0) {
    throw jmsException(
      `Could not correlate acknowledgment with dispatched message: ${describe(ack)}`,
    );
  }
  return range;
}

/** Position of the last message; -1 when it isn't there. */
export function lastPosition(dispatched: readonly Dispatched[], ack: MessageAck): number {
  const last = messageKey(required(ack.lastMessageId, "lastMessageId"));
  return dispatched.findIndex(({ key }) => key === last);
}

/** In the order of dispatch: without a first message from the oldest on, and never backwards. */
function find(
  dispatched: readonly Dispatched[],
  { firstMessageId, lastMessageId }: MessageAck,
): Range & { first: string; last: string } {
  const first = firstMessageId === null ? "" : messageKey(firstMessageId);
  const last = messageKey(required(lastMessageId, "lastMessageId"));
  const start = first === "" ? 0 : dispatched.findIndex(({ key }) => key === first);
  const end = dispatched.findIndex(({ key }, i) => i >= Math.max(0, start) && key === last);
  return { start, end: end < 0 ? -1 : end + 1, first, last };
}

/** An acknowledgement in words, for messages. */
export function describe(
  { ackType, messageCount, firstMessageId, lastMessageId }: MessageAck,
): string {
  const id = (value: typeof firstMessageId) => value === null ? "null" : messageKey(value);
  return `MessageAck {ackType = ${ackType}, firstMessageId = ${id(firstMessageId)}, ` +
    `lastMessageId = ${id(lastMessageId)}, messageCount = ${messageCount}}`;
}
