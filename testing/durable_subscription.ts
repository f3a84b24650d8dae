/**
 * A consumer of topics that gets what came while it was away.
 *
 * @module
 */

import type { ConsumerInfo, Long, Message } from "../codec/mod.ts";
import { LinkedList, type ListNode } from "./linked_list.ts";
import { isExpired, messageKey } from "./messages.ts";
import { type Held, PrefetchSubscription } from "./prefetch_subscription.ts";
import { LastDelivered } from "./queue.ts";
import type { Outlet } from "./subscription.ts";
import type { Topic, TopicConsumer } from "./topic.ts";

/** A message for one subscription. */
interface Kept extends Held {
  readonly topic: Topic;
  /** How often it was sent to somebody who left. */
  redeliveries: number;
  /** Where it waits; undefined when it is on its way. */
  place: ListNode<Kept> | undefined;
}

/** What one durable subscriber is to get, whether it is there or not (Java: DurableTopicSubscription). */
export class DurableSubscription extends PrefetchSubscription<Kept, Topic>
  implements TopicConsumer {
  #active = true;
  readonly #pending: LinkedList<Kept> = new LinkedList();

  /** Whether its consumer is there. */
  get active(): boolean {
    return this.#active;
  }

  override get full(): boolean {
    return !this.#active || super.full;
  }

  /** Messages that it did not consume. */
  get size(): number {
    return this.#pending.size + this.inFlight;
  }

  /** Keeps a message until it is consumed. */
  add(message: Message, topic: Topic): void {
    const key = messageKey(message.messageId!);
    const kept: Kept = { key, message, topic, redeliveries: 0, acked: undefined, place: undefined };
    kept.place = this.#pending.append(kept);
    this.dispatch();
  }

  /** Its consumer is there again. */
  activate(info: ConsumerInfo, outlet: Outlet): void {
    this.continueAs(info, outlet);
    this.#active = true;
    this.dispatch();
  }

  /** Its consumer is gone. What it had will come again, marked up to the last that it handed out. */
  deactivate(lastDelivered: Long): void {
    this.#active = false;
    const first = this.#pending.first;
    for (const kept of this.dispatched.removeAll()) {
      const sequence = kept.message.messageId?.brokerSequenceId ?? 0;
      const all = lastDelivered === LastDelivered.Unknown || lastDelivered === 0;
      if (all || (lastDelivered > 0 && sequence <= lastDelivered)) kept.redeliveries++;
      // Only a prepared transaction keeps what it took from whoever comes next.
      if (kept.acked?.state !== "prepared") kept.acked = undefined;
      kept.place = this.#pending.insert(kept, first);
    }
  }

  override dispatch(): void {
    const now = this.around.now();
    for (const node of this.#pending) {
      if (this.full) return;
      const kept = node.value;
      if (kept.acked) continue;
      this.#unqueue(kept);
      if (isExpired(kept.message, now)) {
        this.around.expire(kept.message);
        continue;
      }
      kept.topic.counts.dispatch(kept.message, now);
      this.send(kept, kept.redeliveries || undefined);
    }
  }

  protected override settle(kept: Kept): void {
    this.#unqueue(kept);
    kept.topic.counts.dequeue();
  }

  protected override resume(): void {
    this.dispatch();
  }

  protected override landed(): void {}

  #unqueue(kept: Kept): void {
    if (kept.place !== undefined) this.#pending.remove(kept.place);
    kept.place = undefined;
  }
}
