/**
 * How to reconnect.
 *
 * @module
 */

/**
 * How to find a broker among several, and how to reconnect (Java: FailoverTransport). All times are milliseconds.
 *
 * @example
 * ```ts
 * import type { FailoverOptions } from "../mod.ts";
 *
 * const options: FailoverOptions = { initialReconnectDelay: 100, maxReconnectDelay: 5_000, randomize: false };
 * ```
 */
export interface FailoverOptions {
  /** Wait before the first attempt to reconnect. @default {10} */
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
  /** Attempts before the first connection is given up; -1 for no limit, 0 for none. @default {0} */
  startupMaxReconnectAttempts?: number | undefined;
  /** Whether the brokers are tried in random order. @default {true} */
  randomize?: boolean | undefined;
  /** How long a send may wait while there is no connection; 0 or less for the send's own deadline. @default {-1} */
  timeout?: number | undefined;
}
