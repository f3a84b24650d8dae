/** Many deadlines with one timer of the runtime. */

/** A callback that is to be made at a time. */
interface Deadline {
  readonly at: number;
  readonly expire: () => void;
}

/** Keeps the deadlines of one connection. */
export class Deadlines {
  readonly #deadlines: Set<Deadline> = new Set();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = Infinity;
  #closed = false;

  /**
   * Calls `expire` after some time.
   *
   * @param delay Milliseconds; 0 or less is never.
   * @returns Takes the deadline away.
   */
  add(delay: number, expire: () => void): () => void {
    if (delay <= 0) return () => {};
    if (this.#closed) {
      queueMicrotask(expire);
      return () => {};
    }
    const deadline = { at: performance.now() + delay, expire };
    this.#deadlines.add(deadline);
    if (deadline.at < this.#timerAt) this.#arm(deadline.at);
    return () => this.#deadlines.delete(deadline);
  }

  /** Takes all deadlines away; whoever adds one later has no time left. */
  close(): void {
    this.#closed = true;
    this.#deadlines.clear();
    clearTimeout(this.#timer);
    this.#timerAt = Infinity;
  }

  #arm(at: number): void {
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(() => this.#fire(), Math.max(0, Math.ceil(at - performance.now())));
  }

  #fire(): void {
    this.#timerAt = Infinity;
    const now = performance.now();
    let next = Infinity;
    const due: Deadline[] = [];
    for (const deadline of this.#deadlines) {
      if (deadline.at <= now) due.push(deadline);
      else if (deadline.at < next) next = deadline.at;
    }
    for (const deadline of due) this.#deadlines.delete(deadline);
    if (next < Infinity) this.#arm(next);
    for (const { expire } of due) expire();
  }
}
