/**
 * Answers to who asks what the broker counts (Java: StatisticsBroker).
 *
 * @module
 */

import {
  type ActiveMQDestination,
  createActiveMQMapMessage,
  createActiveMQQueue,
  createActiveMQTopic,
  createMessageId,
  createProducerId,
  decodePrimitiveMap,
  double,
  encodeMapBody,
  int,
  type Long,
  long,
  type Message,
  type PrimitiveMapInput,
  type ProducerId,
} from "../codec/mod.ts";
import type { BrokerIdentity } from "./broker_identity.ts";
import type { Counts } from "./counts.ts";
import { type AnySubscription, consumersOf } from "./destination_registry.ts";
import { includes, isQueue, isTemporary, qualifiedName } from "./destinations.ts";
import { BrokerException } from "./exceptions.ts";
import { messageSize } from "./messages.ts";
import { Queue } from "./queue.ts";
import type { Topic } from "./topic.ts";
import { TopicSubscription } from "./topic_subscription.ts";

const BROKER = "ActiveMQ.Statistics.Broker";
const DESTINATION = "ActiveMQ.Statistics.Destination";
const SUBSCRIPTION = "ActiveMQ.Statistics.Subscription";

/** Nothing is limited in memory. These are numbers as a small ActiveMQ has them. */
const MEMORY_LIMIT = 256 * 2 ** 20;
const STORE_LIMIT = 2 ** 30;

/** What statistics need of the broker. */
export interface StatisticsOptions {
  /** The broker now. */
  readonly identity: () => BrokerIdentity;
  /** All destinations. */
  readonly destinations: () => Iterable<Queue | Topic>;
  /** All consumers. */
  readonly subscriptions: () => Iterable<AnySubscription>;
  /** Producers of a destination. */
  readonly countProducers: (destination: ActiveMQDestination) => number;
  /** What the whole broker has counted. */
  readonly totals: Counts;
  /** The time in milliseconds since 1970. */
  readonly now: () => number;
  /** Sends an answer. */
  readonly send: (message: Message) => void;
}

