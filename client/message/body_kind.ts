/** Tells bodies apart by what they are, never by a name that an object happens to have. */

import { typeName } from "../../errors.ts";
import { harmless } from "../harmless.ts";

/** The names by which a body can be given in an object. */
export const BODY_NAMES = ["text", "json", "bytes", "map", "stream", "object"] as const;

/** One of them. */
export type BodyName = (typeof BODY_NAMES)[number];

const EXPECTED =
  "a string, bytes, null, a Message, { text }, { json }, { bytes }, { map }, { stream } or { object } is expected; send any other value as { json: value }";

/** The bytes of an ArrayBuffer or of a view of one, of any realm; undefined for all else. */
export function bytesOf(value: unknown): Uint8Array | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const [buffer, offset, length] = ArrayBuffer.isView(value)
    ? [value.buffer, value.byteOffset, value.byteLength]
    : [isBuffer(value) ? value : undefined, 0, undefined];
  if (buffer === undefined) return undefined;
  // What was transferred elsewhere has a length of 0, and would arrive empty.
  if ((buffer as { detached?: boolean }).detached) {
    throw new TypeError("Cannot send this body: its buffer was transferred and has no bytes");
  }
  return new Uint8Array(buffer, offset, length);
}

/** Reads a length that only buffers have, whatever they call themselves. */
const lengths = [ArrayBuffer, globalThis.SharedArrayBuffer].flatMap((type) =>
  type ? [Object.getOwnPropertyDescriptor(type.prototype, "byteLength")!.get!] : []
);

function isBuffer(value: object): value is ArrayBuffer {
  return lengths.some((length) => {
    try {
      length.call(value);
      return true;
    } catch {
      return false;
    }
  });
}

/** Whether an object is a literal, or what JSON.parse() makes, of any realm. */
export function isPlainObject(value: unknown): value is Record<PropertyKey, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null ||
    (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, "hasOwnProperty"));
}

/**
 * The name and value of a body that is given in an object.
 *
 * @throws {TypeError} When it is no plain object with exactly one name, which is one of those above.
 */
export function namedBody(body: unknown): [name: BodyName, value: unknown] {
  if (!isPlainObject(body)) {
    throw new TypeError(`Cannot send ${describe(body)} as a body: ${EXPECTED}`);
  }
  const names = Reflect.ownKeys(body);
  const [name] = names;
  if (names.length === 1 && BODY_NAMES.includes(name as BodyName)) {
    return [name as BodyName, body[name!]];
  }
  const shown = names.length === 0 ? "no property" : `the properties ${namesOf(names)}`;
  throw new TypeError(`Cannot send an object with ${shown} as a body: ${EXPECTED}`);
}

/** The error for a named body whose value is of a wrong kind. */
export function wrongBody(name: BodyName, value: unknown, expected: string): TypeError {
  return new TypeError(`Cannot send ${describe(value)} as { ${name} }: ${expected} is expected`);
}

const MOST_NAMES = 5;

function namesOf(names: readonly PropertyKey[]): string {
  const shown = names.slice(0, MOST_NAMES).map((name) => harmless(String(name).slice(0, 40))).join(
    ", ",
  );
  return names.length > MOST_NAMES ? `${shown} and ${names.length - MOST_NAMES} more` : shown;
}

/** What a value is, without what it holds. */
function describe(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value !== "object") return `a value of type ${typeof value}`;
  if (isPlainObject(value)) return "an object";
  const name = typeName(value);
  return name === "object" ? "an object" : `an object of class ${name}`;
}
