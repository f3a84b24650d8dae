/**
 * Sessions.
 *
 * @module
 */

import { CALL_OPTIONS } from "./call_options.ts";
import { SEND_STREAM_OPTIONS } from "./stream/stream_options.ts";
import { SEND_OPTIONS } from "./producer/send_options.ts";
import { BROWSER_OPTIONS } from "./consumer/queue_browser.ts";
import { CONSUMER_OPTIONS } from "./consumer/consumer_options.ts";
import { PRODUCER_OPTIONS } from "./producer/producer_options.ts";
import { OptionNames } from "../option_names.ts";
import {
  type ActiveMQDestination,
  createConsumerId,
  createRemoveInfo,
  createSessionId,
  createSessionInfo,
  inspectAs,
  jsonView,
  type RemoveInfo,
  type SessionId,
  type SessionInfo,
} from "../codec/mod.ts";
import { OpenWireError } from "../errors.ts";
import { announce } from "./announce.ts";
import { type AcknowledgeMode, checkAcknowledgeMode } from "./consumer/acknowledge_mode.ts";
import type { CallOptions } from "./call_options.ts";
import { drainAll, drainWith } from "./drain.ts";
import type { ConsumerSession } from "./consumer/consumer_deliveries.ts";
import {
  checkSupported,
  type ConsumerOptions,
  resolveConsumerOptions,
} from "./consumer/consumer_options.ts";
import { type Destination, nameOf, toDestination } from "./destination/destination.ts";
import { resolveDestination } from "./destination/destination_options.ts";
import { ClosedError, ConnectionClosedError, TimeoutError } from "./errors.ts";
import { inTime } from "./in_time.ts";
import { MessageConsumer } from "./consumer/message_consumer.ts";
import { MessageProducer } from "./producer/message_producer.ts";
import { copyOptions, encodeBody, type MessageBody } from "./message/outgoing_message.ts";
import { type Limits, limitsOf } from "./options.ts";
import { roughSize } from "./producer/pending_sends.ts";
import type { ProducerOptions } from "./producer/producer_options.ts";
import { type BrowserOptions, QueueBrowser } from "./consumer/queue_browser.ts";
import type { SendOptions, SendResult } from "./producer/send_options.ts";
import { closeWith, SaidClosed } from "./say_closed.ts";
import { SharedStep } from "./shared_step.ts";
import type { StreamSource } from "./stream/chunks.ts";
import type { SendStreamOptions, SendStreamResult } from "./stream/stream_options.ts";
import type { ProducerMember, SessionContext } from "./session_context.ts";
import {
  type SharedSubscription,
  sharedSubscriptionOf,
} from "./subscription/shared_subscription.ts";
import { SessionTransaction } from "./transaction/session_transaction.ts";
import { formatTransactionId } from "./transaction/transaction_id.ts";
import { mergeOptions } from "./url/merge_options.ts";

/**
 * Options of a session.
 *
 * @example
 * ```ts
 * import type { SessionOptions } from "../mod.ts";
 *
 * const options: SessionOptions = { acknowledgeMode: "individual" };
 * ```
 */
export interface SessionOptions extends CallOptions {
  /** When messages count as done. @default {"auto"} */
  acknowledgeMode?: AcknowledgeMode | undefined;
}

/**
 * A session: producers and consumers that are closed together, and in mode `"transacted"` share a transaction.
 *
 * @example
 * ```ts
 * import { connect } from "../mod.ts";
 * import { MemoryBroker } from "../testing/mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * await using broker = await MemoryBroker.listen();
 * await using connection = await connect(broker.url);
 * await using session = await connection.createSession({ acknowledgeMode: "transacted" });
 * await session.send("orders", "one");
 * await session.send("invoices", "two");
 * assertEquals(broker.queue("orders").size, 0);
 * await session.commit();
 * assertEquals(broker.queue("orders").size, 1);
 * ```
 */
