/**
 * What a destination counts, and the whole broker.
 *
 * @module
 */

import type { Message } from "../codec/mod.ts";
import { messageSize } from "./messages.ts";

/** Numbers since the beginning, or since they were reset. */
export class Counts {
  /** Messages that came. */
  enqueued = 0;
  /** Messages that went. */
  dequeued = 0;
  /** Messages that were sent to consumers, repetitions included. */
  dispatched = 0;
  /** Messages whose time was over. */
  expired = 0;
  /** Bytes of all messages that came. */
  bytes = 0;
  /** Milliseconds from arrival to dispatch, over all messages that were dispatched. */
  waited = 0;
  /** The shortest of these times; Infinity for none. */
  shortestWait: number = Infinity;
  /** The longest of these times. */
  longestWait = 0;
  readonly #whole: Counts | undefined;

  /** Counts for the whole as well, if there is one. */
  constructor(whole?: Counts) {
    this.#whole = whole;
  }

  /** Counts a message that came. */
  enqueue(message: Message): void {
    this.enqueued++;
    this.bytes += messageSize(message);
    this.#whole?.enqueue(message);
  }

  /** Counts a message that went. */
  dequeue(): void {
    this.dequeued++;
    this.#whole?.dequeue();
  }

  /** Counts a message that is sent to a consumer. */
  dispatch(message: Message, now: number): void {
    const wait = Math.max(0, now - Number(message.brokerInTime));
    this.dispatched++;
    this.waited += wait;
    this.shortestWait = Math.min(this.shortestWait, wait);
    this.longestWait = Math.max(this.longestWait, wait);
    this.#whole?.dispatch(message, now);
  }

  /** Counts a message whose time is over. */
  expire(): void {
    this.expired++;
    this.#whole?.expire();
  }

  /** Begins at 0 again. */
  reset(): void {
    this.enqueued =
      this.dequeued =
      this.dispatched =
      this.expired =
      this.bytes =
        0;
    this.waited = this.longestWait = 0;
    this.shortestWait = Infinity;
  }
}
