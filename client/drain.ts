/** Draining many at the same time. */

import type { CallOptions } from "./call_options.ts";

/** Drains all of them to their ends; fails then with what has failed first, in their order. */
export async function drainAll(
  owners: Iterable<{ drain(options: CallOptions): Promise<void> }>,
  options: CallOptions,
): Promise<void> {
  const results = await Promise.allSettled(Array.from(owners, (owner) => owner.drain(options)));
  for (const result of results) if (result.status === "rejected") throw result.reason;
}
