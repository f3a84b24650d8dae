/**
 * What is wrong with a selector.
 *
 * @module
 */

import { OpenWireError } from "../../errors.ts";

/**
 * A message selector cannot be parsed. Its `code` is `"INVALID_SELECTOR"` when brokers refuse the selector, too, and
 * `"UNSUPPORTED"` when it uses what only brokers can evaluate: XPATH, XQUERY, functions, a prefix such as
 * `convert_string_expressions:`, names in double quotes, a pattern of more than 1,000 characters or expressions that are nested more than 250 deep.
 *
 * @example
 * ```ts
 * import { parseSelector, SelectorError } from "../../mod.ts";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const error = assertThrows(() => parseSelector("size >"), SelectorError);
 * assertEquals(error.position, 6);
 * ```
 */
export class SelectorError extends OpenWireError {
  /** Name of the class. */
  override readonly name: string = "SelectorError";
  /** Where in the selector it was noticed, in UTF-16 units from 0. */
  readonly position: number;

  /**
   * Creates an error.
   *
   * @param problem What was expected and what came.
   * @param position Where in the selector, in UTF-16 units from 0.
   * @param code What kind of error it is.
   */
  constructor(
    problem: string,
    position: number,
    code: "INVALID_SELECTOR" | "UNSUPPORTED" = "INVALID_SELECTOR",
  ) {
    super(code, `Cannot parse the selector at position ${position}: ${problem}`);
    this.position = position;
  }
}
