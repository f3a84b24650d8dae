/** Gives messages to a handler, several at a time. */

import type { Delivery } from "./delivery.ts";
import type { DeliveryQueue, Receiver } from "./delivery_queue.ts";

/** What a {@linkcode HandlerRunner} needs. */
export interface HandlerRunnerOptions {
  readonly queue: DeliveryQueue;
  /** Messages that are with the handler at the same time. */
  readonly concurrency: number;
  /** Gives a message to the handler, and sees to what becomes of it. Never rejects. */
  handle(delivery: Delivery): Promise<void>;
  /** More is asked for. */
  asking(): void;
}

/** Gives messages to a handler, several at a time; those of one group one after another. */
export class HandlerRunner {
  /** Resolves when it was stopped and the handler has ended; rejects with what ended it otherwise. */
  readonly ended: Promise<void>;
  readonly #options: HandlerRunnerOptions;
  readonly #waiting: Set<Receiver> = new Set();
  readonly #busyGroups: Set<string> = new Set();
  #stopped = false;

  constructor(options: HandlerRunnerOptions) {
    this.#options = options;
    const lanes = Array.from({ length: options.concurrency }, () => this.#run());
    this.ended = Promise.allSettled(lanes).then((results) => {
      for (const result of results) if (result.status === "rejected") throw result.reason;
    });
    this.ended.catch(() => {});
  }

  /** Gives out no more. */
  stop(): void {
    this.#stopped = true;
    for (const receiver of this.#waiting) {
      this.#options.queue.remove(receiver);
      receiver.end(undefined);
    }
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#options.asking();
      const delivery = await this.#next();
      if (delivery === undefined) return;
      const group = delivery.message.groupID;
      await this.#options.handle(delivery);
      if (group !== null) this.#busyGroups.delete(group);
    }
  }

  #next(): Promise<Delivery | undefined> {
    return new Promise((resolve, reject) => {
      const receiver: Receiver = {
        accepts: ({ message }) =>
          message.groupID === null || !this.#busyGroups.has(message.groupID),
        give: (delivery) => {
          this.#waiting.delete(receiver);
          if (delivery.message.groupID !== null) this.#busyGroups.add(delivery.message.groupID);
          resolve(delivery);
        },
        end: (reason) => {
          this.#waiting.delete(receiver);
          if (reason) reject(reason);
          else resolve(undefined);
        },
      };
      this.#waiting.add(receiver);
      this.#options.queue.add(receiver);
    });
  }
}
