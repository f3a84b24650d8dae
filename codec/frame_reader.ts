/**
 * Reads the primitives of a frame, loose and tight, and checks each against the end of the frame.
 */

import { printable, ProtocolError } from "./errors.ts";
import type { DataStructure, XATransactionId } from "./generated/types.ts";
import { joinLong, type Long } from "./long.ts";
import { readLatin1, readModifiedUtf8 } from "./modified_utf8.ts";
import { INTERN_LIMIT, keep, lookUp } from "./string_interner.ts";

/** Deepest nesting of objects, throwable causes included. */
export const MAX_DEPTH = 32;

const NO_BYTES = new Uint8Array(0);
const NO_VIEW = new DataView(NO_BYTES.buffer);

/** Bytes of texts that all cached values may have together; a slot of the default cache has 8 KiB in the mean. */
const MAX_CACHED_BYTES = 8_388_608;

/** Cursor over one frame after another. All readers name the type and field that they read for, for the error. */
export class FrameReader {
  /** Version in use. */
  version = 1;
  /** Whether cached fields go through the cache. */
  cacheEnabled = false;
  /** Whether throwables carry stack trace and cause. */
  stackTraceEnabled = false;
  /** How many bytes past the available ones the last failed read needed; 0 if it failed otherwise. */
  missing = 0;
  /** Depth of nesting at the cursor. */
  depth = 0;
  /** Values of primitive maps and lists that may still be read. */
  budget = 0;
  /** How many there might be at first. */
  maxValues = 0;

  // The generated code reads numbers and flags straight from these.
  /** The buffer that holds the chunk with the frame. */
  bytes: Uint8Array = NO_BYTES;
  /** The same bytes. */
  view: DataView = NO_VIEW;
  /** Offset of the cursor within the buffer. */
  position = 0;
  /** Offset of the end of the frame within the buffer. */
  end = 0;
  /** Offset within the buffer of the byte that holds bit 0 of the boolean stream. */
  bitBase = 0;
  /** Number of the next bit. */
  bit = 0;
  /** Number of bits. */
  bitEnd = 0;
  /** Longest part in bytes of an XA transaction's id that is cached. */
  maxXidPart: number = Infinity;
  /** What the peer had us keep, by key. */
  cache: (DataStructure | null | undefined)[] = [];

  /** Offset of the first byte of `#bytes` in the whole input. */
  #base = 0;
  #buffer: ArrayBufferLike = NO_BYTES.buffer;
  #chunk: Uint8Array | undefined;
  /** Offset of the chunk within its buffer. */
  #offset = 0;
  #undo: [key: number, value: DataStructure | null | undefined][] | undefined;
  /** Bytes of the cached values, about. */
  #cachedBytes = 0;

  /** Number of bytes from the cursor to the end of the frame. */
  get remaining(): number {
    return this.end - this.position;
  }

