/**
 * What one client begins and ends.
 *
 * @module
 */

import {
  type BaseCommand,
  createDataArrayResponse,
  createIntegerResponse,
  type TransactionId,
  type TransactionInfo,
} from "../codec/mod.ts";
import { BrokerException, illegalState, required } from "./exceptions.ts";
import {
  type DistributedTransactions,
  notStarted,
  Transaction,
  transactionKey,
} from "./transaction.ts";

/** Values of `TransactionInfo.type`. */
const Type = {
  Begin: 0,
  Prepare: 1,
  CommitOnePhase: 2,
  CommitTwoPhase: 3,
  Rollback: 4,
  Recover: 5,
  Forget: 6,
  End: 7,
} as const;

/** Answers to PREPARE (Java: XAResource). */
const Vote = { Ok: 0, ReadOnly: 3 } as const;

/** What this connection knows of a transaction that it began. */
interface Begun {
  /** What PREPARE gave; asked again, it gives the same. */
  vote: number | undefined;
}

/** The transactions of one connection. */
export class ClientTransactions {
  readonly #connectionId: string;
  readonly #distributed: DistributedTransactions;
  readonly #local: Map<string, Transaction> = new Map();
  readonly #begun: Map<string, Begun> = new Map();

  constructor(connectionId: string, distributed: DistributedTransactions) {
    this.#connectionId = connectionId;
    this.#distributed = distributed;
  }

  /** The transaction of a message or acknowledgement; undefined for those that are in none. */
  find(id: TransactionId | null): Transaction | undefined {
    if (id === null) return undefined;
    if (id.dataType === "XATransactionId") return this.#distributed.find(id);
    const found = this.#local.get(transactionKey(id));
    if (found === undefined) throw notStarted(id);
    return found;
  }

  /** Makes that a local transaction can't be committed. As in ActiveMQ, a distributed one can. */
  spoil(id: TransactionId): void {
    const transaction = this.#local.get(transactionKey(id));
    if (transaction !== undefined) transaction.rollbackOnly = true;
  }

  /** Does what a TransactionInfo says; gives the answer if it is more than that it is done. */
  apply({ type, transactionId }: TransactionInfo): BaseCommand | undefined {
    if (type === Type.Recover) {
      return createDataArrayResponse({ data: this.#distributed.prepared() });
    }
    if (type === Type.End) return;
    const id = required(transactionId, "transactionId");
    switch (type) {
      case Type.Begin:
        return this.#begin(id);
      case Type.Prepare:
        return createIntegerResponse({ result: this.#prepare(id) });
      case Type.CommitOnePhase:
        return this.#commit(id, true);
      case Type.CommitTwoPhase:
        return this.#commit(id, false);
      case Type.Rollback:
        this.#begun.delete(transactionKey(id));
        return this.#rollback(id);
      case Type.Forget:
        return this.#rollback(id);
      default:
        throw new BrokerException("java.io.IOException", `Transaction info type unknown: ${type}`);
    }
  }

  /** Rolls back what is open: the connection is gone. */
  close(): void {
    for (const transaction of this.#local.values()) transaction.rollback();
    this.#local.clear();
    this.#distributed.abandon(this.#connectionId);
  }

  #begin(id: TransactionId): undefined {
    const key = transactionKey(id);
    if (this.#begun.has(key)) return;
    this.#begun.set(key, { vote: undefined });
    if (id.dataType === "XATransactionId") this.#distributed.begin(id, this.#connectionId);
    else this.#local.set(key, new Transaction());
  }

  #prepare(id: TransactionId): number {
    const key = transactionKey(id);
    const begun = this.#begun.get(key);
    if (begun === undefined) {
      throw illegalState(
        `Cannot prepare a transaction that had not been started or previously returned XA_RDONLY: ${key}`,
      );
    }
    if (begun.vote !== undefined) return begun.vote;
    if (id.dataType !== "XATransactionId") {
      throw new BrokerException(
        "javax.transaction.xa.XAException",
        "Prepare not implemented on Local Transactions",
      );
    }
    begun.vote = this.#distributed.prepare(id) ? Vote.Ok : Vote.ReadOnly;
    if (begun.vote === Vote.ReadOnly) this.#begun.delete(key);
    return begun.vote;
  }

  #commit(id: TransactionId, onePhase: boolean): undefined {
    const key = transactionKey(id);
    this.#begun.delete(key);
    if (id.dataType === "XATransactionId") {
      this.#distributed.commit(id, onePhase);
      return;
    }
    const transaction = this.#local.get(key);
    if (transaction === undefined) throw notStarted(id);
    transaction.check();
    this.#local.delete(key);
    transaction.commit();
  }

  #rollback(id: TransactionId): undefined {
    if (id.dataType === "XATransactionId") {
      this.#distributed.rollback(id);
      return;
    }
    const key = transactionKey(id);
    const transaction = this.#local.get(key);
    if (transaction === undefined) throw notStarted(id);
    this.#local.delete(key);
    transaction.rollback();
  }
}
