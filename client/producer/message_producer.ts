/**
 * Producers.
 *
 * @module
 */

import { SEND_OPTIONS } from "./send_options.ts";
import {
  type ActiveMQDestination,
  createProducerId,
  createProducerInfo,
  createRemoveInfo,
  inspectAs,
  jsonView,
  type ProducerId,
  type ProducerInfo,
  type RemoveInfo,
  type SessionId,
} from "../../codec/mod.ts";
import { announce } from "../announce.ts";
import { BatchError } from "./batch_error.ts";
import type { BodyCodec } from "../message/body_codec.ts";
import type { CallOptions } from "../call_options.ts";
import { requireCapability } from "../capabilities.ts";
import {
  type Destination,
  formatDestination,
  nameOf,
  toDestination,
} from "../destination/destination.ts";
import { checkEncodable } from "./encodable.ts";
import { OpenWireError } from "../../errors.ts";
import { ClosedError } from "../errors.ts";
import { Message } from "../message/message.ts";
import { bytes, type Limits, milliseconds } from "../options.ts";
import { copyOptions, type MessageBody, toOutgoing } from "../message/outgoing_message.ts";
import { ObservedFlow } from "./observed_flow.ts";
import { type Prepared, ProducerFlow, sizeOf } from "./producer_flow.ts";
import {
  type ProducerOptions,
  type ProducerSettings,
  resolveProducerOptions,
} from "./producer_options.ts";
import { ProducerStream } from "./producer_stream.ts";
import {
  isOutgoingMessage,
  type OutgoingMessage,
  refuseUnknown,
  type SendOptions,
  type SendResult,
} from "./send_options.ts";
import { closeWith, SaidClosed } from "../say_closed.ts";
import type { StreamSource } from "../stream/chunks.ts";
import { sendStream } from "../stream/send_stream.ts";
import type { SendStreamOptions, SendStreamResult } from "../stream/stream_options.ts";
import { isSeveral } from "../destination/destination_pattern.ts";
import { idKey, type ProducerMember, type SessionContext } from "../session_context.ts";
import type { TransactionContext } from "../transaction/transaction_context.ts";
import { formatTransactionId } from "../transaction/transaction_id.ts";

/** What a producer is made of. */
export interface ProducerParts<T> {
  readonly context: SessionContext;
  readonly sessionId: SessionId;
  readonly value: number;
  readonly destination: ActiveMQDestination | null;
  readonly options: ProducerOptions<T>;
  readonly transaction: TransactionContext | undefined;
  readonly onClose: (producer: ProducerMember) => void;
}

/** Bytes that may be on their way through `writable` of a producer without a window. */
const STREAM_SIZE = 1_048_576;

/**
 * Sends messages, in the order of the calls.
 *
 * @example
 * ```ts
 * import { connect } from "../../mod.ts";
 * import { MemoryBroker } from "../../testing/mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * await using broker = await MemoryBroker.listen();
 * await using connection = await connect(broker.url);
 * const session = await connection.createSession();
 * const producer = await session.createProducer("orders");
 * await producer.send("hello", { properties: { region: "eu-west-1" } });
 * assertEquals(broker.queue("orders").size, 1);
 * ```
 */
export class MessageProducer<T = MessageBody> implements AsyncDisposable {
  /** Where it sends; null when each `send()` says where. */
  readonly destination: ActiveMQDestination | null;
  /**
   * Text of its id, within the connection.
   *
   * @ignore Not for users.
   */
  readonly id: string;
  readonly #context: SessionContext;
  readonly #id: ProducerId;
  readonly #settings: ProducerSettings;
  readonly #codec: BodyCodec<T> | undefined;
  readonly #transaction: TransactionContext | undefined;
  readonly #onClose: (producer: ProducerMember) => void;
  readonly #flow: ProducerFlow;
  /** What can't be done if a message fails; empty if each says where it goes. */
  readonly #action: string;
  #ready: Promise<void> | undefined;
  #stream: ProducerStream<T | Message | OutgoingMessage<T | Message>> | undefined;
  #ended: Error | undefined;
  #saidClosed: SaidClosed | undefined;

