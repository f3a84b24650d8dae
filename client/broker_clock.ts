/** How the clock of the broker differs from this one's, as far as messages tell. */

import type { Message } from "../codec/mod.ts";

/** Milliseconds of difference from which on it is worth mentioning, however long messages live. */
const NOTABLE = 1000;

/** Milliseconds after which a measurement is replaced by a smaller one: clocks are set right. */
const OLD = 60_000;

/**
 * The clock of the broker, by the times that it writes into messages when it gets and dispatches them (`brokerInTime`,
 * `brokerOutTime`). On the way they only become older: its clock is ahead by the largest difference at least. On a network
 * without delays the largest is short of the truth by 4 to 9 ms (ActiveMQ 5.17 and 6.3, Artemis 2.55).
 *
 * That is what matters, for a broker whose clock is ahead drops messages too early. One whose clock is behind keeps them longer.
 */
export class BrokerClock {
  #ahead = -Infinity;
  /** When that was measured. */
  #since = 0;
  #reported = false;

  /** Looks at a message that has come just now. */
  seen({ brokerInTime, brokerOutTime }: Pick<Message, "brokerInTime" | "brokerOutTime">): void {
    const time = Number(brokerOutTime) || Number(brokerInTime);
    if (time <= 0) return;
    const now = Date.now();
    const ahead = time - now;
    if (ahead < this.#ahead && Math.abs(now - this.#since) < OLD) return;
    this.#ahead = ahead;
    this.#since = now;
  }

  /** Forgets it all: the next broker has another clock. */
  reset(): void {
    this.#ahead = -Infinity;
    this.#reported = false;
  }

  /**
   * What to say when a message has not been seen again; empty when the clocks don't explain that.
   *
   * @param timeToLive Milliseconds; 0 for ever.
   */
  hint(timeToLive: number): string {
    const ahead = this.#ahead;
    if (timeToLive === 0 || !(ahead > 0) || ahead < Math.min(NOTABLE, timeToLive / 2)) return "";
    return `The broker's clock is ${ahead} ms ahead of this one's or more, and a message with a timeToLive of ` +
      `${timeToLive} ms expires that much earlier there: synchronize the clocks`;
  }

  /**
   * What to report of a message that is about to be sent; undefined when nothing is wrong, or that was reported before.
   *
   * @param timeToLive Milliseconds; 0 for ever.
   */
  warning(timeToLive: number): string | undefined {
    if (timeToLive === 0 || this.#ahead < timeToLive || this.#reported) return undefined;
    this.#reported = true;
    return this.hint(timeToLive);
  }
}
