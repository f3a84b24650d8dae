/**
 * A broker in memory to test against, on Deno, Bun and Node, without ActiveMQ.
 *
 * It has queues and topics, temporary ones, composite names, wildcards, virtual topics, message groups, exclusive
 * consumers and consumer priorities, prefetch windows, all types of acknowledgements, redelivery, expiry, the dead letter
 * queue, producer windows, users, keep-alives, and speaks all versions of OpenWire.
 *
 * It refuses, with an exception that says so: transactions, durable subscriptions, selectors, queue browsers, consumers
 * that pull, and networks of brokers. Advisory topics can be subscribed to but stay silent; message priorities, delays and
 * schedules, retroactive consumers and limits of pending messages have no effect, as in ActiveMQ when it isn't
 * configured for them. Nothing is kept beyond {@linkcode MemoryBroker.close}.
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
export type { BaseCommand } from "../codec/mod.ts";
export type { Fault, FaultOptions } from "./fault.ts";
export type {
  CommandDirection,
  InterceptAction,
  InterceptContext,
  InterceptedConnection,
  Interception,
  Interceptor,
} from "./interception.ts";
export * from "./memory_broker.ts";
export * from "./memory_broker_options.ts";
