/** Finds a broker that takes a connection: the first time, and when a connection was lost. */

import { CREDENTIALS } from "./options.ts";
import { OpenWireFormat, type WireFormatOptions } from "../codec/mod.ts";
import { OpenWireError, toError } from "../errors.ts";
import {
  checkTlsOptions,
  dial,
  type TlsOptions,
  type Transport,
  TransportError,
} from "../transport/mod.ts";
import { AuthenticationError, BrokerError, ConnectionClosedError, TimeoutError } from "./errors.ts";
import { sameBroker, textOf } from "./failover/broker_text.ts";
import { Candidates } from "./failover/candidates.ts";
import { type ResolvedFailover, resolveFailoverOptions } from "./failover/failover_options.ts";
import { findBrokers } from "./failover/find_brokers.ts";
import { type PushedBrokers, readPushed } from "./failover/pushed_brokers.ts";
import { Standby } from "./failover/standby.ts";
import { tryBrokers } from "./failover/try_brokers.ts";
import type { BrokerLink } from "./link/broker_link.ts";
import { checkHooks } from "./observe/hooks.ts";
import { guardedLogger, type LogFields, type Logger } from "./observe/logger.ts";
import {
  checkCredentials,
  checkFunctions,
  type ConnectionSettings,
  type ConnectOptions,
  type Credentials,
  milliseconds,
  resolveSettings,
} from "./options.ts";
import { TimeLimit, waitFor } from "./time_limit.ts";
import {
  checkTransport,
  makeTransport,
  NoTransportError,
  type TransportFactory,
} from "./transport_factory.ts";
import { type BrokerTarget, type BrokerUrl, parseBrokerList } from "./url/broker_url.ts";
import { mergeOptions } from "./url/merge_options.ts";

const PLAIN: WireFormatOptions = {
  cacheEnabled: false,
  tightEncodingEnabled: false,
  sizePrefixDisabled: false,
};

/** Who speaks to the broker that was found. Whatever fails with it has ended the connection. */
export interface Speaker {
  /**
   * Agrees on how to write commands.
   *
   * @param secure Whether the transport is one with TLS.
   */
  negotiate(
    transport: Transport,
    format: OpenWireFormat,
    signal: AbortSignal,
    secure: boolean,
  ): Promise<BrokerLink>;
  /** Introduces the client. From then on the connection is in use. */
  introduce(
    link: BrokerLink,
    broker: BrokerTarget,
    credentials: Credentials,
    signal: AbortSignal,
  ): Promise<void>;
}

/** A lost connection that is to be replaced. */
export interface Loss {
  /** The broker to which it was. */
  readonly from: BrokerTarget | undefined;
  /** How often there was no connection for long, after which to wait. */
  readonly failed: number;
  readonly signal: AbortSignal;
  /** All brokers were tried in vain, so many times. */
  passed(pass: number, error: Error): void;
}

/** Finds a broker that takes a connection. */
export class Connector {
  readonly settings: ConnectionSettings;
  readonly log: Logger | undefined;
  readonly #url: BrokerUrl;
  readonly #options: ConnectOptions;
  /** A connection that stands already, or what makes one for each attempt. */
  readonly #transport: Transport | TransportFactory | undefined;
  readonly #connectTimeout: number;
  readonly #failover: ResolvedFailover;
  readonly #candidates: Candidates;
  /** Connections in reserve, if they are wanted. */
  readonly #standby: Standby<BrokerLink> | undefined;
  #speaker: Speaker | undefined;
  /** The broker of the connection that is in use. */
  #current: BrokerTarget | undefined;
  /** Is called when a broker that is to be preferred is there. */
  #onPriority: () => void = () => {};
  /** Whether only plain frames are offered: loose, with sizes, without the cache. */
  #simple = false;
  /** Why brokers that others have told of are not used, as it was logged since the connection was made. */
  readonly #refusals: Set<string> = new Set();

