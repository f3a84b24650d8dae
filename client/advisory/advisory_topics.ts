/**
 * Names of advisory topics.
 *
 * @module
 */

import {
  type ActiveMQDestination,
  type ActiveMQTopic,
  createActiveMQTopic,
} from "../../codec/mod.ts";
import { partsOf } from "../destination/composite.ts";
import { type Destination, queue, toDestination, topic } from "../destination/destination.ts";

/** What all names begin with (Java: AdvisorySupport). */
const PREFIX = "ActiveMQ.Advisory.";

/** What stands for a comma in names of topics that are about a composite destination. */
const COMMA = "&sbquo;";

/** What advisory topics are called after, for each kind of event about a destination. */
export const TopicKind = {
  consumers: "Consumer",
  virtualConsumers: "VirtualDestination.Consumer",
  producers: "Producer",
  expired: "Expired",
  discarded: "MessageDiscarded",
  delivered: "MessageDelivered",
  dispatched: "MessageDispatched",
  consumed: "MessageConsumed",
  deadLettered: "MessageDLQd",
  noConsumer: "NoConsumer",
  slowConsumers: "SlowConsumer",
  fastProducers: "FastProducer",
  full: "FULL",
} as const;

/** Whole names of the topics that are about no destination, without the prefix. */
export const TopicName = {
  connections: "Connection",
  queues: "Queue",
  topics: "Topic",
  temporaryQueues: "TempQueue",
  temporaryTopics: "TempTopic",
  anonymousProducers: "Producer.Anonymous",
  masterBroker: "MasterBroker",
  networkBridges: "NetworkBridge",
  networkBridgeFailures: "NetworkBridge.ForwardFailure",
} as const;

/** Topics on which Artemis tells something, too. */
const TOLD_BY_ARTEMIS: ReadonlySet<string> = new Set(
  [
    TopicName.connections,
    TopicName.queues,
    TopicName.topics,
    TopicName.temporaryQueues,
    TopicName.temporaryTopics,
  ].map((name) => PREFIX + name),
);

/**
 * Whether Artemis tells something on all of these topics.
 *
 * @ignore Not for users.
 */
export function isToldByArtemis(topics: ActiveMQTopic): boolean {
  return partsOf(topics).every(({ physicalName }) => TOLD_BY_ARTEMIS.has(physicalName));
}

/**
 * Kinds whose topics take a temporary queue for a queue, and a temporary topic for a topic. The others tell them apart.
 */
const PLAIN: ReadonlySet<string> = new Set([
  TopicKind.consumers,
  TopicKind.virtualConsumers,
  TopicKind.producers,
  TopicKind.expired,
  TopicKind.noConsumer,
]);

/** Kinds where a composite destination is one thing, as a consumer or producer has it. */
const WHOLE: ReadonlySet<string> = new Set([
  TopicKind.consumers,
  TopicKind.virtualConsumers,
  TopicKind.producers,
]);

/**
 * Makes the topics on which ActiveMQ tells what happens. They can be consumed from as any topic, or with
 * `connection.advisories()`, which decodes the events.
 *
 * Those that are about a destination take wildcards, `"orders.>"`, for all that match. Of a composite destination, `"a,b"`,
 * the messages of each part are meant; but `consumers()`, `virtualConsumers()` and `producers()` mean those that have the
 * whole of it as their destination. Producers that name a composite destination the broker tells of under its parts.
 *
 * Some events are off by default: each member says what turns them on, which is an attribute of `<policyEntry>` unless it is
 * said otherwise.
 *
 * @example
 * ```ts
 * import { advisoryTopics, topic } from "../../mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const { physicalName } = advisoryTopics.consumers("orders");
 * assertEquals(physicalName, "ActiveMQ.Advisory.Consumer.Queue.orders");
 * assertEquals(advisoryTopics.full(topic("prices.>")).physicalName, "ActiveMQ.Advisory.FULL.Topic.prices.>");
 * ```
 */
export interface AdvisoryTopics {
  /** Connections that are opened and closed. */
  connections(): ActiveMQTopic;
  /** Queues that are created and deleted. */
  queues(): ActiveMQTopic;
  /** Topics that are created and deleted. */
  topics(): ActiveMQTopic;
  /** Temporary queues that are created and deleted. */
  temporaryQueues(): ActiveMQTopic;
  /** Temporary topics that are created and deleted. */
  temporaryTopics(): ActiveMQTopic;
  /** Destinations of all four kinds that are created and deleted: a composite topic. */
  destinations(): ActiveMQTopic;
  /** Consumers that are opened and closed. */
  consumers(destination: Destination): ActiveMQTopic;
  /** Consumers of virtual destinations: `useVirtualDestSubs` of the broker. */
  virtualConsumers(destination: Destination): ActiveMQTopic;
  /** Producers that are opened and closed. */
  producers(destination: Destination): ActiveMQTopic;
  /** Producers without a destination of their own: `anonymousProducerAdvisorySupport` of the broker. */
  anonymousProducers(): ActiveMQTopic;
  /** Messages that were too old. */
  expired(destination: Destination): ActiveMQTopic;
  /** Messages that were thrown away because a consumer of a topic was too slow: `advisoryForDiscardingMessages`. */
  discarded(destination: Destination): ActiveMQTopic;
  /** Messages that the broker took: `advisoryForDelivery`. */
  delivered(destination: Destination): ActiveMQTopic;
  /** Messages that were given to a consumer: `advisoryForDispatched`, from ActiveMQ 5.18 on. */
  dispatched(destination: Destination): ActiveMQTopic;
  /** Messages that a consumer has acknowledged: `advisoryForConsumed`. */
  consumed(destination: Destination): ActiveMQTopic;
  /** Messages that became dead letters; the destination is the one that they were sent to. */
  deadLettered(destination: Destination): ActiveMQTopic;
  /** Messages that nobody consumed: `sendAdvisoryIfNoConsumers`. Only those that aren't persistent are told of. */
  noConsumer(destination: Destination): ActiveMQTopic;
  /** Consumers that are too slow: `advisoryForSlowConsumers`. */
  slowConsumers(destination: Destination): ActiveMQTopic;
  /** Producers that the broker had to slow down: `advisoryForFastProducers`. */
  fastProducers(destination: Destination): ActiveMQTopic;
  /** Memory or store that is used up: `advisoryWhenFull`. */
  full(destination: Destination): ActiveMQTopic;
  /** The broker has become the active one. */
  masterBroker(): ActiveMQTopic;
  /** Links to other brokers that are made and lost. */
  networkBridges(): ActiveMQTopic;
  /** Messages that could not be given to another broker. */
  networkBridgeFailures(): ActiveMQTopic;
}

