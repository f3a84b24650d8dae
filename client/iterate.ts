/**
 * Iterations whose `next()` may be called again before it has settled. All of this client keep to the same rules:
 *
 * - Calls of `next()` are answered in their order, each with the next value.
 * - At the end all that wait get `{ done: true }`, as do all later ones.
 * - A failure, such as an aborted signal, rejects all that wait, or else the next call. Later ones get `{ done: true }`.
 * - `return()` answers all that wait with `{ done: true }`, and settles even while they wait.
 */

import { Fifo } from "./fifo.ts";

const END: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** What a {@linkcode Feed} needs. */
export interface FeedOptions {
  /** Values that wait to be asked for, at most; the oldest go first. */
  readonly limit: number;
  /** Fails the iteration with its reason. */
  readonly signal: AbortSignal | undefined;
  /** Nothing that is pushed from now on is of use. */
  left(): void;
}

/** An iteration of what is pushed into it. */
export class Feed<T> implements AsyncIterableIterator<T> {
  readonly #options: FeedOptions;
  readonly #values: Fifo<T> = new Fifo();
  readonly #calls: Fifo<PromiseWithResolvers<IteratorResult<T>>> = new Fifo();
  #ended = false;
  /** What has ended it and was told to nobody. */
  #failure: { readonly reason: unknown } | undefined;
  readonly #abort = (): void => this.#fail(this.#options.signal!.reason);

  constructor(options: FeedOptions) {
    this.#options = options;
    const { signal } = options;
    if (signal?.aborted) {
      this.#ended = true;
      this.#failure = { reason: signal.reason };
    } else signal?.addEventListener("abort", this.#abort);
  }

  push(value: T): void {
    if (this.#ended) return;
    const call = this.#calls.shift();
    if (call) return call.resolve({ done: false, value });
    if (this.#values.length >= this.#options.limit) this.#values.shift();
    this.#values.push(value);
  }

  /** Ends the iteration, after what waits to be asked for. */
  end(): void {
    this.#stop((call) => call.resolve(END));
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#failure) {
      const { reason } = this.#failure;
      this.#failure = undefined;
      return Promise.reject(reason);
    }
    if (this.#values.length > 0) {
      return Promise.resolve({ done: false, value: this.#values.shift()! });
    }
    if (this.#ended) return Promise.resolve(END);
    const call = Promise.withResolvers<IteratorResult<T>>();
    this.#calls.push(call);
    return call.promise;
  }

  return(): Promise<IteratorResult<T>> {
    this.#values.clear();
    this.#failure = undefined;
    this.end();
    return Promise.resolve(END);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #fail(reason: unknown): void {
    if (this.#ended) return;
    this.#values.clear();
    if (this.#calls.length === 0) this.#failure = { reason };
    this.#stop((call) => call.reject(reason));
  }

  #stop(settle: (call: PromiseWithResolvers<IteratorResult<T>>) => void): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#options.signal?.removeEventListener("abort", this.#abort);
    this.#options.left();
    for (let call; (call = this.#calls.shift());) settle(call);
  }
}

/**
 * Goes through another iteration, and closes something at its end: when it is left, after waiting for that; when it has failed,
 * without.
 */
export function closingIterator<T, U>(
  inner: AsyncIterableIterator<T>,
  map: (value: T) => U,
  close: () => Promise<void>,
): AsyncIterableIterator<U> {
  let ended = false;
  /** Set when the end of the inner one has been reached. */
  let closing: Promise<void> | undefined;
  /** What has ended it here, and which calls it is for: all that waited then. */
  let failure: { readonly error: unknown; readonly last: number } | undefined;
  let calls = 0;
  const fail = (error: unknown): never => {
    if (!ended) inner.return!().then(close).catch(() => {});
    ended = true;
    failure ??= { error, last: calls };
    throw error;
  };
  const iterator: AsyncIterableIterator<U> = {
    async next() {
      const call = ++calls;
      if (ended) return END;
      let result: IteratorResult<T>;
      try {
        result = await inner.next();
      } catch (error) {
        return fail(error);
      }
      if (failure && call <= failure.last) throw failure.error;
      if (closing) await closing.catch(() => {});
      if (ended) return END;
      if (result.done) {
        await (closing = end());
        return END;
      }
      try {
        return { done: false, value: map(result.value) };
      } catch (error) {
        return fail(error);
      }
    },
    async return() {
      if (!ended) await end();
      return END;
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  /** What has ended once does not fail again: Array.fromAsync() calls `return()` after a failure, in V8 until it succeeds. */
  const end = async (): Promise<void> => {
    ended = true;
    await inner.return!();
    await close();
  };
  return iterator;
}

/**
 * Makes an iteration of a generator that ends when a signal is aborted, by throwing its reason.
 *
 * @param run Makes the generator, with a signal that is aborted when the iteration is left while it waits, and when the other one
 *   is.
 * @param signal Ends the iteration with its reason.
 */
export function leavable<T>(
  run: (signal: AbortSignal) => AsyncGenerator<T, void, undefined>,
  signal: AbortSignal | undefined,
): AsyncIterableIterator<T> {
  const controller = new AbortController();
  const generator = run(
    signal ? AbortSignal.any([signal, controller.signal]) : controller.signal,
  );
  let calls = 0;
  let waiting = 0;
  /** What has ended it, and which calls it is for: all that waited then, of which the generator tells the first. */
  let failure: { readonly error: unknown; readonly last: number } | undefined;
  const iterator: AsyncIterableIterator<T> = {
    async next() {
      const call = ++calls;
      waiting++;
      try {
        const result = await generator.next();
        if (result.done && failure && call <= failure.last) throw failure.error;
        return result;
      } catch (error) {
        if (controller.signal.aborted && error === controller.signal.reason) return END;
        failure ??= { error, last: calls };
        throw error;
      } finally {
        waiting--;
      }
    },
    async return() {
      if (waiting > 0) controller.abort();
      await generator.return();
      return END;
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
}
