/**
 * A broker in memory to test against, on Deno, Bun and Node, without Java and without ActiveMQ.
 *
 * It does on the wire what ActiveMQ Classic 5.17 does with its default policies; most of the tests of this module run
 * against both. It speaks all versions of OpenWire, over TCP ({@linkcode MemoryBroker.listen}) or without a socket
 * ({@linkcode MemoryBroker.connect}), and has
 *
 * - queues, topics, temporary ones, composite names, wildcards for consumers, virtual topics (`VirtualTopic.X`); what is
 *   sent to a name with wildcards goes to a destination of that very name, as in ActiveMQ;
 * - prefetch windows, also changed while in use, consumers that pull, queue browsers, selectors, noLocal, exclusive
 *   consumers, consumer priorities, message groups, durable subscriptions;
 * - all types of acknowledgements, redelivery counters, expiry, the dead letter queue `ActiveMQ.DLQ`;
 * - local and distributed (XA) transactions;
 * - scheduled messages with delay, period, repetitions and cron, and the topic that manages them;
 * - ProducerAcks, and queues that are full when a test says so ({@linkcode MemoryBroker.limitQueue});
 * - suppression of persistent messages that come twice, also from a connection that came back;
 * - users with passwords, keep-alives, and everything about opening and closing.
 *
 * Tests make things go wrong with {@linkcode MemoryBroker.fault} and {@linkcode MemoryBroker.intercept} (drop, delay,
 * refuse, close), {@linkcode MemoryBroker.disconnectClients} and {@linkcode MemoryBroker.suspend}.
 *
 * What it does not do:
 *
 * - It keeps nothing on disk: all is gone with {@linkcode MemoryBroker.close}. It never runs out of memory by itself:
 *   only queues get full, and only when a test says so; messages that a virtual topic copies into a full queue are
 *   taken. Topics, the store and the whole broker are never full.
 * - It is in no network of brokers: consumers of networks, and commands between brokers, are refused.
 * - Who may connect may do everything: there is no authorization for destinations, no groups, no TLS, no JAAS.
 * - There are no policies for destinations but `topicPolicies`, which limit pending messages and keep some for retroactive
 *   consumers, and `advisoryPolicies`: no slow consumers that are aborted, no other dead letter queues, no redelivery by the broker, no priorities of
 *   messages. As in an ActiveMQ without policies, what a client says about them is accepted and means nothing.
 * - There are advisories but those of full queues, fast producers, virtual consumers and networks.
 * - Selectors with XPATH, XQUERY or functions are refused.
 * - Two things differ for the better: consumers with selectors find their messages behind any number of others, where
 *   ActiveMQ looks at 200, and messages that are persistent and that aren't stay in one order, where ActiveMQ keeps the
 *   order of each kind.
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
 * @example Does it try again when its second message gets lost with the connection?
 * ```ts ignore
 * await using broker = await MemoryBroker.listen();
 * const fault = broker.fault({ command: "Message", nth: 2, action: "close" });
 *
 * await sendThreeOrders(`failover:(${broker.url})`); // what you test
 * assertEquals(fault.hits, 1);
 * assertEquals(broker.queue("orders").enqueued, 3);
 * ```
 *
 * @module
 */

export { OpenWireError, type OpenWireErrorOptions } from "../errors.ts";
export type { WireFormatOptions } from "../codec/mod.ts";
export type { Transport } from "../transport/mod.ts";
export type { BaseCommand, Message } from "../codec/mod.ts";
export {
  CreatedMessage,
  createMessage,
  type CreateMessageOptions,
  type MessageSettlement,
} from "../client/message/created_message.ts";
export type { AdvisoryPolicy } from "./advisory_policies.ts";
export type { TopicPolicy } from "./topic_policies.ts";
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
