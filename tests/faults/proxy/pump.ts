/** One direction of a connection through the proxy. */
import { concat } from "@std/bytes";
import { FrameCutter } from "./frame_cutter.ts";
import type { NetSocket } from "./net_socket.ts";

/** What becomes of a frame. */
export interface Passage {
  /** Where what happens stands: behind the frame, before it, or nowhere. */
  readonly when?: "before" | "after";
  /** What happens before anything else goes on. */
  readonly happen?: () => void | Promise<void>;
}

/** What a {@linkcode Pump} asks those who have it. */
export interface PumpOwner {
  /** Is shown a frame before it goes on. */
  pass(frame: Uint8Array): Passage;
  /** Milliseconds by which bytes are late now. */
  readonly delay: number;
  /** Bytes a second that pass now. */
  readonly bytesPerSecond: number;
}

/** How often a second throttled bytes go on. */
const SLICES = 50;

/** Passes bytes on, whole frames at a time. */
export class Pump {
  /** Bytes that were passed on. */
  bytes = 0;
  readonly #from: NetSocket;
  readonly #to: NetSocket;
  readonly #owner: PumpOwner;
  readonly #cutter: FrameCutter = new FrameCutter();
  #gate: PromiseWithResolvers<void> | undefined;
  #stopped = false;
  #wake: (() => void) | undefined;
  #limit: { bytes: number; reached: () => void } | undefined;

  constructor(from: NetSocket, to: NetSocket, owner: PumpOwner) {
    this.#from = from;
    this.#to = to;
    this.#owner = owner;
  }

  /** Passes nothing on until {@linkcode resume}. */
  pause(): void {
    this.#gate ??= Promise.withResolvers();
  }

  /** Goes on. */
  resume(): void {
    this.#gate?.resolve();
    this.#gate = undefined;
  }

  /** Passes nothing on any more, and drops what comes. */
  stop(): void {
    this.#stopped = true;
    this.resume();
    this.#wake?.();
  }

  /** Lets so many bytes through in all, then calls back. */
  truncate(bytes: number, reached: () => void): void {
    this.#limit = { bytes, reached };
    if (this.bytes >= bytes) this.#reach();
  }

  /** Passes on what comes until the end. Rejects when one side breaks. */
  async run(): Promise<void> {
    for (let chunk; (chunk = await this.#from.read()) !== null;) {
      if (this.#stopped) continue;
      await this.#opened();
      await this.#frames(this.#cutter.push(chunk));
    }
    await this.#opened();
    await this.#write([this.#cutter.rest]);
    if (!this.#stopped) this.#to.end();
  }

  /** Waits some milliseconds. */
  async wait(milliseconds: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, milliseconds);
      if (this.#stopped) resolve();
    });
    clearTimeout(timer);
    this.#wake = undefined;
  }

  async #frames(frames: readonly Uint8Array[]): Promise<void> {
    let together: Uint8Array[] = [];
    for (const frame of frames) {
      const { when, happen } = this.#owner.pass(frame);
      if (when !== "before") together.push(frame);
      if (happen) {
        await this.#write(together);
        together = [];
        await happen();
        await this.#opened();
      }
      if (when === "before") together.push(frame);
    }
    await this.#write(together);
  }

  /** Waits while it is paused. */
  async #opened(): Promise<void> {
    while (this.#gate) await this.#gate.promise;
  }

  async #write(parts: readonly Uint8Array[]): Promise<void> {
    const bytes = concat(parts);
    const { delay } = this.#owner;
    if (delay > 0 && bytes.length > 0) await this.wait(delay);
    for (let start = 0; start < bytes.length && !this.#stopped;) {
      await this.#opened();
      const rate = this.#owner.bytesPerSecond;
      const most = rate < Infinity ? Math.max(1, Math.floor(rate / SLICES)) : Infinity;
      const left = this.#limit ? this.#limit.bytes - this.bytes : Infinity;
      const part = bytes.subarray(start, start + Math.min(most, left));
      start += part.length;
      this.bytes += part.length;
      await this.#to.write(part);
      if (this.#limit && this.bytes >= this.#limit.bytes) this.#reach();
      else if (rate < Infinity) await this.wait(1000 * part.length / rate);
    }
  }

  #reach(): void {
    const { reached } = this.#limit!;
    this.#limit = undefined;
    reached();
  }
}
