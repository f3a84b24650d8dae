/**
 * Values of message properties and of map and stream bodies, with their Java types.
 *
 * @module
 */

import { typeName } from "../errors.ts";
import { printable } from "./errors.ts";
import { inspectAs, plainLong } from "./inspect.ts";
import { SmallMap } from "./small_map.ts";

/**
 * Java types of a primitive value.
 *
 * @example
 * ```ts
 * import { type PrimitiveType, short } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const type: PrimitiveType = short(1).type;
 * assertEquals(type, "short");
 * ```
 */
export type PrimitiveType =
  | "null"
  | "boolean"
  | "byte"
  | "char"
  | "short"
  | "int"
  | "long"
  | "double"
  | "float"
  | "string"
  | "bytes"
  | "map"
  | "list";

/**
 * What a reader gets: a `long` is a `bigint`, a `char` a string of one UTF-16 unit, all other numbers are `number`.
 *
 * @example
 * ```ts
 * import { type PrimitiveValue, PrimitiveMap } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const value: PrimitiveValue | undefined = new PrimitiveMap({ attempt: 3 }).get("attempt");
 * assertEquals(value, 3);
 * ```
 */
export type PrimitiveValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PrimitiveMap
  | PrimitiveList;

/**
 * What a writer takes. Plain values get the type that fits: an integer of 32 bits is an `int`, a larger safe integer a
 * `long`, any other number a `double`, a `bigint` a `long`. For another type wrap it: `short(1)`, `float(1.5)`.
 *
 * @example
 * ```ts
 * import { char, type PrimitiveInput, PrimitiveMap } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const grade: PrimitiveInput = char("A");
 * assertEquals(new PrimitiveMap({ grade }).typed("grade")?.type, "char");
 * ```
 */
export type PrimitiveInput =
  | PrimitiveValue
  | TypedValue
  | readonly PrimitiveInput[]
  | ReadonlyMap<string, PrimitiveInput>
  | { readonly [name: string]: PrimitiveInput };

/**
 * A value and its Java type. Make one with {@linkcode byte}, {@linkcode short}, {@linkcode int}, {@linkcode long},
 * {@linkcode float}, {@linkcode double} or {@linkcode char}.
 *
 * @example
 * ```ts
 * import { short, TypedValue } from "./mod.ts";
 * import { assertEquals, assertInstanceOf } from "@std/assert";
 *
 * const value = short(7);
 * assertInstanceOf(value, TypedValue);
 * assertEquals(value.value, 7);
 * ```
 */
export class TypedValue {
  /** Its Java type. */
  readonly type: PrimitiveType;
  /** What a reader gets. */
  readonly value: PrimitiveValue;

  /** Use the functions named after the types, which check the value. */
  constructor(type: PrimitiveType, value: PrimitiveValue) {
    this.type = type;
    this.value = value;
  }

  /** The type, and the value as {@linkcode PrimitiveMap.toJSON} has it. */
  toJSON(): { type: PrimitiveType; value: unknown } {
    return { type: this.type, value: jsonOf(plain(this.value)) };
  }
}

function integer(type: "byte" | "short" | "int", value: number, bits: number): TypedValue {
  const limit = 2 ** (bits - 1);
  if (!Number.isInteger(value) || value < -limit || value >= limit) {
    throw new RangeError(
      `Cannot make a ${type}: an integer from ${-limit} to ${limit - 1} is expected, got ${value}`,
    );
  }
  return new TypedValue(type, value + 0);
}

/**
 * Makes a Java `byte`.
 *
 * @param value An integer from -128 to 127.
 * @returns The typed value.
 * @throws {RangeError} When the value is out of range.
 *
 * @example
 * ```ts
 * import { byte } from "./mod.ts";
 * import { assertThrows } from "@std/assert";
 *
 * assertThrows(() => byte(200), RangeError);
 * ```
 */
export function byte(value: number): TypedValue {
  return integer("byte", value, 8);
}

/**
 * Makes a Java `short`.
 *
 * @param value An integer from -32,768 to 32,767.
 * @returns The typed value.
 * @throws {RangeError} When the value is out of range.
 *
 * @example
 * ```ts
 * import { short } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(short(1).type, "short");
 * ```
 */
export function short(value: number): TypedValue {
  return integer("short", value, 16);
}

