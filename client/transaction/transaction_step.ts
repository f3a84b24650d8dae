/** Tells hooks, log and counters of each step of a transaction. */

import { BrokerError } from "../errors.ts";
import { TransactionRolledBackError } from "../loss_errors.ts";
import type { TransactionStatus } from "../observe/hooks.ts";
import type { TransactionStep } from "../observe/transacting.ts";
import type { SessionContext } from "../session_context.ts";
import { formatTransactionId } from "./transaction_id.ts";
import { XAError } from "./xa_error.ts";

/** What a step needs of its connection. */
export type StepContext = Pick<SessionContext, "observer" | "log" | "counters">;

/** What a transaction is after a step: given what the step has resolved with, or what has failed. */
export type StatusOf<T> = (ended: { readonly result: T } | { readonly error: unknown }) =>
  | TransactionStatus
  | undefined;

/**
 * Does a step of a transaction.
 *
 * @param context Its connection.
 * @param step What is done.
 * @param statusOf What the transaction is then; undefined if it is what it was.
 * @param work Does it. It begins before this returns.
 */
export function takeStep<T>(
  context: StepContext,
  step: TransactionStep,
  statusOf: StatusOf<T>,
  work: () => Promise<T>,
): Promise<T> {
  const begin = async (): Promise<T> => {
    try {
      const result = await work();
      note(context, step, statusOf({ result }));
      return result;
    } catch (error) {
      note(context, step, statusOf({ error }), error);
      throw error;
    }
  };
  return context.observer ? context.observer.transact(step, begin) : begin();
}

/** Begins a transaction, which counts whether or not that can be sent. */
export function takeFirstStep(
  context: StepContext,
  step: TransactionStep,
  work: () => Promise<void>,
): Promise<void> {
  const begin = (): Promise<void> => {
    note(context, step, "active");
    return work();
  };
  return context.observer ? context.observer.transact(step, begin) : begin();
}

/** What a transaction is after its commit. */
export const afterCommit: StatusOf<unknown> = (ended) => {
  if ("result" in ended) return "committed";
  const { error } = ended;
  if (error instanceof XAError) return error.rolledBack ? "rolled-back" : undefined;
  const isRolledBack = error instanceof BrokerError || error instanceof TransactionRolledBackError;
  return isRolledBack ? "rolled-back" : "in-doubt";
};

/** What a local transaction is after its rollback: what was not answered is rolled back with the connection. */
export const afterRollback: StatusOf<unknown> = () => "rolled-back";

const TEXTS: Readonly<Record<TransactionStatus, string>> = {
  "active": "A transaction has begun",
  "prepared": "A transaction was prepared",
  "committed": "A transaction was committed",
  "rolled-back": "A transaction was rolled back",
  "in-doubt": "A transaction is in doubt",
};

function note(
  { counters, log }: StepContext,
  step: TransactionStep,
  status: TransactionStatus | undefined,
  error?: unknown,
): void {
  step.status = status;
  if (status === undefined) return;
  if (status === "active") counters.transactionsBegun++;
  if (status === "committed") counters.transactionsCommitted++;
  if (status === "rolled-back") counters.transactionsRolledBack++;
  if (status === "in-doubt") counters.transactionsInDoubt++;
  if (!log) return;
  const fields = {
    transactionId: formatTransactionId(step.id),
    ...(step.received && { received: step.received }),
    ...(error !== undefined && { error }),
  };
  if (error === undefined) log.debug(TEXTS[status], fields);
  else log.warn(TEXTS[status], fields);
}
