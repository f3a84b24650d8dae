/**
 * Connections to a broker.
 *
 * @module
 */

import { UNSUBSCRIBE_OPTIONS } from "./subscription/unsubscribe_options.ts";
import { SIGNAL_OPTION } from "./call_options.ts";
import { CONSUMER_AND_SESSION_OPTIONS } from "./session.ts";
import { RESPONDER_OPTIONS } from "./request/responder.ts";
import { REQUEST_MANY_OPTIONS, REQUEST_OPTIONS } from "./request/requester.ts";
import { SEND_STREAM_OPTIONS } from "./stream/stream_options.ts";
import { SEND_OPTIONS } from "./producer/send_options.ts";
import { CALL_OPTIONS } from "./call_options.ts";
import { BROWSER_OPTIONS } from "./consumer/queue_browser.ts";
import { PRODUCER_OPTIONS } from "./producer/producer_options.ts";
import { SESSION_OPTIONS } from "./session.ts";
import {
  type BrokerInfo,
  type ConnectionId,
  createConnectionId,
  createFlushCommand,
  createRemoveInfo,
  createRemoveSubscriptionInfo,
  createShutdownInfo,
  type DataStructure,
  inspectAs,
  jsonView,
  type WireFormatSettings,
} from "../codec/mod.ts";
import { toError } from "../errors.ts";
import { AdvisoryConsumer, toAdvisoryTopic } from "./advisory/advisory_consumer.ts";
import { isToldByArtemis } from "./advisory/advisory_topics.ts";
import { DestinationSource } from "./advisory/destination_source.ts";
import { BrokerClock } from "./broker_clock.ts";
import type { CommandChannel } from "./link/command_channel.ts";
import {
  type BrokerCapabilities,
  type BrokerKind,
  brokerKindOf,
  capabilitiesOf,
  requireCapability,
} from "./capabilities.ts";
import { type AcknowledgeMode, checkAcknowledgeMode } from "./consumer/acknowledge_mode.ts";
import type { CallOptions } from "./call_options.ts";
import type { Connector } from "./connector.ts";
import { drainAll, drainWith } from "./drain.ts";
import type { ConsumerOptions } from "./consumer/consumer_options.ts";
import { type Destination, nameOf } from "./destination/destination.ts";
import type { Message } from "./message/message.ts";
import { copyOptions, encodeBody, type MessageBody } from "./message/outgoing_message.ts";
import type { ProducerOptions } from "./producer/producer_options.ts";
import type { BrowserOptions, QueueBrowser } from "./consumer/queue_browser.ts";
import { Deadlines } from "./deadlines.ts";
import { BrokerError, ConnectionClosedError, TimeoutError } from "./errors.ts";
import type { LogFields, Logger } from "./observe/logger.ts";
import type { MessagingHooks } from "./observe/hooks.ts";
import { Observer } from "./observe/observer.ts";
import { type ConnectionStats, MessageCounters } from "./observe/stats.ts";
import { inTime } from "./in_time.ts";
import { generateId } from "./id_generator.ts";
import { changeDestination } from "./management/destinations.ts";
import { Statistics } from "./management/statistics.ts";
import type { MessageConsumer } from "./consumer/message_consumer.ts";
import type { MessageProducer } from "./producer/message_producer.ts";
import { AsyncSendError } from "./producer/async_send_error.ts";
import { AsyncSends } from "./producer/async_sends.ts";
import { PendingSends, roughSize } from "./producer/pending_sends.ts";
import { ScheduledJobs } from "./producer/scheduled_jobs.ts";
import type { SendOptions, SendResult } from "./producer/send_options.ts";
import {
  type CommandInspector,
  type ConnectionSettings,
  type Limits,
  limitsOf,
  milliseconds,
} from "./options.ts";
import { requireName } from "./names.ts";
import { closeWith, SaidClosed } from "./say_closed.ts";
import { Requester, type RequestManyOptions, type RequestOptions } from "./request/requester.ts";
import {
  openResponder,
  type RequestHandler,
  type Responder,
  type ResponderOptions,
} from "./request/responder.ts";
import type { Command, Response } from "./link/commands.ts";
import { type ConnectionMetadata, METADATA } from "./metadata.ts";
import { ReadGate } from "./link/read_gate.ts";
import type { RequestOptions as CommandOptions } from "./link/response_correlator.ts";
import { SharedStep } from "./shared_step.ts";
import type { StreamSource } from "./stream/chunks.ts";
import type { SendStreamOptions, SendStreamResult } from "./stream/stream_options.ts";
import { SharedSubscriptions } from "./subscription/shared_subscriptions.ts";
import type { UnsubscribeOptions } from "./subscription/unsubscribe_options.ts";
import { idKey, type ProducerMember, type SessionContext } from "./session_context.ts";
import { Session, type SessionOptions } from "./session.ts";
import { type ConnectionStatus, StatusFeed } from "./status.ts";
import {
  TemporaryDestinations,
  type TemporaryQueue,
  type TemporaryTopic,
} from "./destination/temporary_destination.ts";
import { Upstream, type UpstreamOwner } from "./upstream.ts";
import { XAResource } from "./transaction/xa.ts";

/** What a connection is made of. */
export interface ConnectionParts {
  readonly connector: Connector;
  readonly clientId: string | undefined;
  readonly clientIdPrefix: string | undefined;
  readonly connectionIdPrefix: string | undefined;
  readonly inspect: CommandInspector | undefined;
  readonly hooks: MessagingHooks | undefined;
  readonly autoStart: boolean;
}

