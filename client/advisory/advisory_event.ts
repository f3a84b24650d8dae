/**
 * What advisory messages tell of.
 *
 * @module
 */

import type {
  ActiveMQDestination,
  BrokerInfo,
  ConnectionId,
  ConnectionInfo,
  ConsumerId,
  ConsumerInfo,
  DataStructure,
  DestinationInfo,
  Message as WireMessage,
  ProducerId,
  ProducerInfo,
} from "../../codec/mod.ts";
import { OpenWireError } from "../../errors.ts";
import { InflatedBody } from "../message/inflated_body.ts";
import { Message } from "../message/message.ts";
import { parseAdvisoryTopic, TopicKind, TopicName } from "./advisory_topics.ts";

/**
 * What all events have.
 *
 * @example
 * ```ts
 * import type { AdvisoryOrigin } from "../../mod.ts";
 *
 * const describe = ({ topic, brokerName }: AdvisoryOrigin) => `${brokerName} told it on ${topic}`;
 * ```
 */
export interface AdvisoryOrigin {
  /** Name of the advisory topic. */
  readonly topic: string;
  /** Id of the broker where it happened; null when it did not say. */
  readonly brokerId: string | null;
  /** Name of the broker where it happened; null when it did not say. */
  readonly brokerName: string | null;
  /** Address of the broker where it happened; null when it did not say. */
  readonly brokerUrl: string | null;
  /** Whether it happened before this consumer was opened: the broker tells each new one what there is. */
  readonly replayed: boolean;
  /** The message that told it. */
  readonly message: Message;
}

/**
 * An event of a message. The broker tells no body unless `includeBodyForAdvisory` of its `<policyEntry>` is true.
 *
 * @example
 * ```ts
 * import type { MessageAdvisory } from "../../mod.ts";
 *
 * const describe = ({ type, messageId, original }: MessageAdvisory) =>
 *   `${type}: ${messageId}, region ${original.properties.get("region")}`;
 * ```
 */
export interface MessageAdvisory extends AdvisoryOrigin {
  /** What has happened to it. */
  readonly type:
    | "message-expired"
    | "message-delivered"
    | "message-dispatched"
    | "message-consumed"
    | "message-dead-lettered"
    | "message-discarded"
    | "no-consumer";
  /** The destination whose topic tells it; for a dead letter where it was sent to. */
  readonly destination: ActiveMQDestination;
  /** The message, to be read; it can't be acknowledged. */
  readonly original: Message;
  /** Its id. */
  readonly messageId: string;
  /** The consumer that was too slow, or that had it, if the broker tells. */
  readonly consumerId: string | null;
  /** How many messages for this consumer were thrown away so far; null but for `"message-discarded"`. */
  readonly discardedCount: number | null;
}

/**
 * Something that the broker tells of, by its `type`. What it tells in a way that isn't known is `"unknown"`.
 *
 * Ids are texts as Java writes them. Counts are null when the broker did not tell them.
 *
 * @example
 * ```ts
 * import type { AdvisoryEvent } from "../../mod.ts";
 *
 * function describe(event: AdvisoryEvent): string {
 *   switch (event.type) {
 *     case "connection-opened":
 *       return `${event.connection.userName} has come from ${event.connection.clientIp}`;
 *     case "consumer-opened":
 *     case "consumer-closed":
 *       return `${event.destination.physicalName} has ${event.consumerCount} consumers`;
 *     case "full":
 *       return `${event.usageName} is full`;
 *     default:
 *       return event.type;
 *   }
 * }
 * ```
 */
