/**
 * Notices a frame that does not get to its end: a peer that sends a byte now and then looks alive, and nothing that it sends
 * later can be read. It knows no clock: it is told the time and what has moved.
 */

/** Bytes a second of a frame that must come at least. */
export const MINIMUM_RATE = 1024;

/** Watches the frames of one connection. */
export class FrameWatch {
  /** Milliseconds between checks; 0 when nothing is watched. */
  readonly interval: number;
  readonly #limit: number;
  #since: number;
  #lastCheck: number;
  #bytes = 0;
  #commands = 0;

  /**
   * @param limit Milliseconds in which a frame must end, or else have come fast enough; 0 watches nothing.
   * @param now The time.
   */
  constructor(limit: number, now: number) {
    this.#limit = limit;
    this.interval = limit > 3 ? Math.floor(limit / 3) : limit;
    this.#since = this.#lastCheck = now;
  }

  /**
   * Checks.
   *
   * @param now The time.
   * @param bytes Bytes that came so far.
   * @param commands Commands that came so far.
   * @param pending Bytes of a command that isn't complete.
   * @param paused Whether nothing is read now.
   * @returns Why the connection must end, if it must.
   */
  check(
    now: number,
    bytes: number,
    commands: number,
    pending: number,
    paused: boolean = false,
  ): string | undefined {
    // While the event loop stood still, nothing could be read.
    const late = now - this.#lastCheck > 2 * this.interval;
    this.#lastCheck = now;
    const excused = late || paused;
    if (pending === 0 || commands !== this.#commands || excused) {
      this.#begin(now, bytes, commands);
    }
    const took = now - this.#since;
    if (took < this.#limit) return undefined;
    const came = bytes - this.#bytes;
    this.#begin(now, bytes, commands);
    if (came * 1000 >= took * MINIMUM_RATE) return undefined;
    return `A frame of the broker came too slowly: ${came} bytes in ${
      Math.round(took)
    } ms, at least ${MINIMUM_RATE} a second are expected`;
  }

  #begin(now: number, bytes: number, commands: number): void {
    this.#since = now;
    this.#bytes = bytes;
    this.#commands = commands;
  }
}
