/**
 * Errors of distributed transactions.
 *
 * @module
 */

import type { Throwable } from "../../codec/mod.ts";
import { BrokerError } from "../errors.ts";

/**
 * The codes of the XA specification that an {@linkcode XAError} can have. From `rollback` to `rollbackTransient` they say that
 * the branch was rolled back.
 *
 * @example
 * ```ts
 * import { XAErrorCode } from "../../mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(XAErrorCode.notFound, -4);
 * ```
 */
export const XAErrorCode = {
  /** XA_RBROLLBACK: rolled back, for a reason that isn't told. */
  rollback: 100,
  /** XA_RBCOMMFAIL: rolled back, because the broker could not reach something. */
  rollbackCommunication: 101,
  /** XA_RBDEADLOCK: rolled back, because of a deadlock. */
  rollbackDeadlock: 102,
  /** XA_RBINTEGRITY: rolled back, because something does not fit together. */
  rollbackIntegrity: 103,
  /** XA_RBOTHER: rolled back, for a reason without a code. */
  rollbackOther: 104,
  /** XA_RBPROTO: rolled back, because of an error inside of the broker. */
  rollbackProtocol: 105,
  /** XA_RBTIMEOUT: rolled back, because it took too long. */
  rollbackTimeout: 106,
  /** XA_RBTRANSIENT: rolled back; trying again may succeed. */
  rollbackTransient: 107,
  /** XAER_ASYNC: something else is being done with the branch. */
  asynchronous: -2,
  /** XAER_RMERR: the broker failed. */
  resourceManager: -3,
  /** XAER_NOTA: the broker does not know the branch (any more). */
  notFound: -4,
  /** XAER_INVAL: an argument is wrong. */
  invalid: -5,
  /** XAER_PROTO: that can't be done with the branch now. */
  protocol: -6,
  /** XAER_RMFAIL: the broker can't be used. */
  unavailable: -7,
  /** XAER_DUPID: there is a branch of that id already. */
  duplicate: -8,
  /** XAER_OUTSIDE: there is work outside of the transaction. */
  outside: -9,
} as const;

/** What stands before the code, because the exception has no field for it (Java: TransactionContext). */
const MARKER = /xaErrorCode:(-?\d{1,9})/;

/** Codes by the simple names of other exceptions. */
const codes: ReadonlyMap<string, number> = new Map([
  ["IllegalStateException", XAErrorCode.protocol],
  ["TransactionRolledBackException", XAErrorCode.rollback],
]);

/**
 * The broker refused something that concerns a distributed transaction. Its `code` is `"XA"`.
 *
 * @example
 * ```ts
 * import { XAError, XAErrorCode } from "../../mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const exception = {
 *   className: "javax.transaction.xa.XAException",
 *   message: "Transaction has not been started. xaErrorCode:-4",
 *   stackTrace: [],
 *   cause: null,
 * };
 * const error = new XAError("Cannot commit", exception);
 * assertEquals(error.errorCode, XAErrorCode.notFound);
 * assertEquals(error.rolledBack, false);
 * ```
 */
export class XAError extends BrokerError {
  /** Name of the class. */
  override readonly name: string = "XAError";
  /** Stable identifier. */
  override readonly code: string = "XA";
  /** The code of the XA specification; see {@linkcode XAErrorCode}. -3 when the broker did not say. */
  readonly errorCode: number;

  /**
   * Creates an error.
   *
   * @param action What was refused.
   * @param exception What the broker said.
   */
  constructor(action: string, exception: Throwable | null) {
    super(action, exception);
    this.errorCode = codeOf(exception);
  }

  /** Whether the branch was rolled back. */
  get rolledBack(): boolean {
    return this.errorCode >= XAErrorCode.rollback &&
      this.errorCode <= XAErrorCode.rollbackTransient;
  }
}

function codeOf(exception: Throwable | null): number {
  const marked = MARKER.exec(exception?.message ?? "");
  if (marked) return Number(marked[1]);
  const className = exception?.className ?? "";
  return codes.get(className.slice(className.lastIndexOf(".") + 1)) ?? XAErrorCode.resourceManager;
}