  /**
   * @throws {TypeError} When an option is of a wrong kind.
   * @throws {RangeError} When an option is out of range.
   */
  constructor(url: BrokerUrl, options: ConnectOptions) {
    const { brokers } = url;
    this.#url = url;
    this.#options = options;
    this.settings = resolveSettings(options);
    const { credentials, beforeConnect, transport, brokers: find } = options;
    checkFunctions({ credentials, beforeConnect, brokers: find });
    checkCredentials(options);
    checkHooks(options.hooks);
    this.log = guardedLogger(options.logger);
    this.#connectTimeout = milliseconds("connectTimeout", options.connectTimeout, 30_000);
    this.#transport = typeof transport === "function" || transport === undefined
      ? transport
      : checkTransport(transport, "it is");
    if (typeof this.#transport === "object" && this.settings.failover) {
      throw new TypeError(
        "Cannot use a transport with failover or several brokers, for it can be used once: " +
          "give a function that makes one, (address, signal) => …",
      );
    }
    // What is wrong with one is to be known before anything is tried.
    if (options.tls) checkTlsOptions(options.tls);
    this.#check(brokers, find !== undefined);
    this.#failover = this.settings.failover ?? resolveFailoverOptions({});
    this.#candidates = new Candidates({
      brokers,
      randomize: this.#failover.randomize,
      priority: this.#failover.priorityURIs,
      priorityBackup: this.#failover.priorityBackup,
    });
    if (this.reconnects && (this.#failover.backup || this.#failover.priorityBackup)) {
      this.#standby = this.#createStandby();
    }
  }

  /** Whether a connection that was lost is replaced by another. */
  get reconnects(): boolean {
    const { failover } = this.settings;
    return failover !== undefined && failover.maxReconnectAttempts !== 0;
  }

  /**
   * Makes the first connection.
   *
   * @param speaker Speaks to the broker.
   * @param onPriority Is called when a broker that is to be preferred to that of the connection is there (priorityBackup).
   */
  async connect(speaker: Speaker, onPriority: () => void): Promise<void> {
    this.#speaker = speaker;
    this.#onPriority = onPriority;
    const connectTimeout = this.#connectTimeout;
    const attempts = new Attempts();
    const late = (): Error => attempts.late(connectTimeout);
    const limit = new TimeLimit(connectTimeout, late, this.#options.signal);
    try {
      limit.signal.throwIfAborted();
      const found = await tryBrokers({
        order: () => this.#order(limit, attempts, isRetryable),
        failover: this.#failover,
        passes: this.#passes(),
        failed: 0,
        failures: attempts.failures,
        signal: limit.signal,
        attempt: (broker, left) => this.#attempt(broker, left, limit, attempts),
        wait: (delay) => limit.wait(delay),
        passed: (pass) => attempts.rounds = pass,
      });
      if (found) return;
      throw this.#candidates.size <= 1 ? attempts.last : attempts.allFailed("connect");
    } finally {
      limit.cancel();
    }
  }

  /**
   * Makes another connection in place of one that was lost.
   *
   * @throws {ConnectionClosedError} When the brokers were tried as often as they may be.
   * @throws The failure that trying again can't change, such as a wrong password, or the reason of the signal.
   */
  async reconnect(loss: Loss): Promise<void> {
    const { maxReconnectAttempts } = this.#failover;
    const attempts = new Attempts();
    this.#standby?.stop();
    if (await this.#useReserve(loss.signal, attempts)) return;
    const found = await tryBrokers({
      order: () => this.#orderAgain(loss, attempts),
      failover: this.#failover,
      passes: maxReconnectAttempts < 0 ? Infinity : maxReconnectAttempts,
      failed: loss.failed + 1,
      failures: attempts.failures,
      signal: loss.signal,
      attempt: (broker, left) => this.#attemptAgain(broker, left, loss.signal, attempts),
      wait: (delay) => waitFor(delay, loss.signal),
      passed: (pass, error) => {
        attempts.rounds = pass;
        loss.passed(pass, error);
      },
      mayTryAgain,
    });
    if (found) return;
    const cause = attempts.allFailed("reconnect");
    throw new ConnectionClosedError(`The connection was lost for good. ${cause.message}`, {
      cause,
      retryable: true,
    });
  }

  /** From now on only plain frames are offered: loose, with sizes, without the cache. */
  simplifyWireFormat(): void {
    const isPlain = (broker: BrokerTarget): boolean => {
      const { cacheEnabled, tightEncodingEnabled, sizePrefixDisabled } =
        this.#createFormat(broker).offer;
      return !cacheEnabled && !tightEncodingEnabled && !sizePrefixDisabled;
    };
    if (this.#simple || this.#candidates.all().every(isPlain)) return;
    this.#simple = true;
    this.log?.warn(
      "A message seems to end each connection: from now on they do without the cache and tight encoding",
      {},
    );
  }

  /** Ends what is in reserve. */
  close(reason: unknown): void {
    this.#standby?.close(reason);
  }

  /**
   * A broker tells of others.
   *
   * @returns Whether there are others than before.
   */
  pushed(list: string, from: BrokerTarget): boolean {
    const told = this.#read(list, from);
    this.#logRefused("A broker that another has told of is not used", told);
    return this.#candidates.push(told.brokers);
  }

  /**
   * A broker sends us to another one.
   *
   * @returns Whether we follow.
   */
  redirected(to: string, from: BrokerTarget): boolean {
    const told = this.#read(to, from);
    const [broker] = told.brokers;
    if (!broker) {
      this.#logRefused("The broker to which another sends us is not used", told);
      return false;
    }
    this.#candidates.prefer(broker);
    return true;
  }

  /** One line for a list, none for what was said before, and few for a connection: a broker can tell without end. */
  #logRefused(message: string, { refused: [reason, ...others], ignored }: PushedBrokers): void {
    if (!this.log || reason === undefined) return;
    const more = others.length + ignored;
    const line = `${message}: ${reason} (${more})`;
    if (this.#refusals.size >= MOST_REFUSALS || this.#refusals.has(line)) return;
    this.#refusals.add(line);
    const last = this.#refusals.size === MOST_REFUSALS;
    this.log.warn(message, {
      reason,
      ...(more > 0 && { more }),
      ...(last && { note: "others are not logged while this connection lasts" }),
    });
  }

  #createStandby(): Standby<BrokerLink> {
    const { backup, backupPoolSize, priorityBackup } = this.#failover;
    return new Standby<BrokerLink>({
      failover: this.#failover,
      wanted: () => {
        const current = this.#current;
        const others = this.#candidates.all().filter((broker) =>
          !current || !sameBroker(broker, current)
        );
        const isPriority = (broker: BrokerTarget): boolean => this.#candidates.isPriority(broker);
        const better = priorityBackup && current && !isPriority(current)
          ? others.filter(isPriority)
          : [];
        const reserve = backup ? others.filter((broker) => !better.includes(broker)) : [];
        return [...better, ...reserve.slice(0, backupPoolSize)];
      },
      open: async (broker, signal) => {
        const limit = new TimeLimit(
          this.#connectTimeout,
          () => new TimeoutError(`Cannot connect to ${textOf(broker)} in time`),
          signal,
        );
        try {
          return await this.#negotiate(broker, limit, new Attempts());
        } catch (error) {
          this.log?.debug("There is no connection in reserve", { url: textOf(broker), error });
          throw error;
        } finally {
          limit.cancel();
        }
      },
      found: (broker) => {
        this.log?.debug("A connection is in reserve", { url: textOf(broker) });
        const current = this.#current;
        if (!priorityBackup || !current || this.#candidates.isPriority(current)) return;
        if (this.#candidates.isPriority(broker)) this.#onPriority();
      },
      wait: waitFor,
    });
  }

  /** Takes a connection in reserve into use; false when there is none that will do. */
  async #useReserve(signal: AbortSignal, attempts: Attempts): Promise<boolean> {
    for (let spare = this.#standby?.take(); spare; spare = this.#standby!.take()) {
      const { broker, link } = spare;
      const late = (): Error => attempts.late(this.#connectTimeout);
      const limit = new TimeLimit(this.#connectTimeout, late, signal);
      try {
        await this.#introduce(link, broker, limit, attempts);
        return true;
      } catch (error) {
        if (signal.aborted || !mayTryAgain(error as Error)) throw error;
        this.log?.warn("Cannot use the connection in reserve", { url: textOf(broker), error });
      } finally {
        limit.cancel();
      }
    }
    return false;
  }

  #read(list: string, from: BrokerTarget): PushedBrokers {
    return readPushed(list, {
      from,
      options: this.#url.nested,
      accept: this.#failover.acceptBroker,
    });
  }

  /**
   * Checks what is known of brokers before anything is tried.
   *
   * @param more Whether others may be found.
   * @throws {TypeError} When options would have no effect.
   */
  #check(brokers: readonly BrokerTarget[], more: boolean): void {
    const { tls, socket, transport } = this.#options;
    const unused = transport
      ? [tls, ...brokers.map(({ options }) => options.tls)].some(Boolean)
      : tls && !more && !brokers.some(isSecure);
    if (unused) {
      // They would have no effect, and passwords would go over the wire as they are.
      throw new TypeError("Cannot use options of TLS without an ssl:// URL, or with a transport");
    }
    const sockets = [socket, ...brokers.map(({ options }) => options.socket)];
    if (transport && sockets.some((options) => Object.keys(options ?? {}).length > 0)) {
      throw new TypeError("Cannot use options of the socket with a transport: it has its own");
    }
    for (const broker of brokers) this.#createFormat(broker);
  }

  /** Which brokers to try while reconnecting: there is no limit for all rounds together, but for each. */
  async #orderAgain(loss: Loss, attempts: Attempts): Promise<BrokerTarget[]> {
    const late = (): Error => attempts.late(this.#connectTimeout);
    const limit = new TimeLimit(this.#connectTimeout, late, loss.signal);
    try {
      return await this.#order(limit, attempts, () => true, loss.from);
    } finally {
      limit.cancel();
    }
  }

  /**
   * Which brokers to try, in that order. If the application is to find some, it is asked.
   *
   * @param mayGoOn Whether those that are known may be tried after an error.
   */
  async #order(
    limit: TimeLimit,
    attempts: Attempts,
    mayGoOn: (error: unknown) => boolean,
    from?: BrokerTarget,
  ): Promise<BrokerTarget[]> {
    attempts.finding = undefined;
    try {
      await this.#find(limit, attempts);
    } catch (error) {
      if (limit.signal.aborted || !mayGoOn(error)) throw error;
      this.#logFailure("Cannot find brokers", { error, known: this.#candidates.size }, attempts);
      attempts.finding = toError(error);
    }
    const order = this.#candidates.order(from);
    for (const broker of attempts.failures.keys()) {
      if (!order.includes(broker)) attempts.failures.delete(broker);
    }
    if (order.length > 0) return order;
    const cause = attempts.finding;
    const reason = cause?.message ?? "Cannot find brokers: the option brokers returned none";
    const options = { retryable: true, ...(cause && { cause }) };
    throw attempts.finding = cause instanceof OpenWireError && cause.retryable
      ? cause
      : new TransportError("CONNECT_FAILED", reason, options);
  }

  /** Asks the application for brokers, in a share of the time that leaves some for those that are known. */
  async #find(parent: TimeLimit, attempts: Attempts): Promise<void> {
    const { brokers: find } = this.#options;
    if (!find) return;
    attempts.step = "the option `brokers`";
    const known = this.#candidates.size;
    const share = known > 0 ? parent.left / (known + 1) : Infinity;
    const late = (): Error =>
      new TimeoutError(
        `Cannot find brokers: the option brokers took longer than ${Math.round(share)} ms`,
      );
    const limit = new TimeLimit(share, late, parent.signal);
    try {
      const urls = await findBrokers(find, limit);
      const rules = { anyScheme: this.#transport !== undefined };
      const brokers = parseBrokerList(urls, this.#url.nested, rules);
      // None at all is a matter of time.
      this.#check([...this.#url.brokers, ...brokers], brokers.length === 0);
      this.#candidates.found(brokers);
    } finally {
      limit.cancel();
    }
  }

  #passes(): number {
    if (!this.settings.failover) return 1;
    const { startupMaxReconnectAttempts } = this.settings.failover;
    return startupMaxReconnectAttempts < 0 ? Infinity : Math.max(1, startupMaxReconnectAttempts);
  }

  /** Attempts to reconnect have no time together, but each round. */
  async #attemptAgain(
    broker: BrokerTarget,
    left: number,
    signal: AbortSignal,
    attempts: Attempts,
  ): Promise<true> {
    const late = (): Error => attempts.late(this.#connectTimeout);
    const limit = new TimeLimit(this.#connectTimeout, late, signal);
    try {
      return await this.#attempt(broker, left, limit, attempts);
    } finally {
      limit.cancel();
    }
  }

  /** Connects to one broker, in its share of the time, so that a silent one does not take that of the others. */
  async #attempt(
    broker: BrokerTarget,
    left: number,
    parent: TimeLimit,
    attempts: Attempts,
  ): Promise<true> {
    const share = left > 1 ? parent.left / left : Infinity;
    const late = (): Error =>
      new TimeoutError(
        `Cannot connect to ${textOf(broker)}: ${attempts.step} took longer than ${
          Math.round(share)
        } ms, its share of the time`,
      );
    const limit = new TimeLimit(share, late, parent.signal);
    try {
      await this.#open(broker, limit, attempts);
      return true;
    } catch (error) {
      this.#logFailure("Cannot connect to the broker", { url: textOf(broker), error }, attempts);
      throw error;
    } finally {
      limit.cancel();
    }
  }

  #logFailure(message: string, fields: LogFields, { rounds }: Attempts): void {
    const { warnAfterReconnectAttempts: often } = this.#failover;
    const warns = rounds === 0 || (often > 0 && rounds % often === 0);
    this.log?.[warns ? "warn" : "debug"](message, fields);
  }

  async #open(broker: BrokerTarget, limit: TimeLimit, attempts: Attempts): Promise<void> {
    const link = await this.#negotiate(broker, limit, attempts);
    await this.#introduce(link, broker, limit, attempts);
  }

  /** Makes a connection as far as it is the same for all users. */
  async #negotiate(
    broker: BrokerTarget,
    limit: TimeLimit,
    attempts: Attempts,
  ): Promise<BrokerLink> {
    const { beforeConnect } = this.#options;
    if (beforeConnect) {
      attempts.step = "the option `beforeConnect`";
      await limit.race((async () => await beforeConnect(textOf(broker)))());
    }
    const transport = await this.#connect(broker, limit, attempts);
    attempts.step =
      `the answer of ${transport.remoteAddress}, which may speak something else than OpenWire,`;
    const format = this.#createFormat(broker);
    return await this.#speaker!.negotiate(transport, format, limit.signal, isSecure(broker));
  }

  async #introduce(
    link: BrokerLink,
    broker: BrokerTarget,
    limit: TimeLimit,
    attempts: Attempts,
  ): Promise<void> {
    const credentials = await this.#askCredentials(link, limit, attempts);
    attempts.step = `the answer of ${link.remoteAddress}`;
    await this.#speaker!.introduce(link, broker, credentials, limit.signal);
    this.#current = broker;
    this.#refusals.clear();
    this.#standby?.start();
  }

  async #connect(
    broker: BrokerTarget,
    limit: TimeLimit,
    attempts: Attempts,
  ): Promise<Transport> {
    if (typeof this.#transport === "object") return this.#transport;
    if (this.#transport) {
      attempts.step = "the option `transport`";
      return await makeTransport(this.#transport, textOf(broker), limit);
    }
    attempts.step = isSecure(broker)
      ? "the connection with TLS, which the port may not speak,"
      : "the connection";
    return await this.#dial(broker, limit.signal);
  }

  #dial(broker: BrokerTarget, signal: AbortSignal): Promise<Transport> {
    const socket = mergeOptions(broker.options.socket ?? {}, this.#options.socket ?? {});
    const options = mergeOptions({ connectTimeout: 0, signal }, socket);
    if (!isSecure(broker)) return dial(textOf(broker), options);
    const tls = mergeOptions(broker.options.tls ?? {}, this.#options.tls ?? {});
    this.#warnOf(tls, textOf(broker));
    return dial(textOf(broker), { ...options, tls });
  }

  #warnOf({ insecureSkipVerify, verifyHostName = true }: TlsOptions, url: string): void {
    if (insecureSkipVerify) {
      this.log?.warn("TLS without verification: anybody on the way can read and change all", {
        url,
      });
    } else if (!verifyHostName) {
      this.log?.warn("TLS without verification of the host's name", { url });
    }
  }

  async #askCredentials(
    link: BrokerLink,
    limit: TimeLimit,
    attempts: Attempts,
  ): Promise<Credentials> {
    const { credentials, username, password } = this.#options;
    if (!credentials) return { username, password };
    attempts.step = "the option `credentials`";
    try {
      const given = await limit.race((async () => await credentials())());
      CREDENTIALS.check(given, "Cannot use the credentials");
      return checkCredentials(given);
    } catch (error) {
      link.fail(error);
      throw error;
    }
  }

  #createFormat({ address, options }: BrokerTarget): OpenWireFormat {
    // As in Java: among several brokers there is no name that is right for all.
    const host = this.settings.failover || address.scheme === "foreign"
      ? {}
      : { host: address.hostname };
    const own = mergeOptions(host, options.wireFormat ?? {});
    const offer = mergeOptions(own, this.#options.wireFormat ?? {});
    return new OpenWireFormat(
      this.#simple ? { ...offer, ...PLAIN } : offer,
    );
  }
}