/**
 * Makes a Java `int`.
 *
 * @param value An integer of 32 bits, signed.
 * @returns The typed value.
 * @throws {RangeError} When the value is out of range.
 *
 * @example
 * ```ts
 * import { int } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(int(1).type, "int");
 * ```
 */
export function int(value: number): TypedValue {
  return integer("int", value, 32);
}

/**
 * Makes a Java `long`.
 *
 * @param value A safe integer, or a `bigint` of 64 bits, signed.
 * @returns The typed value.
 * @throws {RangeError} When the value is out of range or not exact.
 *
 * @example
 * ```ts
 * import { long } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(long(5).value, 5n);
 * ```
 */
export function long(value: number | bigint): TypedValue {
  if (typeof value === "number" && !Number.isSafeInteger(value)) {
    throw new RangeError(
      `Cannot make a long: a safe integer or a bigint is expected, got ${value}`,
    );
  }
  const big = BigInt(value);
  if (BigInt.asIntN(64, big) !== big) {
    throw new RangeError(`Cannot make a long: 64 bits are expected, got ${value}`);
  }
  return new TypedValue("long", big);
}

/**
 * Makes a Java `float`; the value is rounded to 32 bits.
 *
 * @param value Any number.
 * @returns The typed value.
 *
 * @example
 * ```ts
 * import { float } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(float(0.1).value, Math.fround(0.1));
 * ```
 */
export function float(value: number): TypedValue {
  return new TypedValue("float", Math.fround(value));
}

/**
 * Makes a Java `double`, which a whole number would not be by itself.
 *
 * @param value Any number.
 * @returns The typed value.
 *
 * @example
 * ```ts
 * import { double } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(double(1).type, "double");
 * ```
 */
export function double(value: number): TypedValue {
  return new TypedValue("double", +value);
}

/**
 * Makes a Java `char`.
 *
 * @param value A string of one UTF-16 unit.
 * @returns The typed value.
 * @throws {RangeError} When the string isn't of one unit.
 *
 * @example
 * ```ts
 * import { char } from "./mod.ts";
 * import { assertThrows } from "@std/assert";
 *
 * assertThrows(() => char("😀"), RangeError);
 * ```
 */
export function char(value: string): TypedValue {
  if (value.length !== 1) {
    throw new RangeError(`Cannot make a char: one UTF-16 unit is expected, got ${value.length}`);
  }
  return new TypedValue("char", value);
}

/** Deepest nesting of maps and lists, as in Java 6. */
export const MAX_VALUE_DEPTH = 127;

const NULL = new TypedValue("null", null);
const TRUE = new TypedValue("boolean", true);
const FALSE = new TypedValue("boolean", false);

/**
 * Gives a value its Java type.
 *
 * @throws {TypeError} When it is of no type that can be sent, or nested too deep.
 */
export function toTyped(value: PrimitiveInput, depth = 0, name?: string): TypedValue {
  switch (typeof value) {
    case "string":
      return new TypedValue("string", value);
    case "number":
      // -0 is no int.
      if ((value | 0) === value && !Object.is(value, -0)) return new TypedValue("int", value);
      if (Number.isSafeInteger(value) && value !== 0) return new TypedValue("long", BigInt(value));
      return new TypedValue("double", value);
    case "boolean":
      return value ? TRUE : FALSE;
    case "bigint":
      return long(value);
    case "object":
      if (value === null) return NULL;
      if (value instanceof TypedValue) return value;
      if (value instanceof Uint8Array) return new TypedValue("bytes", value);
      if (value instanceof PrimitiveMap) return new TypedValue("map", value);
      if (value instanceof PrimitiveList) return new TypedValue("list", value);
      if (depth >= MAX_VALUE_DEPTH) {
        throw new TypeError(`Cannot send a value that is nested deeper than ${MAX_VALUE_DEPTH}`);
      }
      if (Array.isArray(value)) return new TypedValue("list", PrimitiveList.from(value, depth + 1));
      if (isPlainObject(value) || isMap(value)) {
        return new TypedValue("map", PrimitiveMap.from(value as PrimitiveMapInput, depth + 1));
      }
  }
  throw new TypeError(
    `Cannot send a value of type ${typeName(value)}${
      name === undefined ? "" : ` as ${printable(String(name))}`
    }: null, boolean, number, bigint, string, Uint8Array, Map, array, plain object or a typed value is expected`,
  );
}

