/** Messages that wait to be taken, and those who wait for messages. */

import type { Delivery } from "./delivery.ts";

/** Someone who waits for a message. */
export interface Receiver {
  /** Milliseconds that he waits; 0 for ever, as by default, and -1 when he takes only what the broker has at hand. */
  readonly timeout?: number;
  /** Whether it takes this one; all by default. */
  accepts?(delivery: Delivery): boolean;
  give(delivery: Delivery): void;
  /** There will be no more; an error says why, unless that is as it should be. */
  end(reason: Error | undefined): void;
}

/** What a {@linkcode DeliveryQueue} needs. */
export interface DeliveryQueueOptions {
  /** Whether a message must wait for another. */
  isBehind(delivery: Delivery): boolean;
  /** Whether a message must not be given out; whoever says so has dealt with it. */
  withdraw(delivery: Delivery): boolean;
  /** Whether the application may have another message. */
  mayGive(): boolean;
  /** Somebody waits and may not have another message. */
  limited(): void;
  /** Somebody waits, and there is nothing to give. */
  starved(): void;
  /** More or fewer messages wait. */
  changed(bytes: number): void;
}

/** Gives messages to whoever waits, each in its order. */
export class DeliveryQueue {
  readonly #options: DeliveryQueueOptions;
  readonly #receivers: Set<Receiver> = new Set();
  /** Those before the first are gone: to shift an array of 32,767 takes 50 µs. */
  #deliveries: (Delivery | undefined)[] = [];
  #first = 0;
  #held = 0;
  #bytes = 0;
  #fresh = 0;
  /** That there will be no more, and why. */
  #ended: { readonly reason: Error | undefined } | undefined;

  constructor(options: DeliveryQueueOptions) {
    this.#options = options;
  }

  /** Number of messages. */
  get length(): number {
    return this.#deliveries.length - this.#first;
  }

  /** The messages, in their order. */
  get waiting(): readonly Delivery[] {
    return this.#deliveries.slice(this.#first) as Delivery[];
  }

  /** Number of messages that were never given out. */
  get fresh(): number {
    return this.#fresh;
  }

  /** Size of the messages in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Those who wait, in that order. */
  get receivers(): ReadonlySet<Receiver> {
    return this.#receivers;
  }

  /** Adds a message that has come. */
  push(delivery: Delivery): void {
    this.#deliveries.push(delivery);
    this.#fresh++;
    this.#bytes += delivery.size;
    this.pump();
    this.#options.changed(this.#bytes);
  }

  /** Adds messages that are to be given again, before all others. */
  putBack(deliveries: readonly Delivery[]): void {
    for (const delivery of deliveries) {
      delivery.state = "buffered";
      this.#bytes += delivery.size;
    }
    this.#deliveries = [...deliveries, ...this.waiting];
    this.#first = 0;
    this.pump();
  }

  /** Gives nothing out until it is released; each call needs one. */
  hold(): void {
    this.#held++;
  }

  release(): void {
    this.#held--;
    this.pump();
  }

  /** Waits for a message; is ended at once when there will be no more. */
  add(receiver: Receiver): void {
    if (this.#ended) return receiver.end(this.#ended.reason);
    this.#receivers.add(receiver);
    this.pump();
  }

  /** Waits no more. */
  remove(receiver: Receiver): void {
    this.#receivers.delete(receiver);
  }

  /** Drops all messages; whoever waits goes on waiting. */
  clear(): void {
    this.#drop();
    this.#options.changed(0);
  }

  /** Drops all messages, and lets nobody wait any more. */
  end(reason: Error | undefined): void {
    this.#ended ??= { reason };
    this.#drop();
    for (const receiver of [...this.#receivers]) {
      this.#receivers.delete(receiver);
      receiver.end(reason);
    }
  }

  /** Gives out what there is. */
  pump(): void {
    if (this.#held > 0) return;
    for (const receiver of this.#receivers) {
      if (!this.#options.mayGive()) return this.#options.limited();
      if (!this.#serve(receiver)) break;
    }
    if (this.#receivers.size > 0 && this.length === 0) this.#options.starved();
  }

  /** Gives a message to one who waits; false when there is nothing for anybody. */
  #serve(receiver: Receiver): boolean {
    for (let index = this.#first; index < this.#deliveries.length;) {
      const delivery = this.#deliveries[index]!;
      if (this.#options.isBehind(delivery) || receiver.accepts?.(delivery) === false) {
        index++;
      } else if (this.#options.withdraw(delivery)) {
        const first = index === this.#first;
        this.#take(index);
        if (first) index = this.#first;
      } else {
        this.#take(index);
        this.#receivers.delete(receiver);
        receiver.give(delivery);
        return true;
      }
    }
    return this.length > 0;
  }

  #drop(): void {
    this.#deliveries = [];
    this.#first = 0;
    this.#fresh = 0;
    this.#bytes = 0;
  }

  #take(index: number): void {
    const delivery = this.#deliveries[index]!;
    if (index === this.#first) this.#shift();
    else this.#deliveries.splice(index, 1);
    if (delivery.attempts === 0) this.#fresh--;
    this.#bytes -= delivery.size;
    this.#options.changed(this.#bytes);
  }

  #shift(): void {
    this.#deliveries[this.#first++] = undefined;
    if (this.#first < 64 || this.#first * 2 < this.#deliveries.length) return;
    this.#deliveries = this.#deliveries.slice(this.#first);
    this.#first = 0;
  }
}