  /** Sets the bytes that frames are in; `base` is the offset of their first in the whole input. */
  setChunk(bytes: Uint8Array, base: number): void {
    if (bytes === this.#chunk) return;
    const { buffer, byteOffset } = bytes;
    this.#chunk = bytes;
    this.#offset = byteOffset;
    this.#base = base - byteOffset;
    // Chunks often lie in one buffer, and views of it are dear.
    if (buffer === this.#buffer) return;
    this.#buffer = buffer;
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
  }

  /** Forgets the buffer of the chunk, so that it can be freed. */
  releaseChunk(): void {
    this.#chunk = undefined;
    this.#buffer = NO_BYTES.buffer;
    this.bytes = NO_BYTES;
    this.view = NO_VIEW;
  }

  /** Starts a frame; its ends are offsets within the chunk. */
  setFrame(start: number, end: number): void {
    this.position = this.#offset + start;
    this.end = this.#offset + end;
    this.depth = 0;
    this.missing = 0;
  }

  /** Offset of the cursor within the chunk. */
  get chunkPosition(): number {
    return this.position - this.#offset;
  }

  /** Makes an empty cache of `size` slots. */
  resetCache(size: number): void {
    this.cache = new Array(size).fill(undefined);
    this.#cachedBytes = 0;
  }

  /** Notes changes of the cache from here on, for {@linkcode rollBack}. */
  begin(): void {
    this.#undo = [];
  }

  /** Takes back the changes of the cache since {@linkcode begin}. */
  rollBack(): void {
    for (const [key, value] of this.#undo?.reverse() ?? []) this.#put(key, value);
    this.#undo = undefined;
  }

  /** Throws a {@linkcode ProtocolError} for the place of the cursor. */
  fail(type: string, field: string, problem: string, code?: "TOO_MANY_VALUES"): never {
    const offset = this.#base + this.position;
    throw new ProtocolError(
      `Cannot decode ${type}.${printable(field)} at offset ${offset}: ${problem}`,
      { offset, dataType: type, field },
      code,
    );
  }

  /** Throws for a read of `size` bytes at the cursor. */
  underflow(type: string, field: string, size: number): never {
    this.missing = this.position + size - this.end;
    this.fail(type, field, `${size} bytes are expected, ${this.end - this.position} remain`);
  }

  boolean(type: string, field: string): boolean {
    const p = this.position;
    if (p >= this.end) this.underflow(type, field, 1);
    this.position = p + 1;
    return this.bytes[p] !== 0;
  }

  /** Reads a signed byte. */
  byte(type: string, field: string): number {
    const p = this.position;
    if (p >= this.end) this.underflow(type, field, 1);
    this.position = p + 1;
    return (this.bytes[p]! << 24) >> 24;
  }

  /** Reads a data type code. */
  code(type: string, field: string): number {
    return this.byte(type, field) & 0xff;
  }

  short(type: string, field: string): number {
    const p = this.position;
    if (p + 2 > this.end) this.underflow(type, field, 2);
    this.position = p + 2;
    return this.view.getInt16(p);
  }

  int(type: string, field: string): number {
    const p = this.position;
    if (p + 4 > this.end) this.underflow(type, field, 4);
    this.position = p + 4;
    return this.view.getInt32(p);
  }

  long(type: string, field: string): Long {
    const p = this.position;
    if (p + 8 > this.end) this.underflow(type, field, 8);
    this.position = p + 8;
    return joinLong(this.view.getInt32(p), this.view.getUint32(p + 4));
  }

  string(type: string, field: string): string | null {
    return this.boolean(type, field) ? this.text(type, field) : null;
  }

  /** Reads a string that is there. */
  text(type: string, field: string): string {
    return this.utf(type, field, this.short(type, field) & 0xffff);
  }

  constBytes(type: string, field: string, size: number): Uint8Array {
    const p = this.position;
    if (p + size > this.end) this.underflow(type, field, size);
    this.position = p + size;
    return new Uint8Array(this.#buffer, p, size);
  }

  /** Reads a bit of the boolean stream. */
  flag(type: string, field: string): boolean {
    const bit = this.bit++;
    if (bit >= this.bitEnd) this.noBits(type, field);
    return ((this.bytes[this.bitBase + (bit >> 3)]! >> (bit & 7)) & 1) === 1;
  }

  /** Throws for a read of bits that aren't there. */
  noBits(type: string, field: string): never {
    this.fail(type, field, "the boolean stream has no more bits");
  }

  /** Reads the length of the boolean stream and steps over its bits. */
  beginBits(type: string, field: string): void {
    let count = this.code(type, field);
    if (count === 0xc0) {
      count = this.code(type, field);
    } else if (count === 0x80) {
      count = this.short(type, field);
      if (count < 0) this.fail(type, field, `boolean stream length is ${count}`);
    } else if (count >= 64) {
      this.fail(type, field, `a boolean stream length is expected, got ${count}`);
    }
    const start = this.position;
    if (start + count > this.end) this.underflow(type, field, count);
    this.position = start + count;
    this.bitBase = start;
    this.bit = 0;
    this.bitEnd = count << 3;
  }

  /** Makes sure that all bits were read, but for zeros that fill the last byte. */
  endBits(type: string, field: string): void {
    const bit = this.bit;
    const left = this.bitEnd - bit;
    if (left === 0) return;
    if (left >= 8 || this.bytes[this.bitBase + (bit >> 3)]! >> (bit & 7) !== 0) {
      this.fail(type, field, `${left} bits are left over`);
    }
  }

  /** Reads a long of the size that two bits tell: 2, 4 or 8 bytes. */
  tightLong(type: string, field: string, high: number, low: number): Long {
    if (high === 0) return low === 0 ? 0 : this.short(type, field) & 0xffff;
    return low === 0 ? this.int(type, field) >>> 0 : this.long(type, field);
  }

  tightString(type: string, field: string): string | null {
    return this.flag(type, field) ? this.tightText(type, field) : null;
  }

  /** Reads a string that is there. */
  tightText(type: string, field: string): string {
    const ascii = this.flag(type, field);
    const length = this.short(type, field);
    if (!ascii) return this.utf(type, field, length & 0xffff);
    if (length < 0) this.fail(type, field, `string length is ${length}`);
    return this.#interned(type, field, length, true);
  }

  /** Reads the number of elements of an array, each of which takes at least `size` bytes. */
  count(type: string, field: string, size: number): number {
    const count = this.short(type, field);
    if (count < 0) this.fail(type, field, `array has ${count} elements`);
    if (count * size > this.remaining) this.underflow(type, field, count * size);
    return count;
  }

  /** Reads the number of elements of an array, each of which takes at least a bit. */
  tightCount(type: string, field: string): number {
    const count = this.short(type, field);
    if (count < 0 || count > this.bitEnd - this.bit) {
      this.fail(type, field, `array has ${count} elements, ${this.bitEnd - this.bit} bits remain`);
    }
    return count;
  }

  /** Goes one level deeper into nested objects. */
  enter(type: string, field: string): void {
    if (++this.depth > MAX_DEPTH) {
      this.fail(type, field, `objects are nested deeper than ${MAX_DEPTH}`);
    }
  }

  /** Comes back from {@linkcode enter}. */
  leave(): void {
    this.depth--;
  }

  /** Reads the key under which a value is to be kept; -1 means not at all. */
  newCacheKey(type: string, field: string): number {
    const key = this.short(type, field);
    if (key < -1 || key >= this.cache.length) {
      this.fail(type, field, `cache key is ${key}, the cache has ${this.cache.length} slots`);
    }
    return key;
  }

  /** Keeps a value. */
  store(key: number, value: DataStructure | null): void {
    if (key < 0) return;
    this.#undo?.push([key, this.cache[key]]);
    if (value?.dataType === "XATransactionId") {
      this.#checkXid(value);
      ownBytes(value);
    }
    // Many commands will share it.
    this.#put(key, Object.freeze(value));
    if (this.#cachedBytes > MAX_CACHED_BYTES) {
      const type = value?.dataType ?? "null";
      this.fail(type, "cache", `the cached values have more than ${MAX_CACHED_BYTES} bytes`);
    }
  }

  #checkXid(id: XATransactionId): void {
    for (const part of ["globalTransactionId", "branchQualifier"] as const) {
      const length = id[part]?.length ?? 0;
      if (length <= this.maxXidPart) continue;
      this.fail(
        id.dataType,
        part,
        `${length} bytes are more than the ${this.maxXidPart} of an XID`,
      );
    }
  }

  #put(key: number, value: DataStructure | null | undefined): void {
    this.#cachedBytes += sizeOf(value) - sizeOf(this.cache[key]);
    this.cache[key] = value;
  }

  /** Reads a key and gets what is kept under it. */
  cached(type: string, field: string): DataStructure | null {
    const key = this.short(type, field);
    const value = key < 0 ? undefined : this.cache[key];
    if (value === undefined) this.fail(type, field, `nothing is cached under key ${key}`);
    return value;
  }

  float(type: string, field: string): number {
    const p = this.position;
    if (p + 4 > this.end) this.underflow(type, field, 4);
    this.position = p + 4;
    return this.view.getFloat32(p);
  }

  double(type: string, field: string): number {
    const p = this.position;
    if (p + 8 > this.end) this.underflow(type, field, 8);
    this.position = p + 8;
    return this.view.getFloat64(p);
  }

  /** Reads a 64-bit integer as what a property holds. */
  bigLong(type: string, field: string): bigint {
    const p = this.position;
    if (p + 8 > this.end) this.underflow(type, field, 8);
    this.position = p + 8;
    return this.view.getBigInt64(p);
  }

  /** Reads a byte array with its length. */
  byteArray(type: string, field: string): Uint8Array {
    const length = this.int(type, field);
    const p = this.position;
    if (length < 0) this.fail(type, field, `byte array length is ${length}`);
    if (length > this.end - p) this.underflow(type, field, length);
    this.position = p + length;
    return new Uint8Array(this.#buffer, p, length);
  }

  /** Reads modified UTF-8 of a known number of bytes. */
  utf(type: string, field: string, length: number): string {
    return this.#interned(type, field, length, false);
  }

  #interned(type: string, field: string, length: number, latin1: boolean): string {
    const p = this.position;
    const end = p + length;
    if (end > this.end) this.underflow(type, field, length);
    this.position = end;
    if (length < 4) {
      const short = this.#short(p, length);
      return short ?? this.#decode(type, field, p, end, latin1);
    }
    if (length > INTERN_LIMIT) return this.#decode(type, field, p, end, latin1);
    const known = lookUp(this.view, p, length);
    if (known !== undefined) return known;
    const text = this.#decode(type, field, p, end, latin1);
    if (text.length === length && isPlain(text)) keep(this.view, p, length, text);
    return text;
  }

  /** A string of 0 to 3 bytes, if they are plain ASCII. */
  #short(start: number, length: number): string | undefined {
    if (length === 0) return "";
    const a = this.bytes[start]!;
    const b = length > 1 ? this.bytes[start + 1]! : 1;
    const c = length > 2 ? this.bytes[start + 2]! : 1;
    if ((a | b | c) > 0x7f || a === 0 || b === 0 || c === 0) return undefined;
    if (length === 1) return String.fromCharCode(a);
    return length === 2 ? String.fromCharCode(a, b) : String.fromCharCode(a, b, c);
  }

  #decode(type: string, field: string, start: number, end: number, latin1: boolean): string {
    if (latin1) return readLatin1(this.bytes, start, end);
    const text = readModifiedUtf8(this.bytes, start, end);
    if (typeof text === "number") {
      this.position = text;
      this.fail(type, field, "the bytes are no modified UTF-8");
    }
    return text;
  }
}

