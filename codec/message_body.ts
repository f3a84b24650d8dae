/**
 * What is inside a message's `content`, for messages that aren't compressed (see `compression.ts`).
 *
 * Nothing is decoded before it is asked for: the decoder hands over `content` as it came, and a relay sends it on as it
 * is.
 *
 * @module
 */

import { EncodeError, ProtocolError } from "./errors.ts";
import type { FrameReader } from "./frame_reader.ts";
import { inspectAs } from "./inspect.ts";
import { readModifiedUtf8 } from "./modified_utf8.ts";
import {
  decodePrimitiveMap,
  decodeValues,
  type DecodeValuesOptions,
  encodePrimitiveMap,
  encodeValues,
  withReader,
  withWriter,
} from "./primitive_map.ts";
import {
  type PrimitiveInput,
  PrimitiveList,
  type PrimitiveMap,
  type PrimitiveMapInput,
} from "./primitive_value.ts";

const TEXT = "ActiveMQTextMessage";
const LENGTH_PREFIX = 4;

/**
 * Decodes the body of a text message.
 *
 * @param content The message's `content`, not compressed.
 * @returns The text; null when there is none.
 * @throws {ProtocolError} When the content is no text.
 *
 * @example
 * ```ts
 * import { decodeTextBody, encodeTextBody } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(decodeTextBody(encodeTextBody("smile 😀")), "smile 😀");
 * ```
 */
export function decodeTextBody(content: Uint8Array | null): string | null {
  if (content === null) return null;
  if (content.length >= LENGTH_PREFIX) {
    const length = content[0]! << 24 | content[1]! << 16 | content[2]! << 8 | content[3]!;
    if (length === -1) return null;
    if (length >= 0 && length <= content.length - LENGTH_PREFIX) {
      const text = readModifiedUtf8(content, LENGTH_PREFIX, LENGTH_PREFIX + length);
      if (typeof text === "string") return text;
    }
  }
  return withReader(content, failText);
}

/** Reads what is no text once more, to say what is wrong with it. */
function failText(r: FrameReader): never {
  const length = r.int(TEXT, "content");
  if (length < 0) r.fail(TEXT, "content", `text length is ${length}`);
  r.utf(TEXT, "content", length);
  r.fail(TEXT, "content", "text is expected");
}

/**
 * Encodes the body of a text message: a length of 32 bits, then modified UTF-8.
 *
 * @param text The text; null makes no content.
 * @returns The message's `content`.
 *
 * @example
 * ```ts
 * import { encodeTextBody } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(encodeTextBody("hi"), Uint8Array.of(0, 0, 0, 2, 104, 105));
 * ```
 */
export function encodeTextBody(text: string | null): Uint8Array<ArrayBuffer> | null {
  if (text === null) return null;
  return withWriter((w) => {
    w.rawInt(0);
    w.patchInt(0, w.utf(text));
  });
}

/**
 * Decodes the body of a map message.
 *
 * @param content The message's `content`, not compressed.
 * @param options The limit.
 * @returns The values; empty when there is no content.
 * @throws {ProtocolError} When the content is no map. Its code is `"TOO_MANY_VALUES"` when there are more values than
 *   allowed.
 *
 * @example
 * ```ts
 * import { decodeMapBody, encodeMapBody } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(decodeMapBody(encodeMapBody({ id: 7 })).get("id"), 7);
 * ```
 */
export function decodeMapBody(
  content: Uint8Array | null,
  options: DecodeValuesOptions = {},
): PrimitiveMap {
  return decodePrimitiveMap(content, options);
}

/**
 * Encodes the body of a map message.
 *
 * @param map The values.
 * @returns The message's `content`.
 * @throws {TypeError} When a value is of no type that can be sent.
 *
 * @example
 * ```ts
 * import { encodeMapBody, short } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(encodeMapBody({ a: short(1) }).length, 10);
 * ```
 */
export function encodeMapBody(map: PrimitiveMapInput): Uint8Array<ArrayBuffer> {
  return encodePrimitiveMap(map);
}

/**
 * Decodes the body of a stream message.
 *
 * @param content The message's `content`, not compressed.
 * @param options The limit.
 * @returns The values in their order; empty when there is no content.
 * @throws {ProtocolError} When the content is no row of values. Its code is `"TOO_MANY_VALUES"` when there are more values
 *   than allowed.
 *
 * @example
 * ```ts
 * import { decodeStreamBody, encodeStreamBody } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...decodeStreamBody(encodeStreamBody([1, "two"]))], [1, "two"]);
 * ```
 */
