/**
 * Connections to a broker.
 *
 * @module
 */

import {
  type BrokerInfo,
  type ConnectionControl,
  type ConnectionId,
  createConnectionControl,
  createConnectionId,
  createConnectionInfo,
  createFlushCommand,
  createRemoveInfo,
  createRemoveSubscriptionInfo,
  createShutdownInfo,
  type DataStructure,
  type OpenWireFormat,
  type WireFormatSettings,
} from "../codec/mod.ts";
import type { Transport } from "../transport/mod.ts";
import { OpenWireError } from "../errors.ts";
import { AdvisoryConsumer, toAdvisoryTopic } from "./advisory/advisory_consumer.ts";
import { isToldByArtemis } from "./advisory/advisory_topics.ts";
import { DestinationSource } from "./advisory/destination_source.ts";
import { BrokerLink, type LinkTraffic } from "./link/broker_link.ts";
import { CommandChannel, type ReplayOptions } from "./link/command_channel.ts";
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
import { drainAll, thenClose } from "./drain.ts";
import type { ConsumerOptions } from "./consumer/consumer_options.ts";
import { type Destination, formatDestination } from "./destination/destination.ts";
import type { Message } from "./message/message.ts";
import type { MessageBody } from "./message/outgoing_message.ts";
import type { ProducerOptions } from "./producer/producer_options.ts";
import type { BrowserOptions, QueueBrowser } from "./consumer/queue_browser.ts";
import { Deadlines } from "./deadlines.ts";
import { BrokerError, ConnectionClosedError, TimeoutError } from "./errors.ts";
import { restore } from "./failover/restore.ts";
import type { ResolvedFailover } from "./failover/failover_options.ts";
import { toHandshakeError } from "./handshake_error.ts";
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
import { PendingSends, roughSize } from "./producer/pending_sends.ts";
import { ScheduledJobs } from "./producer/scheduled_jobs.ts";
import type { SendOptions, SendResult } from "./producer/send_options.ts";
import {
  type CommandInspector,
  type ConnectionSettings,
  type Credentials,
  milliseconds,
} from "./options.ts";
import { Requester, type RequestManyOptions, type RequestOptions } from "./request/requester.ts";
import {
  openResponder,
  type RequestHandler,
  type Responder,
  type ResponderOptions,
} from "./request/responder.ts";
import type { Command, Response } from "./link/commands.ts";
import type { RequestOptions as CommandOptions } from "./link/response_correlator.ts";
import { SharedStep } from "./shared_step.ts";
import { idKey, type ProducerMember, type SessionContext } from "./session_context.ts";
import { Session, type SessionOptions } from "./session.ts";
import { type ConnectionStatus, StatusFeed } from "./status.ts";
import { TimeLimit } from "./time_limit.ts";
import {
  TemporaryDestinations,
  type TemporaryQueue,
  type TemporaryTopic,
} from "./destination/temporary_destination.ts";
import { XAResource } from "./transaction/xa.ts";
import type { BrokerTarget } from "./url/broker_url.ts";

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

/** Milliseconds after which a connection counts as one that has lasted. */
const SHORT = 1000;

/**
 * Milliseconds that Artemis is given to clear away a lost connection: it does that by the names of its temporary destinations,
 * and would take those that the next connection has made under the same names.
 */
