/**
 * What the broker has to know of messages. It never looks into their bodies.
 *
 * @module
 */

import {
  type ActiveMQDestination,
  type ConsumerId,
  decodePrimitiveMap,
  encodePrimitiveMap,
  long,
  type Message,
  type MessageId,
  type ProducerId,
  type Throwable,
} from "../codec/mod.ts";

/** Equal for equal producers, and for equal consumers. */
export function memberKey({ connectionId, sessionId, value }: ProducerId | ConsumerId): string {
  return `${connectionId}:${sessionId}:${value}`;
}

/** Equal for equal messages, whatever the broker added; written as ActiveMQ writes it. */
export function messageKey({ producerId, producerSequenceId }: MessageId): string {
  return `${producerId === null ? "null" : memberKey(producerId)}:${producerSequenceId}`;
}

/** The estimate of a message's size by which producers are paced. */
export function messageSize({ marshalledProperties, content }: Message): number {
  return 1024 + (marshalledProperties?.length ?? 0) + (content?.length ?? 0);
}

/** Whether a message's time is over. */
export function isExpired({ expiration }: Message, now: number): boolean {
  return expiration > 0 && now > expiration;
}

/** The copy of a message that goes to the dead letter queue. */
export function deadLetter(
  message: Message,
  destination: ActiveMQDestination,
  cause: Throwable | null,
): Message {
  const properties = decodePrimitiveMap(message.marshalledProperties);
  if (!properties.has("originalExpiration")) {
    properties.set("originalExpiration", long(message.expiration));
  }
  if (cause !== null) {
    const { className, message: text } = cause;
    properties.set("dlqDeliveryFailureCause", text === null ? className : `${className}: ${text}`);
  }
  return {
    ...message,
    destination,
    originalDestination: message.originalDestination ?? message.destination,
    originalTransactionId: message.originalTransactionId ?? message.transactionId,
    transactionId: null,
    expiration: 0,
    redeliveryCounter: 0,
    persistent: true,
    marshalledProperties: encodePrimitiveMap(properties),
  };
}
