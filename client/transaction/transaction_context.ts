/** The transaction of a session, as its producers and consumers see it. */

import type { TransactionId } from "../../codec/mod.ts";

/** What is to be done when the broker has answered. */
export interface TransactionOutcome {
  /** Messages that were received in it. */
  readonly received?: number | undefined;
  /** It is being committed; the promise settles when that is done, as that is done. */
  committing?(done: Promise<unknown>): void;
  committed(): void;
  rolledBack(): void;
}

/** What takes part in a transaction. */
export interface TransactionParticipant {
  /**
   * The transaction is about to end: sends what belongs to it. What comes after belongs to the next one.
   *
   * @param id The id of the transaction; null when it was lost with the connection, and nothing belongs to it any more.
   */
  finish(id: TransactionId | null): TransactionOutcome;
}

/** The transaction of a session, as its producers and consumers see it. */
export interface TransactionContext {
  /**
   * The id of the transaction in progress; begins one if there is none.
   *
   * @throws {TransactionRolledBackError} When it was lost with the connection.
   */
  begin(): TransactionId;
  /** The id of the transaction in progress, if there is one and it was not lost. */
  readonly current: TransactionId | null;
  /** Whether the transaction in progress was lost with the connection. */
  readonly lost: boolean;
  /** Messages that were received in the transaction in progress were lost with the connection: it can't be committed. */
  deliveriesLost(): void;
  /** Has it take part in the transaction in progress. */
  enlist(participant: TransactionParticipant): void;
}
