/**
 * Waiting until something is so.
 *
 * @module
 */

interface Waiter {
  readonly condition: () => boolean;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** Conditions that are asked again and again. */
export class Conditions {
  #waiters: Waiter[] = [];

  /** Resolves when a condition holds; rejects when it throws. */
  wait(condition: () => boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiters.push({ condition, resolve, reject });
    this.check();
    return promise;
  }

  /** Asks all: something happened. */
  check(): void {
    if (this.#waiters.length === 0) return;
    this.#waiters = this.#waiters.filter(({ condition, resolve, reject }) => {
      try {
        if (!condition()) return true;
        resolve();
      } catch (error) {
        reject(error);
      }
      return false;
    });
  }

  /** Rejects what was not fulfilled: nothing will happen any more. */
  giveUp(reason: Error): void {
    for (const { reject } of this.#waiters.splice(0)) reject(reason);
  }
}
