/**
 * Producers wait while a queue is full.
 *
 * @module
 */

/** How much a queue takes, and who waits for space. */
export class FlowControl {
  /** Messages from which on it is full. */
  limit: number = Infinity;
  /** Whether messages are refused when it is full; otherwise they wait. */
  failWhenFull = false;
  readonly #size: () => number;
  readonly #waiting: { readonly call: () => void }[] = [];
  #releasing = false;

  /** `size` gives the number of messages. */
  constructor(size: () => number) {
    this.#size = size;
  }

  /** Whether nothing more may come. */
  get full(): boolean {
    return this.#size() >= this.limit;
  }

  /** How many messages wait. */
  get blocked(): number {
    return this.#waiting.length;
  }

  /** Calls something when there is space, in the order of asking. What it gives takes that back. */
  wait(call: () => void): () => void {
    const entry = { call };
    this.#waiting.push(entry);
    return () => {
      const index = this.#waiting.indexOf(entry);
      if (index >= 0) this.#waiting.splice(index, 1);
    };
  }

  /** Looks whether there is space for those that wait. */
  release(): void {
    if (this.#releasing) return;
    this.#releasing = true;
    while (this.#waiting.length > 0 && !this.full) this.#waiting.shift()!.call();
    this.#releasing = false;
  }
}
