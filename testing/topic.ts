/**
 * A topic: each message goes to all who are there.
 *
 * @module
 */

import type { ActiveMQDestination, Message } from "../codec/mod.ts";
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
  /** Messages that came. */
  enqueued = 0;
  /** Acknowledgements of messages, over all consumers. */
  dequeued = 0;
  readonly #consumers: Set<TopicConsumer> = new Set();

  constructor(destination: ActiveMQDestination) {
    this.destination = destination;
  }

  /** Who consumes from it; durable ones that are away included. */
  get consumers(): ReadonlySet<TopicConsumer> {
    return this.#consumers;
  }

  /** Sends a message to all consumers. */
  add(message: Message): void {
    this.enqueued++;
    for (const consumer of this.#consumers) {
      if (consumer.accepts(message)) consumer.add(message, this);
    }
  }

  /** Adds a consumer. */
  subscribe(consumer: TopicConsumer): void {
    this.#consumers.add(consumer);
  }

  /** Removes a consumer. */
  unsubscribe(consumer: TopicConsumer): void {
    this.#consumers.delete(consumer);
  }
}
