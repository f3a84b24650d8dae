/**
 * A topic: each message goes to all who are there.
 *
 * @module
 */

import type { ActiveMQDestination, Message, MessageAck } from "../codec/mod.ts";
import { AckType } from "./acknowledgements.ts";
import { jmsException } from "./exceptions.ts";
import { isExpired } from "./messages.ts";
import { Subscription } from "./subscription.ts";

/** A consumer of topics that is forgotten when it goes. Durable ones will stand beside it. */
export class TopicSubscription extends Subscription {
  #pending: Message[] = [];
  #inFlight = 0;

  override get inFlight(): number {
    return this.#inFlight;
  }

  /** Sends a message now, or once the window opens. */
  add(message: Message, now: number): void {
    this.#pending.push(message);
    this.dispatch(now);
  }

  /** Sends what can be sent. Messages whose time is over are dropped. */
  dispatch(now: number): void {
    let next = 0;
    while (next < this.#pending.length && !this.full) {
      const message = this.#pending[next++]!;
      if (isExpired(message, now)) continue;
      this.#inFlight++;
      this.transmit(message, now);
    }
    if (next > 0) this.#pending.splice(0, next);
  }

  /** Applies an acknowledgement to the window and says how many messages are done with (Java: TopicSubscription). */
  acknowledge({ ackType, messageCount }: MessageAck): number {
    switch (ackType) {
      case AckType.Standard:
      case AckType.Individual:
      case AckType.Poison:
      case AckType.Expired: {
        const settled = Math.min(messageCount, this.#inFlight);
        this.#inFlight -= settled;
        this.contract(messageCount);
        return settled;
      }
      case AckType.Delivered:
        this.expand(messageCount);
        return 0;
      case AckType.Redelivered:
        return 0;
      default:
        throw jmsException(`Invalid acknowledgment: type ${ackType}`);
    }
  }
}

/** Those who want the messages of a topic. */
export class Topic {
  /** What it is called. */
  readonly destination: ActiveMQDestination;
  /** Messages that came. */
  enqueued = 0;
  /** Acknowledgements of messages, over all consumers. */
  dequeued = 0;
  readonly #consumers: Set<TopicSubscription> = new Set();

  constructor(destination: ActiveMQDestination) {
    this.destination = destination;
  }

  /** Who consumes from it. */
  get consumers(): ReadonlySet<TopicSubscription> {
    return this.#consumers;
  }

  /** Sends a message to all consumers. */
  add(message: Message, now: number): void {
    this.enqueued++;
    for (const consumer of this.#consumers) {
      if (consumer.accepts(message)) consumer.add(message, now);
    }
  }

  /** Adds a consumer. */
  subscribe(consumer: TopicSubscription): void {
    this.#consumers.add(consumer);
  }

  /** Removes a consumer. */
  unsubscribe(consumer: TopicSubscription): void {
    this.#consumers.delete(consumer);
  }
}
