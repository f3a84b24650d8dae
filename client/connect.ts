/**
 * Connecting.
 *
 * @module
 */

import { OpenWireFormat } from "../codec/mod.ts";
import { dial, formatAddress, type Transport, TransportError } from "../transport/mod.ts";
import { Connection } from "./connection.ts";
import { TimeoutError } from "./errors.ts";
import { resolveFailoverOptions } from "./failover/failover_options.ts";
import { guardedLogger, type Logger } from "./observe/logger.ts";
import { checkHooks } from "./observe/hooks.ts";
import {
  type ConnectionSettings,
  type ConnectOptions,
  type Credentials,
  milliseconds,
  resolveSettings,
} from "./options.ts";
import { TimeLimit } from "./time_limit.ts";
import { tryBrokers } from "./failover/try_brokers.ts";
import { type BrokerTarget, parseBrokerUrl } from "./url/broker_url.ts";
import { mergeConnectOptions } from "./url/merge_connect_options.ts";
import { mergeOptions } from "./url/merge_options.ts";

/**
 * Connects to a broker.
 *
 * The URL is as for the Java client, with its options: `tcp://localhost:61616?jms.useAsyncSend=true`. What is given in
 * `options` counts more. With several brokers, as in `failover:(tcp://a:61616,tcp://b:61616)?randomize=false`, they are tried
 * until one accepts; what trying again can't change, such as a wrong password, is thrown at once. `docs/url-options.md` lists
 * all options.
 *
 * @param url Where the broker is, such as `tcp://localhost:61616`.
 * @param options Credentials, wire format, times.
 * @returns The connection, once the broker has accepted it.
 * @throws {TransportError} When the URL is wrong (`"INVALID_URL"`, `"UNSUPPORTED_SCHEME"`), or no connection can be made to the
 *   address. When none of several brokers accepted, its code is `"CONNECT_FAILED"` and its `cause` an `AggregateError` with
 *   the failure of each.
 * @throws {HandshakeError} When the peer does not answer as an OpenWire broker does; its code is `"WRONG_PROTOCOL"` when
 *   it is known what the peer speaks instead.
 * @throws {AuthenticationError} When the broker refuses user name and password.
 * @throws {BrokerError} When the broker refuses the connection for another reason, such as a client id that is in use.
 * @throws {TimeoutError} When it took longer than `connectTimeout`.
 * @throws {RangeError} When an option is out of range.
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
 * await producer.send("hello");
 * const consumer = await session.createConsumer("orders");
 * const message = await consumer.receive();
 * assertEquals(message?.text, "hello");
 * ```
 *
 * @example One of several brokers, with options in the URL
 * ```ts
 * import { connect } from "../mod.ts";
 * import { MemoryBroker } from "../testing/mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * await using broker = await MemoryBroker.listen();
 * const url = `failover:(tcp://127.0.0.1:1,${broker.url})?jms.clientID=shop&nested.wireFormat.version=10`;
 * await using connection = await connect(url);
 * assertEquals([connection.clientId, connection.wireFormat.version], ["shop", 10]);
 * ```
 */
export async function connect(
  url: string | URL,
  options: ConnectOptions = {},
): Promise<Connection> {
  // A broker in memory has an address that nobody needs to find.
  const target = parseBrokerUrl(options.transport ? String(url).replace(/^vm:/, "tcp:") : url);
  return await new Connector(target.brokers, mergeConnectOptions(target.options, options))
    .connect();
}

/** One call of {@linkcode connect}. */
class Connector {
  readonly #brokers: readonly BrokerTarget[];
  readonly #options: ConnectOptions;
  readonly #settings: ConnectionSettings;
  readonly #limit: TimeLimit;
  readonly #log: Logger | undefined;
  /** The last failure of each broker. */
  readonly #failures: Map<BrokerTarget, Error> = new Map();
  /** What is waited for. */
  #step = "the connection";

  constructor(brokers: readonly BrokerTarget[], options: ConnectOptions) {
    this.#brokers = brokers;
    this.#options = options;
    this.#settings = resolveSettings(options);
    checkHooks(options.hooks);
    this.#log = guardedLogger(options.logger);
    const connectTimeout = milliseconds("connectTimeout", options.connectTimeout, 30_000);
    if (options.transport && brokers.length > 1) {
      throw new TypeError("Cannot use a transport for several brokers: one is expected in the URL");
    }
    // What is wrong with one is to be known before anything is tried.
    if (!options.transport && brokers.some(({ address }) => address.scheme === "ssl")) {
      throw new TransportError(
        "UNSUPPORTED_SCHEME",
        'Cannot connect to a "ssl:" URL: TLS is not supported yet',
      );
    }
    for (const broker of brokers) this.#createFormat(broker);
    this.#limit = new TimeLimit(connectTimeout, () => this.#late(connectTimeout), options.signal);
  }

