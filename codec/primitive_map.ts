/**
 * Primitive maps and lists on the wire (Java: MarshallingSupport): message properties, map and stream bodies, and the
 * options of a WireFormatInfo.
 *
 * @module
 */

import { EncodeError } from "./errors.ts";
import { FrameReader } from "./frame_reader.ts";
import { FrameWriter } from "./frame_writer.ts";
import { MAX_VALUE_DEPTH, PrimitiveList, PrimitiveMap, TypedValue } from "./primitive_value.ts";

const Tag = {
  null: 0,
  boolean: 1,
  byte: 2,
  char: 3,
  short: 4,
  int: 5,
  long: 6,
  double: 7,
  float: 8,
  string: 9,
  bytes: 10,
  map: 11,
  list: 12,
  bigString: 13,
} as const;

/** Strings of this many UTF-16 units or more have a length of 32 bits. */
const BIG_STRING = 8191;
/** Bytes that an entry of a map takes at least: a name's length and a tag. */
const ENTRY = 3;
const NAME_LIMIT = 65535;
/** Engines end with a RangeError at about twice as many, whatever `maxDecodedValues` is. */
const MAX_ENTRIES = 2 ** 23;

const MAP = "PrimitiveMap";
const LIST = "PrimitiveList";

/** Values that are decoded by default. */
const MAX_DECODED_VALUES = 65_536;
/** How many values a nested map or list counts as: it takes about as much memory and time. */
const NESTED_COST = 8;

/**
 * Limits of decoding primitive maps and lists.
 *
 * @example
 * ```ts
 * import { decodePrimitiveMap, encodePrimitiveMap } from "./mod.ts";
 * import { assertThrows } from "@std/assert";
 *
 * const bytes = encodePrimitiveMap({ a: 1, b: 2, c: 3 });
 * assertThrows(() => decodePrimitiveMap(bytes, { maxDecodedValues: 2 }), Error, "more than 2 values");
 * ```
 */
export interface DecodeValuesOptions {
  /**
   * Values that are decoded from one body or one map of properties, nested ones included, 1 to 2^31-1. A nested map or list
   * counts as 8 values, a string as one more for each 1,024 bytes. A value may take one byte on the wire, and takes up to 100
   * bytes of memory. @default {65_536}
   */
  maxDecodedValues?: number | undefined;
}

const NULL = new TypedValue("null", null);
const TRUE = new TypedValue("boolean", true);
const FALSE = new TypedValue("boolean", false);

/** Largest buffer in bytes that the shared cursor keeps. */
const RETAINED = 1_048_576;

// Nothing here waits or calls back, so one cursor of each kind serves all.
const reader = new FrameReader();
const writer = new FrameWriter();

/**
 * Decodes a primitive map, such as a message's `marshalledProperties`.
 *
 * @param bytes The map's bytes; null is an empty map, as is a map whose count is -1.
 * @param options The limit.
 * @returns The map. Byte arrays in it are views of `bytes`.
 * @throws {ProtocolError} When the bytes are no primitive map. Its code is `"TOO_MANY_VALUES"` when there are more values
 *   than allowed.
 *
 * @example
 * ```ts
 * import { decodePrimitiveMap, encodePrimitiveMap } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = encodePrimitiveMap({ region: "eu-west-1" });
 * assertEquals(decodePrimitiveMap(bytes).get("region"), "eu-west-1");
 * ```
 */
export function decodePrimitiveMap(
  bytes: Uint8Array | null,
  options: DecodeValuesOptions = {},
): PrimitiveMap {
  if (bytes === null) return new PrimitiveMap();
  return withBudget(bytes, options, (r) => readMap(r, 0) ?? new PrimitiveMap());
}

/**
 * Encodes a primitive map.
 *
 * @param map The values.
 * @returns The map's bytes.
 * @throws {EncodeError} When a name is too long, or maps are nested too deep.
 * @throws {TypeError} When a value is of no type that can be sent.
 *
 * @example
 * ```ts
 * import { encodePrimitiveMap, short } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(encodePrimitiveMap({ a: short(1) }), Uint8Array.of(0, 0, 0, 1, 0, 1, 97, 4, 0, 1));
 * ```
 */
export function encodePrimitiveMap(
  map: ConstructorParameters<typeof PrimitiveMap>[0],
): Uint8Array<ArrayBuffer> {
  const values = map instanceof PrimitiveMap ? map : new PrimitiveMap(map);
  return withWriter((w) => writeMap(w, values, 0));
}