export function decodeStreamBody(
  content: Uint8Array | null,
  options: DecodeValuesOptions = {},
): PrimitiveList {
  return content === null ? new PrimitiveList() : decodeValues(content, options);
}

/**
 * Encodes the body of a stream message.
 *
 * @param values The values. Maps and lists can't stand in a stream message.
 * @returns The message's `content`.
 * @throws {EncodeError} When a value is a map or a list.
 * @throws {TypeError} When a value is of no type that can be sent.
 *
 * @example
 * ```ts
 * import { encodeStreamBody } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(encodeStreamBody([true]), Uint8Array.of(1, 1));
 * ```
 */
export function encodeStreamBody(values: Iterable<PrimitiveInput>): Uint8Array<ArrayBuffer> {
  const list = values instanceof PrimitiveList ? values : new PrimitiveList(values);
  for (const { type } of list.typedValues()) {
    if (type === "map" || type === "list") {
      throw new EncodeError(
        `Cannot put a ${type} into a stream message`,
        "ActiveMQStreamMessage",
        "content",
      );
    }
  }
  return encodeValues(list);
}

const BYTES = "ActiveMQBytesMessage";

/**
 * Reads typed values from the body of a bytes message, like Java's DataInput. All numbers are big endian.
 *
 * @example
 * ```ts
 * import { BytesReader, BytesWriter } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const reader = new BytesReader(new BytesWriter().writeInt(7).writeUtf("seven").finish());
 * assertEquals(reader.readInt(), 7);
 * assertEquals(reader.readUtf(), "seven");
 * assertEquals(reader.remaining, 0);
 * ```
 */
export class BytesReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #position = 0;

  /**
   * Makes a reader.
   *
   * @param content The message's `content`, not compressed; null is no bytes.
   */
  constructor(content: Uint8Array | null) {
    this.#bytes = content ?? new Uint8Array(0);
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength);
  }

  /** Number of bytes that weren't read yet. */
  get remaining(): number {
    return this.#bytes.length - this.#position;
  }

  /** Takes `size` bytes; returns the offset of the first. */
  #take(size: number): number {
    const at = this.#position;
    if (!(size >= 0 && size <= this.remaining)) {
      throw new ProtocolError(
        `Cannot read ${size} bytes at offset ${at} of the body: ${this.remaining} remain`,
        { offset: at, dataType: BYTES, field: "content" },
      );
    }
    this.#position = at + size;
    return at;
  }

  /** Reads a byte; any but 0 is true. @throws {ProtocolError} At the end, as all other methods. */
  readBoolean(): boolean {
    return this.#view.getUint8(this.#take(1)) !== 0;
  }

  /** Reads a signed byte. */
  readByte(): number {
    return this.#view.getInt8(this.#take(1));
  }

  /** Reads an unsigned byte. */
  readUnsignedByte(): number {
    return this.#view.getUint8(this.#take(1));
  }

  /** Reads a signed integer of 16 bits. */
  readShort(): number {
    return this.#view.getInt16(this.#take(2));
  }

  /** Reads an unsigned integer of 16 bits. */
  readUnsignedShort(): number {
    return this.#view.getUint16(this.#take(2));
  }

  /** Reads a UTF-16 unit. */
  readChar(): string {
    return String.fromCharCode(this.#view.getUint16(this.#take(2)));
  }

  /** Reads a signed integer of 32 bits. */
  readInt(): number {
    return this.#view.getInt32(this.#take(4));
  }

  /** Reads a signed integer of 64 bits. */
  readLong(): bigint {
    return this.#view.getBigInt64(this.#take(8));
  }

  /** Reads a floating-point number of 32 bits. */
  readFloat(): number {
    return this.#view.getFloat32(this.#take(4));
  }

  /** Reads a floating-point number of 64 bits. */
  readDouble(): number {
    return this.#view.getFloat64(this.#take(8));
  }

  /** Reads a length of 16 bits, then text of so many bytes of modified UTF-8. */
  readUtf(): string {
    const at = this.#position;
    try {
      const size = this.readUnsignedShort();
      const start = this.#take(size);
      return withReader(this.#bytes, (r) => {
        r.setFrame(start, start + size);
        return r.utf(BYTES, "content", size);
      });
    } catch (error) {
      this.#position = at;
      throw error;
    }
  }

  /**
   * Reads bytes.
   *
   * @param size How many; all that remain by default.
   * @returns A view of the content.
   */
  readBytes(size: number = this.remaining): Uint8Array {
    const at = this.#take(size);
    return this.#bytes.subarray(at, at + size);
  }

  static {
    inspectAs(this, "BytesReader", (reader) => ({
      length: reader.#bytes.length,
      remaining: reader.remaining,
    }));
  }
}

