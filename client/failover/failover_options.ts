/**
 * How to reconnect.
 *
 * @module
 */

import { OptionNames } from "../../option_names.ts";
import { numberText } from "../../errors.ts";
import type { Resolved } from "../resolved.ts";
import { parseAnyAddress } from "../url/broker_address.ts";
import { textOf } from "./broker_text.ts";

const MOST = 0x7fffffff;

/** The options with their defaults. */
export type ResolvedFailover =
  & Resolved<Omit<FailoverOptions, "acceptBroker">>
  & Pick<FailoverOptions, "acceptBroker">;

/**
 * How to find a broker among several, and how to reconnect (Java: FailoverTransport). All times are milliseconds.
 *
 * @example
 * ```ts
 * import type { FailoverOptions } from "../../mod.ts";
 *
 * const options: FailoverOptions = { initialReconnectDelay: 100, maxReconnectDelay: 5_000, randomize: false };
 * ```
 */
export interface FailoverOptions {
  /** Wait before the first attempt to reconnect, and before all brokers are tried for the second time. @default {10} */
  initialReconnectDelay?: number | undefined;
  /** Longest wait between two attempts. @default {30_000} */
  maxReconnectDelay?: number | undefined;
  /** Whether the waits become longer each time. @default {true} */
  useExponentialBackOff?: boolean | undefined;
  /** Factor by which they become longer, 1 or more. @default {2} */
  reconnectDelayExponent?: number | undefined;
  /** Share of each wait that is left to chance, 0 to 1, so that many clients don't come back at once. @default {1} */
  reconnectJitter?: number | undefined;
  /** How often all brokers are tried before a lost connection is given up; -1 for no limit, 0 for none. @default {-1} */
  maxReconnectAttempts?: number | undefined;
  /**
   * How often all brokers are tried before the first connection is given up; -1 for no limit but `connectTimeout`, 0 for once.
   *
   * @default {-1}
   */
  startupMaxReconnectAttempts?: number | undefined;
  /** Failed rounds after which that is logged as a warning again; the first one always is. 0 or less for never. @default {10} */
  warnAfterReconnectAttempts?: number | undefined;
  /** Whether the brokers are tried in random order. @default {true} */
  randomize?: boolean | undefined;
  /** How long a message may wait while there is no connection; 0 or less for the send's own limit. @default {-1} */
  timeout?: number | undefined;
  /**
   * Whether messages that the broker did not answer are sent again when there is a connection. The broker knows what it has
   * stored already and drops it. Otherwise they fail with `"OUTCOME_UNKNOWN"`.
   *
   * @default {true}
   */
  replaySends?: boolean | undefined;
  /**
   * Whether the last messages that asked for no answer are sent again, too. Those that aren't persistent may come twice then.
   *
   * @default {false}
   */
  trackMessages?: boolean | undefined;
  /** Bytes of messages that are kept for that, at most. @default {131_072} */
  maxCacheSize?: number | undefined;
  /**
   * Bytes of messages of a transaction that are kept to do it again over another connection. One that has sent more is rolled
   * back when the connection is lost.
   *
   * @default {16_777_216}
   */
  maxTransactionSize?: number | undefined;
  /**
   * Whether connections to other brokers are kept in reserve, on which the wire format is agreed on and nothing else, so that
   * a lost one is replaced at once.
   *
   * @default {false}
   */
  backup?: boolean | undefined;
  /** Number of these, at most. @default {1} */
  backupPoolSize?: number | undefined;
  /**
   * Whether some brokers are preferred: they are tried first, and while the connection is to another one they are looked for,
   * to move to the first that is there.
   *
   * @default {false}
   */
  priorityBackup?: boolean | undefined;
  /** Which ones, such as `["tcp://a:61616"]`; the first of the list by default. */
  priorityURIs?: readonly string[] | undefined;
  /** Whether brokers that a broker tells of (`connectedBrokers` of ConnectionControl) are tried, too. @default {true} */
  updateURIsSupported?: boolean | undefined;
  /** Whether to move to another broker when a broker asks for it (`rebalanceConnection`). @default {true} */
  rebalanceUpdateURIs?: boolean | undefined;
  /** Whether to move to the one that a broker names (`reconnectTo`). @default {true} */
  reconnectSupported?: boolean | undefined;
  /**
   * Says whether to connect to a broker that a broker has told of. All are accepted by default, but none without TLS when
   * told over TLS.
   *
   * @param url Such as `ssl://b-2.example.com:61617`.
   */
  acceptBroker?: ((url: string) => boolean) | undefined;
}

