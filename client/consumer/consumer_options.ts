/**
 * Options of a consumer.
 *
 * @module
 */

import { OptionNames } from "../../option_names.ts";
import { numberText } from "../../errors.ts";
import {
  type ActiveMQDestination,
  type ConsumerId,
  type ConsumerInfo,
  createConsumerInfo,
} from "../../codec/mod.ts";
import type { BodyCodec } from "../message/body_codec.ts";
import type { CallOptions } from "../call_options.ts";
import { requireCapability } from "../capabilities.ts";
import { nameOf } from "../destination/destination.ts";
import { isSeveral } from "../destination/destination_pattern.ts";
import { bytes, type ConnectionSettings } from "../options.ts";
import { checkPendingLimit, checkPrefetchSize, type PrefetchName } from "./prefetch_policy.ts";
import {
  type RedeliveryPolicy,
  redeliveryPolicyFor,
  resolveRedeliveryPolicy,
} from "./redelivery_policy.ts";
import type { AcknowledgeMode } from "./acknowledge_mode.ts";
import { checkSelector } from "../selector/mod.ts";
import type { Resolved } from "../resolved.ts";
import { FIRST_CHUNKS } from "../stream/chunk_header.ts";
import { type ReceiveStreamOptions, resolveStreams } from "../stream/stream_options.ts";
import type { SessionContext } from "../session_context.ts";

/**
 * Options of a consumer.
 *
 * @example
 * ```ts
 * import type { ConsumerOptions } from "../../mod.ts";
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
   * Bytes of bodies and properties that may wait here to be taken; 0 for no limit. What has come by then stays, and messages
   * come again when half of them were taken. The default is 16,777,216, for topics without a durable subscription 134,217,728.
   *
   * For queues and durable subscriptions the broker is asked to send none meanwhile; what is on its way still comes. From a
   * topic it would discard messages then, so the connection reads nothing from its socket instead, unless a call waits for the
   * broker: `status()` emits `"reading-paused"`, and its other consumers get nothing either.
   */
  maxBufferedBytes?: number | undefined;
  /**
   * Messages that the application may have without having settled them; 0 for no limit. A consumer that has more to deliver
   * waits until some are acknowledged, rejected or retried, or the transaction has ended: `receive()` waits, handlers and loops
   * get nothing, and `status()` emits `"unacknowledged-limit"`.
   *
   * It matters in the modes `"individual"`, `"client"` and `"transacted"`, where the prefetch size is no limit for these. In the
   * others no more are unsettled than are being handled. With `consume()` it must be the `concurrency` or more.
   *
   * @default {10_000}
   */
  maxUnacknowledged?: number | undefined;
  /** SQL-92 condition on headers and properties; all messages by default, or when it is blank. */
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
   * Name of a shared subscription: each message of the topic goes to one of the consumers that have the same name for the same
   * topic, whatever their connections and client ids. Without dots, commas, spaces and wildcards. Artemis shares any topic,
   * ActiveMQ virtual topics: those whose names begin with `VirtualTopic.`.
   *
   * Each message waits in a queue. One that the `selector` of no consumer wants stays there.
   */
  shared?: string | undefined;
  /**
   * Whether a shared subscription lasts while it has no consumer, until `connection.unsubscribe()` with its topic. Otherwise its
   * queue is deleted when its last consumer is closed; if that was lost with its process, ActiveMQ keeps the queue until another
   * one is closed. All consumers of a subscription should say the same.
   *
   * @default {false}
   */
  durable?: boolean | undefined;
  /**
   * Whether many messages are acknowledged at once, in mode `"auto"`; `optimizeAcknowledge` of the connection by default.
   */
  optimizeAcknowledge?: boolean | undefined;
  /**
   * Whether bodies that were sent with `sendStream()` come as one message each, whose `readable` is the whole body; with an
   * object, how they are read. Otherwise each chunk is a bytes message of its own.
   *
   * The consumer needs a single queue, a `prefetchSize` of 1 or more, and one of the modes `"auto"`, `"dups-ok"` and
   * `"individual"`; in the first two it can't be used with `receive()`, which acknowledges before anything was read.
   *
   * @default {false}
   */
  streams?: boolean | ReceiveStreamOptions | undefined;
  /** How often and when a failed message is given again; what the connection says by default. */
  redeliveryPolicy?: RedeliveryPolicy | undefined;
  /** How `message.getBody()` reads bodies; by their kind by default. */
  codec?: BodyCodec<unknown> | undefined;
}

