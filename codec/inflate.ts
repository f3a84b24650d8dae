/**
 * Inflates zlib data (RFC 1950, RFC 1951) at once. `DecompressionStream` can do that only later, so it would have to be done
 * for every message before anybody reads it, and all inflated bodies would have to be kept until their messages are settled.
 */

/** What came of data. */
export interface Inflated {
  /** What was inflated, up to the limit. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whether the data ended within the limit. */
  readonly ended: boolean;
}

const MAX_BITS = 15;
/** Codes up to this length are found by one look into a table. A larger one costs more to fill than it saves. */
const FAST_BITS = 9;
const FAST_SIZE = 1 << FAST_BITS;
const END_OF_BLOCK = 256;

/** Symbols 257 to 285: the shortest length, and how many bits follow. */
const LENGTH_BASE = new Uint16Array([
  ...[3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115],
  ...[131, 163, 195, 227, 258],
]);
const LENGTH_BITS = new Uint8Array([
  ...[0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0],
]);
/** Symbols 0 to 29: the shortest distance, and how many bits follow. */
const DISTANCE_BASE = new Uint16Array([
  ...[1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537],
  ...[2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577],
]);
const DISTANCE_BITS = new Uint8Array([
  ...[0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12],
  ...[13, 13],
]);
/** The order in which the lengths of the codes for lengths stand. */
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** That the data can't be inflated, and why. */
export class InflateError extends Error {
  override readonly name: string = "InflateError";
}

function fail(problem: string): never {
  throw new InflateError(problem);
}

/** A Huffman code. */
class Code {
  /** By the next bits: symbol × 16 + length; 0 where the code is longer, or there is none. */
  readonly #fast: Uint16Array = new Uint16Array(FAST_SIZE);
  /** Number of codes by length. */
  readonly #counts: Uint16Array = new Uint16Array(MAX_BITS + 1);
  /** Symbols in the order of their codes. */
  readonly #symbols: Uint16Array;
  readonly #offsets: Uint16Array = new Uint16Array(MAX_BITS + 2);

  constructor(size: number) {
    this.#symbols = new Uint16Array(size);
  }

  get fast(): Uint16Array {
    return this.#fast;
  }

  /**
   * Takes another code.
   *
   * @param lengths The length of each symbol's code; 0 for none.
   * @param start Index of the first.
   * @param end Index after the last.
   * @param mayBeSingle Whether one code of one bit will do, which leaves the other bit without a meaning.
   */
  set(lengths: Uint8Array, start: number, end: number, mayBeSingle: boolean): void {
    const counts = this.#counts.fill(0);
    for (let i = start; i < end; i++) counts[lengths[i]!]!++;
    let left = 1;
    let longest = 0;
    for (let length = 1; length <= MAX_BITS; length++) {
      left = left * 2 - counts[length]!;
      if (left < 0) fail("there are more codes than bits");
      if (counts[length]! > 0) longest = length;
    }
    if (left > 0 && longest > 0 && (!mayBeSingle || longest > 1)) fail("a code is not complete");
    if (longest === 0 && !mayBeSingle) fail("a code is not complete");
    const offsets = this.#offsets;
    offsets[1] = 0;
    for (let length = 1; length <= MAX_BITS; length++) {
      offsets[length + 1] = offsets[length]! + counts[length]!;
    }
    const fast = this.#fast.fill(0);
    // The next code of each length.
    let first = 0;
    const next = new Uint16Array(MAX_BITS + 1);
    for (let length = 1; length <= MAX_BITS; length++) {
      first = (first + (length > 1 ? counts[length - 1]! : 0)) << 1;
      next[length] = first;
    }
    for (let i = start; i < end; i++) {
      const length = lengths[i]!;
      if (length === 0) continue;
      const symbol = i - start;
      this.#symbols[offsets[length]!++] = symbol;
      const code = next[length]!++;
      if (length > FAST_BITS) continue;
      // Codes come with their first bit first, all else with its last.
      let reversed = 0;
      for (let bit = 0; bit < length; bit++) reversed |= ((code >> bit) & 1) << (length - 1 - bit);
      const entry = symbol << 4 | length;
      for (let at = reversed; at < FAST_SIZE; at += 1 << length) fast[at] = entry;
    }
  }

