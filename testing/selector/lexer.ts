/**
 * Cuts a selector into tokens.
 *
 * @module
 */

import { SelectorError } from "./error.ts";

const KEYWORDS: ReadonlySet<string> = new Set([
  "NOT",
  "AND",
  "OR",
  "BETWEEN",
  "LIKE",
  "ESCAPE",
  "IN",
  "IS",
  "TRUE",
  "FALSE",
  "NULL",
  "XPATH",
  "XQUERY",
]);

/** What a token is: a class of tokens, or for keywords and signs the token itself. */
export type TokenKind =
  | "end"
  | "identifier"
  | "string"
  | "decimal"
  | "hex"
  | "octal"
  | "float"
  | string;

/** A word, literal or sign. */
export interface Token {
  readonly kind: TokenKind;
  /** As written; of a string what it stands for. */
  readonly text: string;
  /** Where it begins, in UTF-16 units. */
  readonly position: number;
}

// A line comment needs its end of line, as in ActiveMQ.
const BLANK = /(?:[ \t\n\r\f]|--[^\n\r]*[\n\r]|\/\*[^]*?\*\/)+/y;
/** In this order the longest one matches first. */
const PATTERNS: readonly (readonly [TokenKind | undefined, RegExp])[] = [
  ["float", /(?:\d+\.\d*|\.\d+)(?:e[+-]?\d+)?|\d+e[+-]?\d+/iy],
  ["hex", /0x[\da-f]+/iy],
  ["decimal", /[1-9]\d*l?/iy],
  ["octal", /0[0-7]*/y],
  ["string", /'(?:[^']|'')*'/y],
  ["identifier", /[a-z_$][a-z\d_$]*/iy],
  [undefined, /<>|<=|>=|[=<>(),+\-*/%]/y],
];

/** Gives the tokens of a selector; the last one is of kind `"end"`. */
export function tokenize(selector: string): Token[] {
  const tokens: Token[] = [];
  let position = 0;
  while ((position += match(BLANK, selector, position).length) < selector.length) {
    const token = tokenAt(selector, position);
    tokens.push(token.kind === "string" ? { ...token, text: unquote(token.text) } : token);
    position += token.text.length;
  }
  tokens.push({ kind: "end", text: "", position });
  return tokens;
}

function tokenAt(selector: string, position: number): Token {
  for (const [kind, pattern] of PATTERNS) {
    const text = match(pattern, selector, position);
    if (text === "") continue;
    const upper = text.toUpperCase();
    if (kind === "identifier" && KEYWORDS.has(upper)) return { kind: upper, text, position };
    return { kind: kind ?? text, text, position };
  }
  const rest = selector.slice(position, position + 2);
  if (rest.startsWith("'")) throw new SelectorError("the string has no closing quote", position);
  if (rest === "--") throw new SelectorError("the comment has no end of line", position);
  if (rest === "/*") throw new SelectorError("the comment has no */", position);
  const character = String.fromCodePoint(selector.codePointAt(position)!);
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
