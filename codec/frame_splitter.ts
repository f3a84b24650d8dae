/** Cuts a stream of bytes, in chunks of any size, into frames with a size prefix. */

import { ProtocolError } from "./errors.ts";
import { identifyProtocol } from "./foreign_protocol.ts";

const SIZE_PREFIX = 4;
/** A frame up to this size gets its whole buffer at once; a larger one has to prove itself. */
const TRUSTED = 131_072;
const NO_BYTES = new Uint8Array(0);

/**
 * Frames that lie in one chunk are given as ranges of it, nothing is copied. A frame that lies in several is collected in
 * a buffer that grows with the bytes that arrive, not with the size that the frame claims.
 */
export class FrameSplitter {
  /** Bytes that hold the current frame. */
  bytes: Uint8Array = NO_BYTES;
  /** Offset in `bytes` of the current frame's first byte after its size. */
  start = 0;
  /** Offset in `bytes` after the current frame. */
  end = 0;
  /** Offset of the first byte of `bytes` in the whole input. */
  base = 0;
  /** Size of a frame above the limit whose bytes come next and are to be taken with {@linkcode take}; 0 when there is none. */
  oversize = 0;

  #chunk: Uint8Array = NO_BYTES;
  #position = 0;
  /** Offset of the chunk's first byte in the whole input. */
  #chunkBase = 0;
  #partial: Uint8Array = NO_BYTES;
  #partialLength = 0;

  /** Number of bytes of an unfinished frame. */
  get pending(): number {
    return this.#partialLength + this.#chunk.length - this.#position;
  }

  /** Takes the next bytes, after all frames of the ones before were taken. */
  push(chunk: Uint8Array): void {
    this.#chunkBase += this.#chunk.length;
    this.#chunk = chunk;
    this.#position = 0;
  }

  /**
   * Goes to the next frame.
   *
   * @param limit Largest size that is accepted.
   * @param skips Whether a larger frame is announced by {@linkcode oversize} instead of an error.
   * @returns Whether there is one.
   * @throws {ProtocolError} When a frame is empty or too large.
   */
  next(limit: number, skips: boolean): boolean {
    this.oversize = 0;
    return this.#partialLength > 0 ? this.#complete(limit, skips) : this.#cut(limit, skips);
  }

  /** Takes up to `count` of the bytes that have come. */
  take(count: number): Uint8Array {
    const bytes = this.#chunk.subarray(this.#position, this.#position + count);
    this.#position += bytes.length;
    return bytes;
  }

  /** Offset in the whole input of the next byte. */
  get offset(): number {
    return this.#chunkBase + this.#position;
  }

  /** Gives all bytes that belong to no frame yet, for a peer that sends no sizes. */
  takeRest(): { bytes: Uint8Array; base: number } {
    const rest = this.#chunk.subarray(this.#position);
    const base = this.#chunkBase + this.#position;
    this.#position = this.#chunk.length;
    return { bytes: rest, base };
  }

  #cut(limit: number, skips: boolean): boolean {
    const chunk = this.#chunk;
    const position = this.#position;
    const available = chunk.length - position;
    if (available === 0) return false;
    if (available >= SIZE_PREFIX) {
      const size = sizeAt(chunk, position);
      if (skips && size > limit) {
        this.#position += SIZE_PREFIX;
        this.oversize = size;
        return false;
      }
      this.#check(size, limit, chunk, position, this.#chunkBase + position);
      if (available >= SIZE_PREFIX + size) {
        this.bytes = chunk;
        this.base = this.#chunkBase;
        this.start = position + SIZE_PREFIX;
        this.end = this.#position = this.start + size;
        return true;
      }
    }
    this.#append(available, available >= SIZE_PREFIX ? SIZE_PREFIX + sizeAt(chunk, position) : 64);
    return false;
  }

  #complete(limit: number, skips: boolean): boolean {
    if (this.#partialLength < SIZE_PREFIX) {
      const missing = Math.min(
        SIZE_PREFIX - this.#partialLength,
        this.#chunk.length - this.#position,
      );
      this.#append(missing, 64);
      if (this.#partialLength < SIZE_PREFIX) return false;
    }
    const base = this.#chunkBase + this.#position - this.#partialLength;
    const size = sizeAt(this.#partial, 0);
    if (skips && size > limit) {
      this.#partialLength = 0;
      this.oversize = size;
      return false;
    }
    this.#check(size, limit, this.#partial, 0, base);
    const missing = SIZE_PREFIX + size - this.#partialLength;
    this.#append(Math.min(missing, this.#chunk.length - this.#position), SIZE_PREFIX + size);
    if (this.#partialLength < SIZE_PREFIX + size) return false;
    this.bytes = this.#partial;
    this.base = base;
    this.start = SIZE_PREFIX;
    this.end = SIZE_PREFIX + size;
    this.#partial = NO_BYTES;
    this.#partialLength = 0;
    return true;
  }

  /** Moves bytes of the chunk to the unfinished frame, which claims `whole` bytes with its size. */
  #append(count: number, whole: number): void {
    const needed = this.#partialLength + count;
    if (needed > this.#partial.length) {
      const grown = new Uint8Array(whole <= Math.max(TRUSTED, needed * 4) ? whole : needed * 2);
      grown.set(this.#partial.subarray(0, this.#partialLength));
      this.#partial = grown;
    }
    this.#partial.set(
      this.#chunk.subarray(this.#position, this.#position + count),
      this.#partialLength,
    );
    this.#partialLength = needed;
    this.#position += count;
  }

  #check(size: number, limit: number, bytes: Uint8Array, at: number, offset: number): void {
    if (size >= 1 && size <= limit) return;
    const foreign = offset === 0 ? identifyProtocol(bytes.subarray(at)) : undefined;
    if (foreign) {
      throw new ProtocolError(
        `Cannot speak OpenWire: the peer speaks ${foreign}`,
        { offset },
        "WRONG_PROTOCOL",
      );
    }
    throw new ProtocolError(
      `Cannot take a frame of ${size} bytes at offset ${offset}: 1 to ${limit} are allowed`,
      { offset },
      size < 1 ? "PROTOCOL" : "FRAME_TOO_LARGE",
    );
  }
}

function sizeAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!;
}
