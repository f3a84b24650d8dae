/** The transaction of a session, as its producers and consumers see it. */

import type { TransactionId } from "../../codec/mod.ts";

/** What is to be done when the broker has answered. */
export interface TransactionOutcome {
  committed(): void;
  rolledBack(): void;
}

/** What takes part in a transaction. */
export interface TransactionParticipant {
  /**
   * The transaction is about to end: sends what belongs to it. What comes after belongs to the next one.
   *
   * @param id The id of the transaction.
   */
  finish(id: TransactionId): TransactionOutcome;
}

/** The transaction of a session, as its producers and consumers see it. */
export interface TransactionContext {
  /**
   * The id of the transaction in progress; begins one if there is none.
   *
   * @throws {OpenWireError} When there can't be one.
   */
  begin(): TransactionId;
  /** The id of the transaction in progress, if there is one. */
  readonly current: TransactionId | null;
  /** Has it take part in the transaction in progress. */
  enlist(participant: TransactionParticipant): void;
}