/** Whether an object is a literal, or what JSON.parse() makes, of any realm. */
function isPlainObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype ||
    (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, "hasOwnProperty"));
}

const mapSize = Object.getOwnPropertyDescriptor(Map.prototype, "size")!.get!;

/** Whether an object is a Map, of any realm. */
function isMap(value: object): value is ReadonlyMap<unknown, unknown> {
  try {
    mapSize.call(value);
    return true;
  } catch {
    return false;
  }
}

/**
 * From what a {@linkcode PrimitiveMap} can be made.
 *
 * @example
 * ```ts
 * import { PrimitiveMap, type PrimitiveMapInput } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const input: PrimitiveMapInput = new Map([["region", "eu"]]);
 * assertEquals(new PrimitiveMap(input).size, 1);
 * ```
 */
export type PrimitiveMapInput =
  | PrimitiveMap
  | ReadonlyMap<string, PrimitiveInput>
  | { readonly [name: string]: PrimitiveInput };

/**
 * Named values that keep their Java types: what was read as a `short` is written back as a `short`.
 *
 * Any name is just a name, `__proto__` too.
 *
 * @example
 * ```ts
 * import { PrimitiveMap, short } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const map = new PrimitiveMap({ region: "eu-west-1", attempt: short(2) });
 * assertEquals(map.get("attempt"), 2);
 * assertEquals(map.typed("attempt")?.type, "short");
 * assertEquals([...map.keys()], ["region", "attempt"]);
 * ```
 */
export class PrimitiveMap {
  readonly #entries: SmallMap<TypedValue> = new SmallMap();

  /**
   * Makes a map.
   *
   * @param entries What it holds at first.
   * @throws {TypeError} When a value is of no type that can be sent.
   */
  constructor(entries?: PrimitiveMapInput) {
    if (entries !== undefined) this.#addAll(entries, 0);
  }

  /** Makes a map that stands at a depth within others. */
  static from(entries: PrimitiveMapInput, depth: number): PrimitiveMap {
    const map = new PrimitiveMap();
    map.#addAll(entries, depth);
    return map;
  }

  #addAll(entries: PrimitiveMapInput, depth: number): void {
    if (entries instanceof PrimitiveMap) {
      for (const [name, value] of entries.#entries) this.#entries.set(name, value);
      return;
    }
    for (const [name, value] of pairsOf(entries)) this.#set(name, toTyped(value, depth, name));
  }