/** Bytes of the texts of a value that can be cached, about. */
function sizeOf(value: DataStructure | null | undefined): number {
  if (value === null || value === undefined) return 0;
  switch (value.dataType) {
    case "ActiveMQQueue":
    case "ActiveMQTopic":
    case "ActiveMQTempQueue":
    case "ActiveMQTempTopic":
      return 2 * value.physicalName.length;
    case "ConnectionId":
    case "BrokerId":
      return 2 * (value.value?.length ?? 0);
    case "SessionId":
    case "ConsumerId":
    case "ProducerId":
      return 2 * (value.connectionId?.length ?? 0);
    case "LocalTransactionId":
      return 2 * (value.connectionId?.value?.length ?? 0);
    case "XATransactionId":
      return (value.globalTransactionId?.length ?? 0) + (value.branchQualifier?.length ?? 0);
    default:
      return 0;
  }
}

/** Copies the bytes of a value that outlives its chunk: as views they would keep the whole chunk in memory. */
function ownBytes(id: { -readonly [Name in keyof XATransactionId]: XATransactionId[Name] }): void {
  // Not by slice(), which is a view of a Buffer.
  id.globalTransactionId = id.globalTransactionId && new Uint8Array(id.globalTransactionId);
  id.branchQualifier = id.branchQualifier && new Uint8Array(id.branchQualifier);
}

function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit === 0 || unit > 0x7f) return false;
  }
  return true;
}
