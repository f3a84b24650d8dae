/**
 * Statistics of a broker with the statistics plugin.
 *
 * @module
 */

import { CALL_OPTIONS } from "../call_options.ts";
import { OptionNames } from "../../option_names.ts";
import type { ActiveMQDestination, PrimitiveMap, PrimitiveMapInput } from "../../codec/mod.ts";
import { OpenWireError } from "../../errors.ts";
import { requireCapability } from "../capabilities.ts";
import type { CallOptions } from "../call_options.ts";
import type { Connection } from "../connection.ts";
import { partsOf } from "../destination/composite.ts";
import {
  type Destination,
  fromBrokerText,
  nameOf,
  queue,
  toDestination,
  topic,
} from "../destination/destination.ts";
import { isSeveral } from "../destination/destination_pattern.ts";
import { BrokerError, TimeoutError } from "../errors.ts";
import type { Message } from "../message/message.ts";
import type { Logger } from "../observe/logger.ts";
import { milliseconds } from "../options.ts";
import { ReplyQueue } from "../request/reply_queue.ts";
import { TimeLimit } from "../time_limit.ts";

/**
 * What brokers and destinations count. Numbers above 2^53 are rounded; what the broker did not tell is NaN.
 *
 * @example
 * ```ts
 * import type { MessageStatistics } from "../../mod.ts";
 *
 * const isStuck = ({ size, consumerCount }: MessageStatistics) => size > 1000 && consumerCount === 0;
 * ```
 */
export interface MessageStatistics {
  /** Name of the broker. */
  readonly brokerName: string;
  /** Id of the broker. */
  readonly brokerId: string;
  /** Messages there are. */
  readonly size: number;
  /** Messages that have come. */
  readonly enqueueCount: number;
  /** Messages that were acknowledged. */
  readonly dequeueCount: number;
  /** Messages that were given to consumers. */
  readonly dispatchCount: number;
  /** Messages that were too old. */
  readonly expiredCount: number;
  /** Messages that consumers have and did not acknowledge. */
  readonly inflightCount: number;
  /** Messages in memory. */
  readonly messagesCached: number;
  /** Bytes of a message, in the mean. */
  readonly averageMessageSize: number;
  /** Milliseconds that messages were there before they were acknowledged, in the mean. */
  readonly averageEnqueueTime: number;
  /** Milliseconds that the slowest message was there. */
  readonly maxEnqueueTime: number;
  /** Milliseconds that the fastest message was there. */
  readonly minEnqueueTime: number;
  /** Bytes of memory in use. */
  readonly memoryUsage: number;
  /** Bytes of memory that may be used. */
  readonly memoryLimit: number;
  /** Memory in use, in percent. */
  readonly memoryPercentUsage: number;
  /** Consumers there are. */
  readonly consumerCount: number;
  /** Producers there are. */
  readonly producerCount: number;
  /** All that the broker told, by its own names. */
  readonly values: PrimitiveMap;
}

/**
 * Statistics of a broker.
 *
 * @example
 * ```ts
 * import type { BrokerStatistics } from "../../mod.ts";
 *
 * const isNearlyFull = ({ storePercentUsage }: BrokerStatistics) => storePercentUsage > 80;
 * ```
 */
export interface BrokerStatistics extends MessageStatistics {
  /** Bytes of the store in use. */
  readonly storeUsage: number;
  /** Bytes of the store that may be used. */
  readonly storeLimit: number;
  /** Store in use, in percent. */
  readonly storePercentUsage: number;
  /** Bytes of temporary files in use. */
  readonly tempUsage: number;
  /** Bytes of temporary files that may be used. */
  readonly tempLimit: number;
  /** Temporary files in use, in percent. */
  readonly tempPercentUsage: number;
  /** Folder of the broker's data. */
  readonly dataDirectory: string;
  /** Addresses by name of the protocol, such as `openwire` or `stomp`. */
  readonly connectors: Readonly<Record<string, string>>;
}

/**
 * Statistics of a queue or topic.
 *
 * @example
 * ```ts
 * import type { DestinationStatistics } from "../../mod.ts";
 *
 * const describe = ({ destination, size }: DestinationStatistics) => `${destination.physicalName}: ${size}`;
 * ```
 */
