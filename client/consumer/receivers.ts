/** Ways to wait for messages. */

import type { CallOptions } from "../call_options.ts";
import type { Deadlines } from "../deadlines.ts";
import type { Delivery } from "./delivery.ts";
import type { DeliveryQueue, Receiver } from "./delivery_queue.ts";
import type { Message } from "../message/message.ts";

/** What receivers need of their consumer. */
export interface ReceiverSource {
  readonly queue: DeliveryQueue;
  readonly deadlines: Deadlines;
  /** Adds a receiver, or ends it if there will be no more messages. */
  wait(receiver: Receiver): void;
  /** Makes the message for the application. */
  give(delivery: Delivery): Message;
  /** The application is done with a message, and has said nothing else. */
  finished(delivery: Delivery, attempt: number): void;
}

/**
 * Waits for one message.
 *
 * @param source The consumer.
 * @param options How long.
 * @param limit Milliseconds after which there is none in any case.
 * @param added Is called when it has to wait.
 */
export function receiveOne(
  source: ReceiverSource,
  { timeout, signal }: { timeout: number; signal: AbortSignal | undefined },
  limit: number,
  added: (receiver: Receiver) => void,
): Promise<Message | null> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    let waiting = true;
    const settle = (): void => {
      waiting = false;
      source.queue.remove(receiver);
      cancel();
      signal?.removeEventListener("abort", abort);
    };
    const abort = (): void => {
      settle();
      reject(signal!.reason);
    };
    const receiver: Receiver = {
      timeout,
      give: (delivery) => {
        settle();
        const message = source.give(delivery);
        source.finished(delivery, delivery.attempts);
        resolve(message);
      },
      end: (reason) => {
        settle();
        if (reason) reject(reason);
        else resolve(null);
      },
    };
    const cancel = source.deadlines.add(limit, () => receiver.end(undefined));
    signal?.addEventListener("abort", abort);
    source.wait(receiver);
    if (waiting) added(receiver);
  });
}

/**
 * Waits for one message after another.
 *
 * @param source The consumer.
 * @param options How long to wait for each, for ever by default, and what ends the wait.
 * @param late Makes the error for when none came in time.
 */
export function receiveAll(
  source: ReceiverSource,
  { timeout = 0, signal }: CallOptions,
  late: () => Error,
): AsyncIterableIterator<Message> {
  /** What was given and not finished: one, or as many as there were calls at the same time. */
  const given: { readonly delivery: Delivery; readonly attempt: number }[] = [];
  let done = false;
  const waiting: Set<Receiver> = new Set();
  /** Ends all calls that wait. */
  const end = (reason: Error | undefined): void => {
    done = true;
    for (const receiver of [...waiting]) receiver.end(reason);
  };
  const next = (): Promise<IteratorResult<Message>> => {
    const before = given.shift();
    if (before) source.finished(before.delivery, before.attempt);
    if (done) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => {
      const receiver: Receiver = {
        give: (delivery) => {
          settle();
          const value = source.give(delivery);
          given.push({ delivery, attempt: delivery.attempts });
          resolve({ done: false, value });
        },
        end: (reason) => {
          settle();
          done = true;
          if (reason) reject(reason);
          else resolve({ done: true, value: undefined });
        },
      };
      const abort = (): void => {
        settle();
        done = true;
        reject(signal!.reason);
      };
      const cancel = source.deadlines.add(timeout, () => end(late()));
      const settle = (): void => {
        source.queue.remove(receiver);
        waiting.delete(receiver);
        cancel();
        signal?.removeEventListener("abort", abort);
      };
      if (signal?.aborted) return abort();
      signal?.addEventListener("abort", abort);
      waiting.add(receiver);
      source.wait(receiver);
    });
  };
  const iterator: AsyncIterableIterator<Message> = {
    next,
    return: () => {
      end(undefined);
      return Promise.resolve({ done: true, value: undefined });
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
}
