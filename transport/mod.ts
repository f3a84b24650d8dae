/**
 * Connections to a broker as web streams of bytes: TCP and TLS on Deno, Bun and Node, and a pair in memory for tests.
 *
 * @example Bytes there and back
 * ```ts
 * import { dial, listen } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * await using listener = await listen();
 * const transport = await dial(`tcp://127.0.0.1:${listener.port}`);
 * for await (const peer of listener) {
 *   void peer.readable.pipeTo(peer.writable); // sends everything back
 *   break;
 * }
 *
 * const writer = transport.writable.getWriter();
 * await writer.write(Uint8Array.of(1, 2, 3));
 * await writer.close(); // nothing more to send; reading goes on
 *
 * const received: number[] = [];
 * for await (const chunk of transport.readable) received.push(...chunk);
 * assertEquals(received, [1, 2, 3]);
 * await transport.closed;
 * ```
 *
 * @module
 */

export { OpenWireError, type OpenWireErrorOptions } from "../errors.ts";
export * from "./address.ts";
export * from "./dial.ts";
export * from "./errors.ts";
export * from "./listen.ts";
export * from "./memory.ts";
export * from "./tls_options.ts";
export * from "./transport.ts";
