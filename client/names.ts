/** Texts that name something, as a user gives them. */

import { typeName } from "../errors.ts";

/**
 * Checks a name.
 *
 * @param what What it is, for the error.
 * @throws {TypeError} When it is blank or no text.
 */
export function requireName(what: string, name: unknown): string {
  if (typeof name === "string" && name.trim() !== "") return name;
  const given = typeof name === "string" ? "a blank text" : `a value of type ${typeName(name)}`;
  throw new TypeError(`Cannot use ${given} as ${what}: a name is expected`);
}

/** Checks a name that may be missing. Null is none, as in JavaScript. */
export function checkName(what: string, name: string | null | undefined): string | undefined {
  return name === undefined || name === null ? undefined : requireName(what, name);
}