/** Lines of the log about brokers that others have told of and that are not used, for each connection. */
const MOST_REFUSALS = 8;

function isSecure({ address }: BrokerTarget): boolean {
  return address.scheme === "ssl";
}

/** The attempts of one search, for its errors. */
class Attempts {
  /** The last failure of each broker. */
  readonly failures: Map<BrokerTarget, Error> = new Map();
  /** How often all were tried. */
  rounds = 0;
  /** What is waited for. */
  step = "the connection";
  /** Why the application has not found brokers in this round. */
  finding: Error | undefined;

  /** The last failure. */
  get last(): Error | undefined {
    return this.#all().at(-1);
  }

  /** The error for when it took too long. */
  late(timeout: number): TimeoutError {
    if (this.#all().length === 0) {
      return new TimeoutError(`Cannot connect: ${this.step} took longer than ${timeout} ms`);
    }
    return new TimeoutError(`Cannot connect within ${timeout} ms: ${this.#tell()}`, {
      cause: new AggregateError(this.#all()),
    });
  }

  /** The error for when nobody has accepted. */
  allFailed(what: string): TransportError {
    const message = `Cannot ${what} to any of the brokers: ${this.#tell()}`;
    const cause = new AggregateError(this.#all());
    return new TransportError("CONNECT_FAILED", message, { cause, retryable: true });
  }

  #all(): Error[] {
    return [...(this.finding ? [this.finding] : []), ...this.failures.values()];
  }

  #tell(): string {
    return this.#all()
      .map(({ message }) => message.replace(/^Cannot connect to /, ""))
      .join("; ");
  }
}

/**
 * Whether another attempt to reconnect may succeed. A broker that refuses for another reason than the password may be about to
 * stop, or take the connection that was lost for one that stands.
 */
function mayTryAgain(error: Error): boolean {
  if (error instanceof AuthenticationError || error instanceof NoTransportError) return false;
  if (error instanceof BrokerError) return true;
  // What the user's functions throw may be such as a token that could not be had.
  return !(error instanceof OpenWireError) || error.retryable;
}

function isRetryable(error: unknown): boolean {
  return error instanceof OpenWireError && error.retryable;
}
