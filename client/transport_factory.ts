/**
 * Transports that the application makes.
 *
 * @module
 */

import { OpenWireError, toError, typeName } from "../errors.ts";
import { type Transport, TransportError } from "../transport/mod.ts";
import type { TimeLimit } from "./time_limit.ts";

/**
 * Makes a connection to a broker, for the option `transport` of `connect()`: through a WebSocket, a unix socket, a proxy.
 *
 * It is called for each attempt to connect to each broker, and must return a new transport each time. What it throws is a
 * failed attempt, like a refused connection: a `TransportError` as it is, anything else as the `cause` of one of the code
 * `"CONNECT_FAILED"`.
 *
 * @param address The broker's address without options: `tcp://host:port` or `ssl://host:port` with the port, as
 *   `beforeConnect` gets it. An address of any other scheme comes as it was written, such as `ws://gateway/broker` or
 *   `unix:/run/broker.sock`.
 * @param signal Is aborted when the attempt has taken too long, or is not wanted any more. A transport that comes later is
 *   closed.
 * @returns An open transport, which is closed with the connection.
 *
 * @example
 * ```ts
 * import { connect, type TransportFactory } from "../mod.ts";
 * import { MemoryBroker } from "../testing/mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const broker = new MemoryBroker();
 * const transport: TransportFactory = () => broker.connect();
 * await using connection = await connect("memory:/broker", { transport, failover: {} });
 * assertEquals(connection.connected, true);
 * ```
 */
export type TransportFactory = (
  address: string,
  signal: AbortSignal,
) => Transport | Promise<Transport>;

/** The application's function has returned something else than a new transport: trying again would not help. */
export class NoTransportError extends TypeError {}

/**
 * Makes a transport with a function of the application.
 *
 * @param factory The function.
 * @param address The address of the broker.
 * @param limit How long the attempt may take.
 */
export async function makeTransport(
  factory: TransportFactory,
  address: string,
  limit: TimeLimit,
): Promise<Transport> {
  const { signal } = limit;
  const making = (async () => {
    const made = await factory(address, signal);
    if (signal.aborted) closeLate(made, signal.reason);
    return made;
  })();
  try {
    return checkTransport(await limit.race(making), `the function for ${address} returned`);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof NoTransportError || error instanceof TransportError) throw error;
    const message = `Cannot connect to ${address}: ${toError(error).message}`;
    // What our own errors say of it holds for the attempt, too.
    const retryable = !(error instanceof OpenWireError) || error.retryable;
    throw new TransportError("CONNECT_FAILED", message, { cause: error, retryable });
  }
}

/**
 * Checks a transport.
 *
 * @param given What the application gave.
 * @param what Where that comes from, for the error.
 * @throws {NoTransportError} When it is none, or is in use already.
 */
export function checkTransport(given: unknown, what: string): Transport {
  if (!isTransport(given)) {
    throw new NoTransportError(
      `Cannot use the option transport: ${what} a value of type ${
        typeName(given)
      }, a Transport is expected`,
    );
  }
  if (given.readable.locked || given.writable.locked) {
    throw new NoTransportError(
      `Cannot use the option transport: ${what} one that is in use already, a new Transport is expected`,
    );
  }
  return given;
}

function isTransport(given: unknown): given is Transport {
  if (typeof given !== "object" || given === null) return false;
  const { readable, writable, closed, close, remoteAddress } = given as Partial<Transport>;
  return typeof readable?.pipeThrough === "function" && typeof writable?.getWriter === "function" &&
    typeof closed?.then === "function" && typeof close === "function" &&
    typeof remoteAddress === "string";
}

function closeLate(made: unknown, reason: unknown): void {
  try {
    if (isTransport(made)) made.close(reason);
  } catch {
    // Nobody waits for it.
  }
}
