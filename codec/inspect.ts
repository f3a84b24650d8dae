/**
 * What a console and JSON show of an object: bounded, without control characters, and never an error.
 *
 * @module
 */

import { oneLine } from "../errors.ts";

/** Node, Deno and Bun ask for it, each with the depth that is left. */
const INSPECT = Symbol.for("nodejs.util.inspect.custom");

/** Values that are shown of one object, nested ones included. */
const MOST_VALUES = 500;
/** Entries that are shown of one map or list. Consoles show 100, and how many more there are takes one. */
const MOST_ENTRIES = 99;
/** Characters of all texts together. */
const MOST_CHARACTERS = 20_000;
/** Characters of one text. */
const LONGEST_TEXT = 1000;
/** Characters of one name. */
const LONGEST_NAME = 100;
/** Maps and lists within one another. */
const DEEPEST = 8;
/** First bytes that are shown of an array of bytes. */
const FIRST_BYTES = 16;

/**
 * A remark in place of a value, such as the size of a body: a console shows its text without quotes.
 *
 * @ignore Not for users.
 */
export class Remark {
  /** What is shown. */
  readonly text: string;

  /** Takes a text of any length, with any characters. */
  constructor(text: string) {
    this.text = `<${shortened(text, LONGEST_TEXT)}>`;
    Object.defineProperty(this, INSPECT, { value: () => this.text });
  }

  /** The same text. */
  toJSON(): string {
    return this.text;
  }
}

/** What may still be shown of an object. */
interface Budget {
  values: number;
  characters: number;
  readonly longestText: number;
}

/**
 * A copy of a value that can be shown: maps and lists are plain and have few entries, texts are short and have no control
 * characters, arrays of bytes are remarks.
 *
 * @param value What is to be shown.
 * @param longestText Characters of each text, at most.
 */
function visible(value: unknown, longestText: number): unknown {
  return copyOf(value, 0, { values: MOST_VALUES, characters: MOST_CHARACTERS, longestText });
}

function copyOf(value: unknown, depth: number, budget: Budget): unknown {
  if (typeof value === "string") {
    const text = shortened(value, Math.min(budget.longestText, budget.characters));
    budget.characters -= Math.min(text.length, budget.characters);
    return text;
  }
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Remark || value instanceof Date) return value;
  if (value instanceof Uint8Array) return bytesRemark(value);
  if (depth >= DEEPEST) return new Remark("…");
  if (isRow(value)) {
    const row: unknown[] = [];
    let left = value.length;
    for (const item of value) {
      if (row.length >= MOST_ENTRIES || budget.values <= 0) break;
      budget.values--;
      left--;
      row.push(copyOf(item, depth + 1, budget));
    }
    if (left > 0) row.push(new Remark(`${left} more`));
    return row;
  }
  const named: Record<string, unknown> = {};
  const show = (name: string, value: unknown): void => {
    Object.defineProperty(named, name, { value, enumerable: true, configurable: true });
  };
  let left = isMap(value) ? value.size : Object.keys(value).length;
  let shown = 0;
  for (const [name, item] of isMap(value) ? value.entries() : Object.entries(value)) {
    if (shown >= MOST_ENTRIES || budget.values <= 0) break;
    left--;
    if (item === undefined) continue;
    budget.values--;
    shown++;
    show(shortened(name, LONGEST_NAME), copyOf(item, depth + 1, budget));
  }
  if (left > 0) show("…", new Remark(`${left} more`));
  return named;
}

/** Whether a value is a list: an array or a PrimitiveList. */
function isRow(value: object): value is Iterable<unknown> & { readonly length: number } {
  return "length" in value && Symbol.iterator in value;
}

/** Whether a value is a map: a Map or a PrimitiveMap. */
function isMap(
  value: object,
): value is { readonly size: number; entries(): Iterable<[string, unknown]> } {
  return "size" in value && typeof (value as { entries?: unknown }).entries === "function";
}

/** The beginning of a text, without control characters, and how long all of it is. */
function shortened(text: string, longest: number): string {
  if (text.length <= longest) return oneLine(text);
  // Half of a surrogate pair is not shown.
  const start = text.slice(0, longest).replace(/[\ud800-\udbff]$/, "");
  return `${oneLine(start)}… (${text.length} characters)`;
}

/**
 * The size of an array of bytes, and the first of them.
 *
 * @ignore Not for users.
 */
export function bytesRemark(bytes: Uint8Array): Remark {
  const first = Array.from(
    bytes.subarray(0, FIRST_BYTES),
    (byte) => byte.toString(16).padStart(2, "0"),
  ).join(" ");
  const rest = bytes.length > FIRST_BYTES ? " …" : "";
  return new Remark(`${bytes.length} bytes${first && `: ${first}`}${rest}`);
}

/**
 * The JSON value of what is shown of an object: the same as a console shows, and nothing that `JSON.stringify()` would refuse.
 *
 * @param view What is to be shown, by name.
 * @param longestText Characters of each text, at most.
 *
 * @ignore Not for users.
 */
export function jsonView(
  view: Readonly<Record<string, unknown>>,
  longestText: number = LONGEST_TEXT,
): Record<string, unknown> {
  return jsonOf(visible(view, longestText)) as Record<string, unknown>;
}

function jsonOf(value: unknown): unknown {
  if (typeof value === "bigint") return plainLong(value);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Remark) return value.text;
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(jsonOf);
  for (const [name, item] of Object.entries(value)) {
    Object.defineProperty(value, name, { value: jsonOf(item), enumerable: true });
  }
  return value;
}

/** A `long` in plain objects and in JSON: a number if it is a safe integer, else a string of digits. */
export function plainLong(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

/** How a runtime shows a value. */
type Inspect = (value: unknown, options?: object) => string;

/** What Node calls an inspection with, as Deno and Bun do. */
interface InspectOptions {
  readonly stylize?: (text: string, style: string) => string;
}

/**
 * Says what `console.log()` and the like show of the objects of a class.
 *
 * @param type The class.
 * @param name What it is called, also after minification.
 * @param view What is to be shown of an object: a plain object, a map or a list.
 * @param longestText Characters of each text, at most.
 *
 * @ignore Not for users.
 */
export function inspectAs<T extends object>(
  type: { readonly prototype: T },
  name: string,
  view: (object: T) => object,
  longestText: number = LONGEST_TEXT,
): void {
  const show = (
    object: T,
    depth: number | null | undefined,
    options: InspectOptions,
    inspect: Inspect,
  ): string => {
    if (typeof depth === "number" && depth < 0) {
      return options.stylize?.(`[${name}]`, "special") ?? `[${name}]`;
    }
    return `${name} ${inspect(visible(view(object), longestText), { ...options, depth })}`;
  };
  Object.defineProperty(type.prototype, INSPECT, {
    configurable: true,
    writable: true,
    value(
      this: T,
      depth: number | null | undefined,
      options: InspectOptions = {},
      inspect: Inspect = (value) => JSON.stringify(jsonOf(value)),
    ): string {
      try {
        return show(this, depth, options, inspect);
      } catch {
        // It is the prototype, which has none of what its objects have.
        return `${name} {}`;
      }
    },
  });
}
