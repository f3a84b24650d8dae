/**
 * The base of every error that this module throws on purpose.
 *
 * @module
 */

/**
 * Options of {@linkcode OpenWireError}.
 *
 * @example
 * ```ts
 * import type { OpenWireErrorOptions } from "./errors.ts";
 *
 * const options: OpenWireErrorOptions = { cause: new Error("reset"), retryable: true };
 * ```
 */
export interface OpenWireErrorOptions {
  /** What caused this error, if anything did. */
  cause?: unknown;
  /**
   * Whether doing the same again later may succeed.
   *
   * @default {false}
   */
  retryable?: boolean;
}

/**
 * Base class of all errors of this module.
 *
 * Its message has no control characters, whatever names a peer has given to things, and 10,000 characters at most.
 *
 * A wrong argument of the caller is a `TypeError` or `RangeError` of the language instead.
 *
 * @example Telling errors apart by their code
 * ```ts
 * import { OpenWireError } from "./errors.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new OpenWireError("CLOSED", "Connection is closed", { retryable: true });
 * assertEquals(error.code, "CLOSED");
 * assertEquals(error.retryable, true);
 * ```
 */
export class OpenWireError extends Error {
  /** Name of the class, also after minification. */
  override readonly name: string = "OpenWireError";
  /** Stable upper-case identifier of the condition, such as `"TIMEOUT"`. */
  readonly code: string;
  /** Whether doing the same again later may succeed. */
  readonly retryable: boolean;

  /**
   * Creates an error.
   *
   * @param code Stable identifier of the condition.
   * @param message What could not be done, and what was found instead.
   * @param options Cause and retryability.
   */
  constructor(code: string, message: string, options: OpenWireErrorOptions = {}) {
    super(oneLine(shortened(message)), "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.retryable = options.retryable ?? false;
  }
}

const LONGEST = 10_000;

function shortened(message: string): string {
  return message.length > LONGEST ? `${message.slice(0, LONGEST)}…` : message;
}

/** Line ends and other controls, which could forge lines of a log or steer a terminal, and what turns the order of letters. */
const CONTROLS = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]+/gu;

/** A text without control characters. */
export function oneLine(text: string): string {
  return text.replaceAll(CONTROLS, " ");
}
