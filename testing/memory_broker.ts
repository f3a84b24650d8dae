/**
 * The broker as a test sees it.
 *
 * @module
 */

import { createActiveMQQueue, createActiveMQTopic, type WireFormatOptions } from "../codec/mod.ts";
import { listen, type Listener, memoryPair, type Transport } from "../transport/mod.ts";
import { BrokerState } from "./broker.ts";
import { ClientRegistry } from "./client_registry.ts";
import { CommandHandler } from "./command_handler.ts";
import { Link } from "./link.ts";
import { Queue } from "./queue.ts";

/**
 * Options of a {@linkcode MemoryBroker}.
 *
 * @example
 * ```ts
 * import { MemoryBroker, type MemoryBrokerOptions } from "./mod.ts";
 *
 * const options: MemoryBrokerOptions = { users: { app: "secret" }, wireFormat: { version: 9 } };
 * await using broker = new MemoryBroker(options);
 * ```
 */
export interface MemoryBrokerOptions {
  /** Passwords by user name; others are refused. Without it everybody may connect. */
  users?: Readonly<Record<string, string>> | undefined;
  /** Whether clients without a user name may connect although there are users. @default {false} */
  allowAnonymous?: boolean | undefined;
  /**
   * What to offer to clients. By default what ActiveMQ offers: version 12, tight encoding, the cache and stack traces.
   */
  wireFormat?: WireFormatOptions | undefined;
  /** Name by which the broker introduces itself. @default {"memory"} */
  brokerName?: string | undefined;
}

/**
 * Options of {@linkcode MemoryBroker.listen}.
 *
 * @example
 * ```ts
 * import { MemoryBroker, type MemoryBrokerListenOptions } from "./mod.ts";
 *
 * const options: MemoryBrokerListenOptions = { hostname: "127.0.0.1", port: 0 };
 * await using broker = await MemoryBroker.listen(options);
 * ```
 */
export interface MemoryBrokerListenOptions extends MemoryBrokerOptions {
  /** The port; 0 takes a free one. @default {0} */
  port?: number | undefined;
  /** The address. @default {"127.0.0.1"} */
  hostname?: string | undefined;
}

/**
 * What a queue or topic is at the moment of asking. All is zero for one that does not exist.
 *
 * @example
 * ```ts
 * import { type DestinationStatus, MemoryBroker } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * await using broker = new MemoryBroker();
 * const status: DestinationStatus = broker.queue("orders");
 * assertEquals(status, { size: 0, consumers: 0, enqueued: 0, dequeued: 0, inFlight: 0 });
 * ```
 */
export interface DestinationStatus {
  /** Messages that are not consumed, with those that consumers have; 0 for a topic, which keeps none. */
  readonly size: number;
  /** Consumers that get its messages. */
  readonly consumers: number;
  /** Messages that came. */
  readonly enqueued: number;
  /** Messages that went: acknowledged, expired or moved. */
  readonly dequeued: number;
  /** Messages that consumers have and did not acknowledge. */
  readonly inFlight: number;
}

interface Waiter {
  readonly condition: () => boolean;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

const NONE: DestinationStatus = { size: 0, consumers: 0, enqueued: 0, dequeued: 0, inFlight: 0 };

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
  #waiters: Waiter[] = [];
  #listener: Listener | undefined;
  #accepting: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  /**
   * Makes a broker that is reached by {@linkcode MemoryBroker.connect} only.
   *
   * @param options Who may connect, and how to speak to them.
   */
  constructor(options: MemoryBrokerOptions = {}) {
    const { users, allowAnonymous, brokerName = "memory" } = options;
    this.#state = new BrokerState(brokerName);
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
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiters.push({ condition, resolve, reject });
    this.#check();
    if (this.#closed !== undefined) void this.#closed.then(() => this.#disappoint());
    return promise;
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
    const link = new Link(
      transport,
      this.#wireFormat,
      identity,
      (peer) => new CommandHandler(this.#state, this.#clients, peer),
      () => this.#check(),
    );
    this.#links.add(link);
    void link.done.then(() => this.#links.delete(link));
  }

  async #close(): Promise<void> {
    await this.#listener?.close();
    await this.#accepting;
    await Promise.all([...this.#links].map((link) => link.close()));
    this.#check();
    this.#disappoint();
  }

  #disappoint(): void {
    for (const { reject } of this.#waiters.splice(0)) {
      reject(new TypeError("The broker is closed"));
    }
  }

  #status(destination: Parameters<BrokerState["find"]>[0]): DestinationStatus {
    const found = this.#state.find(destination);
    if (found === undefined) return NONE;
    const { enqueued, dequeued } = found;
    if (found instanceof Queue) {
      const { size, consumers, inFlight } = found;
      return { size, consumers: consumers.length, enqueued, dequeued, inFlight };
    }
    let inFlight = 0;
    for (const consumer of found.consumers) inFlight += consumer.inFlight;
    return { size: 0, consumers: found.consumers.size, enqueued, dequeued, inFlight };
  }

  #check(): void {
    if (this.#waiters.length === 0) return;
    this.#waiters = this.#waiters.filter(({ condition, resolve, reject }) => {
      try {
        if (!condition()) return true;
        resolve();
      } catch (error) {
        reject(error);
      }
      return false;
    });
  }
}
