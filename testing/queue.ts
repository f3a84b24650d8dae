/**
 * A queue: each message goes to one consumer.
 *
 * @module
 */

import type { ActiveMQDestination, Long, Message } from "../codec/mod.ts";
import { Counts } from "./counts.ts";
import { DuplicateAudit } from "./duplicate_audit.ts";
import { required } from "./exceptions.ts";
import { FlowControl } from "./flow_control.ts";
import { MessageGroups } from "./message_groups.ts";
import { isExpired, messageKey } from "./messages.ts";
import { QueueBacklog } from "./queue_backlog.ts";
import type { Entry, QueueSubscription } from "./queue_subscription.ts";
import type { Surroundings } from "./subscription.ts";

/** What a client that closes a consumer says of the last message that it handed out. */
export const LastDelivered = {
  /** It handed out none. */
  None: -1,
  /** It doesn't know, or died: every message may have been seen. */
  Unknown: -2,
} as const;

/** An exclusive consumer of this priority takes over from any other. */
const HIGHEST_PRIORITY = 127;

/** Messages in the order in which they came, and those who want them. */
export class Queue {
  /** What it is called. */
  readonly destination: ActiveMQDestination;
  /** What came, and what went: consumed, expired or moved. */
  readonly counts: Counts;
  /** Messages that are with a consumer. */
  inFlight = 0;
  /** Who may send. */
  readonly flow: FlowControl = new FlowControl(() => this.#held.size);
  readonly #around: Surroundings;
  readonly #held: Set<Entry> = new Set();
  readonly #audit: DuplicateAudit = new DuplicateAudit();
  /** Keys of the messages that are not persistent: only while they are held, others like them are left out. */
  readonly #fleeting: Set<string> = new Set();
  readonly #backlog: QueueBacklog = new QueueBacklog();
  readonly #groups: MessageGroups<QueueSubscription> = new MessageGroups();
  /** Higher priority first, and the one that was served last at the end of those of its priority. */
  #consumers: QueueSubscription[] = [];
  #exclusive: QueueSubscription | undefined;
  #dispatching = false;
  #again = false;

  constructor(destination: ActiveMQDestination, around: Surroundings) {
    this.destination = destination;
    this.#around = around;
    this.counts = new Counts(around.totals);
  }

  /** Messages that are not consumed. */
  get size(): number {
    return this.#held.size;
  }

  /** Who consumes from it; those who only look left out. */
  get consumers(): readonly QueueSubscription[] {
    return this.#consumers;
  }

  /** All messages that are not consumed, oldest first. */
  messages(): Message[] {
    return [...this.#held].map(({ message }) => message);
  }

  /** All that is not consumed, oldest first. What waits and is too old goes. */
  browse(): Iterable<Entry> {
    const now = this.#around.now();
    for (const entry of this.#held) {
      if (entry.place !== undefined && isExpired(entry.message, now)) this.#expire(entry);
    }
    return this.#held;
  }

  /** Whether a message is not consumed. */
  holds(entry: Entry): boolean {
    return this.#held.has(entry);
  }

  /** Adds a message at the end. One that came before is left out without a word. */
  add(message: Message): void {
    const id = required(message.messageId, "messageId");
    const key = messageKey(id);
    if (message.persistent ? !this.#audit.add(id) : this.#fleeting.has(key)) return;
    this.counts.enqueue(message);
    const entry = { key, queue: this, message, acked: undefined, place: undefined, rank: 0 };
    this.#held.add(entry);
    if (!message.persistent) this.#fleeting.add(key);
    this.#backlog.append(entry);
    this.dispatch();
  }

  /** Forgets a message: it is consumed, expired or moved. */
  drop(entry: Entry): void {
    if (!this.#held.delete(entry)) return;
    this.#fleeting.delete(entry.key);
    this.#backlog.remove(entry);
    this.counts.dequeue();
    this.#around.advisories.consumed(entry.message);
    this.flow.release();
  }

  /** Adds a consumer. */
  subscribe(consumer: QueueSubscription): void {
    this.#insert(consumer);
    this.#backlog.follow(consumer);
    if (consumer.info.exclusive) this.#electWith(consumer);
    this.dispatch();
  }

  /** Removes a consumer; what it didn't acknowledge waits again, before what was never sent. */
  unsubscribe(consumer: QueueSubscription, lastDelivered: Long): void {
    this.#consumers = this.#consumers.filter((other) => other !== consumer);
    this.#backlog.forget(consumer);
    this.#groups.release(consumer);
    if (this.#exclusive === consumer) this.#electWithout();
    const unacknowledged = consumer.takeBack(this);
    for (const entry of unacknowledged.slice(0, countDelivered(unacknowledged, lastDelivered))) {
      const { message } = entry;
      entry.message = { ...message, redeliveryCounter: message.redeliveryCounter + 1 };
    }
    this.#backlog.giveBack(unacknowledged);
    this.reconsider();
  }

  /** Looks at all messages again, and sends what can be sent. */
  reconsider(): void {
    this.#backlog.rewind();
    this.dispatch();
  }

  /** Sends what can be sent. */
  dispatch(): void {
    this.#again = true;
    if (this.#dispatching) return;
    this.#dispatching = true;
    while (this.#again) {
      this.#again = false;
      this.#pass();
    }
    this.#dispatching = false;
  }

  #pass(): void {
    let open = this.#open();
    if (open.length === 0 || this.#backlog.size === 0) return;
    const now = this.#around.now();
    while (open.length > 0 && !this.#again) {
      const place = this.#backlog.start(open);
      const entry = place.value;
      if (entry === undefined) return;
      if (isExpired(entry.message, now) && entry.acked === undefined) {
        this.#expire(entry);
        continue;
      }
      const taker = this.#find(entry, open);
      if (taker === undefined) continue;
      this.#assign(entry, taker);
      open = this.#open();
    }
  }

  /** The consumers that can take more, in the order of their turns. */
  #open(): readonly QueueSubscription[] {
    const all = this.#exclusive === undefined ? this.#consumers : [this.#exclusive];
    return all.filter(({ full }) => !full);
  }

  #find(entry: Entry, open: readonly QueueSubscription[]): QueueSubscription | undefined {
    const place = entry.place!;
    for (const consumer of open) {
      if (!this.#backlog.isAt(consumer, place)) continue;
      const takes = entry.acked === undefined && consumer.accepts(entry.message) &&
        this.#groups.allows(consumer, entry.message);
      if (takes) return consumer;
      this.#backlog.pass(consumer, place);
    }
  }

  #assign(entry: Entry, consumer: QueueSubscription): void {
    const { groupID, groupSequence } = entry.message;
    entry.message = this.#groups.assign(consumer, entry.message);
    this.#backlog.remove(entry);
    this.counts.dispatch(entry.message, this.#around.now());
    consumer.deliver(entry);
    if (consumer !== this.#exclusive) this.#rotate(consumer);
    if (groupID === null || groupSequence > 1 || groupSequence === 0) return;
    // The group has another owner, or none: others may want now what they could not have.
    this.#backlog.rewind();
    this.#again = true;
  }

  /** Lets a message come again: it went to another place. */
  forget({ message }: Entry): void {
    this.#audit.forget(message.messageId!);
  }

  #expire(entry: Entry): void {
    this.forget(entry);
    this.drop(entry);
    this.#around.expire(entry.message);
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

  /** The one that got it first keeps it, unless another has a higher priority, or the highest. */
  #electWith({ info: { priority } }: QueueSubscription): void {
    const before = this.#exclusive?.info.priority;
    if (before !== undefined && priority <= before && priority !== HIGHEST_PRIORITY) return;
    this.#exclusive = this.#consumers.findLast(({ info }) =>
      info.exclusive && info.priority === priority
    );
    this.#backlog.rewind();
  }

  #electWithout(): void {
    // They are in the order of their priorities.
    this.#exclusive = this.#consumers.find(({ info }) => info.exclusive);
    this.#backlog.rewind();
  }
}

/** How many of the messages, from the oldest on, count as redelivered (Java: Queue.removeSubscription). */
function countDelivered(entries: readonly Entry[], lastDelivered: Long): number {
  if (lastDelivered === LastDelivered.Unknown) return entries.length;
  if (lastDelivered <= LastDelivered.None) return 0;
  return 1 +
    entries.findIndex(({ message }) => message.messageId?.brokerSequenceId === lastDelivered);
}
