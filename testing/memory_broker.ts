/**
 * The broker as a test sees it.
 *
 * @module
 */

import { MEMORY_BROKER_OPTIONS } from "./option_names.ts";
import {
  type BaseCommand,
  createActiveMQQueue,
  createActiveMQTopic,
  inspectAs,
  jsonView,
  type Message,
  type WireFormatOptions,
} from "../codec/mod.ts";
import type { Transport } from "../transport/mod.ts";
import { AdvisoryPolicies } from "./advisory_policies.ts";
import { BrokerState } from "./broker.ts";
import { ClientRegistry } from "./client_registry.ts";
import { CommandHandler } from "./command_handler.ts";
import { Conditions } from "./conditions.ts";
import { statusOf } from "./destination_status.ts";
import { qualifiedName } from "./destinations.ts";
import { type Fault, type FaultOptions, FaultTrigger } from "./fault.ts";
import {
  type InterceptedConnection,
  type Interception,
  type Interceptor,
  Interceptors,
} from "./interception.ts";
import { LinkServer } from "./link_server.ts";
import type {
  DestinationStatus,
  MemoryBrokerListenOptions,
  MemoryBrokerOptions,
  QueueLimit,
} from "./memory_broker_options.ts";
import { Queue } from "./queue.ts";
import { TopicPolicies } from "./topic_policies.ts";
import { Timers } from "./timers.ts";

const ACTIVEMQ_OFFER: WireFormatOptions = {
  tightEncodingEnabled: true,
  cacheEnabled: true,
  stackTraceEnabled: true,
};

/**
 * A broker in memory, for tests: the part of ActiveMQ that clients mostly use, over TCP or without any socket.
 *
 * It does on the wire what ActiveMQ 5.17 does, and refuses what it can't do with an exception that names it.
 *
 * @example Over TCP
 * ```ts
 * import { MemoryBroker } from "./mod.ts";
 * import { assertMatch } from "@std/assert";
 *
 * await using broker = await MemoryBroker.listen();
 * assertMatch(broker.url, /^tcp:\/\/127\.0\.0\.1:\d+$/);
 * ```
 *
 * @example Without a socket
 * ```ts
 * import { MemoryBroker } from "./mod.ts";
 *
 * await using broker = new MemoryBroker();
 * const transport = broker.connect();
 * transport.close();
 * ```
 */
export class MemoryBroker implements AsyncDisposable {
  readonly #state: BrokerState;
  readonly #clients: ClientRegistry;
  readonly #server: LinkServer;
  readonly #conditions: Conditions = new Conditions();
  readonly #timers: Timers = new Timers(() => this.#conditions.check());
  readonly #interceptors: Interceptors = new Interceptors(this.#timers);
  #closed: Promise<void> | undefined;