export type AdvisoryEvent =
  | MessageAdvisory
  | AdvisoryOrigin & {
    readonly type: "connection-opened";
    readonly connectionId: string;
    readonly connection: ConnectionInfo;
  }
  | AdvisoryOrigin & { readonly type: "connection-closed"; readonly connectionId: string }
  | AdvisoryOrigin & {
    readonly type: "destination-created" | "destination-deleted";
    readonly destination: ActiveMQDestination;
    /** The connection that did it; null when it was the broker. */
    readonly connectionId: string | null;
  }
  | AdvisoryOrigin & {
    readonly type: "consumer-opened" | "virtual-consumer-opened";
    readonly destination: ActiveMQDestination;
    readonly consumerId: string;
    readonly consumer: ConsumerInfo;
    /** Consumers of the destination now. */
    readonly consumerCount: number | null;
  }
  | AdvisoryOrigin & {
    readonly type: "consumer-closed" | "virtual-consumer-closed";
    readonly destination: ActiveMQDestination;
    readonly consumerId: string;
    /** Consumers of the destination now. */
    readonly consumerCount: number | null;
  }
  | AdvisoryOrigin & {
    /** A durable subscription has ended. */
    readonly type: "subscription-removed";
    readonly destination: ActiveMQDestination;
    readonly clientId: string | null;
    readonly subscriptionName: string | null;
    /** Consumers of the destination now. */
    readonly consumerCount: number | null;
  }
  | AdvisoryOrigin & {
    readonly type: "producer-opened";
    /** Null for one that sends to any. */
    readonly destination: ActiveMQDestination | null;
    readonly producerId: string;
    readonly producer: ProducerInfo;
    /** Producers of the destination now; ActiveMQ counts none of those that send to any. */
    readonly producerCount: number | null;
  }
  | AdvisoryOrigin & {
    readonly type: "producer-closed";
    /** Null for one that sent to any. */
    readonly destination: ActiveMQDestination | null;
    readonly producerId: string;
    /** Producers of the destination now. */
    readonly producerCount: number | null;
  }
  | AdvisoryOrigin & {
    readonly type: "slow-consumer";
    readonly destination: ActiveMQDestination;
    readonly consumerId: string;
    readonly consumer: ConsumerInfo;
  }
  | AdvisoryOrigin & {
    readonly type: "fast-producer";
    readonly destination: ActiveMQDestination;
    readonly producerId: string;
    readonly producer: ProducerInfo;
  }
  | AdvisoryOrigin & {
    /** No more room for messages of the destination. */
    readonly type: "full";
    readonly destination: ActiveMQDestination;
    /** What is used up. */
    readonly usageName: string | null;
    /** Bytes in use. */
    readonly usageCount: number | null;
  }
  | AdvisoryOrigin & {
    /** The broker is the active one. */
    readonly type: "master-broker";
    readonly broker: BrokerInfo | null;
  }
  | AdvisoryOrigin & {
    readonly type: "network-bridge-started" | "network-bridge-stopped";
    /** The other broker. */
    readonly broker: BrokerInfo;
  }
  | AdvisoryOrigin & {
    /** A message could not be given to another broker. */
    readonly type: "network-bridge-failure";
    /** The message, to be read. */
    readonly original: Message;
    readonly messageId: string;
  }
  | AdvisoryOrigin & { readonly type: "unknown" };

/**
 * Decodes an advisory message, as consumers of {@linkcode advisoryTopics} get them.
 *
 * @param message The message.
 * @returns The event; of the type `"unknown"` for all that it can't tell, also if it is no advisory message.
 * @throws {ProtocolError} When the properties were marshalled wrongly.
 *
 * @example
 * ```ts
 * import { advisoryTopics, connect, type Message, parseAdvisory } from "../../mod.ts";
 *
 * // Calls a function with the name of each queue that there is, and of those that are created later.
 * async function watchQueues(url: string, found: (name: string) => void): Promise<void> {
 *   await using connection = await connect(url);
 *   const consumer = await connection.createConsumer(advisoryTopics.queues());
 *   await consumer.consume((message: Message) => {
 *     const event = parseAdvisory(message);
 *     if (event.type === "destination-created") found(event.destination.physicalName);
 *   });
 * }
 * ```
 */
