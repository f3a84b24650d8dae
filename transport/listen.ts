/**
 * Waiting for connections, as a broker does; for tests.
 *
 * @module
 */

import { LISTEN_OPTIONS } from "./_option_names.ts";
import { numberText } from "../errors.ts";
import { runtimeAdapter } from "./_runtime.ts";
import type { Listener, ListenOptions } from "./transport.ts";

/**
 * Listens for connections.
 *
 * @param options Where to listen; a free port of 127.0.0.1 by default.
 * @returns The listener.
 * @throws {TransportError} The runtime can't listen there.
 * @throws {RangeError} The port is no port.
 *
 * @example A free port
 * ```ts
 * import { listen } from "./mod.ts";
 * import { assert } from "@std/assert";
 *
 * await using listener = await listen();
 * assert(listener.port > 0);
 * ```
 */
export async function listen(options: ListenOptions = {}): Promise<Listener> {
  LISTEN_OPTIONS.check(options, "Cannot listen");
  const { hostname = "127.0.0.1", port = 0, noDelay = true } = options;
  if (!(Number.isInteger(port) && port >= 0 && port <= 65535)) {
    throw new RangeError(`port must be 0 to 65535, got ${numberText(port)}`);
  }
  return await runtimeAdapter().listen({ hostname, port, noDelay });
}
