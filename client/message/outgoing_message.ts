/**
 * Messages as a producer sends them.
 *
 * @module
 */

import {
  createActiveMQBytesMessage,
  createActiveMQMapMessage,
  createActiveMQMessage,
  createActiveMQObjectMessage,
  createActiveMQStreamMessage,
  createActiveMQTextMessage,
  decodePrimitiveMap,
  encodeMapBody,
  encodePrimitiveMap,
  encodeStreamBody,
  encodeTextBody,
  type Message as WireMessage,
  type PrimitiveInput,
  PrimitiveMap,
  type PrimitiveMapInput,
} from "../../codec/mod.ts";
import { CONTENT_TYPE, JSON_TYPE } from "./content_type.ts";
import { type Destination, toDestination } from "../destination/destination.ts";
import { Message } from "./message.ts";
import { checkProperties, refuseNested } from "./message_properties.ts";
import {
  isScheduled,
  type ScheduledDelivery,
  scheduleProperties,
  ScheduleProperty,
} from "../producer/scheduled_delivery.ts";

/**
 * What can be sent: a string makes a text message, a `Uint8Array` a bytes message, null a message without a body. The
 * others are named: `{ map }`, `{ stream }`, `{ object }` for a serialized Java object, and `{ json }` for any value that
 * `JSON.stringify()` takes: a text message with the property `contentType` `"application/json"`.
 *
 * A {@linkcode Message} that was received is forwarded: body and properties go on byte for byte, compressed if they were,
 * with type, correlation id, reply address and group unless the options say otherwise. As in Java, priority, delivery mode
 * and time to live are those of the producer, not of the message.
 *
 * @example
 * ```ts
 * import { type MessageBody, short } from "../../mod.ts";
 *
 * const bodies: MessageBody[] = [
 *   "text",
 *   Uint8Array.of(1),
 *   { map: { id: 7 } },
 *   { stream: [1, short(2)] },
 *   { json: { id: 7, tags: ["new"] } },
 *   null,
 * ];
 * ```
 */
export type MessageBody =
  | string
  | Uint8Array
  | null
  | { readonly text: string | null }
  | { readonly bytes: Uint8Array }
  | { readonly map: PrimitiveMapInput }
  | { readonly stream: Iterable<PrimitiveInput> }
  | { readonly object: Uint8Array }
  | { readonly json: unknown }
  | Message;

/**
 * The headers of a message.
 *
 * @example
 * ```ts
 * import type { MessageHeaders } from "../../mod.ts";
 *
 * const headers: MessageHeaders = { priority: 9, timeToLive: 60_000, properties: { region: "eu-west-1" } };
 * ```
 */
export interface MessageHeaders {
  /** JMSDeliveryMode: whether the message survives a restart of the broker. The producer's by default. */
  persistent?: boolean | undefined;
  /** JMSPriority, 0 to 9. The producer's by default. */
  priority?: number | undefined;
  /** Milliseconds after which nobody needs the message any more; 0 for never. The producer's by default. */
  timeToLive?: number | undefined;
  /** JMSCorrelationID. */
  correlationId?: string | undefined;
  /** JMSReplyTo: where an answer is expected. */
  replyTo?: Destination | undefined;
  /** JMSType. */
  type?: string | undefined;
  /** JMSXGroupID: messages of one group go to one consumer. */
  groupId?: string | undefined;
  /**
   * JMSXGroupSeq, an integer of 32 bits. For ActiveMQ 1 gives the group to a consumer anew; below 0 the message is the last
   * of its group.
   */
  groupSequence?: number | undefined;
  /**
   * The application's properties, instead of those of a message that is forwarded. Names can't be empty; selectors can only
   * use those that are identifiers of Java and no words of theirs such as `AND`. What begins with `JMS` is a header and has
   * an option of its own, but for vendors' properties, `JMS_…`. Byte arrays can't be properties.
   */
  properties?: PrimitiveMapInput | undefined;
}

/** What a message has that its options don't mention. */
export interface MessageDefaults {
  readonly persistent: boolean;
  readonly priority: number;
  readonly timeToLive: number;
  readonly timestamp: boolean;
  readonly delay: number;
  /** Whether maps and lists may stand in properties and maps. */
  readonly nested: boolean;
}

/** A command, without who sends it, where and as what number. */
export interface Outgoing {
  readonly command: WireMessage;
  /** Whether the broker's scheduler will take it. */
  readonly scheduled: boolean;
}

/**
 * The command for a body and headers.
 *
 * @throws {RangeError} When a number is out of range.
 * @throws {TypeError} When the body or an option is of a wrong kind.
 */
