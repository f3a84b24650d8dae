/**
 * Selectors with values in them.
 *
 * @module
 */

import { harmless } from "../harmless.ts";

/**
 * What a selector made by {@linkcode selector} can have for a value.
 *
 * @example
 * ```ts
 * import { selector, type SelectorValue } from "../../mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const limit: SelectorValue = 2.5;
 * assertEquals(selector`weight < ${limit}`, "weight < 2.5");
 * ```
 */
export type SelectorValue =
  | string
  | number
  | bigint
  | boolean
  | Date
  | readonly string[]
  | SelectorIdentifier;

/**
 * The name of a property or header. Made by {@linkcode SelectorTag.identifier}.
 *
 * @example
 * ```ts
 * import { selector, type SelectorIdentifier } from "../../mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const region: SelectorIdentifier = selector.identifier("region");
 * assertEquals(region.name, "region");
 * ```
 */
export interface SelectorIdentifier {
  /** The name. */
  readonly name: string;
}

/**
 * The type of {@linkcode selector}.
 *
 * @example
 * ```ts
 * import { selector, type SelectorTag } from "../../mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const tag: SelectorTag = selector;
 * assertEquals(tag`color = ${"red"}`, "color = 'red'");
 * ```
 */
export interface SelectorTag {
  /**
   * Makes a selector.
   *
   * @param strings The text between the values.
   * @param values The values.
   * @returns The selector.
   * @throws {TypeError} When a value is of another type, is an empty array, or stands in quotes or in a comment.
   * @throws {RangeError} When a number isn't finite, a `bigint` has more than 64 bits, or a `Date` is invalid.
   */
  (strings: TemplateStringsArray, ...values: SelectorValue[]): string;

  /**
   * Puts a name where a value would be put in quotes.
   *
   * @param name The name of a property or header: ASCII letters, digits, `_` and `$`.
   * @returns What stands for the name in a selector.
   * @throws {TypeError} When a selector cannot have such a name.
   *
   * @example
   * ```ts
   * import { selector } from "../../mod.ts";
   * import { assertEquals } from "@std/assert";
   *
   * const name = selector.identifier("region");
   * assertEquals(selector`${name} = ${"eu"}`, "region = 'eu'");
   * ```
   */
  identifier(name: string): SelectorIdentifier;
}

class Identifier implements SelectorIdentifier {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/**
 * Makes a selector from a template, with its values written so that they are nothing but values, whatever is in them.
 *
 * - A string becomes a literal in quotes. Behind LIKE it is a pattern: `%` and `_` in it are wildcards.
 * - A `number` or `bigint` becomes a number; in brackets if it is negative, so that no `--` begins a comment.
 * - A boolean becomes TRUE or FALSE, a `Date` its milliseconds since 1970, as JMSTimestamp and JMSExpiration are.
 * - An array of strings becomes what stands behind IN, which takes nothing else.
 * - A name is put in by {@linkcode SelectorTag.identifier}.
 *
 * @example
 * ```ts
 * import { selector } from "../../mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const name = "O'Hara";
 * const regions = ["eu", "us"];
 * assertEquals(
 *   selector`name = ${name} AND size > ${5} AND region IN ${regions}`,
 *   "name = 'O''Hara' AND size > 5 AND region IN ('eu', 'us')",
 * );
 * ```
 */
export const selector: SelectorTag = Object.assign(tag, { identifier });

function tag(strings: TemplateStringsArray, ...values: SelectorValue[]): string {
  if (!Array.isArray(strings)) {
    throw new TypeError("Cannot make a selector: a template is expected, as in selector`a = ${b}`");
  }
  const parts = [strings[0]!];
  let last = strings[0]!;
  values.forEach((value, index) => {
    // What stands before it has ended outside, too.
    if (!isOutside(strings[index]!)) {
      throw new TypeError(
        `Cannot make a selector: value ${index + 1} stands in quotes or in a comment; ` +
          "strings get their quotes by themselves",
      );
    }
    const next = strings[index + 1]!;
    // A space keeps a value from being taken for a part of the word or literal beside it.
    const before = /[\w$.']/.test(last.slice(-1)) ? " " : "";
    const after = /^[\w$.']/.test(next) ? " " : "";
    const written = literal(value, index);
    parts.push(before, written, after, next);
    last = next || written;
  });
  return parts.join("");
}

/** Whether no string or comment is open at the end of a text, in one pass over it. */
function isOutside(text: string): boolean {
  const opening = /'|--|\/\*/g;
  for (let found = opening.exec(text); found; found = opening.exec(text)) {
    const closing = CLOSINGS[found[0]]!;
    closing.lastIndex = opening.lastIndex;
    if (!closing.test(text)) return false;
    opening.lastIndex = closing.lastIndex;
  }
  return true;
}

/** What ends a string or comment, by what begins it. */
const CLOSINGS: Readonly<Record<string, RegExp>> = { "'": /'/g, "--": /[\n\r]/g, "/*": /\*\//g };

function literal(value: SelectorValue, index: number): string {
  switch (typeof value) {
    case "string":
      return quote(value);
    case "boolean":
      return value ? "TRUE" : "FALSE";
    case "number":
      return number(value);
    case "bigint":
      if (BigInt.asIntN(64, value) !== value) {
        throw new RangeError(`Cannot make a selector: 64 bits are expected, got ${value}`);
      }
      return signed(value < 0n, String(value));
  }
  if (value instanceof Identifier) return value.name;
  if (value instanceof Date) return number(value.getTime());
  if (Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === "string")) {
    return `(${value.map(quote).join(", ")})`;
  }
  throw new TypeError(`Cannot make a selector: value ${index + 1} ${problem(value)}`);
}

function problem(value: unknown): string {
  if (value === null || value === undefined) {
    return `is ${value}; what is missing is selected by IS NULL`;
  }
  if (Array.isArray(value)) return "has to be one string or more, as IN takes nothing else";
  return "has to be a string, number, bigint, boolean, Date, array of strings or identifier, " +
    `got ${typeof value}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function number(value: number): string {
  if (!Number.isFinite(value)) {
    throw new RangeError(`Cannot make a selector: a finite number is expected, got ${value}`);
  }
  if (Object.is(value, -0)) return "(-0.0)";
  // The digits of a larger integer aren't all its own, so it has to be a double there, too.
  const exact = !Number.isInteger(value) || Number.isSafeInteger(value);
  return signed(value < 0, exact ? String(value) : value.toExponential());
}

function signed(negative: boolean, text: string): string {
  return negative ? `(${text})` : text;
}

const KEYWORDS = /^(?:not|and|or|between|like|escape|in|is|true|false|null|xpath|xquery)$/i;

function identifier(name: string): SelectorIdentifier {
  if (!/^[a-z_$][\w$]*$/i.test(name) || KEYWORDS.test(name)) {
    throw new TypeError(
      `Cannot use ${harmless(JSON.stringify(name))} in a selector: ` +
        "a name of ASCII letters, digits, _ and $ is expected that is no keyword",
    );
  }
  return new Identifier(name);
}
