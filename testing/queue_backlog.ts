/**
 * The messages of a queue that no consumer has, and how far each consumer has looked at them.
 *
 * @module
 */

import { LinkedList, type ListNode } from "./linked_list.ts";
import type { Entry, QueueSubscription } from "./queue_subscription.ts";

/** A place among the messages that wait. */
export type Place = ListNode<Entry>;

/** In the order in which they are to be sent. Nobody looks twice at what he did not take. */
export class QueueBacklog {
  readonly #list: LinkedList<Entry> = new LinkedList();
  /** Before it stands what came back. */
  #fresh: Place = this.#list.first;
  readonly #cursors: Map<QueueSubscription, Place> = new Map();
  /** What came back has ranks below zero, what is fresh those above. */
  #freshRank = 0;
  #returnedRank = -Number.MAX_SAFE_INTEGER;

  /** How many messages wait. */
  get size(): number {
    return this.#list.size;
  }

  /** Adds a message at the end. */
  append(entry: Entry): void {
    entry.rank = ++this.#freshRank;
    entry.place = this.#list.append(entry);
  }

  /** Puts messages back: before what was never sent, after what came back earlier. Nobody looks at them by himself. */
  giveBack(entries: readonly Entry[]): void {
    for (const entry of entries) {
      entry.rank = ++this.#returnedRank;
      entry.place = this.#list.insert(entry, this.#fresh);
    }
  }

  /** Takes a message out, if it is here. */
  remove(entry: Entry): void {
    const { place } = entry;
    if (place === undefined) return;
    const next = place.next!;
    for (const [consumer, cursor] of this.#cursors) {
      if (cursor === place) this.#cursors.set(consumer, next);
    }
    if (this.#fresh === place) this.#fresh = next;
    this.#list.remove(place);
    entry.place = undefined;
  }

  /** Lets all look at everything again: what they could not have may be theirs now. */
  rewind(): void {
    for (const consumer of this.#cursors.keys()) this.#cursors.set(consumer, this.#list.first);
  }

  /** Begins to note how far a consumer has looked. */
  follow(consumer: QueueSubscription): void {
    this.#cursors.set(consumer, this.#list.first);
  }

  /** Ends that. */
  forget(consumer: QueueSubscription): void {
    this.#cursors.delete(consumer);
  }

  /** The first place at which one of some consumers has not looked. */
  start(consumers: readonly QueueSubscription[]): Place {
    let first = this.#list.end;
    for (const consumer of consumers) {
      const cursor = this.#cursors.get(consumer)!;
      if (rank(cursor) < rank(first)) first = cursor;
    }
    return first;
  }

  /** Whether a consumer looks at a place next. */
  isAt(consumer: QueueSubscription, place: Place): boolean {
    return this.#cursors.get(consumer) === place;
  }

  /** Notes that a consumer does not take what is at a place. */
  pass(consumer: QueueSubscription, place: Place): void {
    if (this.#cursors.get(consumer) === place) this.#cursors.set(consumer, place.next!);
  }
}

function rank({ value }: Place): number {
  return value === undefined ? Infinity : value.rank;
}
