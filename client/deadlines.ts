/** Many deadlines with one timer of the runtime. */

import { ConnectionClosedError } from "./errors.ts";

/** A callback that is to be made at a time. */
interface Deadline {
  readonly at: number;
  readonly expire: () => void;
  readonly ended: ((reason: Error) => void) | undefined;
}

/** Keeps the deadlines of one connection. */
export class Deadlines {
  readonly #deadlines: Set<Deadline> = new Set();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = Infinity;
  #closed: Error | undefined;

  /**
   * Calls `expire` after some time.
   *
   * @param delay Milliseconds; 0 or less is never.
   * @param expire The time is over.
   * @param ended The connection has ended before, or had already. Without it there is no call then, or `expire` if it had.
   * @returns Takes the deadline away.
   */
  add(delay: number, expire: () => void, ended?: (reason: Error) => void): () => void {
    if (delay <= 0 && !ended) return () => {};
    const reason = this.#closed;
    if (reason) {
      queueMicrotask(ended ? () => ended(reason) : expire);
      return () => {};
    }
    const at = delay <= 0 ? Infinity : performance.now() + delay;
    const deadline = { at, expire, ended };
    this.#deadlines.add(deadline);
    if (deadline.at < this.#timerAt) this.#arm(deadline.at);
    return () => this.#deadlines.delete(deadline);
  }

  /** The connection has ended: takes all deadlines away, and whoever adds one later has no time left. */
  close(reason: Error = new ConnectionClosedError("The connection was closed")): void {
    if (this.#closed) return;
    this.#closed = reason;
    const left = [...this.#deadlines];
    this.#deadlines.clear();
    clearTimeout(this.#timer);
    this.#timerAt = Infinity;
    for (const { ended } of left) ended?.(reason);
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
