/**
 * Message selectors, as ActiveMQ Classic 5.17 understands them. It is not always what SQL-92 says:
 *
 * - NOT binds as a sign does, so `NOT a = b` is `(NOT a) = b`.
 * - Only a missing value on the left of `=` and `<>` makes the result unknown: `missing <> 1` is unknown, `1 <> missing` is
 *   true, and two missing values are equal.
 * - The types of both sides have to fit, and not every pair does: a `short` can be equal to an `int`, an `int` never to a
 *   `short`; a `float` to a literal with a point, but not the other way round.
 * - IN takes a property and strings; a string literal cannot stand beside `<`, `<=`, `>`, `>=` or BETWEEN.
 * - `+` joins a string with any value; `/` always divides doubles; there is `%`, and there are comments.
 * - A string property with a NUL or with characters beyond the basic plane, emoji for example, isn't found by its text.
 *
 * What differs from ActiveMQ, on purpose:
 *
 * - XPATH, XQUERY, functions such as REGEX and the prefix `convert_string_expressions:` are refused.
 * - Expressions may be nested 250 deep.
 * - Where a selector cannot be worked out, because it subtracts strings for example, a message isn't wanted. ActiveMQ then
 *   fails the send to a topic, and keeps the message of a queue from other consumers, too.
 * - LIKE takes a pattern of 1,000 characters at most, and linear time; ActiveMQ can take as good as forever. Any character can be the one behind ESCAPE;
 *   ActiveMQ goes wrong with those below U+0010 or above U+00FF.
 * - Joined with a string, a double has its shortest digits, as on Java 19 and later, and bytes, maps and lists have no text.
 *   Maps and lists are equal only to themselves.
 *
 * @module
 */

import { type Message as WireMessage, ProtocolError } from "../../codec/mod.ts";
import { Message } from "../message/message.ts";
import { SelectorError } from "./error.ts";
import { matches, Subject } from "./evaluator.ts";
import type { Expression } from "./expression.ts";
import { parse } from "./parser.ts";
import { OperandError } from "./value.ts";

export { SelectorError };

/**
 * A selector that was parsed. Made by {@linkcode parseSelector}.
 *
 * @example
 * ```ts
 * import { parseSelector } from "../../mod.ts";
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
   * @param message A message that was received, or one of the codec. Its properties are decoded only if the selector asks for one.
   * @returns Whether the selector is true for it; not if it is false or unknown.
   */
  matches(message: Message | WireMessage): boolean {
    const command = message instanceof Message ? message.original : message;
    try {
      return matches(this.#expression, new Subject(command));
    } catch (error) {
      if (error instanceof OperandError || error instanceof ProtocolError) return false;
      throw error;
    }
  }
}

/**
 * Parses a selector, which can then tell whether a message matches it. `createConsumer()` and `createBrowser()` parse selectors
 * before they send them.
 *
 * @param text The selector.
 * @returns The parsed selector.
 * @throws {SelectorError} `"INVALID_SELECTOR"` when ActiveMQ would refuse the selector, `"UNSUPPORTED"` when the selector uses
 *   what only brokers can evaluate, such as XPATH.
 *
 * @example
 * ```ts
 * import { parseSelector, SelectorError } from "../../mod.ts";
 * import { assertThrows } from "@std/assert";
 *
 * assertThrows(() => parseSelector("color = = 'red'"), SelectorError, "at position 8");
 * ```
 */
export function parseSelector(text: string): Selector {
  return new Selector(text, parse(text));
}

/**
 * Checks the syntax of a selector before it is sent.
 *
 * @throws {SelectorError} When brokers would refuse it. What only they can evaluate is left to them.
 */
export function checkSelector(text: string): void {
  try {
    parse(text);
  } catch (error) {
    if (!(error instanceof SelectorError) || error.code !== "UNSUPPORTED") throw error;
  }
}