/** What a consumer goes by: the user's options with the connection's as defaults. */
export interface ConsumerSettings {
  readonly prefetchSize: number;
  /** What the user has said that in, such as `prefetchPolicy.all`; undefined for the default. */
  readonly prefetchFrom: string | undefined;
  readonly maxBufferedBytes: number;
  /** 0 for no limit. */
  readonly maxUnacknowledged: number;
  /** Whether the user has given that. */
  readonly maxUnacknowledgedGiven: boolean;
  /** Whether the broker keeps nothing for it that is too much: it consumes from a topic without a durable subscription. */
  readonly lossy: boolean;
  readonly optimizeAcknowledge: boolean;
  readonly redeliveryPolicy: Resolved<RedeliveryPolicy>;
  /** How streams are read; undefined if they aren't. */
  readonly streams: Resolved<ReceiveStreamOptions> | undefined;
}

/** What kind of consumer it is. */
export interface ConsumerKind {
  readonly mode: AcknowledgeMode;
  readonly browser: boolean;
  /** Whether what is named as a topic is a queue of it, with `::` in its name (Artemis: FQQN). */
  readonly queueOfTopic?: boolean;
}

/** Checks options and fills in the defaults. */
export function resolveConsumerOptions(
  options: ConsumerOptions,
  settings: ConnectionSettings,
  destination: ActiveMQDestination,
  kind: ConsumerKind,
): ConsumerSettings {
  const { selector, priority = 0, subscriptionName, maximumPendingMessageLimit } = options;
  if (!Number.isInteger(priority) || priority < -128 || priority > 127) {
    throw new RangeError(
      `Cannot use ${numberText(priority)} as priority: an integer from -128 to 127 is expected`,
    );
  }
  if (selector !== undefined && typeof selector !== "string") {
    throw new TypeError("Cannot use the selector: a string is expected");
  }
  if (selector?.trim()) checkSelector(selector);
  const lossy = isLossy(destination, options, kind);
  if (maximumPendingMessageLimit !== undefined) {
    checkPendingLimit(maximumPendingMessageLimit);
    if (maximumPendingMessageLimit > 0 && !lossy) {
      throw new TypeError(
        `Cannot use maximumPendingMessageLimit for ${
          nameOf(destination)
        }: the broker only discards messages of topics without a subscription that keeps them`,
      );
    }
  }
  if (subscriptionName !== undefined) {
    if (typeof subscriptionName !== "string" || subscriptionName.trim() === "") {
      throw new TypeError("Cannot use the subscriptionName: a name is expected");
    }
    if (destination.dataType !== "ActiveMQTopic") {
      throw new TypeError("Cannot subscribe durably: only topics have durable subscriptions");
    }
  }
  const policy = options.redeliveryPolicy;
  const prefetchName = prefetchNameOf(destination, options, kind);
  const { given } = settings.prefetchPolicy;
  const { maxUnacknowledged } = options;
  const prefetchSize = options.prefetchSize === undefined
    ? settings.prefetchPolicy[prefetchName]
    : checkPrefetchSize("prefetchSize", options.prefetchSize);
  const streams = resolveStreams(options.streams);
  if (streams) checkStreams(destination, prefetchSize, kind);
  return {
    prefetchSize,
    streams,
    prefetchFrom: options.prefetchSize === undefined ? given[prefetchName] : "prefetchSize",
    maxBufferedBytes: bytes(
      "maxBufferedBytes",
      options.maxBufferedBytes,
      lossy ? 134_217_728 : 16_777_216,
    ),
    maxUnacknowledged: checkUnacknowledged(maxUnacknowledged),
    maxUnacknowledgedGiven: maxUnacknowledged !== undefined,
    lossy,
    optimizeAcknowledge: !kind.browser &&
      (options.optimizeAcknowledge ?? settings.optimizeAcknowledge),
    redeliveryPolicy: policy
      ? resolveRedeliveryPolicy(policy)
      : redeliveryPolicyFor(settings.redeliveryPolicies, destination),
  };
}

/**
 * Checks whether a consumer can read streams.
 *
 * @throws {TypeError} When it can't.
 */
function checkStreams(
  destination: ActiveMQDestination,
  prefetchSize: number,
  { mode }: ConsumerKind,
): void {
  const action = `Cannot read streams from ${nameOf(destination)}`;
  if (isTopic(destination) || isSeveral(destination)) {
    throw new TypeError(`${action}: a single queue is expected`);
  }
  if (prefetchSize === 0) throw new TypeError(`${action}: a prefetchSize of 1 or more is expected`);
  if (mode === "client" || mode === "transacted") {
    throw new TypeError(
      `${action} in mode "${mode}": "auto", "dups-ok" or "individual" is expected`,
    );
  }
}

