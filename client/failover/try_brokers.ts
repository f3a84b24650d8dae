/** Looks for a broker that takes a connection. */

import { OpenWireError } from "../../errors.ts";
import type { FailoverOptions } from "./failover_options.ts";
import { reconnectDelay } from "./reconnect_delay.ts";
import type { Resolved } from "../resolved.ts";

/** What {@linkcode tryBrokers} needs. */
export interface Search<Broker, Connection> {
  readonly brokers: readonly Broker[];
  readonly failover: Resolved<FailoverOptions>;
  /** How often all brokers are tried; Infinity for no limit. */
  readonly passes: number;
  /** The last failure of each broker; they are added here while the search goes on. */
  readonly failures: Map<Broker, Error>;
  /**
   * Connects to one.
   *
   * @param left How many are to be tried in this pass, this one included.
   */
  attempt(broker: Broker, left: number): Promise<Connection>;
  /** Waits that many milliseconds; rejects when the signal is aborted. */
  wait(delay: number): Promise<void>;
  /** Ends the search; its reason is thrown. */
  readonly signal: AbortSignal;
  /** Chance, 0 to 1. */
  random?: () => number;
}

/**
 * Connects to the first broker that accepts.
 *
 * @returns The connection; undefined when all were tried in vain.
 * @throws The failure that trying again can't change, such as a wrong password, or the reason of the signal.
 */
export async function tryBrokers<Broker, Connection>(
  search: Search<Broker, Connection>,
): Promise<Connection | undefined> {
  const { brokers, failover, failures, random = Math.random } = search;
  for (let pass = 1; pass <= search.passes; pass++) {
    if (pass > 1) await search.wait(reconnectDelay(failover, pass - 1, random));
    const order = failover.randomize ? shuffled(brokers, random) : brokers;
    for (const [index, broker] of order.entries()) {
      try {
        return await search.attempt(broker, order.length - index);
      } catch (error) {
        if (search.signal.aborted) throw search.signal.reason;
        if (!(error instanceof OpenWireError && error.retryable)) throw error;
        failures.set(broker, error);
      }
    }
  }
  return undefined;
}

/** A copy in random order (Fisher and Yates). */
function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const copy = [...list];
  for (let last = copy.length - 1; last > 0; last--) {
    const at = Math.floor(random() * (last + 1));
    [copy[last], copy[at]] = [copy[at]!, copy[last]!];
  }
  return copy;
}
