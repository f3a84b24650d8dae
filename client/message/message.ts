/**
 * Messages as a consumer gets them.
 *
 * @module
 */

import { OptionNames } from "../../option_names.ts";
import {
  type ActiveMQDestination,
  BytesReader,
  decodeMapBody,
  decodePrimitiveMap,
  decodeStreamBody,
  decodeTextBody,
  type DecodeValuesOptions,
  inspectAs,
  jsonView,
  type Long,
  type Message as WireMessage,
  type MessageId,
  type PrimitiveList,
  type PrimitiveMap,
} from "../../codec/mod.ts";
import { type BlobReference, nameOfUrl } from "./blob_reference.ts";
import type { BodyCodec } from "./body_codec.ts";
import type { CallOptions } from "../call_options.ts";
import { CONTENT_TYPE, JSON_TYPE } from "./content_type.ts";
import { formatDestination } from "../destination/destination.ts";
import type { InflatedBody } from "./inflated_body.ts";
import { LONGEST_PREVIEW, previewBody, previewProperties } from "./preview.ts";
import { ScheduleProperty } from "../producer/scheduled_delivery.ts";
import { formatTransactionId } from "../transaction/transaction_id.ts";

/**
 * What a message's body is. A `"plain"` message has none, the body of a `"blob"` is kept elsewhere.
 *
 * @example
 * ```ts
 * import type { MessageKind } from "../../mod.ts";
 *
 * const kind: MessageKind = "text";
 * ```
 */
export type MessageKind = "text" | "bytes" | "map" | "stream" | "object" | "blob" | "plain";

const kinds = {
  ActiveMQTextMessage: "text",
  ActiveMQBytesMessage: "bytes",
  ActiveMQMapMessage: "map",
  ActiveMQStreamMessage: "stream",
  ActiveMQObjectMessage: "object",
  ActiveMQBlobMessage: "blob",
  ActiveMQMessage: "plain",
} as const satisfies Record<WireMessage["dataType"], MessageKind>;

/**
 * When a message is given again.
 *
 * @example
 * ```ts
 * import type { RetryOptions } from "../../mod.ts";
 *
 * const options: RetryOptions = { delay: 500 };
 * ```
 */
export interface RetryOptions {
  /** Milliseconds to wait, 0 or more; what the redelivery policy says by default. */
  delay?: number | undefined;
}

/** What a consumer does when one of its messages is settled. */
export interface Settlement {
  ack(options: CallOptions): Promise<void>;
  reject(reason: unknown, options: CallOptions): Promise<void>;
  retry(options: RetryOptions): Promise<void>;
}

/** What a message is made of. */
export interface MessageParts {
  /** As it came. */
  readonly command: WireMessage;
  readonly redeliveryCount: number;
  readonly settlement: Settlement;
  /** Inflates its body. */
  readonly body: InflatedBody;
  /** How `getBody()` reads the body. */
  readonly codec: BodyCodec<unknown> | undefined;
  /** The body of the stream that the message begins. */
  readonly readable?: (() => ReadableStream<Uint8Array>) | undefined;
}

/**
 * A received message. It is read-only; body and properties are decoded when they are first asked for.
 *
 * @example
 * ```ts
 * import { connect } from "../../mod.ts";
 * import { MemoryBroker } from "../../testing/mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * await using broker = await MemoryBroker.listen();
 * await using connection = await connect(broker.url);
 * const session = await connection.createSession({ acknowledgeMode: "individual" });
 * const producer = await session.createProducer("orders");
 * const { messageId: id } = await producer.send("hello", { properties: { region: "eu-west-1" } });
 *
 * const message = await (await session.createConsumer("orders")).receive();
 * assertEquals(message?.id, id);
 * assertEquals(message?.text, "hello");
 * assertEquals(message?.properties.get("region"), "eu-west-1");
 * await message?.ack();
 * ```
 */
