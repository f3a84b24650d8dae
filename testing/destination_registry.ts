/**
 * The destinations that there are, and who is attached to which.
 *
 * @module
 */

import type { ActiveMQDestination, DestinationInfo, Long } from "../codec/mod.ts";
import { ADVISORY_TOPICS } from "./advisories.ts";
import {
  includes,
  isPattern,
  isQueue,
  isTemporary,
  overlaps,
  owner,
  parts,
  qualifiedName,
} from "./destinations.ts";
import type { DurableSubscription } from "./durable_subscription.ts";
import { jmsException } from "./exceptions.ts";
import { Queue } from "./queue.ts";
import { QueueBrowser } from "./queue_browser.ts";
import { QueueSubscription } from "./queue_subscription.ts";
import type { Surroundings } from "./subscription.ts";
import { Topic } from "./topic.ts";
import type { TopicSubscription } from "./topic_subscription.ts";

/** What a consumer can be. */
export type AnySubscription =
  | QueueSubscription
  | QueueBrowser
  | TopicSubscription
  | DurableSubscription;

/** Queues and topics by name, and the subscriptions by what they want. */
export class DestinationRegistry {
  readonly #around: Surroundings;
  readonly #byName: Map<string, Queue | Topic> = new Map();
  readonly #subscriptions: Set<AnySubscription> = new Set();
  /** Those of them that may want advisories. */
  readonly #watchers: Set<AnySubscription> = new Set();

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /** All destinations. */
  all(): Iterable<Queue | Topic> {
    return this.#byName.values();
  }

  /** All consumers. */
  get subscriptions(): ReadonlySet<AnySubscription> {
    return this.#subscriptions;
  }

  /** A destination, if there is one of that name. */
  find(destination: ActiveMQDestination): Queue | Topic | undefined {
    return this.#byName.get(qualifiedName(destination));
  }

  /** Whether somebody consumes from an advisory topic. */
  isAwaited(topic: ActiveMQDestination): boolean {
    for (const watcher of this.#watchers) if (watcher.wants(topic)) return true;
    return false;
  }

  /** Consumers of all destinations that a name stands for, durable subscriptions that are away included. */
  countConsumers(destination: ActiveMQDestination): number {
    let sum = 0;
    for (const part of parts(destination)) {
      if (!isPattern(part)) sum += consumersOf(this.find(part));
      else {
        for (const place of this.all()) {
          if (includes(part, place.destination)) sum += consumersOf(place);
        }
      }
    }
    return sum;
  }

  /** A destination; made when there is none, for a connection or by a command of its. */
  open(destination: ActiveMQDestination, by?: DestinationInfo | string | null): Queue | Topic {
    const found = this.find(destination);
    if (found !== undefined) return found;
    const made = isQueue(destination) ? new Queue(destination, this.#around) : new Topic(
      destination,
      this.#around.totals,
      this.#around.topicPolicies.of(destination).recoveredMessages,
    );
    this.#byName.set(qualifiedName(destination), made);
    for (const subscription of this.#subscriptions) {
      if (subscription.wants(destination)) attach(subscription, made);
    }
    this.#around.advisories.destinationCreated(destination, by);
    return made;
  }

  /** Removes a destination with its messages. `force` takes it from its consumers, too, as does being temporary. */
  remove(destination: ActiveMQDestination, force: boolean): void {
    const name = qualifiedName(destination);
    force ||= isTemporary(destination);
    const found = this.find(destination);
    for (const subscription of this.#subscriptions) {
      if (!force && subscription.wants(destination)) {
        throw jmsException(`Destination: ${name} still has an active subscription`);
      }
      if (found !== undefined) detach(subscription, found);
    }
    if (!this.#byName.delete(name)) return;
    if (found instanceof Queue) {
      for (const message of found.messages()) this.#around.advisories.consumed(message);
    }
    this.#around.advisories.destinationDeleted(destination);
  }

  /** Adds a consumer to all destinations that it wants, those that are to come included. */
  subscribe(subscription: AnySubscription): void {
    const { wanted, info } = subscription;
    for (const part of wanted) checkOwner(part, info.consumerId?.connectionId);
    if (wanted.length === 1 && !isPattern(wanted[0]!)) {
      this.open(wanted[0]!, info.consumerId?.connectionId);
    }
    this.#subscriptions.add(subscription);
    if (wanted.some((part) => overlaps(part, ADVISORY_TOPICS))) this.#watchers.add(subscription);
    for (const place of this.#byName.values()) {
      if (!subscription.wantsOld(place.destination)) continue;
      if (subscription instanceof QueueBrowser) browse(subscription, place);
      else attach(subscription, place);
    }
    if (subscription instanceof QueueBrowser) subscription.dispatch();
  }

  /** Removes a consumer. What it didn't acknowledge can go to others. */
  unsubscribe(subscription: AnySubscription, lastDelivered: Long): void {
    this.#subscriptions.delete(subscription);
    this.#watchers.delete(subscription);
    if (subscription instanceof QueueSubscription) {
      for (const queue of subscription.places) queue.unsubscribe(subscription, lastDelivered);
    } else if (!(subscription instanceof QueueBrowser)) {
      for (const topic of subscription.places) topic.unsubscribe(subscription);
    }
  }
}

function attach(subscription: AnySubscription, place: Queue | Topic): void {
  if (place instanceof Queue && subscription instanceof QueueSubscription) {
    subscription.places.add(place);
    place.subscribe(subscription);
  } else if (place instanceof Topic && !isOfQueues(subscription)) {
    subscription.places.add(place);
    place.subscribe(subscription);
  }
}

/** A browser sees only what is there when it comes. */
function browse(browser: QueueBrowser, place: Queue | Topic): void {
  if (!(place instanceof Queue)) return;
  browser.places.add(place);
  browser.add(place.browse());
}

function detach(subscription: AnySubscription, place: Queue | Topic): void {
  if (place instanceof Queue && isOfQueues(subscription)) {
    if (!subscription.places.delete(place)) return;
    if (subscription instanceof QueueSubscription) subscription.takeBack(place);
  } else if (place instanceof Topic && !isOfQueues(subscription)) {
    subscription.places.delete(place);
  }
}

/** How many consume from a destination. */
export function consumersOf(place: Queue | Topic | undefined): number {
  if (place === undefined) return 0;
  return place instanceof Queue ? place.consumers.length : place.consumers.size;
}

function isOfQueues(
  subscription: AnySubscription,
): subscription is QueueSubscription | QueueBrowser {
  return subscription instanceof QueueSubscription || subscription instanceof QueueBrowser;
}

/** A temporary destination is for consumers of its own connection only. */
function checkOwner(
  destination: ActiveMQDestination,
  connectionId: string | null | undefined,
): void {
  if (!isTemporary(destination) || owner(destination) === connectionId) return;
  const kind = isQueue(destination) ? "queue" : "topic";
  throw jmsException(
    `Subscribing to a temporary ${kind} created by another connection is not permitted`,
    "InvalidDestinationException",
  );
}
