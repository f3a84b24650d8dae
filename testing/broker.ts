/**
 * The broker without connections: its destinations, who subscribed to them, and where messages go.
 *
 * @module
 */

import {
  type ActiveMQDestination,
  createActiveMQQueue,
  type Long,
  type Message,
  type MessageAck,
  type Throwable,
} from "../codec/mod.ts";
import {
  includes,
  isPattern,
  isQueue,
  isTemporary,
  owner,
  parts,
  qualifiedName,
} from "./destinations.ts";
import { BrokerException, jmsException, required, unsupported } from "./exceptions.ts";
import { deadLetter, isExpired, messageKey } from "./messages.ts";
import { Queue } from "./queue.ts";
import { QueueSubscription } from "./queue_subscription.ts";
import { Topic, TopicSubscription } from "./topic.ts";

const DEAD_LETTER_QUEUE = createActiveMQQueue({ physicalName: "ActiveMQ.DLQ" });

/** What a consumer can be. */
export type AnySubscription = QueueSubscription | TopicSubscription;

/** Queues, topics and subscriptions. It does nothing by itself: the clock is asked, no timer runs. */
export class BrokerState {
  /** Name by which it introduces itself. */
  readonly name: string;
  readonly #now: () => number;
  readonly #destinations: Map<string, Queue | Topic> = new Map();
  readonly #subscriptions: Set<AnySubscription> = new Set();
  readonly #deadLetters: Set<string> = new Set();
  #sequence = 0;

  constructor(name: string, now: () => number = Date.now) {
    this.name = name;
    this.#now = now;
  }

  /** A destination, if there is one of that name. */
  find(destination: ActiveMQDestination): Queue | Topic | undefined {
    return this.#destinations.get(qualifiedName(destination));
  }

  /** A destination; made when there is none. */
  open(destination: ActiveMQDestination): Queue | Topic {
    const found = this.find(destination);
    if (found !== undefined) return found;
    const made = isQueue(destination)
      ? new Queue(destination, (message) => this.expire(message))
      : new Topic(destination);
    this.#destinations.set(qualifiedName(destination), made);
    for (const subscription of this.#subscriptions) {
      if (subscription.wants(destination)) this.#attach(subscription, made);
    }
    return made;
  }

  /** Removes a destination with its messages. `force` takes it from its consumers, too, as does being temporary. */
  remove(destination: ActiveMQDestination, force: boolean): void {
    const name = qualifiedName(destination);
    force ||= isTemporary(destination);
    for (const subscription of this.#subscriptions) {
      if (!subscription.wants(destination)) continue;
      if (!force) throw jmsException(`Destination: ${name} still has an active subscription`);
      const found = this.find(destination);
      if (found !== undefined) this.#detach(subscription, found);
    }
    this.#destinations.delete(name);
  }

  /** Adds a consumer to all destinations that it wants, those that are to come included. */
  subscribe(subscription: AnySubscription): void {
    const { wanted } = subscription;
    for (const part of wanted) {
      const connection = subscription.info.consumerId?.connectionId;
      if (isTemporary(part) && owner(part) !== connection) {
        const kind = isQueue(part) ? "queue" : "topic";
        throw jmsException(
          `Subscribing to a temporary ${kind} created by another connection is not permitted`,
          "InvalidDestinationException",
        );
      }
    }
    if (wanted.length === 1 && !isPattern(wanted[0]!)) this.open(wanted[0]!);
    this.#subscriptions.add(subscription);
    for (const destination of this.#destinations.values()) {
      if (subscription.wants(destination.destination)) this.#attach(subscription, destination);
    }
  }

