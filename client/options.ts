/**
 * Options of a connection.
 *
 * @module
 */

import { MESSAGING_HOOKS } from "./observe/hooks.ts";
import { PREFETCH_POLICY } from "./consumer/prefetch_policy.ts";
import { FAILOVER_OPTIONS } from "./failover/failover_options.ts";
import { OptionNames } from "../option_names.ts";
import { numberText } from "../errors.ts";
import type { DataStructure, WireFormatOptions } from "../codec/mod.ts";
import type { SocketOptions, TlsOptions, Transport } from "../transport/mod.ts";
import type { CallOptions } from "./call_options.ts";
import type { Logger } from "./observe/logger.ts";
import type { MessagingHooks } from "./observe/hooks.ts";
import {
  type FailoverOptions,
  type ResolvedFailover,
  resolveFailoverOptions,
} from "./failover/failover_options.ts";
import {
  type PrefetchPolicy,
  type ResolvedPrefetchPolicy,
  resolvePrefetchPolicy,
} from "./consumer/prefetch_policy.ts";
import type { FindBrokers } from "./failover/find_brokers.ts";
import type { TransportFactory } from "./transport_factory.ts";
import {
  type RedeliveryPolicies,
  type RedeliveryPolicy,
  resolveRedeliveryPolicies,
} from "./consumer/redelivery_policy.ts";

/**
 * User name and password.
 *
 * @example
 * ```ts
 * import type { Credentials } from "../mod.ts";
 *
 * const credentials: Credentials = { username: "app", password: "secret" };
 * ```
 */
export interface Credentials {
  /** User name; none by default. An empty text is sent as it is. */
  readonly username?: string | undefined;
  /** Password, or a token if the broker expects one in its place; none by default. */
  readonly password?: string | undefined;
}

/**
 * Options of `connect()`. All times are milliseconds, and 0 is for ever.
 *
 * What the Java client has too has its name there, so that `jms.useAsyncSend=true` in a URL is `useAsyncSend: true` here. An
 * option that is given here counts more than the same one in the URL.
 *
 * @example
 * ```ts
 * import type { ConnectOptions } from "../mod.ts";
 *
 * const options: ConnectOptions = {
 *   username: "app",
 *   password: "secret",
 *   prefetchPolicy: { queuePrefetch: 10 },
 *   redeliveryPolicy: { maximumRedeliveries: 3, useExponentialBackOff: true },
 * };
 * ```
 */
export interface ConnectOptions extends Credentials {
  /**
   * Asked for user name and password each time that a connection is made, as soon as the broker speaks OpenWire: for tokens
   * that expire.
   */
  credentials?: (() => Credentials | Promise<Credentials>) | undefined;
  /**
   * Is called before each attempt to connect, with the address of the broker; what it throws ends the attempt.
   *
   * @param url Such as `tcp://localhost:61616`.
   */
  beforeConnect?: ((url: string) => void | Promise<void>) | undefined;
  /**
   * JMS client id, which no other connection to the broker may have; a new one by default. Durable subscriptions need one. A
   * blank one is refused.
   */
  clientId?: string | undefined;
  /** What a client id begins with that isn't given; not blank. @default {"ID:openwire"} */
  clientIdPrefix?: string | undefined;
  /** What the connection id begins with; not blank. @default {"ID:openwire"} */
  connectionIdPrefix?: string | undefined;
  /** What to offer the broker; see `WireFormatOptions` for the defaults. */
  wireFormat?: WireFormatOptions | undefined;
  /** Options of the socket. Its `connectTimeout` is for the socket alone, and 0 by default: no limit but the other one. */
  socket?: SocketOptions | undefined;
  /** Options of TLS, for the `ssl://` URLs; each attempt to connect uses them. */
  tls?: TlsOptions | undefined;
  /** Milliseconds until the connection must stand, all steps together. @default {30_000} */
  connectTimeout?: number | undefined;
  /** Milliseconds to wait for an answer of the broker. @default {30_000} */
  requestTimeout?: number | undefined;
  /** Milliseconds to wait until the broker has taken a message; `requestTimeout` by default. */
  sendTimeout?: number | undefined;
  /** Milliseconds to wait for an answer while closing. @default {15_000} */
  closeTimeout?: number | undefined;
  /** Largest body in bytes that a compressed message may have. @default {104_857_600} */
  maxInflatedSize?: number | undefined;
  /**
   * Values that one map or stream body, or the properties of one message, may have, nested ones included; 1 to 2^31-1. A
   * nested map or list counts as 8 values, a string as one more for each 1,024 bytes. Reading a message that has more throws
   * a `ProtocolError` with the code `"TOO_MANY_VALUES"`. @default {65_536}
   */
  maxDecodedValues?: number | undefined;
  /** Whether consumers get messages at once; otherwise when `connection.start()` is called. @default {true} */
  autoStart?: boolean | undefined;

