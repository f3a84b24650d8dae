/**
 * Writes the primitives of a frame, loose and tight.
 *
 * Tight encoding walks the objects twice: the first pass (`…Size`) appends the bits, tells the size of the data and
 * refuses what can't be sent; the second (`tight…`) replays the bits and writes the data.
 */

import { BitStream } from "./bit_stream.ts";
import { EncodeError } from "./errors.ts";
import { highHalf, isLong, type Long } from "./long.ts";
import { modifiedUtf8Length, writeAscii, writeModifiedUtf8 } from "./modified_utf8.ts";
import { bytesOf } from "./string_encoder.ts";
import type { WriteCache } from "./write_cache.ts";

/** Frames are cut from blocks of this many bytes, because small buffers are dear. */
const BLOCK = 65536;
/** The first one is smaller and each next one twice as large, because there are connections that send little. */
const FIRST_BLOCK = 4096;
const SIZE_PREFIX = 4;
/** From this length on texts are tried as ASCII first: room for all that they might need is three times as much. */
const LONG_TEXT = 8192;
/** More bytes than any object has of its own. */
const ROOM = 256;
/** Longest tight string in bytes (Java: BaseDataStreamMarshaller). */
const TIGHT_STRING_LIMIT = 32766;
const LOOSE_STRING_LIMIT = 65535;
const ARRAY_LIMIT = 32767;
/** Deepest nesting of objects. */
const MAX_DEPTH = 32;

/** Buffer of one frame after another. All writers name the type and field that they write for, for the error. */
export class FrameWriter {
  /** Version in use. */
  version = 1;
  /** Where cached fields go; undefined when caching is off. */
  cache: WriteCache | undefined = undefined;
  /** Whether throwables carry stack trace and cause. */
  stackTraceEnabled = false;
  /** Largest frame in bytes, without its size prefix. */
  limit: number = Infinity;
  /** Bits of the current tight frame. */
  readonly bits: BitStream = new BitStream();
  /** Keys that the first tight pass found, in the order in which the second writes them. */
  readonly keys: number[] = [];
  /** Number of keys of the current frame. */
  keyCount = 0;

  // The generated code writes numbers and flags straight to these.
  /** The block that holds the frame. */
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  /** The same bytes. */
  view: DataView = new DataView(this.bytes.buffer);
  /** Offset of the cursor within the block. */
  position = 0;

  /** Offset of the first byte that wasn't taken yet. */
  #taken = 0;
  /** Offset of the current frame. */
  #start = 0;
  #depth = 0;
  #nextKey = 0;

  /** Number of bytes of the current frame. */
  get length(): number {
    return this.position - this.#start;
  }

  /** Number of bytes of all frames since the last {@linkcode take}. */
  get pending(): number {
    return this.position - this.#taken;
  }

  /** Starts a frame behind the ones that weren't taken yet. */
  begin(): void {
    this.#start = this.position;
    this.#depth = 0;
    this.#nextKey = 0;
    this.keyCount = 0;
  }

  /** Throws the current frame away. */
  discard(): void {
    this.position = this.#start;
  }

  /** Gives the bytes of all frames since the last call. They are never written again. */
  take(): Uint8Array<ArrayBuffer> {
    const frames = new Uint8Array(this.bytes.buffer, this.#taken, this.position - this.#taken);
    this.#taken = this.#start = this.position;
    return frames;
  }

  /** Throws an {@linkcode EncodeError}. */
  refuse(type: string, field: string, problem: string): never {
    throw new EncodeError(`Cannot encode ${type}.${field}: ${problem}`, type, field);
  }

  /** Refuses a frame that the peer would not take. */
  tooLarge(size: number): never {
    throw new EncodeError(
      `Cannot encode a frame of ${size} bytes: the peers agreed on at most ${this.limit}`,
      undefined,
      undefined,
      "FRAME_TOO_LARGE",
    );
  }

  /** Refuses a value that is no boolean. */
  wrongBoolean(type: string, field: string, value: unknown): never {
    this.#wrong(type, field, "a boolean", value);
  }

  /** Refuses a value that is no byte. */
  wrongByte(type: string, field: string, value: unknown): never {
    this.#wrong(type, field, "an integer from -128 to 127", value);
  }

  /** Refuses a value that is no int. */
  wrongInt(type: string, field: string, value: unknown): never {
    this.#wrong(type, field, "a 32-bit integer", value);
  }

  #wrong(type: string, field: string, expected: string, value: unknown): never {
    this.refuse(type, field, `${expected} is expected, got ${describe(value)}`);
  }