  #set(name: string, value: TypedValue): void {
    if (typeof name !== "string") {
      throw new TypeError(`Cannot use a ${typeof name} as a name: a string is expected`);
    }
    this.#entries.set(name, value);
  }

  /** Number of values. */
  get size(): number {
    return this.#entries.size;
  }

  /** Gets a value; undefined when there is none. */
  get(name: string): PrimitiveValue | undefined {
    return this.#entries.get(name)?.value;
  }

  /** Gets a value with its Java type; undefined when there is none. */
  typed(name: string): TypedValue | undefined {
    return this.#entries.get(name);
  }

  /** Whether there is a value of this name. */
  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /**
   * Sets a value.
   *
   * @throws {TypeError} When it is of no type that can be sent.
   */
  set(name: string, value: PrimitiveInput): this {
    this.#set(name, toTyped(value, 0, name));
    return this;
  }

  /** Removes a value; tells whether there was one. */
  delete(name: string): boolean {
    return this.#entries.delete(name);
  }

  /** All names, in the order of the wire. */
  keys(): IterableIterator<string> {
    return this.#entries.keys();
  }

  /** All names and values. */
  *entries(): IterableIterator<[string, PrimitiveValue]> {
    for (const [name, { value }] of this.#entries) yield [name, value];
  }

  /** All names and values with their Java types. */
  typedEntries(): IterableIterator<[string, TypedValue]> {
    return this.#entries.entries();
  }

  /** All names and values. */
  [Symbol.iterator](): IterableIterator<[string, PrimitiveValue]> {
    return this.entries();
  }

  /**
   * A plain object without a prototype; nested maps and lists become plain too. A `long` becomes a number if it is a safe
   * integer, else a string of digits. {@linkcode get} has it as a `bigint`. To send the values again, use the map: it keeps
   * their types.
   */
  toObject(): Record<string, unknown> {
    const object: Record<string, unknown> = Object.create(null);
    for (const [name, { value }] of this.#entries) object[name] = plain(value);
    return object;
  }

  /** The same as {@linkcode toObject}, for `JSON.stringify`; an array of bytes becomes its base64 text. */
  toJSON(): unknown {
    return jsonOf(this.toObject());
  }

  static {
    inspectAs(this, "PrimitiveMap", (map) => map);
  }
}

/** Names and values; what has none that would be found, such as Headers, is refused. */
function pairsOf(entries: unknown): Iterable<[string, PrimitiveInput]> {
  if (typeof entries === "object" && entries !== null) {
    if (isPlainObject(entries)) return Object.entries(entries as Record<string, PrimitiveInput>);
    if (isMap(entries)) return Map.prototype.entries.call(entries);
  }
  throw new TypeError(
    `Cannot send a value of type ${
      typeName(entries)
    } as named values: a plain object, a Map or a PrimitiveMap is expected`,
  );
}

/**
 * Values in a row that keep their Java types.
 *
 * @example
 * ```ts
 * import { byte, PrimitiveList } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const list = new PrimitiveList([1, byte(2), "three"]);
 * assertEquals([...list], [1, 2, "three"]);
 * assertEquals(list.typed(1)?.type, "byte");
 * ```
 */
export class PrimitiveList {
  readonly #items: TypedValue[] = [];

  /**
   * Makes a list.
   *
   * @param items What it holds at first.
   * @throws {TypeError} When a value is of no type that can be sent.
   */
  constructor(items: Iterable<PrimitiveInput> = []) {
    for (const item of items) this.push(item);
  }

  /** Makes a list that stands at a depth within others. */
  static from(items: Iterable<PrimitiveInput>, depth: number): PrimitiveList {
    const list = new PrimitiveList();
    for (const item of items) list.#items.push(toTyped(item, depth));
    return list;
  }

  /** Number of values. */
  get length(): number {
    return this.#items.length;
  }

  /** Gets a value; undefined past the ends. Negative indexes count from the end. */
  at(index: number): PrimitiveValue | undefined {
    return this.#items.at(index)?.value;
  }

  /** Gets a value with its Java type; undefined past the ends. */
  typed(index: number): TypedValue | undefined {
    return this.#items.at(index);
  }

  /**
   * Appends a value.
   *
   * @throws {TypeError} When it is of no type that can be sent.
   */
  push(value: PrimitiveInput): this {
    this.#items.push(toTyped(value));
    return this;
  }

  /** All values. */
  *[Symbol.iterator](): IterableIterator<PrimitiveValue> {
    for (const { value } of this.#items) yield value;
  }

  /** All values with their Java types. */
  typedValues(): IterableIterator<TypedValue> {
    return this.#items.values();
  }

  /** A plain array; nested maps and lists become plain too. A `long` becomes what {@linkcode PrimitiveMap.toObject} makes of it. */
  toArray(): unknown[] {
    return this.#items.map(({ value }) => plain(value));
  }

  /** The same as {@linkcode toArray}, for `JSON.stringify`; an array of bytes becomes its base64 text. */
  toJSON(): unknown {
    return jsonOf(this.toArray());
  }

  static {
    inspectAs(this, "PrimitiveList", (list) => list);
  }
}

function plain(value: PrimitiveValue): unknown {
  if (typeof value === "bigint") return plainLong(value);
  if (value instanceof PrimitiveMap) return value.toObject();
  return value instanceof PrimitiveList ? value.toArray() : value;
}

/** Bytes that are turned into text at once: arguments of a call are limited. */
const CHUNK = 8192;

function jsonOf(value: unknown): unknown {
  if (value instanceof Uint8Array) return base64(value);
  if (Array.isArray(value)) return value.map(jsonOf);
  if (typeof value !== "object" || value === null) return value;
  return Object.assign(
    Object.create(null),
    Object.fromEntries(Object.entries(value).map(([name, item]) => [name, jsonOf(item)])),
  );
}

function base64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += CHUNK) {
    text += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  }
  return btoa(text);
}
