/**
 * The broker's timers, all in one hand: none is left when it is closed.
 *
 * @module
 */

/** Longest delay in milliseconds that a runtime's timer takes. */
const LONGEST = 2 ** 31 - 1;

/** Calls things later. */
export class Timers {
  readonly #handles: Set<ReturnType<typeof setTimeout>> = new Set();
  readonly #fired: () => void;
  #closed = false;

  /** `fired` is called after each call. */
  constructor(fired: () => void = () => {}) {
    this.#fired = fired;
  }

  /** Calls something after some milliseconds. What it gives takes that back. */
  set(delay: number, call: () => void): () => void {
    if (this.#closed) return () => {};
    const end = Date.now() + delay;
    const handle = setTimeout(() => {
      this.#handles.delete(handle);
      const left = end - Date.now();
      if (delay > LONGEST && left > 0) {
        cancel = this.set(left, call);
        return;
      }
      call();
      this.#fired();
    }, Math.min(delay, LONGEST));
    this.#handles.add(handle);
    let cancel = () => {
      clearTimeout(handle);
      this.#handles.delete(handle);
    };
    return () => cancel();
  }

  /** Ends all, those that would come included. */
  close(): void {
    this.#closed = true;
    for (const handle of this.#handles) clearTimeout(handle);
    this.#handles.clear();
  }
}