export interface DestinationStatistics extends MessageStatistics {
  /** The queue or topic. */
  readonly destination: ActiveMQDestination;
  /**
   * When the first of its messages came, in milliseconds since 1970; null when there is none, or that was not asked for.
   */
  readonly firstMessageTimestamp: number | null;
}

/**
 * Statistics of a consumer.
 *
 * @example
 * ```ts
 * import type { SubscriptionStatistics } from "../../mod.ts";
 *
 * const describe = ({ clientId, destinationName }: SubscriptionStatistics) => `${clientId} consumes ${destinationName}`;
 * ```
 */
export interface SubscriptionStatistics {
  /** Name of the broker. */
  readonly brokerName: string;
  /** Id of the broker. */
  readonly brokerId: string;
  /** Name of what it consumes. The broker does not tell whether that is a queue or a topic. */
  readonly destinationName: string;
  /** Client id of its connection. */
  readonly clientId: string;
  /** Id of its connection. */
  readonly connectionId: string;
  /** Number of its session. */
  readonly sessionId: number;
  /** Its selector; null without one. */
  readonly selector: string | null;
  /** Messages that the broker sends ahead. */
  readonly prefetchSize: number;
  /** Messages of a topic that may wait for it; 0 when the broker has no limit. */
  readonly maximumPendingMessageLimit: number;
  /** Messages that came for it. */
  readonly enqueueCounter: number;
  /** Messages that it has acknowledged. */
  readonly dequeueCounter: number;
  /** Messages that were sent to it. */
  readonly dispatchedCounter: number;
  /** Messages that it has and did not acknowledge. */
  readonly dispatchedQueueSize: number;
  /** Whether the broker takes it for too slow. */
  readonly slowConsumer: boolean;
  /** Whether it is the only one of its queue that gets messages. */
  readonly exclusive: boolean;
  /** Whether it has asked for messages from before. */
  readonly retroactive: boolean;
  /** All that the broker told, by its own names. */
  readonly values: PrimitiveMap;
}

/**
 * Options of `connection.statistics.broker()`.
 *
 * @example
 * ```ts
 * import type { BrokerStatisticsOptions } from "../../mod.ts";
 *
 * const options: BrokerStatisticsOptions = { reset: true };
 * ```
 */
export interface BrokerStatisticsOptions extends CallOptions {
  /** Whether the broker's counters begin at 0 again, before they are told. @default {false} */
  reset?: boolean | undefined;
}

/**
 * Options of `connection.statistics.destinations()`.
 *
 * @example
 * ```ts
 * import type { DestinationStatisticsOptions } from "../../mod.ts";
 *
 * const options: DestinationStatisticsOptions = { firstMessageTimestamp: true };
 * ```
 */
export interface DestinationStatisticsOptions extends CallOptions {
  /** Whether to tell when the first message came, for which the broker looks into the queue. @default {false} */
  firstMessageTimestamp?: boolean | undefined;
}

/** What {@linkcode Statistics} needs of its connection. */
export type StatisticsConnection = Pick<
  Connection,
  "createTemporaryQueue" | "createConsumer" | "send" | "capabilities"
>;

/** One question to the plugin. */
interface Question {
  readonly destination: ActiveMQDestination;
  readonly properties?: PrimitiveMapInput;
}

const BROKER = "ActiveMQ.Statistics.Broker";
const DESTINATION = "ActiveMQ.Statistics.Destination";
const SUBSCRIPTION = "ActiveMQ.Statistics.Subscription";

/**
 * Statistics of ActiveMQ, which needs `<statisticsBrokerPlugin/>` among its `<plugins>`.
 *
 * Each question has an unguessable correlation id, which the broker copies into its answers. Messages that other clients send to
 * the reply queue are skipped. The answers of {@linkcode subscriptions} have no correlation id: there the plugin's producer id
 * counts, and numbers between those of two answers that have one. A client that asks for statistics itself learns this id. If it
 * connects under this id, it can still forge such answers. Without the plugin, a client that consumes from
 * `ActiveMQ.Statistics.>` sees the questions and can answer them.
 *
 * @example
 * ```ts
 * import { type Connection } from "../../mod.ts";
 *
 * // Names of the queues in which messages wait for nobody.
 * async function neglected(connection: Connection): Promise<string[]> {
 *   const found = await connection.statistics.destinations("queue://>");
 *   return found.filter(({ size, consumerCount }) => size > 0 && consumerCount === 0)
 *     .map(({ destination }) => destination.physicalName);
 * }
 * ```
 */