  /**
   * Makes a broker that is reached by {@linkcode MemoryBroker.connect} only.
   *
   * @param options Who may connect, and how to speak to them.
   */
  constructor(options: MemoryBrokerOptions = {}) {
    MEMORY_BROKER_OPTIONS.check(options, "Cannot make a broker");
    const { users, allowAnonymous, brokerName = "memory", schedulerSupport = true } = options;
    this.#state = new BrokerState({
      name: brokerName,
      schedulerSupport,
      timers: this.#timers,
      topicPolicies: new TopicPolicies(options.topicPolicies),
      statistics: options.statisticsPlugin ?? false,
      advisories: {
        enabled: options.advisorySupport ?? true,
        anonymousProducers: options.anonymousProducerAdvisorySupport ?? false,
        policies: new AdvisoryPolicies(options.advisoryPolicies),
        identity: () => this.#server.identity,
      },
    });
    this.#clients = new ClientRegistry(brokerName, { users, allowAnonymous });
    this.#server = new LinkServer({
      name: brokerName,
      wireFormat: { ...ACTIVEMQ_OFFER, ...options.wireFormat },
      interceptors: this.#interceptors,
      makeHandler: (peer) => new CommandHandler(this.#state, this.#clients, peer),
      settled: () => this.#conditions.check(),
    });
  }

  /**
   * Makes a broker that listens on a port.
   *
   * @param options Where to listen, who may connect, and how to speak to them.
   * @returns The broker; close it.
   * @throws {TransportError} The runtime can't listen there.
   */
  static async listen(options: MemoryBrokerListenOptions = {}): Promise<MemoryBroker> {
    MEMORY_BROKER_OPTIONS.check(options, "Cannot make a broker");
    const { hostname = "127.0.0.1", port = 0 } = options;
    const broker = new MemoryBroker(options);
    await broker.#server.listen({ hostname, port });
    return broker;
  }

  /** Where clients find it, such as `"tcp://127.0.0.1:61616"`; `"vm://memory"` for one that does not listen. */
  get url(): string {
    return this.#server.url;
  }

  /** Connections that clients have opened and not closed. */
  get connections(): number {
    return this.#clients.size;
  }

  /**
   * Opens a connection without a socket.
   *
   * @returns The client's end of it.
   * @throws {TypeError} The broker is closed or suspended.
   */
  connect(): Transport {
    return this.#server.connect();
  }

  /**
   * Looks at a queue.
   *
   * @param name Its name.
   * @returns What it is now.
   */
  queue(name: string): DestinationStatus {
    const destination = createActiveMQQueue({ physicalName: name });
    return statusOf(this.#state.destinations.find(destination));
  }

  /**
   * Looks at the messages of a queue.
   *
   * @param name Its name.
   * @returns Those that are not consumed, with those that consumers have; oldest first.
   */
  messages(name: string): Message[] {
    const place = this.#state.destinations.find(createActiveMQQueue({ physicalName: name }));
    return place instanceof Queue ? place.messages() : [];
  }

  /**
   * Looks at a topic.
   *
   * @param name Its name.
   * @returns What it is now.
   */
  topic(name: string): DestinationStatus {
    const destination = createActiveMQTopic({ physicalName: name });
    return statusOf(this.#state.destinations.find(destination));
  }

  /** Scheduled messages that are to come. */
  get scheduled(): number {
    return this.#state.scheduler.size;
  }

  /**
   * Makes a queue full from some number of messages on, as the memory limit of ActiveMQ does: producers with a window,
   * and those that wait for an answer, get it when there is space; from one that sends one-way without a window nothing
   * is read meanwhile.
   *
   * @param name The queue's name.
   * @param limit How many messages; 0 stops all producers, and a higher limit lets them go on.
   * @throws {RangeError} The limit is negative or no number.
   *
   * @example
   * ```ts
   * import { MemoryBroker } from "./mod.ts";
   *
   * await using broker = new MemoryBroker();
   * broker.limitQueue("orders", { messages: 0 });
   * // Here what you test sends to the queue, and waits.
   * broker.limitQueue("orders", { messages: Infinity });
   * ```
   */
  limitQueue(name: string, { messages, sendFailIfNoSpace = false }: QueueLimit): void {
    if (!(messages >= 0)) throw new RangeError(`messages must be 0 or more, got ${messages}`);
    const queue = this.#state.destinations.open(createActiveMQQueue({ physicalName: name }));
    if (!(queue instanceof Queue)) return;
    queue.flow.limit = messages;
    queue.flow.failWhenFull = sendFailIfNoSpace;
    queue.flow.release();
    this.#conditions.check();
  }

  /**
   * Interferes with commands: those of clients before they are handled, and those to clients before they are sent.
   *
   * All commands come along but the WireFormatInfo, keep-alives included. Those who interfere are asked in their order
   * until one says something.
   *
   * @param interceptor Says what becomes of each command.
   * @returns Ends it when it is removed.
   */
  intercept(interceptor: Interceptor): Interception {
    const remove = this.#interceptors.add(interceptor);
    return { remove, [Symbol.dispose]: remove };
  }

  /**
   * Puts a fault in the way of some commands.
   *
   * @param options Which commands, and what happens to them.
   * @returns The fault, with the number of commands that it hit.
   * @throws {RangeError} `nth` or `times` is less than 1.
   *
   * @example A test of what a client does when its third message is refused
   * ```ts
   * import { connect } from "../mod.ts";
   * import { MemoryBroker } from "./mod.ts";
   * import { assertEquals, assertRejects } from "@std/assert";
   *
   * await using broker = await MemoryBroker.listen();
   * const fault = broker.fault({ command: "Message", nth: 3, action: { refuse: "no space left" } });
   *
   * await using connection = await connect(broker.url);
   * await using session = await connection.createSession();
   * const producer = await session.createProducer("orders");
   * await producer.send("1");
   * await producer.send("2");
   * await assertRejects(() => producer.send("3"), Error, "no space left");
   * await producer.send("4");
   * assertEquals(fault.hits, 1);
   * assertEquals(broker.queue("orders").enqueued, 3);
   * ```
   */
  fault(options: FaultOptions): Fault {
    return new FaultTrigger(options).placeIn(this.#interceptors);
  }

  /**
   * Sends a command to clients, such as a ConsumerControl that closes a consumer.
   *
   * @param command The command, as it is to arrive.
   * @param where Which connections get it; all by default.
   */
  sendToClients(
    command: BaseCommand,
    where: (connection: InterceptedConnection) => boolean = () => true,
  ): void {
    this.#server.send(command, where);
  }

  /**
   * Ends all connections, as a network does that fails. Clients may connect again.
   *
   * @returns Resolves when they are gone.
   */
  disconnectClients(): Promise<void> {
    return this.#server.disconnect();
  }

  /**
   * Is not to be reached for a while: ends all connections and closes the port. Messages, durable subscriptions and
   * prepared transactions stay.
   *
   * @returns Resolves when all are gone.
   */
  suspend(): Promise<void> {
    return this.#server.close();
  }

  /**
   * Can be reached again where it was.
   *
   * @returns Resolves when it listens.
   * @throws {TransportError} Another program took the port.
   * @throws {TypeError} The broker is closed.
   */
  async resume(): Promise<void> {
    if (this.#closed !== undefined) throw new TypeError("Cannot resume: the broker is closed");
    await this.#server.reopen();
  }

  /**
   * Waits until something is so, such as a message being acknowledged: acknowledgements have no answer.
   *
   * @param condition Is asked now, and whenever clients have done something.
   * @returns Resolves when the condition holds; rejects when it throws, or the broker is closed before.
   *
   * @example
   * ```ts
   * import { MemoryBroker } from "./mod.ts";
   *
   * await using broker = new MemoryBroker();
   * await broker.until(() => broker.queue("orders").size === 0);
   * ```
   */
  until(condition: () => boolean): Promise<void> {
    const held = this.#conditions.wait(condition);
    if (this.#closed !== undefined) void this.#closed.then(() => this.#disappoint());
    return held;
  }

  /**
   * Closes the port and all connections. Closing again does nothing.
   *
   * @returns Resolves when nothing is left.
   */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  /** The same as {@linkcode MemoryBroker.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** What a log or a console shows of the broker: where it is, and its destinations with what is in them. No passwords. */
  toJSON(): Record<string, unknown> {
    return jsonView(this.#view());
  }

  #view(): Record<string, unknown> {
    const places = [...this.#state.destinations.all()];
    return {
      url: this.url,
      state: this.#closed ? "closed" : "open",
      connections: this.connections,
      scheduled: this.scheduled || undefined,
      destinations: new Map(
        places.map((place) => {
          const { size, consumers, inFlight } = statusOf(place);
          const isQueue = place instanceof Queue;
          return [
            qualifiedName(place.destination),
            isQueue ? { size, consumers, inFlight } : { consumers, inFlight },
          ];
        }),
      ),
    };
  }

  static {
    inspectAs(this, "MemoryBroker", (broker) => broker.#view());
  }

  async #close(): Promise<void> {
    this.#timers.close();
    await this.#server.close();
    this.#conditions.check();
    this.#disappoint();
  }

  #disappoint(): void {
    this.#conditions.giveUp(new TypeError("The broker is closed"));
  }
}
