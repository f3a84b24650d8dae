/** How long to wait before brokers are tried again. */

import type { FailoverOptions } from "./failover_options.ts";
import type { Resolved } from "../resolved.ts";

/**
 * How long to wait before all brokers are tried again.
 *
 * @param options How waits become longer.
 * @param failures How often all brokers were tried in vain since there was a connection, from 1.
 * @param random Chance, 0 to 1.
 * @returns Milliseconds.
 */
export function reconnectDelay(
  options: Resolved<Omit<FailoverOptions, "acceptBroker">>,
  failures: number,
  random: () => number = Math.random,
): number {
  const { initialReconnectDelay, maxReconnectDelay, reconnectDelayExponent } = options;
  const factor = options.useExponentialBackOff ? reconnectDelayExponent ** (failures - 1) : 1;
  // Infinity is too long, and so is nothing that was multiplied by it.
  const longest = initialReconnectDelay === 0 ? 0 : initialReconnectDelay * factor;
  return Math.min(longest, maxReconnectDelay) * (1 - options.reconnectJitter * random());
}
