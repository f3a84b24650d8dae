/**
 * Messages that were lost with their connection before they were given out. The broker counts that as a delivery, as often as
 * a connection is lost; but what nobody has had has not failed, and must not be given up for that.
 */

import { formatMessageId } from "../message/message.ts";
import type { Delivery } from "./delivery.ts";

interface Count {
  /** What the broker has counted. */
  readonly told: number;
  /** Deliveries of which somebody had something. */
  readonly real: number;
}

/** The messages of one consumer that were lost before they were given out, the last time. */
export class NeverGiven {
  readonly #counts: Map<string, Count> = new Map();

  /** The connection was lost, and with it what waited. */
  lost(waiting: Iterable<Delivery>): void {
    this.#counts.clear();
    for (const delivery of waiting) {
      if (delivery.attempts > 0) continue;
      this.#counts.set(formatMessageId(delivery.message.messageId), {
        told: delivery.dispatch.redeliveryCounter,
        real: delivery.redeliveryCount,
      });
    }
  }

  /** A message has come, maybe again: sets how often it was delivered before. */
  arrived(delivery: Delivery): void {
    if (this.#counts.size === 0) return;
    const key = formatMessageId(delivery.message.messageId);
    const before = this.#counts.get(key);
    if (before === undefined) return;
    this.#counts.delete(key);
    // One of what came on top was the loss; the others were with somebody else.
    const others = Math.max(0, delivery.dispatch.redeliveryCounter - before.told - 1);
    delivery.redeliveryCount = before.real + others;
  }
}
