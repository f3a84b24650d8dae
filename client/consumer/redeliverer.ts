/** Gives messages to the application again. */

import { decodePrimitiveMap } from "../../codec/mod.ts";
import type { Acknowledger } from "./acknowledger.ts";
import type { Deadlines } from "../deadlines.ts";
import type { Delivery } from "./delivery.ts";
import type { DeliveryQueue } from "./delivery_queue.ts";
import { logFieldsOf } from "./log_fields.ts";
import type { Logger } from "../observe/logger.ts";
import { poisonCause } from "./poison.ts";
import { redeliveryDelay, type RedeliveryPolicy } from "./redelivery_policy.ts";
import type { Resolved } from "../resolved.ts";
import type { StreamOutcome } from "../stream/incoming_streams.ts";

/** What a {@linkcode Redeliverer} needs. */
export interface RedelivererOptions {
  readonly policy: Resolved<RedeliveryPolicy>;
  readonly acknowledger: Acknowledger;
  readonly queue: DeliveryQueue;
  readonly deadlines: Deadlines;
  readonly log: Logger | undefined;
  /** Tells of a failure that nobody waits for. */
  report(error: Error): void;
  /** A message is given again, or is given up for a reason. */
  settled(delivery: Delivery, outcome: StreamOutcome): void;
}

/** How messages are given again. */
export interface RedeliveryOptions {
  /** Why they must be. */
  readonly cause: Error;
  /** Milliseconds to wait; what the policy says by default. */
  readonly delay?: number | undefined;
  /** Whether all others wait meanwhile, so that the order stays. */
  readonly blocking: boolean;
}

/** Gives messages to the application again, or gives them up, as a policy says. */
export class Redeliverer {
  readonly #options: RedelivererOptions;
  /** Messages that wait outside the queue, by their groups. */
  readonly #delayedGroups: Map<string, number> = new Map();
  #delayed = 0;
  #ended = false;

  constructor(options: RedelivererOptions) {
    this.#options = options;
  }

  /** Number of messages that wait outside the queue. */
  get delayed(): number {
    return this.#delayed;
  }

  /** Whether a message must wait for one of its group that is to be given again. */
  isBehind({ message: { groupID } }: Delivery): boolean {
    return groupID !== null && this.#delayedGroups.has(groupID);
  }

  /** From now on the broker delivers messages again. */
  end(): void {
    this.#ended = true;
  }

  /** The connection was lost: the broker delivers again what waits here. */
  interrupted(): void {
    this.#delayed = 0;
    this.#delayedGroups.clear();
  }

  redeliver(deliveries: Iterable<Delivery>, { cause, delay, blocking }: RedeliveryOptions): void {
    if (this.#ended) return;
    const { policy, acknowledger, queue, log } = this.#options;
    const again: Delivery[] = [];
    for (const delivery of deliveries) {
      // The broker delivers it again.
      if (delivery.state === "lost") continue;
      delivery.redeliveryCount++;
      if (this.#isTooOften(delivery)) this.#giveUp(delivery, cause);
      else again.push(delivery);
    }
    for (const delivery of again) this.#options.settled(delivery, "again");
    if (again.length === 0) return;
    acknowledger.redelivered(new Set(again));
    const delays = again.map((delivery) => {
      const wait = delay ?? redeliveryDelay(policy, delivery.redeliveryCount);
      log?.debug("A message will be given again", {
        ...logFieldsOf(delivery),
        delay: wait,
        error: cause,
      });
      return wait;
    });
    if (blocking) {
      queue.hold();
      queue.putBack(again);
      // What is lost meanwhile is not in the queue; its delay stays.
      this.#after(Math.max(...delays), () => queue.release());
    } else {
      again.forEach((delivery, index) => this.#putBackAfter(delays[index]!, delivery));
    }
  }

  /**
   * Gives a message up that came with too many deliveries.
   *
   * @returns Whether that was so.
   */
  checkBeforeDispatch(delivery: Delivery): boolean {
    if (!this.#options.policy.preDispatchCheck || !this.#isTooOften(delivery)) return false;
    // A broker that redelivers itself (its redelivery plugin) says so, and knows when it has been enough.
    if (hasProperty(delivery, "redeliveryDelay")) return false;
    this.#giveUp(delivery, new Error("it was not consumed"));
    return true;
  }

  /** Has the broker move a message to the dead letter queue. */
  #giveUp(delivery: Delivery, cause: Error): void {
    const { acknowledger, log, report, settled } = this.#options;
    log?.warn("A message was given up", { ...logFieldsOf(delivery), error: cause });
    settled(delivery, { rejected: cause });
    const reason = `Delivered ${delivery.redeliveryCount} times: ${cause.message}`;
    acknowledger.poison(delivery, poisonCause(new Error(reason, { cause }))).catch(report);
  }

  #isTooOften({ redeliveryCount }: Delivery): boolean {
    const { maximumRedeliveries } = this.#options.policy;
    return maximumRedeliveries >= 0 && redeliveryCount > maximumRedeliveries;
  }

  #putBackAfter(delay: number, delivery: Delivery): void {
    const group = delivery.message.groupID;
    this.#delayed++;
    if (group !== null) this.#countGroup(group, 1);
    this.#after(delay, () => {
      if (delivery.state === "lost") return;
      this.#delayed--;
      if (group !== null) this.#countGroup(group, -1);
      this.#options.queue.putBack([delivery]);
    });
  }

  #countGroup(group: string, change: number): void {
    const count = (this.#delayedGroups.get(group) ?? 0) + change;
    if (count > 0) this.#delayedGroups.set(group, count);
    else this.#delayedGroups.delete(group);
  }

  #after(delay: number, callback: () => void): void {
    // Never at once: what fails each time must not keep the event loop from all else.
    this.#options.deadlines.add(Math.max(1, delay), () => {
      if (!this.#ended) callback();
    });
  }
}

function hasProperty({ message }: Delivery, name: string): boolean {
  try {
    return decodePrimitiveMap(message.marshalledProperties).has(name);
  } catch {
    // Who reads the properties is told.
    return false;
  }
}
