/**
 * Consumers.
 *
 * @module
 */

import { CALL_OPTIONS, SIGNAL_OPTION } from "../call_options.ts";
import { OptionNames } from "../../option_names.ts";
import { numberText } from "../../errors.ts";
import {
  type ActiveMQDestination,
  type ConsumerId,
  type ConsumerInfo,
  createConsumerId,
  createRemoveInfo,
  inspectAs,
  jsonView,
  type MessageDispatch,
  type RemoveInfo,
  type SessionId,
  type UnreadableDispatch,
} from "../../codec/mod.ts";
import { announce } from "../announce.ts";
import type { CallOptions } from "../call_options.ts";
import { drainWith } from "../drain.ts";
import { BufferLimit } from "./buffer_limit.ts";
import { ConsumerCredit } from "./consumer_credit.ts";
import { ConsumerDeliveries, type ConsumerSession } from "./consumer_deliveries.ts";
import {
  type ConsumerKind,
  type ConsumerOptions,
  type ConsumerSettings,
  resolveConsumerOptions,
  toConsumerInfo,
} from "./consumer_options.ts";
import type { DeliveryQueue, Receiver } from "./delivery_queue.ts";
import { Episode } from "./episode.ts";
import { formatDestination, nameOf } from "../destination/destination.ts";
import { ClosedError, ConnectionClosedError, TimeoutError } from "../errors.ts";
import { HandlerRunner } from "./handler_runner.ts";
import { inTime } from "../in_time.ts";
import type { Message } from "../message/message.ts";
import { type Limits, limitsOf, milliseconds } from "../options.ts";
import { closeWith, SaidClosed } from "../say_closed.ts";
import { IncomingStreams } from "../stream/incoming_streams.ts";
import { checkPrefetchSize, MAX_PREFETCH_SIZE } from "./prefetch_policy.ts";
import { receiveAll, receiveOne, type ReceiverSource } from "./receivers.ts";
import { idKey, type SessionContext } from "../session_context.ts";

/**
 * Takes a message.
 *
 * In the modes `"auto"` and `"dups-ok"` the message counts as done when it returns, or when its promise resolves; in the
 * modes `"client"` and `"individual"` when its `ack()` was called. If the handler fails and has not settled the message, the
 * message is given to it again as the redelivery policy says; in mode `"transacted"` the transaction is rolled back.
 *
 * @example
 * ```ts
 * import type { MessageHandler } from "../../mod.ts";
 *
 * const handler: MessageHandler = async (message) => console.log(message.text);
 * ```
 */
export type MessageHandler = (message: Message) => void | Promise<void>;

/**
 * How messages are given to a handler.
 *
 * @example
 * ```ts
 * import type { ConsumeOptions } from "../../mod.ts";
 *
 * const options: ConsumeOptions = { concurrency: 8 };
 * ```
 */
export interface ConsumeOptions {
  /**
   * Messages that are with the handler at the same time; those of one group one after another. A default prefetch size is raised
   * to it, one that was given must not be smaller, but can be 0. @default {1}
   */
  concurrency?: number | undefined;
  /** Ends the consuming: no more messages are given to the handler. The consumer stays open. */
  signal?: AbortSignal | undefined;
}

/** What a consumer is made of. */
export interface ConsumerParts {
  readonly context: SessionContext;
  readonly session: ConsumerSession;
  readonly closed: (consumer: MessageConsumer) => void;
  /** Opens a consumer of the same queue for the chunks of a stream. */
  readonly openChunks: (options: ConsumerOptions) => Promise<MessageConsumer>;
  /** Does what is left to do when the broker was told that it is closed; never rejects. */
  readonly release: ((limits: Limits) => Promise<void>) | undefined;
  readonly sessionId: SessionId;
  readonly value: number;
  readonly destination: ActiveMQDestination;
  readonly browser: boolean;
}

/**
 * Receives messages, in one of four ways: with `receive()`, with `for await`, from the stream {@linkcode readable}, or with
 * a handler given to {@linkcode consume}.
 *
 * Whatever waits for a message can be cancelled without losing one: what was not given out stays here for the next call, and
 * goes back to the broker when the consumer is closed, without counting as an attempt.
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
 * for (const text of ["one", "two", "three"]) await producer.send(text);
 *
 * const consumer = await session.createConsumer("orders");
 * const texts: (string | null)[] = [];
 * for await (const message of consumer) {
 *   texts.push(message.text);
 *   if (texts.length === 3) break;
 * }
 * assertEquals(texts, ["one", "two", "three"]);
 * ```
 */