export class Message {
  /** How often it was delivered before, as far as the broker and this consumer know. */
  readonly redeliveryCount: number;
  /**
   * The command exactly as it came.
   *
   * @ignore Not for users.
   */
  readonly original: WireMessage;
  readonly #settlement: Settlement;
  readonly #body: InflatedBody;
  readonly #codec: BodyCodec<unknown> | undefined;
  readonly #stream: (() => ReadableStream<Uint8Array>) | undefined;
  #readable: ReadableStream<Uint8Array> | undefined;
  #properties: PrimitiveMap | undefined;

  /**
   * Made by consumers.
   *
   * @ignore Not for users.
   */
  constructor({ command, redeliveryCount, settlement, body, codec, readable }: MessageParts) {
    this.original = command;
    this.redeliveryCount = redeliveryCount;
    this.#settlement = settlement;
    this.#body = body;
    this.#codec = codec;
    this.#stream = readable;
  }

  /** The command with its body inflated, or as it came if the body can't be inflated. */
  get command(): WireMessage {
    try {
      return this.#body.of(this.original);
    } catch {
      // Who reads the body is told.
      return this.original;
    }
  }

  /**
   * Tells the broker that this message is done; in mode `"client"` all that the session has given out so far. In a
   * transaction it counts when that is committed, with or without this call.
   *
   * Resolves when that waits to be sent, or, while the broker does not keep up, when it was handed to the runtime; the broker
   * does not answer, unless the connection's `sendAcksAsync` is false.
   *
   * @param options How long to wait; the acknowledgement is on its way in any case.
   * @throws {OpenWireError} `"ILLEGAL_STATE"` when the message was settled before.
   * @throws {ClosedError} When the consumer was closed: the message will be delivered again.
   * @throws {ConnectionClosedError} When the connection has ended: the message will be delivered again.
   */
  ack(options: CallOptions = {}): Promise<void> {
    return this.#settlement.ack(options);
  }

  /**
   * Gives the message up: the broker moves it to its dead letter queue, with the reason (property
   * `dlqDeliveryFailureCause`), or drops it if it isn't persistent.
   *
   * @param reason Why, for whoever looks at the dead letter queue.
   * @param options How long to wait, as with {@linkcode ack}.
   * @throws {OpenWireError} `"ILLEGAL_STATE"` when the message was settled before.
   * @throws {ClosedError} When the consumer was closed: the message will be delivered again.
   * @throws {ConnectionClosedError} When the connection has ended: the message will be delivered again.
   */
  reject(reason?: unknown, options: CallOptions = {}): Promise<void> {
    return this.#settlement.reject(reason, options);
  }

  /**
   * Has this consumer give the message out again later, or give it up if that was done too often: the redelivery policy says
   * how often.
   *
   * @param options When.
   * @throws {OpenWireError} `"ILLEGAL_STATE"` when the message was settled before.
   * @throws {ClosedError} When the consumer was closed: the message will be delivered again.
   * @throws {ConnectionClosedError} When the connection has ended: the message will be delivered again.
   */
  retry(options: RetryOptions = {}): Promise<void> {
    return this.#settlement.retry(options);
  }

  /** JMSMessageID, such as `ID:host-1-2-1:1:1:1:1`. */
  get id(): string {
    return formatMessageId(this.original.messageId);
  }

  /** Where it was sent. */
  get destination(): ActiveMQDestination | null {
    return this.original.destination;
  }

  /** JMSReplyTo: where an answer is expected. */
  get replyTo(): ActiveMQDestination | null {
    return this.original.replyTo;
  }

  /** JMSCorrelationID. */
  get correlationId(): string | null {
    return this.original.correlationId;
  }

  /** JMSType. */
  get type(): string | null {
    return this.original.type;
  }

  /** JMSTimestamp: when it was sent, in milliseconds since 1970; 0 when the sender did not say. */
  get timestamp(): number {
    return Number(this.original.timestamp);
  }

  /** JMSExpiration: when it is too old, in milliseconds since 1970; 0 for never. */
  get expiration(): number {
    return Number(this.original.expiration);
  }

