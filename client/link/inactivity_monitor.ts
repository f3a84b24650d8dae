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

  /** Checks. A keep-alive is due when nothing was written since the last check. */
  check(now: number, bytesRead: number, bytesWritten: number): InactivityVerdict {
    const late = now - this.#lastCheck > this.interval * (1 + LATE);
    this.#lastCheck = now;
    // While the event loop stood still, what the peer sent could not be seen: the time starts anew.
    if (bytesRead !== this.#bytesRead || late) this.#lastRead = Math.max(now, this.#lastRead);
    this.#bytesRead = bytesRead;
    const idle = bytesWritten === this.#bytesWritten;
    this.#bytesWritten = bytesWritten;
    if (now - this.#lastRead >= this.#limit) return "suspect";
    return idle ? "keep-alive" : "nothing";
  }
}
