/**
 * The broker as a test sees it.
 *
 * @module
 */

import {
  type ActiveMQDestination,
  createActiveMQQueue,
  createActiveMQTopic,
  type WireFormatOptions,
} from "../codec/mod.ts";
import { listen, type Listener, memoryPair, type Transport } from "../transport/mod.ts";
import { BrokerState } from "./broker.ts";
import { ClientRegistry } from "./client_registry.ts";
import { CommandHandler } from "./command_handler.ts";
import { Conditions } from "./conditions.ts";
import { type Fault, type FaultOptions, FaultTrigger } from "./fault.ts";
import { type Interceptor, Interceptors } from "./interception.ts";
import { Link } from "./link.ts";
import type {
  DestinationStatus,
  MemoryBrokerListenOptions,
  MemoryBrokerOptions,
  QueueLimit,
} from "./memory_broker_options.ts";
import { Queue } from "./queue.ts";
import { Timers } from "./timers.ts";

const NONE: DestinationStatus = {
  size: 0,
  consumers: 0,
  enqueued: 0,
  dequeued: 0,
  inFlight: 0,
  blocked: 0,
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
  readonly #wireFormat: WireFormatOptions;
  readonly #id: string = `ID:${crypto.randomUUID()}`;
  readonly #links: Set<Link> = new Set();
  readonly #conditions: Conditions = new Conditions();
  readonly #timers: Timers = new Timers(() => this.#conditions.check());
  readonly #interceptors: Interceptors = new Interceptors(this.#timers);
  #listener: Listener | undefined;
  #accepting: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  /**
   * Makes a broker that is reached by {@linkcode MemoryBroker.connect} only.
   *
   * @param options Who may connect, and how to speak to them.
   */
  constructor(options: MemoryBrokerOptions = {}) {
    const { users, allowAnonymous, brokerName = "memory", schedulerSupport = true } = options;
    this.#state = new BrokerState({ name: brokerName, schedulerSupport, timers: this.#timers });
    this.#clients = new ClientRegistry(brokerName, { users, allowAnonymous });
    this.#wireFormat = {
      tightEncodingEnabled: true,
      stackTraceEnabled: true,
      ...options.wireFormat,
    };
  }

  /**
   * Makes a broker that listens on a port.
   *
   * @param options Where to listen, who may connect, and how to speak to them.
   * @returns The broker; close it.
   * @throws {TransportError} The runtime can't listen there.
   */
  static async listen(options: MemoryBrokerListenOptions = {}): Promise<MemoryBroker> {
    const { hostname = "127.0.0.1", port = 0 } = options;
    const broker = new MemoryBroker(options);
    const listener = await listen({ hostname, port });
    broker.#listener = listener;
    broker.#accepting = broker.#accept(listener);
    return broker;
  }

  /** Where clients find it, such as `"tcp://127.0.0.1:61616"`; `"vm://memory"` for one that does not listen. */
  get url(): string {
    if (this.#listener === undefined) return `vm://${this.#state.name}`;
    const { hostname, port } = this.#listener;
    return `tcp://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
  }

  /** Connections that clients have opened and not closed. */
  get connections(): number {
    return this.#clients.size;
  }

  /**
   * Opens a connection without a socket.
   *
   * @returns The client's end of it.
   * @throws {TypeError} When the broker is closed.
   */
  connect(): Transport {
    if (this.#closed !== undefined) throw new TypeError("Cannot connect: the broker is closed");
    const [client, server] = memoryPair();
    this.#serve(server);
    return client;
  }

  /**
   * Looks at a queue.
   *
   * @param name Its name.
   * @returns What it is now.
   */
  queue(name: string): DestinationStatus {
    return this.#status(createActiveMQQueue({ physicalName: name }));
  }

  /**
   * Looks at a topic.
   *
   * @param name Its name.
   * @returns What it is now.
   */
  topic(name: string): DestinationStatus {
    return this.#status(createActiveMQTopic({ physicalName: name }));
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
   * @returns Ends it.
   *
   * @example A commit is done, but the client loses the connection before it hears of it
   * ```ts
   * import { MemoryBroker } from "./mod.ts";
   *
   * await using broker = new MemoryBroker();
   * using _interception = broker.intercept((_command, { request }) =>
   *   request?.dataType === "TransactionInfo" && request.type === 2 ? "close" : undefined
   * );
   * ```
   */
  intercept(interceptor: Interceptor): Disposable {
    const remove = this.#interceptors.add(interceptor);
    return { [Symbol.dispose]: remove };
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
    const trigger = new FaultTrigger(options);
    const remove = this.#interceptors.add((command, context) => trigger.decide(command, context));
    return {
      get hits() {
        return trigger.hits;
      },
      remove,
      [Symbol.dispose]: remove,
    };
  }

  /**
   * Ends all connections, as a network does that fails. Clients may connect again.
   *
   * @returns Resolves when they are gone.
   */
  async disconnectClients(): Promise<void> {
    await Promise.all([...this.#links].map((link) => link.close()));
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

  async #accept(listener: Listener): Promise<void> {
    for await (const transport of listener) this.#serve(transport);
  }

  #serve(transport: Transport): void {
    const identity = { id: this.#id, name: this.#state.name, url: this.url };
    const link = new Link({
      transport,
      wireFormat: this.#wireFormat,
      identity,
      interceptors: this.#interceptors,
      makeHandler: (peer) => new CommandHandler(this.#state, this.#clients, peer),
      settled: () => this.#conditions.check(),
    });
    this.#links.add(link);
    void link.done.then(() => this.#links.delete(link));
  }

  async #close(): Promise<void> {
    await this.#listener?.close();
    await this.#accepting;
    this.#timers.close();
    await Promise.all([...this.#links].map((link) => link.close()));
    this.#conditions.check();
    this.#disappoint();
  }

  #disappoint(): void {
    this.#conditions.giveUp(new TypeError("The broker is closed"));
  }

  #status(destination: ActiveMQDestination): DestinationStatus {
    const found = this.#state.destinations.find(destination);
    if (found === undefined) return NONE;
    const { enqueued, dequeued } = found;
    if (found instanceof Queue) {
      const { size, consumers, inFlight, flow: { blocked } } = found;
      return { size, consumers: consumers.length, enqueued, dequeued, inFlight, blocked };
    }
    const consumers = [...found.consumers].filter(({ active }) => active);
    const inFlight = consumers.reduce((sum, consumer) => sum + consumer.inFlight, 0);
    return { ...NONE, consumers: consumers.length, enqueued, dequeued, inFlight };
  }
}
