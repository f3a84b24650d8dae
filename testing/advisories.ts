/**
 * What the broker reports on advisory topics (Java: AdvisoryBroker, AdvisorySupport).
 *
 * @module
 */

import {
  type ActiveMQDestination,
  type ConnectionInfo,
  type ConsumerInfo,
  createActiveMQMessage,
  createActiveMQTopic,
  createConnectionId,
  createDestinationInfo,
  createMessageId,
  createProducerId,
  createProducerInfo,
  createRemoveInfo,
  type DataStructure,
  type DestinationInfo,
  encodePrimitiveMap,
  int,
  type Message,
  type PrimitiveMapInput,
  type ProducerId,
  type ProducerInfo,
  type RemoveInfo,
  type RemoveSubscriptionInfo,
} from "../codec/mod.ts";
import type { AdvisoryPolicies } from "./advisory_policies.ts";
import type { BrokerIdentity } from "./broker_identity.ts";
import { isQueue, parts, qualifiedName } from "./destinations.ts";
import { memberKey, messageKey } from "./messages.ts";

const PREFIX = "ActiveMQ.Advisory.";

/** All advisory topics. */
export const ADVISORY_TOPICS: ActiveMQDestination = createActiveMQTopic({
  physicalName: `${PREFIX}>`,
});

/** Whether a destination, or a part of it, is an advisory topic. */
export function isAdvisoryTopic(destination: ActiveMQDestination): boolean {
  return parts(destination).some(({ dataType, physicalName }) =>
    dataType === "ActiveMQTopic" && physicalName.startsWith(PREFIX)
  );
}

/** What advisories need of the broker. */
export interface AdvisoryOptions {
  /** Whether there are any. */
  readonly enabled: boolean;
  /** Whether producers without a destination are reported. */
  readonly anonymousProducers: boolean;
  /** What is reported of messages and slow consumers. */
  readonly policies: AdvisoryPolicies;
  /** The broker now. */
  readonly identity: () => BrokerIdentity;
  /** Whether somebody consumes from an advisory topic. */
  readonly isAwaited: (topic: ActiveMQDestination) => boolean;
  /** Sends a message to the consumers of its topic. */
  readonly deliver: (message: Message) => void;
  /** Consumers of all destinations that a name stands for, durable subscriptions that are away included. */
  readonly countConsumers: (destination: ActiveMQDestination) => number;
}

/** A consumer of advisories that was opened. */
export interface AdvisoryReader {
  /** What it asked for. */
  readonly info: ConsumerInfo;
  /** Destinations that it wants. */
  readonly wanted: readonly ActiveMQDestination[];
  /** Sends it a message of a topic, if it wants that. */
  readonly deliver: (message: Message) => void;
}

