/** Cuts bytes, in chunks of any size, into frames with their size prefix. */

import { concat } from "@std/bytes";

const SIZE_PREFIX = 4;

/** Cuts bytes into frames. */
export class FrameCutter {
  #rest: Uint8Array = new Uint8Array(0);

  /** The bytes of the frame that isn't complete yet. */
  get rest(): Uint8Array {
    return this.#rest;
  }

  /** Takes the next bytes; gives the frames that are complete now. */
  push(chunk: Uint8Array): Uint8Array[] {
    const bytes = this.#rest.length === 0 ? chunk : concat([this.#rest, chunk]);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const frames: Uint8Array[] = [];
    let start = 0;
    while (bytes.length - start >= SIZE_PREFIX) {
      const end = start + SIZE_PREFIX + view.getUint32(start);
      if (end > bytes.length) break;
      frames.push(bytes.subarray(start, end));
      start = end;
    }
    this.#rest = bytes.subarray(start);
    return frames;
  }
}
