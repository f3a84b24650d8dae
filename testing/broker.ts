/**
 * The broker without connections: where messages go, and what is kept beyond a connection.
 *
 * @module
 */

import {
  type ActiveMQDestination,
  type ConsumerInfo,
  createActiveMQQueue,
  type Long,
  type Message,
  type MessageId,
  type MessagePull,
  type ProducerId,
  type ProducerInfo,
  type RemoveSubscriptionInfo,
} from "../codec/mod.ts";
import { Advisories, type AdvisoryOptions } from "./advisories.ts";
import { Counts } from "./counts.ts";
import { DeadLetters } from "./dead_letters.ts";
import { type AnySubscription, DestinationRegistry } from "./destination_registry.ts";
import { includes, isPattern, isQueue, isTemporary, parts, qualifiedName } from "./destinations.ts";
import { DurableSubscription } from "./durable_subscription.ts";
import { DurableSubscriptions } from "./durable_subscriptions.ts";
import { BrokerException, jmsException, required } from "./exceptions.ts";
import { isExpired, memberKey } from "./messages.ts";
import { Queue } from "./queue.ts";
import { QueueBrowser } from "./queue_browser.ts";
import { QueueSubscription } from "./queue_subscription.ts";
import { readSchedule } from "./schedule.ts";
import { managesSchedules, Scheduler } from "./scheduler.ts";
import { Statistics } from "./statistics.ts";
import type { Outlet, Surroundings } from "./subscription.ts";
import type { Timers } from "./timers.ts";
import type { TopicPolicies } from "./topic_policies.ts";
import { Topic } from "./topic.ts";
import { TopicSubscription } from "./topic_subscription.ts";
import { DistributedTransactions, type Transaction } from "./transaction.ts";

/** Options of a {@linkcode BrokerState}. */
export interface BrokerStateOptions {
  /** Name by which it introduces itself. */
  readonly name: string;
  /** Whether messages with a schedule are sent later; otherwise their properties mean nothing. */
  readonly schedulerSupport: boolean;
  /** Where its timers are. */
  readonly timers: Timers;
  /** What is done with the messages of topics. */
  readonly topicPolicies: TopicPolicies;
  /** Whether who asks for statistics is answered. */
  readonly statistics: boolean;
  /** What is reported on advisory topics. */
  readonly advisories: Pick<
    AdvisoryOptions,
    "enabled" | "anonymousProducers" | "policies" | "identity"
  >;
}

/** Destinations, subscriptions and transactions, and the ways of messages between them. */
export class BrokerState {
  /** Name by which it introduces itself. */
  readonly name: string;
  /** Queues and topics. */
  readonly destinations: DestinationRegistry;
  /** Subscriptions that outlive their consumer. */
  readonly durables: DurableSubscriptions;
  /** What is reported on advisory topics. */
  readonly advisories: Advisories;
  /** Transactions that outlive their connection. */
  readonly transactions: DistributedTransactions = new DistributedTransactions();
  /** Messages that are sent later. */
  readonly scheduler: Scheduler;
  readonly #schedulerSupport: boolean;
  readonly #timers: Timers;
  /** What calls off the ends of waits of consumers that pull. */
  readonly #pulls: Map<AnySubscription, Set<() => void>> = new Map();
  readonly #around: Surroundings;
  /** The last persistent message of each producer. */
  readonly #lastSequences: Map<string, Long> = new Map();
  /** What the whole broker counts. */
  readonly #totals: Counts = new Counts();
  readonly #statistics: Statistics | undefined;
  #sequence = 0;

  constructor(options: BrokerStateOptions) {
    const { name, schedulerSupport, timers, topicPolicies, statistics, advisories } = options;
    this.name = name;
    this.#schedulerSupport = schedulerSupport;
    this.#timers = timers;
    this.advisories = new Advisories({
      ...advisories,
      isAwaited: (topic) => this.destinations.isAwaited(topic),
      countConsumers: (destination) => this.destinations.countConsumers(destination),
      deliver: (message) => this.destinations.open(message.destination!).add(this.#stamp(message)),
    });
    const deadLetters = new DeadLetters(
      (message) => this.#route(message, undefined, null),
      this.advisories,
    );
    this.#around = {
      now: () => Date.now(),
      advisories: this.advisories,
      topicPolicies,
      bury: (message, cause) => deadLetters.bury(message, cause),
      totals: this.#totals,
      expire: (message) => {
        this.destinations.find(message.destination!)?.counts.expire();
        deadLetters.expire(message);
      },
    };
    this.destinations = new DestinationRegistry(this.#around);
    this.#statistics = !statistics ? undefined : new Statistics({
      identity: advisories.identity,
      destinations: () => this.destinations.all(),
      subscriptions: () => this.destinations.subscriptions,
      countProducers: (destination) => this.advisories.countProducers(destination),
      totals: this.#totals,
      now: this.#around.now,
      send: (message) => {
        for (const copy of this.split(message)) this.#route(copy, undefined, null);
      },
    });
    this.durables = new DurableSubscriptions(this.destinations, this.#around);
    this.scheduler = new Scheduler(
      timers,
      this.#around.now,
      (message) => this.#route(message, undefined),
    );
  }

