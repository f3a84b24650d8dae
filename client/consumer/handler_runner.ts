/** Gives messages to a handler, several at a time. */

import type { Delivery } from "./delivery.ts";
import type { DeliveryQueue, Receiver } from "./delivery_queue.ts";

/** What a {@linkcode HandlerRunner} needs. */
export interface HandlerRunnerOptions {
  readonly queue: DeliveryQueue;
  /** Messages that are with the handler at the same time. */
  readonly concurrency: number;
  /** Gives a message to the handler, and sees to what becomes of it. Never rejects. */
  handle(delivery: Delivery): Promise<unknown>;
  /** More is asked for. */
  asking(): void;
}

/** Gives messages to a handler, several at a time; those of one group one after another. */
export class HandlerRunner {
  /** Resolves when it was stopped and the handler has ended; rejects at once with what ends it otherwise. */
  readonly ended: Promise<void>;
  readonly #fail: (reason: Error) => void;
  readonly #options: HandlerRunnerOptions;
  readonly #waiting: Set<Receiver> = new Set();
  readonly #busyGroups: Set<string> = new Set();
  readonly #accepts = ({ message: { groupID } }: Delivery): boolean =>
    groupID === null || !this.#busyGroups.has(groupID);
  #stopped = false;

  constructor(options: HandlerRunnerOptions) {
    this.#options = options;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#fail = reject;
    // Who does not wait for the end learns of it elsewhere.
    promise.catch(() => {});
    const lanes = Array.from({ length: options.concurrency }, () => this.#run());
    Promise.all(lanes).then(() => resolve(), reject);
  }

  /** Gives out no more. */
  stop(): void {
    this.#stopped = true;
    for (const receiver of this.#waiting) {
      this.#options.queue.remove(receiver);
      receiver.end(undefined);
    }
  }

  /** Gives out no more, and waits for the handler no more. */
  fail(reason: Error): void {
    this.#fail(reason);
    this.stop();
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
        accepts: this.#accepts,
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