/**
 * The advisory topics of ActiveMQ; see {@linkcode AdvisoryTopics}.
 *
 * @example
 * ```ts
 * import { advisoryTopics } from "../../mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(advisoryTopics.connections().physicalName, "ActiveMQ.Advisory.Connection");
 * assertEquals(advisoryTopics.expired("orders").physicalName, "ActiveMQ.Advisory.Expired.Queue.orders");
 * ```
 */
export const advisoryTopics: AdvisoryTopics = {
  connections: () => named(TopicName.connections),
  queues: () => named(TopicName.queues),
  topics: () => named(TopicName.topics),
  temporaryQueues: () => named(TopicName.temporaryQueues),
  temporaryTopics: () => named(TopicName.temporaryTopics),
  destinations: () =>
    named(
      TopicName.queues,
      TopicName.topics,
      TopicName.temporaryQueues,
      TopicName.temporaryTopics,
    ),
  consumers: (destination) => about(TopicKind.consumers, destination),
  virtualConsumers: (destination) => about(TopicKind.virtualConsumers, destination),
  producers: (destination) => about(TopicKind.producers, destination),
  anonymousProducers: () => named(TopicName.anonymousProducers),
  expired: (destination) => about(TopicKind.expired, destination),
  discarded: (destination) => about(TopicKind.discarded, destination),
  delivered: (destination) => about(TopicKind.delivered, destination),
  dispatched: (destination) => about(TopicKind.dispatched, destination),
  consumed: (destination) => about(TopicKind.consumed, destination),
  deadLettered: (destination) => about(TopicKind.deadLettered, destination),
  noConsumer: (destination) => about(TopicKind.noConsumer, destination),
  slowConsumers: (destination) => about(TopicKind.slowConsumers, destination),
  fastProducers: (destination) => about(TopicKind.fastProducers, destination),
  full: (destination) => about(TopicKind.full, destination),
  masterBroker: () => named(TopicName.masterBroker),
  networkBridges: () => named(TopicName.networkBridges),
  networkBridgeFailures: () => named(TopicName.networkBridgeFailures),
};

/** Whether a destination, or each part of a composite one, is an advisory topic. */
export function isAdvisoryTopic({ dataType, physicalName }: ActiveMQDestination): boolean {
  return dataType === "ActiveMQTopic" &&
    physicalName.split(",").every((name) => name.trim().replace("topic://", "").startsWith(PREFIX));
}

/** What an advisory topic tells of. */
export interface TopicSubject {
  /** One of {@linkcode TopicKind} or {@linkcode TopicName}. */
  readonly kind: string;
  /** The destination that it is about, if it is about one. */
  readonly destination: ActiveMQDestination | null;
}

/** Takes the name of an advisory topic apart; undefined for one that isn't known. */
export function parseAdvisoryTopic(name: string): TopicSubject | undefined {
  if (!name.startsWith(PREFIX)) return undefined;
  const subject = name.slice(PREFIX.length);
  if (names.has(subject)) return { kind: subject, destination: null };
  const [, kind = "", type = "", target = ""] =
    /^(VirtualDestination\.Consumer|[A-Za-z]+)\.((?:Temp)?(?:Queue|Topic))\.([^]+)$/.exec(
      subject,
    ) ?? [];
  if (!kinds.has(kind)) return undefined;
  const original = WHOLE.has(kind) ? target.replaceAll(COMMA, ",") : target;
  // What the broker names need not be what queue() takes.
  try {
    const make = type.endsWith("Queue") ? queue : topic;
    return { kind, destination: make(original) };
  } catch {
    return undefined;
  }
}

const names: ReadonlySet<string> = new Set(Object.values(TopicName));
const kinds: ReadonlySet<string> = new Set(Object.values(TopicKind));

function named(...names: string[]): ActiveMQTopic {
  return createActiveMQTopic({ physicalName: names.map((name) => PREFIX + name).join(",") });
}

function about(kind: string, given: Destination): ActiveMQTopic {
  const destination = toDestination(given);
  if (WHOLE.has(kind)) {
    return named(
      `${kind}.${plain(typeOf(destination))}.${destination.physicalName.replaceAll(",", COMMA)}`,
    );
  }
  return named(
    ...partsOf(destination).map((part) => {
      const own = typeOf(part);
      return `${kind}.${PLAIN.has(kind) ? plain(own) : own}.${part.physicalName}`;
    }),
  );
}

function typeOf({ dataType }: ActiveMQDestination): string {
  return dataType.slice("ActiveMQ".length);
}

function plain(type: string): string {
  return type.replace("Temp", "");
}