  /** Looks up a code bit by bit: symbol × 16 + length. */
  find(bits: number): number {
    let code = 0;
    let first = 0;
    let index = 0;
    for (let length = 1; length <= MAX_BITS; length++) {
      code |= bits & 1;
      bits >>>= 1;
      const count = this.#counts[length]!;
      if (code - count < first) return this.#symbols[index + code - first]! << 4 | length;
      index += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    fail("a code has no symbol");
  }
}

const MAX_LITERALS = 288;
const MAX_DISTANCES = 32;
const lengths = new Uint8Array(MAX_LITERALS + MAX_DISTANCES);
const literalCode = new Code(MAX_LITERALS);
const distanceCode = new Code(MAX_DISTANCES);
const lengthCode = new Code(19);
let fixed: { readonly literals: Code; readonly distances: Code } | undefined;

function fixedCodes(): { readonly literals: Code; readonly distances: Code } {
  if (fixed) return fixed;
  const sizes = new Uint8Array(MAX_LITERALS + MAX_DISTANCES);
  sizes.fill(8, 0, 144).fill(9, 144, 256).fill(7, 256, 280).fill(8, 280, 288).fill(5, 288);
  const [literals, distances] = [new Code(MAX_LITERALS), new Code(MAX_DISTANCES)];
  literals.set(sizes, 0, MAX_LITERALS, false);
  distances.set(sizes, MAX_LITERALS, sizes.length, false);
  return fixed = { literals, distances };
}

/** One run through data. */
class Inflater {
  readonly #input: Uint8Array;
  readonly #end: number;
  readonly #limit: number;
  #position: number;
  /** Bits that were taken from the input and not used, the next one last. */
  #hold = 0;
  #bits = 0;
  #output: Uint8Array<ArrayBuffer>;
  #length = 0;

  constructor(input: Uint8Array, start: number, limit: number) {
    this.#input = input;
    this.#position = start;
    this.#end = input.length;
    this.#limit = limit;
    this.#output = new Uint8Array(Math.min(limit, Math.max(256, (input.length - start) * 4)));
  }

  /** Offset of the first byte of the input that was not used. */
  get position(): number {
    return this.#position - (this.#bits >> 3);
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    const output = this.#output;
    return output.length === this.#length ? output : output.slice(0, this.#length);
  }

