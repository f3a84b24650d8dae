/** Waiting, but not for ever. */

import type { Deadlines } from "./deadlines.ts";

/** How long to wait. */
export interface Patience {
  readonly deadlines: Deadlines;
  /** Milliseconds; 0 for ever. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
  /** The error for when it took too long. */
  readonly late: () => Error;
}

/** Settles as the promise does, or fails before: in time, and when the connection ends. */
export function inTime<T>(
  promise: Promise<T>,
  { deadlines, timeout, signal, late }: Patience,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => fail(signal!.reason);
    const stop = (): void => {
      cancel();
      signal?.removeEventListener("abort", abort);
    };
    const fail = (error: unknown): void => {
      stop();
      reject(error);
    };
    const cancel = deadlines.add(timeout, () => fail(late()), fail);
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort);
    promise.then((value) => {
      stop();
      resolve(value);
    }, fail);
  });
}
