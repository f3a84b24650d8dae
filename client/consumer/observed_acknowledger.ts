/** The acknowledger of a consumer whose connection has hooks. */

import type { Throwable } from "../../codec/mod.ts";
import { Acknowledger, type AcknowledgerOptions } from "./acknowledger.ts";
import type { CallOptions } from "../call_options.ts";
import type { Delivery } from "./delivery.ts";
import type { Observer } from "../observe/observer.ts";
import type { Subject } from "../observe/operation.ts";

/** Tells the broker what became of a consumer's messages, each time within a hook. */
export class ObservedAcknowledger extends Acknowledger {
  readonly #observer: Observer;
  readonly #subjectOf: (delivery: Delivery) => Subject;

  constructor(
    options: AcknowledgerOptions,
    observer: Observer,
    subjectOf: (delivery: Delivery) => Subject,
  ) {
    super(options);
    this.#observer = observer;
    this.#subjectOf = subjectOf;
  }

  override done(delivery: Delivery, options?: CallOptions): Promise<void> {
    return this.#settle("ack", delivery, () => super.done(delivery, options));
  }

  override individual(delivery: Delivery, options?: CallOptions): Promise<void> {
    return this.#settle("ack", delivery, () => super.individual(delivery, options));
  }

  override all(deliveries: Iterable<Delivery>, options?: CallOptions): Promise<void> {
    const all = [...deliveries];
    const last = all.at(-1);
    if (last === undefined) return super.all(all, options);
    const subject = { ...this.#subjectOf(last), count: all.length };
    return this.#observer.settle("ack", subject, () => super.all(all, options));
  }

  override committing(deliveries: ReadonlySet<Delivery>, done: Promise<unknown>): void {
    const last = [...deliveries].at(-1);
    if (last === undefined) return;
    const { size } = deliveries;
    const subject = { ...this.#subjectOf(last), count: size === 1 ? undefined : size };
    // Whoever commits is told of a failure.
    this.#observer.settle("ack", subject, () => done).catch(() => {});
  }

  override expired(delivery: Delivery): Promise<void> {
    return this.#settle("expire", delivery, () => super.expired(delivery));
  }

  override poison(delivery: Delivery, cause: Throwable, options?: CallOptions): Promise<void> {
    return this.#settle("reject", delivery, () => super.poison(delivery, cause, options));
  }

  override redelivered(deliveries: ReadonlySet<Delivery>): void {
    super.redelivered(deliveries);
    for (const delivery of deliveries) this.#settle("retry", delivery, () => Promise.resolve());
  }

  #settle(name: string, delivery: Delivery, work: () => Promise<void>): Promise<void> {
    return this.#observer.settle(name, this.#subjectOf(delivery), work);
  }
}
