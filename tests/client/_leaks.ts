/** Looks for the password of the tests in values. */

import { inspect } from "node:util";
import { leakIn } from "../_secret.ts";

/** Makes an error, of which the runner hears, when the password can be reached from a value by any property. */
export function lookInto(value: unknown): void {
  const where = leakWithin(value);
  if (where) throw new Error(`The password is shown as ${where}: ${leakWithinText(value)}`);
}

/** The way to the password, such as `.options.password`; undefined when there is none. */
export function leakWithin(value: unknown): string | undefined {
  return walk(value, "value", new Set());
}

/** What a person sees who prints a value, in all ways. */
export function printed(value: unknown): string[] {
  const { Deno } = globalThis as { Deno?: { inspect(value: unknown, options: object): string } };
  return [
    String(value),
    inspect(value),
    inspect(value, { showHidden: true, depth: 20, getters: true, maxArrayLength: null }),
    Deno?.inspect(value, { depth: 20, getters: true, showHidden: true }) ?? "",
    JSON.stringify(value, (_, item) => typeof item === "bigint" ? `${item}` : item) ?? "",
  ];
}

function leakWithinText(value: unknown): string {
  return printed(value).find((text) => leakIn(text) !== undefined) ?? "";
}

function walk(value: unknown, path: string, seen: Set<unknown>): string | undefined {
  if (typeof value === "string") return leakIn(value) === undefined ? undefined : path;
  if (typeof value !== "object" || value === null || seen.has(value)) return undefined;
  seen.add(value);
  if (ArrayBuffer.isView(value)) {
    const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    return leakIn(new TextDecoder("latin1").decode(bytes)) === undefined ? undefined : path;
  }
  if (value instanceof Map || value instanceof Set) {
    for (const entry of value) {
      const found = walk(entry, `${path}[]`, seen);
      if (found) return found;
    }
  }
  for (const [name, item] of propertiesOf(value)) {
    const found = walk(name, `name of ${path}.${name}`, seen) ??
      walk(item, `${path}.${name}`, seen);
    if (found) return found;
  }
  return undefined;
}

/** Own properties, and what the getters of a class give. */
function* propertiesOf(object: object): Iterable<[string, unknown]> {
  const from = (holder: object, own: boolean) =>
    Reflect.ownKeys(holder).filter((key) =>
      own || Object.getOwnPropertyDescriptor(holder, key)?.get !== undefined
    );
  const keys = new Set(from(object, true));
  let prototype = Object.getPrototypeOf(object);
  for (
    ;
    prototype && prototype !== Object.prototype;
    prototype = Object.getPrototypeOf(prototype)
  ) {
    for (const key of from(prototype, false)) keys.add(key);
  }
  for (const key of keys) {
    try {
      yield [String(key), (object as Record<PropertyKey, unknown>)[key]];
    } catch {
      // It can't be had now, so nobody sees it.
    }
  }
}
