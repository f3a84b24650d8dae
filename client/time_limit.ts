/** A time limit for several steps. */

/** A signal that is aborted after some time, or with another one. Needs to be cancelled. */
export class TimeLimit {
  readonly #controller: AbortController = new AbortController();
  readonly #parent: AbortSignal | undefined;
  readonly #end: number;
  readonly #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param timeout Milliseconds; 0 or Infinity is never.
   * @param late Makes the reason when the time is over.
   * @param parent Another signal that ends the steps.
   */
  constructor(timeout: number, late: () => Error, parent?: AbortSignal) {
    const limited = timeout > 0 && timeout < Infinity;
    this.#end = limited ? performance.now() + timeout : Infinity;
    this.#timer = limited ? setTimeout(() => this.#controller.abort(late()), timeout) : undefined;
    this.#parent = parent;
    parent?.addEventListener("abort", this.#abort);
    if (parent?.aborted) this.#abort();
  }

  /** Ends the steps. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Milliseconds that are left; Infinity without a limit. */
  get left(): number {
    return Math.max(0, this.#end - performance.now());
  }

  /** Waits for something unless the time is over. */
  race<T>(promise: Promise<T>): Promise<T> {
    const { signal } = this;
    return new Promise((resolve, reject) => {
      const abort = (): void => reject(signal.reason);
      const settled = (): void => signal.removeEventListener("abort", abort);
      signal.addEventListener("abort", abort);
      if (signal.aborted) abort();
      promise.finally(settled).then(resolve, reject);
    });
  }

  /** Waits some milliseconds. */
  async wait(delay: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      await this.race(new Promise<void>((resolve) => timer = setTimeout(resolve, delay)));
    } finally {
      clearTimeout(timer);
    }
  }

  /** Nothing is to be ended any more. */
  cancel(): void {
    clearTimeout(this.#timer);
    this.#parent?.removeEventListener("abort", this.#abort);
  }

  readonly #abort = (): void => this.#controller.abort(this.#parent!.reason);
}

/** Waits some milliseconds; rejects with the signal's reason when it is aborted. */
export async function waitFor(delay: number, signal: AbortSignal): Promise<void> {
  const noLimit = new TimeLimit(0, () => new Error("never"), signal);
  await noLimit.wait(delay).finally(() => noLimit.cancel());
}
