/** Draining, which ends with closing. */

import { CALL_OPTIONS } from "./call_options.ts";
import type { CallOptions } from "./call_options.ts";
import { type Limits, limitsOf } from "./options.ts";

/** Milliseconds that draining takes at most, unless a call says otherwise. */
const DRAIN_TIMEOUT = 30_000;

/** Drains all of them to their ends; fails then with what has failed first, in their order. */
export async function drainAll(
  owners: Iterable<{ drain(options: CallOptions): Promise<void> }>,
  limits: Limits,
): Promise<void> {
  const results = await Promise.allSettled(Array.from(owners, (owner) => owner.drain(limits)));
  for (const result of results) if (result.status === "rejected") throw result.reason;
}

/**
 * Drains something, then closes it, even if draining has failed. Rejects with the first failure. If the options are wrong, the
 * call fails, and it is drained and closed with the defaults.
 */
export async function drainWith(
  options: CallOptions,
  drain: (limits: Limits) => Promise<void>,
  close: (options: CallOptions) => Promise<void>,
): Promise<void> {
  let limits: Limits;
  try {
    CALL_OPTIONS.check(options, "Cannot drain");
    limits = limitsOf(options, DRAIN_TIMEOUT);
  } catch (error) {
    drainWith({}, drain, close).catch(() => {});
    throw error;
  }
  // To wait for ever for messages is not to wait for ever for the broker.
  const closing = { timeout: options.timeout || undefined };
  try {
    await drain(limits);
  } catch (error) {
    const closed = close(closing).catch(() => {});
    if (!limits.signal?.aborted) await closed;
    throw error;
  }
  await close(closing);
}
