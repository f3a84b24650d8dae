/**
 * A consumer that looks at the messages of queues and takes none.
 *
 * @module
 */

import type { Queue } from "./queue.ts";
import { type Held, PrefetchSubscription } from "./prefetch_subscription.ts";
import type { Entry } from "./queue_subscription.ts";

/** A message that is shown. */
interface Shown extends Held {
  /** The message in its queue. */
  readonly entry: Entry;
}

/** Shows what was there when it came, and says when that was all. */
export class QueueBrowser extends PrefetchSubscription<Shown, Queue> {
  readonly #pending: Entry[] = [];
  #next = 0;
  #ended = false;

  /** Adds messages of a queue, those that consumers have included. */
  add(entries: Iterable<Entry>): void {
    for (const entry of entries) if (this.accepts(entry.message)) this.#pending.push(entry);
  }

  /** As in ActiveMQ, the end counts as a message for the window. */
  override dispatch(): void {
    while (!this.full && !this.#ended) {
      const entry = this.#pending[this.#next++];
      if (entry === undefined) {
        this.#ended = true;
        this.#pending.length = 0;
        return this.sendNothing();
      }
      const { key, message, acked, queue } = entry;
      if (acked === undefined && queue.holds(entry)) this.send({ key, message, acked, entry });
    }
  }

  /** It leaves the queue as it is. */
  protected override settle(): void {}

  protected override resume(): void {
    this.dispatch();
  }

  protected override landed(): void {}
}