export function parseAdvisory(message: Message): AdvisoryEvent {
  const topic = message.destination?.physicalName ?? "";
  const origin: AdvisoryOrigin = {
    topic,
    brokerId: text(message, "originBrokerId"),
    brokerName: text(message, "originBrokerName"),
    brokerUrl: text(message, "originBrokerURL"),
    replayed: message.command.targetConsumerId !== null,
    message,
  };
  const subject = message.destination?.dataType === "ActiveMQTopic"
    ? parseAdvisoryTopic(topic)
    : undefined;
  const payload = message.command.dataStructure;
  const found = subject &&
    (subject.destination
      ? aboutDestination(subject.kind, subject.destination, payload, origin)
      : aboutBroker(subject.kind, payload, origin));
  return found ?? { ...origin, type: "unknown" };
}

function aboutBroker(
  name: string,
  payload: DataStructure | null,
  origin: AdvisoryOrigin,
): AdvisoryEvent | undefined {
  switch (name) {
    case TopicName.connections:
      return connectionEvent(payload, origin);
    case TopicName.queues:
    case TopicName.topics:
    case TopicName.temporaryQueues:
    case TopicName.temporaryTopics:
      return payload?.dataType === "DestinationInfo"
        ? destinationEvent(payload, origin)
        : undefined;
    case TopicName.anonymousProducers:
      return producerEvent(null, payload, origin);
    case TopicName.masterBroker:
      return {
        ...origin,
        type: "master-broker",
        broker: payload?.dataType === "BrokerInfo" ? payload : null,
      };
    case TopicName.networkBridges: {
      if (payload?.dataType !== "BrokerInfo") return undefined;
      const started = origin.message.properties.get("started") === true;
      const type = started ? "network-bridge-started" : "network-bridge-stopped";
      return { ...origin, type, broker: payload };
    }
    case TopicName.networkBridgeFailures: {
      const original = originalOf(payload);
      return original &&
        { ...origin, type: "network-bridge-failure", original, messageId: original.id };
    }
  }
}

function aboutDestination(
  kind: string,
  destination: ActiveMQDestination,
  payload: DataStructure | null,
  origin: AdvisoryOrigin,
): AdvisoryEvent | undefined {
  const { message } = origin;
  switch (kind) {
    case TopicKind.consumers:
      return consumerEvent("consumer", destination, payload, origin);
    case TopicKind.virtualConsumers:
      return consumerEvent("virtual-consumer", destination, payload, origin);
    case TopicKind.producers:
      return producerEvent(destination, payload, origin);
    case TopicKind.expired:
      return messageEvent("message-expired", destination, originalOf(payload), origin);
    case TopicKind.delivered:
      return messageEvent("message-delivered", destination, originalOf(payload), origin);
    case TopicKind.dispatched:
      return messageEvent("message-dispatched", destination, originalOf(payload), origin);
    case TopicKind.consumed:
      return messageEvent("message-consumed", destination, originalOf(payload), origin);
    case TopicKind.deadLettered:
      return messageEvent("message-dead-lettered", destination, originalOf(payload), origin);
    case TopicKind.discarded:
      return messageEvent("message-discarded", destination, originalOf(payload), origin);
    case TopicKind.noConsumer:
      // ActiveMQ sends the message itself.
      return messageEvent("no-consumer", destination, originalOf(payload) ?? message, origin);
    case TopicKind.slowConsumers:
      if (payload?.dataType !== "ConsumerInfo") return undefined;
      return {
        ...origin,
        type: "slow-consumer",
        destination,
        consumer: payload,
        consumerId: formatId(payload.consumerId),
      };
    case TopicKind.fastProducers:
      if (payload?.dataType !== "ProducerInfo") return undefined;
      return {
        ...origin,
        type: "fast-producer",
        destination,
        producer: payload,
        producerId: formatId(payload.producerId),
      };
    case TopicKind.full:
      return {
        ...origin,
        type: "full",
        destination,
        usageName: text(message, "usageName"),
        usageCount: count(message, "usageCount"),
      };
  }
}