  /** How many messages the broker sends ahead to each kind of consumer. */
  prefetchPolicy?: PrefetchPolicy | undefined;
  /** How often and when a message is given again to the application that failed with it. */
  redeliveryPolicy?: RedeliveryPolicy | RedeliveryPolicies | undefined;
  /** Whether other messages are given out while one waits to be given again. @default {false} */
  nonBlockingRedelivery?: boolean | undefined;
  /** Whether messages that are too old are kept from the application. @default {true} */
  consumerExpiryCheckEnabled?: boolean | undefined;

  /** Whether sessions in mode `"auto"` acknowledge many messages at once. @default {false} */
  optimizeAcknowledge?: boolean | undefined;
  /** Milliseconds after which such acknowledgements are sent at the latest. @default {300} */
  optimizeAcknowledgeTimeout?: number | undefined;
  /** Whether acknowledgements are sent without waiting for the broker's answer. @default {true} */
  sendAcksAsync?: boolean | undefined;
  /** Whether each message of a transaction is acknowledged on its own, as soon as it is given out. @default {false} */
  transactedIndividualAck?: boolean | undefined;

  /** Whether consumers of queues are exclusive by default. @default {false} */
  exclusiveConsumer?: boolean | undefined;
  /** Whether consumers of topics are retroactive by default. @default {false} */
  useRetroactiveConsumer?: boolean | undefined;
  /** Whether the broker dispatches to consumers from a thread of its own. @default {true} */
  dispatchAsync?: boolean | undefined;

  /** Whether persistent messages are sent without waiting for the broker's answer. @default {false} */
  useAsyncSend?: boolean | undefined;
  /** Whether to wait for the broker's answer to each message, of non-persistent and transacted ones too. @default {false} */
  alwaysSyncSend?: boolean | undefined;
  /**
   * Bytes of messages that a producer may have on their way without the broker's acknowledgement (ProducerAck), for messages
   * that are sent without waiting for its answer; 0 for no limit.
   *
   * @default {1_048_576}
   */
  producerWindowSize?: number | undefined;
  /**
   * Bytes of messages whose `send()` has not settled, of all producers together: what is given to `send()` beyond that is
   * refused with the code `"SEND_BUFFER_FULL"`. A message counts as its body and properties and 1024 bytes, a `sendBatch()` as
   * all of its messages. Who waits for each send, or for `writer.ready`, never meets it. 0 for no limit.
   *
   * @default {134_217_728}
   */
  maxPendingSendBytes?: number | undefined;
  /** Whether bodies are compressed. @default {false} */
  useCompression?: boolean | undefined;
  /** Bytes from which on a body is compressed. @default {1024} */
  compressionThreshold?: number | undefined;
  /** Whether messages are sent without a timestamp. @default {false} */
  disableTimeStampsByDefault?: boolean | undefined;
  /** Whether maps and lists may be values of properties and of map messages. @default {true} */
  nestedMapAndListEnabled?: boolean | undefined;

  /**
   * How to find a broker and to reconnect when a connection is lost. A URL such as `failover:(tcp://a,tcp://b)`, a list of
   * URLs and the option `brokers` reconnect in any case, a URL with a single broker only with this.
   */
  failover?: FailoverOptions | undefined;
  /** Is shown each command that is sent or received, after it was decoded; passwords are blanked. For logs and debugging. */
  inspect?: CommandInspector | undefined;
  /** Is told what happens; nobody by default. */
  logger?: Logger | undefined;
  /** Are called around what is done with messages, for tracing and metrics. */
  hooks?: MessagingHooks | undefined;
  /** Ends the attempt to connect. */
  signal?: AbortSignal | undefined;
  /**
   * A function that makes the connection to a broker, for each attempt; see {@linkcode TransportFactory}. The addresses in the
   * URL may then be of any scheme, such as `ws://gateway/broker` or `unix:/run/broker.sock`.
   *
   * Or a transport that is open already, instead of a connection to the URL. It can be used once: with `failover`, several
   * brokers or `brokers` it is refused. It is closed with the connection.
   *
   * Options of TLS and of the socket are refused beside it, for they would have no effect.
   */
  transport?: Transport | TransportFactory | undefined;
  /**
   * A function that finds brokers; see {@linkcode FindBrokers}. It is called before the first attempt to connect and before
   * each round of attempts to reconnect, which then goes over the brokers of the URL, those that it has returned, and those
   * that a broker has told of. What it returns takes the place of what it returned before.
   *
   * It has `connectTimeout` for each call. When it fails while brokers are known, that is logged and these are tried. A value
   * that is no array of URLs is thrown by `connect()` at once.
   */
  brokers?: FindBrokers | undefined;
}

