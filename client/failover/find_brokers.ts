/**
 * Brokers that the application finds.
 *
 * @module
 */

import { toError, typeName } from "../../errors.ts";
import { TransportError } from "../../transport/mod.ts";
import type { TimeLimit } from "../time_limit.ts";

/**
 * Finds brokers, for the option `brokers` of `connect()`: the pods of a Kubernetes service, the instances that the API of a
 * cloud lists.
 *
 * @param signal Is aborted when it has taken too long, or is not needed any more.
 * @returns URLs such as `tcp://10.0.0.7:61616`, each of which may have options as those within `failover:(…)`.
 *
 * @example
 * ```ts
 * import { connect, type FindBrokers } from "../../mod.ts";
 * import { MemoryBroker } from "../../testing/mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * await using broker = await MemoryBroker.listen();
 * const brokers: FindBrokers = () => [broker.url];
 * await using connection = await connect([], { brokers });
 * assertEquals(connection.connected, true);
 * ```
 */
export type FindBrokers = (
  signal: AbortSignal,
) => readonly (string | URL)[] | Promise<readonly (string | URL)[]>;

/**
 * Asks a function of the application for brokers.
 *
 * @throws {TransportError} `"CONNECT_FAILED"` when it throws.
 * @throws {TypeError} When it returns no array.
 * @throws The error of the limit.
 */
export async function findBrokers(
  find: FindBrokers,
  limit: TimeLimit,
): Promise<readonly (string | URL)[]> {
  let found: unknown;
  try {
    found = await limit.race((async () => await find(limit.signal))());
  } catch (error) {
    if (limit.signal.aborted) throw limit.signal.reason;
    throw new TransportError("CONNECT_FAILED", `Cannot find brokers: ${toError(error).message}`, {
      cause: error,
      retryable: true,
    });
  }
  if (Array.isArray(found)) return found;
  throw new TypeError(
    `Cannot find brokers: the option brokers returned a value of type ${
      typeName(found)
    }, an array of URLs is expected`,
  );
}
