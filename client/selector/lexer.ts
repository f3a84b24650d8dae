/**
 * Cuts a selector into tokens.
 *
 * @module
 */

import { SelectorError } from "./error.ts";

const KEYWORDS: ReadonlySet<string> = new Set(
  "NOT AND OR BETWEEN LIKE ESCAPE IN IS TRUE FALSE NULL XPATH XQUERY".split(" "),
);

/** A word, literal or sign. */
export interface Token {
  /**
   * `"end"`, `"identifier"`, `"string"`, `"decimal"`, `"hex"`, `"octal"` or `"float"`; of a keyword or sign that itself, in
   * upper case.
   */
  readonly kind: string;
  /** As written; of a string what it stands for. */
  readonly text: string;
  /** Where it begins, in UTF-16 units. */
  readonly position: number;
}

const LINE_END = /[\n\r]/g;
/** In this order the longest one matches first. */
const PATTERNS: readonly (readonly [string | undefined, RegExp])[] = [
  ["float", /(?:\d+\.\d*|\.\d+)(?:e[+-]?\d+)?|\d+e[+-]?\d+/iy],
  ["hex", /0x[\da-f]+/iy],
  ["decimal", /[1-9]\d*l?/iy],
  ["octal", /0[0-7]*/y],
  ["identifier", /[a-z_$][a-z\d_$]*/iy],
  [undefined, /<>|<=|>=|[=<>(),+\-*/%]/y],
];

/** Gives the tokens of a selector one by one; the last is of kind `"end"`. */
export function* tokensOf(selector: string): Generator<Token, void> {
  const blanks = new Blanks(selector);
  let position = 0;
  while ((position = blanks.end(position)) < selector.length) {
    const end = endOfString(selector, position);
    if (end > 0) {
      yield { kind: "string", text: unquote(selector.slice(position, end)), position };
      position = end;
    } else {
      const token = tokenAt(selector, position);
      yield token;
      position += token.text.length;
    }
  }
  yield { kind: "end", text: "", position };
}

/** Finds what stands between tokens. What can't be closed it looks for once, not at each place. */
class Blanks {
  readonly #selector: string;
  readonly #lastLineEnd: number;
  readonly #lastCommentEnd: number;

  constructor(selector: string) {
    this.#selector = selector;
    this.#lastLineEnd = Math.max(selector.lastIndexOf("\n"), selector.lastIndexOf("\r"));
    this.#lastCommentEnd = selector.lastIndexOf("*/");
  }

  /** Where the blanks and comments that begin at a place end. */
  end(position: number): number {
    const selector = this.#selector;
    for (;;) {
      if (" \t\n\r\f".includes(selector[position] ?? "x")) {
        position++;
      } else if (selector.startsWith("--", position) && this.#lastLineEnd > position) {
        // A line comment needs its end of line, as in ActiveMQ: without it, it is two signs.
        LINE_END.lastIndex = position;
        LINE_END.test(selector);
        position = LINE_END.lastIndex;
      } else if (selector.startsWith("/*", position) && this.#lastCommentEnd >= position + 2) {
        position = selector.indexOf("*/", position + 2) + 2;
      } else {
        return position;
      }
    }
  }
}

/** Where the string that begins at a place ends; 0 when none begins there. */
function endOfString(selector: string, position: number): number {
  if (selector[position] !== "'") return 0;
  for (let at = position + 1;; at += 2) {
    at = selector.indexOf("'", at);
    if (at < 0) throw new SelectorError("the string has no closing quote", position);
    if (selector[at + 1] !== "'") return at + 1;
  }
}

function tokenAt(selector: string, position: number): Token {
  for (const [kind, pattern] of PATTERNS) {
    const text = match(pattern, selector, position);
    if (text === "") continue;
    const upper = text.toUpperCase();
    if (kind === "identifier" && KEYWORDS.has(upper)) return { kind: upper, text, position };
    return { kind: kind ?? text, text, position };
  }
  const character = String.fromCodePoint(selector.codePointAt(position)!);
  if (character === '"') {
    // Artemis takes it for the name of a property.
    const problem = "double quotes are not supported, a string has single quotes";
    throw new SelectorError(problem, position, "UNSUPPORTED");
  }
  throw new SelectorError(`a word, literal or sign is expected, got ${quote(character)}`, position);
}

function match(pattern: RegExp, text: string, position: number): string {
  pattern.lastIndex = position;
  return pattern.exec(text)?.[0] ?? "";
}

function unquote(literal: string): string {
  return literal.slice(1, -1).replaceAll("''", "'");
}

/** A token as errors name it. */
export function describe({ kind, text }: Token): string {
  return kind === "end" ? "the end" : kind === "string" ? "a string" : quote(text);
}

const LONGEST = 50;

function quote(text: string): string {
  return JSON.stringify(text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
}