  /**
   * Inflates all blocks.
   *
   * @param mayStop Whether the data may end between two blocks without a last one.
   * @returns Whether they ended within the limit.
   */
  run(mayStop: boolean): boolean {
    while (true) {
      if (mayStop && this.position >= this.#end) return true;
      const last = this.#take(1);
      const type = this.#take(2);
      let within: boolean;
      if (type === 0) {
        within = this.#stored();
      } else if (type === 1) {
        const { literals, distances } = fixedCodes();
        within = this.#compressed(literals, distances);
      } else if (type === 2) {
        this.#readCodes();
        within = this.#compressed(literalCode, distanceCode);
      } else {
        fail("a block is of no type");
      }
      if (this.position > this.#end) fail("the data is cut off");
      if (!within) return false;
      if (last === 1) return true;
    }
  }

  /** Uses up to 16 bits. */
  #take(count: number): number {
    while (this.#bits < count) {
      if (this.#position >= this.#end) fail("the data is cut off");
      this.#hold |= this.#input[this.#position++]! << this.#bits;
      this.#bits += 8;
    }
    const value = this.#hold & ((1 << count) - 1);
    this.#hold >>>= count;
    this.#bits -= count;
    return value;
  }

  /** Uses the bits of a code's symbol. */
  #symbol(code: Code): number {
    while (this.#bits < MAX_BITS && this.#position < this.#end) {
      this.#hold |= this.#input[this.#position++]! << this.#bits;
      this.#bits += 8;
    }
    const entry = code.fast[this.#hold & (FAST_SIZE - 1)] || code.find(this.#hold);
    const length = entry & 15;
    if (length > this.#bits) fail("the data is cut off");
    this.#hold >>>= length;
    this.#bits -= length;
    return entry >> 4;
  }

  #stored(): boolean {
    // What is left of the byte has no meaning; whole bytes are given back.
    this.#position -= this.#bits >> 3;
    this.#hold = this.#bits = 0;
    const length = this.#take(16);
    if ((this.#take(16) ^ 0xffff) !== length) fail("a block's length is not what its check says");
    if (this.#position + length > this.#end) fail("the data is cut off");
    const size = Math.min(length, this.#limit - this.#length);
    this.#room(size);
    const from = this.#position;
    this.#output.set(this.#input.subarray(from, from + size), this.#length);
    this.#length += size;
    this.#position += length;
    return size === length;
  }

  #readCodes(): void {
    const literals = this.#take(5) + 257;
    const distances = this.#take(5) + 1;
    const count = this.#take(4) + 4;
    if (literals > 286 || distances > 30) fail("there are too many codes");
    lengths.fill(0, 0, ORDER.length);
    for (let i = 0; i < count; i++) lengths[ORDER[i]!] = this.#take(3);
    lengthCode.set(lengths, 0, ORDER.length, false);
    const total = literals + distances;
    for (let i = 0; i < total;) {
      const symbol = this.#symbol(lengthCode);
      if (symbol < 16) {
        lengths[i++] = symbol;
        continue;
      }
      if (symbol === 16 && i === 0) fail("there is no length to repeat");
      const value = symbol === 16 ? lengths[i - 1]! : 0;
      const repeat = symbol === 16
        ? 3 + this.#take(2)
        : symbol === 17
        ? 3 + this.#take(3)
        : 11 + this.#take(7);
      if (i + repeat > total) fail("a length is repeated too often");
      lengths.fill(value, i, i += repeat);
    }
    if (lengths[END_OF_BLOCK] === 0) fail("a block has no end");
    literalCode.set(lengths, 0, literals, true);
    distanceCode.set(lengths, literals, total, true);
  }

  /** Inflates one block; false when that would exceed the limit. */
  #compressed(literals: Code, distances: Code): boolean {
    const input = this.#input;
    const end = this.#end;
    const limit = this.#limit;
    const fastLiterals = literals.fast;
    const fastDistances = distances.fast;
    let position = this.#position;
    let hold = this.#hold;
    let bits = this.#bits;
    let output = this.#output;
    let length = this.#length;
    let within = true;
    while (true) {
      // Past the end come zeros, and it is noticed that too many bits were used.
      while (bits <= 24) {
        hold |= (position < end ? input[position]! : 0) << bits;
        position++;
        bits += 8;
      }
      if (position - (bits >> 3) > end) fail("the data is cut off");
      let entry = fastLiterals[hold & (FAST_SIZE - 1)] || literals.find(hold);
      hold >>>= entry & 15;
      bits -= entry & 15;
      let symbol = entry >> 4;
      if (symbol < END_OF_BLOCK) {
        if (length >= limit) {
          within = false;
          break;
        }
        if (length >= output.length) output = this.#grow(output, length, 1);
        output[length++] = symbol;
        continue;
      }
      if (symbol === END_OF_BLOCK) break;
      symbol -= 257;
      if (symbol >= LENGTH_BASE.length) fail("a length has no meaning");
      let extra = LENGTH_BITS[symbol]!;
      let count = LENGTH_BASE[symbol]! + (hold & ((1 << extra) - 1));
      hold >>>= extra;
      bits -= extra;
      while (bits <= 24) {
        hold |= (position < end ? input[position]! : 0) << bits;
        position++;
        bits += 8;
      }
      entry = fastDistances[hold & (FAST_SIZE - 1)] || distances.find(hold);
      hold >>>= entry & 15;
      bits -= entry & 15;
      symbol = entry >> 4;
      if (symbol >= DISTANCE_BASE.length) fail("a distance has no meaning");
      extra = DISTANCE_BITS[symbol]!;
      while (bits < extra) {
        hold |= (position < end ? input[position]! : 0) << bits;
        position++;
        bits += 8;
      }
      const distance = DISTANCE_BASE[symbol]! + (hold & ((1 << extra) - 1));
      hold >>>= extra;
      bits -= extra;
      if (distance > length) fail("a distance reaches back before the start");
      if (count > limit - length) {
        count = limit - length;
        within = false;
      }
      if (length + count > output.length) output = this.#grow(output, length, count);
      const from = length - distance;
      if (distance === 1) {
        output.fill(output[from]!, length, length + count);
      } else if (distance >= count && count > 16) {
        output.copyWithin(length, from, from + count);
      } else {
        for (let i = 0; i < count; i++) output[length + i] = output[from + i]!;
      }
      length += count;
      if (!within) break;
    }
    this.#position = position;
    this.#hold = hold;
    this.#bits = bits;
    this.#output = output;
    this.#length = length;
    // The rest of the input that was taken is given back.
    const unused = bits >> 3;
    this.#position -= unused;
    this.#bits -= unused << 3;
    this.#hold &= (1 << this.#bits) - 1;
    return within;
  }

  #room(count: number): void {
    if (this.#length + count > this.#output.length) {
      this.#output = this.#grow(this.#output, this.#length, count);
    }
  }

  #grow(
    output: Uint8Array<ArrayBuffer>,
    length: number,
    count: number,
  ): Uint8Array<ArrayBuffer> {
    const size = Math.min(this.#limit, Math.max(length + count, output.length * 2));
    const grown = new Uint8Array(size);
    grown.set(output.subarray(0, length));
    return grown;
  }
}

const HEADER = 2;
const CHECKSUM = 4;

/**
 * Inflates zlib data.
 *
 * @param data The data.
 * @param limit Bytes after which to stop.
 * @throws {InflateError} When it is no zlib data, is cut off, has bytes behind it, or its checksum is wrong. What stands
 *   beyond the limit is not looked at.
 */
export function inflate(data: Uint8Array, limit: number): Inflated {
  checkHeader(data);
  const inflater = new Inflater(data, HEADER, limit);
  const ended = inflater.run(false);
  const { bytes, position } = inflater;
  if (ended) {
    if (position + CHECKSUM !== data.length) {
      fail(position + CHECKSUM > data.length ? "the data is cut off" : "there are bytes behind it");
    }
    const view = new DataView(data.buffer, data.byteOffset + position);
    if (view.getUint32(0) !== adler32(bytes)) fail("its checksum is wrong");
  }
  return { bytes, ended };
}

/**
 * Inflates zlib data that was flushed and not ended, so that it has no checksum.
 *
 * @param data The data.
 * @param limit Bytes after which to stop.
 * @throws {InflateError} When it is no zlib data, or does not end with a block.
 */
export function inflateFlushed(data: Uint8Array, limit: number): Inflated {
  checkHeader(data);
  const inflater = new Inflater(data, HEADER, limit);
  const ended = inflater.run(true);
  const { bytes, position } = inflater;
  if (ended && position !== data.length) fail("there are bytes behind it");
  return { bytes, ended };
}

function checkHeader(data: Uint8Array): void {
  const [method = 0, flags = 0] = data;
  if (data.length < HEADER) fail("the data is cut off");
  const known = (method & 15) === 8 && method >> 4 <= 7 && (method << 8 | flags) % 31 === 0;
  if (!known) fail("it has no zlib header");
  if ((flags & 0x20) !== 0) fail("it needs a dictionary");
}

const ADLER_MODULUS = 65521;
/** Longest run of bytes whose sums fit into an int. */
const ADLER_RUN = 3800;

function adler32(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(at + ADLER_RUN, bytes.length);
    for (; at < end; at++) {
      a = a + bytes[at]! | 0;
      b = b + a | 0;
    }
    a %= ADLER_MODULUS;
    b %= ADLER_MODULUS;
  }
  return (b << 16 | a) >>> 0;
}
