/**
 * Keeps commands in their order although some take time.
 *
 * @module
 */

/** Does something with a command; what takes time holds those behind it. */
export type Step = () => void | Promise<void>;

/** Steps one after the other, each at once as long as none takes time. */
export class CommandGate {
  readonly #stepped: () => void;
  readonly #failed: () => void;
  readonly #waiting: Step[] = [];
  #held: Promise<void> | undefined;
  #closed = false;

  /** `stepped` is called after each step that took time or had to wait, `failed` when one fails. */
  constructor(stepped: () => void, failed: () => void) {
    this.#stepped = stepped;
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
      this.#stepped();
      for (let step; (step = this.#waiting.shift()) !== undefined;) {
        const more = step();
        this.#stepped();
        if (more === undefined) continue;
        await more;
        this.#stepped();
      }
    } catch {
      this.#failed();
    }
    this.#held = undefined;
  }
}
