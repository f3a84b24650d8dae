/** A frame that is larger than the limit: its start is looked at, the rest is dropped as it comes. */

const FIRST = 4096;

/** One frame of which only the start is kept. */
export class OversizedFrame {
  /** Size in bytes, its size prefix not counted. */
  readonly size: number;
  readonly #kept: number;
  /** The start, as far as it has come. */
  #head: Uint8Array = new Uint8Array(FIRST);
  #length = 0;
  /** Bytes that have come. */
  #taken = 0;
  /** Bytes that are to be left out of the start before more are kept. */
  #gap = 0;
  #released = false;

  /**
   * @param size Its size, the prefix not counted.
   * @param kept Bytes of its start that are kept.
   */
  constructor(size: number, kept: number) {
    this.size = size;
    this.#kept = kept;
  }

  /** Bytes that have come. */
  get taken(): number {
    return this.#taken;
  }

  /** Bytes that have not come yet. */
  get missing(): number {
    return this.size - this.#taken;
  }

  /** Bytes that may be taken before the start is complete, or all that are missing when it is. */
  get wanted(): number {
    if (this.headComplete) return this.missing;
    return Math.min(this.missing, this.#gap + this.#kept - this.#length);
  }

  /** The start. */
  get head(): Uint8Array {
    return this.#head.subarray(0, this.#length);
  }

  /** Whether no more is kept: the start is as long as it may be, or the frame has ended. */
  get headComplete(): boolean {
    return this.#released || this.missing === 0 || this.#length >= this.#kept;
  }

  /** Takes bytes of the frame, {@linkcode wanted} at most. */
  push(bytes: Uint8Array): void {
    this.#taken += bytes.length;
    const left = Math.min(this.#gap, bytes.length);
    this.#gap -= left;
    if (this.#released || left === bytes.length) return;
    const kept = bytes.subarray(left);
    const length = this.#length + kept.length;
    if (length > this.#head.length) {
      const grown = new Uint8Array(Math.min(this.#kept, Math.max(length, this.#head.length * 2)));
      grown.set(this.head);
      this.#head = grown;
    }
    this.#head.set(kept, this.#length);
    this.#length = length;
  }

  /**
   * Leaves a byte array out of the start that does not fit into it: it is kept as an empty one.
   *
   * @param at Offset of its first byte in the start, behind its length of 32 bits.
   * @param size Its length.
   * @returns Whether the frame has so many bytes.
   */
  leaveOut(at: number, size: number): boolean {
    const here = this.#length - at;
    if (size - here > this.missing) return false;
    this.#gap = size - here;
    this.#length = at;
    this.#head.fill(0, at - 4, at);
    return true;
  }

  /** Keeps nothing any more. */
  release(): void {
    this.#released = true;
    this.#head = new Uint8Array(0);
    this.#length = 0;
  }
}