  /** JMSPriority, 0 to 9. */
  get priority(): number {
    return this.original.priority;
  }

  /** JMSDeliveryMode: whether it survives a restart of the broker. */
  get persistent(): boolean {
    return this.original.persistent;
  }

  /** JMSRedelivered: whether it was delivered before. */
  get redelivered(): boolean {
    return this.redeliveryCount > 0;
  }

  /** JMSXDeliveryCount: which delivery this is, from 1. */
  get deliveryCount(): number {
    return this.redeliveryCount + 1;
  }

  /** JMSXGroupID: the message group. */
  get groupId(): string | null {
    return this.original.groupID;
  }

  /** JMSXGroupSeq: its number within the group; below 0 the message is the last of its group. */
  get groupSequence(): number {
    return this.original.groupSequence;
  }

  /** JMSXGroupFirstForConsumer: whether it is the first of its group for this consumer, as far as the broker tells. */
  get groupFirstForConsumer(): boolean {
    return this.original.jmsxGroupFirstForConsumer;
  }

  /** JMSXUserID: who sent it, if the broker is configured to tell. */
  get userId(): string | null {
    return this.original.userID;
  }

  /** JMSXProducerTXID: the transaction that it was sent in, such as `TX:ID:host-1-2-1:1:7`. */
  get producerTransactionId(): string | null {
    const { originalTransactionId, transactionId } = this.original;
    return formatTransactionId(originalTransactionId ?? transactionId);
  }

  /** Where it was sent first, if the broker moved it, for example to a dead letter queue. */
  get originalDestination(): ActiveMQDestination | null {
    return this.original.originalDestination;
  }

  /** JMSActiveMQBrokerInTime: when the broker took it, in milliseconds since 1970; 0 when it did not say. */
  get brokerInTime(): number {
    return Number(this.original.brokerInTime);
  }

  /** JMSActiveMQBrokerOutTime: when the broker gave it out, in milliseconds since 1970; 0 when it did not say. */
  get brokerOutTime(): number {
    return Number(this.original.brokerOutTime);
  }

  /** JMSActiveMQBrokerPath: ids of the brokers that it came through, if it came through a network of brokers. */
  get brokerPath(): string[] {
    return (this.original.brokerPath ?? []).map((id) => id?.value ?? "");
  }

  /** Where the body of a message of the kind `"blob"` is kept; null for all other kinds. */
  get blob(): BlobReference | null {
    const { original } = this;
    if (original.dataType !== "ActiveMQBlobMessage") return null;
    const { remoteBlobUrl: url, mimeType, deletedByBroker } = original;
    return { url, name: nameOfUrl(url), mimeType, deletedByBroker };
  }

  /** The property `scheduledJobId`: the job of the broker's scheduler that it came from. */
  get scheduledJobId(): string | null {
    return this.#stringProperty(ScheduleProperty.jobId);
  }

  /** The property `contentType`: the media type of the body, such as `application/json`, if the sender told it. */
  get contentType(): string | null {
    return this.#stringProperty(CONTENT_TYPE);
  }