  /** Makes a consumer, or continues a durable one. */
  subscribe(asked: ConsumerInfo, clientId: string | null, outlet: Outlet): AnySubscription {
    const info = { ...asked, clientId };
    const destination = required(info.destination, "destination");
    const durable = info.subscriptionName !== null && !isQueue(destination);
    const subscription = durable
      ? this.durables.open(info, clientId, outlet)
      : this.#attach(info, outlet);
    this.advisories.consumerOpened({
      info,
      wanted: subscription.wanted,
      deliver: (message) => this.#deliverTo(subscription, message),
    });
    return subscription;
  }

  #attach(info: ConsumerInfo, outlet: Outlet): AnySubscription {
    const subscription = isQueue(info.destination!)
      ? new (info.browser ? QueueBrowser : QueueSubscription)(info, outlet, this.#around)
      : this.#topicSubscription(info, outlet);
    this.destinations.subscribe(subscription);
    return subscription;
  }

  /** Of topics ActiveMQ says no more than that it could not (Java: TopicRegion). */
  #topicSubscription(info: ConsumerInfo, outlet: Outlet): TopicSubscription {
    try {
      return new TopicSubscription(info, outlet, this.#around);
    } catch (error) {
      if (!(error instanceof BrokerException)) throw error;
      throw jmsException("Couldn't create TopicSubscription");
    }
  }

  /** Sends a message of a topic to one of its consumers only, if that wants it. */
  #deliverTo(subscription: AnySubscription, message: Message): void {
    const isOfTopics = subscription instanceof TopicSubscription ||
      subscription instanceof DurableSubscription;
    if (!isOfTopics || !subscription.wants(message.destination!)) return;
    const topic = this.destinations.open(message.destination!);
    if (topic instanceof Topic && subscription.accepts(message)) {
      subscription.add(this.#stamp(message), topic);
    }
  }

  /** Opens a producer, and makes its destination. */
  addProducer(info: ProducerInfo): void {
    for (const part of info.destination === null ? [] : parts(info.destination)) {
      if (isTemporary(part) || isPattern(part)) continue;
      this.destinations.open(part, info.producerId?.connectionId);
    }
    this.advisories.producerOpened(info);
  }

  /** Closes a producer. */
  removeProducer(info: ProducerInfo): void {
    this.advisories.producerClosed(info);
  }

  /** Removes a durable subscription. */
  removeSubscription(info: RemoveSubscriptionInfo): void {
    const { clientId, subscriptionName } = info;
    const found = this.durables.find(clientId, subscriptionName);
    this.durables.remove(info);
    this.advisories.subscriptionRemoved(found!.info.destination!, info);
  }