/** Reads values without a count until the bytes end, as in a stream body. */
export function decodeValues(bytes: Uint8Array, options: DecodeValuesOptions): PrimitiveList {
  return withBudget(bytes, options, (r) => {
    const values = new PrimitiveList();
    while (r.remaining > 0) {
      spend(r, LIST, "size", 1);
      values.push(readValue(r, LIST, String(values.length), 0));
    }
    return values;
  });
}

/** Writes values without a count. */
export function encodeValues(values: PrimitiveList): Uint8Array<ArrayBuffer> {
  return withWriter((w) => {
    for (const value of values.typedValues()) writeValue(w, LIST, value, 0);
  });
}

/** Reads with the shared cursor. Bytes after the last value are allowed, as in Java. */
export function withReader<T>(bytes: Uint8Array, read: (reader: FrameReader) => T): T {
  reader.setChunk(bytes, 0);
  reader.setFrame(0, bytes.length);
  try {
    return read(reader);
  } finally {
    // A small buffer may stay: the next properties probably lie in it, too.
    if (bytes.buffer.byteLength > RETAINED) reader.releaseChunk();
  }
}

/** Reads with the shared cursor, as many values as are allowed. */
function withBudget<T>(
  bytes: Uint8Array,
  { maxDecodedValues = MAX_DECODED_VALUES }: DecodeValuesOptions,
  read: (reader: FrameReader) => T,
): T {
  reader.maxValues = reader.budget = maxDecodedValues;
  return withReader(bytes, read);
}

/** Counts values that are about to be read. */
function spend(r: FrameReader, t: string, f: string, count: number): void {
  r.budget -= count;
  if (r.budget < 0) {
    r.fail(t, f, `there are more than ${r.maxValues} values`, "TOO_MANY_VALUES");
  }
}

/** Writes with the shared buffer. */
export function withWriter(write: (writer: FrameWriter) => void): Uint8Array<ArrayBuffer> {
  writer.begin();
  try {
    write(writer);
  } catch (error) {
    writer.discard();
    throw error;
  }
  return writer.take();
}

function readMap(r: FrameReader, depth: number): PrimitiveMap | undefined {
  const count = r.int(MAP, "size");
  if (count === -1) return undefined;
  if (count < 0 || count > r.remaining / ENTRY) {
    const problem = `map has ${count} entries, ${r.remaining} bytes remain`;
    r.fail(MAP, "size", problem, count > r.budget ? "TOO_MANY_VALUES" : undefined);
  }
  spend(r, MAP, "size", count);
  if (count > MAX_ENTRIES) {
    r.fail(MAP, "size", `map has ${count} entries, ${MAX_ENTRIES} are allowed`);
  }
  const map = new PrimitiveMap();
  for (let i = 0; i < count; i++) {
    const name = readText(r, MAP, "name", r.short(MAP, "name") & 0xffff);
    map.set(name, readValue(r, MAP, name, depth));
  }
  return map;
}

function readList(r: FrameReader, depth: number): PrimitiveList {
  const count = r.int(LIST, "size");
  if (count < 0 || count > r.remaining) {
    const problem = `list has ${count} values, ${r.remaining} bytes remain`;
    r.fail(LIST, "size", problem, count > r.budget ? "TOO_MANY_VALUES" : undefined);
  }
  spend(r, LIST, "size", count);
  const list = new PrimitiveList();
  for (let i = 0; i < count; i++) list.push(readValue(r, LIST, String(i), depth));
  return list;
}

