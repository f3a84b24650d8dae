/**
 * A consumer of topics that is forgotten when it goes.
 *
 * @module
 */

import type { Message, MessageAck } from "../codec/mod.ts";
import { AckType, describe } from "./acknowledgements.ts";
import { type Dispatched, DispatchedList, type DispatchedNode } from "./dispatched_list.ts";
import { jmsException, required } from "./exceptions.ts";
import { LinkedList } from "./linked_list.ts";
import { isExpired, messageKey } from "./messages.ts";
import { Subscription } from "./subscription.ts";
import type { Topic, TopicConsumer } from "./topic.ts";
import type { Transaction } from "./transaction.ts";

/** What was sent to a consumer. */
interface Sent extends Dispatched {
  readonly topic: Topic;
}

/** What it has from several topics, and what waits for its window (Java: TopicSubscription). */
export class TopicSubscription extends Subscription<Topic> implements TopicConsumer {
  /** Always there. */
  readonly active = true;
  readonly #pending: LinkedList<{ message: Message; topic: Topic }> = new LinkedList();
  readonly #dispatched: DispatchedList<Sent> = new DispatchedList();
  #discarded = 0;
  #slow = false;

  override get inFlight(): number {
    return this.#dispatched.size;
  }

  /** Messages that wait for its window. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Whether its backlog is longer than its window. */
  get slow(): boolean {
    return this.#slow;
  }

  /** Sends a message now, or once the window opens. */
  add(message: Message, topic: Topic): void {
    if (this.prefetch > 1 && this.#pending.size > this.prefetch) this.#fallBehind(topic);
    this.#pending.append({ message, topic });
    this.dispatch();
    const limit = this.#limitOf(topic);
    for (const node of this.#pending) {
      if (this.#pending.size <= limit) return;
      this.#pending.remove(node);
      node.value.topic.discarded++;
      this.around.advisories.discarded(node.value.message, this.info, ++this.#discarded);
    }
  }

  /** Its backlog has become longer than its window; that is reported once, until the backlog is gone. */
  #fallBehind(topic: Topic): void {
    if (this.#slow) return;
    this.#slow = true;
    this.around.advisories.slowConsumer(topic.destination, this.info);
  }

  /** How many messages may wait for its window. What the consumer asks for counts only beside a limit of the broker. */
  #limitOf(topic: Topic): number {
    const { pendingMessageLimit } = this.around.topicPolicies.of(topic.destination);
    const { maximumPendingMessageLimit } = this.info;
    if (pendingMessageLimit === undefined) return Infinity;
    return maximumPendingMessageLimit > 0
      ? Math.min(pendingMessageLimit, maximumPendingMessageLimit)
      : pendingMessageLimit;
  }

  override dispatch(): void {
    const now = this.around.now();
    for (const node of this.#pending) {
      if (this.full) return;
      this.#pending.remove(node);
      const { message, topic } = node.value;
      if (isExpired(message, now)) {
        this.around.expire(message);
        continue;
      }
      this.#dispatched.add({ key: messageKey(message.messageId!), topic });
      topic.counts.dispatch(message, now);
      this.transmit(message);
    }
    this.#slow = false;
  }

  override acknowledge(ack: MessageAck, transaction: Transaction | undefined): void {
    const inTransaction = ack.transactionId !== null;
    switch (ack.ackType) {
      case AckType.Standard:
        this.#remove(ack, transaction);
        break;
      case AckType.Individual:
        this.#remove(ack, transaction);
        if (inTransaction) this.expand(1);
        break;
      case AckType.Poison:
        if (inTransaction) {
          throw jmsException(`Poison ack cannot be transacted: ${describe(ack)}`);
        }
        this.#remove(ack, undefined);
        this.contract(ack.messageCount);
        break;
      case AckType.Expired:
        this.#remove(ack, undefined);
        this.contract(ack.messageCount);
        break;
      case AckType.Delivered:
        this.expand(ack.messageCount);
        break;
      case AckType.Redelivered:
        return;
      default:
        throw jmsException(`Invalid acknowledgment: ${describe(ack)}`);
    }
    this.dispatch();
  }

  #remove(ack: MessageAck, transaction: Transaction | undefined): void {
    if (transaction === undefined) {
      this.contract(this.#settle(ack));
      return;
    }
    transaction.enlist({
      afterCommit: () => {
        this.contract(ack.messageCount);
        this.#settle(ack);
        this.dispatch();
      },
      afterRollback: () => this.contract(ack.messageCount),
    });
  }

  /** Nothing is checked: without a match for the first message nothing goes, without one for the last all after it. */
  #settle({ firstMessageId, lastMessageId }: MessageAck): number {
    const start = firstMessageId === null
      ? this.#dispatched.first
      : this.#dispatched.find(messageKey(firstMessageId));
    if (start === undefined) return 0;
    const last = messageKey(required(lastMessageId, "lastMessageId"));
    const range: DispatchedNode<Sent>[] = this.#dispatched.range(start, last) ??
      this.#dispatched.after(start);
    for (const node of range) {
      this.#dispatched.remove(node);
      node.value.topic.counts.dequeue();
    }
    return range.length;
  }
}
