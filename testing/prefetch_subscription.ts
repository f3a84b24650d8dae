/**
 * Acknowledgements of consumers that have to account for each message.
 *
 * @module
 */

import type { Message, MessageAck } from "../codec/mod.ts";
import { AckType, describe } from "./acknowledgements.ts";
import { DispatchedList, type DispatchedNode } from "./dispatched_list.ts";
import { type BrokerException, jmsException, required } from "./exceptions.ts";
import { messageKey } from "./messages.ts";
import { Subscription } from "./subscription.ts";
import type { Transaction } from "./transaction.ts";

/** A message that somebody has to account for. */
export interface Held {
  /** Its id, from `messageKey`. */
  readonly key: string;
  /** The message. */
  message: Message;
  /** The transaction in which it is acknowledged and that isn't over. */
  acked: Transaction | undefined;
}

/** A consumer of queues, or a durable one of topics (Java: PrefetchSubscription). */
export abstract class PrefetchSubscription<E extends Held, Place> extends Subscription<Place> {
  /** What was sent and is not acknowledged. */
  protected readonly dispatched: DispatchedList<E> = new DispatchedList();
  #started = false;

  override get inFlight(): number {
    return this.dispatched.size;
  }

  /** A message is gone for good. */
  protected abstract settle(entry: E): void;

  /** A message went to the dead letter queue. */
  protected bury(entry: E): void {
    this.settle(entry);
  }

  /** The transaction is over in which a message was acknowledged: something may be sent now. */
  protected abstract resume(entry: E): void;

  /** A message is no more on its way. */
  protected abstract landed(entry: E): void;

  /** Sends a message and remembers it. */
  protected send(entry: E, redeliveryCounter?: number): void {
    this.#started = true;
    this.dispatched.add(entry);
    this.transmit(entry.message, redeliveryCounter);
  }

  override acknowledge(ack: MessageAck, transaction: Transaction | undefined): void {
    // It may concern what an earlier connection got: everything will come again.
    if (!this.#started) return;
    this.#apply(ack, transaction);
    this.dispatch();
  }

  #apply(ack: MessageAck, transaction: Transaction | undefined): void {
    switch (ack.ackType) {
      case AckType.Standard:
        for (const node of this.#exactRange(ack)) this.#consume(node, transaction);
        return;
      case AckType.Individual: {
        const node = this.dispatched.find(lastKey(ack));
        if (node === undefined) return;
        if (transaction !== undefined) this.expand(1);
        this.#consume(node, transaction);
        return;
      }
      case AckType.Delivered:
        if (this.dispatched.find(lastKey(ack)) === undefined) throw unrelated(ack);
        this.expand(ack.messageCount);
        return;
      case AckType.Redelivered:
        this.#looseRange(ack);
        return;
      case AckType.Poison: {
        if (ack.transactionId !== null) {
          throw jmsException(`Poison ack cannot be transacted: ${describe(ack)}`);
        }
        for (const node of this.#looseRange(ack)) {
          this.around.bury(node.value.message, ack.poisonCause);
          this.#remove(node);
          this.bury(node.value);
        }
        this.contract(1);
        return;
      }
      case AckType.Expired:
        // As in ActiveMQ, nobody looks whether its time is over.
        for (const node of this.#looseRange(ack)) {
          this.around.expire(node.value.message);
          this.#remove(node);
          this.bury(node.value);
        }
        this.contract(1);
        return;
        // As in ActiveMQ: what it doesn't know does nothing here, and is refused by consumers of topics.
    }
  }

  #consume(node: DispatchedNode<E>, transaction: Transaction | undefined): void {
    const entry = node.value;
    if (transaction === undefined) {
      this.#remove(node);
      this.contract(1);
      this.settle(entry);
      return;
    }
    entry.acked = transaction;
    transaction.enlist({
      afterCommit: () => {
        this.#remove(node);
        this.contract(1);
        this.settle(entry);
      },
      afterRollback: () => {
        entry.acked = undefined;
        this.contract(1);
      },
      afterEnd: () => this.resume(entry),
    });
  }

  #remove(node: DispatchedNode<E>): void {
    if (this.dispatched.remove(node)) this.landed(node.value);
  }

  /** The range of a STANDARD acknowledgement. It must fit exactly: the wrong messages are never acknowledged. */
  #exactRange(ack: MessageAck): DispatchedNode<E>[] {
    const first = firstKey(ack);
    const last = lastKey(ack);
    const fail = (problem: string): never => {
      throw jmsException(`Unmatched acknowledge: ${describe(ack)}; ${problem}`);
    };
    const start = first === undefined ? this.dispatched.first : this.dispatched.find(first);
    const found = start && this.dispatched.range(start, last);
    if (found === undefined) {
      const ended = this.dispatched.find(last) !== undefined;
      if (first !== undefined && (start === undefined || ended)) {
        fail(`Could not find Message-ID ${first} in dispatched-list (start of ack)`);
      }
      return fail(`Could not find Message-ID ${last} in dispatched-list (end of ack)`);
    }
    // The count of one in a transaction is not looked at.
    if (found.length !== ack.messageCount && ack.transactionId === null) {
      fail(
        `Expected message count (${ack.messageCount}) differs from count in dispatched-list (${found.length})`,
      );
    }
    return found;
  }

  /** The range of any other acknowledgement; how many messages it counts does not matter. */
  #looseRange(ack: MessageAck): DispatchedNode<E>[] {
    const first = firstKey(ack);
    const start = first === undefined ? this.dispatched.first : this.dispatched.find(first);
    const found = start && this.dispatched.range(start, lastKey(ack));
    if (found !== undefined) return found;
    throw unrelated(ack);
  }
}

function unrelated(ack: MessageAck): BrokerException {
  return jmsException(
    `Could not correlate acknowledgment with dispatched message: ${describe(ack)}`,
  );
}

function firstKey({ firstMessageId }: MessageAck): string | undefined {
  return firstMessageId === null ? undefined : messageKey(firstMessageId);
}

function lastKey({ lastMessageId }: MessageAck): string {
  return messageKey(required(lastMessageId, "lastMessageId"));
}