export class Statistics {
  readonly #connection: StatisticsConnection;
  readonly #requestTimeout: number;
  readonly #log: Logger | undefined;
  /** Whether the broker has answered. */
  #available = false;

  /**
   * Use `connection.statistics`.
   *
   * @ignore Not for users.
   */
  constructor(connection: StatisticsConnection, requestTimeout: number, log: Logger | undefined) {
    this.#connection = connection;
    this.#requestTimeout = requestTimeout;
    this.#log = log;
  }

  /**
   * Statistics of the broker.
   *
   * @param options How long to wait.
   * @throws {OpenWireError} `"UNSUPPORTED"` when the broker has no statistics plugin.
   * @throws {TimeoutError} When the broker did not answer in time.
   * @throws {BrokerError} When the broker refuses.
   */
  async broker(options: BrokerStatisticsOptions = {}): Promise<BrokerStatistics> {
    BROKER_STATISTICS_OPTIONS.check(options, "Cannot get statistics");
    const { reset = false, timeout, signal } = options;
    return await this.#inTime({ timeout, signal }, (limits) => this.#broker(limits, reset));
  }

  /**
   * Statistics of one queue or topic.
   *
   * @param destination A queue or topic, without wildcards.
   * @param options How long to wait.
   * @returns Null when there is no such destination.
   * @throws {TypeError} When the destination may stand for several.
   * @throws See {@linkcode destinations}.
   */
  async destination(
    destination: Destination,
    options: DestinationStatisticsOptions = {},
  ): Promise<DestinationStatistics | null> {
    const given = toDestination(destination);
    if (isSeveral(given)) {
      throw new TypeError(
        `Cannot get the statistics of ${nameOf(given)}: use destinations() for several`,
      );
    }
    return (await this.destinations(given, options))[0] ?? null;
  }

  /**
   * Statistics of all queues or topics that a name stands for.
   *
   * @param pattern A name, which may have wildcards: `"queue://>"` for all queues. A composite destination, `"a,topic://b"`,
   *   stands for all of its parts. Temporary destinations have no statistics.
   * @param options How long to wait.
   * @returns None when there are no such destinations.
   * @throws {OpenWireError} `"UNSUPPORTED"` when the broker has no statistics plugin.
   * @throws {TimeoutError} When the broker did not answer in time.
   * @throws {BrokerError} When the broker refuses.
   * @throws {TypeError} When it is no queue or topic.
   */
  async destinations(
    pattern: Destination,
    options: DestinationStatisticsOptions = {},
  ): Promise<DestinationStatistics[]> {
    DESTINATION_STATISTICS_OPTIONS.check(options, "Cannot get statistics");
    const { firstMessageTimestamp = false, timeout, signal } = options;
    const properties = firstMessageTimestamp
      ? { [`${DESTINATION}.Include.First.Message.Timestamp`]: true }
      : {};
    const questions = addressesOf(toDestination(pattern)).map((destination) => ({
      destination,
      properties,
    }));
    return await this.#inTime({ timeout, signal }, async (limits) => {
      // Without the plugin the question would stay in a queue.
      if (!this.#available) await this.#broker(limits);
      return (await this.#ask(questions, limits)).map(destinationStatistics);
    });
  }