export function toOutgoing(
  body: MessageBody,
  headers: MessageHeaders & ScheduledDelivery,
  defaults: MessageDefaults,
): Outgoing {
  const command = body instanceof Message ? forwarded(body) : withBody(body, defaults.nested);
  const now = Date.now();
  const timeToLive = checkTimeToLive(headers.timeToLive ?? defaults.timeToLive);
  command.persistent = headers.persistent ?? defaults.persistent;
  command.priority = checkPriority(headers.priority ?? defaults.priority);
  command.timestamp = defaults.timestamp ? now : 0;
  command.expiration = timeToLive > 0 ? now + timeToLive : 0;
  if (headers.correlationId !== undefined) command.correlationId = headers.correlationId;
  if (headers.replyTo !== undefined) command.replyTo = toDestination(headers.replyTo);
  if (headers.type !== undefined) command.type = headers.type;
  if (headers.groupId !== undefined) command.groupID = headers.groupId;
  if (headers.groupSequence !== undefined) {
    command.groupSequence = checkSequence(headers.groupSequence);
  }
  return { command, scheduled: setProperties(command, body, headers, defaults) };
}

/** Writes the properties; tells whether the broker's scheduler will take the message. */
function setProperties(
  command: WireMessage,
  body: MessageBody,
  headers: MessageHeaders & ScheduledDelivery,
  { delay, nested }: MessageDefaults,
): boolean {
  const schedule = scheduleProperties(headers, delay);
  const json = isJson(body);
  if (headers.properties === undefined && schedule === undefined && !json) return false;
  const properties = headers.properties === undefined
    ? decodePrimitiveMap(command.marshalledProperties)
    : checkProperties(headers.properties, nested);
  if (json && !properties.has(CONTENT_TYPE)) properties.set(CONTENT_TYPE, JSON_TYPE);
  if (schedule !== undefined) {
    // One that came from the scheduler would not be scheduled again.
    properties.delete(ScheduleProperty.jobId);
    for (const [name, value] of schedule) properties.set(name, value);
  }
  command.marshalledProperties = properties.size === 0 ? null : encodePrimitiveMap(properties);
  return isScheduled(properties);
}

/** Checks a JMSPriority. */
export function checkPriority(priority: number): number {
  if (Number.isInteger(priority) && priority >= 0 && priority <= 9) return priority;
  throw new RangeError(`Cannot send with priority ${priority}: an integer from 0 to 9 is expected`);
}

/** Checks a time to live. */
export function checkTimeToLive(timeToLive: number): number {
  if (Number.isSafeInteger(timeToLive) && timeToLive >= 0) return timeToLive;
  throw new RangeError(
    `Cannot send with time to live ${timeToLive}: milliseconds, 0 or more, are expected`,
  );
}

function checkSequence(sequence: number): number {
  if ((sequence | 0) === sequence) return sequence;
  throw new RangeError(
    `Cannot send with group sequence ${sequence}: an integer of 32 bits is expected`,
  );
}

/** The command of a received message as a new one. */
function forwarded(message: Message): WireMessage {
  return {
    ...message.original,
    commandId: 0,
    responseRequired: false,
    transactionId: null,
    originalDestination: null,
    originalTransactionId: null,
    targetConsumerId: null,
    redeliveryCounter: 0,
    brokerPath: null,
    arrival: 0,
    userID: null,
    recievedByDFBridge: false,
    droppable: false,
    cluster: null,
    brokerInTime: 0,
    brokerOutTime: 0,
    jmsxGroupFirstForConsumer: false,
  };
}

function withBody(body: Exclude<MessageBody, Message>, nested: boolean): WireMessage {
  if (typeof body === "string") return createActiveMQTextMessage({ content: encodeTextBody(body) });
  if (body === null) return createActiveMQMessage();
  if (body instanceof Uint8Array) {
    return createActiveMQBytesMessage({ content: bytesContent(body) });
  }
  if (typeof body === "object") {
    if ("text" in body) return createActiveMQTextMessage({ content: encodeTextBody(body.text) });
    if ("json" in body) {
      return createActiveMQTextMessage({ content: encodeTextBody(jsonText(body.json)) });
    }
    if ("bytes" in body) return createActiveMQBytesMessage({ content: bytesContent(body.bytes) });
    if ("map" in body) {
      const map = new PrimitiveMap(body.map);
      if (!nested) refuseNested(map, "map messages");
      return createActiveMQMapMessage({ content: encodeMapBody(map) });
    }
    if ("stream" in body) {
      return createActiveMQStreamMessage({ content: encodeStreamBody(body.stream) });
    }
    if ("object" in body) {
      return createActiveMQObjectMessage({ content: bytesContent(body.object) });
    }
  }
  throw new TypeError(
    "Cannot send this body: a string, a Uint8Array, null, a Message, { text }, { json }, { bytes }, { map }, { stream } or { object } is expected",
  );
}

function isJson(body: MessageBody): boolean {
  return typeof body === "object" && body !== null && "json" in body &&
    !(body instanceof Message);
}

function jsonText(value: unknown): string {
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined) {
    throw new TypeError(`Cannot send a ${typeof value} as JSON: there is no text for it`);
  }
  return text;
}

/** A copy, because the caller may use the array again before the bytes are sent. */
function bytesContent(bytes: Uint8Array): Uint8Array | null {
  if (!(bytes instanceof Uint8Array)) {
    throw new TypeError("Cannot send this body: a Uint8Array is expected");
  }
  return bytes.length === 0 ? null : bytes.slice();
}