function connectionEvent(
  payload: DataStructure | null,
  origin: AdvisoryOrigin,
): AdvisoryEvent | undefined {
  if (payload?.dataType === "ConnectionInfo") {
    const connectionId = payload.connectionId?.value ?? "";
    return { ...origin, type: "connection-opened", connection: payload, connectionId };
  }
  if (payload?.dataType === "RemoveInfo" && payload.objectId?.dataType === "ConnectionId") {
    return { ...origin, type: "connection-closed", connectionId: payload.objectId.value ?? "" };
  }
}

function destinationEvent(
  { destination, operationType, connectionId }: DestinationInfo,
  origin: AdvisoryOrigin,
): AdvisoryEvent | undefined {
  const type = ["destination-created", "destination-deleted"] as const;
  const operation = type[operationType];
  if (destination === null || operation === undefined) return undefined;
  return { ...origin, type: operation, destination, connectionId: connectionId?.value ?? null };
}

function consumerEvent(
  who: "consumer" | "virtual-consumer",
  destination: ActiveMQDestination,
  payload: DataStructure | null,
  origin: AdvisoryOrigin,
): AdvisoryEvent | undefined {
  const common = { ...origin, destination, consumerCount: count(origin.message, "consumerCount") };
  if (payload?.dataType === "ConsumerInfo") {
    const consumerId = formatId(payload.consumerId);
    return { ...common, type: `${who}-opened`, consumer: payload, consumerId };
  }
  if (payload?.dataType === "RemoveInfo" && payload.objectId?.dataType === "ConsumerId") {
    return { ...common, type: `${who}-closed`, consumerId: formatId(payload.objectId) };
  }
  if (payload?.dataType === "RemoveSubscriptionInfo") {
    const { clientId, subscriptionName } = payload;
    return { ...common, type: "subscription-removed", clientId, subscriptionName };
  }
}

function producerEvent(
  destination: ActiveMQDestination | null,
  payload: DataStructure | null,
  origin: AdvisoryOrigin,
): AdvisoryEvent | undefined {
  const common = { ...origin, destination, producerCount: count(origin.message, "producerCount") };
  if (payload?.dataType === "ProducerInfo") {
    const producerId = formatId(payload.producerId);
    return { ...common, type: "producer-opened", producer: payload, producerId };
  }
  if (payload?.dataType === "RemoveInfo" && payload.objectId?.dataType === "ProducerId") {
    return { ...common, type: "producer-closed", producerId: formatId(payload.objectId) };
  }
}

function messageEvent(
  type: MessageAdvisory["type"],
  destination: ActiveMQDestination,
  original: Message | undefined,
  origin: AdvisoryOrigin,
): MessageAdvisory | undefined {
  return original && {
    ...origin,
    type,
    destination,
    original,
    messageId: original.id,
    consumerId: text(origin.message, "consumerId"),
    discardedCount: count(origin.message, "discardedCount"),
  };
}

/** The message that an event is about, if the payload is one. */
function originalOf(payload: DataStructure | null): Message | undefined {
  if (payload === null || !("brokerInTime" in payload)) return undefined;
  const command: WireMessage = payload;
  const refuse = (): Promise<never> =>
    Promise.reject(
      new OpenWireError(
        "ILLEGAL_STATE",
        "Cannot settle a message that an advisory tells of: it was not received",
      ),
    );
  return new Message({
    command,
    redeliveryCount: command.redeliveryCounter,
    settlement: { ack: refuse, reject: refuse, retry: refuse },
    body: new InflatedBody({}),
    codec: undefined,
  });
}

function formatId(id: ConnectionId | ConsumerId | ProducerId | null): string {
  if (id === null) return "";
  if (id.dataType === "ConnectionId") return id.value ?? "";
  return `${id.connectionId}:${id.sessionId}:${id.value}`;
}

function text({ properties }: Message, name: string): string | null {
  const value = properties.get(name);
  return typeof value === "string" ? value : null;
}

function count({ properties }: Message, name: string): number | null {
  const value = properties.get(name);
  return typeof value === "number" || typeof value === "bigint" ? Number(value) : null;
}
