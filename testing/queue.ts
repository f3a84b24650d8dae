/**
 * A queue: each message goes to one consumer.
 *
 * @module
 */

import type { ActiveMQDestination, Long, Message } from "../codec/mod.ts";
import { required } from "./exceptions.ts";
import { MessageGroups } from "./message_groups.ts";
import { isExpired, messageKey } from "./messages.ts";
import type { Entry, QueueSubscription } from "./queue_subscription.ts";

/** What a client that closes a consumer says of the last message that it handed out. */
export const LastDelivered = {
  /** It handed out none. */
  None: -1,
  /** It doesn't know, or died: every message may have been seen. */
  Unknown: -2,
} as const;

/** Messages in the order in which they came, and those who want them. */
export class Queue {
  /** What it is called. */
  readonly destination: ActiveMQDestination;
  /** Messages that came. */
  enqueued = 0;
  /** Messages that went: consumed, expired or moved. */
  dequeued = 0;
  /** Messages that are with a consumer. */
  inFlight = 0;
  readonly #expire: (message: Message) => void;
  readonly #groups: MessageGroups<QueueSubscription> = new MessageGroups();
  #waiting: Entry[] = [];
  /** Higher priority first, and the one that was served last at the end of those of its priority. */
  #consumers: QueueSubscription[] = [];
  #exclusive: QueueSubscription | undefined;

  /** `expire` gets the messages whose time ran out while they waited. */
  constructor(destination: ActiveMQDestination, expire: (message: Message) => void) {
    this.destination = destination;
    this.#expire = expire;
  }

  /** Messages that are not consumed. */
  get size(): number {
    return this.#waiting.length + this.inFlight;
  }

  /** Who consumes from it. */
  get consumers(): readonly QueueSubscription[] {
    return this.#consumers;
  }

  /** Adds a message at the end. */
  add(message: Message, now: number): void {
    this.enqueued++;
    const key = messageKey(required(message.messageId, "messageId"));
    this.#waiting.push({ key, queue: this, message, sent: false });
    this.dispatch(now);
  }

  /** Adds a consumer. */
  subscribe(consumer: QueueSubscription, now: number): void {
    this.#insert(consumer);
    this.#chooseExclusive();
    this.dispatch(now);
  }

  /** Removes a consumer; what it didn't acknowledge waits again, before what was never sent. */
  unsubscribe(consumer: QueueSubscription, lastDelivered: Long, now: number): void {
    this.#consumers = this.#consumers.filter((other) => other !== consumer);
    this.#groups.release(consumer);
    this.#chooseExclusive();
    const unacknowledged = consumer.takeBack(this);
    this.inFlight -= unacknowledged.length;
    for (const entry of unacknowledged.slice(0, countDelivered(unacknowledged, lastDelivered))) {
      const { message } = entry;
      entry.message = { ...message, redeliveryCounter: message.redeliveryCounter + 1 };
    }
    const returned = this.#waiting.filter((entry) => entry.sent);
    const fresh = this.#waiting.filter((entry) => !entry.sent);
    this.#waiting = [...returned, ...unacknowledged, ...fresh];
    this.dispatch(now);
  }

  /** Forgets messages that a consumer settled. */
  settle(count: number): void {
    this.inFlight -= count;
    this.dequeued += count;
  }

  /** Sends what can be sent. */
  dispatch(now: number): void {
    const held: Entry[] = [];
    let next = 0;
    while (next < this.#waiting.length && this.#consumers.some(({ full }) => !full)) {
      const entry = this.#waiting[next++]!;
      if (isExpired(entry.message, now)) {
        this.dequeued++;
        this.#expire(entry.message);
        continue;
      }
      const consumer = this.#consumers.find((consumer) => this.#canTake(consumer, entry.message));
      if (consumer === undefined) {
        held.push(entry);
        continue;
      }
      entry.message = this.#groups.assign(consumer, entry.message);
      entry.sent = true;
      this.inFlight++;
      consumer.dispatch(entry, now);
      if (consumer !== this.#exclusive) this.#rotate(consumer);
    }
    if (held.length === 0) this.#waiting.splice(0, next);
    else this.#waiting = [...held, ...this.#waiting.slice(next)];
  }

  #canTake(consumer: QueueSubscription, message: Message): boolean {
    return !consumer.full && (this.#exclusive ?? consumer) === consumer &&
      consumer.accepts(message) && this.#groups.allows(consumer, message);
  }

  #rotate(consumer: QueueSubscription): void {
    if (this.#consumers.length === 1) return;
    this.#consumers.splice(this.#consumers.indexOf(consumer), 1);
    this.#insert(consumer);
  }

  #insert(consumer: QueueSubscription): void {
    const { priority } = consumer.info;
    const place = this.#consumers.findIndex(({ info }) => info.priority < priority);
    this.#consumers.splice(place < 0 ? this.#consumers.length : place, 0, consumer);
  }

  /** The one that got it first keeps it, unless another has a higher priority. */
  #chooseExclusive(): void {
    const candidates = this.#consumers.filter(({ info }) => info.exclusive);
    const best = Math.max(...candidates.map(({ info }) => info.priority));
    if (this.#exclusive && candidates.includes(this.#exclusive)) {
      if (this.#exclusive.info.priority === best) return;
    }
    this.#exclusive = candidates.find(({ info }) => info.priority === best);
  }
}

/** How many of the messages, from the oldest on, count as redelivered (Java: Queue.removeSubscription). */
function countDelivered(entries: readonly Entry[], lastDelivered: Long): number {
  if (lastDelivered === LastDelivered.Unknown) return entries.length;
  if (lastDelivered <= LastDelivered.None) return 0;
  return 1 +
    entries.findIndex(({ message }) => message.messageId?.brokerSequenceId === lastDelivered);
}
