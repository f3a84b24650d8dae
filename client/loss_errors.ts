/**
 * Errors of what was under way when a connection was lost that is replaced by another (failover).
 *
 * @module
 */

import { OpenWireError } from "../errors.ts";

/**
 * A message can't be settled: the connection over which it came was lost, and the broker delivers it again, with
 * `redelivered` unless it was killed meanwhile, with which it forgets its counts. Its `code` is `"DELIVERY_LOST"`.
 *
 * @example
 * ```ts
 * import { DeliveryLostError } from "../mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new DeliveryLostError("The connection was lost").code, "DELIVERY_LOST");
 * ```
 */
export class DeliveryLostError extends OpenWireError {
  /** Name of the class. */
  override readonly name: string = "DeliveryLostError";

  /**
   * Creates an error.
   *
   * @param message What can't be done.
   */
  constructor(message: string) {
    super("DELIVERY_LOST", message);
  }
}

/**
 * The connection was lost before the broker answered: whether it has the message is not known. Its `code` is
 * `"OUTCOME_UNKNOWN"`. Sending it again may send it twice.
 *
 * @example
 * ```ts
 * import { OutcomeUnknownError } from "../mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new OutcomeUnknownError("The connection was lost").retryable, true);
 * ```
 */
export class OutcomeUnknownError extends OpenWireError {
  /** Name of the class. */
  override readonly name: string = "OutcomeUnknownError";

  /**
   * Creates an error.
   *
   * @param message What was to be done.
   */
  constructor(message: string) {
    super("OUTCOME_UNKNOWN", message, { retryable: true });
  }
}

/**
 * The connection was lost while the broker was to commit or prepare: it may have done so, or have rolled back. Its `code` is
 * `"TRANSACTION_IN_DOUBT"`.
 *
 * Doing the work again may do it twice; only a look at its effects tells. A distributed transaction can be asked for with
 * `connection.xa.recover()`.
 *
 * @example
 * ```ts
 * import { TransactionInDoubtError } from "../mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new TransactionInDoubtError("The connection was lost").retryable, false);
 * ```
 */
export class TransactionInDoubtError extends OpenWireError {
  /** Name of the class. */
  override readonly name: string = "TransactionInDoubtError";

  /**
   * Creates an error.
   *
   * @param message What was to be done.
   */
  constructor(message: string) {
    super("TRANSACTION_IN_DOUBT", message);
  }
}

/**
 * A transaction was rolled back because the connection was lost, and with it messages that were received in it, or the work
 * for a branch of a distributed transaction. Its `code` is `"TRANSACTION_ROLLED_BACK"`, and it is `retryable`: do the work
 * again.
 *
 * @example
 * ```ts
 * import { TransactionRolledBackError } from "../mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new TransactionRolledBackError("The connection was lost").retryable, true);
 * ```
 */
export class TransactionRolledBackError extends OpenWireError {
  /** Name of the class. */
  override readonly name: string = "TransactionRolledBackError";

  /**
   * Creates an error.
   *
   * @param message What can't be done.
   */
  constructor(message: string) {
    super("TRANSACTION_ROLLED_BACK", message, { retryable: true });
  }
}
