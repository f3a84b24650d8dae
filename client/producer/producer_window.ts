/**
 * How much a producer may have on its way that the broker has not taken yet.
 *
 * The broker sends a ProducerAck for each message that asks for no answer. How many come for one message can't be known,
 * though: virtual topics and mirrored queues make several, a composite queue that forwards nothing and messages that
 * were refused make none. So each time that half of the window is on its way, a message asks for an answer, which says
 * that all before it is done. Thus the window never closes for good, and stays narrow where ProducerAcks are too many.
 */

import type { ActiveMQDestination } from "../../codec/mod.ts";

/** A message on its way. */
export interface Charge {
  readonly size: number;
  /** Whether the message must be sent as a request; the broker sends no ProducerAck for it then. */
  readonly asks: boolean;
  /** ProducerAcks that must still come. */
  acks: number;
  /** The broker has taken it. */
  readonly taken: () => void;
}

/** Messages that the broker has not taken yet, in the order in which they were sent. */
export class ProducerWindow {
  /** Bytes at which it closes. */
  readonly size: number;
  readonly #charges: Set<Charge> = new Set();
  #used = 0;
  #asking: Charge | undefined;
  /** Whether it was full, and half of it is not free again. */
  #full = false;
  /** ProducerAcks for messages that count no more: ActiveMQ's answers overtake them. */
  #late = 0;
  /** More ProducerAcks came than were expected: what they are for is unknown, so only answers count. */
  #ambiguous = false;

  constructor(size: number) {
    this.size = size;
  }

  /** Bytes on their way. */
  get used(): number {
    return this.#used;
  }

  /**
   * Whether a message may be sent. It is closed only while an answer is on its way that will open it, and opens when half
   * of it is free: with each ProducerAck that comes, one message would be written alone.
   */
  get open(): boolean {
    if (this.#asking === undefined) {
      this.#full = false;
      return true;
    }
    if (this.#used >= this.size) this.#full = true;
    else if (this.#used <= this.size / 2) this.#full = false;
    return !this.#full;
  }

  /**
   * Counts a message that is sent now.
   *
   * @param size Its size.
   * @param acks How many ProducerAcks should come for it.
   * @param taken Is called when they have come.
   */
  charge(size: number, acks: number, taken: () => void = () => {}): Charge {
    this.#used += size;
    const asks = this.#asking === undefined && this.#used >= this.size / 2;
    const charge = { size, asks, acks, taken };
    if (asks) this.#asking = charge;
    this.#charges.add(charge);
    return charge;
  }

  /** A ProducerAck came. */
  acknowledged(): void {
    if (this.#late > 0) {
      this.#late--;
      return;
    }
    if (this.#ambiguous) return;
    for (const charge of this.#charges) {
      if (charge.asks) continue;
      if (--charge.acks > 0) return;
      charge.taken();
      this.#release(charge);
      return;
    }
    this.#ambiguous = true;
  }

  /** A message that asks was answered, whatever the answer, or never will be. */
  answered(charge: Charge): void {
    if (this.#asking === charge) this.#asking = undefined;
    if (!this.#charges.has(charge)) return;
    for (const earlier of this.#charges) {
      this.#forget(earlier);
      if (earlier === charge) return;
    }
  }

  /** A message was not sent after all. */
  withdraw(charge: Charge): void {
    if (this.#asking === charge) this.#asking = undefined;
    if (this.#charges.has(charge)) this.#release(charge);
  }

  /** Nothing is known any more of what is on its way. */
  clear(): void {
    for (const charge of this.#charges) this.#forget(charge);
  }

  /** The connection was lost, and ProducerAcks with it; answers will come. */
  reset(): void {
    for (const charge of this.#charges) if (charge !== this.#asking) this.#release(charge);
    this.#late = 0;
    this.#ambiguous = false;
  }

  #forget(charge: Charge): void {
    if (!charge.asks) this.#late += charge.acks;
    this.#release(charge);
  }

  #release(charge: Charge): void {
    this.#charges.delete(charge);
    this.#used -= charge.size;
  }
}

/** How many destinations a name stands for: the parts between commas, each of them once. */
export function countDestinations({ physicalName }: ActiveMQDestination): number {
  if (!physicalName.includes(",")) return 1;
  const parts = physicalName.split(",").map((part) => part.trim()).filter((part) => part !== "");
  return new Set(parts).size;
}