/** The statistics plugin. */
export class Statistics {
  readonly #options: StatisticsOptions;
  readonly #producerId: ProducerId = createProducerId({
    connectionId: `ID:${crypto.randomUUID()}:1`,
  });
  #answers = 0;

  constructor(options: StatisticsOptions) {
    this.#options = options;
  }

  /** Answers a question; false for a message that is none. */
  answer(question: Message): boolean {
    const { destination, replyTo } = question;
    if (destination === null || replyTo === null) return false;
    const name = destination.physicalName;
    if (beginsWith(name, DESTINATION)) this.#destinations(question);
    else if (beginsWith(name, BROKER)) this.#broker(question);
    else if (beginsWith(name, SUBSCRIPTION)) this.#subscriptions(question);
    else return false;
    return true;
  }

  #destinations(question: Message): void {
    const { physicalName } = question.destination!;
    const name = physicalName.slice(DESTINATION.length).replace(/^\./, "");
    if (name === "") {
      throw new BrokerException(
        "java.lang.IllegalArgumentException",
        "Invalid destination name: a non-empty name is required",
      );
    }
    const properties = decodePrimitiveMap(question.marshalledProperties);
    const first = properties.has(`${DESTINATION}.Include.First.Message.Timestamp`);
    const make = isQueue(question.destination!) ? createActiveMQQueue : createActiveMQTopic;
    const asked = make({ physicalName: name });
    for (const place of this.#options.destinations()) {
      if (!includes(asked, place.destination)) continue;
      this.#reply(question, this.#destination(place, first));
    }
    if (properties.has(`${DESTINATION}.List.End.With.Null`)) this.#reply(question, {});
  }

  #destination(place: Queue | Topic, withFirst: boolean): PrimitiveMapInput {
    const { destination, counts } = place;
    const messages = place instanceof Queue ? place.messages() : [];
    const [first] = messages;
    return {
      ...this.#common(counts, [place]),
      destinationName: qualifiedName(destination),
      ...(withFirst && first && { firstMessageTimestamp: long(Number(first.timestamp)) }),
    };
  }

  #broker(question: Message): void {
    const { totals, destinations, identity } = this.#options;
    const properties = decodePrimitiveMap(question.marshalledProperties);
    if (properties.has(`${BROKER}.Reset`)) totals.reset();
    const { name, url } = identity();
    this.#reply(question, {
      ...this.#common(totals, [...destinations()]),
      storeUsage: long(0),
      storeLimit: long(STORE_LIMIT),
      storePercentUsage: int(0),
      tempUsage: long(0),
      tempLimit: long(MEMORY_LIMIT),
      tempPercentUsage: int(0),
      dataDirectory: "(in memory)",
      openwire: url.startsWith("tcp:") ? url : "",
      ssl: "",
      stomp: "",
      "stomp+ssl": "",
      vm: `vm://${name}`,
    });
  }

  /** Without a correlation id, and nothing of temporary destinations and of durable subscriptions, as in ActiveMQ. */
  #subscriptions(question: Message): void {
    const all = [...this.#options.subscriptions()].filter(({ info: { destination } }) =>
      !isTemporary(destination!)
    );
    const ofQueues = all.filter(({ info }) => isQueue(info.destination!));
    const ofTopics = all.filter((subscription) => subscription instanceof TopicSubscription);
    for (const subscription of [...ofQueues, ...ofTopics]) {
      this.#reply({ ...question, correlationId: null }, this.#subscription(subscription));
    }
  }

  #subscription(subscription: AnySubscription): PrimitiveMapInput {
    const { info, sent, inFlight } = subscription;
    const { consumerId, maximumPendingMessageLimit } = info;
    return {
      ...this.#origin(),
      destinationName: info.destination!.physicalName,
      clientId: info.clientId,
      connectionId: consumerId!.connectionId,
      sessionId: long(Number(consumerId!.sessionId)),
      selector: info.selector,
      prefetchSize: int(subscription.prefetch),
      maximumPendingMessageLimit: int(maximumPendingMessageLimit),
      enqueueCounter: long(
        sent + (subscription instanceof TopicSubscription ? subscription.pending : 0),
      ),
      dispatchedCounter: long(sent),
      dequeueCounter: long(sent - inFlight),
      dispatchedQueueSize: long(inFlight),
      slowConsumer: subscription instanceof TopicSubscription && subscription.slow,
      exclusive: info.exclusive,
      retroactive: info.retroactive,
    };
  }

  #common(counts: Counts, places: readonly (Queue | Topic)[]): PrimitiveMapInput {
    const { enqueued, dispatched, bytes, waited, shortestWait } = counts;
    let [size, inFlight, memory, consumers, producers] = [0, 0, 0, 0, 0];
    for (const place of places) {
      consumers += consumersOf(place);
      producers += this.#options.countProducers(place.destination);
      if (!(place instanceof Queue)) {
        for (const consumer of place.consumers) inFlight += consumer.inFlight;
        continue;
      }
      size += place.size;
      inFlight += place.inFlight;
      for (const message of place.messages()) memory += messageSize(message);
    }
    return {
      ...this.#origin(),
      size: long(size),
      enqueueCount: long(enqueued),
      dequeueCount: long(counts.dequeued),
      dispatchCount: long(dispatched),
      expiredCount: long(counts.expired),
      inflightCount: long(inFlight),
      messagesCached: long(0),
      averageMessageSize: long(enqueued === 0 ? 0 : Math.round(bytes / enqueued)),
      averageEnqueueTime: double(dispatched === 0 ? 0 : waited / dispatched),
      maxEnqueueTime: double(counts.longestWait),
      minEnqueueTime: double(Number.isFinite(shortestWait) ? shortestWait : 0),
      memoryUsage: long(memory),
      memoryLimit: long(MEMORY_LIMIT),
      memoryPercentUsage: int(Math.floor((memory / MEMORY_LIMIT) * 100)),
      consumerCount: long(consumers),
      producerCount: long(producers),
    };
  }

  #origin(): Record<string, string> {
    const { id, name } = this.#options.identity();
    return { brokerId: id, brokerName: name };
  }

  #reply({ replyTo, correlationId }: Message, values: PrimitiveMapInput): void {
    const producerId = this.#producerId;
    const timestamp: Long = this.#options.now();
    this.#options.send(createActiveMQMapMessage({
      destination: replyTo,
      producerId,
      messageId: createMessageId({ producerId, producerSequenceId: ++this.#answers }),
      correlationId,
      type: "Advisory",
      priority: 4,
      timestamp,
      content: encodeMapBody(values),
    }));
  }
}

function beginsWith(name: string, prefix: string): boolean {
  return name.slice(0, prefix.length).toLowerCase() === prefix.toLowerCase();
}
