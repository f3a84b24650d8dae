/**
 * The types of acknowledgements.
 *
 * @module
 */

import type { MessageAck } from "../codec/mod.ts";
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

/** An acknowledgement in words, for messages. */
export function describe(
  { ackType, messageCount, firstMessageId, lastMessageId }: MessageAck,
): string {
  const id = (value: typeof firstMessageId) => value === null ? "null" : messageKey(value);
  return `MessageAck {ackType = ${ackType}, firstMessageId = ${id(firstMessageId)}, ` +
    `lastMessageId = ${id(lastMessageId)}, messageCount = ${messageCount}}`;
}
