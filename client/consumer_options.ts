/**
 * Options of a consumer.
 *
 * @module
 */

import { type ActiveMQDestination, createConsumerInfo } from "../codec/mod.ts";
import type { ConsumerId, ConsumerInfo } from "../codec/mod.ts";
import type { BodyCodec } from "./body_codec.ts";
import type { CallOptions } from "./call_options.ts";
import { bytes, type ConnectionSettings } from "./options.ts";
import { checkPendingLimit, checkPrefetchSize, type PrefetchPolicy } from "./prefetch_policy.ts";
import { type RedeliveryPolicy, resolveRedeliveryPolicy } from "./redelivery_policy.ts";
import type { AcknowledgeMode } from "./acknowledge_mode.ts";

/**
 * Options of a consumer.
 *
 * @example
 * ```ts
 * import type { ConsumerOptions } from "../mod.ts";
 *
 * const options: ConsumerOptions = { prefetchSize: 10, selector: "region = 'eu-west-1'" };
 * ```
 */
export interface ConsumerOptions extends CallOptions {
  /**
   * How many messages the broker sends ahead, 0 to 32,767; what the connection's `prefetchPolicy` says by default. With 0 it
   * sends one each time that one is asked for.
   */
  prefetchSize?: number | undefined;
  /** Messages that the broker keeps for a slow consumer of a topic before it discards some; 0 for its own limit. */
  maximumPendingMessageLimit?: number | undefined;
  /**
   * Bytes of bodies and properties that may wait here to be taken. When there are more the broker is asked to send none until
   * half of them were taken; what is on its way still comes. 0 for no limit.
   *
   * @default {16_777_216}
   */
  maxBufferedBytes?: number | undefined;
  /** SQL-92 condition on headers and properties; all messages by default. */
  selector?: string | undefined;
  /** Whether messages sent through the same connection are left out (topics). @default {false} */
  noLocal?: boolean | undefined;
  /** Whether to be the only consumer of the queue that gets messages; `exclusiveConsumer` of the connection by default. */
  exclusive?: boolean | undefined;
  /**
   * Whether to get messages of a topic from before, if the broker kept some; `useRetroactiveConsumer` of the connection by
   * default.
   */
  retroactive?: boolean | undefined;
  /** Consumers of a higher priority are served first; -128 to 127. @default {0} */
  priority?: number | undefined;
  /** Whether the broker dispatches from a thread of its own; `dispatchAsync` of the connection by default. */
  dispatchAsync?: boolean | undefined;
  /**
   * Name of a durable subscription: while there is no consumer the broker keeps the messages of the topic. The connection
   * must have been given a `clientId`; both together name the subscription. It lasts until `connection.unsubscribe()`.
   */
  subscriptionName?: string | undefined;
  /**
   * Whether many messages are acknowledged at once, in mode `"auto"`; `optimizeAcknowledge` of the connection by default.
   */
  optimizeAcknowledge?: boolean | undefined;
  /** How often and when a failed message is given again; what the connection says by default. */
  redeliveryPolicy?: RedeliveryPolicy | undefined;
  /** How `message.getBody()` reads bodies; by their kind by default. */
  codec?: BodyCodec<unknown> | undefined;
}
