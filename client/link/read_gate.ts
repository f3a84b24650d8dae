/** Decides whether a connection reads on while too much of what it has read is buffered. */

/** What a {@linkcode ReadGate} needs. */
export interface ReadGateOptions {
  /** Whether somebody waits for the broker. What it sends is read in any case then: the answer may be behind messages. */
  awaited(): boolean;
  /** Is called when reading may go on that was held up. */
  opened(): void;
}

/** The consumers of a connection that have too much, and whether that stops the reading. */
export class ReadGate {
  readonly #options: ReadGateOptions;
  readonly #full: Set<object> = new Set();

  constructor(options: ReadGateOptions) {
    this.#options = options;
  }

  /** Number of those that have too much now. */
  get full(): number {
    return this.#full.size;
  }

  /** Whether the next command may be read. */
  get open(): boolean {
    return this.#full.size === 0 || this.#options.awaited();
  }

  /** Somebody has too much. */
  close(owner: object): void {
    this.#full.add(owner);
  }

  /** Somebody has room again. */
  release(owner: object): void {
    if (this.#full.delete(owner)) this.check();
  }

  /** Looks again, because somebody may wait for the broker now. */
  check(): void {
    if (this.open) this.#options.opened();
  }
}
