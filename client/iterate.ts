/** Iterations that can be left at any time: `return()` settles even while `next()` waits. */

const END: IteratorReturnResult<undefined> = { done: true, value: undefined };

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
  const iterator: AsyncIterableIterator<U> = {
    async next() {
      if (ended) return END;
      try {
        const { done, value } = await inner.next();
        if (!done) return { done: false, value: map(value) };
      } catch (error) {
        ended = true;
        inner.return!().then(close).catch(() => {});
        throw error;
      }
      await end();
      return END;
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
 * @param run Makes the generator, with a signal that is aborted when the iteration is left, and when the other one is.
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
  const iterator: AsyncIterableIterator<T> = {
    async next() {
      try {
        return await generator.next();
      } catch (error) {
        if (controller.signal.aborted && error === controller.signal.reason) return END;
        throw error;
      }
    },
    async return() {
      controller.abort();
      await generator.return();
      return END;
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
}
