/**
 * The bits of tight encoding (Java: BooleanStream).
 *
 * A tight frame carries one such stream for the whole frame, nested objects included. Bits fill each byte from its
 * least significant one. In encoding the first pass over the objects appends bits and the second replays them.
 */
export class BitStream {
  #bytes: Uint8Array = new Uint8Array(64);
  /** Offset of the first byte in `#bytes`. */
  #start = 0;
  #length = 0;
  #position = 0;

  /** Number of bits left to read. */
  get remaining(): number {
    return this.#length - this.#position;
  }

  /** Number of bytes that hold the bits, without the length prefix. */
  get byteLength(): number {
    return (this.#length + 7) >> 3;
  }

  /** Empties the stream, to append bits. */
  clear(): void {
    this.#length = 0;
    this.#position = 0;
  }

  /** Goes back to the first bit, to replay them. */
  rewind(): void {
    this.#position = 0;
  }

  /** Reads from `count` bytes of `source`; nothing is copied. */
  wrap(source: Uint8Array, start: number, count: number): void {
    this.#bytes = source;
    this.#start = start;
    this.#length = count << 3;
    this.#position = 0;
  }

  /** Reads the next bit. The caller has checked {@linkcode remaining}. */
  read(): boolean {
    const position = this.#position++;
    return ((this.#bytes[this.#start + (position >> 3)]! >> (position & 7)) & 1) === 1;
  }

  /** Appends a bit. */
  write(bit: boolean): void {
    const position = this.#length++;
    const index = position >> 3;
    if (index >= this.#bytes.length) this.#grow();
    if ((position & 7) === 0) this.#bytes[index] = bit ? 1 : 0;
    else if (bit) this.#bytes[index]! |= 1 << (position & 7);
  }

  /** Number of bytes of the whole stream on the wire. */
  get wireLength(): number {
    const bytes = this.byteLength;
    return bytes + (bytes < 64 ? 1 : bytes < 256 ? 2 : 3);
  }

  /** Writes length prefix and bits; returns the offset after them. */
  writeTo(target: Uint8Array, start: number): number {
    const bytes = this.byteLength;
    let p = start;
    if (bytes < 64) {
      target[p++] = bytes;
    } else if (bytes < 256) {
      target[p++] = 0xc0;
      target[p++] = bytes;
    } else {
      target[p++] = 0x80;
      target[p++] = bytes >> 8;
      target[p++] = bytes;
    }
    for (let i = 0; i < bytes; i++) target[p++] = this.#bytes[i]!;
    return p;
  }

  #grow(): void {
    const grown = new Uint8Array(this.#bytes.length * 2);
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}