/**
 * A connection to a broker, made by `connect()`.
 *
 * @example
 * ```ts
 * import { connect } from "../mod.ts";
 * import { MemoryBroker } from "../testing/mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * await using broker = await MemoryBroker.listen();
 * await using connection = await connect(broker.url);
 * assertEquals(connection.wireFormat.version, 12);
 * await using session = await connection.createSession();
 * ```
 */
export class Connection implements AsyncDisposable {
  /** JMS client id. */
  readonly clientId: string;
  /** The broker as a resource manager of distributed transactions. */
  readonly xa: XAResource;
  /** Messages that the broker will deliver later. */
  readonly scheduledJobs: ScheduledJobs;
  /** What the broker counts, if it has the statistics plugin. */
  readonly statistics: Statistics;
  /** Resolves when the connection has ended, with what ended it unless it was closed here. Never rejects. */
  readonly closed: Promise<Error | undefined>;
  readonly #resolveClosed: (error: Error | undefined) => void;
  readonly #settings: ConnectionSettings;
  readonly #deadlines: Deadlines = new Deadlines();
  readonly #upstream: Upstream;
  readonly #channel: CommandChannel;
  readonly #id: ConnectionId;
  readonly #counters: MessageCounters = new MessageCounters();
  readonly #clock: BrokerClock = new BrokerClock();
  readonly #pendingSends: PendingSends;
  readonly #asyncSends: AsyncSends = new AsyncSends();
  readonly #status: StatusFeed = new StatusFeed();
  readonly #readGate: ReadGate = new ReadGate({
    awaited: () => this.#awaitsBroker(),
    opened: () => this.#upstream.link?.readOn(),
  });
  readonly #sessions: Set<Session> = new Set();
  /** Consumers by the text of their ids. */
  readonly #consumers: Map<string, MessageConsumer> = new Map();
  /** Producers by the text of their ids. */
  readonly #producers: Map<string, ProducerMember> = new Map();
  readonly #clientIdGiven: boolean;
  readonly #context: SessionContext;
  readonly #log: Logger | undefined;
  readonly #temporaryDestinations: TemporaryDestinations;
  readonly #requester: Requester;
  readonly #sharedSubscriptions: SharedSubscriptions;
  /** Resolves when the broker has said who it is. */
  readonly #introduced: PromiseWithResolvers<void> = Promise.withResolvers();
  #sessionCount = 0;
  #transactionCount = 0;
  #started: boolean;
  #ended = false;
  /** Whether the broker says that another may take its place. */
  #faultTolerant = false;
  /** Sessions for what is done without one, by their mode. */
  readonly #ownSessions: Map<AcknowledgeMode, SharedStep<Session>> = new Map();
  #saidClosed: SaidClosed | undefined;

  /**
   * Use `connect()`.
   *
   * @ignore Not for users.
   */
  constructor(parts: ConnectionParts) {
    const { connector, clientId } = parts;
    const { settings } = connector;
    const { promise, resolve } = Promise.withResolvers<Error | undefined>();
    this.closed = promise;
    this.#resolveClosed = resolve;
    this.#log = connector.log;
    this.#settings = settings;
    this.#id = createConnectionId({ value: generateId(parts.connectionIdPrefix) });
    this.#clientIdGiven = clientId !== undefined;
    this.clientId = clientId ?? generateId(parts.clientIdPrefix);
    this.#started = parts.autoStart;
    this.#upstream = new Upstream({
      connector,
      connectionId: this.#id,
      clientId: this.clientId,
      deadlines: this.#deadlines,
      inspect: parts.inspect && this.#guarded(parts.inspect),
      owner: this.#createOwner(),
    });
    this.#channel = this.#upstream.channel;
    this.#pendingSends = new PendingSends(settings.maxPendingSendBytes);
    this.#introduced.promise.catch(() => {});
    this.#context = this.#createContext(parts.hooks);
    this.#sharedSubscriptions = new SharedSubscriptions({
      connection: this,
      context: this.#context,
      brokerKind: async (options) => {
        await this.#brokerId(options);
        return this.brokerKind;
      },
    });
    this.#temporaryDestinations = new TemporaryDestinations(this.#context);
    this.#requester = new Requester({
      connection: this,
      deadlines: this.#deadlines,
      requestTimeout: settings.requestTimeout,
      nestedMapAndListEnabled: settings.nestedMapAndListEnabled,
      clock: this.#clock,
    });
    this.scheduledJobs = new ScheduledJobs(this, settings.requestTimeout, this.#log);
    this.statistics = new Statistics(this, settings.requestTimeout, this.#log);
    this.xa = new XAResource({
      context: this.#context,
      brokerId: (options) => this.#brokerId(options),
    });
  }

  /** Address of the broker, such as `127.0.0.1:61616`; of the last one while there is none. */
  get remoteAddress(): string {
    return this.#upstream.link!.remoteAddress;
  }

  /** What was negotiated: version, encoding, cache, limits. */
  get wireFormat(): WireFormatSettings {
    return this.#upstream.link!.format.settings;
  }

  /** Whether there is a connection to a broker now; false also while a lost one is being replaced. */
  get connected(): boolean {
    return this.#channel.connected;
  }

  /** What the broker said of itself; undefined until it does, soon after the connection stands. */
  get brokerInfo(): BrokerInfo | undefined {
    return this.#upstream.brokerInfo;
  }

  /**
   * Which broker it is, as {@linkcode brokerInfo} tells. Of Artemis this is known as soon as the connection stands, of ActiveMQ
   * maybe a moment later.
   */
  get brokerKind(): BrokerKind {
    return brokerKindOf(this.brokerInfo);
  }

  /** What the broker can do. What it is known to ignore is refused with the code `"UNSUPPORTED"`. */
  get capabilities(): BrokerCapabilities {
    return capabilitiesOf(this.brokerKind);
  }

  /** Name and version of the client, and the names of the JMSX properties. */
  get metadata(): ConnectionMetadata {
    return METADATA;
  }

  /**
   * Name and version of the broker's implementation, such as `ActiveMQ 5.17.2`; empty when it did not say. Artemis gives the
   * version of the classes of ActiveMQ that it is made with; {@linkcode brokerKind} tells it apart.
   */
  get provider(): string {
    const properties = this.#upstream.link!.format.peerProperties;
    const parts = [properties?.get("ProviderName"), properties?.get("ProviderVersion")];
    return parts.filter((part) => typeof part === "string").join(" ");
  }

  /**
   * What happens to the connection: failures that answer no call, that it was lost and replaced, and its end, which ends the
   * iteration too.
   *
   * Only what happens while the iteration goes on is told; what nobody asks for is not kept.
   *
   * @param options Ends the iteration with the signal's reason.
   */
  status(options: Pick<CallOptions, "signal"> = {}): AsyncIterableIterator<ConnectionStatus> {
    SIGNAL_OPTION.check(options, "Cannot follow the status");
    return this.#status.subscribe(options.signal);
  }

  /**
   * What the connection has done so far, and what is open now.
   *
   * @returns A plain object that does not change. It can be asked for after the end, too.
   *
   * @example
   * ```ts
   * import { connect } from "../mod.ts";
   * import { MemoryBroker } from "../testing/mod.ts";
   * import { assertEquals } from "@std/assert";
   *
   * await using broker = await MemoryBroker.listen();
   * await using connection = await connect(broker.url);
   * await connection.send("orders", "hello");
   * const { messagesSent, producers } = connection.stats();
   * assertEquals([messagesSent, producers], [1, 1]);
   * ```
   */
  stats(): ConnectionStats {
    const consumers = [...this.#consumers.values()];
    const producers = [...this.#producers.values()];
    return {
      ...this.#upstream.traffic,
      pendingRequests: this.#channel.pending,
      reconnections: this.#upstream.reconnections,
      ...this.#counters,
      sessions: this.#sessions.size,
      consumers: consumers.length,
      producers: producers.length,
      pendingSendBytes: this.#pendingSends.bytes,
      windowBytes: sum(producers, ({ bufferedAmount }) => bufferedAmount),
      bufferedMessages: sum(consumers, ({ buffered }) => buffered),
      bufferedBytes: sum(consumers, ({ bufferedBytes }) => bufferedBytes),
      inflatedBytes: sum(consumers, ({ inflatedBytes }) => inflatedBytes),
      unsettledMessages: sum(consumers, ({ unsettled }) => unsettled),
      slowConsumers: sum(consumers, ({ slow }) => Number(slow)),
      pausingConsumers: this.#readGate.full,
      limitedConsumers: sum(consumers, ({ limited }) => Number(limited)),
    };
  }

  /**
   * Opens a session.
   *
   * @param options How messages are acknowledged, and how long to wait.
   * @returns The session.
   * @throws {ConnectionClosedError} When the connection has ended.
   */
  async createSession(options: SessionOptions = {}): Promise<Session> {
    SESSION_OPTIONS.check(options, "Cannot create a session");
    const session = new Session(this.#context, ++this.#sessionCount, options);
    await session.open(options);
    return session;
  }

  /**
   * Opens a producer in a session that the connection keeps for this.
   *
   * @param destination Where it sends; without one each `send()` says where.
   * @param options What its messages have by default, and how long to wait.
   * @returns The producer.
   * @throws See `Session.createProducer()`.
   */
  async createProducer<T = MessageBody>(
    destination: Destination | null = null,
    options: ProducerOptions<T> = {},
  ): Promise<MessageProducer<T>> {
    PRODUCER_OPTIONS.check(options, "Cannot create a producer");
    const [session, left] = await this.#ownSession("auto", options);
    return await session.createProducer(destination, left);
  }

  /**
   * Opens a consumer in a session that the connection keeps for this.
   *
   * @param destination What it consumes.
   * @param options Prefetch size, selector and so on, and when messages count as done: `acknowledgeMode` is `"auto"` by
   *   default, or `"individual"` or `"dups-ok"`. The other modes need a session of their own.
   * @returns The consumer.
   * @throws See `Session.createConsumer()`.
   */
  async createConsumer(
    destination: Destination,
    given: ConsumerOptions & SessionOptions = {},
  ): Promise<MessageConsumer> {
    CONSUMER_AND_SESSION_OPTIONS.check(given, "Cannot create a consumer");
    const { acknowledgeMode = "auto", ...options } = given;
    const mode = checkAcknowledgeMode(acknowledgeMode);
    if (mode === "client" || mode === "transacted") {
      throw new TypeError(
        `Cannot open a consumer in mode "${mode}" without a session of its own: use createSession()`,
      );
    }
    const [session, left] = await this.#ownSession(mode, options);
    return await session.createConsumer(destination, left);
  }

  /**
   * Opens a browser, which shows the messages of a queue and leaves them there.
   *
   * @param destination The queue.
   * @param options Selector and so on.
   * @returns The browser. It must be iterated or closed.
   * @throws See `Session.createBrowser()`.
   */
  async createBrowser(
    destination: Destination,
    options: BrowserOptions = {},
  ): Promise<QueueBrowser> {
    BROWSER_OPTIONS.check(options, "Cannot create a browser");
    const [session, left] = await this.#ownSession("auto", options);
    return await session.createBrowser(destination, left);
  }

  /**
   * Consumes from advisory topics, on which ActiveMQ tells what happens: who comes and goes, what becomes of messages. Other
   * brokers tell little of that, or nothing.
   *
   * @param topics Topics of {@linkcode advisoryTopics}, one or several.
   * @param options How long to wait for the broker's answer. The signal also ends the loop.
   * @returns The events. It must be iterated or closed. All that happens from now on is told.
   * @throws {TypeError} When something else than advisory topics is given.
   * @throws {OpenWireError} `"UNSUPPORTED"` when the broker is Artemis, which tells nothing on one of the topics.
   * @throws See `Session.createConsumer()`.
   */
  async advisories(
    topics: Destination | readonly Destination[],
    options: CallOptions = {},
  ): Promise<AdvisoryConsumer> {
    CALL_OPTIONS.check(options, "Cannot consume advisories");
    const { timeout, signal } = options;
    const destination = toAdvisoryTopic(topics);
    if (!isToldByArtemis(destination)) {
      const action = `Cannot read advisories from ${nameOf(destination)}`;
      requireCapability(this.capabilities, "advisories", action);
    }
    const consumer = await this.createConsumer(destination, { timeout, signal });
    return new AdvisoryConsumer(consumer, signal);
  }

  /**
   * Watches which destinations there are, by the advisories of ActiveMQ.
   *
   * @param options How long to wait.
   * @returns The destinations there are, which follow the changes from now on. It must be closed.
   * @throws {TimeoutError} When the broker did not tell of them in time: it has no advisories, or the connection isn't started.
   * @throws {OpenWireError} `"UNSUPPORTED"` when the broker is Artemis, which does not tell what is there.
   * @throws See `Session.createConsumer()` and {@linkcode createTemporaryQueue}.
   */
  async watchDestinations(options: CallOptions = {}): Promise<DestinationSource> {
    CALL_OPTIONS.check(options, "Cannot watch destinations");
    requireCapability(this.capabilities, "advisories", "Cannot watch destinations");
    const { requestTimeout } = this.#settings;
    const source = new DestinationSource({
      connection: this,
      deadlines: this.#deadlines,
      requestTimeout,
    });
    await source.open(options);
    return source;
  }

  /**
   * Sends a message.
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
    const encoded = encodeBody(body, this.#settings.nestedMapAndListEnabled);
    const given = copyOptions(options);
    const [session, left] = await this.#ownSession("auto", given, roughSize(encoded));
    return await session.send(destination, encoded as MessageBody, left);
  }

  /**
   * Sends a large body in chunks, of which a consumer with the option `streams` makes one message again: see
   * `MessageProducer.sendStream()`.
   *
   * @param destination A single queue.
   * @param source Where the bytes come from: a `ReadableStream` or an `AsyncIterable` of `Uint8Array`, or a `Blob`.
   * @param options Headers, properties, size of the chunks and how long to wait for each.
   * @returns What was sent.
   * @throws See `MessageProducer.sendStream()`.
   *
   * @example
   * ```ts
   * import { connect } from "../mod.ts";
   * import { MemoryBroker } from "../testing/mod.ts";
   * import { assertEquals } from "@std/assert";
   *
   * await using broker = await MemoryBroker.listen();
   * await using connection = await connect(broker.url);
   * await connection.sendStream("files", new Blob(["a long text"]), { chunkSize: 4 });
   * for await (const message of await connection.createConsumer("files", { streams: true })) {
   *   assertEquals(await new Response(message.readable).text(), "a long text");
   *   await message.ack();
   *   break;
   * }
   * ```
   */
  async sendStream(
    destination: Destination,
    source: StreamSource,
    options: SendStreamOptions = {},
  ): Promise<SendStreamResult> {
    SEND_STREAM_OPTIONS.check(options, "Cannot send a stream");
    const given = copyOptions(options);
    const [session, left] = await this.#ownSession("auto", given);
    return await session.sendStream(destination, source, { ...left, timeout: given.timeout });
  }

  /**
   * Creates a queue or topic, if there is none of that name. Brokers also create them when they are first used, unless they are
   * configured not to.
   *
   * @param destination A single queue or topic, which isn't temporary.
   * @param options How long to wait.
   * @throws {TypeError} When the destination is temporary, composite or has wildcards.
   * @throws {BrokerError} When the broker refuses.
   */
  async createDestination(destination: Destination, options: CallOptions = {}): Promise<void> {
    CALL_OPTIONS.check(options, "Cannot create the destination");
    await changeDestination(this.#context, "create", destination, options);
  }

  /**
   * Deletes a queue or topic with all messages in it; nothing happens if there is none of that name.
   *
   * @param destination A single queue or topic, which isn't temporary.
   * @param options How long to wait.
   * @throws {TypeError} When the destination is temporary, composite or has wildcards.
   * @throws {BrokerError} `"DESTINATION_IN_USE"` when it has a consumer or a durable subscription, other codes when the broker
   *   refuses for another reason.
   */
  async deleteDestination(destination: Destination, options: CallOptions = {}): Promise<void> {
    CALL_OPTIONS.check(options, "Cannot delete the destination");
    await changeDestination(this.#context, "delete", destination, options);
  }

  /**
   * Makes a temporary queue: it lasts as long as the connection, or until it is deleted.
   *
   * @param options How long to wait.
   * @returns The queue.
   * @throws {BrokerError} When the broker refuses.
   */
  async createTemporaryQueue(options: CallOptions = {}): Promise<TemporaryQueue> {
    CALL_OPTIONS.check(options, "Cannot create a temporary queue");
    return await this.#temporaryDestinations.createQueue(options);
  }

  /**
   * Makes a temporary topic: it lasts as long as the connection, or until it is deleted.
   *
   * @param options How long to wait.
   * @returns The topic.
   * @throws {BrokerError} When the broker refuses.
   */
  async createTemporaryTopic(options: CallOptions = {}): Promise<TemporaryTopic> {
    CALL_OPTIONS.check(options, "Cannot create a temporary topic");
    return await this.#temporaryDestinations.createTopic(options);
  }

  /**
   * Sends a request and waits for the reply. Replies come to a temporary queue that the connection keeps for this.
   *
   * @param destination Where to.
   * @param body As for {@linkcode send}.
   * @param options Headers, properties and how long to wait.
   * @returns The reply, which is acknowledged.
   * @throws {TimeoutError} When no reply came in time. One that comes later is dropped; {@linkcode lateReplies} counts it.
   * @throws {RemoteError} When who was to answer says that it has failed, as the responders of {@linkcode respond} do.
   * @throws See `MessageProducer.send()`.
   */
  async request(
    destination: Destination,
    body: MessageBody,
    options: RequestOptions = {},
  ): Promise<Message> {
    REQUEST_OPTIONS.check(options, "Cannot send a request");
    return await this.#requester.request(destination, body, options);
  }

  /**
   * Sends a request that many may answer, for example to a topic. It is sent when the loop begins; the loop ends when the time
   * is over, or as the options say. Leaving it ends the wait.
   *
   * @param destination Where to.
   * @param body As for {@linkcode send}.
   * @param options Headers, properties, how long to wait and for how many.
   * @returns The replies, which are acknowledged, in the order in which they come. For one that tells of a failure
   *   `RemoteError.of()` gives the error.
   * @throws {RangeError} When an option is out of range.
   * @throws {OpenWireError} `"TOO_MANY_REPLIES"` from the loop, when 10,000 replies have come that were not read; after those.
   * @throws See `MessageProducer.send()`, from the loop.
   *
   * @example
   * ```ts
   * import { connect } from "../mod.ts";
   * import { MemoryBroker } from "../testing/mod.ts";
   * import { assertEquals } from "@std/assert";
   *
   * await using broker = await MemoryBroker.listen();
   * await using connection = await connect(broker.url);
   * await using one = await connection.respond("topic://who", () => "one");
   * await using two = await connection.respond("topic://who", () => "two");
   * const names: (string | null)[] = [];
   * for await (const reply of connection.requestMany("topic://who", null, { maxReplies: 2 })) {
   *   names.push(reply.text);
   * }
   * assertEquals(names.sort(), ["one", "two"]);
   * ```
   */
  requestMany(
    destination: Destination,
    body: MessageBody,
    options: RequestManyOptions = {},
  ): AsyncIterableIterator<Message> {
    REQUEST_MANY_OPTIONS.check(options, "Cannot send a request");
    return this.#requester.requestMany(destination, body, options);
  }

  /** How many replies came for which nobody waited any more. */
  get lateReplies(): number {
    return this.#requester.lateReplies;
  }

  /**
   * Answers requests: messages with a `replyTo`. The reply is not persistent, has the correlation id of the request, or else
   * its message id, and expires when the request does; when that has happened it is not sent.
   *
   * The connection's `status()` tells what could not be answered: requests without `replyTo`, and those of a requester that has
   * gone; these are done with. When the broker does not take the reply for another reason, such as lack of memory, the request
   * is given to the handler again, as the redelivery policy says.
   *
   * @param destination Where the requests come from.
   * @param handler Makes the reply.
   * @param options How many requests are answered at the same time, and what consumers have.
   * @returns The responder.
   * @throws See `Session.createConsumer()`.
   */
  async respond(
    destination: Destination,
    handler: RequestHandler,
    options: ResponderOptions = {},
  ): Promise<Responder> {
    RESPONDER_OPTIONS.check(options, "Cannot respond");
    const { report } = this.#context;
    return await openResponder({ connection: this, report }, destination, handler, options);
  }

  /**
   * Runs a transaction: what is sent and received with the session counts when the function has ended well, and is undone
   * when it fails.
   *
   * @param run Does the work, with a session of its own that is closed afterwards. It need not commit.
   * @param options How long to wait for the session, for the commit, and for the end of the session.
   * @returns What the function returned.
   * @throws What the function threw, after the rollback.
   * @throws See `Session.commit()`.
   */
  async transaction<T>(
    run: (session: Session) => T | Promise<T>,
    options: CallOptions = {},
  ): Promise<T> {
    CALL_OPTIONS.check(options, "Cannot begin a transaction");
    const session = await this.createSession({ ...options, acknowledgeMode: "transacted" });
    try {
      const result = await run(session);
      options.signal?.throwIfAborted();
      await session.commit(options);
      return result;
    } finally {
      // Whether the transaction counts is known by now.
      await session.close({ timeout: options.timeout })
        .catch((error) => this.#context.report(error));
    }
  }

  /**
   * Ends a durable or a shared subscription: the broker keeps no messages for it any more.
   *
   * @param subscriptionName Its name: the `subscriptionName` of its consumer, or what its consumers have as `shared`.
   * @param options The topic, if the subscription is shared, and how long to wait.
   * @throws {BrokerError} Of a durable subscription: `"INVALID_DESTINATION"` when there is none of that name, another code when
   *   it has a consumer. Of a shared one: `"DESTINATION_IN_USE"` when it has a consumer; nothing happens if there is none of that
   *   name.
   * @throws {OpenWireError} `"UNSUPPORTED"` when the broker can't share the topic.
   * @throws {TypeError} When the name is blank or no text, or that of a shared subscription or its topic can't be used.
   */
  async unsubscribe(
    subscriptionName: string,
    given: UnsubscribeOptions = {},
  ): Promise<void> {
    UNSUBSCRIBE_OPTIONS.check(given, "Cannot unsubscribe");
    const { topic, ...options } = given;
    if (topic !== undefined) {
      return await this.#sharedSubscriptions.remove(subscriptionName, topic, options);
    }
    const command = createRemoveSubscriptionInfo({
      connectionId: this.#id,
      clientId: this.clientId,
      subscriptionName: requireName("subscriptionName", subscriptionName),
    });
    await this.#context.request(command, `Cannot unsubscribe ${subscriptionName}`, options);
  }

  /** Has consumers give out messages, after {@linkcode stop} or if the option `autoStart` was false. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    for (const consumer of this.#consumers.values()) consumer.setStarted(true);
  }

  /**
   * Has consumers give out no messages until {@linkcode start} is called. The broker goes on sending, up to their prefetch
   * sizes.
   *
   * @param options How long to wait for handlers; the connection's `closeTimeout` by default.
   * @returns Resolves when no handler is at work.
   * @throws {TimeoutError} When a handler did not end; no messages are given out nevertheless.
   * @throws {ConnectionClosedError} When the connection has ended.
   */
  async stop(options: CallOptions = {}): Promise<void> {
    CALL_OPTIONS.check(options, "Cannot stop the connection");
    const { timeout, signal } = limitsOf(options, this.#settings.closeTimeout);
    if (this.#started) {
      this.#started = false;
      for (const consumer of this.#consumers.values()) consumer.setStarted(false);
    }
    const idle = Promise.all([...this.#consumers.values()].map((consumer) => consumer.idle()));
    await inTime(idle, {
      deadlines: this.#deadlines,
      timeout,
      signal,
      late: () => new TimeoutError(`A handler was still at work after ${timeout} ms`),
    });
  }

  /**
   * Measures how long the broker takes to answer.
   *
   * @param options How long to wait.
   * @returns Milliseconds.
   * @throws {TimeoutError} When it did not answer.
   * @throws {ConnectionClosedError} When the connection has ended.
   */
  async ping(options: CallOptions = {}): Promise<number> {
    CALL_OPTIONS.check(options, "Cannot ping");
    const start = performance.now();
    const requestOptions = this.#requestOptions("Cannot ping", options);
    // Not a KeepAliveInfo: ActiveMQ writes its answer into the midst of what it sends at the same time.
    try {
      await this.#channel.request(createFlushCommand(), requestOptions);
    } catch (error) {
      // Artemis says that it does not know the command: an answer, too.
      if (!(error instanceof BrokerError)) throw error;
    }
    return performance.now() - start;
  }

  /**
   * Closes consumers when all that has come was taken and settled, then the connection: a graceful end of a service.
   *
   * @param options How long to wait, 30,000 ms by default, and then for the end as with {@linkcode close}.
   * @throws {TimeoutError} When messages were not taken or not settled in time; the connection is closed nevertheless.
   */
  async drain(options: CallOptions = {}): Promise<void> {
    const drain = (limits: Limits): Promise<void> => drainAll(this.#sessions, limits);
    await drainWith(options, drain, (limits) => this.close(limits));
  }

  /**
   * Closes all sessions and the connection, in order: what was sent before is sent, messages that were not acknowledged
   * go back to the broker. Calling it again changes nothing.
   *
   * It does not fail: what can't be done in order is done by the end of the connection. Each call has its own limits: the
   * connection ends when the first of them is over.
   *
   * @param options How long to wait for handlers, and then for the broker; the option `closeTimeout` by default. When the
   *   signal is aborted, the connection ends at once.
   * @throws {RangeError} When the timeout is out of range. The connection is closed with the defaults.
   * @throws {TypeError} When the signal is none. The connection is closed with the defaults.
   */
  close(options: CallOptions = {}): Promise<void> {
    this.#upstream.stopReplacing();
    return closeWith(options, this.#settings.closeTimeout, (limits) => this.#close(limits));
  }

  /** The same as {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Ends the connection at once, without a word to the broker. */
  abort(reason?: unknown): void {
    this.#end(new ConnectionClosedError("The connection was aborted", { cause: reason }));
  }

  /**
   * Finds a broker.
   *
   * @ignore Not for users.
   */
  async open(): Promise<void> {
    await this.#upstream.open();
  }

  /** What a log or a console shows of the connection: the broker, whether it is connected, and what is open. No passwords. */
  toJSON(): Record<string, unknown> {
    return jsonView(this.#view());
  }

  #view(): Record<string, unknown> {
    const { link } = this.#upstream;
    const { sessions, consumers, producers, messagesSent, messagesReceived, ...stats } = this
      .stats();
    return {
      clientId: this.clientId,
      remoteAddress: link?.remoteAddress,
      state: this.#ended ? "closed" : this.connected ? "connected" : "reconnecting",
      brokerKind: this.brokerKind,
      brokerName: this.brokerInfo?.brokerName ?? undefined,
      provider: link && this.provider || undefined,
      version: link?.format.settings.version,
      reconnections: stats.reconnections || undefined,
      sessions,
      consumers,
      producers,
      messagesSent,
      messagesReceived,
      bufferedMessages: stats.bufferedMessages,
      unsettledMessages: stats.unsettledMessages,
    };
  }

  static {
    inspectAs(this, "Connection", (connection) => connection.#view());
  }

  /** What is done when a connection to a broker comes and goes. */
  #createOwner(): UpstreamOwner {
    return {
      mayRead: () => this.#readGate.open,
      receive: (command) => this.#receive(command),
      unreadable: (dispatch) => this.#consumers.get(idKey(dispatch.consumerId))?.skip(dispatch),
      state: () => ({
        temporaryDestinations: this.#temporaryDestinations.infos(),
        sessions: [...this.#sessions],
        producers: [...this.#producers.values()],
        consumers: [...this.#consumers.values()].filter(({ standing }) => standing),
      }),
      refused: (refusals) => {
        for (const { error, owner } of refusals) {
          if (owner) owner.refused(error);
          else this.#report(error);
        }
      },
      connected: (resumed) => {
        const { version } = this.wireFormat;
        this.#log?.info("Connected to the broker", this.#logFields({ version }));
        if (!resumed) return;
        for (const consumer of [...this.#consumers.values()]) consumer.resumed();
        this.#status.publish({ type: "resumed", remoteAddress: this.remoteAddress });
      },
      interrupted: () => {
        this.#clock.reset();
        for (const session of [...this.#sessions]) session.interrupted();
        this.xa.interrupted();
      },
      lost: (error) => {
        this.#log?.warn("The connection was lost", this.#logFields({ error }));
        this.#status.publish({ type: "interrupted", error });
      },
      failed: (attempts, error) => this.#status.publish({ type: "reconnecting", attempts, error }),
      ended: (error) => this.#end(error),
    };
  }

  /** What an inspector throws must not disturb the connection. */
  #guarded(inspect: CommandInspector): CommandInspector {
    return (command, direction) => {
      try {
        inspect(command, direction);
      } catch (error) {
        this.#report(toError(error));
      }
    };
  }

  /** Tells of a failure that answers no call. */
  #report(error: Error): void {
    if (error instanceof AsyncSendError) {
      const { messageId, messageIds, destination, transactionId } = error;
      const which = messageId === undefined ? { messageIds } : { messageId };
      const fields = { ...which, destination, ...(transactionId && { transactionId }), error };
      this.#log?.warn("The broker has refused a message", this.#logFields(fields));
    } else {
      this.#log?.warn("Something has failed that nobody waits for", this.#logFields({ error }));
    }
    this.#status.publish({ type: "error", error });
  }

  /** Sends a command and waits for the answer. */
  #request(command: Command, options: CommandOptions): Promise<Response> {
    const answer = this.#channel.request(command, options);
    if (this.#log) {
      answer.catch((error) => {
        if (!(error instanceof BrokerError)) return;
        this.#log?.warn("The broker has refused something", this.#logFields({ error }));
      });
    }
    return answer;
  }

  #logFields(fields: LogFields): LogFields {
    return { address: this.#upstream.link?.remoteAddress, clientId: this.clientId, ...fields };
  }

  /** The session for what is done without one, and the options of the call with what is left of its time. */
  async #ownSession<Options extends CallOptions>(
    acknowledgeMode: AcknowledgeMode,
    options: Options,
    bytes = 0,
  ): Promise<readonly [Session, Options]> {
    let session = this.#ownSessions.get(acknowledgeMode);
    if (!session) {
      session = new SharedStep(this.createSession({ acknowledgeMode }), "Cannot open a session");
      // One that could not be opened is not kept.
      session.done.catch(() => this.#ownSessions.delete(acknowledgeMode));
      this.#ownSessions.set(acknowledgeMode, session);
    }
    return await session.within(options, this.#context, bytes);
  }

  /** What the broker calls itself. */
  async #brokerId({ timeout, signal }: CallOptions): Promise<string | undefined> {
    const limit = milliseconds("timeout", timeout, this.#settings.requestTimeout);
    await inTime(this.#introduced.promise, {
      deadlines: this.#deadlines,
      timeout: limit,
      signal,
      late: () => new TimeoutError(`The broker did not say who it is within ${limit} ms`),
    });
    return this.brokerInfo?.brokerId?.value ?? undefined;
  }

  /** What sessions, producers and consumers may use of the connection. */
  #createContext(hooks: MessagingHooks | undefined): SessionContext {
    const sharedSubscriptions = (): SharedSubscriptions => this.#sharedSubscriptions;
    const report = (error: Error): void => this.#report(error);
    const addressOf = (): string => this.remoteAddress;
    const peer = {
      clientId: this.clientId,
      get address(): string {
        return addressOf();
      },
    };
    return {
      connectionId: this.#id,
      clientId: { value: this.clientId, given: this.#clientIdGiven },
      settings: this.#settings,
      deadlines: this.#deadlines,
      counters: this.#counters,
      clock: this.#clock,
      pendingSends: this.#pendingSends,
      asyncSends: this.#asyncSends,
      log: this.#log,
      readGate: this.#readGate,
      observer: hooks && new Observer({ hooks, peer, report }),
      wireFormat: () => this.wireFormat,
      started: () => this.#started,
      faultTolerant: () => this.#faultTolerant,
      capabilities: () => this.capabilities,
      request: (command, action, options = {}) =>
        this.#request(command, this.#requestOptions(action, options)),
      send: (command, action, options = {}) =>
        this.#channel.send(command, this.#requestOptions(action, options)),
      post: (command, action, options = {}) =>
        this.#channel.post(command, () => this.#requestOptions(action, options)),
      emptied: () => this.#channel.emptied,
      consumers: () => this.#consumers.values(),
      checkConsumable: (destination) => this.#temporaryDestinations.checkConsumable(destination),
      addConsumer: (consumer) => void this.#consumers.set(consumer.id, consumer),
      removeConsumer: (consumer) => void this.#consumers.delete(consumer.id),
      addProducer: (producer) => void this.#producers.set(producer.id, producer),
      removeProducer: (producer) => void this.#producers.delete(producer.id),
      addSession: (session) => void this.#sessions.add(session),
      removeSession: (session) => void this.#sessions.delete(session),
      nextTransactionId: () => ++this.#transactionCount,
      holds: (transaction) => this.#channel.holds(transaction),
      giveUp: (transaction) => this.#channel.giveUp(transaction),
      publish: (status) => this.#status.publish(status),
      get sharedSubscriptions(): SharedSubscriptions {
        return sharedSubscriptions();
      },
      report,
    };
  }

  /** Whether a call waits for what the broker sends. A producer's window that is closed waits for an answer, too. */
  #awaitsBroker(): boolean {
    if (this.#channel.pending > 0 || this.#requester.pending > 0) return true;
    for (const consumer of this.#consumers.values()) if (consumer.awaitsBroker) return true;
    return false;
  }

  #requestOptions(action: string, options: CallOptions): CommandOptions {
    return { action, ...limitsOf(options, this.#settings.requestTimeout) };
  }

  #receive(command: DataStructure): void {
    switch (command.dataType) {
      case "Response":
      case "ExceptionResponse":
      case "DataResponse":
      case "DataArrayResponse":
      case "IntegerResponse":
        if (!this.#channel.take(command) && command.dataType === "ExceptionResponse") {
          const { correlationId, exception } = command;
          const action = "The broker refuses something that nobody waits for";
          const error = this.#asyncSends.refused(correlationId, exception);
          this.#report(error ?? new BrokerError(action, exception));
        }
        this.#asyncSends.answered(command.correlationId, this.#channel.lastId);
        return;
      case "MessageDispatch": {
        const { consumerId, message } = command;
        if (message) this.#clock.seen(message);
        // A consumer that was just closed may still be sent messages; the broker delivers them again.
        if (consumerId) this.#consumers.get(idKey(consumerId))?.dispatch(command);
        return;
      }
      case "ConsumerControl": {
        const consumer = command.consumerId && this.#consumers.get(idKey(command.consumerId));
        if (consumer && command.close) consumer.closedByBroker();
        else consumer?.prefetchChanged(command.prefetch);
        return;
      }
      case "ProducerAck":
        if (command.producerId) {
          this.#producers.get(idKey(command.producerId))?.acknowledged();
        }
        return;
      case "BrokerInfo":
        this.#introduced.resolve();
        if (command.faultTolerantConfiguration) this.#setFaultTolerant();
        return;
      case "ConnectionControl":
        if (command.faultTolerant) this.#setFaultTolerant();
        return this.#upstream.follow(command);
      case "ConnectionError":
        this.#report(
          this.#asyncSends.failed(command.exception) ??
            new BrokerError("The broker reports a failure", command.exception),
        );
        // The message will not be acknowledged to its producer.
        for (const producer of this.#producers.values()) producer.windowLost();
    }
  }

  #setFaultTolerant(): void {
    this.#faultTolerant = true;
    for (const consumer of this.#consumers.values()) consumer.stopOptimizing();
  }

  /** It has ended for good. */
  #end(error: Error | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    const reason = error ?? new ConnectionClosedError("The connection was closed");
    const { standing } = this.#upstream;
    if (standing && error) {
      this.#log?.error("The connection was lost", this.#logFields({ error }));
    } else if (standing) {
      this.#log?.info("The connection was closed", this.#logFields({}));
    }
    this.#upstream.end(reason);
    this.#requester.end(reason);
    this.#introduced.reject(reason);
    for (const session of this.#sessions) session.connectionEnded(reason);
    this.xa.connectionEnded(reason);
    this.#deadlines.close(reason);
    this.#sessions.clear();
    this.#consumers.clear();
    this.#producers.clear();
    this.#status.end(error);
    this.#resolveClosed(error);
  }

  async #close(limits: Limits): Promise<void> {
    const { timeout, signal } = limits;
    const abort = (): void => this.abort(signal!.reason);
    signal?.addEventListener("abort", abort);
    if (signal?.aborted) abort();
    try {
      await Promise.all([...this.#sessions].map((session) => session.retire(limits)));
      // -1: each consumer has said for itself what it had.
      const remove = createRemoveInfo({ objectId: this.#id, lastDeliveredSequenceId: -1 });
      const action = "Cannot close the connection";
      this.#saidClosed ??= new SaidClosed(this.#context, remove, action, limits);
      await this.#saidClosed.within(limits);
      // Not awaited: the broker may be gone before the runtime says that it took it.
      this.#channel.send(createShutdownInfo(), { timeout, action: "Cannot say goodbye" }).catch(
        () => {},
      );
    } catch {
      // It is as good as closed: the broker has gone or does not answer.
    }
    await this.#upstream.close(timeout);
    this.#end(undefined);
    signal?.removeEventListener("abort", abort);
  }
}

function sum<T>(all: readonly T[], valueOf: (one: T) => number): number {
  return all.reduce((total, one) => total + valueOf(one), 0);
}
