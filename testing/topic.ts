/**
 * A topic: each message goes to all who are there.
 *
 * @module
 */

import type { ActiveMQDestination, ConsumerInfo, Message, MessageAck } from "../codec/mod.ts";
import { AckType, describe, type Dispatched } from "./acknowledgements.ts";
import { jmsException, required } from "./exceptions.ts";
import { isExpired, messageKey } from "./messages.ts";
import { type Outlet, Subscription } from "./subscription.ts";

/** What was sent to a consumer. */
interface Sent extends Dispatched {
  readonly destination: ActiveMQDestination;
}

/** A consumer of topics that is forgotten when it goes. Durable ones will stand beside it. */
export class TopicSubscription extends Subscription<Topic> {
  readonly #expire: (message: Message) => void;
  #pending: Message[] = [];
  readonly #dispatched: Sent[] = [];

  /** `expire` gets the messages whose time ran out while they waited. */
  constructor(info: ConsumerInfo, outlet: Outlet, expire: (message: Message) => void) {
    super(info, outlet);
    this.#expire = expire;
  }

  override get inFlight(): number {
    return this.#dispatched.length;
  }

  /** Sends a message now, or once the window opens. */
  add(message: Message, now: number): void {
    this.#pending.push(message);
    this.dispatch(now);
  }

  /** Sends what can be sent. */
  dispatch(now: number): void {
    let next = 0;
    while (next < this.#pending.length && !this.full) {
      const message = this.#pending[next++]!;
      if (isExpired(message, now)) {
        this.#expire(message);
        continue;
      }
      this.#dispatched.push({
        key: messageKey(message.messageId!),
        destination: message.destination!,
      });
      this.transmit(message, now);
    }
    if (next > 0) this.#pending = this.#pending.slice(next);
  }

  /** Applies an acknowledgement to the window and says where the messages came from that are done with. */
  acknowledge(ack: MessageAck): ActiveMQDestination[] {
    switch (ack.ackType) {
      case AckType.Standard:
      case AckType.Individual:
        return this.#remove(ack);
      case AckType.Poison:
      case AckType.Expired: {
        const removed = this.#remove(ack);
        this.contract(ack.messageCount);
        return removed;
      }
      case AckType.Delivered:
        this.expand(ack.messageCount);
        return [];
      case AckType.Redelivered:
        return [];
      default:
        throw jmsException(`Invalid acknowledgment: ${describe(ack)}`);
    }
  }

  /** Nothing is checked: without a match for the first message nothing goes, without one for the last all after it. */
  #remove({ firstMessageId, lastMessageId }: MessageAck): ActiveMQDestination[] {
    const position = (key: string) => this.#dispatched.findIndex((sent) => sent.key === key);
    const start = firstMessageId === null ? 0 : position(messageKey(firstMessageId));
    if (start < 0) return [];
    const last = position(messageKey(required(lastMessageId, "lastMessageId")));
    const count = last < start ? Infinity : last - start + 1;
    const removed = this.#dispatched.splice(start, count);
    this.contract(removed.length);
    return removed.map(({ destination }) => destination);
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