export class MessageConsumer implements AsyncIterable<Message>, AsyncDisposable {
  /** Text of its id within the connection. */
  readonly id: string;
  /** What it consumes. */
  readonly destination: ActiveMQDestination;
  readonly #context: SessionContext;
  readonly #closed: (consumer: MessageConsumer) => void;
  readonly #release: ConsumerParts["release"];
  readonly #consumerId: ConsumerId;
  readonly #kind: ConsumerKind;
  readonly #options: ConsumerOptions;
  readonly #settings: ConsumerSettings;
  readonly #deliveries: ConsumerDeliveries;
  readonly #queue: DeliveryQueue;
  readonly #streams: IncomingStreams | undefined;
  readonly #credit: ConsumerCredit;
  /** Only of one that the broker discards messages of. */
  readonly #bufferLimit: BufferLimit | undefined;
  /** While it is so slow that the broker may do so. */
  readonly #slowness: Episode = new Episode();
  /** While the application has too many messages that it did not settle. */
  readonly #limitation: Episode = new Episode();
  /** The option that says how many messages the broker sends ahead; undefined for the default. */
  #prefetchFrom: string | undefined;
  /** Whether the broker has changed that. */
  #prefetchFromBroker = false;
  /** Messages that are given to the handler at the same time; 0 without one. */
  #concurrency = 0;
  readonly #source: ReceiverSource;
  /** Whether the broker isn't asked for more: it has said that there is none to browse, or the consumer is drained. */
  #exhausted = false;
  #paused = false;
  /** Why there are no more messages; those that were given can still be acknowledged. */
  #ended: Error | undefined;
  /** What has ended it, unless it was closed here. */
  #failure: Error | undefined;
  #runner: HandlerRunner | undefined;
  #saidClosed: SaidClosed | undefined;
  #released: Promise<void> | undefined;
  /** Whether the connection was lost. What comes over the next one waits until that is in use. */
  #interrupted = false;
  /** Whether the broker has accepted it. */
  #standing = false;
  /** Whether the broker has it no more. */
  #removed = false;

