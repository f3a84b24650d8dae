/**
 * What a test says when it makes a broker, and what it sees of it.
 *
 * @module
 */

import type { WireFormatOptions } from "../codec/mod.ts";
import type { AdvisoryPolicy } from "./advisory_policies.ts";
import type { TopicPolicy } from "./topic_policies.ts";

/**
 * Options of a {@linkcode MemoryBroker}.
 *
 * @example
 * ```ts
 * import { MemoryBroker, type MemoryBrokerOptions } from "./mod.ts";
 *
 * const options: MemoryBrokerOptions = { users: { app: "secret" }, wireFormat: { version: 9 } };
 * await using broker = new MemoryBroker(options);
 * ```
 */
export interface MemoryBrokerOptions {
  /** Passwords by user name; others are refused. Without it everybody may connect. */
  users?: Readonly<Record<string, string>> | undefined;
  /** Whether clients without a user name may connect although there are users. @default {false} */
  allowAnonymous?: boolean | undefined;
  /**
   * What to offer to clients. By default what ActiveMQ offers: version 12, tight encoding, the cache and stack traces.
   */
  wireFormat?: WireFormatOptions | undefined;
  /** Name by which the broker introduces itself. @default {"memory"} */
  brokerName?: string | undefined;
  /**
   * Whether messages with AMQ_SCHEDULED_ properties are sent later. Without it they are sent at once, as by an ActiveMQ
   * that is not configured for schedules. @default {true}
   */
  schedulerSupport?: boolean | undefined;
  /** What is done with the messages of topics; by default none are discarded, and none are kept for consumers that come later. */
  topicPolicies?: readonly TopicPolicy[] | undefined;
  /**
   * Whether the broker answers `connection.statistics`, as an ActiveMQ with `<statisticsBrokerPlugin/>`. @default {false}
   */
  statisticsPlugin?: boolean | undefined;
  /** Whether the broker reports on advisory topics what comes and goes. @default {true} */
  advisorySupport?: boolean | undefined;
  /** Whether it reports producers without a destination of their own, too. @default {false} */
  anonymousProducerAdvisorySupport?: boolean | undefined;
  /**
   * Advisories of messages and slow consumers; by default only expired messages and dead letters are reported.
   */
  advisoryPolicies?: readonly AdvisoryPolicy[] | undefined;
}

/**
 * Options of {@linkcode MemoryBroker.listen}.
 *
 * @example
 * ```ts
 * import { MemoryBroker, type MemoryBrokerListenOptions } from "./mod.ts";
 *
 * const options: MemoryBrokerListenOptions = { hostname: "127.0.0.1", port: 0 };
 * await using broker = await MemoryBroker.listen(options);
 * ```
 */
export interface MemoryBrokerListenOptions extends MemoryBrokerOptions {
  /** The port; 0 takes a free one. @default {0} */
  port?: number | undefined;
  /** The address. @default {"127.0.0.1"} */
  hostname?: string | undefined;
}

/**
 * What a queue or topic is at the moment of asking. All is zero for one that does not exist.
 *
 * @example
 * ```ts
 * import { type DestinationStatus, MemoryBroker } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * await using broker = new MemoryBroker();
 * const status: DestinationStatus = broker.queue("orders");
 * assertEquals(status, { size: 0, consumers: 0, enqueued: 0, dequeued: 0, inFlight: 0, blocked: 0, discarded: 0 });
 * ```
 */
export interface DestinationStatus {
  /** Messages that are not consumed, with those that consumers have; 0 for a topic, which keeps none. */
  readonly size: number;
  /** Consumers that get its messages. */
  readonly consumers: number;
  /** Messages that came. */
  readonly enqueued: number;
  /** Messages that went: acknowledged, expired or moved. */
  readonly dequeued: number;
  /** Messages that consumers have and did not acknowledge. */
  readonly inFlight: number;
  /** Messages of producers that wait for space, see {@linkcode MemoryBroker.limitQueue}. */
  readonly blocked: number;
  /**
   * Messages of a topic that were discarded because a consumer was too slow, see `topicPolicies` of
   * {@linkcode MemoryBrokerOptions}. One that was discarded for two consumers counts twice.
   */
  readonly discarded: number;
}

/**
 * How much a queue takes.
 *
 * @example
 * ```ts
 * import { MemoryBroker, type QueueLimit } from "./mod.ts";
 *
 * await using broker = new MemoryBroker();
 * const limit: QueueLimit = { messages: 10, sendFailIfNoSpace: true };
 * broker.limitQueue("orders", limit);
 * ```
 */
export interface QueueLimit {
  /** Messages, consumed ones not counted, from which on the queue is full: 0 or more; `Infinity` for no limit. */
  readonly messages: number;
  /**
   * Whether messages are refused with a ResourceAllocationException when it is full; otherwise they wait.
   * @default {false}
   */
  readonly sendFailIfNoSpace?: boolean | undefined;
}