export class Session implements AsyncDisposable {
  /** When messages of its consumers count as done. */
  readonly acknowledgeMode: AcknowledgeMode;
  readonly #context: SessionContext;
  readonly #id: SessionId;
  readonly #transaction: SessionTransaction | undefined;
  readonly #forConsumers: ConsumerSession;
  readonly #forBrowsers: ConsumerSession;
  readonly #forChunks: ConsumerSession;
  readonly #consumers: Set<MessageConsumer> = new Set();
  /** Consumers of chunks, which the consumers of their streams close. */
  readonly #chunkConsumers: Set<MessageConsumer> = new Set();
  readonly #producers: Set<ProducerMember> = new Set();
  #consumerCount = 0;
  #producerCount = 0;
  /** Sends what is given to `send()`. */
  #sender: SharedStep<MessageProducer> | undefined;
  /** Why it opens no more consumers. */
  #stopping: Error | undefined;
  #ended: Error | undefined;
  /** Whether it has ended with its connection. */
  #lost = false;
  /** Whether it was told to close. */
  #closing = false;
  #abandoned: Promise<void> | undefined;
  #saidClosed: SaidClosed | undefined;

  /**
   * Use `connection.createSession()`.
   *
   * @ignore Not for users.
   */
  constructor(
    context: SessionContext,
    value: number,
    { acknowledgeMode = "auto" }: SessionOptions,
  ) {
    this.acknowledgeMode = checkAcknowledgeMode(acknowledgeMode);
    this.#context = context;
    this.#id = createSessionId({ connectionId: context.connectionId.value, value });
    if (acknowledgeMode === "transacted") this.#transaction = new SessionTransaction(context);
    this.#forConsumers = {
      acknowledgeMode,
      transaction: this.#transaction,
      acknowledgeAll: (options) => this.#acknowledgeAll(options),
      rollback: () => this.rollback(),
    };
    // What is only looked at is not part of a transaction.
    this.#forBrowsers = {
      ...this.#forConsumers,
      acknowledgeMode: "auto",
      transaction: undefined,
    };
    this.#forChunks = { ...this.#forBrowsers, acknowledgeMode: "individual" };
  }

  /**
   * Announces the session to the broker.
   *
   * @ignore Not for users.
   */
  async open(options: CallOptions): Promise<void> {
    const action = "Cannot open a session";
    await announce(this.#context, this.info, action, options, () => this.#removeInfo());
    this.#context.addSession(this);
  }

  /**
   * The transaction of its producers and consumers, for whoever has a part in it.
   *
   * @ignore Not for users.
   */
  get transaction(): SessionTransaction | undefined {
    return this.#transaction;
  }

  /** Whether it was closed, here or by the end of the connection. */
  get isClosed(): boolean {
    return this.#ended !== undefined;
  }

  /**
   * Fails when it was closed.
   *
   * @ignore Not for users.
   */
  checkOpen(): void {
    if (this.#ended) throw this.#ended;
  }

  /**
   * Opens a producer.
   *
   * @param destination Where it sends; without one each `send()` says where. Options behind a `?`, such as
   *   `orders?producer.windowSize=65536`, are defaults for `options`.
   * @param options What its messages have by default, and how long to wait.
   * @returns The producer.
   * @throws {BrokerError} When the broker refuses, for example for lack of a permission.
   * @throws {ClosedError} When the session is closed.
   * @throws {RangeError} When an option is out of range.
   */
  async createProducer<T = MessageBody>(
    destination: Destination | null = null,
    options: ProducerOptions<T> = {},
  ): Promise<MessageProducer<T>> {
    PRODUCER_OPTIONS.check(options, "Cannot create a producer");
    this.checkOpen();
    const resolved = destination === null ? undefined : resolveDestination(destination);
    const defaults: Omit<ProducerOptions, "codec"> = resolved?.producer ?? {};
    const producerOptions: ProducerOptions<T> = { ...defaults, ...options };
    const producer = new MessageProducer({
      context: this.#context,
      sessionId: this.#id,
      value: ++this.#producerCount,
      destination: resolved?.destination ?? null,
      options: producerOptions,
      transaction: this.#transaction,
      onClose: (closed) => {
        this.#producers.delete(closed);
        // One that the broker does not take any more is not kept, either.
        this.#sender?.done.then((sender) => {
          if (sender.id === closed.id) this.#sender = undefined;
        }, () => {});
      },
    });
    await producer.open(producerOptions);
    if (this.#ended) throw this.#ended;
    this.#producers.add(producer);
    return producer;
  }

  /**
   * Opens a consumer. Messages begin to come at once, up to its prefetch size.
   *
   * @param destination What it consumes: a queue or topic, one with wildcards, or several. Options behind a `?`, such as
   *   `orders?consumer.prefetchSize=10`, are defaults for `options`.
   * @param options Prefetch size, selector and so on.
   * @returns The consumer.
   * @throws {BrokerError} When the broker refuses, for example for a bad selector.
   * @throws {OpenWireError} `"INVALID_DESTINATION"` when it is a temporary destination of another connection, or was deleted.
   *   `"UNSUPPORTED"` when the broker is known to ignore an option, or can't share the topic of a shared subscription.
   * @throws {ClosedError} When the session is closed.
   * @throws {RangeError} When an option is out of range.
   */
  async createConsumer(
    destination: Destination,
    options: ConsumerOptions = {},
  ): Promise<MessageConsumer> {
    CONSUMER_OPTIONS.check(options, "Cannot create a consumer");
    return await this.#openConsumer(destination, options, false);
  }

  /**
   * Opens a browser, which shows the messages of a queue and leaves them there.
   *
   * @param destination The queue.
   * @param options Selector and so on.
   * @returns The browser. It must be iterated or closed.
   * @throws {BrokerError} When the broker refuses.
   * @throws {ClosedError} When the session is closed.
   * @throws {TypeError} When the destination is no queue.
   */
  async createBrowser(
    destination: Destination,
    options: BrowserOptions = {},
  ): Promise<QueueBrowser> {
    BROWSER_OPTIONS.check(options, "Cannot create a browser");
    const resolved = resolveDestination(destination);
    const { dataType } = resolved.destination;
    if (dataType !== "ActiveMQQueue" && dataType !== "ActiveMQTempQueue") {
      const name = nameOf(resolved.destination);
      throw new TypeError(`Cannot browse ${name}: only queues can be browsed`);
    }
    return new QueueBrowser(await this.#openConsumer(destination, options, true));
  }

  /**
   * Sends a message, without a producer of one's own.
   *
   * @param destination Where to.
   * @param body A string makes a text message, a `Uint8Array` a bytes message; see {@linkcode MessageBody} for the others.
   * @param options Headers, properties and how long to wait.
   * @returns The message's id, and what is known of it.
   * @throws See `MessageProducer.send()`.
   */
  async send(
    destination: Destination,
    body: MessageBody,
    options: SendOptions = {},
  ): Promise<SendResult> {
    SEND_OPTIONS.check(options, "Cannot send");
    this.checkOpen();
    const encoded = encodeBody(body, this.#context.settings.nestedMapAndListEnabled);
    const given = copyOptions(options);
    const [producer, left] = await this.#sharedSender().within(
      given,
      this.#context,
      roughSize(encoded),
    );
    return await producer.send(encoded as MessageBody, { ...left, destination });
  }

  /**
   * Sends a large body in chunks, without a producer of one's own: see `MessageProducer.sendStream()`.
   *
   * @param destination A single queue.
   * @param source Where the bytes come from.
   * @param options Headers, properties, size of the chunks and how long to wait for each.
   * @returns What was sent.
   * @throws See `MessageProducer.sendStream()`.
   */
  async sendStream(
    destination: Destination,
    source: StreamSource,
    options: SendStreamOptions = {},
  ): Promise<SendStreamResult> {
    SEND_STREAM_OPTIONS.check(options, "Cannot send a stream");
    this.checkOpen();
    const given = copyOptions(options);
    const [producer, left] = await this.#sharedSender().within(given, this.#context);
    return await producer.sendStream(source, {
      ...left,
      timeout: given.timeout,
      destination: toDestination(destination),
    });
  }

  /**
   * Makes what was sent and received since the last commit or rollback count.
   *
   * @param options How long to wait.
   * @throws {BrokerError} When the broker has rolled back instead: what was received is given out again.
   * @throws {TimeoutError} When the broker did not answer. It is not known what has become of the transaction: what was
   *   received is not given out again by this session; close it.
   * @throws {OpenWireError} `"ILLEGAL_STATE"` when the session is not transacted, or works for a distributed transaction.
   */
  async commit(options: CallOptions = {}): Promise<void> {
    CALL_OPTIONS.check(options, "Cannot commit");
    const transaction = this.#transacted("commit");
    limitsOf(options);
    await this.flush();
    // Whoever has closed the session meanwhile has rolled back.
    this.checkOpen();
    await transaction.commit(options);
  }

  /**
   * Undoes what was sent and received since the last commit or rollback: what was sent is dropped, what was received is
   * given out again as the redelivery policy says.
   *
   * @param options How long to wait.
   * @throws {OpenWireError} `"ILLEGAL_STATE"` when the session is not transacted, or works for a distributed transaction.
   */
  async rollback(options: CallOptions = {}): Promise<void> {
    CALL_OPTIONS.check(options, "Cannot roll back");
    const transaction = this.#transacted("roll back");
    limitsOf(options);
    await this.flush();
    this.checkOpen();
    await transaction.rollback(options);
  }

  /**
   * Has all messages that were given out and not settled given out again, as the redelivery policy says.
   *
   * @throws {OpenWireError} `"ILLEGAL_STATE"` when the session is transacted: use {@linkcode rollback}.
   */
  recover(): void {
    this.checkOpen();
    if (this.#transaction) {
      throw new OpenWireError("ILLEGAL_STATE", "Cannot recover a transacted session: roll back");
    }
    for (const consumer of this.#consumers) consumer.recover();
  }

  /**
   * Closes its consumers when all that has come was taken and settled, then the session.
   *
   * @param options How long to wait, 30,000 ms by default, and then for the end as with {@linkcode close}.
   * @throws {TimeoutError} When messages were not taken or not settled in time; the session is closed nevertheless.
   */
  async drain(options: CallOptions = {}): Promise<void> {
    const drain = (limits: Limits): Promise<void> => drainAll(this.#consumers, limits);
    await drainWith(options, drain, (limits) => this.close(limits));
  }

  /**
   * Closes its consumers and producers and the session. A transaction in progress is rolled back, a branch of a distributed
   * transaction that it works for can only be rolled back; messages that were not acknowledged go back to the broker. Calling
   * it again changes nothing.
   *
   * @param options How long to wait for handlers, and then for the broker; the connection's `closeTimeout` by default.
   */
  close(options: CallOptions = {}): Promise<void> {
    this.#closing = true;
    const { closeTimeout } = this.#context.settings;
    return closeWith(options, closeTimeout, (limits) => this.#close(limits));
  }

  /** The same as {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Waits until all messages that were sent have been handed over: they belong to the transaction.
   *
   * @ignore Not for users.
   */
  async flush(): Promise<void> {
    await Promise.all([...this.#producers].map((producer) => producer.flush()));
  }

  /**
   * Ends it as far as that must be done before the connection is closed, which closes it for the broker.
   *
   * @ignore Not for users.
   */
  async retire(limits: Limits): Promise<void> {
    // A close under way must reach the broker before the connection's; its caller is told if it fails.
    if (this.#closing) await this.#close(limits).catch(() => {});
    else await this.#stop(limits, new ConnectionClosedError("The connection was closed"));
  }

  /**
   * The command that announces it.
   *
   * @ignore Not for users.
   */
  get info(): SessionInfo {
    return createSessionInfo({ sessionId: this.#id });
  }

  /**
   * The connection was lost, and another one will take its place.
   *
   * @ignore Not for users.
   */
  interrupted(): void {
    for (const consumer of [...this.#consumers, ...this.#chunkConsumers]) consumer.interrupted();
    this.#transaction?.interrupted();
    for (const producer of this.#producers) producer.interrupted();
  }

  /**
   * Ends all that waits.
   *
   * @ignore Not for users.
   */
  connectionEnded(reason: Error): void {
    this.#ended ??= reason;
    this.#lost = true;
    this.#transaction?.connectionEnded(reason);
    for (const consumer of [...this.#consumers, ...this.#chunkConsumers]) consumer.end(reason);
    for (const producer of [...this.#producers]) producer.end(reason);
    this.#chunkConsumers.clear();
    this.#consumers.clear();
    this.#producers.clear();
  }

  /** What a log or a console shows of the session: its mode, whether it is open, and what belongs to it. */
  toJSON(): Record<string, unknown> {
    return jsonView(this.#view());
  }

  #view(): Record<string, unknown> {
    const current = this.#transaction?.current ?? null;
    return {
      acknowledgeMode: this.acknowledgeMode,
      state: this.#ended ? "closed" : "open",
      transactionId: formatTransactionId(current) ?? undefined,
      consumers: this.#consumers.size,
      producers: this.#producers.size,
    };
  }

  static {
    inspectAs(this, "Session", (session) => session.#view());
  }

  #sharedSender(): SharedStep<MessageProducer> {
    if (this.#sender) return this.#sender;
    this.#sender = new SharedStep(this.createProducer(), "Cannot open a producer");
    // One that could not be opened is not kept.
    this.#sender.done.catch(() => this.#sender = undefined);
    return this.#sender;
  }

  async #openConsumer(
    destination: Destination,
    options: ConsumerOptions,
    browser: boolean,
  ): Promise<MessageConsumer> {
    this.checkOpen();
    if (this.#stopping) throw this.#stopping;
    const resolved = resolveDestination(destination);
    this.#context.checkConsumable(resolved.destination);
    const consumerOptions = mergeOptions(resolved.consumer, options);
    limitsOf(consumerOptions);
    const subscription = browser
      ? undefined
      : sharedSubscriptionOf(resolved.destination, consumerOptions);
    const [place, placeOptions] = subscription
      ? await this.#share(subscription, consumerOptions)
      : [resolved.destination, consumerOptions];
    if (!browser) checkSupported(place, placeOptions, this.#context);
    const consumer = new MessageConsumer({
      context: this.#context,
      session: browser ? this.#forBrowsers : this.#forConsumers,
      closed: (consumer) => this.#consumers.delete(consumer),
      openChunks: (options) => this.#openChunks(place, options),
      release: subscription?.durable === false
        ? (limits) => this.#context.sharedSubscriptions.release(place, limits)
        : undefined,
      sessionId: this.#id,
      value: ++this.#consumerCount,
      destination: place,
      browser,
    }, placeOptions);
    this.#consumers.add(consumer);
    await consumer.open(placeOptions);
    return consumer;
  }

  /**
   * Opens a consumer for the chunks of a stream. Whoever reads them closes it, later than the session closes its consumers.
   */
  async #openChunks(
    destination: ActiveMQDestination,
    options: ConsumerOptions,
  ): Promise<MessageConsumer> {
    this.checkOpen();
    const consumer = new MessageConsumer({
      context: this.#context,
      session: this.#forChunks,
      closed: (consumer) => this.#chunkConsumers.delete(consumer),
      openChunks: (options) => this.#openChunks(destination, options),
      release: undefined,
      sessionId: this.#id,
      value: ++this.#consumerCount,
      destination,
      browser: false,
    }, options);
    this.#chunkConsumers.add(consumer);
    await consumer.open({});
    return consumer;
  }

  /** Where the consumers of a shared subscription consume from, and the options for that. */
  async #share(
    subscription: SharedSubscription,
    options: ConsumerOptions,
  ): Promise<readonly [ActiveMQDestination, ConsumerOptions]> {
    // Fails early, before the broker is asked for anything.
    const { settings } = this.#context;
    resolveConsumerOptions(options, settings, subscription.topic, {
      mode: this.acknowledgeMode,
      browser: false,
    });
    const consumerId = createConsumerId({
      connectionId: this.#id.connectionId,
      sessionId: this.#id.value,
      value: ++this.#consumerCount,
    });
    const { sharedSubscriptions } = this.#context;
    const [place, left] = await sharedSubscriptions.open(subscription, consumerId, options);
    this.checkOpen();
    if (this.#stopping) throw this.#stopping;
    // Its messages wait in a queue, as which it counts for the rest.
    return [place, { ...left, retroactive: false }];
  }

  /** Java: in mode CLIENT an acknowledgement is for the whole session. */
  async #acknowledgeAll(options?: CallOptions): Promise<void> {
    const consumers = [...this.#consumers];
    await Promise.all(consumers.map((consumer) => consumer.acknowledgeDelivered(options)));
  }

  #transacted(what: string): SessionTransaction {
    this.checkOpen();
    if (this.#transaction) return this.#transaction;
    throw new OpenWireError(
      "ILLEGAL_STATE",
      `Cannot ${what}: the session is not transacted but in mode "${this.acknowledgeMode}"`,
    );
  }

  /** Lets handlers end, gives back what was not acknowledged, and takes no more messages. */
  async #stop(limits: Limits, ended: Error): Promise<void> {
    this.#stopping ??= ended;
    const consumers = [...this.#consumers];
    // Handlers that are at work may still send and commit.
    await Promise.all(consumers.map((consumer) => consumer.quiesce(limits, ended)));
    this.#ended ??= ended;
    for (const producer of this.#producers) producer.end(ended);
    await this.#abandonTransaction(limits);
    // What fails here fails below, too.
    await Promise.allSettled(consumers.map((consumer) => consumer.retire(limits)));
    this.#consumers.clear();
    this.#producers.clear();
  }

  async #abandonTransaction({ timeout, signal }: Limits): Promise<void> {
    if (!this.#transaction) return;
    this.#abandoned ??= this.#transaction.abandon({ timeout })
      .catch((error) => this.#context.report(error));
    // It is rolled back even if nobody waits for that any more.
    const { deadlines } = this.#context;
    const late = (): Error => new TimeoutError(`No rollback within ${timeout} ms`);
    await inTime(this.#abandoned, { deadlines, timeout, signal, late }).catch(() => {});
  }

  async #close(limits: Limits): Promise<void> {
    if (this.#lost) return;
    await this.#stop(limits, new ClosedError("The session was closed"));
    if (!this.#saidClosed) {
      this.#context.removeSession(this);
      const action = "Cannot close the session";
      this.#saidClosed = new SaidClosed(this.#context, this.#removeInfo(), action, limits);
    }
    await this.#saidClosed.within(limits);
  }

  #removeInfo(): RemoveInfo {
    // -1: each consumer has said for itself what it had.
    return createRemoveInfo({ objectId: this.#id, lastDeliveredSequenceId: -1 });
  }
}

/** The names of these options. */
export const SESSION_OPTIONS: OptionNames<SessionOptions> = new OptionNames<SessionOptions>({
  acknowledgeMode: true,
  timeout: true,
  signal: true,
});

/** The names of these options. */
export const CONSUMER_AND_SESSION_OPTIONS: OptionNames<ConsumerOptions & SessionOptions> =
  new OptionNames({
    prefetchSize: true,
    maximumPendingMessageLimit: true,
    maxBufferedBytes: true,
    maxUnacknowledged: true,
    selector: true,
    noLocal: true,
    exclusive: true,
    retroactive: true,
    priority: true,
    dispatchAsync: true,
    subscriptionName: true,
    shared: true,
    durable: true,
    optimizeAcknowledge: true,
    streams: true,
    redeliveryPolicy: true,
    codec: true,
    timeout: true,
    signal: true,
    acknowledgeMode: true,
  });
