/** The transaction of a session, from its beginning to its end. */

import {
  type ConnectionId,
  createLocalTransactionId,
  createTransactionInfo,
  type TransactionId,
  type XATransactionId,
} from "../../codec/mod.ts";
import { OpenWireError } from "../../errors.ts";
import type { CallOptions } from "../call_options.ts";
import { BrokerError } from "../errors.ts";
import { TransactionInDoubtError, TransactionRolledBackError } from "../loss_errors.ts";
import { TransactionType } from "../link/commands.ts";
import type { SessionContext } from "../session_context.ts";
import { afterCommit, afterRollback, takeFirstStep, takeStep } from "./transaction_step.ts";
import type {
  TransactionContext,
  TransactionOutcome,
  TransactionParticipant,
} from "./transaction_context.ts";

/** Begins and ends the transactions of one session. */
export class SessionTransaction implements TransactionContext {
  readonly #context: SessionContext;
  readonly #participants: Set<TransactionParticipant> = new Set();
  #current: TransactionId | null = null;
  /** Why the transaction in progress can only be rolled back. */
  #lost: TransactionRolledBackError | undefined;
  /** Takes the session out of the branch that it works for. */
  #leaveBranch: (() => Promise<void>) | undefined;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  get current(): TransactionId | null {
    return this.#lost ? null : this.#current;
  }

  get lost(): boolean {
    return this.#lost !== undefined;
  }

  begin(): TransactionId {
    if (this.#lost) throw this.#lost;
    if (this.#current === null) {
      this.#current = createLocalTransactionId({
        connectionId: this.#context.connectionId,
        value: this.#context.nextTransactionId(),
      });
      this.#sendBegin(this.#current, true);
    }
    return this.#current;
  }

  enlist(participant: TransactionParticipant): void {
    this.#participants.add(participant);
  }

  deliveriesLost(): void {
    this.#lose("messages that were received in it were lost with the connection");
  }

  /** The connection was lost. What was only sent in the transaction is sent again, if there isn't too much of it. */
  interrupted(): void {
    const id = this.#current;
    if (id?.dataType === "XATransactionId") {
      this.#lose("the connection was lost, with which the broker rolls the branch back");
    } else if (id !== null && !this.#context.holds(id)) {
      this.#lose("the connection was lost, and it has become too large to be done again");
    }
  }

  /**
   * Commits.
   *
   * @throws {BrokerError} When the broker has rolled back instead.
   * @throws {TransactionRolledBackError} When the connection was lost, and with it what was received.
   * @throws {TransactionInDoubtError} When the connection was lost before the broker answered.
   */
  async commit(options: CallOptions): Promise<void> {
    this.#refuseBranch("commit");
    const id = this.#current;
    if (id === null) return;
    // Otherwise it would be over here, and never end at the broker.
    options.signal?.throwIfAborted();
    const lost = this.#lost;
    const outcome = this.#finish(id);
    try {
      const step = { name: "commit", id, received: outcome.received } as const;
      await takeStep(this.#context, step, afterCommit, () => {
        const done = lost
          ? Promise.reject(lost)
          : this.#end(id, TransactionType.commitOnePhase, "Cannot commit", options);
        outcome.committing(done);
        return done;
      });
    } catch (error) {
      // Otherwise nobody knows what has become of it: the messages stay with the broker until the consumer is closed. Those
      // of a lost connection don't.
      if (error instanceof BrokerError || isLost(error)) outcome.rolledBack();
      throw error;
    }
    outcome.committed();
  }

  /** Rolls back. */
  async rollback(options: CallOptions): Promise<void> {
    this.#refuseBranch("roll back");
    const id = this.#current;
    if (id === null) return;
    const isLost = this.#lost !== undefined;
    const outcome = this.#finish(id);
    try {
      const step = { name: "rollback", id, received: outcome.received } as const;
      await takeStep(this.#context, step, afterRollback, async () => {
        if (!isLost) await this.#end(id, TransactionType.rollback, "Cannot roll back", options);
      });
    } finally {
      outcome.rolledBack();
    }
  }

  /** The connection has ended, and the broker has rolled back what goes on. */
  connectionEnded(reason: Error): void {
    const id = this.#current;
    if (id?.dataType !== "LocalTransactionId") return;
    this.#current = null;
    const step = { name: "rollback", id } as const;
    takeStep(this.#context, step, afterRollback, () => Promise.reject(reason)).catch(() => {});
  }

  /** Whether it is of a session of that connection. */
  isOf(connectionId: ConnectionId): boolean {
    return this.#context.connectionId === connectionId;
  }

  /**
   * From now on the session works for a branch of a distributed transaction.
   *
   * @param branch The branch.
   * @param isNew Whether no session has worked for it before.
   * @param abandoned Is called when the session is closed meanwhile; has it leave the branch.
   */
  join(branch: XATransactionId, isNew: boolean, abandoned: () => Promise<void>): void {
    if (this.#current !== null) {
      throw new OpenWireError(
        "ILLEGAL_STATE",
        "Cannot start the branch: the session has a transaction in progress",
      );
    }
    this.#current = branch;
    this.#leaveBranch = abandoned;
    this.#sendBegin(branch, isNew);
  }

  /** From now on the session doesn't work for the branch any more. */
  leave(): TransactionOutcome {
    this.#leaveBranch = undefined;
    return this.#finish(this.#current!);
  }

  /** The session is closed: what is in progress does not count. */
  async abandon(options: CallOptions): Promise<void> {
    if (this.#leaveBranch) await this.#leaveBranch();
    else await this.rollback(options);
  }

  /** Sends what belongs to the transaction; what comes after belongs to the next one. */
  #finish(id: TransactionId): Required<TransactionOutcome> {
    const participants = [...this.#participants];
    const acknowledged = this.#lost ? null : id;
    this.#participants.clear();
    this.#current = null;
    this.#lost = undefined;
    const outcomes = participants.map((participant) => participant.finish(acknowledged));
    return {
      received: outcomes.reduce((sum, { received = 0 }) => sum + received, 0),
      committing: (done) => outcomes.forEach((outcome) => outcome.committing?.(done)),
      committed: () => outcomes.forEach((outcome) => outcome.committed()),
      rolledBack: () => outcomes.forEach((outcome) => outcome.rolledBack()),
    };
  }

  #lose(reason: string): void {
    const id = this.#current;
    if (id === null || this.#lost) return;
    this.#lost = new TransactionRolledBackError(`The transaction was rolled back: ${reason}`);
    this.#context.giveUp(id);
  }

  /**
   * Tells the broker that it begins.
   *
   * @param id The transaction.
   * @param isNew Whether it has not begun before.
   */
  #sendBegin(id: TransactionId, isNew: boolean): void {
    const send = (): Promise<void> =>
      this.#context.send(this.#info(id, TransactionType.begin), "Cannot begin a transaction");
    const sent = isNew ? takeFirstStep(this.#context, { name: "begin", id }, send) : send();
    sent.catch((error) => this.#context.report(error));
  }

  async #end(
    id: TransactionId,
    type: number,
    action: string,
    options: CallOptions,
  ): Promise<void> {
    await this.#context.request(this.#info(id, type), action, options);
  }

  #info(transactionId: TransactionId, type: number) {
    return transactionInfo(this.#context.connectionId, transactionId, type);
  }

  #refuseBranch(what: string): void {
    if (this.#current?.dataType !== "XATransactionId") return;
    throw new OpenWireError(
      "ILLEGAL_STATE",
      `Cannot ${what}: the session works for a branch of a distributed transaction`,
    );
  }
}

function isLost(error: unknown): boolean {
  return error instanceof TransactionInDoubtError || error instanceof TransactionRolledBackError;
}

/** The command that says what is to be done with a transaction. */
export function transactionInfo(
  connectionId: ConnectionId,
  transactionId: TransactionId | null,
  type: number,
): ReturnType<typeof createTransactionInfo> {
  return createTransactionInfo({ connectionId, transactionId, type });
}
