/**
 * Keep-alives for a peer that hears nothing, and the end of a link on which nothing is heard.
 *
 * @module
 */

import type { WireFormatSettings } from "../codec/mod.ts";

type Timer = ReturnType<typeof setTimeout>;

/** What to do when it is silent. */
export interface InactivityActions {
  /** Nothing was written for a third of the agreed duration. */
  readonly keepAlive: () => void;
  /** Nothing was read for the agreed duration. */
  readonly dead: () => void;
}

/** The timers of one link (Java: InactivityMonitor). */
export class InactivityMonitor {
  readonly #actions: InactivityActions;
  /** Whether a command is being held: nothing can be read then, so silence means nothing. */
  busy = false;
  #read = false;
  #written = false;
  #start: Timer | undefined;
  #readTimer: Timer | undefined;
  #writeTimer: Timer | undefined;

  constructor(actions: InactivityActions) {
    this.#actions = actions;
  }

  /** Begins to wait for a peer of which nothing is known yet. */
  startWaiting(maxInactivityDuration: number): void {
    if (maxInactivityDuration <= 0) return;
    this.#start = setTimeout(() => this.#actions.dead(), maxInactivityDuration);
  }

  /** Begins to watch, after the agreed delay. */
  start({ maxInactivityDuration, maxInactivityDurationInitialDelay }: WireFormatSettings): void {
    clearTimeout(this.#start);
    if (maxInactivityDuration <= 0) return;
    this.#start = setTimeout(() => {
      this.#readTimer = setInterval(() => this.#checkRead(), maxInactivityDuration);
      this.#writeTimer = setInterval(
        () => this.#checkWrite(),
        Math.max(1, maxInactivityDuration / 3),
      );
    }, maxInactivityDurationInitialDelay);
  }

  /** Bytes came. */
  noteRead(): void {
    this.#read = true;
  }

  /** Bytes went. */
  noteWrite(): void {
    this.#written = true;
  }

  /** Ends all timers. */
  stop(): void {
    clearTimeout(this.#start);
    clearInterval(this.#readTimer);
    clearInterval(this.#writeTimer);
  }

  #checkRead(): void {
    if (!this.#read && !this.busy) this.#actions.dead();
    this.#read = false;
  }

  #checkWrite(): void {
    if (!this.#written) this.#actions.keepAlive();
    this.#written = false;
  }
}
