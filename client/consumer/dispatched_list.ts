/** The messages that the broker takes to be with a consumer, in its order. */

import type { Delivery } from "./delivery.ts";

/**
 * What the broker's subscription keeps as dispatched (Java: PrefetchSubscription). An acknowledgement names a range of that
 * list by its ends, and the broker checks the number of messages in it: so only neighbours may be acknowledged together.
 */
export class DispatchedList implements Iterable<Delivery> {
  readonly #deliveries: Set<Delivery> = new Set();

  get size(): number {
    return this.#deliveries.size;
  }

  add(delivery: Delivery): void {
    this.#deliveries.add(delivery);
  }

  remove(delivery: Delivery): void {
    this.#deliveries.delete(delivery);
  }

  clear(): void {
    this.#deliveries.clear();
  }

  /**
   * Groups deliveries into runs of neighbours, in the list's order. What isn't in the list is left out.
   *
   * @param chosen Which ones.
   */
  runs(chosen: ReadonlySet<Delivery>): Delivery[][] {
    const runs: Delivery[][] = [];
    let run: Delivery[] | undefined;
    let missing = chosen.size;
    for (const delivery of this.#deliveries) {
      if (missing === 0) break;
      if (chosen.has(delivery)) {
        missing--;
        if (run) run.push(delivery);
        else runs.push(run = [delivery]);
      } else {
        run = undefined;
      }
    }
    return runs;
  }

  [Symbol.iterator](): Iterator<Delivery> {
    return this.#deliveries[Symbol.iterator]();
  }
}