/**
 * Refuses options that the broker is known to ignore.
 *
 * @throws {OpenWireError} `"UNSUPPORTED"`
 */
export function checkSupported(
  destination: ActiveMQDestination,
  options: ConsumerOptions,
  { settings, capabilities }: Pick<SessionContext, "settings" | "capabilities">,
): void {
  const action = `Cannot open a consumer for ${nameOf(destination)}`;
  const topic = isTopic(destination);
  if (options.exclusive ?? settings.exclusiveConsumer) {
    requireCapability(capabilities(), "exclusiveConsumers", action);
  }
  if (options.retroactive ?? (topic && settings.useRetroactiveConsumer)) {
    requireCapability(capabilities(), "retroactiveConsumers", action);
  }
  const limit = options.maximumPendingMessageLimit ??
    settings.prefetchPolicy.maximumPendingMessageLimit;
  if (limit > 0) requireCapability(capabilities(), "maximumPendingMessageLimit", action);
}

function isTopic({ dataType }: ActiveMQDestination): boolean {
  return dataType === "ActiveMQTopic" || dataType === "ActiveMQTempTopic";
}

/** Whether nothing in the broker keeps messages for the consumer. */
function isLossy(
  destination: ActiveMQDestination,
  { subscriptionName, shared }: ConsumerOptions,
  { queueOfTopic = false }: ConsumerKind,
): boolean {
  return isTopic(destination) && subscriptionName === undefined && shared === undefined &&
    !queueOfTopic;
}

/** The part of the prefetch policy that a consumer goes by. */
function prefetchNameOf(
  destination: ActiveMQDestination,
  options: ConsumerOptions,
  kind: ConsumerKind,
): PrefetchName {
  if (kind.browser) return "queueBrowserPrefetch";
  if (options.subscriptionName !== undefined) {
    return kind.mode === "auto" ? "optimizeDurableTopicPrefetch" : "durableTopicPrefetch";
  }
  return isLossy(destination, options, kind) ? "topicPrefetch" : "queuePrefetch";
}

function checkUnacknowledged(value = 10_000): number {
  if (Number.isInteger(value) && value >= 0 && value <= 0x7fffffff) return value;
  throw new RangeError(
    `Cannot use ${
      numberText(value)
    } as maxUnacknowledged: an integer from 0 to 2147483647 is expected`,
  );
}

/** The command that announces a consumer. */
export function toConsumerInfo(
  consumerId: ConsumerId,
  destination: ActiveMQDestination,
  options: ConsumerOptions,
  settings: ConnectionSettings,
  { prefetchSize, optimizeAcknowledge }: ConsumerSettings,
  { mode, browser }: ConsumerKind,
  clientId: string,
): ConsumerInfo {
  return createConsumerInfo({
    consumerId,
    clientId,
    destination,
    browser,
    prefetchSize,
    maximumPendingMessageLimit: options.maximumPendingMessageLimit ??
      settings.prefetchPolicy.maximumPendingMessageLimit,
    subscriptionName: options.subscriptionName ?? null,
    selector: selectorOf(options),
    noLocal: options.noLocal ?? false,
    exclusive: options.exclusive ?? settings.exclusiveConsumer,
    retroactive: options.retroactive ?? (isTopic(destination) && settings.useRetroactiveConsumer),
    priority: options.priority ?? 0,
    dispatchAsync: options.dispatchAsync ?? settings.dispatchAsync,
    optimizedAcknowledge: optimizeAcknowledge && mode === "auto",
  });
}

/** Who reads streams gets their first chunks, and takes the others when they are read. */
function selectorOf({ selector, streams }: ConsumerOptions): string | null {
  // As in JMS: a blank one is none.
  const given = selector?.trim() ? selector : null;
  if (!streams) return given;
  return given === null ? FIRST_CHUNKS : `(${given}) AND ${FIRST_CHUNKS}`;
}

/** The names of these options. */
export const CONSUMER_OPTIONS: OptionNames<ConsumerOptions> = new OptionNames<ConsumerOptions>({
  prefetchSize: true,
  maximumPendingMessageLimit: true,
  maxBufferedBytes: true,
  maxUnacknowledged: true,
  selector: true,
  noLocal: true,
  exclusive: true,
  retroactive: true,
  priority: true,
  dispatchAsync: true,
  subscriptionName: true,
  shared: true,
  durable: true,
  optimizeAcknowledge: true,
  streams: true,
  redeliveryPolicy: true,
  codec: true,
  timeout: true,
  signal: true,
});
