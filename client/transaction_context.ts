/** The transaction of a session, as its producers and consumers see it. */

import type { LocalTransactionId, XATransactionId } from "../codec/mod.ts";

/** The id of a transaction. */
export type TransactionId = LocalTransactionId | XATransactionId;

/** What takes part in a transaction. */
export interface TransactionParticipant {
  /** Sends the acknowledgements that belong to the transaction. */
  beforeEnd(): void;
  /** The broker has committed. */
  committed(): void;
  /** The broker has rolled back. */
  rolledBack(): void;
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
  /** Is told when the transaction in progress ends. */
  enlist(participant: TransactionParticipant): void;
}
