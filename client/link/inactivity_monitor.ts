/**
 * Decides when a silent connection needs a sign of life and when it is dead (Java: AbstractInactivityMonitor). It knows no
 * clock: it is told the time and what has moved.
 */

/** What to do after a check. */
export type InactivityVerdict = "nothing" | "keep-alive" | "suspect";

/** A check that comes this much late, as a part of its interval, tells of a blocked event loop and judges nobody. */
const LATE = 0.5;

/** Watches one connection. */
export class InactivityMonitor {
  /** Milliseconds between checks; 0 when nothing is watched. */
  readonly interval: number;
  /** When the event loop had stood still for longer than the limit, and for how long. */
  #stall: { readonly length: number; readonly end: number } | undefined;
  readonly #limit: number;
  #lastCheck: number;
  #lastRead: number;
  #bytesRead = 0;
  #bytesWritten = 0;

  /**
   * @param limit Milliseconds of silence that are suspect; 0 watches nothing.
   * @param initialDelay Milliseconds before silence counts.
   * @param now The time.
   */
  constructor(limit: number, initialDelay: number, now: number) {
    this.#limit = limit;
    this.interval = limit > 3 ? Math.floor(limit / 3) : limit;
    this.#lastCheck = now;
    this.#lastRead = now + initialDelay;
  }

  /**
   * Checks. A keep-alive is due when nothing was written since the last check.
   *
   * @param now The time.
   * @param bytesRead Bytes that came so far.
   * @param bytesWritten Bytes, or commands, that were written so far.
   * @param paused Whether nothing is read now, so that silence tells nothing.
   */
  check(
    now: number,
    bytesRead: number,
    bytesWritten: number,
    paused: boolean = false,
  ): InactivityVerdict {
    const gap = now - this.#lastCheck;
    const late = gap > this.interval * (1 + LATE);
    if (gap > this.#limit) this.#stall = { length: gap, end: now };
    this.#lastCheck = now;
    // While the event loop stood still, what the peer sent could not be seen: the time starts anew.
    if (bytesRead !== this.#bytesRead || late || paused) {
      this.#lastRead = Math.max(now, this.#lastRead);
    }
    this.#bytesRead = bytesRead;
    const idle = bytesWritten === this.#bytesWritten;
    this.#bytesWritten = bytesWritten;
    if (now - this.#lastRead >= this.#limit) return "suspect";
    return idle ? "keep-alive" : "nothing";
  }

  /**
   * For how many milliseconds nothing could be sent because the event loop stood still, if that was longer than the limit,
   * so that the peer may have given us up; 0 when it did not, or long ago.
   */
  blockedFor(now: number): number {
    if (this.#limit === 0) return 0;
    const gap = now - this.#lastCheck;
    if (gap > this.#limit) return gap;
    const stall = this.#stall;
    return stall && now - stall.end <= this.#limit ? stall.length : 0;
  }
}
