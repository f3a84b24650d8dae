/**
 * 64-bit integers without loss and without the price of `bigint` where a number will do.
 *
 * @module
 */

/**
 * A signed 64-bit integer.
 *
 * The decoder returns a `number` when the value is a safe integer (`Number.isSafeInteger`) and a `bigint`
 * otherwise, so nothing is ever rounded and ids, counters and timestamps cost no `bigint`. The encoder
 * takes either, over the full range of a Java `long`.
 *
 * @example
 * ```ts
 * import type { Long } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const timestamp: Long = 1_700_000_000_000;
 * const largest: Long = 9_223_372_036_854_775_807n;
 * assertEquals(BigInt(timestamp) < BigInt(largest), true);
 * ```
 */
export type Long = number | bigint;

const TWO_32 = 4294967296;

/** Joins two 32-bit halves; `low` is unsigned. */
export function joinLong(high: number, low: number): Long {
  // Safe integers have a high half of 21 bits; -2^53 itself has it too, and isn't one.
  if (high === 0) return low;
  if (high >= -0x200000 && high < 0x200000 && !(high === -0x200000 && low === 0)) {
    return high * TWO_32 + low;
  }
  return (BigInt(high) << 32n) | BigInt(low);
}

/** High half of a safe integer, signed. */
export function highHalf(value: number): number {
  return Math.floor(value / TWO_32);
}

/** Whether the value fits in a signed 64-bit integer without loss. */
export function isLong(value: unknown): value is Long {
  return typeof value === "number"
    ? Number.isSafeInteger(value)
    : typeof value === "bigint" && BigInt.asIntN(64, value) === value;
}
