/**
 * Consumers.
 *
 * @module
 */

import {
  type ActiveMQDestination,
  type ConsumerId,
  createConsumerId,
  createRemoveInfo,
  inflateMessage,
  type MessageAck,
  type MessageDispatch,
  type RemoveInfo,
  type SessionId,
  type TransactionId,
} from "../codec/mod.ts";
import { OpenWireError } from "../errors.ts";
import type { AcknowledgeMode } from "./acknowledge_mode.ts";
import { Acknowledger } from "./acknowledger.ts";
import type { CallOptions } from "./call_options.ts";
import { ConsumerCredit } from "./consumer_credit.ts";
import {
  type ConsumerKind,
  type ConsumerOptions,
  type ConsumerSettings,
  resolveConsumerOptions,
  toConsumerInfo,
} from "./consumer_options.ts";
import { type Delivery, toDelivery } from "./delivery.ts";
import { DeliveryQueue, type Receiver } from "./delivery_queue.ts";
import { formatDestination } from "./destination.ts";
import { ClosedError, TimeoutError } from "./errors.ts";
import { HandlerRunner } from "./handler_runner.ts";
import { Message, type RetryOptions, type Settlement } from "./message.ts";
import { milliseconds } from "./options.ts";
import { poisonCause } from "./poison.ts";
import { checkPrefetchSize } from "./prefetch_policy.ts";
import { receiveAll, receiveOne, type ReceiverSource, type SingleReceiver } from "./receivers.ts";
import { Redeliverer, type RedeliveryOptions } from "./redeliverer.ts";
import { idKey, type SessionContext } from "./session_context.ts";
import type {
  TransactionContext,
  TransactionOutcome,
  TransactionParticipant,
} from "./transaction_context.ts";

/**
 * Takes a message.
 *
 * In the modes `"auto"` and `"dups-ok"` the message counts as done when it returns, or when its promise resolves; in the
 * modes `"client"` and `"individual"` when its `ack()` was called. If the handler fails and has not settled the message, the
 * message is given to it again as the redelivery policy says; in mode `"transacted"` the transaction is rolled back.
 *
 * @example
 * ```ts
 * import type { MessageHandler } from "../mod.ts";
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
 * import type { ConsumeOptions } from "../mod.ts";
 *
 * const options: ConsumeOptions = { concurrency: 8 };
 * ```
 */
export interface ConsumeOptions {
  /** Messages that are with the handler at the same time; those of one group one after another. @default {1} */
  concurrency?: number | undefined;
  /** Ends the consuming: no more messages are given to the handler. The consumer stays open. */
  signal?: AbortSignal | undefined;
}

/** What a consumer needs of its session. */
export interface ConsumerSession {
  readonly acknowledgeMode: AcknowledgeMode;
  readonly transaction: TransactionContext | undefined;
  /** Acknowledges all that the session has given out. */
  acknowledgeAll(): Promise<void>;
  /** Rolls the transaction back. */
  rollback(reason: unknown): Promise<void>;
  consumerClosed(consumer: MessageConsumer): void;
}

