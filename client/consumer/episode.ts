/** Tells the beginning of something that comes and goes from its going on. */

/** Milliseconds for which a limit must not be reached before that is news again. */
const QUIET = 10_000;

/** A time in which a limit is reached again and again. */
export class Episode {
  #going = false;
  #endedAt = -Infinity;

  /** Whether the limit was reached, and little has become of that since. */
  get going(): boolean {
    return this.#going;
  }

  /**
   * The limit is reached.
   *
   * @param now The time.
   * @returns Whether that is news.
   */
  begin(now: number = performance.now()): boolean {
    if (this.#going) return false;
    this.#going = true;
    return now - this.#endedAt >= QUIET;
  }

  /**
   * The limit is far.
   *
   * @param now The time.
   */
  end(now: number = performance.now()): void {
    if (!this.#going) return;
    this.#going = false;
    this.#endedAt = now;
  }
}