  #tooLong(type: string, field: string, size: number, limit: number): never {
    this.refuse(type, field, `string takes ${size} bytes or more, ${limit} are allowed`);
  }

  /** Makes sure that `size` more bytes fit. */
  ensure(size: number): void {
    if (this.position + size > this.bytes.length) this.#grow(size);
  }

  /** Makes room for what any one object has of its own, strings and nested objects not counted. */
  makeRoom(): void {
    if (this.bytes.length - this.position < ROOM) this.#grow(ROOM);
  }

  #grow(size: number): void {
    // Room is made before it is known how much of it is needed.
    const least = size === ROOM ? 0 : size;
    if (this.length + least > this.limit + SIZE_PREFIX) {
      this.tooLarge(this.length + least - SIZE_PREFIX);
    }
    const pending = this.position - this.#taken;
    const needed = pending + size + ROOM;
    const block = Math.min(BLOCK, Math.max(FIRST_BLOCK, this.bytes.length * 2));
    const grown = new Uint8Array(needed <= block ? block : pending === 0 ? needed : needed * 2);
    grown.set(this.bytes.subarray(this.#taken, this.position));
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
    this.#start -= this.#taken;
    this.#taken = 0;
    this.position = pending;
  }

  /** Writes an int at an earlier place of the frame. */
  patchInt(at: number, value: number): void {
    this.view.setInt32(this.#start + at, value);
  }

  /** Writes a short at an earlier place of the frame. */
  patchShort(at: number, value: number): void {
    this.view.setInt16(this.#start + at, value);
  }

  // Without a check of the value

  rawByte(value: number): void {
    this.ensure(1);
    this.bytes[this.position++] = value;
  }

  rawShort(value: number): void {
    this.ensure(2);
    this.view.setInt16(this.position, value);
    this.position += 2;
  }

  rawInt(value: number): void {
    this.ensure(4);
    this.view.setInt32(this.position, value);
    this.position += 4;
  }

  rawLong(value: Long): void {
    this.ensure(8);
    const p = this.position;
    if (typeof value === "number") {
      this.view.setInt32(p, (value | 0) === value ? value >> 31 : highHalf(value));
      this.view.setInt32(p + 4, value);
    } else {
      this.view.setBigInt64(p, value);
    }
    this.position = p + 8;
  }

  rawFloat(value: number): void {
    this.ensure(4);
    this.view.setFloat32(this.position, value);
    this.position += 4;
  }

  rawDouble(value: number): void {
    this.ensure(8);
    this.view.setFloat64(this.position, value);
    this.position += 8;
  }

  rawBytes(value: Uint8Array): void {
    this.ensure(value.length);
    this.bytes.set(value, this.position);
    this.position += value.length;
  }

  /** Writes modified UTF-8 without a length; returns the number of bytes. */
  utf(value: string): number {
    const { length } = value;
    if (length >= LONG_TEXT) {
      this.ensure(length);
      if (writeAscii(value, this.bytes, this.position)) {
        this.position += length;
        return length;
      }
    }
    this.ensure(length * 3);
    const p = this.position;
    this.position = writeModifiedUtf8(value, this.bytes, p);
    return this.position - p;
  }

  // Loose

  int(type: string, field: string, value: number): void {
    this.intSize(type, field, value);
    this.rawInt(value);
  }

  long(type: string, field: string, value: Long): void {
    if (!isLong(value)) this.#wrong(type, field, "a 64-bit integer", value);
    this.rawLong(value);
  }

  string(type: string, field: string, value: string | null | undefined): void {
    if (value === null || value === undefined) return this.rawByte(0);
    if (typeof value !== "string") this.#wrong(type, field, "a string or null", value);
    if (value.length > LOOSE_STRING_LIMIT) {
      this.#tooLong(type, field, value.length, LOOSE_STRING_LIMIT);
    }
    this.ensure(3 + value.length * 3);
    const p = this.position;
    this.bytes[p] = 1;
    const end = writeModifiedUtf8(value, this.bytes, p + 3);
    const size = end - p - 3;
    if (size > LOOSE_STRING_LIMIT) this.#tooLong(type, field, size, LOOSE_STRING_LIMIT);
    this.view.setInt16(p + 1, size);
    this.position = end;
  }

  /** The same for a text that comes again and again. */
  stringRecurring(type: string, field: string, value: string): void {
    const known = typeof value === "string" ? bytesOf(value) : undefined;
    if (known === undefined) return this.string(type, field, value);
    this.ensure(3 + known.length);
    const p = this.position;
    this.bytes[p] = 1;
    this.view.setInt16(p + 1, known.length);
    this.bytes.set(known, p + 3);
    this.position = p + 3 + known.length;
  }

  /** Writes a byte array that is there. */
  byteArray(type: string, field: string, value: Uint8Array): void {
    if (!(value instanceof Uint8Array)) this.#wrong(type, field, "a Uint8Array or null", value);
    this.ensure(5 + value.length);
    const p = this.position;
    this.bytes[p] = 1;
    this.view.setInt32(p + 1, value.length);
    this.bytes.set(value, p + 5);
    this.position = p + 5 + value.length;
  }

  constBytes(type: string, field: string, value: Uint8Array, size: number): void {
    this.constBytesSize(type, field, value, size);
    this.rawBytes(value);
  }

  /** Writes the number of elements of an array. */
  count(type: string, field: string, values: readonly unknown[]): void {
    this.countSize(type, field, values);
    this.rawShort(values.length);
  }

  /** Goes one level deeper into nested objects, which also finds circles. */
  enter(type: string, field: string): void {
    if (++this.#depth > MAX_DEPTH) {
      this.refuse(type, field, `objects are nested deeper than ${MAX_DEPTH}`);
    }
  }

  /** Comes back from {@linkcode enter}. */
  leave(): void {
    this.#depth--;
  }

  /** Makes sure that a value has fields. */
  object(type: string, field: string, value: object): void {
    if (typeof value !== "object" || value === null) this.#wrong(type, field, "an object", value);
  }

  // First pass of tight encoding

  intSize(type: string, field: string, value: number): 4 {
    if (typeof value !== "number" || (value | 0) !== value) this.wrongInt(type, field, value);
    return 4;
  }

  longSize(type: string, field: string, value: Long): number {
    if (!isLong(value)) this.#wrong(type, field, "a 64-bit integer", value);
    const size = value === 0 || value === 0n
      ? 0
      : value < 0 || value > 0xffffffff
      ? 8
      : value > 0xffff
      ? 4
      : 2;
    this.bits.writeTwo(size >= 4, size === 2 || size === 8);
    return size;
  }

  stringSize(type: string, field: string, value: string | null | undefined): number {
    const present = value !== null && value !== undefined;
    this.bits.write(present);
    return present ? this.textSize(type, field, value) : 0;
  }

  /** The size of a string that is there. */
  textSize(type: string, field: string, value: string): number {
    if (typeof value !== "string") this.#wrong(type, field, "a string or null", value);
    const size = value.length > TIGHT_STRING_LIMIT ? value.length : modifiedUtf8Length(value);
    if (size > TIGHT_STRING_LIMIT) this.#tooLong(type, field, size, TIGHT_STRING_LIMIT);
    this.bits.write(size === value.length);
    return 2 + size;
  }

  /** The same for a text that comes again and again. */
  textSizeRecurring(type: string, field: string, value: string): number {
    const known = typeof value === "string" ? bytesOf(value) : undefined;
    if (known === undefined) return this.textSize(type, field, value);
    this.bits.write(true);
    return 2 + known.length;
  }

  /** The size of a byte array that is there. */
  bytesSize(type: string, field: string, value: Uint8Array): number {
    if (!(value instanceof Uint8Array)) this.#wrong(type, field, "a Uint8Array or null", value);
    return 4 + value.length;
  }

  constBytesSize(type: string, field: string, value: Uint8Array, size: number): number {
    if (!(value instanceof Uint8Array) || value.length !== size) {
      this.#wrong(type, field, `a Uint8Array of ${size} bytes`, value);
    }
    return size;
  }

  countSize(type: string, field: string, values: readonly unknown[]): 2 {
    if (!Array.isArray(values)) this.#wrong(type, field, "an array", values);
    const count = values.length;
    if (count > ARRAY_LIMIT) {
      this.refuse(type, field, `array has ${count} elements, ${ARRAY_LIMIT} are allowed`);
    }
    return 2;
  }

  // Second pass of tight encoding: there is room for the whole frame

  /** The next of the keys that the first pass found. */
  nextKey(): number {
    return this.keys[this.#nextKey++]!;
  }

  /** Writes a long in the form that two bits tell. */
  tightLong(high: number, low: number, value: Long): void {
    if (high !== 0) {
      if (low !== 0) this.rawLong(value);
      else this.rawInt(Number(value));
    } else if (low !== 0) {
      this.rawShort(Number(value));
    }
  }

  tightString(value: string | null | undefined): void {
    if (this.bits.read()) this.tightText(value!);
  }

  /** Writes a string that is there. */
  tightText(value: string): void {
    // Its second bit says whether all is ASCII, which shows here, too.
    this.bits.position++;
    const p = this.position;
    const end = writeModifiedUtf8(value, this.bytes, p + 2);
    this.view.setInt16(p, end - p - 2);
    this.position = end;
  }

  /** The same for a text that comes again and again. */
  tightTextRecurring(value: string): void {
    const known = bytesOf(value);
    if (known === undefined) return this.tightText(value);
    this.bits.position++;
    const p = this.position;
    this.view.setInt16(p, known.length);
    this.bytes.set(known, p + 2);
    this.position = p + 2 + known.length;
  }

  /** Writes a byte array that is there. */
  tightBytes(value: Uint8Array): void {
    const p = this.position;
    this.view.setInt32(p, value.length);
    this.bytes.set(value, p + 4);
    this.position = p + 4 + value.length;
  }

  /** Writes the boolean stream. */
  writeBits(): void {
    this.position = this.bits.writeTo(this.bytes, this.position);
  }
}

function describe(value: unknown): string {
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  if (value === null) return "null";
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  return typeof value;
}
