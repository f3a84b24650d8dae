/**
 * What is wrong with a selector.
 *
 * @module
 */

import { OpenWireError } from "../../errors.ts";

/**
 * A message selector cannot be parsed, or uses what is not supported. Its `code` is `"INVALID_SELECTOR"`.
 *
 * @example
 * ```ts
 * import { parseSelector, SelectorError } from "./mod.ts";
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
   */
  constructor(problem: string, position: number) {
    super("INVALID_SELECTOR", `Cannot parse the selector at position ${position}: ${problem}`);
    this.position = position;
  }
}
