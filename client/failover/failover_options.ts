/**
 * How to reconnect.
 *
 * @module
 */

import type { Resolved } from "../resolved.ts";

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
  /** Wait before the second attempt, when all brokers were tried. @default {10} */
  initialReconnectDelay?: number | undefined;
  /** Longest wait between two attempts. @default {30_000} */
  maxReconnectDelay?: number | undefined;
  /** Whether the waits become longer each time. @default {true} */
  useExponentialBackOff?: boolean | undefined;
  /** Factor by which they become longer, 1 or more. @default {2} */
  reconnectDelayExponent?: number | undefined;
  /** Share of each wait that is left to chance, 0 to 1, so that many clients don't come back at once. @default {1} */
  reconnectJitter?: number | undefined;
  /** Attempts before a lost connection is given up; -1 for no limit, 0 for none. @default {-1} */
  maxReconnectAttempts?: number | undefined;
  /**
   * How often all brokers are tried before the first connection is given up; -1 for no limit but `connectTimeout`, 0 for once.
   *
   * @default {0}
   */
  startupMaxReconnectAttempts?: number | undefined;
  /** Whether the brokers are tried in random order. @default {true} */
  randomize?: boolean | undefined;
  /** How long a send may wait while there is no connection; 0 or less for the send's own deadline. @default {-1} */
  timeout?: number | undefined;
}

/** Checks what a user gave and fills in the defaults. */
export function resolveFailoverOptions(options: FailoverOptions): Resolved<FailoverOptions> {
  const resolved = {
    initialReconnectDelay: options.initialReconnectDelay ?? 10,
    maxReconnectDelay: options.maxReconnectDelay ?? 30_000,
    useExponentialBackOff: options.useExponentialBackOff ?? true,
    reconnectDelayExponent: options.reconnectDelayExponent ?? 2,
    reconnectJitter: options.reconnectJitter ?? 1,
    maxReconnectAttempts: options.maxReconnectAttempts ?? -1,
    startupMaxReconnectAttempts: options.startupMaxReconnectAttempts ?? 0,
    randomize: options.randomize ?? true,
    timeout: options.timeout ?? -1,
  };
  const { maxReconnectAttempts, startupMaxReconnectAttempts } = resolved;
  checkRange("initialReconnectDelay", resolved.initialReconnectDelay, 0, 0x7fffffff);
  checkRange("maxReconnectDelay", resolved.maxReconnectDelay, 0, 0x7fffffff);
  checkRange("reconnectDelayExponent", resolved.reconnectDelayExponent, 1, Number.MAX_VALUE);
  checkRange("reconnectJitter", resolved.reconnectJitter, 0, 1);
  checkRange("maxReconnectAttempts", maxReconnectAttempts, -1, 0x7fffffff, "an integer");
  checkRange(
    "startupMaxReconnectAttempts",
    startupMaxReconnectAttempts,
    -1,
    0x7fffffff,
    "an integer",
  );
  checkRange("timeout", resolved.timeout, -0x80000000, 0x7fffffff);
  return resolved;
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
    `Cannot use ${value} as ${name} of failover: ${kind} from ${least} to ${most} is expected`,
  );
}
