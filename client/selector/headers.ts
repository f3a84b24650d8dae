/**
 * Headers of messages by the names that selectors have for them.
 *
 * @module
 */

import type {
  ActiveMQDestination,
  BrokerId,
  Message,
  MessageId,
  TransactionId,
} from "../../codec/mod.ts";
import { boolean, string, type Value } from "./value.ts";

type Header = (message: Message) => Value | null;

const HEADERS: ReadonlyMap<string, Header> = new Map<string, Header>([
  ["JMSDestination", (m) => text(destinationText(m.originalDestination ?? m.destination))],
  ["JMSReplyTo", ({ replyTo }) => text(destinationText(replyTo))],
  ["JMSType", ({ type }) => text(type)],
  ["JMSDeliveryMode", ({ persistent }) => string(persistent ? "PERSISTENT" : "NON_PERSISTENT")],
  ["JMSPriority", ({ priority }) => int(priority)],
  ["JMSMessageID", ({ messageId }) => text(messageIdText(messageId))],
  ["JMSTimestamp", ({ timestamp }) => long(timestamp)],
  ["JMSCorrelationID", ({ correlationId }) => text(correlationId)],
  ["JMSExpiration", ({ expiration }) => long(expiration)],
  ["JMSRedelivered", ({ redeliveryCounter }) => boolean(redeliveryCounter > 0)],
  ["JMSXDeliveryCount", ({ redeliveryCounter }) => int(redeliveryCounter + 1)],
  ["JMSXGroupID", ({ groupID }) => text(groupID)],
  ["JMSXGroupSeq", ({ groupSequence }) => int(groupSequence)],
  ["JMSXGroupFirstForConsumer", (m) => boolean(m.jmsxGroupFirstForConsumer)],
  ["JMSXProducerTXID", (m) => text(transactionText(m.originalTransactionId ?? m.transactionId))],
  ["JMSActiveMQBrokerInTime", ({ brokerInTime }) => long(brokerInTime)],
  ["JMSActiveMQBrokerOutTime", ({ brokerOutTime }) => long(brokerOutTime)],
  ["JMSActiveMQBrokerPath", ({ brokerPath }) => string(pathText(brokerPath))],
]);

/** The value of a header, `null` if the message has none; `undefined` for any other name. */
export function header(message: Message, name: string): Value | null | undefined {
  // The user of a message stands in a property when the broker doesn't say it.
  if (name === "JMSXUserID") return message.userID === null ? undefined : string(message.userID);
  return HEADERS.get(name)?.(message);
}

function text(value: string | null): Value | null {
  return value === null ? null : string(value);
}

function int(value: number): Value {
  return { type: "int", value };
}

function long(value: number | bigint): Value {
  return { type: "long", value: BigInt(value) };
}

const SCHEMES = {
  ActiveMQQueue: "queue",
  ActiveMQTopic: "topic",
  ActiveMQTempQueue: "temp-queue",
  ActiveMQTempTopic: "temp-topic",
} as const;

function destinationText(destination: ActiveMQDestination | null): string | null {
  if (destination === null) return null;
  const { dataType, physicalName } = destination;
  const composite = physicalName.includes(",");
  return composite ? physicalName : `${SCHEMES[dataType]}://${physicalName}`;
}

function messageIdText(id: MessageId | null): string | null {
  if (id === null) return null;
  const { textView, producerId, producerSequenceId } = id;
  if (textView !== null) return textView.startsWith("ID:") ? textView : `ID:${textView}`;
  const producer = producerId === null
    ? "null"
    : `${producerId.connectionId}:${producerId.sessionId}:${producerId.value}`;
  return `${producer}:${producerSequenceId}`;
}

function transactionText(id: TransactionId | null): string | null {
  if (id === null) return null;
  if (id.dataType === "LocalTransactionId") {
    return `TX:${id.connectionId?.value ?? null}:${id.value}`;
  }
  const { formatId, globalTransactionId, branchQualifier } = id;
  return `XID:[${formatId},globalId=${hex(globalTransactionId)},branchId=${hex(branchQualifier)}]`;
}

/** ActiveMQ takes the bytes for signed ints: 255 is ffffffff. */
function hex(bytes: Uint8Array | null): string {
  return Array.from(new Int8Array(bytes ?? []), (byte) => (byte >>> 0).toString(16)).join("");
}

function pathText(path: readonly (BrokerId | null)[] | null): string {
  return path === null ? "null" : `[${path.map((id) => id?.value ?? null).join(", ")}]`;
}
