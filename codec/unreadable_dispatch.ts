/**
 * Dispatches that cannot be decoded or are too large: what is needed to settle the message without having it.
 *
 * @module
 */

import type { ProtocolError } from "./errors.ts";
import type { FrameReader } from "./frame_reader.ts";
import {
  readCachedActiveMQDestinationLoose,
  readCachedActiveMQDestinationTight,
  readCachedConsumerIdLoose,
  readCachedConsumerIdTight,
  readCachedProducerIdLoose,
  readCachedProducerIdTight,
  readCachedTransactionIdLoose,
  readCachedTransactionIdTight,
  readMessageIdValueLoose,
  readMessageIdValueTight,
} from "./generated/marshallers.ts";
import {
  type ActiveMQDestination,
  type ConsumerId,
  DataTypeCode,
  type MessageId,
} from "./generated/types.ts";

/**
 * A MessageDispatch whose frame was skipped, and the ids with which its message can be acknowledged.
 *
 * @example
 * ```ts
 * import type { UnreadableDispatch } from "./mod.ts";
 *
 * const describe = ({ error, size }: UnreadableDispatch) => `${size} bytes skipped: ${error.message}`;
 * ```
 */
export interface UnreadableDispatch {
  /** Why the frame was skipped. Its code is `"FRAME_TOO_LARGE"` when the frame is above the limit. */
  readonly error: ProtocolError;
  /** Size of the frame in bytes, its size prefix not counted. */
  readonly size: number;
  /** The consumer that the message is for. */
  readonly consumerId: ConsumerId;
  /** The destination of the consumer; null when the broker did not name it. */
  readonly destination: ActiveMQDestination | null;
  /** The message. */
  readonly messageId: MessageId;
}

const DISPATCH = "MessageDispatch";
const MESSAGE = "Message";

/**
 * Reads the ids of a dispatch from the start of its frame. They stand before everything that a sender fills at will but
 * for two destinations and the transaction.
 *
 * @param reader A cursor at the start of the frame. There must be no cache: what a skipped frame leaves in one is unknown.
 * @param tight Whether the frame is tight.
 * @returns The ids; undefined when the frame is no dispatch, or has no consumer or no message.
 * @throws {ProtocolError} When an id can't be read. `reader.missing` tells whether more bytes may change that.
 */
export function readDispatchIds(
  reader: FrameReader,
  tight: boolean,
): Pick<UnreadableDispatch, "consumerId" | "destination" | "messageId"> | undefined {
  if (reader.code(DISPATCH, "type") !== DataTypeCode.MessageDispatch) return undefined;
  return tight ? readTight(reader) : readLoose(reader);
}

function readLoose(r: FrameReader): ReturnType<typeof readDispatchIds> {
  r.int(DISPATCH, "commandId");
  r.boolean(DISPATCH, "responseRequired");
  const consumerId = readCachedConsumerIdLoose(r, DISPATCH, "consumerId");
  const destination = readCachedActiveMQDestinationLoose(r, DISPATCH, "destination");
  if (consumerId === null || !r.boolean(DISPATCH, "message")) return undefined;
  r.code(MESSAGE, "type");
  r.int(MESSAGE, "commandId");
  r.boolean(MESSAGE, "responseRequired");
  readCachedProducerIdLoose(r, MESSAGE, "producerId");
  readCachedActiveMQDestinationLoose(r, MESSAGE, "destination");
  readCachedTransactionIdLoose(r, MESSAGE, "transactionId");
  readCachedActiveMQDestinationLoose(r, MESSAGE, "originalDestination");
  if (!r.boolean(MESSAGE, "messageId")) return undefined;
  return { consumerId, destination, messageId: readMessageIdValueLoose(r, MESSAGE, "messageId") };
}

function readTight(r: FrameReader): ReturnType<typeof readDispatchIds> {
  r.beginBits(DISPATCH, "booleanStream");
  r.flag(DISPATCH, "responseRequired");
  r.int(DISPATCH, "commandId");
  const consumerId = readCachedConsumerIdTight(r, DISPATCH, "consumerId");
  const destination = readCachedActiveMQDestinationTight(r, DISPATCH, "destination");
  if (consumerId === null || !r.flag(DISPATCH, "message")) return undefined;
  r.code(MESSAGE, "type");
  // Whether the message stands there in a form that was kept, which no peer writes.
  if (r.flag(MESSAGE, "cachedForm")) return undefined;
  r.flag(MESSAGE, "responseRequired");
  r.int(MESSAGE, "commandId");
  readCachedProducerIdTight(r, MESSAGE, "producerId");
  readCachedActiveMQDestinationTight(r, MESSAGE, "destination");
  readCachedTransactionIdTight(r, MESSAGE, "transactionId");
  readCachedActiveMQDestinationTight(r, MESSAGE, "originalDestination");
  if (!r.flag(MESSAGE, "messageId")) return undefined;
  return { consumerId, destination, messageId: readMessageIdValueTight(r, MESSAGE, "messageId") };
}
