/** The part of a URL behind the `?`. */

import type { Refusal } from "./option_table.ts";

/** A name and its value. */
export interface Parameter {
  readonly name: string;
  readonly value: string;
  /** Its place in the query, from 1. */
  readonly place: number;
  /** The option before it whose value may be a secret. If a `&` in that value was not encoded, this name is a part of it. */
  readonly behindSecret: string | undefined;
}

/** Options, and misspelled ones, whose values are nobody's business. */
const SECRET = /user|pass|pwd|secret|token|credential|key/i;

/** Names that may be shown: other texts may be part of a password in which a character was not encoded. */
const READABLE = /^[\w.-]{1,80}$/;

/**
 * Splits and decodes a query, as the Java client does: `%XX` is UTF-8, and `+` is a space.
 *
 * @param query What stands behind the `?`.
 * @param refuse Makes the error; what it gets has no values, for one may be a password.
 */
export function parseQuery(query: string, refuse: Refusal): Parameter[] {
  if (query.includes("?")) {
    throw refuse("there is a second `?`; within a value it is written %3F");
  }
  if (endOf(query) === 0) return [];
  let behindSecret: string | undefined;
  return query.slice(0, endOf(query)).split("&").map((part, index) => {
    const at = part.indexOf("=");
    if (at < 0) {
      throw refuse(
        `option ${
          index + 1
        } has no value: expected name=value; a \`&\` within a value is written %26`,
      );
    }
    const name = decode(part.slice(0, at));
    if (name?.startsWith("amp;")) throw refuse("`&amp;` is for XML files: write `&`");
    if (name === undefined || !READABLE.test(name)) {
      throw refuse(`the name of option ${index + 1} is no name of an option`);
    }
    const value = decode(part.slice(at + 1));
    if (value === undefined) {
      const option = behindSecret === undefined ? name : `option ${index + 1}`;
      throw refuse(
        `the value of ${option} has a \`%\` that begins no character; % is written %25`,
      );
    }
    const parameter = { name, value, place: index + 1, behindSecret };
    if (SECRET.test(name)) behindSecret ??= name;
    return parameter;
  });
}

/** Where the options end: as in Java, `&` may stand behind the last one. */
function endOf(query: string): number {
  let end = query.length;
  while (query[end - 1] === "&") end--;
  return end;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}
