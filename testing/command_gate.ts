/**
 * Keeps commands in their order although some take time.
 *
 * @module
 */

/** Does something with a command; what takes time holds those behind it. */
export type Step = () => void | Promise<void>;

/** Steps one after the other, each at once as long as none takes time. */
export class CommandGate {
  readonly #failed: () => void;
  readonly #waiting: Step[] = [];
  #held: Promise<void> | undefined;
  #closed = false;

  /** `failed` is called when a step fails that had to wait. */
  constructor(failed: () => void) {
    this.#failed = failed;
  }

  /** Resolves when nothing waits any more; undefined when nothing does. */
  get held(): Promise<void> | undefined {
    return this.#held;
  }

  /** Takes a step, now or when it is its turn. */
  push(step: Step): void {
    if (this.#closed) return;
    if (this.#held !== undefined) {
      this.#waiting.push(step);
      return;
    }
    const taken = step();
    if (taken !== undefined) this.#held = this.#wait(taken);
  }

  /** Takes no more steps. */
  close(): void {
    this.#closed = true;
    this.#waiting.length = 0;
  }

  async #wait(taken: Promise<void>): Promise<void> {
    try {
      await taken;
      for (let step; (step = this.#waiting.shift()) !== undefined;) await step();
    } catch {
      this.#failed();
    }
    this.#held = undefined;
  }
}
