/** The part of a URL behind the `?`. */

import type { Refusal } from "./option_table.ts";

/** A name and its value. */
export interface Parameter {
  readonly name: string;
  readonly value: string;
}

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
  if (query === "") return [];
  return query.split("&").map((part, index) => {
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
      throw refuse(`the value of ${name} has a \`%\` that begins no character; % is written %25`);
    }
    return { name, value };
  });
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}
