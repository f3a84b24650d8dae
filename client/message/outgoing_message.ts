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
import { numberText, typeName } from "../../errors.ts";
import { harmless } from "../harmless.ts";
import { bytesOf, isPlainObject, namedBody, wrongBody } from "./body_kind.ts";
import { CONTENT_TYPE, JSON_TYPE } from "./content_type.ts";
import { type Destination, toDestination } from "../destination/destination.ts";
import { checkName } from "../names.ts";
import { Message } from "./message.ts";
import { checkProperties, refuseNested } from "./message_properties.ts";
import {
  isScheduled,
  type ScheduledDelivery,
  scheduleProperties,
  ScheduleProperty,
} from "../producer/scheduled_delivery.ts";

/**
 * Bytes that can be sent: a buffer, or a view of one such as a `Uint8Array`, a Node `Buffer` or a `Float64Array`, whose bytes
 * are sent in the order in which they are in memory. They are copied.
 *
 * @example
 * ```ts
 * import type { BodyBytes } from "../../mod.ts";
 *
 * const bytes: BodyBytes = new TextEncoder().encode("hello");
 * ```
 */
export type BodyBytes = ArrayBufferLike | ArrayBufferView;

/**
 * What can be sent: a string makes a text message, bytes a bytes message, null a message without a body. The others are
 * named, by exactly one name: `{ map }`, `{ stream }`, `{ object }` for a serialized Java object, and `{ json }` for any
 * value that `JSON.stringify()` takes: a text message with the property `contentType` `"application/json"`. All else,
 * such as an array or an object with other names, is a `TypeError`.
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
  | BodyBytes
  | null
  | NamedBody<"text", string | null>
  | NamedBody<"bytes", BodyBytes>
  | NamedBody<"map", PrimitiveMapInput>
  | NamedBody<"stream", Iterable<PrimitiveInput>>
  | NamedBody<"object", BodyBytes>
  | NamedBody<"json", unknown>
  | Message;

/**
 * An object with one body, and no other.
 *
 * @example
 * ```ts
 * import type { NamedBody } from "../../mod.ts";
 *
 * const body: NamedBody<"text", string> = { text: "hello" };
 * ```
 */
export type NamedBody<
  Name extends "text" | "json" | "bytes" | "map" | "stream" | "object",
  Value,
> =
  & { readonly [One in Name]: Value }
  & {
    readonly [
      Other in Exclude<"text" | "json" | "bytes" | "map" | "stream" | "object", Name>
    ]?: never;
  };

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
  /** JMSCorrelationID. An empty text is sent as it is, and so is that of {@linkcode type}. */
  correlationId?: string | undefined;
  /** JMSReplyTo: where an answer is expected. */
  replyTo?: Destination | undefined;
  /** JMSType. */
  type?: string | undefined;
  /** JMSXGroupID: messages of one group go to one consumer. A blank one is refused. */
  groupId?: string | undefined;
  /**
   * JMSXGroupSeq, an integer of 32 bits. For ActiveMQ 1 gives the group to a consumer anew; below 0 the message is the last
   * of its group.
   */
  groupSequence?: number | undefined;
  /**
   * An id of the message that the application chooses, such as the number of an order. Artemis stores only the first of the
   * messages of an address that have the same id, and confirms the others without storing them; it remembers the last 20,000 ids
   * by default (`id-cache-size`). In a transaction a duplicate makes `commit()` fail. ActiveMQ has no such feature: there
   * `send()` rejects with `UNSUPPORTED`. Sent as the property `_AMQ_DUPL_ID`.
   */
  deduplicationId?: string | undefined;
  /**
   * The application's properties, instead of those of a message that is forwarded. Names can't be empty; selectors can only
   * use those that are identifiers of Java and no words of theirs such as `AND`. Names of headers, such as `JMSType` or
   * `JMSXGroupID`, are refused: headers have options of their own. `AMQ_SCHEDULED_DELAY` and `AMQ_SCHEDULED_PERIOD` are sent
   * as `long` and `AMQ_SCHEDULED_REPEAT` as `int`, as brokers expect. Byte arrays can't be properties.
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

/** A body as it was when it was given: whoever gave it may change it before the message leaves. */
export class EncodedBody {
  /** The message, without headers. */
  readonly command: WireMessage;
  /** Whether the text is JSON. */
  readonly isJson: boolean;