  /** Removes a consumer; a durable subscription stays. */
  unsubscribe(subscription: AnySubscription, lastDelivered: Long): void {
    for (const cancel of this.#pulls.get(subscription) ?? []) cancel();
    this.#pulls.delete(subscription);
    if (subscription instanceof DurableSubscription) subscription.deactivate(lastDelivered);
    else this.destinations.unsubscribe(subscription, lastDelivered);
    this.advisories.consumerClosed(subscription.info);
  }

  /** Gives a consumer that pulls one message: now, when one comes in time, or says that there is none. */
  pull(subscription: AnySubscription, { timeout }: MessagePull): void {
    if (subscription.prefetch !== 0) return;
    const before = subscription.sent;
    subscription.ask();
    subscription.dispatch();
    const giveUp = () => {
      if (subscription.sent === before) subscription.sendNothing();
    };
    if (timeout > 0) this.#giveUpLater(subscription, Number(timeout), giveUp);
    else if (timeout < 0) giveUp();
  }

  /** The last persistent message of a producer that was kept; -1 for none. */
  lastSequence(producerId: ProducerId): Long {
    return this.#lastSequences.get(memberKey(producerId)) ?? -1;
  }

  /** Answers a message that asks for statistics; false for any other. */
  answer(message: Message): boolean {
    return this.#statistics?.answer(message) ?? false;
  }

  /** The messages that a message stands for: one for each destination of a composite. */
  split(message: Message): Message[] {
    const destination = required(message.destination, "destination");
    required(message.messageId, "messageId");
    const targets = parts(destination);
    for (const target of targets) {
      if (isTemporary(target) && this.destinations.find(target) === undefined) {
        throw new BrokerException(
          "org.apache.activemq.DestinationDoesNotExistException",
          qualifiedName(target),
        );
      }
    }
    const originalDestination = targets.length > 1 ? destination : message.originalDestination;
    return targets.map((target) => ({ ...message, destination: target, originalDestination }));
  }

  /** The queue that has no space for a message. */
  fullQueue({ destination }: Message): Queue | undefined {
    const place = this.destinations.find(destination!);
    return place instanceof Queue && place.flow.full ? place : undefined;
  }

  #giveUpLater(subscription: AnySubscription, timeout: number, giveUp: () => void): void {
    const pulls = this.#pulls.get(subscription) ?? new Set();
    this.#pulls.set(subscription, pulls);
    const cancel = this.#timers.set(timeout, () => {
      pulls.delete(cancel);
      giveUp();
    });
    pulls.add(cancel);
  }

  /**
   * Takes a message to one destination; in a transaction it counts when that is committed. Gives false when it was
   * only put aside.
   */
  accept(message: Message, transaction: Transaction | undefined): boolean {
    if (this.#schedulerSupport) {
      if (managesSchedules(message.destination!)) {
        this.scheduler.manage(message);
        return false;
      }
      const schedule = readSchedule(message);
      if (schedule !== undefined) {
        const add = () => this.scheduler.add({ ...message, transactionId: null }, schedule);
        if (transaction === undefined) add();
        else transaction.enlist({ afterCommit: add, afterRollback: () => {} });
        return false;
      }
    }
    this.#route(message, transaction);
    return true;
  }

  #route(
    message: Message,
    transaction: Transaction | undefined,
    by: string | null = message.producerId?.connectionId ?? null,
  ): void {
    const target = message.destination!;
    for (const queue of this.#virtualConsumers(target)) {
      const originalDestination = message.originalDestination ?? target;
      this.#route({ ...message, destination: queue, originalDestination }, transaction);
    }
    const now = this.#around.now();
    if (isExpired(message, now)) return this.#around.expire(message);
    const kept = this.#stamp(message, now);
    const add = () => {
      // A temporary destination may be gone when a transaction is committed.
      if (isTemporary(target) && this.destinations.find(target) === undefined) return;
      if (message.persistent) this.#note(kept.messageId!);
      const place = this.destinations.open(target, by);
      const before = place.counts.enqueued;
      const consumers = this.destinations.countConsumers(target);
      place.add(kept);
      if (place.counts.enqueued > before) this.advisories.delivered(kept, consumers);
    };
    if (transaction === undefined) add();
    else transaction.enlist({ afterCommit: add, afterRollback: () => {} });
  }

  /** The message as the broker keeps it. */
  #stamp(message: Message, brokerInTime = this.#around.now()): Message {
    const messageId = { ...message.messageId!, brokerSequenceId: ++this.#sequence };
    return { ...message, messageId, brokerInTime };
  }

  /** Dead letters come again with their old id. */
  #note({ producerId, producerSequenceId }: MessageId): void {
    if (producerId === null || producerSequenceId <= this.lastSequence(producerId)) return;
    this.#lastSequences.set(memberKey(producerId), producerSequenceId);
  }

  /** The queues that get what is sent to a virtual topic: each group of consumers has one. */
  #virtualConsumers({ dataType, physicalName }: ActiveMQDestination): ActiveMQDestination[] {
    if (dataType !== "ActiveMQTopic" || !physicalName.startsWith("VirtualTopic.")) return [];
    const pattern = createActiveMQQueue({ physicalName: `Consumer.*.${physicalName}` });
    return [...this.destinations.all()].map(({ destination }) => destination)
      .filter((destination) => includes(pattern, destination));
  }
}