  /**
   * The properties.
   *
   * @throws {ProtocolError} When the sender marshalled them wrongly, or there are too many: the connection's
   *   `maxDecodedValues` is the limit (`"TOO_MANY_VALUES"`).
   */
  get properties(): PrimitiveMap {
    return this.#properties ??= decodePrimitiveMap(
      this.original.marshalledProperties,
      this.#body.limits,
    );
  }

  /** What the body is. */
  get kind(): MessageKind {
    return kinds[this.original.dataType];
  }

  /**
   * The text of a text message; null when it has none.
   *
   * @throws {TypeError} When it is no text message.
   * @throws {ProtocolError} When the sender marshalled the body wrongly.
   */
  get text(): string | null {
    return decodeTextBody(this.#content("text"));
  }

  /**
   * The value that a text message, or a bytes message in UTF-8, stands for. `T` is taken on trust.
   *
   * @throws {SyntaxError} When the text is no JSON.
   * @throws {TypeError} When it is no text or bytes message, has no text, or its bytes are no UTF-8.
   */
  json<T = unknown>(): T {
    const text = this.kind === "bytes" ? utf8.decode(this.bytes) : this.text;
    if (text === null) throw new TypeError("Cannot parse the message: it has no text");
    try {
      return JSON.parse(text);
    } catch {
      // What was caught quotes the body, which is the sender's.
      throw new SyntaxError(
        `Cannot parse the message: its text of ${text.length} characters is no JSON`,
      );
    }
  }

  /**
   * The body, as a codec reads it: the one that is given, else the consumer's. Without any, it is a string or null, a
   * `Uint8Array`, a `PrimitiveMap`, a `PrimitiveList`, or null for a message without a body; of JSON by its `contentType`,
   * the value. `T` is taken on trust.
   *
   * @param codec Reads the body.
   * @throws {ProtocolError} When the sender marshalled the body wrongly.
   * @throws {SyntaxError} When it should be JSON and isn't.
   * @throws {TypeError} When the body is kept elsewhere.
   * @throws What the codec throws.
   */
  getBody<T = unknown>(codec?: BodyCodec<T>): T {
    const reader = codec ?? this.#codec;
    return (reader ? reader.decode(this) : this.#plainBody()) as T;
  }

  /**
   * The body of a bytes message, or the serialized Java object of an object message. It is a view: don't change it.
   *
   * @throws {TypeError} When it is neither a bytes nor an object message.
   */
  get bytes(): Uint8Array {
    return this.#content("bytes", "object") ?? new Uint8Array(0);
  }

  /**
   * The body as a stream, the same one each time: the bytes of a bytes or object message, the text of a text message in UTF-8.
   *
   * If the consumer has the option `streams` and the message was sent with `sendStream()`, it is the whole body, and its other
   * chunks come from the queue as they are read. Reading fails with `"STREAM_ABORTED"` when the sender has given the stream up,
   * `"STREAM_BROKEN"` when a chunk is missing or the checksum is wrong, `"TIMEOUT"` when no chunk came within `chunkTimeout`,
   * and `"CLOSED"` when the message was settled or the consumer closed.
   *
   * @throws {TypeError} When the body is none of these kinds.
   * @throws {ProtocolError} When the sender marshalled the body wrongly, or its properties say something impossible of a stream.
   */
  get readable(): ReadableStream<Uint8Array> {
    return this.#readable ??= this.#stream ? this.#stream() : streamOf(this.#ownBytes());
  }

  /**
   * Reads typed values from the body of a bytes message, from its start.
   *
   * @throws {TypeError} When it is no bytes message.
   */
  reader(): BytesReader {
    return new BytesReader(this.#content("bytes"));
  }

  /**
   * The values of a map message.
   *
   * @throws {TypeError} When it is no map message.
   * @throws {ProtocolError} When the sender marshalled the body wrongly, or there are more values than the connection's
   *   `maxDecodedValues` (`"TOO_MANY_VALUES"`).
   */
  get map(): PrimitiveMap {
    return this.#values("map", decodeMapBody);
  }

  /**
   * The values of a stream message.
   *
   * @throws {TypeError} When it is no stream message.
   * @throws {ProtocolError} When the sender marshalled the body wrongly, or there are more values than the connection's
   *   `maxDecodedValues` (`"TOO_MANY_VALUES"`).
   */
  get stream(): PrimitiveList {
    return this.#values("stream", decodeStreamBody);
  }

  /**
   * What a log or a console shows of the message: its headers, the properties, and the beginning of the body. Headers that are
   * not set are left out, as is the default priority.
   *
   * It never fails and never inflates a body. A text has 200 characters at most, bytes are a text with their number and the first 16 of
   * them. A body or properties that cannot be read are a text that says why. A `long` is what `PrimitiveMap.toObject()` makes
   * of it, times are in ISO 8601.
   */
  toJSON(): Record<string, unknown> {
    return jsonView(this.#view(), LONGEST_PREVIEW);
  }

  #view(): Record<string, unknown> {
    const { original } = this;
    const { limits } = this.#body;
    const { transactionId, originalTransactionId, groupID } = original;
    return {
      id: this.id,
      kind: this.kind,
      destination: destinationText(original.destination),
      replyTo: destinationText(original.replyTo),
      originalDestination: destinationText(original.originalDestination),
      correlationId: original.correlationId ?? undefined,
      type: original.type ?? undefined,
      timestamp: time(original.timestamp),
      expiration: time(original.expiration),
      priority: original.priority === DEFAULT_PRIORITY ? undefined : original.priority,
      persistent: original.persistent,
      redeliveryCount: this.redeliveryCount || undefined,
      groupId: groupID ?? undefined,
      groupSequence: groupID === null ? undefined : original.groupSequence,
      userId: original.userID ?? undefined,
      producerTransactionId: formatTransactionId(originalTransactionId ?? transactionId) ??
        undefined,
      properties: this.#properties ?? previewProperties(original, limits),
      body: previewBody(original, limits),
    };
  }

  static {
    inspectAs(this, "Message", (message) => message.#view(), LONGEST_PREVIEW);
  }

  #ownBytes(): Uint8Array {
    if (this.kind === "text") return new TextEncoder().encode(this.text ?? "");
    return this.#content("bytes", "object", "text") ?? new Uint8Array(0);
  }

  #plainBody(): unknown {
    switch (this.kind) {
      case "text":
        return this.contentType === JSON_TYPE ? this.json() : this.text;
      case "bytes":
        return this.contentType === JSON_TYPE ? this.json() : this.bytes;
      case "object":
        return this.bytes;
      case "map":
        return this.map;
      case "stream":
        return this.stream;
      case "plain":
        return null;
      case "blob":
        throw new TypeError(
          "Cannot read the body of a blob message: it is kept elsewhere, see `message.blob`",
        );
    }
  }

  /** Decodes the values of a body. One with too many of them is not kept. */
  #values<T>(
    kind: MessageKind,
    decode: (content: Uint8Array | null, limits: DecodeValuesOptions) => T,
  ): T {
    try {
      return decode(this.#content(kind), this.#body.limits);
    } catch (error) {
      this.#body.release(this.original);
      throw error;
    }
  }

  #stringProperty(name: string): string | null {
    const value = this.properties.get(name);
    return typeof value === "string" ? value : null;
  }

  #content(...expected: MessageKind[]): Uint8Array | null {
    if (!expected.includes(this.kind)) {
      throw new TypeError(`Cannot read ${expected[0]} from a ${this.kind} message`);
    }
    return this.#body.of(this.original).content;
  }
}

/** A stream of one chunk, or of none if there are no bytes. */
function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    start: (controller) => {
      if (bytes.length > 0) controller.enqueue(bytes);
      controller.close();
    },
  });
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

const DEFAULT_PRIORITY = 4;

function destinationText(destination: ActiveMQDestination | null): string | undefined {
  return destination === null ? undefined : formatDestination(destination);
}

/** A time that was set; a number if no date stands for it. */
function time(milliseconds: Long): Date | Long | undefined {
  if (Number(milliseconds) === 0) return undefined;
  const date = new Date(Number(milliseconds));
  return Number.isNaN(date.getTime()) ? milliseconds : date;
}

/** A message's id as text. */
export function formatMessageId(id: MessageId | null): string {
  if (id === null) return "";
  if (id.textView) return id.textView.startsWith("ID:") ? id.textView : `ID:${id.textView}`;
  const { producerId, producerSequenceId } = id;
  if (producerId === null) return `:${producerSequenceId}`;
  return `${producerId.connectionId}:${producerId.sessionId}:${producerId.value}:${producerSequenceId}`;
}

/** The names of these options. */
export const RETRY_OPTIONS: OptionNames<RetryOptions> = new OptionNames<RetryOptions>({
  delay: true,
});
