/** What the application may do with a message that it was given. */

import { RETRY_OPTIONS } from "../message/message.ts";
import { CALL_OPTIONS } from "../call_options.ts";
import type { CallOptions } from "../call_options.ts";
import type { Delivery } from "./delivery.ts";
import type { RetryOptions, Settlement } from "../message/message.ts";
import { limitsOf, milliseconds } from "../options.ts";

/** What a {@linkcode DeliverySettlement} needs of its consumer. */
export interface SettlementOwner {
  /** Throws if the application can't settle the message, that it has had since that attempt. */
  check(delivery: Delivery, attempt: number, settled: boolean): void;
  acknowledge(delivery: Delivery, options: CallOptions): Promise<void>;
  /** Throws if the message was acknowledged in the transaction. */
  checkNotAcknowledged(delivery: Delivery): void;
  reject(delivery: Delivery, reason: unknown, options: CallOptions): Promise<void>;
  retry(delivery: Delivery, delay: number | undefined): void;
}

/** Settles one message, once. An object of few parts: there is one for each message. */
export class DeliverySettlement implements Settlement {
  readonly #owner: SettlementOwner;
  readonly #delivery: Delivery;
  readonly #attempt: number;
  #settled = false;

  constructor(owner: SettlementOwner, delivery: Delivery) {
    this.#owner = owner;
    this.#delivery = delivery;
    this.#attempt = delivery.attempts;
  }

  ack(options: CallOptions): Promise<void> {
    // Not async: each promise less is felt.
    try {
      CALL_OPTIONS.check(options, "Cannot acknowledge");
      limitsOf(options);
      this.#check();
      this.#settled = true;
      return this.#owner.acknowledge(this.#delivery, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async reject(reason: unknown, options: CallOptions): Promise<void> {
    CALL_OPTIONS.check(options, "Cannot reject");
    limitsOf(options);
    this.#check();
    this.#owner.checkNotAcknowledged(this.#delivery);
    this.#settled = true;
    await this.#owner.reject(this.#delivery, reason, options);
  }

  // deno-lint-ignore require-await -- fails as its siblings do
  async retry(options: RetryOptions): Promise<void> {
    RETRY_OPTIONS.check(options, "Cannot retry");
    const { delay } = options;
    if (delay !== undefined) milliseconds("delay", delay, 0);
    this.#check();
    this.#owner.checkNotAcknowledged(this.#delivery);
    this.#settled = true;
    this.#owner.retry(this.#delivery, delay);
  }

  /** In a transaction the application still has it after it was settled. */
  #check(): void {
    this.#owner.check(this.#delivery, this.#attempt, this.#settled);
  }
}
