/**
 * What a selector says of a message.
 *
 * @module
 */

import { decodePrimitiveMap, type Message, type PrimitiveMap } from "../../codec/mod.ts";
import type { Expression } from "./expression.ts";
import { header } from "./headers.ts";
import {
  boolean,
  calculate,
  equal,
  inOrder,
  negate,
  orderable,
  string,
  type Value,
} from "./value.ts";

/** True, false or unknown. */
type Truth = boolean | null;

/** A message whose properties are decoded when the first one is asked for. */
export class Subject {
  readonly #message: Message;
  #properties: PrimitiveMap | undefined;

  constructor(message: Message) {
    this.#message = message;
  }

  /** What a name stands for; `null` if the message has nothing of that name. */
  get(name: string): Value | null {
    const found = header(this.#message, name);
    if (found !== undefined) return found;
    this.#properties ??= decodePrimitiveMap(this.#message.marshalledProperties);
    const property = this.#properties.typed(name);
    if (property === undefined || property.type === "null") return null;
    const text = property.type === "string" ? property.value as string : "";
    return HARMED.test(text) ? string(harm(text)) : property;
  }
}

const HARMED = /[\0\ud800-\udfff]/;

/**
 * Properties are sent in Java's variety of UTF-8, and ActiveMQ reads their strings as plain UTF-8: what the two write
 * differently becomes one U+FFFD or more, so a selector never finds it.
 */
function harm(text: string): string {
  return text.replace(/\0/g, "\ufffd\ufffd").replace(/[\ud800-\udfff]/g, "\ufffd");
}

/**
 * Whether a condition is true. Unknown counts as false here, even within AND and OR, so these may stop earlier than
 * {@linkcode evaluate} does: what is behind them may have an operand that cannot be worked on.
 */
export function matches(expression: Expression, subject: Subject): boolean {
  switch (expression.kind) {
    case "and":
      return expression.operands.every((operand) => matches(operand, subject));
    case "or":
      return expression.operands.some((operand) => matches(operand, subject));
    default:
      return truth(expression, subject) === true;
  }
}

/** The value of an expression; `null` for missing or unknown. */
function evaluate(expression: Expression, subject: Subject): Value | null {
  switch (expression.kind) {
    case "property":
      return subject.get(expression.name);
    case "constant":
      return expression.value;
    case "negate": {
      const operand = evaluate(expression.operand, subject);
      return operand && negate(operand);
    }
    case "arithmetic": {
      const left = evaluate(expression.left, subject);
      const right = left && evaluate(expression.right, subject);
      return right && calculate(expression.operator, left!, right);
    }
    default: {
      const value = truth(expression, subject);
      return value === null ? null : boolean(value);
    }
  }
}

function truth(expression: Expression, subject: Subject): Truth {
  switch (expression.kind) {
    case "and":
      return all(expression.operands, false, subject);
    case "or":
      return all(expression.operands, true, subject);
    case "not": {
      const operand = truth(expression.operand, subject);
      return operand === null ? null : !operand;
    }
    case "equal": {
      const left = evaluate(expression.left, subject);
      const right = evaluate(expression.right, subject);
      // Two that are missing are equal; and it matters on which side only one is.
      if (left === null) return right === null ? true : null;
      return right !== null && equal(left, right);
    }
    case "order": {
      const left = orderable(evaluate(expression.left, subject));
      const right = left && orderable(evaluate(expression.right, subject));
      return right && inOrder(expression.operator, left!, right);
    }
    case "like": {
      const operand = evaluate(expression.operand, subject);
      if (operand === null) return null;
      return operand.type === "string" && expression.pattern.matches(operand.value as string);
    }
    case "in": {
      const operand = evaluate(expression.operand, subject);
      if (operand?.type !== "string") return null;
      return expression.values.has(operand.value as string) !== expression.negated;
    }
    default: {
      const value = evaluate(
        expression.kind === "truth" ? expression.operand : expression,
        subject,
      );
      return value === null ? null : value.value === true;
    }
  }
}

/** AND and OR: one operand of value `decisive` decides, else one that is unknown makes all unknown. */
function all(operands: readonly Expression[], decisive: boolean, subject: Subject): Truth {
  let unknown = false;
  for (const operand of operands) {
    const value = truth(operand, subject);
    if (value === decisive) return decisive;
    unknown ||= value === null;
  }
  return unknown ? null : !decisive;
}