/**
 * Writes typed values for the body of a bytes message, like Java's DataOutput. All numbers are big endian.
 *
 * @example
 * ```ts
 * import { BytesWriter } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new BytesWriter().writeShort(1).writeBoolean(true).finish(), Uint8Array.of(0, 1, 1));
 * ```
 */
export class BytesWriter {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(64);
  #view: DataView = new DataView(this.#bytes.buffer);
  #position = 0;

  /** Makes an empty writer. */
  constructor() {}

  /** Number of bytes written. */
  get length(): number {
    return this.#position;
  }

  /** Makes room for `size` bytes, maybe in a new buffer; returns the offset of the first. */
  #room(size: number): number {
    const at = this.#position;
    if (at + size > this.#bytes.length) {
      const grown = new Uint8Array((at + size) * 2);
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#position = at + size;
    return at;
  }

  /** Writes a byte, 1 or 0. */
  writeBoolean(value: boolean): this {
    const at = this.#room(1);
    this.#view.setInt8(at, value ? 1 : 0);
    return this;
  }

  /** Writes the low 8 bits of an integer. @throws {RangeError} When it isn't from -128 to 255. */
  writeByte(value: number): this {
    checkInteger(value, -128, 255);
    const at = this.#room(1);
    this.#view.setInt8(at, value);
    return this;
  }

  /** Writes the low 16 bits of an integer. @throws {RangeError} When it isn't from -32,768 to 65,535. */
  writeShort(value: number): this {
    checkInteger(value, -32768, 65535);
    const at = this.#room(2);
    this.#view.setInt16(at, value);
    return this;
  }

  /** Writes a UTF-16 unit. @throws {RangeError} When the string isn't of one unit. */
  writeChar(value: string): this {
    if (value.length !== 1) {
      throw new RangeError(`Cannot write ${value.length} UTF-16 units as a char`);
    }
    const at = this.#room(2);
    this.#view.setUint16(at, value.charCodeAt(0));
    return this;
  }

  /** Writes an integer of 32 bits. @throws {RangeError} When it is out of range. */
  writeInt(value: number): this {
    checkInteger(value, -2147483648, 2147483647);
    const at = this.#room(4);
    this.#view.setInt32(at, value);
    return this;
  }

  /** Writes an integer of 64 bits. @throws {RangeError} When it is out of range or not exact. */
  writeLong(value: number | bigint): this {
    const big = typeof value === "number" && !Number.isSafeInteger(value)
      ? undefined
      : BigInt(value);
    if (big === undefined || BigInt.asIntN(64, big) !== big) {
      throw new RangeError(
        `Cannot write ${value}: a safe integer or a bigint of 64 bits is expected`,
      );
    }
    const at = this.#room(8);
    this.#view.setBigInt64(at, big);
    return this;
  }

  /** Writes a floating-point number of 32 bits. */
  writeFloat(value: number): this {
    const at = this.#room(4);
    this.#view.setFloat32(at, value);
    return this;
  }

  /** Writes a floating-point number of 64 bits. */
  writeDouble(value: number): this {
    const at = this.#room(8);
    this.#view.setFloat64(at, value);
    return this;
  }

  /** Writes a length of 16 bits, then modified UTF-8. @throws {RangeError} When that takes over 65,535 bytes. */
  writeUtf(value: string): this {
    const bytes = withWriter((w) => void w.utf(value));
    if (bytes.length > 65535) {
      throw new RangeError(`Cannot write text of ${bytes.length} bytes: 65535 are allowed`);
    }
    return this.writeShort(bytes.length).writeBytes(bytes);
  }

  /** Writes bytes as they are. */
  writeBytes(value: Uint8Array): this {
    const at = this.#room(value.length);
    this.#bytes.set(value, at);
    return this;
  }

  /** Gives what was written, as the `content` of a bytes message. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#position);
  }

  static {
    inspectAs(this, "BytesWriter", ({ length }) => ({ length }));
  }
}

function checkInteger(value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`Cannot write ${value}: an integer from ${least} to ${most} is expected`);
  }
}
