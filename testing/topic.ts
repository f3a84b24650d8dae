/**
 * A topic: each message goes to all who are there.
 *
 * @module
 */

import type { ActiveMQDestination, Message } from "../codec/mod.ts";
import { Counts } from "./counts.ts";
import { LinkedList } from "./linked_list.ts";
import type { Subscription } from "./subscription.ts";

/** A consumer of topics. */
export interface TopicConsumer extends Subscription<Topic> {
  /** Whether it is there; a durable one may be away. */
  readonly active: boolean;
  /** Takes a message that it accepts. */
  add(message: Message, topic: Topic): void;
}

/** Those who want the messages of a topic. */
export class Topic {
  /** What it is called. */
  readonly destination: ActiveMQDestination;
  /** What came, and what was dispatched and acknowledged over all consumers. */
  readonly counts: Counts;
  /** Messages that were discarded, over all consumers: they waited for a consumer that was too slow. */
  discarded = 0;
  readonly #consumers: Set<TopicConsumer> = new Set();
  /** The last messages, for consumers that come later. */
  readonly #recovered: LinkedList<Message> = new LinkedList();
  readonly #recoveredMessages: number;

  constructor(destination: ActiveMQDestination, totals: Counts, recoveredMessages = 0) {
    this.destination = destination;
    this.counts = new Counts(totals);
    this.#recoveredMessages = recoveredMessages;
  }

  /** Who consumes from it; durable ones that are away included. */
  get consumers(): ReadonlySet<TopicConsumer> {
    return this.#consumers;
  }

  /** Sends a message to all consumers. */
  add(message: Message): void {
    this.counts.enqueue(message);
    if (this.#recoveredMessages > 0) {
      this.#recovered.append(message);
      const [oldest] = this.#recovered;
      if (this.#recovered.size > this.#recoveredMessages) this.#recovered.remove(oldest!);
    }
    for (const consumer of this.#consumers) {
      if (consumer.accepts(message)) consumer.add(message, this);
    }
  }

  /** Adds a consumer, and sends it what was kept if it asks for that. */
  subscribe(consumer: TopicConsumer): void {
    if (this.#consumers.has(consumer)) return;
    this.#consumers.add(consumer);
    if (!consumer.info.retroactive) return;
    for (const { value } of this.#recovered) {
      if (consumer.accepts(value)) consumer.add(value, this);
    }
  }

  /** Removes a consumer. */
  unsubscribe(consumer: TopicConsumer): void {
    this.#consumers.delete(consumer);
  }
}