/** Reports what comes and goes, and remembers what there is for those who come later. */
export class Advisories {
  readonly #options: AdvisoryOptions;
  readonly #producerId: ProducerId = createProducerId({
    connectionId: `ID:${crypto.randomUUID()}:1`,
  });
  readonly #connections: Map<string, ConnectionInfo> = new Map();
  readonly #destinations: Map<string, DestinationInfo> = new Map();
  readonly #consumers: Map<string, ConsumerInfo> = new Map();
  readonly #producers: Map<string, ProducerInfo> = new Map();
  readonly #producerCounts: Map<string, number> = new Map();
  #sequence = 0;

  constructor(options: AdvisoryOptions) {
    this.#options = options;
  }

  /** A client has connected. */
  connectionOpened(info: ConnectionInfo, address: string): void {
    const clientIp = `${address.includes(":") ? "tcp" : "vm"}://${address}`;
    const shown = { ...info, password: "", clientIp };
    this.#connections.set(String(info.connectionId?.value), shown);
    this.#send("Connection", shown);
  }

  /** A client is gone. */
  connectionClosed({ connectionId }: ConnectionInfo): void {
    this.#connections.delete(String(connectionId?.value));
    this.#send("Connection", removal(connectionId));
  }

  /** There is a destination, made by a command of a client, by a connection in passing, or by the broker. */
  destinationCreated(
    destination: ActiveMQDestination,
    by: DestinationInfo | string | null | undefined,
  ): void {
    const name = qualifiedName(destination);
    if (isAdvisoryTopic(destination) || this.#destinations.has(name)) return;
    const info = typeof by === "object" && by !== null
      ? { ...by, destination }
      : createDestinationInfo({
        connectionId: by == null ? null : createConnectionId({ value: by }),
        destination,
      });
    this.#destinations.set(name, info);
    this.#send(typeOf(destination), info);
  }

  /** A destination is gone. */
  destinationDeleted(destination: ActiveMQDestination): void {
    const name = qualifiedName(destination);
    const info = this.#destinations.get(name);
    if (!this.#destinations.delete(name)) return;
    this.#send(typeOf(destination), { ...info!, operationType: 1 });
  }

  /** A consumer was opened; one of advisories is sent what there is. */
  consumerOpened(reader: AdvisoryReader): void {
    const { info } = reader;
    if (isAdvisoryTopic(info.destination!)) return this.#replay(reader);
    this.#consumers.set(memberKey(info.consumerId!), info);
    this.#sendConsumer(info.destination!, info);
  }

  /** A consumer was closed. */
  consumerClosed({ consumerId, destination, responseRequired }: ConsumerInfo): void {
    if (!this.#consumers.delete(memberKey(consumerId!))) return;
    this.#sendConsumer(destination!, removal(consumerId, responseRequired));
  }

  /** A durable subscription was removed. */
  subscriptionRemoved(destination: ActiveMQDestination, info: RemoveSubscriptionInfo): void {
    if (!isAdvisoryTopic(destination)) this.#sendConsumer(destination, info);
  }

  /** A producer was opened. */
  producerOpened(info: ProducerInfo): void {
    const { destination } = info;
    if (destination !== null && isAdvisoryTopic(destination)) return;
    this.#producers.set(memberKey(info.producerId!), info);
    for (const own of ofEachPart(info)) {
      this.#count(own, 1);
      this.#sendProducer(own, own);
    }
  }

  /** A producer was closed. */
  producerClosed(info: ProducerInfo): void {
    const { producerId, responseRequired } = info;
    if (!this.#producers.delete(memberKey(producerId!))) return;
    for (const own of ofEachPart(info)) {
      this.#count(own, -1);
      this.#sendProducer(own, removal(producerId, responseRequired));
    }
  }

  /** The broker has stored a message, for so many consumers. */
  delivered(message: Message, consumers: number): void {
    const destination = message.destination!;
    const { advisoryForDelivery, sendAdvisoryIfNoConsumers } = this.#policyOf(destination);
    if (advisoryForDelivery) {
      this.#sendMessage("MessageDelivered", message, origin(message));
    }
    if (!sendAdvisoryIfNoConsumers || message.persistent || consumers > 0) return;
    // ActiveMQ sends the message itself, with its body.
    const topic = createActiveMQTopic({
      physicalName: `${PREFIX}NoConsumer.${plainTypeOf(destination)}.${destination.physicalName}`,
    });
    if (!this.#options.enabled || !this.#options.isAwaited(topic)) return;
    this.#options.deliver({ ...message, destination: topic, transactionId: null });
  }

  /** A message has left a queue. */
  consumed(message: Message): void {
    if (!this.#policyOf(message.destination!).advisoryForConsumed) return;
    this.#sendMessage("MessageConsumed", message, origin(message));
  }

  /** A message was not sent to a consumer that was too slow; the last of so many. */
  discarded(message: Message, { consumerId }: ConsumerInfo, discardedCount: number): void {
    if (!this.#policyOf(message.destination!).advisoryForDiscardingMessages) return;
    this.#sendMessage("MessageDiscarded", message, {
      ...origin(message),
      consumerId: memberKey(consumerId!),
      discardedCount: int(discardedCount),
    });
  }

  /** A consumer is too slow for the messages of a topic. */
  slowConsumer(destination: ActiveMQDestination, info: ConsumerInfo): void {
    if (!this.#policyOf(destination).advisoryForSlowConsumers) return;
    this.#send(`SlowConsumer.${typeOf(destination)}.${destination.physicalName}`, info, {
      consumerId: memberKey(info.consumerId!),
    });
  }

  /** The time of a message is over. */
  expired(message: Message): void {
    const { physicalName } = message.destination!;
    const name = `Expired.${plainTypeOf(message.destination!)}.${physicalName}`;
    this.#send(name, this.#shown(message), { orignalMessageId: messageKey(message.messageId!) });
  }

  /** A message went to the dead-letter queue. */
  deadLettered(message: Message): void {
    this.#sendMessage("MessageDLQd", message, {});
  }

  /** Producers whose own destination is this one. */
  countProducers(destination: ActiveMQDestination): number {
    return this.#producerCounts.get(qualifiedName(destination)) ?? 0;
  }

  #count(info: ProducerInfo, change: 1 | -1): void {
    if (info.destination === null) return;
    const name = qualifiedName(info.destination);
    const count = (this.#producerCounts.get(name) ?? 0) + change;
    if (count > 0) this.#producerCounts.set(name, count);
    else this.#producerCounts.delete(name);
  }

  #policyOf(destination: ActiveMQDestination): ReturnType<AdvisoryPolicies["of"]> {
    return isAdvisoryTopic(destination) ? {} : this.#options.policies.of(destination);
  }

  /** Sends what there is, the names of topics as they are: none for a pattern of all (Java: AdvisorySupport). */
  #replay({ info, wanted, deliver }: AdvisoryReader): void {
    const names = wanted.map(({ physicalName }) => physicalName.slice(PREFIX.length));
    const to = (message: Message): void =>
      deliver({ ...message, targetConsumerId: info.consumerId });
    if (names.includes("Connection")) {
      for (const connection of this.#connections.values()) {
        this.#send("Connection", connection, {}, to);
      }
    }
    const temporary = names.every((name) => name.startsWith("Temp"));
    if (names.some((name) => DESTINATION_TOPICS.includes(name))) {
      for (const there of this.#destinations.values()) {
        const type = typeOf(there.destination!);
        if (!temporary || type.startsWith("Temp")) this.#send(type, there, {}, to);
      }
    }
    if (names.some((name) => name.startsWith("Producer."))) {
      for (const producer of this.#producers.values()) {
        for (const own of ofEachPart(producer)) this.#sendProducer(own, own, to);
      }
    }
    if (names.some((name) => name.startsWith("Consumer."))) {
      for (const consumer of this.#consumers.values()) {
        this.#sendConsumer(consumer.destination!, consumer, to);
      }
    }
    // ActiveMQ keeps the last one for everybody, so it is sent to nobody in particular.
    this.#send("MasterBroker", null, {}, deliver);
  }

  #sendConsumer(
    destination: ActiveMQDestination,
    payload: DataStructure,
    to?: (message: Message) => void,
  ): void {
    const properties = { consumerCount: int(this.#options.countConsumers(destination)) };
    this.#send(`Consumer.${wholeName(destination)}`, payload, properties, to);
  }

  #sendProducer(
    { destination }: ProducerInfo,
    payload: DataStructure,
    to?: (message: Message) => void,
  ): void {
    if (destination === null) {
      if (!this.#options.anonymousProducers) return;
      return this.#send("Producer.Anonymous", payload, { producerCount: int(0) }, to);
    }
    const properties = { producerCount: int(this.countProducers(destination)) };
    this.#send(`Producer.${wholeName(destination)}`, payload, properties, to);
  }

  #sendMessage(kind: string, message: Message, properties: PrimitiveMapInput): void {
    const destination = message.destination!;
    const name = `${kind}.${typeOf(destination)}.${destination.physicalName}`;
    this.#send(name, this.#shown(message), properties);
  }

  /** The message as others see it: by default without a body. */
  #shown(message: Message): Message {
    const { includeBodyForAdvisory } = this.#policyOf(message.destination!);
    return includeBodyForAdvisory ? message : { ...message, content: null };
  }

  #send(
    name: string,
    dataStructure: DataStructure | null,
    properties: PrimitiveMapInput = {},
    to?: (message: Message) => void,
  ): void {
    if (!this.#options.enabled) return;
    const destination = createActiveMQTopic({ physicalName: PREFIX + name });
    if (to === undefined && !this.#options.isAwaited(destination)) return;
    const { id, name: originBrokerName, url } = this.#options.identity();
    const producerId = this.#producerId;
    const message = createActiveMQMessage({
      destination,
      producerId,
      messageId: createMessageId({ producerId, producerSequenceId: ++this.#sequence }),
      type: "Advisory",
      dataStructure,
      marshalledProperties: encodePrimitiveMap({
        originBrokerId: id,
        originBrokerName,
        originBrokerURL: url,
        ...properties,
      }),
    });
    (to ?? this.#options.deliver)(message);
  }
}

const DESTINATION_TOPICS = ["Queue", "Topic", "TempQueue", "TempTopic"];

function removal(objectId: RemoveInfo["objectId"], responseRequired = true): RemoveInfo {
  return createRemoveInfo({ objectId, lastDeliveredSequenceId: -2, responseRequired });
}

/** As ActiveMQ writes it, misspellings included. */
function origin({ messageId, destination }: Message): PrimitiveMapInput {
  return {
    orignalMessageId: messageKey(messageId!),
    orignalDestination: qualifiedName(destination!),
  };
}

/** A producer of a composite destination is one of each part; ActiveMQ copies no more of it than this. */
function ofEachPart(info: ProducerInfo): ProducerInfo[] {
  if (info.destination === null) return [info];
  const all = parts(info.destination);
  if (all.length === 1) return [info];
  const { producerId, commandId, responseRequired } = info;
  return all.map((destination) =>
    createProducerInfo({ producerId, commandId, responseRequired, destination })
  );
}

function typeOf({ dataType }: ActiveMQDestination): string {
  return dataType.slice("ActiveMQ".length);
}

/** Some topics take a temporary queue for a queue. */
function plainTypeOf(destination: ActiveMQDestination): string {
  return isQueue(destination) ? "Queue" : "Topic";
}

/** The destination of a consumer or producer, a composite one too, as part of a name. */
function wholeName(destination: ActiveMQDestination): string {
  return `${plainTypeOf(destination)}.${destination.physicalName.replaceAll(",", "&sbquo;")}`;
}
