/**
 * A consumer of queues.
 *
 * @module
 */

import type { Message, MessageAck } from "../codec/mod.ts";
import { AckType, exactRange, lastPosition, looseRange, type Range } from "./acknowledgements.ts";
import type { Queue } from "./queue.ts";
import { Subscription } from "./subscription.ts";

/** A message in a queue. */
export interface Entry {
  /** Its id, from `messageKey`. */
  readonly key: string;
  /** The queue that holds it. */
  readonly queue: Queue;
  /** The message, with the number of its redeliveries. */
  message: Message;
  /** Whether a consumer got it before. */
  sent: boolean;
}

/** What an acknowledgement did to the messages that it was about. */
export interface Settlement {
  /** What becomes of them. */
  readonly outcome: "kept" | "consumed" | "poisoned" | "expired";
  /** The messages. */
  readonly entries: readonly Entry[];
}

const NOTHING: Settlement = { outcome: "kept", entries: [] };

/** A consumer of one queue, or of several by a pattern or a composite name. */
export class QueueSubscription extends Subscription<Queue> {
  /** What was sent and is not acknowledged, in the order in which it was sent. */
  readonly #dispatched: Entry[] = [];
  #started = false;

  override get inFlight(): number {
    return this.#dispatched.length;
  }

  /** Sends a message to the client and remembers it. */
  dispatch(entry: Entry, now: number): void {
    this.#started = true;
    this.#dispatched.push(entry);
    this.transmit(entry.message, now);
  }

  /** Applies an acknowledgement to the window, and says what becomes of the messages (Java: PrefetchSubscription). */
  acknowledge(ack: MessageAck): Settlement {
    // It may concern what an earlier connection got: everything will come again.
    if (!this.#started) return NOTHING;
    switch (ack.ackType) {
      case AckType.Standard: {
        const range = exactRange(this.#dispatched, ack);
        this.contract(range.end - range.start);
        return this.#remove(range, "consumed");
      }
      case AckType.Individual: {
        const start = lastPosition(this.#dispatched, ack);
        if (start < 0) return NOTHING;
        this.contract(1);
        return this.#remove({ start, end: start + 1 }, "consumed");
      }
      case AckType.Delivered:
        looseRange(this.#dispatched, { ...ack, firstMessageId: null });
        this.expand(ack.messageCount);
        return NOTHING;
      case AckType.Redelivered:
        looseRange(this.#dispatched, ack);
        return NOTHING;
      case AckType.Poison: {
        const range = looseRange(this.#dispatched, ack);
        this.contract(1);
        return this.#remove(range, "poisoned");
      }
      case AckType.Expired: {
        const range = looseRange(this.#dispatched, ack);
        this.contract(1);
        return this.#remove(range, "expired");
      }
      // As in ActiveMQ: what it doesn't know does nothing to a queue, and is refused by a topic.
      default:
        return NOTHING;
    }
  }

  /** Takes back what came from one queue, oldest first. */
  takeBack(queue: Queue): Entry[] {
    const taken = this.#dispatched.filter((entry) => entry.queue === queue);
    const kept = this.#dispatched.filter((entry) => entry.queue !== queue);
    this.#dispatched.splice(0, Infinity, ...kept);
    return taken;
  }

  #remove({ start, end }: Range, outcome: Settlement["outcome"]): Settlement {
    return { outcome, entries: this.#dispatched.splice(start, end - start) };
  }
}
