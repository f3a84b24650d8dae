/** Looks for a broker that takes a connection. */

import { OpenWireError } from "../../errors.ts";
import type { FailoverOptions } from "./failover_options.ts";
import { reconnectDelay } from "./reconnect_delay.ts";
import type { Resolved } from "../resolved.ts";

/** What {@linkcode tryBrokers} needs. */
export interface Search<Broker, Connection> {
  /** Those that are to be tried now, in that order. A failure is one of the pass. */
  order(): readonly Broker[] | Promise<readonly Broker[]>;
  readonly failover: Resolved<Omit<FailoverOptions, "acceptBroker">>;
  /** How often all brokers are tried; Infinity for no limit. */
  readonly passes: number;
  /** How often there was a failure before, after which to wait. */
  readonly failed: number;
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
  /** All were tried in vain, so many times; the last failure is given. */
  passed?(pass: number, error: Error): void;
  /** Ends the search; its reason is thrown. */
  readonly signal: AbortSignal;
  /** Whether trying again may succeed after a failure; the error's `retryable` by default. */
  mayTryAgain?(error: Error): boolean;
  /** Chance, 0 to 1. */
  random?: () => number;
}

function isRetryable(error: Error): boolean {
  return error instanceof OpenWireError && error.retryable;
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
  const { failover, failures, random = Math.random } = search;
  for (let pass = 1; pass <= search.passes; pass++) {
    const before = search.failed + pass - 1;
    if (before > 0) await search.wait(reconnectDelay(failover, before, random));
    const order = await orderOf(search, pass);
    for (const [index, broker] of order.entries()) {
      try {
        return await search.attempt(broker, order.length - index);
      } catch (error) {
        checkAgain(search, error);
        failures.set(broker, error);
        if (index === order.length - 1) search.passed?.(pass, error);
      }
    }
  }
  return undefined;
}

async function orderOf<Broker>(
  search: Search<Broker, unknown>,
  pass: number,
): Promise<readonly Broker[]> {
  try {
    return await search.order();
  } catch (error) {
    checkAgain(search, error);
    search.passed?.(pass, error);
    return [];
  }
}

/** Throws what ends the search. */
function checkAgain(
  { signal, mayTryAgain = isRetryable }: Pick<Search<never, never>, "signal" | "mayTryAgain">,
  error: unknown,
): asserts error is Error {
  if (signal.aborted) throw signal.reason;
  if (!(error instanceof Error && mayTryAgain(error))) throw error;
}
