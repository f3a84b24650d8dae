/**
 * A selector as a tree.
 *
 * @module
 */

import type { LikePattern } from "./like.ts";
import type { Value } from "./value.ts";

/** Signs between two numbers. */
export type ArithmeticOperator = "+" | "-" | "*" | "/" | "%";
/** Signs between two values that have an order. */
export type OrderOperator = "<" | "<=" | ">" | ">=";

/** A node of the tree. */
export type Expression =
  | { readonly kind: "property"; readonly name: string }
  | { readonly kind: "constant"; readonly value: Value | null }
  | {
    readonly kind: "arithmetic";
    readonly operator: ArithmeticOperator;
    readonly left: Expression;
    readonly right: Expression;
  }
  | { readonly kind: "negate"; readonly operand: Expression }
  | { readonly kind: "equal"; readonly left: Expression; readonly right: Expression }
  | {
    readonly kind: "order";
    readonly operator: OrderOperator;
    readonly left: Expression;
    readonly right: Expression;
  }
  | { readonly kind: "like"; readonly operand: Expression; readonly pattern: LikePattern }
  | {
    readonly kind: "in";
    readonly operand: Expression;
    readonly values: ReadonlySet<string>;
    readonly negated: boolean;
  }
  /** True for the boolean true, false for any other value. */
  | { readonly kind: "truth"; readonly operand: Expression }
  | { readonly kind: "not"; readonly operand: Expression }
  | { readonly kind: "and" | "or"; readonly operands: readonly Expression[] };

/** Whether an expression can only be true, false or unknown. */
export function isBoolean(expression: Expression): boolean {
  switch (expression.kind) {
    case "property":
    case "arithmetic":
    case "negate":
      return false;
    case "constant":
      return expression.value === null || expression.value.type === "boolean";
    default:
      return true;
  }
}