/**
 * Looks at a command on its way.
 *
 * @example
 * ```ts
 * import type { CommandInspector } from "../mod.ts";
 *
 * const inspect: CommandInspector = (command, direction) => console.log(direction, command.dataType);
 * ```
 */
export type CommandInspector = (command: DataStructure, direction: "sent" | "received") => void;

/** The options that a connection keeps, with their defaults. */
export interface ConnectionSettings {
  readonly requestTimeout: number;
  readonly sendTimeout: number;
  readonly closeTimeout: number;
  readonly maxInflatedSize: number;
  readonly maxDecodedValues: number;
  readonly prefetchPolicy: ResolvedPrefetchPolicy;
  readonly redeliveryPolicies: RedeliveryPolicies;
  readonly nonBlockingRedelivery: boolean;
  readonly consumerExpiryCheckEnabled: boolean;
  readonly optimizeAcknowledge: boolean;
  readonly optimizeAcknowledgeTimeout: number;
  readonly sendAcksAsync: boolean;
  readonly transactedIndividualAck: boolean;
  readonly exclusiveConsumer: boolean;
  readonly useRetroactiveConsumer: boolean;
  readonly dispatchAsync: boolean;
  readonly useAsyncSend: boolean;
  readonly alwaysSyncSend: boolean;
  readonly producerWindowSize: number;
  readonly maxPendingSendBytes: number;
  readonly useCompression: boolean;
  readonly compressionThreshold: number;
  readonly disableTimeStampsByDefault: boolean;
  readonly nestedMapAndListEnabled: boolean;
  /** Undefined for a URL with one broker, unless it was given. */
  readonly failover: ResolvedFailover | undefined;
}

/**
 * Refuses options that nobody knows. What is in them is checked where it is used.
 *
 * @throws {TypeError} When there is one, or something else than an object where options are expected.
 */
export function checkConnectOptions(options: ConnectOptions): void {
  const action = "Cannot connect";
  CONNECT_OPTIONS.check(options, action);
  const { socket, failover, prefetchPolicy, hooks } = options;
  if (socket !== undefined) SOCKET_OPTIONS.check(socket, `${action}: in socket`);
  if (failover !== undefined) FAILOVER_OPTIONS.check(failover, `${action}: in failover`);
  if (prefetchPolicy !== undefined) {
    PREFETCH_POLICY.check(prefetchPolicy, `${action}: in prefetchPolicy`);
  }
  if (hooks !== undefined) MESSAGING_HOOKS.check(hooks, `${action}: in hooks`);
}

/** Fills in the defaults. */
export function resolveSettings(options: ConnectOptions): ConnectionSettings {
  const requestTimeout = milliseconds("requestTimeout", options.requestTimeout, 30_000);
  return {
    requestTimeout,
    sendTimeout: milliseconds("sendTimeout", options.sendTimeout, requestTimeout),
    closeTimeout: milliseconds("closeTimeout", options.closeTimeout, 15_000),
    maxInflatedSize: bytes("maxInflatedSize", options.maxInflatedSize, 104_857_600),
    maxDecodedValues: valueCount(options.maxDecodedValues),
    prefetchPolicy: resolvePrefetchPolicy(options.prefetchPolicy),
    redeliveryPolicies: resolveRedeliveryPolicies(options.redeliveryPolicy),
    nonBlockingRedelivery: options.nonBlockingRedelivery ?? false,
    consumerExpiryCheckEnabled: options.consumerExpiryCheckEnabled ?? true,
    optimizeAcknowledge: options.optimizeAcknowledge ?? false,
    optimizeAcknowledgeTimeout: milliseconds(
      "optimizeAcknowledgeTimeout",
      options.optimizeAcknowledgeTimeout,
      300,
    ),
    sendAcksAsync: options.sendAcksAsync ?? true,
    // As in Java: what is redelivered out of order can't be acknowledged in ranges.
    transactedIndividualAck: (options.transactedIndividualAck ?? false) ||
      (options.nonBlockingRedelivery ?? false),
    exclusiveConsumer: options.exclusiveConsumer ?? false,
    useRetroactiveConsumer: options.useRetroactiveConsumer ?? false,
    dispatchAsync: options.dispatchAsync ?? true,
    useAsyncSend: options.useAsyncSend ?? false,
    alwaysSyncSend: options.alwaysSyncSend ?? false,
    producerWindowSize: bytes("producerWindowSize", options.producerWindowSize, 1_048_576),
    maxPendingSendBytes: bytes("maxPendingSendBytes", options.maxPendingSendBytes, 134_217_728),
    useCompression: options.useCompression ?? false,
    compressionThreshold: bytes("compressionThreshold", options.compressionThreshold, 1024),
    disableTimeStampsByDefault: options.disableTimeStampsByDefault ?? false,
    nestedMapAndListEnabled: options.nestedMapAndListEnabled ?? true,
    failover: options.failover &&
      resolveFailoverOptions(options.failover, options.transport !== undefined),
  };
}