  /** Removes a consumer. What it didn't acknowledge can go to others. */
  unsubscribe(subscription: AnySubscription, lastDelivered: Long): void {
    this.#subscriptions.delete(subscription);
    if (subscription instanceof TopicSubscription) {
      for (const topic of subscription.places) topic.unsubscribe(subscription);
    } else {
      for (const queue of subscription.places) {
        queue.unsubscribe(subscription, lastDelivered, this.#now());
      }
    }
  }

  /** Takes a message from a producer, for all destinations that its destination stands for. Gives their number. */
  send(message: Message): number {
    const destination = required(message.destination, "destination");
    required(message.messageId, "messageId");
    const targets = parts(destination);
    for (const target of targets) {
      if (isPattern(target)) throw unsupported("messages to a pattern");
      if (isTemporary(target) && this.find(target) === undefined) {
        throw new BrokerException(
          "org.apache.activemq.DestinationDoesNotExistException",
          qualifiedName(target),
        );
      }
    }
    for (const target of targets) {
      const originalDestination = targets.length > 1 ? destination : message.originalDestination;
      this.#accept({ ...message, destination: target, originalDestination }, target);
    }
    return targets.length;
  }

  /** Applies an acknowledgement. */
  acknowledge(subscription: AnySubscription, ack: MessageAck): void {
    const now = this.#now();
    if (subscription instanceof TopicSubscription) {
      for (const destination of subscription.acknowledge(ack)) {
        const topic = this.find(destination);
        if (topic !== undefined) topic.dequeued++;
      }
      subscription.dispatch(now);
      return;
    }
    const { outcome, entries } = subscription.acknowledge(ack);
    for (const { queue, message } of entries) {
      queue.settle(1);
      if (outcome === "poisoned") this.#bury(message, ack.poisonCause);
      else if (outcome === "expired") this.expire(message);
    }
    this.#dispatch(subscription, now);
  }

  /** Changes how many messages may be on their way to a consumer. */
  setPrefetch(subscription: AnySubscription, prefetch: number): void {
    subscription.prefetch = prefetch;
    if (subscription instanceof TopicSubscription) subscription.dispatch(this.#now());
    else this.#dispatch(subscription, this.#now());
  }

  #attach(subscription: AnySubscription, place: Queue | Topic): void {
    if (place instanceof Queue && subscription instanceof QueueSubscription) {
      subscription.places.add(place);
      place.subscribe(subscription, this.#now());
    } else if (place instanceof Topic && subscription instanceof TopicSubscription) {
      subscription.places.add(place);
      place.subscribe(subscription);
    }
  }

  #detach(subscription: AnySubscription, place: Queue | Topic): void {
    if (place instanceof Queue && subscription instanceof QueueSubscription) {
      subscription.places.delete(place);
      subscription.takeBack(place);
    } else if (place instanceof Topic && subscription instanceof TopicSubscription) {
      subscription.places.delete(place);
    }
  }

  #dispatch(subscription: QueueSubscription, now: number): void {
    for (const queue of subscription.places) queue.dispatch(now);
  }

  #accept(message: Message, target: ActiveMQDestination): void {
    for (const queue of this.#virtualConsumers(target)) {
      const originalDestination = message.originalDestination ?? target;
      this.#accept({ ...message, destination: queue, originalDestination }, queue);
    }
    const now = this.#now();
    if (isExpired(message, now)) return this.expire(message);
    const messageId = { ...message.messageId!, brokerSequenceId: ++this.#sequence };
    this.open(target).add({ ...message, messageId, brokerInTime: now }, now);
  }

  /** The queues that get what is sent to a virtual topic: each group of consumers has one. */
  #virtualConsumers({ dataType, physicalName }: ActiveMQDestination): ActiveMQDestination[] {
    if (dataType !== "ActiveMQTopic" || !physicalName.startsWith("VirtualTopic.")) return [];
    const pattern = createActiveMQQueue({ physicalName: `Consumer.*.${physicalName}` });
    const all = [...this.#destinations.values()].map(({ destination }) => destination);
    return all.filter((destination) => includes(pattern, destination));
  }

  /** Buries a message whose time is over. */
  expire(message: Message): void {
    this.#bury(message, {
      className: "java.lang.Throwable",
      message: `Message Expired. Expiration:${message.expiration}`,
      stackTrace: [],
      cause: null,
    });
  }

  /** Puts a message into the dead letter queue (Java: SharedDeadLetterStrategy): persistent ones, and each once. */
  #bury(message: Message, cause: Throwable | null): void {
    const key = messageKey(message.messageId!);
    const there = message.destination?.physicalName === DEAD_LETTER_QUEUE.physicalName;
    const again = there || this.#deadLetters.has(key);
    if (!message.persistent || again) return;
    this.#deadLetters.add(key);
    this.#accept(deadLetter(message, DEAD_LETTER_QUEUE, cause), DEAD_LETTER_QUEUE);
  }
}
