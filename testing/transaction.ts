/**
 * Work that counts only when it is committed, and the distributed transactions, which may outlive their connection.
 *
 * @module
 */

import type { TransactionId, XATransactionId } from "../codec/mod.ts";
import { BrokerException, required, xaException } from "./exceptions.ts";

/** Codes of `javax.transaction.xa.XAException`. */
export const XaError = {
  /** Rolled back. */
  RolledBack: 100,
  /** Not known. */
  NotFound: -4,
  /** Not allowed now. */
  Protocol: -6,
} as const;

/** A part of a transaction's work. */
export interface Synchronization {
  /** It counts now. */
  readonly afterCommit: () => void;
  /** It never happened. */
  readonly afterRollback: () => void;
  /** All the work counts now, or never happened. */
  readonly afterEnd?: () => void;
}

/** The work between BEGIN and its end (Java: Transaction). */
export class Transaction {
  /** How far it is. An idle one has no work. */
  state: "idle" | "active" | "prepared" | "finished" = "idle";
  /** Whether a part of it failed and nobody waited for the answer: it can't be committed any more. */
  rollbackOnly = false;
  readonly #work: Synchronization[] = [];

  /** Adds to the work. */
  enlist(part: Synchronization): void {
    this.#work.push(part);
    if (this.state === "idle") this.state = "active";
  }

  /** Refuses what can't be committed. */
  check(): void {
    if (!this.rollbackOnly) return;
    throw xaException("COMMIT FAILED: Transaction marked rollback only", XaError.RolledBack);
  }

  /** Makes the work count, in its order. */
  commit(): void {
    this.state = "finished";
    for (const { afterCommit } of this.#work) afterCommit();
    this.#end();
  }

  /** Takes the work back. */
  rollback(): void {
    this.state = "finished";
    for (const { afterRollback } of this.#work) afterRollback();
    this.#end();
  }

  #end(): void {
    for (const { afterEnd } of this.#work.splice(0)) afterEnd?.();
  }
}

/** A distributed transaction, which any connection may finish. */
export interface DistributedTransaction {
  /** Its name. */
  readonly id: XATransactionId;
  /** The connection that began it. */
  readonly connectionId: string;
  /** Its work. */
  readonly transaction: Transaction;
}

/** The distributed transactions of a broker (Java: TransactionBroker). */
export class DistributedTransactions {
  readonly #byKey: Map<string, DistributedTransaction> = new Map();

  /** Begins one; one that is known goes on. */
  begin(id: XATransactionId, connectionId: string): void {
    const key = transactionKey(id);
    if (this.#byKey.has(key)) return;
    this.#byKey.set(key, { id, connectionId, transaction: new Transaction() });
  }

  /** One that was begun and is not finished. */
  find(id: XATransactionId): Transaction {
    const found = this.#byKey.get(transactionKey(id));
    if (found !== undefined) return found.transaction;
    throw xaException(
      `Transaction '${transactionKey(id)}' has not been started.`,
      XaError.NotFound,
    );
  }

  /** Asks whether it can be committed. Gives false when there is nothing to commit; it is over then. */
  prepare(id: XATransactionId): boolean {
    const transaction = this.find(id);
    switch (transaction.state) {
      case "idle":
        this.#finish(id).commit();
        return false;
      case "active":
        transaction.state = "prepared";
        return true;
      default:
        throw xaException("Cannot call prepare now.", XaError.Protocol);
    }
  }

  /** Commits one, prepared or in one phase. */
  commit(id: XATransactionId, onePhase: boolean): void {
    const transaction = this.find(id);
    if (transaction.state !== "prepared" && !onePhase) {
      throw xaException(
        "Cannot do 2 phase commit if the transaction has not been prepared",
        XaError.Protocol,
      );
    }
    this.#finish(id).commit();
  }

  /** Rolls one back. */
  rollback(id: XATransactionId): void {
    this.find(id);
    this.#finish(id).rollback();
  }

  /** Names of those that are prepared and wait for their end. */
  prepared(): XATransactionId[] {
    return [...this.#byKey.values()].filter(({ transaction }) => transaction.state === "prepared")
      .map(({ id }) => id);
  }

  /** Rolls back what a connection that is gone left without preparing it. */
  abandon(connectionId: string): void {
    for (const { id, transaction, connectionId: own } of [...this.#byKey.values()]) {
      if (own === connectionId && transaction.state !== "prepared") this.rollback(id);
    }
  }

  #finish(id: XATransactionId): Transaction {
    const transaction = this.find(id);
    this.#byKey.delete(transactionKey(id));
    return transaction;
  }
}

/** The name of a transaction in text, as ActiveMQ writes it. */
export function transactionKey(id: TransactionId): string {
  if (id.dataType === "LocalTransactionId") {
    return `TX:${required(id.connectionId, "connectionId").value}:${id.value}`;
  }
  const { formatId, globalTransactionId, branchQualifier } = id;
  return `XID:[${formatId},globalId=${hex(globalTransactionId)},branchId=${hex(branchQualifier)}]`;
}

/** As ActiveMQ writes them: without leading zeros, and negative bytes with eight digits. */
function hex(bytes: Uint8Array | null): string {
  return [...required(bytes, "XATransactionId")]
    .map((byte) => (byte < 128 ? byte : byte + 0xffffff00).toString(16)).join("");
}

/** The refusal of a local transaction that isn't there. */
export function notStarted(id: TransactionId): BrokerException {
  return new BrokerException(
    "javax.jms.JMSException",
    `Transaction '${transactionKey(id)}' has not been started.`,
  );
}
