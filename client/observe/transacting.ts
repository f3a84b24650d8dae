/** What hooks are told of a step of a transaction. */

import { inspectAs, type TransactionId } from "../../codec/mod.ts";
import { formatTransactionId } from "../transaction/transaction_id.ts";
import type { TransactionOperation, TransactionStatus } from "./hooks.ts";
import { commonAttributes, errorType, type Peer } from "./operation.ts";

/** A step of a transaction. */
export interface TransactionStep {
  readonly name: TransactionOperation["name"];
  /** Null when the step is not about a single transaction. */
  readonly id: TransactionId | null;
  /** Messages that were received in the transaction. */
  readonly received?: number | undefined;
  /** What has become of the transaction, once that is known. */
  status?: TransactionStatus | undefined;
}

/** Something that is done with a transaction. */
export class Transacting implements TransactionOperation {
  readonly type = "transact";
  readonly #step: TransactionStep;
  readonly #peer: Peer;
  #errorType: string | undefined;

  constructor(step: TransactionStep, peer: Peer) {
    this.#step = step;
    this.#peer = peer;
  }

  get name(): TransactionOperation["name"] {
    return this.#step.name;
  }

  get spanName(): string {
    return this.name;
  }

  get transactionId(): string | undefined {
    return formatTransactionId(this.#step.id) ?? undefined;
  }

  get status(): TransactionStatus | undefined {
    return this.#step.status;
  }

  get attributes(): Record<string, string | number | boolean> {
    const { status, received } = this.#step;
    return {
      ...commonAttributes(this, this.#peer),
      ...(status && { "messaging.activemq.transaction.status": status }),
      ...(received && { "messaging.batch.message_count": received }),
      ...(this.#errorType !== undefined && { "error.type": this.#errorType }),
    };
  }

  getProperty(): undefined {}

  /** The work has failed. */
  failed(error: unknown): void {
    this.#errorType = errorType(error);
  }

  static {
    inspectAs(this, "TransactionOperation", ({ name, attributes }) => ({ name, attributes }));
  }
}