/**
 * Checks what a user gave and fills in the defaults.
 *
 * @param options What the user gave.
 * @param anyScheme Whether addresses of brokers may be of any scheme.
 */
export function resolveFailoverOptions(
  options: FailoverOptions,
  anyScheme = false,
): ResolvedFailover {
  const resolved = {
    initialReconnectDelay: options.initialReconnectDelay ?? 10,
    maxReconnectDelay: options.maxReconnectDelay ?? 30_000,
    useExponentialBackOff: options.useExponentialBackOff ?? true,
    reconnectDelayExponent: options.reconnectDelayExponent ?? 2,
    reconnectJitter: options.reconnectJitter ?? 1,
    maxReconnectAttempts: options.maxReconnectAttempts ?? -1,
    startupMaxReconnectAttempts: options.startupMaxReconnectAttempts ?? -1,
    warnAfterReconnectAttempts: options.warnAfterReconnectAttempts ?? 10,
    randomize: options.randomize ?? true,
    timeout: options.timeout ?? -1,
    replaySends: options.replaySends ?? true,
    trackMessages: options.trackMessages ?? false,
    maxCacheSize: options.maxCacheSize ?? 131_072,
    maxTransactionSize: options.maxTransactionSize ?? 16_777_216,
    backup: options.backup ?? false,
    backupPoolSize: options.backupPoolSize ?? 1,
    priorityBackup: options.priorityBackup ?? false,
    priorityURIs: (options.priorityURIs ?? []).map((url) =>
      textOf({ address: parseAnyAddress(url, anyScheme) })
    ),
    updateURIsSupported: options.updateURIsSupported ?? true,
    rebalanceUpdateURIs: options.rebalanceUpdateURIs ?? true,
    reconnectSupported: options.reconnectSupported ?? true,
    acceptBroker: options.acceptBroker,
  };
  checkRange("initialReconnectDelay", resolved.initialReconnectDelay, 0, MOST);
  checkRange("maxReconnectDelay", resolved.maxReconnectDelay, 0, MOST);
  checkRange("reconnectDelayExponent", resolved.reconnectDelayExponent, 1, Number.MAX_VALUE);
  checkRange("reconnectJitter", resolved.reconnectJitter, 0, 1);
  checkInteger("maxReconnectAttempts", resolved.maxReconnectAttempts, -1);
  checkInteger("startupMaxReconnectAttempts", resolved.startupMaxReconnectAttempts, -1);
  checkInteger("warnAfterReconnectAttempts", resolved.warnAfterReconnectAttempts, -1);
  checkInteger("maxCacheSize", resolved.maxCacheSize, 0);
  checkInteger("maxTransactionSize", resolved.maxTransactionSize, 0);
  checkInteger("backupPoolSize", resolved.backupPoolSize, 0);
  checkRange("timeout", resolved.timeout, -0x80000000, MOST);
  return resolved;
}

function checkInteger(name: string, value: number, least: number): void {
  checkRange(name, value, least, MOST, "an integer");
}

function checkRange(
  name: string,
  value: number,
  least: number,
  most: number,
  kind: "an integer" | "a number" = "a number",
): void {
  const fits = kind === "an integer" ? Number.isInteger(value) : Number.isFinite(value);
  if (fits && value >= least && value <= most) return;
  throw new RangeError(
    `Cannot use ${
      numberText(value)
    } as ${name} of failover: ${kind} from ${least} to ${most} is expected`,
  );
}

/** The names of these options. */
export const FAILOVER_OPTIONS: OptionNames<FailoverOptions> = new OptionNames<FailoverOptions>({
  initialReconnectDelay: true,
  maxReconnectDelay: true,
  useExponentialBackOff: true,
  reconnectDelayExponent: true,
  reconnectJitter: true,
  maxReconnectAttempts: true,
  startupMaxReconnectAttempts: true,
  warnAfterReconnectAttempts: true,
  randomize: true,
  timeout: true,
  replaySends: true,
  trackMessages: true,
  maxCacheSize: true,
  maxTransactionSize: true,
  backup: true,
  backupPoolSize: true,
  priorityBackup: true,
  priorityURIs: true,
  updateURIsSupported: true,
  rebalanceUpdateURIs: true,
  reconnectSupported: true,
  acceptBroker: true,
});
