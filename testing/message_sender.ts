/**
 * What becomes of a producer's messages: they are taken, wait for space in a queue, or are refused.
 *
 * @module
 */

import { createProducerAck, type Message, type ProducerInfo } from "../codec/mod.ts";
import type { BrokerState } from "./broker.ts";
import { qualifiedName } from "./destinations.ts";
import { jmsException } from "./exceptions.ts";
import { isExpired, messageSize } from "./messages.ts";
import type { Queue } from "./queue.ts";
import type { Outlet } from "./subscription.ts";
import type { Transaction } from "./transaction.ts";

/** What is left to do after sending. */
export interface Sending {
  /** Resolves when all is done; undefined when it is. */
  readonly done: Promise<void> | undefined;
  /** Whether the connection can't go on before. */
  readonly blocks: boolean;
}

const DONE: Sending = { done: undefined, blocks: false };

/** Sends messages of one connection (Java: Queue.send). */
export class MessageSender {
  readonly #broker: BrokerState;
  readonly #outlet: Outlet;
  /** Gives up waiting for space. */
  readonly #blocked: Set<() => void> = new Set();

  constructor(broker: BrokerState, outlet: Outlet) {
    this.#broker = broker;
    this.#outlet = outlet;
  }

  /** Sends a message to all its destinations. */
  send(message: Message, producer: ProducerInfo, transaction: Transaction | undefined): Sending {
    const acks = !message.responseRequired && producer.windowSize > 0;
    const take = (copy: Message) => {
      if (!this.#broker.accept(copy, transaction) || !acks) return;
      // As in ActiveMQ: one for each destination of a composite.
      const { producerId } = producer;
      this.#outlet(createProducerAck({ producerId, size: messageSize(message) }));
    };
    if (this.#broker.answer(message)) return DONE;
    const copies = this.#broker.split(message);
    if (copies.every((copy) => this.#fullQueue(copy) === undefined)) {
      for (const copy of copies) take(copy);
      return DONE;
    }
    // A client that gets an answer, or has a window, can go on meanwhile.
    if (!message.responseRequired && !acks) {
      return { done: this.#oneByOne(copies, take), blocks: true };
    }
    const parked = copies.map((copy) => this.#park(copy, take, transaction));
    return { done: Promise.all(parked).then(() => {}), blocks: false };
  }

  /** Gives up what blocks the connection: it is gone. */
  close(): void {
    for (const giveUp of this.#blocked) giveUp();
  }

  async #oneByOne(copies: readonly Message[], take: (copy: Message) => void): Promise<void> {
    for (const copy of copies) {
      const queue = this.#fullQueue(copy);
      if (queue === undefined) take(copy);
      else await this.#block(queue, () => take(copy));
    }
  }

  #block(queue: Queue, then: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = queue.flow.wait(() => settle(then));
      const settle = (what: () => void) => {
        this.#blocked.delete(giveUp);
        try {
          what();
          resolve();
        } catch (error) {
          reject(error);
        }
      };
      const giveUp = () => settle(cancel);
      this.#blocked.add(giveUp);
    });
  }

  /** Waits for space; the connection may go on. What was sent stays sent when it ends. */
  async #park(
    copy: Message,
    take: (copy: Message) => void,
    transaction: Transaction | undefined,
  ): Promise<void> {
    const queue = this.#fullQueue(copy);
    if (queue === undefined) return take(copy);
    await new Promise<void>((resolve, reject) => {
      queue.flow.wait(() => {
        try {
          if (transaction?.state === "finished") {
            throw jmsException("Send transaction completed while waiting for space");
          }
          take(copy);
          resolve();
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  /** The queue for which a message has to wait. Refuses it when the queue is so configured. */
  #fullQueue(message: Message): Queue | undefined {
    if (isExpired(message, Date.now())) return undefined;
    const queue = this.#broker.fullQueue(message);
    if (!queue?.flow.failWhenFull) return queue;
    throw jmsException(
      `Usage Manager Memory Limit reached on ${qualifiedName(message.destination!)}. ` +
        "See http://activemq.apache.org/producer-flow-control.html for more info",
      "ResourceAllocationException",
    );
  }
}
