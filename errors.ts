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
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.retryable = options.retryable ?? false;
  }
}