const ARTEMIS_PAUSE = 250;

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
  readonly #connector: Connector;
  readonly #inspect: CommandInspector | undefined;
  readonly #settings: ConnectionSettings;
  readonly #deadlines: Deadlines = new Deadlines();
  readonly #channel: CommandChannel;
  /** The connection to a broker: the one that is in use, or was the last, or is being made. */
  #link: BrokerLink | undefined;
  /** What went over those that were lost. */
  #traffic: LinkTraffic = { commandsSent: 0, commandsReceived: 0, bytesSent: 0, bytesReceived: 0 };
  readonly #id: ConnectionId;
  readonly #counters: MessageCounters = new MessageCounters();
  readonly #pendingSends: PendingSends;
  readonly #status: StatusFeed = new StatusFeed();
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
  #brokerInfo: BrokerInfo | undefined;
  /** What the brokers of all connections have said of themselves, those in reserve too. */
  readonly #brokerInfos: WeakMap<BrokerLink, BrokerInfo> = new WeakMap();
  /** Resolves when it came. */
  readonly #introduced: PromiseWithResolvers<void> = Promise.withResolvers();
  #sessionCount = 0;
  #transactionCount = 0;
  #started: boolean;
  /** Whether a broker has accepted it. */
  #standing = false;
  /** The broker that has accepted it last. */
  #broker: BrokerTarget | undefined;
  /** When that was, by `performance.now()`. */
  #since = 0;
  /** How often in a row it was lost before long. */
  #losses = 0;
  #reconnections = 0;
  /** Ends the search for another broker. */
  #search: AbortController | undefined;
  #ended = false;
  /** Whether the broker says that another may take its place. */
  #faultTolerant = false;
  /** Sessions for what is done without one, by their mode. */
  readonly #ownSessions: Map<AcknowledgeMode, SharedStep<Session>> = new Map();
  #closing: Promise<void> | undefined;

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
    this.#connector = connector;
    this.#log = connector.log;
    this.#settings = settings;
    this.#inspect = parts.inspect && this.#guarded(parts.inspect);
    this.#id = createConnectionId({ value: generateId(parts.connectionIdPrefix) });
    this.#clientIdGiven = clientId !== undefined;
    this.clientId = clientId ?? generateId(parts.clientIdPrefix);
    this.#started = parts.autoStart;
    this.#channel = new CommandChannel(
      this.#deadlines,
      connector.reconnects && settings.failover ? toReplay(settings.failover) : undefined,
    );
    this.#pendingSends = new PendingSends(settings.maxPendingSendBytes);
    this.#introduced.promise.catch(() => {});
    this.#context = this.#createContext(parts.hooks);
    this.#temporaryDestinations = new TemporaryDestinations(this.#context);
    this.#requester = new Requester({
      connection: this,
      deadlines: this.#deadlines,
      requestTimeout: settings.requestTimeout,
    });
    this.scheduledJobs = new ScheduledJobs(this, settings.requestTimeout);
    this.statistics = new Statistics(this, settings.requestTimeout);
    this.xa = new XAResource({
      context: this.#context,
      brokerId: (options) => this.#brokerId(options),
    });
  }

  /** Address of the broker, such as `127.0.0.1:61616`; of the last one while there is none. */
  get remoteAddress(): string {
    return this.#link!.remoteAddress;
  }

  /** What was negotiated: version, encoding, cache, limits. */
  get wireFormat(): WireFormatSettings {
    return this.#link!.format.settings;
  }

  /** Whether there is a connection to a broker now; false also while a lost one is being replaced. */
  get connected(): boolean {
    return this.#channel.connected;
  }

  /** What the broker said of itself; undefined until it does, soon after the connection stands. */
  get brokerInfo(): BrokerInfo | undefined {
    return this.#brokerInfo;
  }

  /**
   * Which broker it is, as {@linkcode brokerInfo} tells. Of Artemis this is known as soon as the connection stands, of ActiveMQ
   * maybe a moment later.
   */
  get brokerKind(): BrokerKind {
    return brokerKindOf(this.#brokerInfo);
  }

  /** What the broker can do. What it is known to ignore is refused with the code `"UNSUPPORTED"`. */
  get capabilities(): BrokerCapabilities {
    return capabilitiesOf(this.brokerKind);
  }

  /**
   * Name and version of the broker's implementation, such as `ActiveMQ 5.17.2`; empty when it did not say. Artemis gives the
   * version of the classes of ActiveMQ that it is made with; {@linkcode brokerKind} tells it apart.
   */
  get provider(): string {
    const properties = this.#link!.format.peerProperties;
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
  status({ signal }: Pick<CallOptions, "signal"> = {}): AsyncIterableIterator<ConnectionStatus> {
    return this.#status.subscribe(signal);
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
      ...addTraffic(this.#traffic, this.#link?.traffic),
      pendingRequests: this.#channel.pending,
      reconnections: this.#reconnections,
      ...this.#counters,
      sessions: this.#sessions.size,
      consumers: consumers.length,
      producers: producers.length,
      pendingSendBytes: this.#pendingSends.bytes,
      windowBytes: sum(producers, ({ bufferedAmount }) => bufferedAmount),
      bufferedMessages: sum(consumers, ({ buffered }) => buffered),
      bufferedBytes: sum(consumers, ({ bufferedBytes }) => bufferedBytes),
      unsettledMessages: sum(consumers, ({ unsettled }) => unsettled),
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
    { acknowledgeMode = "auto", ...options }: ConsumerOptions & SessionOptions = {},
  ): Promise<MessageConsumer> {
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
    const { timeout, signal } = options;
    const destination = toAdvisoryTopic(topics);
    if (!isToldByArtemis(destination)) {
      const action = `Cannot read advisories from ${formatDestination(destination)}`;
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
    const [session, left] = await this.#ownSession("auto", options, roughSize(body));
    return await session.send(destination, body, left);
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
   * Ends a durable subscription: the broker keeps no messages for it any more.
   *
   * @param subscriptionName Its name.
   * @param options How long to wait.
   * @throws {BrokerError} `"INVALID_DESTINATION"` when there is none of that name, another code when it has a consumer.
   */
  async unsubscribe(subscriptionName: string, options: CallOptions = {}): Promise<void> {
    const command = createRemoveSubscriptionInfo({
      connectionId: this.#id,
      clientId: this.clientId,
      subscriptionName,
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
    if (this.#started) {
      this.#started = false;
      for (const consumer of this.#consumers.values()) consumer.setStarted(false);
    }
    const timeout = milliseconds("timeout", options.timeout, this.#settings.closeTimeout);
    const idle = Promise.all([...this.#consumers.values()].map((consumer) => consumer.idle()));
    await inTime(idle, {
      deadlines: this.#deadlines,
      timeout,
      signal: options.signal,
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
    const drained = drainAll(this.#sessions, options);
    await thenClose(drained, (limits) => this.close(limits), options);
  }

  /**
   * Closes all sessions and the connection, in order: what was sent before is sent, messages that were not acknowledged
   * go back to the broker. Calling it again changes nothing.
   *
   * It does not fail: what can't be done in order is done by the end of the connection.
   *
   * @param options How long to wait for handlers, and then for the broker; the option `closeTimeout` by default. When the
   *   signal is aborted, the connection ends at once.
   */
  close(options: CallOptions = {}): Promise<void> {
    return this.#closing ??= this.#close(options);
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
   * Agrees with a broker on how to write commands.
   *
   * @ignore Not for users.
   */
  async negotiate(
    transport: Transport,
    format: OpenWireFormat,
    signal: AbortSignal,
  ): Promise<BrokerLink> {
    const link: BrokerLink = new BrokerLink({
      transport,
      format,
      deadlines: this.#deadlines,
      inspect: this.#inspect,
      nextId: () => this.#channel.nextId(),
      receive: (command) => this.#receive(command, link),
      refused: (command, error) => this.#channel.refuse(command as Command, error),
    });
    link.closed.then((error) => this.#linkEnded(link, error));
    // The first one is of use for errors even if it fails.
    this.#link ??= link;
    await this.#unlessAborted(link, signal, () => link.negotiate());
    return link;
  }

  /**
   * Introduces itself; if the connection stood before, all that was open is opened again.
   *
   * @ignore Not for users.
   */
  async introduce(
    link: BrokerLink,
    broker: BrokerTarget,
    { username, password }: Credentials,
    signal: AbortSignal,
  ): Promise<void> {
    if (this.#link !== link) {
      if (this.#link) this.#traffic = addTraffic(this.#traffic, this.#link.traffic);
      this.#link = link;
    }
    this.#brokerInfo = this.#brokerInfos.get(link) ?? this.#brokerInfo;
    const request = (command: Command, action: string): Promise<Response> =>
      this.#channel.requestOn(link, command, { timeout: 0, signal, action });
    await this.#unlessAborted(link, signal, async () => {
      const faultTolerant = this.#connector.reconnects;
      // What is restored must not be overtaken.
      if (faultTolerant) link.push(createConnectionControl({ faultTolerant }));
      const info = createConnectionInfo({
        connectionId: this.#id,
        clientId: this.clientId,
        userName: username ?? null,
        password: password ?? null,
        manageable: true,
        clientMaster: true,
        faultTolerant,
        failoverReconnect: this.#standing,
      });
      await request(info, `Cannot connect to ${link.remoteAddress}`);
      if (this.#standing) await this.#restore(request, signal);
      if (link.failure) throw link.failure;
    });
    this.#use(link, broker);
  }

  /**
   * Gives the connection up for one to a broker that is to be preferred.
   *
   * @ignore Not for users.
   */
  moveToPriority(): void {
    if (!this.#channel.connected) return;
    const reason = "A broker that is to be preferred is there again";
    this.#link!.fail(new ConnectionClosedError(reason, { retryable: true }));
  }

  /** One step of making a connection. */
  async #unlessAborted(
    link: BrokerLink,
    signal: AbortSignal,
    step: () => Promise<unknown>,
  ): Promise<void> {
    const abort = (): void => link.fail(signal.reason);
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
    try {
      await step();
    } catch (error) {
      link.fail(error);
      if (this.#standing && this.#link === link) this.#interrupt();
      if (signal.aborted) throw signal.reason;
      const action = `Cannot connect to ${link.remoteAddress}`;
      throw toHandshakeError(action, error, link.format.negotiated);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  /** From now on all goes over a connection that stands. */
  #use(link: BrokerLink, broker: BrokerTarget): void {
    const resumed = this.#standing;
    this.#standing = true;
    this.#broker = broker;
    this.#since = performance.now();
    const { version } = this.wireFormat;
    this.#log?.info("Connected to the broker", this.#logFields({ version }));
    this.#channel.attach(link);
    if (!resumed) return;
    this.#reconnections++;
    for (const consumer of [...this.#consumers.values()]) consumer.resumed();
    this.#status.publish({ type: "resumed", remoteAddress: link.remoteAddress });
  }

  /** Opens again what was open. */
  async #restore(
    request: (command: Command, action: string) => Promise<Response>,
    signal: AbortSignal,
  ): Promise<void> {
    const temporaryDestinations = this.#temporaryDestinations.infos();
    if (this.brokerKind === "artemis" && temporaryDestinations.length > 0) {
      const pause = new TimeLimit(0, () => new Error("never"), signal);
      await pause.wait(ARTEMIS_PAUSE).finally(() => pause.cancel());
    }
    const refusals = await restore({
      temporaryDestinations,
      sessions: [...this.#sessions],
      producers: [...this.#producers.values()],
      consumers: [...this.#consumers.values()].filter(({ standing }) => standing),
    }, request);
    for (const { error, owner } of refusals) {
      if (owner) owner.refused(error);
      else this.#report(error);
    }
  }

  /** What came over a connection that was lost counts no more. */
  #interrupt(): void {
    for (const session of [...this.#sessions]) session.interrupted();
    this.xa.interrupted();
  }

  /** A connection to a broker has ended, which may be one that was never in use. */
  #linkEnded(link: BrokerLink, error: Error | undefined): void {
    if (link !== this.#link || !this.#channel.connected || this.#ended) return;
    const final = error === undefined || !this.#connector.reconnects || this.#closing ||
      (error instanceof OpenWireError && !error.retryable);
    if (final) return this.#end(error);
    this.#log?.warn("The connection was lost", this.#logFields({ error }));
    this.#interrupt();
    this.#channel.detach();
    this.#status.publish({ type: "interrupted", error });
    this.#reconnect();
  }

  /** Replaces a connection that was lost. */
  async #reconnect(): Promise<void> {
    // A broker that accepts and leaves at once must not be asked again and again without a pause.
    const wasShort = performance.now() - this.#since < SHORT;
    this.#losses = wasShort ? this.#losses + 1 : 0;
    const search = this.#search = new AbortController();
    try {
      await this.#connector.reconnect({
        from: this.#broker,
        failed: this.#losses,
        signal: search.signal,
        passed: (attempts, error) =>
          this.#status.publish({ type: "reconnecting", attempts, error }),
      });
    } catch (error) {
      this.#end(error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.#search = undefined;
    }
  }

  /** What an inspector throws must not disturb the connection. */
  #guarded(inspect: CommandInspector): CommandInspector {
    return (command, direction) => {
      try {
        inspect(command, direction);
      } catch (error) {
        this.#report(error instanceof Error ? error : new Error(String(error)));
      }
    };
  }

  /** Tells of a failure that answers no call. */
  #report(error: Error): void {
    this.#log?.warn("Something has failed that nobody waits for", this.#logFields({ error }));
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
    return { address: this.#link?.remoteAddress, clientId: this.clientId, ...fields };
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
    return this.#brokerInfo?.brokerId?.value ?? undefined;
  }

  /** What sessions, producers and consumers may use of the connection. */
  #createContext(hooks: MessagingHooks | undefined): SessionContext {
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
      pendingSends: this.#pendingSends,
      log: this.#log,
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
      report,
    };
  }

  #requestOptions(action: string, { timeout, signal }: CallOptions): CommandOptions {
    return {
      action,
      signal,
      timeout: milliseconds("timeout", timeout, this.#settings.requestTimeout),
    };
  }

  #receive(command: DataStructure, link: BrokerLink): void {
    if (command.dataType === "BrokerInfo") this.#brokerInfos.set(link, command);
    if (link !== this.#link) return;
    switch (command.dataType) {
      case "Response":
      case "ExceptionResponse":
      case "DataResponse":
      case "DataArrayResponse":
      case "IntegerResponse":
        if (!this.#channel.take(command) && command.dataType === "ExceptionResponse") {
          const action = "The broker refuses something that nobody waits for";
          this.#report(new BrokerError(action, command.exception));
        }
        return;
      case "MessageDispatch": {
        const { consumerId } = command;
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
        this.#brokerInfo = command;
        this.#introduced.resolve();
        if (command.faultTolerantConfiguration) this.#setFaultTolerant();
        return;
      case "ConnectionControl":
        if (command.faultTolerant) this.#setFaultTolerant();
        return this.#follow(command);
      case "ConnectionError":
        // It may stand for a message that will not be acknowledged to its producer.
        for (const producer of this.#producers.values()) producer.windowLost();
        return this.#report(new BrokerError("The broker reports a failure", command.exception));
    }
  }

  #setFaultTolerant(): void {
    this.#faultTolerant = true;
    for (const consumer of this.#consumers.values()) consumer.stopOptimizing();
  }

  /** A broker tells of others, or sends us to them. */
  #follow({ connectedBrokers, reconnectTo, rebalanceConnection }: ConnectionControl): void {
    const failover = this.#settings.failover;
    const from = this.#broker;
    if (!this.#connector.reconnects || !failover || !from || !this.#channel.connected) return;
    let reason: string | undefined;
    if (reconnectTo && failover.reconnectSupported) {
      if (this.#connector.redirected(reconnectTo, from)) reason = "The broker sends us to another";
    } else if (connectedBrokers && failover.updateURIsSupported) {
      const changed = this.#connector.pushed(connectedBrokers, from);
      if (changed && rebalanceConnection && failover.rebalanceUpdateURIs) {
        reason = "The broker asks us to choose anew";
      }
    }
    if (reason) this.#link!.fail(new ConnectionClosedError(reason, { retryable: true }));
  }

  /** It has ended for good. */
  #end(error: Error | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    const reason = error ?? new ConnectionClosedError("The connection was closed");
    if (this.#standing && error) {
      this.#log?.error("The connection was lost", this.#logFields({ error }));
    } else if (this.#standing) {
      this.#log?.info("The connection was closed", this.#logFields({}));
    }
    this.#search?.abort(reason);
    this.#connector.close(reason);
    this.#link?.fail(reason);
    this.#channel.end(reason);
    this.#requester.end(reason);
    this.#introduced.reject(reason);
    for (const session of this.#sessions) session.connectionEnded(reason);
    this.#deadlines.close(reason);
    this.#sessions.clear();
    this.#consumers.clear();
    this.#producers.clear();
    this.#status.end(error);
    this.#resolveClosed(error);
  }

  async #close({ timeout: limit, signal }: CallOptions): Promise<void> {
    const timeout = milliseconds("timeout", limit, this.#settings.closeTimeout);
    const abort = (): void => this.abort(signal!.reason);
    signal?.addEventListener("abort", abort);
    if (signal?.aborted) abort();
    try {
      await Promise.all([...this.#sessions].map((session) => session.retire({ timeout, signal })));
      // -1: each consumer has said for itself what it had.
      const remove = createRemoveInfo({ objectId: this.#id, lastDeliveredSequenceId: -1 });
      await this.#channel.request(remove, { timeout, action: "Cannot close the connection" });
      // Not awaited: the broker may be gone before the runtime says that it took it.
      this.#channel.send(createShutdownInfo(), { timeout, action: "Cannot say goodbye" }).catch(
        () => {},
      );
    } catch {
      // It is as good as closed: the broker has gone or does not answer.
    }
    if (this.#channel.connected) await this.#link!.close(timeout);
    this.#end(undefined);
    signal?.removeEventListener("abort", abort);
  }
}

function toReplay(failover: ResolvedFailover): ReplayOptions {
  const { replaySends, timeout, trackMessages, maxCacheSize, maxTransactionSize } = failover;
  return {
    replaySends,
    timeout,
    maxCacheSize: trackMessages ? maxCacheSize : 0,
    maxTransactionSize,
  };
}

function addTraffic(before: LinkTraffic, more: LinkTraffic | undefined): LinkTraffic {
  if (!more) return before;
  return {
    commandsSent: before.commandsSent + more.commandsSent,
    commandsReceived: before.commandsReceived + more.commandsReceived,
    bytesSent: before.bytesSent + more.bytesSent,
    bytesReceived: before.bytesReceived + more.bytesReceived,
  };
}

function sum<T>(all: readonly T[], valueOf: (one: T) => number): number {
  return all.reduce((total, one) => total + valueOf(one), 0);
}