  /**
   * Use `session.createConsumer()`.
   *
   * @ignore Not for users.
   */
  constructor(parts: ConsumerParts, options: ConsumerOptions) {
    const { context, session, sessionId, destination } = parts;
    const { settings } = context;
    this.#kind = {
      mode: session.acknowledgeMode,
      browser: parts.browser,
      // Only ActiveMQ has such limits, and has no queues of topics.
      queueOfTopic: destination.physicalName.includes("::") &&
        !context.capabilities().maximumPendingMessageLimit,
    };
    this.#settings = resolveConsumerOptions(options, settings, destination, this.#kind);
    if (options.subscriptionName !== undefined && !context.clientId.given) {
      throw new TypeError("Cannot subscribe durably: the connection needs a clientId of yours");
    }
    this.destination = destination;
    this.#context = context;
    this.#closed = parts.closed;
    this.#release = parts.release;
    this.#options = options;
    this.#consumerId = createConsumerId({
      connectionId: sessionId.connectionId,
      sessionId: sessionId.value,
      value: parts.value,
    });
    this.id = idKey(this.#consumerId);
    const { prefetchSize, maxBufferedBytes, lossy } = this.#settings;
    this.#prefetchFrom = this.#settings.prefetchFrom;
    this.#credit = new ConsumerCredit({
      context,
      destination,
      consumerId: this.#consumerId,
      prefetchSize,
      maxBufferedBytes: lossy ? 0 : maxBufferedBytes,
    });
    if (lossy) {
      this.#bufferLimit = new BufferLimit({
        context,
        destination,
        consumerId: this.id,
        maxBufferedBytes,
        buffered: () => this.buffered,
      });
    }
    this.#streams = this.#createStreams(parts.openChunks);
    this.#deliveries = new ConsumerDeliveries({
      context,
      session,
      consumerId: this.#consumerId,
      kind: this.#kind,
      settings: this.#settings,
      codec: options.codec,
      streams: this.#streams,
      subscription: options.subscriptionName,
      limited: () => this.#limited(),
      starved: () => this.#starved(),
      outstanding: () => this.#outstanding(),
      settled: () => {
        if (this.unsettled <= this.maxUnacknowledged / 4) this.#limitation.end();
      },
      buffered: (bytes) => {
        this.#credit.check(bytes);
        this.#bufferLimit?.check(bytes);
      },
    });
    this.#queue = this.#deliveries.queue;
    this.#source = {
      queue: this.#queue,
      deadlines: context.deadlines,
      wait: (receiver) => this.#wait(receiver),
      give: (delivery) => this.#deliveries.take(delivery),
      finished: (delivery, attempt) => this.#deliveries.finished(delivery, attempt),
    };
    if (!context.started()) this.#queue.hold();
    if (context.faultTolerant()) this.stopOptimizing();
  }

  /** Number of messages that have come and wait to be taken. */
  get buffered(): number {
    return this.#queue.length;
  }

  /** Bytes of the messages that have come and wait to be taken, about. */
  get bufferedBytes(): number {
    return this.#queue.bytes;
  }

  /** Bytes of the compressed body that was read last, inflated; 0 when its message was settled. */
  get inflatedBytes(): number {
    return this.#deliveries.inflatedBytes;
  }

  /** Number of messages that the application has and did not settle. */
  get unsettled(): number {
    return this.#deliveries.unsettled;
  }

  /** Messages that the application may have without having settled them; 0 for no limit. */
  get maxUnacknowledged(): number {
    return this.#deliveries.maxUnacknowledged;
  }

  /**
   * Whether it delivers nothing because of {@linkcode maxUnacknowledged}.
   *
   * @ignore Not for users.
   */
  get limited(): boolean {
    const { maxUnacknowledged } = this;
    return maxUnacknowledged > 0 && this.unsettled >= maxUnacknowledged;
  }

  /**
   * Whether it is so slow that the broker may discard messages.
   *
   * @ignore Not for users.
   */
  get slow(): boolean {
    return this.#slowness.going;
  }

  /**
   * Whether a call waits for what the broker sends for it. A handler and a loop are no calls: they wait all the time.
   *
   * @ignore Not for users.
   */
  get awaitsBroker(): boolean {
    if (this.#queue.length > 0) return false;
    for (const { timeout } of this.#queue.receivers) if (timeout !== undefined) return true;
    return false;
  }

  /** How many messages the broker sends ahead; 0 when it is asked for each. */
  get prefetchSize(): number {
    return this.#credit.prefetchSize;
  }

  /** Whether it gives out no messages until {@linkcode resume} is called. */
  get paused(): boolean {
    return this.#paused;
  }

  /**
   * Announces the consumer to the broker. Messages may come before the broker's answer.
   *
   * @ignore Not for users.
   */
  async open(options: CallOptions): Promise<void> {
    this.#context.addConsumer(this);
    const action = `Cannot open a consumer for ${nameOf(this.destination)}`;
    try {
      await announce(this.#context, this.info, action, options, () => this.#removeInfo());
      this.#standing = true;
      if (this.prefetchSize === 0) this.#outstanding();
    } catch (error) {
      this.#context.removeConsumer(this);
      this.end(error as Error);
      this.#closed(this);
      throw error;
    }
    if (this.#ended) throw this.#ended;
  }

  /**
   * The command that announces it.
   *
   * @ignore Not for users.
   */
  get info(): ConsumerInfo {
    const info = toConsumerInfo(
      this.#consumerId,
      this.destination,
      this.#options,
      this.#context.settings,
      this.#settings,
      this.#kind,
      this.#context.clientId.value,
    );
    // One that is about to end is sent nothing more.
    info.prefetchSize = this.#ended || this.#exhausted ? 0 : this.prefetchSize;
    return info;
  }

  /**
   * Whether the broker has accepted it.
   *
   * @ignore Not for users.
   */
  get standing(): boolean {
    return this.#standing;
  }

  /**
   * Takes the next message. In the modes `"auto"` and `"dups-ok"` it is acknowledged before this returns.
   *
   * @param options How long to wait: `timeout` is 30,000 ms by default, 0 waits for ever.
   * @returns The message; null when none came in time, or when the consumer was closed.
   * @throws {ConnectionClosedError} When the connection has ended.
   * @throws {ClosedError} When the broker has closed the consumer.
   * @throws The signal's reason when it is aborted; no message is lost.
   */
  async receive(options: CallOptions = {}): Promise<Message | null> {
    CALL_OPTIONS.check(options, "Cannot receive");
    const { timeout, signal } = options;
    this.#refuseWhileHandling();
    this.#refuseEarly();
    const limit = milliseconds("timeout", timeout, 30_000);
    return await receiveOne(this.#source, { timeout: limit, signal }, limit, () => {});
  }

  /**
   * Takes a message that has come already, or that the broker has at hand if the prefetch size is 0. In the modes `"auto"`
   * and `"dups-ok"` it is acknowledged before this returns.
   *
   * @returns The message; null when there is none.
   * @throws {ConnectionClosedError} When the connection has ended.
   * @throws {ClosedError} When the broker has closed the consumer.
   */
  async receiveNoWait(): Promise<Message | null> {
    this.#refuseWhileHandling();
    this.#refuseEarly();
    const limit = this.#context.settings.requestTimeout;
    const options = { timeout: -1, signal: undefined };
    return await receiveOne(this.#source, options, limit, (receiver) => {
      if (!this.#credit.pulling) receiver.end(undefined);
    });
  }

  /**
   * Messages one after another, until the consumer is closed.
   *
   * In the modes `"auto"` and `"dups-ok"` a message is acknowledged when the next one is asked for. The one with which the
   * loop is left is not: call its `ack()`, or it will be delivered again.
   *
   * @param options Ends the loop with the signal's reason.
   * @throws {ConnectionClosedError} From the loop, when the connection has ended.
   * @throws {ClosedError} From the loop, when the broker has closed the consumer.
   */
  messages(options: Pick<CallOptions, "signal"> = {}): AsyncIterableIterator<Message> {
    SIGNAL_OPTION.check(options, "Cannot receive");
    this.#refuseWhileHandling();
    // A browser is given messages or the end; others may have to wait for ever.
    const timeout = this.#kind.browser ? this.#context.settings.requestTimeout : 0;
    return receiveAll(
      this.#source,
      { timeout, signal: options.signal },
      () => new TimeoutError(`Cannot browse: nothing came for ${timeout} ms`),
    );
  }

  /** The same as {@linkcode messages}. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Message> {
    return this.messages();
  }

  /**
   * The messages as a stream. It takes one when one is read, and acknowledges it as a loop does; it ends when the consumer is
   * closed. With a prefetch size of 0 the broker sends exactly what is read.
   *
   * Cancelling the stream leaves the consumer open.
   */
  get readable(): ReadableStream<Message> {
    const messages = this.messages();
    return new ReadableStream<Message>({
      pull: async (controller) => {
        const { done, value } = await messages.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: async () => {
        await messages.return!();
      },
    }, { highWaterMark: 0 });
  }

  /**
   * Gives each message to a handler; see {@linkcode MessageHandler} for what becomes of it.
   *
   * With a `concurrency` of 1 other messages wait while a failed one waits to be given again, unless the connection's
   * `nonBlockingRedelivery` is set. Otherwise only those of its group wait.
   *
   * @param handler Takes a message.
   * @param options How many at a time.
   * @returns Resolves when the consumer was closed, or the signal aborted, and the handler has ended. Rejects at once, even if
   *   the handler is still at work, when the connection has ended or the broker has closed the consumer; and with a
   *   `TimeoutError` when the handler has not ended in the time that `close()` waits.
   * @throws {RangeError} When the `concurrency` is more than the prefetch size or the `maxUnacknowledged` that was given.
   */
  consume(handler: MessageHandler, options: ConsumeOptions = {}): Promise<void> {
    CONSUME_OPTIONS.check(options, "Cannot consume");
    const { concurrency = 1, signal } = options;
    if (!Number.isInteger(concurrency) || concurrency < 1) {
      throw new RangeError(
        `Cannot use ${numberText(concurrency)} as concurrency: an integer of 1 or more is expected`,
      );
    }
    if (typeof handler !== "function") {
      throw new TypeError(`Cannot use a ${typeof handler} as a handler: a function is expected`);
    }
    const { mode } = this.#kind;
    this.#checkConcurrency(concurrency);
    if (concurrency > 1 && (mode === "client" || mode === "transacted")) {
      throw new TypeError(
        `Cannot handle messages at the same time in mode "${mode}", which acknowledges all of them at once`,
      );
    }
    this.#refuseWhileHandling();
    if (this.#queue.receivers.size > 0) {
      throw new TypeError("Cannot use a handler while receive() or a loop waits");
    }
    if (this.#failure) return Promise.reject(this.#failure);
    if (signal?.aborted || this.#ended) return Promise.resolve();
    this.#makeRoomFor(concurrency);
    const runner = new HandlerRunner({
      queue: this.#queue,
      concurrency,
      handle: (delivery) => this.#deliveries.handle(handler, delivery, concurrency === 1),
      asking: () => this.#deliveries.asked(),
    });
    this.#runner = runner;
    const stop = (): void => runner.stop();
    signal?.addEventListener("abort", stop);
    const ended = runner.ended.finally(() => {
      signal?.removeEventListener("abort", stop);
      if (this.#runner !== runner) return;
      this.#runner = undefined;
      this.#concurrency = 0;
    });
    // Who does not wait for the end learns of it by the connection.
    ended.catch(() => {});
    return ended;
  }

  /** Gives out no messages until {@linkcode resume} is called. The broker goes on sending, up to the prefetch size. */
  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#queue.hold();
  }

  /** Gives out messages again. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#queue.release();
  }

  /**
   * Changes how many messages the broker sends ahead (ConsumerControl). What has come already stays.
   *
   * @param size 0 to 32,767; with 0 it sends one each time that one is asked for.
   * @param options How long to wait.
   * @throws {RangeError} When the size is out of range, or less than the `concurrency` of {@linkcode consume} but not 0.
   * @throws {ClosedError} When the consumer was closed.
   */
  async setPrefetchSize(size: number, options: CallOptions = {}): Promise<void> {
    CALL_OPTIONS.check(options, "Cannot change the prefetch size");
    checkPrefetchSize("prefetchSize", size);
    limitsOf(options);
    if (size > 0 && size < this.#concurrency) {
      throw new RangeError(
        `Cannot use ${size} as prefetchSize: consume() has a concurrency of ${this.#concurrency}`,
      );
    }
    if (this.#ended) throw this.#ended;
    await this.#changePrefetchSize(size, options);
    this.#prefetchFrom = "prefetchSize";
    this.#prefetchFromBroker = false;
  }

  /**
   * Closes the consumer when all that has come was taken and settled: the broker sends no more meanwhile. Whoever waits for
   * messages is given those, and then the end.
   *
   * Don't wait for it inside the handler: it waits for the handler.
   *
   * @param options How long to wait, 30,000 ms by default, and then for the end as with {@linkcode close}.
   * @throws {TimeoutError} When messages were not taken or not settled in time; the consumer is closed nevertheless.
   */
  drain(options: CallOptions = {}): Promise<void> {
    return drainWith(options, (limits) => this.#drain(limits), (limits) => this.close(limits));
  }

  /**
   * Closes the consumer, after the handler has ended. Messages that were not acknowledged go back to the broker; if they were
   * received in a transaction that goes on, when that has ended. Calling it again changes nothing.
   *
   * Don't wait for it inside the handler: it waits for the handler.
   *
   * @param options How long to wait for the handler, and then for the broker; the connection's `closeTimeout` by default.
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
   * Takes a message from the broker.
   *
   * @ignore Not for users.
   */
  dispatch(dispatch: MessageDispatch): void {
    const { message } = dispatch;
    if (this.#ended) return;
    this.#credit.answered();
    if (message === null) return this.#nothing();
    this.#credit.checkFlood(this.#queue.fresh);
    this.#deliveries.arrived(dispatch, message);
  }

  /**
   * Has the broker dead-letter a message that can't be read.
   *
   * @ignore Not for users.
   */
  skip(dispatch: UnreadableDispatch): void {
    if (this.#ended) return;
    this.#credit.answered();
    this.#credit.checkFlood(this.#queue.fresh + this.#deliveries.skipping);
    this.#deliveries.skip(dispatch);
    // Whoever waits has got nothing.
    this.#queue.pump();
  }

  /**
   * The broker sends more or fewer messages ahead from now on.
   *
   * @ignore Not for users.
   */
  prefetchChanged(size: number): void {
    if (size < 0) return;
    this.#prefetchFromBroker = true;
    this.#credit.changed(Math.min(size, MAX_PREFETCH_SIZE));
    this.#prefetchChanged();
  }

  /**
   * The broker may be replaced by another, which should know what was acknowledged (Java: optimizeAcknowledge is off then).
   *
   * @ignore Not for users.
   */
  stopOptimizing(): void {
    this.#deliveries.stopOptimizing();
  }

  /**
   * The broker has closed the consumer, for example because it was too slow.
   *
   * @ignore Not for users.
   */
  closedByBroker(): void {
    this.#context.log?.warn("The broker has closed a consumer", {
      destination: formatDestination(this.destination),
    });
    this.refused(new ClosedError("The broker closed the consumer"));
  }

  /**
   * The broker doesn't have it any more, or does not take it when the connection is replaced by another.
   *
   * @ignore Not for users.
   */
  refused(reason: Error): void {
    this.#context.removeConsumer(this);
    this.end(reason);
    this.#closed(this);
  }

  /**
   * The connection was lost, and another one will take its place.
   *
   * @ignore Not for users.
   */
  interrupted(): void {
    if (!this.#interrupted) this.#queue.hold();
    this.#interrupted = true;
    this.#credit.interrupted();
    if (this.#kind.browser) {
      // Another broker would begin at the head of the queue again.
      const message = "The connection was lost while the queue was browsed";
      return this.refused(new ConnectionClosedError(message, { retryable: true }));
    }
    this.#deliveries.interrupted();
  }

  /**
   * Another connection has taken the place of the one that was lost.
   *
   * @ignore Not for users.
   */
  resumed(): void {
    if (this.#interrupted) this.#queue.release();
    this.#interrupted = false;
  }

  /**
   * The connection was started or stopped.
   *
   * @ignore Not for users.
   */
  setStarted(started: boolean): void {
    if (started) this.#queue.release();
    else this.#queue.hold();
  }

  /**
   * Waits until no handler is at work, because the connection was stopped.
   *
   * @ignore Not for users.
   */
  async idle(): Promise<void> {
    await this.#deliveries.until(() => !this.#deliveries.handling);
  }

  /**
   * Acknowledges all that was given out, in mode `"client"`.
   *
   * @ignore Not for users.
   */
  async acknowledgeDelivered(options?: CallOptions): Promise<void> {
    await this.#deliveries.acknowledgeAll(options);
  }

  /**
   * Gives all again that was given out and not settled.
   *
   * @ignore Not for users.
   */
  recover(): void {
    this.#deliveries.recover();
  }

  /**
   * Ends all that waits, with an error.
   *
   * @ignore Not for users.
   */
  end(reason: Error): void {
    this.#removed = true;
    this.#deliveries.removed(reason);
    this.#streams?.end(reason);
    // A close under way waits for the handler no more.
    if (this.#ended) this.#runner?.fail(reason);
    this.#finish(reason, reason);
  }

  /**
   * Lets the handler end and takes no more messages, because its session is about to be closed.
   *
   * @ignore Not for users.
   */
  async quiesce(limits: Limits, ended: Error = closedHere()): Promise<void> {
    this.#finish(ended, undefined);
    const runner = this.#runner;
    if (runner) {
      const { deadlines } = this.#context;
      const late = (): Error =>
        new TimeoutError(`The handler did not end within ${limits.timeout} ms`);
      // Whoever waits for the handler is told; the consumer is closed nevertheless.
      await inTime(runner.ended, { deadlines, late, ...limits })
        .catch((error) => runner.fail(error));
    }
    await this.#streams?.close(limits, this.#ended!);
    this.#deliveries.flush();
  }

  /**
   * Closes it without waiting for the broker, because its session is about to be closed.
   *
   * @ignore Not for users.
   */
  async retire(limits: Limits): Promise<void> {
    await this.quiesce(limits);
    if (this.#removed) return;
    this.#remove();
    await this.#context.send(this.#removeInfo(), "Cannot close the consumer", limits);
    // Not awaited: the session is closed after it, and asks for an answer.
    void this.#release?.(limits);
  }

  /** What a log or a console shows of the consumer: what it consumes, whether it is open, and the messages that are with it. */
  toJSON(): Record<string, unknown> {
    return jsonView(this.#view());
  }

  #view(): Record<string, unknown> {
    const { selector, subscriptionName } = this.#options;
    return {
      id: this.id,
      destination: formatDestination(this.destination),
      acknowledgeMode: this.#kind.browser ? undefined : this.#kind.mode,
      selector,
      subscriptionName,
      state: this.#ended ? "closed" : this.#paused ? "paused" : "open",
      prefetchSize: this.prefetchSize,
      buffered: this.buffered,
      bufferedBytes: this.bufferedBytes,
      unsettled: this.unsettled,
    };
  }

  static {
    inspectAs(this, "MessageConsumer", (consumer) => consumer.#view());
  }

  /** Refuses a concurrency for which the broker, or this consumer, would never deliver enough messages. */
  #checkConcurrency(concurrency: number): void {
    const { maxUnacknowledged, maxUnacknowledgedGiven } = this.#settings;
    const refuse = (cause: string): never => {
      throw new RangeError(`Cannot use ${numberText(concurrency)} as concurrency: ${cause}`);
    };
    if (maxUnacknowledgedGiven && maxUnacknowledged > 0 && concurrency > maxUnacknowledged) {
      refuse(`maxUnacknowledged is ${maxUnacknowledged}`);
    }
    if (!this.#needsMore(concurrency)) return;
    if (this.#prefetchFrom !== undefined) {
      refuse(
        `${this.#prefetchFrom} is ${this.prefetchSize}, and no more messages are sent ahead. Use 0 or ${concurrency} and more`,
      );
    }
    if (concurrency > MAX_PREFETCH_SIZE) {
      refuse(`prefetchSize can be ${MAX_PREFETCH_SIZE} at most, or 0`);
    }
  }

  /**
   * Whether fewer messages are sent ahead than the handler may have. What the broker wants stays as it is: it is told of those
   * that are with the handler, and sends others.
   */
  #needsMore(concurrency: number): boolean {
    return this.prefetchSize > 0 && concurrency > this.prefetchSize && !this.#prefetchFromBroker;
  }

  /** Raises limits that are mere defaults. */
  #makeRoomFor(concurrency: number): void {
    this.#concurrency = concurrency;
    this.#deliveries.allow(concurrency);
    if (!this.#needsMore(concurrency)) return;
    this.#changePrefetchSize(concurrency, {}).catch((error) => {
      if (!this.#ended) this.#context.report(error);
    });
  }

  async #changePrefetchSize(size: number, options: CallOptions): Promise<void> {
    await this.#credit.change(size, () => this.#queue.bytes, options);
    this.#prefetchChanged();
  }

  /** More or fewer messages count against the prefetch size. */
  #outstanding(): void {
    if (!this.#settings.lossy || this.#ended) return;
    const { prefetchSize } = this;
    const { outstanding } = this.#deliveries;
    if (prefetchSize > 0 && outstanding <= prefetchSize / 4) return this.#slowness.end();
    // With a size of 0 it holds back all that nobody has asked for.
    if (outstanding < prefetchSize || !this.#slowness.begin()) return;
    const fields = { ...this.#statusFields(), prefetchSize };
    this.#context.log?.warn(
      "A consumer of a topic is slow: the broker holds messages back, and may discard some",
      fields,
    );
    this.#context.publish({ type: "slow-consumer", ...fields });
  }

  /** Somebody waits, and the application has too many messages that it did not settle. */
  #limited(): void {
    // Nothing is held back before there is something.
    if (this.#queue.length === 0 && this.prefetchSize > 0) return;
    const { maxUnacknowledged } = this;
    if (!this.#limitation.begin()) return;
    const fields = { ...this.#statusFields(), maxUnacknowledged };
    this.#context.log?.warn(
      "A consumer delivers no more messages until the application settles some",
      fields,
    );
    this.#context.publish({ type: "unacknowledged-limit", ...fields });
  }

  #statusFields(): { destination: string; consumerId: string; bufferedMessages: number } {
    const destination = formatDestination(this.destination);
    return { destination, consumerId: this.id, bufferedMessages: this.buffered };
  }

  #createStreams(open: ConsumerParts["openChunks"]): IncomingStreams | undefined {
    const { streams } = this.#settings;
    if (!streams) return undefined;
    const { deadlines, settings, report } = this.#context;
    const { priority } = this.#options;
    const { chunkTimeout, prefetchSize } = streams;
    return new IncomingStreams({
      chunkTimeout,
      limits: { maxDecodedValues: settings.maxDecodedValues },
      deadlines,
      open: (selector) =>
        // Those of a whole stream are settled at its end.
        open({ selector, prefetchSize, priority, exclusive: false, maxUnacknowledged: 0 }),
      report,
    });
  }

  /** What is acknowledged before it is given out can't be read in parts. */
  #refuseEarly(): void {
    const { mode } = this.#kind;
    if (!this.#streams || mode === "individual") return;
    throw new TypeError(
      `Cannot receive() streams in mode "${mode}", which acknowledges them before they are read: use mode "individual", a handler or a loop`,
    );
  }

  #prefetchChanged(): void {
    this.#deliveries.setPrefetchSize(this.prefetchSize);
    this.#outstanding();
    // Whoever waits may have to be asked for now.
    this.#queue.pump();
  }

  #refuseWhileHandling(): void {
    if (this.#runner) {
      throw new TypeError("Cannot receive otherwise: the messages go to a handler");
    }
  }

  #wait(receiver: Receiver): void {
    this.#deliveries.asked();
    this.#queue.add(receiver);
    this.#context.readGate.check();
  }

  /** Somebody waits and there is nothing here. */
  #starved(): void {
    if (this.#exhausted && this.#kind.browser) return this.#queue.end(undefined);
    if (this.#exhausted || this.#ended) return;
    const [first] = this.#queue.receivers;
    this.#credit.pull(first?.timeout ?? 0);
  }

  /** The broker has nothing: nothing in the time that it was given, or nothing more to browse. */
  #nothing(): void {
    if (this.#kind.browser) this.#exhausted = true;
    for (const receiver of [...this.#queue.receivers]) {
      if (receiver.timeout === -1) receiver.end(undefined);
    }
    this.#queue.pump();
  }

  async #drain({ timeout, signal }: Limits): Promise<void> {
    signal?.throwIfAborted();
    if (this.#ended) return;
    // Of a consumer with prefetch size 0 the broker sends only what it is asked for.
    this.#exhausted = true;
    if (this.prefetchSize > 0) await this.#credit.request(0, { timeout, signal });
    await this.#untilSettled(timeout, signal);
  }

  /** Waits until all that came was taken and settled. */
  async #untilSettled(timeout: number, signal: AbortSignal | undefined): Promise<void> {
    const deliveries = this.#deliveries;
    const settled = deliveries.until(() =>
      this.#ended !== undefined ||
      (deliveries.untaken === 0 && deliveries.unsettled === 0 && !deliveries.handling)
    );
    await inTime(settled, {
      deadlines: this.#context.deadlines,
      timeout,
      signal,
      late: () =>
        new TimeoutError(
          `Cannot drain the consumer: ${deliveries.untaken} messages were not taken and ${deliveries.unsettled} not settled in ${timeout} ms`,
        ),
    });
  }

  #finish(ended: Error, reason: Error | undefined): void {
    if (this.#ended) return;
    this.#ended = ended;
    this.#failure = reason;
    this.#credit.end();
    this.#bufferLimit?.end();
    if (reason) this.#runner?.fail(reason);
    else this.#runner?.stop();
    this.#deliveries.stop(reason);
  }

  async #close(limits: Limits): Promise<void> {
    await this.quiesce(limits);
    if (!this.#removed) {
      if (this.#deliveries.inTransaction) {
        // The broker would give them to others: what was received in a transaction is still to be acknowledged.
        this.#deliveries.until(() => !this.#deliveries.inTransaction).then(() => {
          if (!this.#removed) this.#removeQuietly();
        });
        return;
      }
      this.#remove();
      const action = "Cannot close the consumer";
      this.#saidClosed = new SaidClosed(this.#context, this.#removeInfo(), action, limits);
      this.#released = this.#release?.(limits);
    }
    await this.#saidClosed?.within(limits);
    await this.#released;
  }

  #remove(): void {
    this.#removed = true;
    this.#deliveries.removed(this.#ended!);
    this.#context.removeConsumer(this);
    this.#closed(this);
  }

  #removeQuietly(): void {
    this.#remove();
    this.#context.send(this.#removeInfo(), "Cannot close the consumer").catch(() => {});
    const { closeTimeout } = this.#context.settings;
    void this.#release?.({ timeout: closeTimeout, signal: undefined });
  }

  #removeInfo(): RemoveInfo {
    const { lastDeliveredSequenceId } = this.#deliveries;
    return createRemoveInfo({ objectId: this.#consumerId, lastDeliveredSequenceId });
  }
}

function closedHere(): ClosedError {
  return new ClosedError("The consumer was closed");
}

/** The names of these options. */
export const CONSUME_OPTIONS: OptionNames<ConsumeOptions> = new OptionNames<ConsumeOptions>({
  concurrency: true,
  signal: true,
});