  constructor(command: WireMessage, isJson: boolean) {
    this.command = command;
    this.isJson = isJson;
  }
}

/**
 * Encodes a body now, for a message that is made later.
 *
 * @param body The body.
 * @param nested Whether maps and lists may stand in maps.
 * @throws {TypeError} When the body is of a wrong kind.
 */
export function encodeBody(body: MessageBody | EncodedBody, nested: boolean): FixedBody {
  const isFixed = typeof body === "string" || body === null || body instanceof Message;
  if (isFixed || body instanceof EncodedBody) return body;
  return new EncodedBody(withBody(body, nested), isJson(body));
}

/** The options as they are now: whoever gave them may change them before the message leaves. */
export function copyOptions<T extends MessageHeaders>(options: T): T {
  const { properties } = options;
  return properties === undefined
    ? { ...options }
    : { ...options, properties: new PrimitiveMap(properties) };
}

/** A body that nobody can change. */
export type FixedBody = EncodedBody | Message | string | null;

/**
 * The command for a body and headers.
 *
 * @throws {RangeError} When a number is out of range.
 * @throws {TypeError} When the body or an option is of a wrong kind.
 */
export function toOutgoing(
  body: MessageBody | EncodedBody,
  headers: MessageHeaders & ScheduledDelivery,
  defaults: MessageDefaults,
): Outgoing {
  const command = body instanceof Message
    ? forwarded(body)
    : body instanceof EncodedBody
    ? body.command
    : withBody(body, defaults.nested);
  const now = Date.now();
  const timeToLive = checkTimeToLive(headers.timeToLive ?? defaults.timeToLive);
  command.persistent = headers.persistent ?? defaults.persistent;
  command.priority = checkPriority(headers.priority ?? defaults.priority);
  command.timestamp = defaults.timestamp ? now : 0;
  command.expiration = timeToLive > 0 ? now + timeToLive : 0;
  if (headers.correlationId !== undefined) command.correlationId = headers.correlationId;
  if (headers.replyTo !== undefined) command.replyTo = toDestination(headers.replyTo);
  if (headers.type !== undefined) command.type = headers.type;
  if (headers.groupId !== undefined) {
    command.groupID = checkName("groupId", headers.groupId) ?? null;
  }
  if (headers.groupSequence !== undefined) {
    command.groupSequence = checkSequence(headers.groupSequence);
  }
  const json = body instanceof EncodedBody ? body.isJson : isJson(body);
  return { command, scheduled: setProperties(command, json, headers, defaults) };
}

/** Writes the properties; tells whether the broker's scheduler will take the message. */
function setProperties(
  command: WireMessage,
  json: boolean,
  headers: MessageHeaders & ScheduledDelivery,
  { delay, nested }: MessageDefaults,
): boolean {
  const schedule = scheduleProperties(headers, delay);
  const deduplicationId = checkDeduplicationId(headers.deduplicationId);
  const isPlain = headers.properties === undefined && schedule === undefined;
  if (isPlain && deduplicationId === undefined && !json) return false;
  const properties = headers.properties === undefined
    ? decodePrimitiveMap(command.marshalledProperties)
    : checkProperties(headers.properties, nested);
  if (json && !properties.has(CONTENT_TYPE)) properties.set(CONTENT_TYPE, JSON_TYPE);
  if (deduplicationId !== undefined) properties.set(DEDUPLICATION_ID, deduplicationId);
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
  throw new RangeError(
    `Cannot send with priority ${numberText(priority)}: an integer from 0 to 9 is expected`,
  );
}

/** Checks a time to live. */
export function checkTimeToLive(timeToLive: number): number {
  if (Number.isSafeInteger(timeToLive) && timeToLive >= 0) return timeToLive;
  throw new RangeError(
    `Cannot send with time to live ${
      numberText(timeToLive)
    }: milliseconds, 0 or more, are expected`,
  );
}

