/**
 * The bits of tight encoding, while they are written (Java: BooleanStream).
 *
 * A tight frame carries one such stream for the whole frame, nested objects included. In encoding the first pass over the
 * objects appends bits and the second replays them. Until they are packed each bit has a byte of its own, which the
 * generated code reads and writes in place.
 */
export class BitStream {
  /** The bits, 0 or 1. */
  flags: Uint8Array = new Uint8Array(1024);
  /** Number of bits. */
  length = 0;
  /** Number of the bit that is replayed next. */
  position = 0;

  /** Number of bytes that hold the bits, without the length prefix. */
  get byteLength(): number {
    return (this.length + 7) >> 3;
  }

  /** Number of bytes of the whole stream on the wire. */
  get wireLength(): number {
    const bytes = this.byteLength;
    return bytes + (bytes < 64 ? 1 : bytes < 256 ? 2 : 3);
  }

  /** Empties the stream, to append bits. */
  clear(): void {
    this.length = 0;
    this.position = 0;
  }

  /** Makes room for the bits of any one object, nested ones not counted. */
  makeRoom(): void {
    if (this.flags.length - this.length < ROOM) this.#grow();
  }

  /** Appends a bit. */
  write(bit: boolean): void {
    if (this.length === this.flags.length) this.#grow();
    this.flags[this.length++] = bit ? 1 : 0;
  }

  /** Appends two bits, for which the caller has made room. */
  writeTwo(first: boolean, second: boolean): void {
    const { flags, length } = this;
    flags[length] = first ? 1 : 0;
    flags[length + 1] = second ? 1 : 0;
    this.length = length + 2;
  }

  /** Replays a bit. */
  read(): boolean {
    return this.flags[this.position++] !== 0;
  }

  /**
   * Writes length prefix and bits, each byte filled from its least significant bit.
   *
   * @returns The offset after them.
   */
  writeTo(target: Uint8Array, start: number): number {
    const { flags, length, byteLength } = this;
    let p = start;
    if (byteLength < 64) {
      target[p++] = byteLength;
    } else if (byteLength < 256) {
      target[p++] = 0xc0;
      target[p++] = byteLength;
    } else {
      target[p++] = 0x80;
      target[p++] = byteLength >> 8;
      target[p++] = byteLength;
    }
    let k = 0;
    for (; k + 8 <= length; k += 8) {
      target[p++] = flags[k]! | flags[k + 1]! << 1 | flags[k + 2]! << 2 | flags[k + 3]! << 3 |
        flags[k + 4]! << 4 | flags[k + 5]! << 5 | flags[k + 6]! << 6 | flags[k + 7]! << 7;
    }
    if (k < length) {
      let last = 0;
      for (let bit = 0; k < length; k++, bit++) last |= flags[k]! << bit;
      target[p++] = last;
    }
    return p;
  }

  #grow(): void {
    const grown = new Uint8Array(this.flags.length * 2);
    grown.set(this.flags);
    this.flags = grown;
  }
}

/** More bits than any object has of its own. */
const ROOM = 128;
