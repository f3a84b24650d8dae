/**
 * Connecting to a broker.
 *
 * @module
 */

import { DIAL_OPTIONS } from "./_option_names.ts";
import { dialWith } from "./_dial_with.ts";
import { runtimeAdapter } from "./_runtime.ts";
import type { DialOptions, Transport } from "./transport.ts";

/**
 * Connects to a broker.
 *
 * @param url Such as `tcp://localhost:61616`, or `ssl://localhost:61617` for TLS; these are the default ports.
 * @param options Timeout, signal, options of the socket and of TLS.
 * @returns The open connection.
 * @throws {TransportError} No connection could be made; `code` and `retryable` tell more.
 * @throws {RangeError} The timeout is no number of milliseconds.
 * @throws {TypeError} An option of TLS is not PEM text, lacks its counterpart, or is for a URL without TLS.
 * @throws The reason of the signal when it is aborted.
 *
 * @example Talking to an echo server
 * ```ts
 * import { dial, listen } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * await using listener = await listen();
 * (async () => {
 *   for await (const peer of listener) await peer.readable.pipeTo(peer.writable);
 * })();
 *
 * const transport = await dial(`tcp://127.0.0.1:${listener.port}`, { connectTimeout: 5_000 });
 * const writer = transport.writable.getWriter();
 * await writer.write(new TextEncoder().encode("hello"));
 * await writer.close();
 * assertEquals(await new Response(transport.readable).text(), "hello");
 * await transport.closed;
 * ```
 */
export async function dial(url: string | URL, options: DialOptions = {}): Promise<Transport> {
  DIAL_OPTIONS.check(options, "Cannot connect");
  return await dialWith((target, how) => runtimeAdapter().connect(target, how), url, options);
}
