/** Messages that must wait before they are sent, and those behind them: the order of the calls is kept. */

/** A message in the line. */
export interface Waiting {
  /** Whether it may be sent now, once it is the first. */
  ready(): boolean;
  /** Sends it. */
  go(): void;
  /** It will not be sent. */
  fail(error: unknown): void;
}

/** Messages that wait, the first one for something else than its turn. */
export class SendLine {
  readonly #waiting: Set<Waiting> = new Set();
  #emptied: PromiseWithResolvers<void> | undefined;

  /** Whether nobody waits. */
  get empty(): boolean {
    return this.#waiting.size === 0;
  }

  /** Resolves when nobody waits. */
  emptied(): Promise<void> {
    if (this.empty) return Promise.resolve();
    this.#emptied ??= Promise.withResolvers();
    return this.#emptied.promise;
  }

  /** Stands at the end. */
  join(waiting: Waiting): void {
    this.#waiting.add(waiting);
    this.advance();
  }

  /** Goes away unsent. */
  leave(waiting: Waiting): void {
    this.#waiting.delete(waiting);
    this.advance();
  }

  /** Sends what may be sent. To be called whenever the first one may have become ready. */
  advance(): void {
    for (const first of this.#waiting) {
      if (!first.ready()) return;
      this.#waiting.delete(first);
      first.go();
    }
    this.#emptied?.resolve();
    this.#emptied = undefined;
  }

  /** Nothing is sent any more. */
  fail(error: unknown): void {
    const all = [...this.#waiting];
    this.#waiting.clear();
    for (const waiting of all) waiting.fail(error);
    this.advance();
  }
}