/** The property by which Artemis detects duplicates. */
const DEDUPLICATION_ID = "_AMQ_DUPL_ID";

function checkDeduplicationId(id: string | undefined): string | undefined {
  if (id === undefined || (typeof id === "string" && id !== "")) return id;
  throw new TypeError("Cannot use the deduplicationId: a string that is not empty is expected");
}

function checkSequence(sequence: number): number {
  if (Number.isInteger(sequence) && (sequence | 0) === sequence) return sequence;
  throw new RangeError(
    `Cannot send with group sequence ${numberText(sequence)}: an integer of 32 bits is expected`,
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

function withBody(body: unknown, nested: boolean): WireMessage {
  if (typeof body === "string") return createActiveMQTextMessage({ content: encodeTextBody(body) });
  if (body === null) return createActiveMQMessage();
  const bytes = bytesOf(body);
  if (bytes) return createActiveMQBytesMessage({ content: copyOf(bytes) });
  const [name, value] = namedBody(body);
  switch (name) {
    case "text":
      if (value !== null && typeof value !== "string") {
        throw wrongBody(name, value, "a string or null");
      }
      return createActiveMQTextMessage({ content: encodeTextBody(value) });
    case "json":
      return createActiveMQTextMessage({ content: encodeTextBody(jsonText(value)) });
    case "bytes":
      return createActiveMQBytesMessage({ content: bytesContent(name, value) });
    case "object":
      return createActiveMQObjectMessage({ content: bytesContent(name, value) });
    case "map": {
      const map = new PrimitiveMap(value as PrimitiveMapInput);
      if (!nested) refuseNested(map, "map messages");
      return createActiveMQMapMessage({ content: encodeMapBody(map) });
    }
    case "stream":
      if (!isValues(value)) throw wrongBody(name, value, "an array or another list of values");
      return createActiveMQStreamMessage({ content: encodeStreamBody(value) });
  }
}

/** Bytes can be iterated, too, and would become a row of ints. */
function isValues(value: unknown): value is Iterable<PrimitiveInput> {
  return typeof value === "object" && value !== null && Symbol.iterator in value &&
    bytesOf(value) === undefined;
}

function isJson(body: unknown): boolean {
  return isPlainObject(body) && Object.hasOwn(body, "json");
}

function jsonText(value: unknown): string {
  if (value instanceof Message) {
    throw new TypeError(
      "Cannot send a Message as JSON, which shows only the beginning of its body: send the message itself, or its body",
    );
  }
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined) {
    throw new TypeError(`Cannot send a ${typeof value} as JSON: there is no text for it`);
  }
  // Only now, because a replacer makes JSON.stringify() much slower.
  if (text.includes("{}")) JSON.stringify(value, refuseEmptied);
  return text;
}

/** A replacer that refuses objects such as Map, Set and Error, which become `{}` whatever they hold. */
function refuseEmptied(name: string, value: unknown): unknown {
  const isKept = typeof value !== "object" || value === null || Array.isArray(value) ||
    isPlainObject(value) || Object.keys(value).length > 0 ||
    value instanceof Number || value instanceof String || value instanceof Boolean;
  if (isKept) return value;
  const where = name === "" ? "" : ` (the property ${harmless(name.slice(0, 40))})`;
  throw new TypeError(
    `Cannot send an object of class ${
      typeName(value)
    } as JSON${where}: it would arrive as {}. Convert it to an array, a plain object or a string`,
  );
}

function bytesContent(name: "bytes" | "object", value: unknown): Uint8Array | null {
  const bytes = bytesOf(value);
  if (bytes === undefined) throw wrongBody(name, value, "an ArrayBuffer or a view of one");
  return copyOf(bytes);
}

/** A copy, because the caller may use the array again before the bytes are sent. */
function copyOf(bytes: Uint8Array): Uint8Array | null {
  return bytes.length === 0 ? null : new Uint8Array(bytes);
}