function valueCount(value = 65_536): number {
  if (Number.isInteger(value) && value >= 1 && value <= 0x7fffffff) return value;
  throw new RangeError(
    `Cannot use ${
      numberText(value)
    } as maxDecodedValues: an integer from 1 to 2147483647 is expected`,
  );
}

/**
 * Checks user name and password. Its errors have no value, for each may be a secret.
 *
 * @throws {TypeError} When one is no text.
 */
export function checkCredentials(given: Credentials): Credentials {
  if (typeof given !== "object" || given === null) {
    throw new TypeError(
      `Cannot use a value of type ${typeof given} as credentials: an object is expected`,
    );
  }
  const { username, password } = given;
  for (const [name, value] of Object.entries({ username, password })) {
    // In JavaScript null is none, too.
    if (typeof value === "string" || (value ?? undefined) === undefined) continue;
    throw new TypeError(
      `Cannot use a value of type ${typeof value} as ${name}: a string is expected`,
    );
  }
  return { username, password };
}

/**
 * Checks options that are functions. An engine would show what it can't call, and that may be a secret.
 *
 * @throws {TypeError} When one is something else.
 */
export function checkFunctions(options: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || typeof value === "function") continue;
    throw new TypeError(
      `Cannot use a value of type ${typeof value} as ${name}: a function is expected`,
    );
  }
}

/** Checks a number of milliseconds. */
export function milliseconds(name: string, value: number | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  if (!Number.isFinite(value) || value < 0 || value > 0x7fffffff) {
    throw new RangeError(
      `Cannot use ${numberText(value)} as ${name}: 0 to 2147483647 milliseconds are expected`,
    );
  }
  return value;
}

/** How long a call may take, after that was checked. */
export interface Limits {
  /** Milliseconds; 0 for ever. */
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Checks how long a call may take. What a call changes at once it must change after this.
 *
 * @throws {RangeError} When the timeout is out of range.
 * @throws {TypeError} When the signal is none.
 */
export function limitsOf({ timeout, signal }: CallOptions, fallback = 0): Limits {
  return { timeout: milliseconds("timeout", timeout, fallback), signal: checkSignal(signal) };
}

function checkSignal(signal: AbortSignal | undefined): AbortSignal | undefined {
  if (signal === undefined) return undefined;
  if (typeof signal?.aborted === "boolean" && typeof signal.addEventListener === "function") {
    return signal;
  }
  const given = signal === null ? "null" : `a value of type ${typeof signal}`;
  throw new TypeError(`Cannot use ${given} as signal: an AbortSignal is expected`);
}

/** Checks a number of bytes. */
export function bytes(name: string, value: number | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  if (!Number.isInteger(value) || value < 0 || value > 0x7fffffff) {
    throw new RangeError(
      `Cannot use ${numberText(value)} as ${name}: an integer of 0 to 2147483647 bytes is expected`,
    );
  }
  return value;
}

/** The names of these options. */
export const CREDENTIALS: OptionNames<Credentials> = new OptionNames<Credentials>({
  username: true,
  password: true,
});

/** The names of these options. */
export const CONNECT_OPTIONS: OptionNames<ConnectOptions> = new OptionNames<ConnectOptions>({
  credentials: true,
  beforeConnect: true,
  clientId: true,
  clientIdPrefix: true,
  connectionIdPrefix: true,
  wireFormat: true,
  socket: true,
  tls: true,
  connectTimeout: true,
  requestTimeout: true,
  sendTimeout: true,
  closeTimeout: true,
  maxInflatedSize: true,
  maxDecodedValues: true,
  autoStart: true,
  prefetchPolicy: true,
  redeliveryPolicy: true,
  nonBlockingRedelivery: true,
  consumerExpiryCheckEnabled: true,
  optimizeAcknowledge: true,
  optimizeAcknowledgeTimeout: true,
  sendAcksAsync: true,
  transactedIndividualAck: true,
  exclusiveConsumer: true,
  useRetroactiveConsumer: true,
  dispatchAsync: true,
  useAsyncSend: true,
  alwaysSyncSend: true,
  producerWindowSize: true,
  maxPendingSendBytes: true,
  useCompression: true,
  compressionThreshold: true,
  disableTimeStampsByDefault: true,
  nestedMapAndListEnabled: true,
  failover: true,
  inspect: true,
  logger: true,
  hooks: true,
  signal: true,
  transport: true,
  brokers: true,
  username: true,
  password: true,
});

const SOCKET_OPTIONS: OptionNames<SocketOptions> = new OptionNames<SocketOptions>({
  connectTimeout: true,
  noDelay: true,
  keepAlive: true,
});
