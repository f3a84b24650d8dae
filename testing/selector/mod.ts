/**
 * Message selectors, as ActiveMQ Classic understands them: what SQL-92 says of conditions, with differences.
 *
 * @module
 */

import { type Message, ProtocolError } from "../../codec/mod.ts";
import { matches, Subject } from "./evaluator.ts";
import type { Expression } from "./expression.ts";
import { parse } from "./parser.ts";
import { OperandError } from "./value.ts";

export { SelectorError } from "./error.ts";

/**
 * A selector that was parsed. Made by {@linkcode parseSelector}.
 *
 * @example
 * ```ts
 * import { parseSelector } from "./mod.ts";
 * import { createActiveMQMessage, encodePrimitiveMap } from "../../codec/mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const selector = parseSelector("size > 3 AND JMSPriority < 9");
 * const message = createActiveMQMessage({
 *   priority: 4,
 *   marshalledProperties: encodePrimitiveMap({ size: 5 }),
 * });
 * assertEquals(selector.matches(message), true);
 * ```
 */
export class Selector {
  /** What was parsed. */
  readonly text: string;
  readonly #expression: Expression;

  /**
   * @ignore Not for users.
   */
  constructor(text: string, expression: Expression) {
    this.text = text;
    this.#expression = expression;
  }

  /**
   * Whether a message is wanted. A message for which the selector cannot be worked out isn't: because it subtracts
   * strings, for example, or because the message's properties cannot be decoded.
   *
   * @param message The message. Its properties are decoded only if the selector asks for one.
   * @returns Whether the selector is true for it; not if it is false or unknown.
   */
  matches(message: Message): boolean {
    try {
      return matches(this.#expression, new Subject(message));
    } catch (error) {
      if (error instanceof OperandError || error instanceof ProtocolError) return false;
      throw error;
    }
  }
}

/**
 * Parses a selector.
 *
 * @param text The selector.
 * @returns What can be asked whether it matches.
 * @throws {SelectorError} When ActiveMQ would refuse it, or when it uses XPATH, XQUERY or functions.
 *
 * @example
 * ```ts
 * import { parseSelector, SelectorError } from "./mod.ts";
 * import { assertThrows } from "@std/assert";
 *
 * assertThrows(() => parseSelector("color = = 'red'"), SelectorError, "at position 8");
 * ```
 */
export function parseSelector(text: string): Selector {
  return new Selector(text, parse(text));
}
