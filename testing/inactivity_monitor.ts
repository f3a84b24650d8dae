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

/** How many times the time between checks one may take before the event loop counts as having stood still. */
const LATE = 1.5;

/** The timers of one link (Java: InactivityMonitor). */
export class InactivityMonitor {
  readonly #actions: InactivityActions;
  /** Whether a command is being held: nothing can be read then, so silence means nothing. */
  busy = false;
  #read = false;
  #written = false;
  /** Milliseconds between the checks of what was written, and when the last one was. */
  #interval = 0;
  #lastCheck = 0;
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
      this.#interval = Math.max(1, maxInactivityDuration / 3);
      this.#lastCheck = performance.now();
      this.#readTimer = setInterval(() => this.#checkRead(), maxInactivityDuration);
      this.#writeTimer = setInterval(() => this.#checkWrite(), this.#interval);
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
    this.#excuse();
    if (!this.#read && !this.busy) this.#actions.dead();
    this.#read = false;
  }

  #checkWrite(): void {
    this.#excuse();
    this.#lastCheck = performance.now();
    if (!this.#written) this.#actions.keepAlive();
    this.#written = false;
  }

  /** While the event loop stood still nothing could be read; a client in the same process could not even send. */
  #excuse(): void {
    if (performance.now() - this.#lastCheck > LATE * this.#interval) this.#read = true;
  }
}
