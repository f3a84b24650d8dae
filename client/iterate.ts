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
  const iterator: AsyncIterableIterator<U> = {
    async next() {
      let result;
      try {
        const { done, value } = await inner.next();
        if (!done) result = { done: false, value: map(value) } as const;
      } catch (error) {
        inner.return!().then(close).catch(() => {});
        throw error;
      }
      if (result) return result;
      await close();
      return END;
    },
    async return() {
      await inner.return!();
      await close();
      return END;
    },
    [Symbol.asyncIterator]: () => iterator,
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