function readValue(r: FrameReader, t: string, f: string, depth: number): TypedValue {
  const tag = r.byte(t, f);
  switch (tag) {
    case Tag.null:
      return NULL;
    case Tag.boolean:
      return r.boolean(t, f) ? TRUE : FALSE;
    case Tag.byte:
      return new TypedValue("byte", r.byte(t, f));
    case Tag.char:
      return new TypedValue("char", String.fromCharCode(r.short(t, f) & 0xffff));
    case Tag.short:
      return new TypedValue("short", r.short(t, f));
    case Tag.int:
      return new TypedValue("int", r.int(t, f));
    case Tag.long:
      return new TypedValue("long", r.bigLong(t, f));
    case Tag.double:
      return new TypedValue("double", r.double(t, f));
    case Tag.float:
      return new TypedValue("float", r.float(t, f));
    case Tag.string:
      return new TypedValue("string", readText(r, t, f, r.short(t, f) & 0xffff));
    case Tag.bigString: {
      const length = r.int(t, f);
      // Java reads a length of -1 as null and breaks on others.
      if (length === -1) return NULL;
      if (length < 0) r.fail(t, f, `string length is ${length}`);
      return new TypedValue("string", readText(r, t, f, length));
    }
    case Tag.bytes:
      return new TypedValue("bytes", r.byteArray(t, f));
    case Tag.map: {
      deeper(r, t, f, depth);
      spend(r, t, f, NESTED_COST - 1);
      const map = readMap(r, depth + 1);
      return map ? new TypedValue("map", map) : NULL;
    }
    case Tag.list:
      deeper(r, t, f, depth);
      spend(r, t, f, NESTED_COST - 1);
      return new TypedValue("list", readList(r, depth + 1));
    default:
      r.fail(t, f, `a value's tag from 0 to 13 is expected, got ${tag}`);
  }
}

function readText(r: FrameReader, t: string, f: string, length: number): string {
  if (length >= 1024 && length <= r.remaining) spend(r, t, f, length >>> 10);
  return r.utf(t, f, length);
}

function deeper(r: FrameReader, t: string, f: string, depth: number): void {
  if (depth >= MAX_VALUE_DEPTH) r.fail(t, f, `values are nested deeper than ${MAX_VALUE_DEPTH}`);
}

function writeMap(w: FrameWriter, map: PrimitiveMap, depth: number): void {
  w.rawInt(map.size);
  for (const [name, value] of map.typedEntries()) {
    const at = w.length;
    w.rawShort(0);
    const size = w.utf(name);
    if (size > NAME_LIMIT) {
      throw new EncodeError(
        `Cannot encode a name of ${size} bytes: ${NAME_LIMIT} are allowed`,
        MAP,
        "name",
      );
    }
    w.patchShort(at, size);
    writeValue(w, MAP, value, depth);
  }
}

function writeList(w: FrameWriter, list: PrimitiveList, depth: number): void {
  w.rawInt(list.length);
  for (const value of list.typedValues()) writeValue(w, LIST, value, depth);
}

function writeValue(w: FrameWriter, t: string, typed: TypedValue, depth: number): void {
  const value = typed.value;
  switch (typed.type) {
    case "null":
      return w.rawByte(Tag.null);
    case "boolean":
      w.rawByte(Tag.boolean);
      return w.rawByte(value ? 1 : 0);
    case "byte":
      w.rawByte(Tag.byte);
      return w.rawByte(value as number);
    case "char":
      w.rawByte(Tag.char);
      return w.rawShort((value as string).charCodeAt(0));
    case "short":
      w.rawByte(Tag.short);
      return w.rawShort(value as number);
    case "int":
      w.rawByte(Tag.int);
      return w.rawInt(value as number);
    case "long":
      w.rawByte(Tag.long);
      return w.rawLong(value as bigint);
    case "double":
      w.rawByte(Tag.double);
      return w.rawDouble(value as number);
    case "float":
      w.rawByte(Tag.float);
      return w.rawFloat(value as number);
    case "string": {
      const text = value as string;
      const big = text.length >= BIG_STRING;
      w.rawByte(big ? Tag.bigString : Tag.string);
      const at = w.length;
      if (big) w.rawInt(0);
      else w.rawShort(0);
      const size = w.utf(text);
      return big ? w.patchInt(at, size) : w.patchShort(at, size);
    }
    case "bytes":
      w.rawByte(Tag.bytes);
      w.rawInt((value as Uint8Array).length);
      return w.rawBytes(value as Uint8Array);
    case "map":
      checkDepth(t, depth);
      w.rawByte(Tag.map);
      return writeMap(w, value as PrimitiveMap, depth + 1);
    case "list":
      checkDepth(t, depth);
      w.rawByte(Tag.list);
      return writeList(w, value as PrimitiveList, depth + 1);
  }
}

function checkDepth(t: string, depth: number): void {
  if (depth >= MAX_VALUE_DEPTH) {
    throw new EncodeError(`Cannot encode values that are nested deeper than ${MAX_VALUE_DEPTH}`, t);
  }
}