/** What a consumer is made of. */
export interface ConsumerParts {
  readonly context: SessionContext;
  readonly session: ConsumerSession;
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
 * import { connect } from "../mod.ts";
 * import { MemoryBroker } from "../testing/mod.ts";
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
export class MessageConsumer
  implements AsyncIterable<Message>, AsyncDisposable, TransactionParticipant {
  /** Text of its id within the connection. */
  readonly id: string;
  /** What it consumes. */
  readonly destination: ActiveMQDestination;
  readonly #context: SessionContext;
  readonly #session: ConsumerSession;
  readonly #consumerId: ConsumerId;
  readonly #kind: ConsumerKind;
  readonly #options: ConsumerOptions;
  readonly #settings: ConsumerSettings;
  readonly #acknowledger: Acknowledger;
  readonly #queue: DeliveryQueue;
  readonly #redeliverer: Redeliverer;
  readonly #credit: ConsumerCredit;
  readonly #source: ReceiverSource;
  /** What the application got and did not settle yet, in that order. */
  readonly #unsettled: Set<Delivery> = new Set();
  /** What the application got in the transaction that goes on. */
  #inTransaction: Set<Delivery> = new Set();
  /** Transactions that are about to end, and had messages of this consumer. */
  #endingTransactions = 0;
  /** Whether the broker has said that there is no more to browse. */
  #exhausted = false;
  #paused = false;
  /** Why there are no more messages; those that were given can still be acknowledged. */
  #ended: Error | undefined;
  /** What has ended it, unless it was closed here. */
  #failure: Error | undefined;
  /** Whether the broker takes no more acknowledgements. */
  #removed = false;
  #runner: HandlerRunner | undefined;
  #handling = 0;
  #closing: Promise<void> | undefined;
  /** Is called whenever a message was settled. */
  #settledWatchers: Set<() => void> = new Set();

  /**
   * Use `session.createConsumer()`.
   *
   * @ignore Not for users.
   */
  constructor(parts: ConsumerParts, options: ConsumerOptions) {
    const { context, session, sessionId, destination } = parts;
    const { settings } = context;
    this.#kind = { mode: session.acknowledgeMode, browser: parts.browser };
    this.#settings = resolveConsumerOptions(options, settings, destination, this.#kind);
    if (options.subscriptionName !== undefined && !context.clientId.given) {
      throw new TypeError("Cannot subscribe durably: the connection needs a clientId of yours");
    }
    this.destination = destination;
    this.#context = context;
    this.#session = session;
    this.#options = options;
    this.#consumerId = createConsumerId({
      connectionId: sessionId.connectionId,
      sessionId: sessionId.value,
      value: parts.value,
    });
    this.id = idKey(this.#consumerId);
    this.#acknowledger = new Acknowledger({
      consumerId: this.#consumerId,
      mode: session.acknowledgeMode,
      prefetchSize: this.#settings.prefetchSize,
      optimize: this.#settings.optimizeAcknowledge,
      optimizeTimeout: settings.optimizeAcknowledgeTimeout,
      individualInTransaction: settings.transactedIndividualAck,
      transaction: session.transaction,
      send: (ack) => this.#send(ack),
      report: (error) => context.report(error),
      later: (delay, callback) => context.deadlines.add(delay, callback),
    });
    this.#queue = new DeliveryQueue({
      withdraw: (delivery) => this.#withdraw(delivery),
      prepare: (delivery) => this.#prepare(delivery),
      starved: () => this.#starved(),
      isBehind: (delivery) => this.#redeliverer.isBehind(delivery),
      changed: (bytes) => this.#credit.check(bytes),
    });
    this.#redeliverer = new Redeliverer({
      policy: this.#settings.redeliveryPolicy,
      acknowledger: this.#acknowledger,
      queue: this.#queue,
      deadlines: context.deadlines,
      report: (error) => context.report(error),
    });
    this.#credit = new ConsumerCredit({
      context,
      destination,
      consumerId: this.#consumerId,
      prefetchSize: this.#settings.prefetchSize,
      maxBufferedBytes: this.#settings.maxBufferedBytes,
    });
    this.#source = {
      queue: this.#queue,
      deadlines: context.deadlines,
      wait: (receiver) => this.#wait(receiver),
      give: (delivery) => this.#give(delivery),
      finished: (delivery, attempt) => this.#finished(delivery, attempt),
    };
    if (!context.started()) this.#queue.hold();
  }

  /** Number of messages that have come and wait to be taken. */
  get buffered(): number {
    return this.#queue.length;
  }

  /** Bytes of the messages that have come and wait to be taken, about. */
  get bufferedBytes(): number {
    return this.#queue.bytes;
  }

  /** Number of messages that the application has and did not settle. */
  get unsettled(): number {
    return this.#unsettled.size;
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
    const info = toConsumerInfo(
      this.#consumerId,
      this.destination,
      this.#options,
      this.#context.settings,
      this.#settings,
      this.#kind,
      this.#context.clientId.value,
    );
    const action = `Cannot open a consumer for ${formatDestination(this.destination)}`;
    try {
      await this.#context.request(info, action, options);
    } catch (error) {
      this.#context.removeConsumer(this);
      this.end(error as Error);
      this.#session.consumerClosed(this);
      // Nobody waits for an answer any more, but the broker may have opened it.
      if (!(error instanceof OpenWireError) || error.code === "TIMEOUT") this.#removeQuietly();
      throw error;
    }
    if (this.#ended && !this.#removed) throw this.#ended;
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
  async receive({ timeout, signal }: CallOptions = {}): Promise<Message | null> {
    this.#refuseWhileHandling();
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
    const limit = this.#context.settings.requestTimeout;
    const options = { timeout: -1, signal: undefined };
    return await receiveOne(this.#source, options, limit, (receiver) => {
      // A message that is being inflated has come, and nobody is before us.
      const coming = this.#queue.preparing && this.#queue.receivers.size === 1;
      if (!coming && !this.#credit.pulling) receiver.end(undefined);
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
    this.#refuseWhileHandling();
    return receiveAll(this.#source, options);
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
   * @returns Resolves when the consumer was closed, or the signal aborted, and the handler has ended; rejects when the
   *   connection has ended or the broker has closed the consumer.
   */
  consume(handler: MessageHandler, options: ConsumeOptions = {}): Promise<void> {
    const { concurrency = 1, signal } = options;
    if (!Number.isInteger(concurrency) || concurrency < 1) {
      throw new RangeError(
        `Cannot use ${concurrency} as concurrency: an integer of 1 or more is expected`,
      );
    }
    if (typeof handler !== "function") {
      throw new TypeError(`Cannot use a ${typeof handler} as a handler: a function is expected`);
    }
    this.#refuseWhileHandling();
    if (this.#queue.receivers.size > 0) {
      throw new TypeError("Cannot use a handler while receive() or a loop waits");
    }
    if (this.#failure) return Promise.reject(this.#failure);
    if (signal?.aborted || this.#ended) return Promise.resolve();
    const runner = new HandlerRunner({
      queue: this.#queue,
      concurrency,
      handle: (delivery) => this.#handle(handler, delivery, concurrency === 1),
      asking: () => this.#acknowledger.asked(),
    });
    this.#runner = runner;
    const stop = (): void => runner.stop();
    signal?.addEventListener("abort", stop);
    const ended = runner.ended.finally(() => {
      signal?.removeEventListener("abort", stop);
      if (this.#runner === runner) this.#runner = undefined;
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
   * @throws {RangeError} When the size is out of range.
   * @throws {ClosedError} When the consumer was closed.
   */
  async setPrefetchSize(size: number, options: CallOptions = {}): Promise<void> {
    checkPrefetchSize("prefetchSize", size);
    if (this.#ended) throw this.#ended;
    await this.#credit.request(size, options);
    this.prefetchChanged(size);
    this.#queue.pump();
  }

  /**
   * Closes the consumer when all that has come was taken and settled: the broker sends no more meanwhile. Whoever waits for
   * messages is given those, and then the end.
   *
   * @param options How long to wait; 30,000 ms by default.
   * @throws {TimeoutError} When messages were not taken or not settled in time; the consumer is closed nevertheless.
   */
  async drain({ timeout, signal }: CallOptions = {}): Promise<void> {
    if (this.#ended) return await this.close();
    const limit = milliseconds("timeout", timeout, 30_000);
    const action = "Cannot drain the consumer";
    signal?.throwIfAborted();
    try {
      // Of a consumer with prefetch size 0 the broker sends only what it is asked for.
      this.#exhausted = true;
      if (this.prefetchSize > 0) await this.#credit.request(0, { timeout: limit, signal });
      await this.#untilSettled(limit, signal, action);
    } finally {
      await this.close();
    }
  }

  /**
   * Closes the consumer, after the handler has ended. Messages that were not acknowledged go back to the broker; if they were
   * received in a transaction that goes on, when that has ended. Calling it again changes nothing.
   *
   * Don't wait for it inside the handler: it waits for the handler, for `closeTimeout` milliseconds at most.
   */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
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
    const delivery = toDelivery(dispatch, message);
    this.#acknowledger.arrived(delivery);
    this.#queue.push(delivery);
  }

  /**
   * The broker sends more or fewer messages ahead from now on.
   *
   * @ignore Not for users.
   */
  prefetchChanged(size: number): void {
    this.#credit.changed(size);
    this.#acknowledger.setPrefetchSize(size);
  }

  /**
   * The broker has closed the consumer, for example because it was too slow.
   *
   * @ignore Not for users.
   */
  closedByBroker(): void {
    this.#context.removeConsumer(this);
    this.end(new ClosedError("The broker closed the consumer"));
    this.#session.consumerClosed(this);
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
    while (this.#handling > 0) await this.#nextSettled();
  }

  /**
   * Acknowledges all that was given out, in mode `"client"`.
   *
   * @ignore Not for users.
   */
  async acknowledgeDelivered(): Promise<void> {
    const deliveries = [...this.#unsettled];
    for (const delivery of deliveries) this.#forget(delivery);
    await this.#acknowledger.all(deliveries);
  }

  /**
   * Gives all that was given out and not settled again.
   *
   * @ignore Not for users.
   */
  recover(): void {
    this.#redeliver([...this.#unsettled], {
      cause: new Error("The session was recovered"),
      blocking: !this.#context.settings.nonBlockingRedelivery,
    });
  }

  /**
   * The session's transaction is about to end.
   *
   * @ignore Not for users.
   */
  finish(id: TransactionId): TransactionOutcome {
    const deliveries = this.#inTransaction;
    this.#inTransaction = new Set();
    this.#endingTransactions++;
    for (const delivery of deliveries) this.#unsettled.delete(delivery);
    this.#acknowledger.inTransaction(deliveries, id);
    const ended = (): void => {
      this.#endingTransactions--;
      if (this.#closing && !this.#removed && !this.#awaitsTransaction) this.#removeQuietly();
      this.#notifySettled();
    };
    return {
      committed: () => {
        this.#acknowledger.committed(deliveries);
        ended();
      },
      rolledBack: () => {
        this.#redeliver([...deliveries], {
          cause: new Error("The transaction was rolled back each time"),
          blocking: !this.#context.settings.nonBlockingRedelivery,
        });
        ended();
      },
    };
  }

  /**
   * Ends all that waits, with an error.
   *
   * @ignore Not for users.
   */
  end(reason: Error): void {
    this.#removed = true;
    this.#finish(reason, reason);
  }

  /**
   * Closes it without waiting for the broker, because its session is about to be closed.
   *
   * @ignore Not for users.
   */
  async retire(): Promise<void> {
    // A close under way must reach the broker before the session's; its caller is told if it fails.
    if (this.#closing) await this.#closing.catch(() => {});
    else await (this.#closing = this.#retire());
  }

  #refuseWhileHandling(): void {
    if (this.#runner) {
      throw new TypeError("Cannot receive otherwise: the messages go to a handler");
    }
  }

  #wait(receiver: Receiver): void {
    if (this.#ended) return receiver.end(this.#failure);
    this.#acknowledger.asked();
    this.#queue.add(receiver);
  }

  /** The message for the application. */
  #give(delivery: Delivery): Message {
    this.#acknowledger.delivered(delivery);
    this.#unsettled.add(delivery);
    if (this.#session.transaction) {
      this.#inTransaction.add(delivery);
      this.#session.transaction.enlist(this);
    }
    return new Message({
      command: delivery.readable!,
      original: delivery.message,
      redeliveryCount: delivery.redeliveryCount,
      bodyError: delivery.bodyError,
      settlement: this.#settlement(delivery),
      codec: this.#options.codec,
    });
  }

  /** What the application may do with a message that it was given. */
  #settlement(delivery: Delivery): Settlement {
    const attempt = delivery.attempts;
    let settled = false;
    const once = async (action: () => Promise<void>): Promise<void> => {
      if (this.#kind.browser) {
        throw new OpenWireError("ILLEGAL_STATE", "Cannot settle the message: it is only browsed");
      }
      if (settled || delivery.attempts !== attempt || !this.#isWithApplication(delivery)) {
        throw new OpenWireError(
          "ILLEGAL_STATE",
          "Cannot settle the message: it was settled before",
        );
      }
      if (this.#removed) throw this.#ended;
      settled = true;
      await action();
    };
    return {
      ack: () => once(() => this.#acknowledge(delivery)),
      reject: (reason) => once(() => this.#poison(delivery, reason)),
      retry: (options) => once(() => this.#retry(delivery, options)),
    };
  }

  #isWithApplication(delivery: Delivery): boolean {
    return this.#unsettled.has(delivery);
  }

  async #acknowledge(delivery: Delivery): Promise<void> {
    switch (this.#kind.mode) {
      case "auto":
      case "dups-ok":
        this.#forget(delivery);
        return await this.#acknowledger.done(delivery);
      case "individual":
        this.#forget(delivery);
        return await this.#acknowledger.individual(delivery);
      case "client":
        return await this.#session.acknowledgeAll();
      case "transacted":
        // It is acknowledged with the transaction.
        return;
    }
  }

  async #poison(delivery: Delivery, reason: unknown): Promise<void> {
    this.#refuseIfAcknowledged(delivery);
    this.#forget(delivery);
    await this.#acknowledger.poison(delivery, poisonCause(reason));
  }

  // deno-lint-ignore require-await -- settles as its siblings do
  async #retry(delivery: Delivery, { delay }: RetryOptions): Promise<void> {
    if (delay !== undefined) milliseconds("delay", delay, 0);
    this.#refuseIfAcknowledged(delivery);
    this.#redeliver([delivery], {
      cause: new Error("The application asked for it again each time"),
      delay,
      blocking: false,
    });
  }

  #refuseIfAcknowledged(delivery: Delivery): void {
    if (delivery.state !== "held") return;
    throw new OpenWireError(
      "ILLEGAL_STATE",
      "Cannot settle the message: it was acknowledged in the transaction; roll that back",
    );
  }

  /** The application has it no more. */
  #forget(delivery: Delivery): void {
    this.#unsettled.delete(delivery);
    this.#inTransaction.delete(delivery);
    this.#notifySettled();
  }

  /** The application is done with a message, and has said nothing else. */
  #finished(delivery: Delivery, attempt: number): void {
    const automatic = this.#kind.mode === "auto" || this.#kind.mode === "dups-ok";
    if (!automatic || this.#removed) return;
    if (delivery.attempts !== attempt || !this.#isWithApplication(delivery)) return;
    this.#forget(delivery);
    this.#acknowledger.done(delivery).catch((error) => this.#context.report(error));
  }

  /** Gives messages to the application again that it has. */
  #redeliver(deliveries: readonly Delivery[], options: RedeliveryOptions): void {
    for (const delivery of deliveries) this.#forget(delivery);
    this.#redeliverer.redeliver(deliveries, options);
  }

  /** Whether a message must not be given out; what becomes of it instead is seen to here. */
  #withdraw(delivery: Delivery): boolean {
    if (this.#kind.browser) return false;
    if (this.#context.settings.consumerExpiryCheckEnabled && isExpired(delivery)) {
      this.#acknowledger.expired(delivery).catch((error) => this.#context.report(error));
      return true;
    }
    return this.#session.transaction !== undefined &&
      this.#redeliverer.checkBeforeDispatch(delivery);
  }

  /** Inflates a body; one that can't be inflated fails when it is read. */
  async #prepare(delivery: Delivery): Promise<void> {
    const { maxInflatedSize } = this.#context.settings;
    try {
      delivery.readable = await inflateMessage(delivery.message, { maxInflatedSize });
    } catch (error) {
      delivery.bodyError = error;
      delivery.readable = delivery.message;
    }
  }

  /** Somebody waits and there is nothing here. */
  #starved(): void {
    if (this.#exhausted && this.#kind.browser) return this.#queue.end(undefined);
    if (this.#exhausted || this.#ended) return;
    const [first] = this.#queue.receivers;
    this.#credit.pull((first as Partial<SingleReceiver> | undefined)?.timeout ?? 0);
  }

  /** The broker has nothing: nothing in the time that it was given, or nothing more to browse. */
  #nothing(): void {
    if (this.#kind.browser) this.#exhausted = true;
    for (const receiver of [...this.#queue.receivers]) {
      if ((receiver as Partial<SingleReceiver>).timeout === -1) receiver.end(undefined);
    }
    this.#queue.pump();
  }

  async #send(ack: MessageAck): Promise<void> {
    const waits = !this.#context.settings.sendAcksAsync && ack.transactionId === null;
    if (waits) await this.#context.request(ack, "Cannot acknowledge");
    else await this.#context.send(ack, "Cannot acknowledge");
  }

  /** Gives one message to the handler, and sees to what becomes of it. */
  async #handle(handler: MessageHandler, delivery: Delivery, alone: boolean): Promise<void> {
    const message = this.#give(delivery);
    const attempt = delivery.attempts;
    this.#handling++;
    try {
      await handler(message);
      this.#finished(delivery, attempt);
    } catch (error) {
      const cause = error instanceof Error ? error : new Error(String(error));
      this.#context.report(cause);
      await this.#failed(delivery, attempt, cause, alone);
    } finally {
      this.#handling--;
      this.#notifySettled();
    }
  }

  async #failed(
    delivery: Delivery,
    attempt: number,
    cause: Error,
    alone: boolean,
  ): Promise<void> {
    if (this.#ended) return;
    if (this.#session.transaction) {
      return await this.#session.rollback(cause).catch((error) => this.#context.report(error));
    }
    if (delivery.attempts !== attempt || !this.#isWithApplication(delivery)) return;
    this.#redeliver([delivery], {
      cause,
      blocking: alone && !this.#context.settings.nonBlockingRedelivery,
    });
  }

  #notifySettled(): void {
    for (const watcher of this.#settledWatchers) watcher();
    this.#settledWatchers.clear();
  }

  #nextSettled(): Promise<void> {
    return new Promise((resolve) => this.#settledWatchers.add(resolve));
  }

  /** Waits until all that came was taken and settled. */
  async #untilSettled(
    timeout: number,
    signal: AbortSignal | undefined,
    action: string,
  ): Promise<void> {
    const { promise: stopped, reject } = Promise.withResolvers<never>();
    const abort = (): void => reject(signal!.reason);
    const cancel = this.#context.deadlines.add(timeout, () => {
      const left = this.#queue.length + this.#redeliverer.delayed;
      reject(
        new TimeoutError(
          `${action}: ${left} messages were not taken and ${this.#unsettled.size} not settled in ${timeout} ms`,
        ),
      );
    });
    signal?.addEventListener("abort", abort);
    stopped.catch(() => {});
    const busy = (): boolean =>
      this.#queue.length + this.#redeliverer.delayed + this.#unsettled.size + this.#handling > 0;
    try {
      while (!this.#ended && busy()) await Promise.race([this.#nextSettled(), stopped]);
    } finally {
      cancel();
      signal?.removeEventListener("abort", abort);
    }
  }

  #finish(ended: Error, reason: Error | undefined): void {
    if (this.#ended) return;
    this.#ended = ended;
    this.#failure = reason;
    this.#redeliverer.end();
    this.#credit.end();
    if (!reason) this.#runner?.stop();
    this.#queue.end(reason);
    this.#notifySettled();
  }

  /** Lets the handler end and takes no more messages. */
  async #stop(): Promise<void> {
    this.#finish(new ClosedError("The consumer was closed"), undefined);
    const runner = this.#runner;
    if (runner) {
      let cancel = (): void => {};
      const late = new Promise<void>((resolve) => {
        cancel = this.#context.deadlines.add(this.#context.settings.closeTimeout, resolve);
      });
      await Promise.race([runner.ended.catch(() => {}), late]);
      cancel();
    }
    this.#acknowledger.flush();
  }

  /** Whether messages of it were given out in a transaction that goes on. */
  get #awaitsTransaction(): boolean {
    return this.#inTransaction.size > 0 || this.#endingTransactions > 0;
  }

  async #close(): Promise<void> {
    if (this.#ended) return;
    await this.#stop();
    // The broker would give them to others: what was received in a transaction is still to be acknowledged.
    if (this.#awaitsTransaction) return;
    this.#remove();
    const timeout = this.#context.settings.closeTimeout;
    await this.#context.request(this.#removeInfo(), "Cannot close the consumer", { timeout });
  }

  async #retire(): Promise<void> {
    if (this.#ended) return;
    await this.#stop();
    this.#remove();
    const timeout = this.#context.settings.closeTimeout;
    await this.#context.send(this.#removeInfo(), "Cannot close the consumer", { timeout });
  }

  #remove(): void {
    this.#removed = true;
    this.#context.removeConsumer(this);
    this.#session.consumerClosed(this);
  }

  #removeQuietly(): void {
    this.#remove();
    this.#context.send(this.#removeInfo(), "Cannot close the consumer").catch(() => {});
  }

  #removeInfo(): RemoveInfo {
    const { lastDeliveredSequenceId } = this.#acknowledger;
    return createRemoveInfo({ objectId: this.#consumerId, lastDeliveredSequenceId });
  }
}

function isExpired({ message }: Delivery): boolean {
  const expiration = Number(message.expiration);
  return expiration > 0 && Date.now() > expiration;
}