  /**
   * Statistics of the consumers of queues and topics. The broker tells nothing of those of temporary destinations, and of
   * durable subscriptions.
   *
   * It needs the broker's `useJmx`, which is on by default.
   *
   * @param options How long to wait.
   * @throws {OpenWireError} `"UNSUPPORTED"` when the broker has no statistics plugin, or no JMX.
   * @throws {TimeoutError} When the broker did not answer in time.
   * @throws {BrokerError} When the broker refuses.
   */
  async subscriptions(options: CallOptions = {}): Promise<SubscriptionStatistics[]> {
    CALL_OPTIONS.check(options, "Cannot get statistics");
    return await this.#inTime(options, async (limits) => {
      // These answers have no correlation id. So a question is asked before and after whose answer has one.
      const questions = [BROKER, SUBSCRIPTION, BROKER].map((name) => ({
        destination: topic(name),
      }));
      const found = await this.#ask(questions, limits, true).catch((error) => {
        throw withoutJmx(error) ? missing("useJmx of the broker must be true", error) : error;
      });
      if (!this.#available) throw withoutPlugin();
      return found.map(subscriptionStatistics);
    });
  }

  async #broker(limits: CallOptions, reset = false): Promise<BrokerStatistics> {
    const properties = reset ? { [`${BROKER}.Reset`]: true } : {};
    const [values] = await this.#ask([{ destination: topic(BROKER), properties }], limits);
    if (!values) throw withoutPlugin();
    return brokerStatistics(values);
  }

  /** Does something within the time that a call may take. */
  async #inTime<T>(
    { timeout, signal }: CallOptions,
    run: (limits: CallOptions) => Promise<T>,
  ): Promise<T> {
    requireCapability(this.#connection.capabilities, "statistics", "Cannot get statistics");
    const milli = milliseconds("timeout", timeout, this.#requestTimeout);
    const limit = new TimeLimit(
      milli,
      () => new TimeoutError(`Cannot get statistics: the broker did not answer within ${milli} ms`),
      signal,
    );
    try {
      return await run({ timeout: 0, signal: limit.signal });
    } finally {
      limit.cancel();
    }
  }

  /** The answers to all questions; or those between the first and the last, which alone have correlation ids. */
  async #ask(
    questions: readonly Question[],
    limits: CallOptions,
    between = false,
  ): Promise<PrimitiveMap[]> {
    await using replies = await ReplyQueue.open(this.#connection, limits, this.#log);
    const { queue: replyTo } = replies;
    const common = { ...limits, persistent: false, confirm: true };
    // Advisories tell everybody of the queue, so only what others can't guess makes an answer.
    const [correlationId, end] = [crypto.randomUUID(), crypto.randomUUID()];
    for (const { destination, properties } of questions) {
      const question = { ...common, properties, replyTo, correlationId };
      await this.#connection.send(destination, null, question);
    }
    // When the broker has taken a question, all answers are in the queue. So what is sent there now is the last that comes.
    await this.#connection.send(replyTo, null, { ...common, priority: 0, correlationId: end });
    const isAnswer = (message: Message): boolean =>
      message.correlationId === end ||
      (message.correlationId === correlationId && message.kind === "map");
    const found: Message[] = [];
    while (true) {
      const message = await replies.next(limits, isAnswer);
      if (message.correlationId === end) break;
      this.#available = true;
      if (between) {
        found.push(...await replies.between(message, limits));
        break;
      }
      found.push(message);
    }
    return found.map(({ map }) => map);
  }
}

/** Where to ask for each part of a destination. */
function addressesOf(destination: ActiveMQDestination): ActiveMQDestination[] {
  const { dataType } = destination;
  if (dataType !== "ActiveMQQueue" && dataType !== "ActiveMQTopic") {
    throw new TypeError(`Cannot get the statistics of ${nameOf(destination)}: it is temporary`);
  }
  return partsOf(destination).map((part) =>
    (part.dataType === "ActiveMQQueue" ? queue : topic)(`${DESTINATION}.${part.physicalName}`)
  );
}

function brokerStatistics(values: PrimitiveMap): BrokerStatistics {
  const connectors: Record<string, string> = {};
  for (const [name, value] of values) {
    const address = typeof value === "string" && /^[a-z][a-z0-9+.-]*:/.test(value);
    if (address && name !== "brokerId" && name !== "dataDirectory") connectors[name] = value;
  }
  return {
    ...messageStatistics(values),
    storeUsage: number(values, "storeUsage"),
    storeLimit: number(values, "storeLimit"),
    storePercentUsage: number(values, "storePercentUsage"),
    tempUsage: number(values, "tempUsage"),
    tempLimit: number(values, "tempLimit"),
    tempPercentUsage: number(values, "tempPercentUsage"),
    dataDirectory: text(values, "dataDirectory") ?? "",
    connectors,
  };
}

function destinationStatistics(values: PrimitiveMap): DestinationStatistics {
  const first = number(values, "firstMessageTimestamp");
  return {
    ...messageStatistics(values),
    destination: fromBrokerText(text(values, "destinationName") ?? ""),
    firstMessageTimestamp: Number.isNaN(first) ? null : first,
  };
}

function messageStatistics(values: PrimitiveMap): MessageStatistics {
  return {
    brokerName: text(values, "brokerName") ?? "",
    brokerId: text(values, "brokerId") ?? "",
    size: number(values, "size"),
    enqueueCount: number(values, "enqueueCount"),
    dequeueCount: number(values, "dequeueCount"),
    dispatchCount: number(values, "dispatchCount"),
    expiredCount: number(values, "expiredCount"),
    inflightCount: number(values, "inflightCount"),
    messagesCached: number(values, "messagesCached"),
    averageMessageSize: number(values, "averageMessageSize"),
    averageEnqueueTime: number(values, "averageEnqueueTime"),
    maxEnqueueTime: number(values, "maxEnqueueTime"),
    minEnqueueTime: number(values, "minEnqueueTime"),
    memoryUsage: number(values, "memoryUsage"),
    memoryLimit: number(values, "memoryLimit"),
    memoryPercentUsage: number(values, "memoryPercentUsage"),
    consumerCount: number(values, "consumerCount"),
    producerCount: number(values, "producerCount"),
    values,
  };
}

function subscriptionStatistics(values: PrimitiveMap): SubscriptionStatistics {
  return {
    brokerName: text(values, "brokerName") ?? "",
    brokerId: text(values, "brokerId") ?? "",
    destinationName: text(values, "destinationName") ?? "",
    clientId: text(values, "clientId") ?? "",
    connectionId: text(values, "connectionId") ?? "",
    sessionId: number(values, "sessionId"),
    selector: text(values, "selector"),
    prefetchSize: number(values, "prefetchSize"),
    maximumPendingMessageLimit: number(values, "maximumPendingMessageLimit"),
    enqueueCounter: number(values, "enqueueCounter"),
    dequeueCounter: number(values, "dequeueCounter"),
    dispatchedCounter: number(values, "dispatchedCounter"),
    dispatchedQueueSize: number(values, "dispatchedQueueSize"),
    slowConsumer: values.get("slowConsumer") === true,
    exclusive: values.get("exclusive") === true,
    retroactive: values.get("retroactive") === true,
    values,
  };
}

function number(values: PrimitiveMap, name: string): number {
  const value = values.get(name);
  return typeof value === "number" || typeof value === "bigint" ? Number(value) : NaN;
}

function text(values: PrimitiveMap, name: string): string | null {
  const value = values.get(name);
  return typeof value === "string" ? value : null;
}

/** ActiveMQ says it so when the plugin finds no JMX. */
function withoutJmx(error: unknown): boolean {
  return error instanceof BrokerError &&
    error.exceptionClass === "java.lang.reflect.UndeclaredThrowableException";
}

function withoutPlugin(): OpenWireError {
  return missing("<statisticsBrokerPlugin/> must be among the plugins of the broker");
}

function missing(what: string, cause?: unknown): OpenWireError {
  return new OpenWireError(
    "UNSUPPORTED",
    `Cannot get statistics: ${what}`,
    cause === undefined ? {} : { cause },
  );
}

/** The names of these options. */
export const BROKER_STATISTICS_OPTIONS: OptionNames<BrokerStatisticsOptions> = new OptionNames<
  BrokerStatisticsOptions
>({
  reset: true,
  timeout: true,
  signal: true,
});

/** The names of these options. */
export const DESTINATION_STATISTICS_OPTIONS: OptionNames<DestinationStatisticsOptions> =
  new OptionNames({
    firstMessageTimestamp: true,
    timeout: true,
    signal: true,
  });
