/**
 * Values with their Java types: how they compare, and how one calculates with them.
 *
 * @module
 */

import type { PrimitiveType, PrimitiveValue } from "../../codec/mod.ts";
import type { ArithmeticOperator, OrderOperator } from "./expression.ts";
import { doubleText, floatText } from "./java_text.ts";

/** A value and its Java type. A `decimal` is an integer literal of more than 64 bits. */
export interface Value {
  readonly type: PrimitiveType | "decimal";
  readonly value: PrimitiveValue;
}

/** A value has no type that an operator can work on. */
export class OperandError extends Error {}

/** Makes a boolean. */
export function boolean(value: boolean): Value {
  return { type: "boolean", value };
}

/** Makes a string. */
export function string(value: string): Value {
  return { type: "string", value };
}

/**
 * Types to which two values of different types are brought to compare them, by the type of the left one and that of the
 * right one. ActiveMQ compares no others: an `int` is never equal to a `short`, though a `short` may be equal to an `int`.
 */
const COMMON: Partial<Record<Value["type"], Partial<Record<Value["type"], Value["type"]>>>> = {
  byte: { short: "short", int: "int", long: "long", float: "float", double: "double" },
  short: { int: "int", long: "long", float: "float", double: "double" },
  int: { long: "long", float: "float", double: "double" },
  long: { int: "long", float: "float", double: "double" },
  float: { int: "float", long: "float", double: "double" },
  double: { int: "double", long: "double" },
};

/** Whether two values are equal. */
export function equal(left: Value, right: Value): boolean {
  if (left === right) return true;
  return isOrderable(left) && isOrderable(right) && order(left, right) === 0;
}

/** Gives the value back if its type has an order. */
export function orderable(value: Value | null): Value | null {
  if (value === null || isOrderable(value)) return value;
  throw new OperandError(`A ${value.type} has no order`);
}

function isOrderable({ type }: Value): boolean {
  return type !== "bytes" && type !== "map" && type !== "list";
}

/** Whether the order of two orderable values is the one that is asked for. */
export function inOrder(operator: OrderOperator, left: Value, right: Value): boolean {
  const found = order(left, right);
  if (found === undefined) return false;
  switch (operator) {
    case "<":
      return found < 0;
    case "<=":
      return found <= 0;
    case ">":
      return found > 0;
    case ">=":
      return found >= 0;
  }
}

/** Negative, 0 or positive; `undefined` when the types don't fit. */
function order(left: Value, right: Value): number | undefined {
  const type = left.type === right.type ? left.type : COMMON[left.type]?.[right.type];
  // ActiveMQ fails here, though it can do this the other way round.
  if (left.type === "double" && right.type === "float") {
    throw new OperandError("Cannot compare a double with a float");
  }
  if (type === undefined) return undefined;
  const a = convert(left.value, type);
  const b = convert(right.value, type);
  if (typeof a === "number" && typeof b === "number") return orderOfNumbers(a, b);
  return a! < b! ? -1 : a! > b! ? 1 : 0;
}

/** As Java orders them: -0 before 0, NaN equal to itself and after all others. */
function orderOfNumbers(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  if (Object.is(a, b)) return 0;
  if (Number.isNaN(a)) return 1;
  if (Number.isNaN(b) || Object.is(a, -0)) return -1;
  return 1;
}

function convert(value: PrimitiveValue, type: Value["type"]): PrimitiveValue {
  switch (type) {
    case "long":
      return BigInt(value as number | bigint);
    case "float":
      return typeof value === "bigint" ? floatOfLong(value) : Math.fround(value as number);
    case "double":
      return Number(value);
    default:
      return value;
  }
}

/** Rounds once, which `Math.fround(Number(value))` would do twice. */
function floatOfLong(value: bigint): number {
  const high = value >> 10n;
  const odd = (value & 1023n) === 0n ? high : high | 1n;
  return Number.isSafeInteger(Number(value))
    ? Math.fround(Number(value))
    : Math.fround(Number(odd)) * 1024;
}

/** Calculates. `+` also joins a string with any value. */
export function calculate(operator: ArithmeticOperator, left: Value, right: Value): Value {
  if (operator === "+" && left.type === "string") return string(`${left.value}${text(right)}`);
  const a = numberOf(left);
  const b = numberOf(right);
  const types = [left.type, right.type];
  if (operator === "/" || operator === "%" || types.includes("float") || types.includes("double")) {
    return { type: "double", value: doubles(operator, Number(a), Number(b)) };
  }
  const result = integers(operator, BigInt(a), BigInt(b));
  return types.includes("long")
    ? { type: "long", value: BigInt.asIntN(64, result) }
    : { type: "int", value: Number(BigInt.asIntN(32, result)) };
}

function doubles(operator: ArithmeticOperator, a: number, b: number): number {
  switch (operator) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      return a / b;
    case "%":
      return a % b;
  }
}

function integers(operator: ArithmeticOperator, a: bigint, b: bigint): bigint {
  switch (operator) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    default:
      return a * b;
  }
}

/** Changes the sign of a number; `null` for what is none. */
export function negate({ type, value }: Value): Value | null {
  switch (type) {
    case "int":
      return { type, value: -(value as number) | 0 };
    case "long":
      return { type, value: BigInt.asIntN(64, -(value as bigint)) };
    case "float":
    case "double":
      return { type, value: -(value as number) };
    case "decimal": {
      const negative = -(value as bigint);
      // The smallest long, whose digits without the sign are one too many.
      return { type: negative === -(2n ** 63n) ? "long" : type, value: negative };
    }
    case "byte":
    case "short":
      throw new OperandError(`Cannot negate a ${type}`);
    default:
      return null;
  }
}

function numberOf({ type, value }: Value): number | bigint {
  if (typeof value === "number" || typeof value === "bigint") return value;
  throw new OperandError(`Cannot calculate with a ${type}`);
}

function text({ type, value }: Value): string {
  switch (type) {
    case "float":
      return floatText(value as number);
    case "double":
      return doubleText(value as number);
    case "bytes":
    case "map":
    case "list":
      throw new OperandError(`Cannot write a ${type} as text`);
    default:
      return String(value);
  }
}