  /**
   * Use `session.createProducer()`.
   *
   * @ignore Not for users.
   */
  constructor(parts: ProducerParts<T>) {
    const { context, sessionId, value, destination, options, transaction, onClose } = parts;
    this.destination = destination;
    this.#context = context;
    this.#transaction = transaction;
    this.#onClose = onClose;
    this.#settings = resolveProducerOptions(options, context.settings, transaction !== undefined);
    this.#codec = options.codec;
    this.#action = destination ? actionFor(destination) : "";
    this.#id = createProducerId({
      connectionId: sessionId.connectionId,
      sessionId: sessionId.value,
      value,
    });
    this.id = idKey(this.#id);
    const { windowSize } = this.#settings;
    const flow = { context, producerId: this.#id, transaction, windowSize };
    const { observer } = context;
    this.#flow = observer ? new ObservedFlow(flow, observer) : new ProducerFlow(flow);
  }

  /**
   * Announces the producer to the broker.
   *
   * @ignore Not for users.
   */
  async open(options: CallOptions): Promise<void> {
    const { destination } = this;
    const where = destination ? ` for ${nameOf(destination)}` : "";
    const action = `Cannot open a producer${where}`;
    await announce(this.#context, this.info, action, options, () => this.#removeInfo());
    this.#context.addProducer(this);
  }

  /**
   * The command that announces it.
   *
   * @ignore Not for users.
   */
  get info(): ProducerInfo {
    const { windowSize, dispatchAsync } = this.#settings;
    const { destination } = this;
    return createProducerInfo({ producerId: this.#id, destination, windowSize, dispatchAsync });
  }

  /**
   * Sends a message. Calls need not wait for one another: the messages go in the order of the calls.
   *
   * @param body A string makes a text message, a `Uint8Array` a bytes message; see {@linkcode MessageBody} for the others.
   *   A producer with a codec takes what that takes. A received message is forwarded.
   * @param options Headers, properties, schedule and how long to wait.
   * @returns The message's id, and how far it has come: by default the broker has a persistent message by then, while one
   *   that isn't persistent or is part of a transaction was handed to the runtime.
   * @throws {BrokerError} When the broker refuses the message. If nobody waits for its answer, the connection's `status()`
   *   reports an {@linkcode AsyncSendError}; a transaction can't be committed then.
   * @throws {EncodeError} When the broker could not take it, because it is too large or a header too long. Nothing was
   *   sent.
   * @throws {OpenWireError} `"SEND_BUFFER_FULL"` when too many messages are on their way already (`maxPendingSendBytes`). Nothing
   *   was sent.
   * @throws {TimeoutError} When the broker did not answer in time; it may have taken the message, unless the error says that
   *   it was not sent.
   * @throws {ClosedError} When the producer is closed.
   * @throws {ConnectionClosedError} When the connection ended; the broker may have taken the message.
   * @throws {TypeError} When the body or an option is of a wrong kind.
   * @throws {RangeError} When an option is out of range.
   */
  send(body: T | Message, options: SendOptions = {}): Promise<SendResult> {
    // Not async: each promise less is felt.
    try {
      SEND_OPTIONS.check(options, "Cannot send");
      const prepared = this.#prepare(body, options);
      this.#flow.admit(prepared.size, prepared.action);
      return this.#flow.send(prepared);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Sends several messages, in one write if the window has room for them. If one of them can't be sent at all, none is.
   *
   * @param messages What is to be sent: as for {@linkcode send}, or with options as `{ body, priority: 9 }`. An object that
   *   has a `body` is taken for the latter.
   * @param options Options of those that have none of their own.
   * @returns What is known of each, in their order, when all are known.
   * @throws {BatchError} When some of them failed. It tells of each one.
   * @throws {EncodeError} When the broker could not take one of them; nothing was sent.
   * @throws {ClosedError} When the producer is closed.
   * @throws {ConnectionClosedError} When the connection has ended; nothing was sent.
   * @throws {TypeError} When a body or an option is of a wrong kind; nothing was sent.
   * @throws {RangeError} When an option is out of range; nothing was sent.
   */
  async sendBatch(
    messages: Iterable<T | Message | OutgoingMessage<T | Message>>,
    options: SendOptions = {},
  ): Promise<SendResult[]> {
    SEND_OPTIONS.check(options, "Cannot send a batch");
    if (options.deduplicationId !== undefined) {
      throw new TypeError(
        "Cannot send a batch with one deduplicationId: give each message its own, { body, deduplicationId }",
      );
    }
    const batch = Array.from(messages, (message) => {
      const { body, ...own } = toMessage(message, this.#codec !== undefined);
      return this.#prepare(body, { ...options, ...own });
    });
    checkEncodable(batch.map(({ command }) => command), this.#context.wireFormat());
    const size = batch.reduce((sum, { size }) => sum + size, 0);
    if (batch.length > 0) this.#flow.admit(size, batch[0]!.action);
    const results = await Promise.allSettled(batch.map((prepared) => this.#flow.send(prepared)));
    if (results.some(({ status }) => status === "rejected")) throw new BatchError(results);
    return results.map((result) => (result as PromiseFulfilledResult<SendResult>).value);
  }

  /**
   * Closes a message group, so that the next message of that name may go to another consumer.
   *
   * It sends a message without a body whose group sequence is -1. The consumer of the group gets it: it is the last one. If
   * there is no such group, any consumer gets it.
   *
   * @param groupId The name of the group.
   * @param options Headers, properties and how long to wait.
   * @returns As of {@linkcode send}.
   * @throws As {@linkcode send}.
   */
  async closeGroup(groupId: string, options: SendOptions = {}): Promise<SendResult> {
    SEND_OPTIONS.check(options, "Cannot close the group");
    const last = this.#prepareBody(null, { ...options, groupId, groupSequence: -1 });
    this.#flow.admit(last.size, last.action);
    return await this.#flow.send(last);
  }

  /**
   * Sends a large body in chunks: bytes messages to the same queue, each with all headers and properties. A consumer with the
   * option `streams` gets one message with the whole body as its `readable`; for others each chunk is a message.
   *
   * The source is asked for more while 2 MiB, or two chunks, are on their way. When the source fails or the signal is aborted,
   * consumers are told that the stream is given up. The format is that of this module; a codec of the producer is not used.
   *
   * @param source Where the bytes come from: a `ReadableStream` or an `AsyncIterable` of `Uint8Array`, or a `Blob`.
   * @param options Headers, properties, size of the chunks and how long to wait for each.
   * @returns What was sent, when the broker has all of it, as far as `send()` waits for that.
   * @throws {TypeError} When the destination is not a single queue, or the source gives something else than bytes.
   * @throws {RangeError} When an option is out of range.
   * @throws What the source throws, the signal's reason, and as {@linkcode send}; consumers do not get the stream then.
   */
  async sendStream(
    source: StreamSource,
    options: SendStreamOptions = {},
  ): Promise<SendStreamResult> {
    const given = copyOptions(options);
    if ("deduplicationId" in given && given.deduplicationId !== undefined) {
      throw new TypeError(
        "Cannot send a stream with a deduplicationId: it would be that of each chunk",
      );
    }
    const to = this.#destinationOf(given.destination);
    const isQueue = to.dataType === "ActiveMQQueue" || to.dataType === "ActiveMQTempQueue";
    if (!isQueue || isSeveral(to)) {
      throw new TypeError(`Cannot send a stream to ${nameOf(to)}: a single queue is expected`);
    }
    const send = (body: MessageBody, chunk: SendOptions): Promise<SendResult> => {
      try {
        const prepared = this.#prepareBody(body, chunk);
        this.#flow.admit(prepared.size, prepared.action);
        return this.#flow.send(prepared);
      } catch (error) {
        return Promise.reject(error);
      }
    };
    const { deadlines, capabilities } = this.#context;
    const grouped = capabilities().groupedStreams;
    return await sendStream(send, source, { deadlines, grouped }, given);
  }

  /**
   * Resolves when a message could be sent without waiting for its turn or for room in the window.
   *
   * @throws {ClosedError} When the producer is closed.
   * @throws {ConnectionClosedError} When the connection has ended.
   */
  get ready(): Promise<void> {
    this.#ready ??= this.#whenReady().finally(() => this.#ready = undefined);
    // Who has looked at it need not wait for it.
    this.#ready.catch(() => {});
    return this.#ready;
  }

  /** Bytes in the window: of messages that nobody waits for and that the broker has not taken yet. 0 without a window. */
  get bufferedAmount(): number {
    return this.#flow.used;
  }

  /**
   * Sends what is written to it; there is one for each producer, and another when that was closed or has failed. Chunks are
   * what {@linkcode sendBatch} takes.
   *
   * Each chunk waits for the broker's answer, up to `windowSize` bytes at the same time (1 MiB without a window), unless
   * it says otherwise, the producer has `useAsyncSend`, or there is a transaction. `desiredSize` of its writer is what is
   * left of these bytes. A message that fails errors the stream with the reason; `close()` waits for all answers, and
   * leaves the producer open.
   */
  get writable(): WritableStream<T | Message | OutgoingMessage<T | Message>> {
    if (this.#stream?.isOpen) return this.#stream;
    return this.#stream = new ProducerStream({
      highWaterMark: this.#settings.windowSize || STREAM_SIZE,
      begin: (chunk, aborted) => {
        const { body, ...options } = toMessage(chunk, this.#codec !== undefined);
        const wait = !this.#transaction && !this.#settings.useAsyncSend;
        const signal = options.signal ? AbortSignal.any([options.signal, aborted]) : aborted;
        const prepared = this.#prepare(body, { confirm: wait || undefined, ...options, signal });
        this.#flow.admit(prepared.size, prepared.action);
        return { size: prepared.size, done: this.#flow.send(prepared) };
      },
    });
  }

  /**
   * Closes the producer. What waits for its turn or for room in the window is not sent. Calling it again changes nothing.
   *
   * @param options How long to wait; the connection's `closeTimeout` by default.
   */
  close(options: CallOptions = {}): Promise<void> {
    const { closeTimeout } = this.#context.settings;
    return closeWith(options, closeTimeout, (limits) => this.#close(limits));
  }

  /** The same as {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Resolves when all that was to be sent is on its way, or has failed.
   *
   * @ignore Not for users.
   */
  async flush(): Promise<void> {
    await this.#flow.flush();
  }

  /**
   * The broker has taken a message that asked for no answer.
   *
   * @ignore Not for users.
   */
  acknowledged(): void {
    this.#flow.acknowledged();
  }

  /**
   * The broker may have lost messages that asked for no answer.
   *
   * @ignore Not for users.
   */
  windowLost(): void {
    this.#flow.windowLost();
  }

  /**
   * The connection was lost, and another one will take its place.
   *
   * @ignore Not for users.
   */
  interrupted(): void {
    this.#flow.interrupted();
  }

  /**
   * The broker does not take it when the connection is replaced by another.
   *
   * @ignore Not for users.
   */
  refused(reason: Error): void {
    this.end(reason);
    this.#onClose(this);
  }

  /**
   * Takes no more messages.
   *
   * @ignore Not for users.
   */
  end(reason: Error): void {
    this.#stop(reason);
    this.#context.removeProducer(this);
  }

  /** What a log or a console shows of the producer: where it sends, whether it is open, and what is in its window. */
  toJSON(): Record<string, unknown> {
    return jsonView(this.#view());
  }

  #view(): Record<string, unknown> {
    const { destination } = this;
    const { windowSize } = this.#settings;
    return {
      id: this.id,
      destination: destination && formatDestination(destination),
      state: this.#ended ? "closed" : "open",
      transactionId: formatTransactionId(this.#transaction?.current ?? null) ?? undefined,
      windowSize: windowSize || undefined,
      bufferedAmount: windowSize ? this.bufferedAmount : undefined,
    };
  }

  static {
    inspectAs(this, "MessageProducer", (producer) => producer.#view());
  }

  #stop(reason: Error): void {
    this.#ended ??= reason;
    this.#flow.fail(this.#ended);
  }

  async #whenReady(): Promise<void> {
    if (this.#ended) throw this.#ended;
    await this.#flow.ready();
  }

  #prepare(body: T | Message, options: SendOptions): Prepared {
    const encoded = this.#codec && !(body instanceof Message) ? this.#codec.encode(body) : body;
    return this.#prepareBody(encoded as MessageBody, options);
  }

  /** Makes the command for a message. */
  #prepareBody(body: MessageBody, options: SendOptions): Prepared {
    if (this.#ended) throw this.#ended;
    options.signal?.throwIfAborted();
    const settings = this.#settings;
    const destination = this.#destinationOf(options.destination);
    const { command, scheduled } = toOutgoing(body, options, settings.message);
    if ((options.period ?? options.repeat ?? options.cron) !== undefined) {
      requireCapability(this.#context.capabilities(), "repeatedDelivery", actionFor(destination));
    }
    if (options.deduplicationId !== undefined) {
      requireCapability(this.#context.capabilities(), "duplicateDetection", actionFor(destination));
    }
    command.producerId = this.#id;
    if (command.expiration !== 0) this.#checkClock(options.timeToLive, destination);
    const oneWay = !settings.alwaysSyncSend &&
      (!command.persistent || settings.useAsyncSend || this.#transaction !== undefined);
    const threshold = bytes(
      "compressionThreshold",
      options.compressionThreshold,
      settings.compressionThreshold,
    );
    const compressible = !command.compressed && command.content !== null &&
      command.content.length >= threshold;
    return {
      command: Object.assign(command, { destination }),
      // The scheduler sends no ProducerAck.
      confirm: (options.confirm ?? !oneWay) || (scheduled && settings.windowSize > 0),
      compress: compressible && (options.compress ?? settings.compress),
      size: sizeOf(command),
      action: this.#action || actionFor(destination),
      timeout: milliseconds("timeout", options.timeout, settings.sendTimeout),
      signal: options.signal,
    };
  }

  /** Reports that the broker will drop messages, of which nobody would hear. */
  #checkClock(
    timeToLive: number = this.#settings.message.timeToLive,
    destination: ActiveMQDestination,
  ): void {
    const { clock, report } = this.#context;
    const problem = clock.warning(timeToLive);
    if (problem === undefined) return;
    const message = `A message to ${nameOf(destination)} may expire at once. ${problem}`;
    report(new OpenWireError("CLOCK_DIFFERENCE", message));
  }

  #destinationOf(given: Destination | undefined): ActiveMQDestination {
    if (given === undefined) {
      if (this.destination) return this.destination;
      throw new TypeError("Cannot send: neither the producer nor the call has a destination");
    }
    if (this.destination) {
      throw new TypeError(
        `Cannot send elsewhere: the producer is bound to ${nameOf(this.destination)}`,
      );
    }
    return toDestination(given);
  }

  async #close(limits: Limits): Promise<void> {
    if (!this.#ended) {
      this.#stop(new ClosedError("The producer was closed"));
      this.#onClose(this);
      const remove = (): void => this.#remove(limits);
      if (this.#context.settings.failover && this.#transaction?.current) {
        // Another broker takes its messages only from a producer that it knows.
        this.#transaction.enlist({ finish: () => ({ committed: remove, rolledBack: remove }) });
      } else {
        remove();
      }
    }
    await this.#saidClosed?.within(limits);
  }

  #remove(limits: Limits): void {
    this.#context.removeProducer(this);
    const action = "Cannot close the producer";
    this.#saidClosed = new SaidClosed(this.#context, this.#removeInfo(), action, limits);
  }

  #removeInfo(): RemoveInfo {
    return createRemoveInfo({ objectId: this.#id });
  }
}

function actionFor(destination: ActiveMQDestination): string {
  return `Cannot send to ${formatDestination(destination)}`;
}

/** A message with options, from one with or without. A codec may take values that have a `body`. */
function toMessage<T>(given: T | OutgoingMessage<T>, codec: boolean): OutgoingMessage<T> {
  if (isOutgoingMessage(given)) return given;
  if (!codec) refuseUnknown(given);
  return { body: given };
}
