/**
 * A consumer of queues.
 *
 * @module
 */

import { type Held, PrefetchSubscription } from "./prefetch_subscription.ts";
import type { Queue } from "./queue.ts";
import type { Place } from "./queue_backlog.ts";

/** A message in a queue. */
export interface Entry extends Held {
  /** The queue that holds it. */
  readonly queue: Queue;
  /** Where it waits; undefined when a consumer has it. */
  place: Place | undefined;
  /** Its order among those that wait. */
  rank: number;
}

/** A consumer of one queue, or of several by a pattern or a composite name. */
export class QueueSubscription extends PrefetchSubscription<Entry, Queue> {
  /** Sends a message to the client and remembers it. */
  deliver(entry: Entry): void {
    entry.queue.inFlight++;
    this.send(entry);
  }

  override dispatch(): void {
    for (const queue of this.places) queue.dispatch();
  }

  /** Takes back what came from one queue, oldest first. */
  takeBack(queue: Queue): Entry[] {
    const taken = this.dispatched.removeAll((entry) => entry.queue === queue);
    queue.inFlight -= taken.length;
    return taken;
  }

  protected override settle(entry: Entry): void {
    entry.queue.drop(entry);
  }

  protected override bury(entry: Entry): void {
    entry.queue.forget(entry);
    this.settle(entry);
  }

  protected override resume(entry: Entry): void {
    // When this consumer is gone, another may have it.
    if (entry.place !== undefined) entry.queue.reconsider();
    else this.dispatch();
  }

  protected override landed(entry: Entry): void {
    entry.queue.inFlight--;
  }
}
