/**
 * A broker in memory to test against, on Deno, Bun and Node, without ActiveMQ.
 *
 * @example A test of your own
 * ```ts
 * import { MemoryBroker } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * await using broker = await MemoryBroker.listen({ users: { app: "secret" } });
 *
 * // Give `broker.url` to what you test, here it would be connected to "tcp://127.0.0.1:…". Then see what it did:
 * await broker.until(() => broker.queue("orders").size === 0);
 * assertEquals(broker.queue("orders").dequeued, 0);
 * assertEquals(broker.connections, 0);
 * ```
 *
 * @module
 */

export { OpenWireError, type OpenWireErrorOptions } from "../errors.ts";
export type { WireFormatOptions } from "../codec/mod.ts";
export type { Transport } from "../transport/mod.ts";
export * from "./memory_broker.ts";