  async connect(): Promise<Connection> {
    try {
      this.#limit.signal.throwIfAborted();
      const connection = await tryBrokers({
        brokers: this.#brokers,
        failover: this.#settings.failover ?? resolveFailoverOptions({}),
        passes: this.#passes(),
        failures: this.#failures,
        signal: this.#limit.signal,
        attempt: (broker, left) => this.#attempt(broker, left),
        wait: (delay) => this.#limit.wait(delay),
      });
      if (connection) return connection;
      throw this.#brokers.length === 1 ? this.#failures.get(this.#brokers[0]!) : this.#allFailed();
    } finally {
      this.#limit.cancel();
    }
  }

  #passes(): number {
    const { failover } = this.#settings;
    // A transport can be used once.
    if (!failover || this.#options.transport) return 1;
    const { startupMaxReconnectAttempts } = failover;
    return startupMaxReconnectAttempts < 0 ? Infinity : Math.max(1, startupMaxReconnectAttempts);
  }

  /** Connects to one broker, in its share of the time, so that a silent one does not take that of the others. */
  async #attempt(broker: BrokerTarget, left: number): Promise<Connection> {
    const share = left > 1 ? this.#limit.left / left : Infinity;
    const limit = new TimeLimit(
      share,
      () =>
        new TimeoutError(
          `Cannot connect to ${urlOf(broker)}: ${this.#step} took longer than ${
            Math.round(share)
          } ms, its share of the time`,
        ),
      this.#limit.signal,
    );
    try {
      return await this.#open(broker, limit);
    } catch (error) {
      this.#log?.warn("Cannot connect to the broker", { url: urlOf(broker), error });
      throw error;
    } finally {
      limit.cancel();
    }
  }

  async #open(broker: BrokerTarget, limit: TimeLimit): Promise<Connection> {
    const { clientId, clientIdPrefix, connectionIdPrefix, inspect, hooks, autoStart = true } =
      this.#options;
    this.#step = "the connection";
    const transport = this.#options.transport ?? await this.#dial(broker, limit.signal);
    const credentials = await this.#askCredentials(transport, limit);
    this.#step =
      `the answer of ${transport.remoteAddress}, which may speak something else than OpenWire,`;
    const connection = new Connection({
      transport,
      format: this.#createFormat(broker),
      settings: this.#settings,
      clientId,
      clientIdPrefix,
      connectionIdPrefix,
      inspect,
      hooks,
      log: this.#log,
      autoStart,
    });
    await connection.open(credentials, limit.signal);
    return connection;
  }

  #dial(broker: BrokerTarget, signal: AbortSignal): Promise<Transport> {
    const socket = mergeOptions(broker.options.socket ?? {}, this.#options.socket ?? {});
    return dial(urlOf(broker), mergeOptions({ connectTimeout: 0, signal }, socket));
  }

  async #askCredentials(transport: Transport, limit: TimeLimit): Promise<Credentials> {
    const { credentials, username, password } = this.#options;
    if (!credentials) return { username, password };
    this.#step = "the option `credentials`";
    try {
      return await limit.race((async () => await credentials())());
    } catch (error) {
      transport.close(error);
      throw error;
    }
  }

  #createFormat({ address, options }: BrokerTarget): OpenWireFormat {
    // As in Java: among several brokers there is no name that is right for all.
    const host = this.#settings.failover ? {} : { host: address.hostname };
    const own = mergeOptions(host, options.wireFormat ?? {});
    return new OpenWireFormat(mergeOptions(own, this.#options.wireFormat ?? {}));
  }

  #late(connectTimeout: number): TimeoutError {
    if (this.#failures.size === 0) {
      return new TimeoutError(
        `Cannot connect: ${this.#step} took longer than ${connectTimeout} ms`,
      );
    }
    return new TimeoutError(`Cannot connect within ${connectTimeout} ms: ${this.#tellFailures()}`, {
      cause: new AggregateError(this.#failures.values()),
    });
  }

  #allFailed(): TransportError {
    const message = `Cannot connect to any of the brokers: ${this.#tellFailures()}`;
    const cause = new AggregateError(this.#failures.values());
    return new TransportError("CONNECT_FAILED", message, { cause, retryable: true });
  }

  #tellFailures(): string {
    return [...this.#failures.values()]
      .map(({ message }) => message.replace(/^Cannot connect to /, ""))
      .join("; ");
  }
}

function urlOf({ address: { scheme, hostname, port } }: BrokerTarget): string {
  return `${scheme}://${formatAddress(hostname, port)}`;
}
