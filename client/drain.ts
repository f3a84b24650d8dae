/** Draining, which ends with closing. */

import type { CallOptions } from "./call_options.ts";

/** Drains all of them to their ends; fails then with what has failed first, in their order. */
export async function drainAll(
  owners: Iterable<{ drain(options: CallOptions): Promise<void> }>,
  options: CallOptions,
): Promise<void> {
  const results = await Promise.allSettled(Array.from(owners, (owner) => owner.drain(options)));
  for (const result of results) if (result.status === "rejected") throw result.reason;
}

/**
 * Closes when all is drained, or that has failed. What has failed first is told; who doesn't wait for the one does not wait for
 * the other.
 */
export async function thenClose(
  drained: Promise<void>,
  close: (options: CallOptions) => Promise<void>,
  { timeout, signal }: CallOptions,
): Promise<void> {
  // To wait for ever for messages is not to wait for ever for the broker.
  const options = { timeout: timeout || undefined };
  try {
    await drained;
  } catch (error) {
    const closed = close(options).catch(() => {});
    if (!signal?.aborted) await closed;
    throw error;
  }
  await close(options);
}
