/**
 * Distributed transactions (XA).
 *
 * @module
 */

import { CALL_OPTIONS } from "../call_options.ts";
import { OptionNames } from "../../option_names.ts";
import { inspectAs, jsonView, type XATransactionId } from "../../codec/mod.ts";
import { OpenWireError } from "../../errors.ts";
import type { CallOptions } from "../call_options.ts";
import { type Response, TransactionType } from "../link/commands.ts";
import { limitsOf } from "../options.ts";
import { exceptionOf } from "../broker_exception.ts";
import { BrokerError } from "../errors.ts";
import type { Session } from "../session.ts";
import type { SessionContext } from "../session_context.ts";
import { type SessionTransaction, transactionInfo } from "./session_transaction.ts";
import type { TransactionOutcome } from "./transaction_context.ts";
import {
  afterCommit,
  afterRollback,
  type StatusOf,
  type StepContext,
  takeStep,
} from "./transaction_step.ts";
import { XAError, XAErrorCode } from "./xa_error.ts";
import { formatXid, toTransactionId, toXid, type Xid } from "./xid.ts";

/**
 * How the work of a session for a branch ends:
 *
 * - `"success"`: it is done.
 * - `"fail"`: it went wrong, and the branch can only be rolled back.
 * - `"suspend"`: it goes on later, with another `start()`, or is ended with another `end()`.
 *
 * @example
 * ```ts
 * import type { XAEnd } from "../../mod.ts";
 *
 * const how: XAEnd = "suspend";
 * ```
 */
export type XAEnd = "success" | "fail" | "suspend";

/**
 * Options of `commit()` of a branch.
 *
 * @example
 * ```ts
 * import type { XACommitOptions } from "../../mod.ts";
 *
 * const options: XACommitOptions = { onePhase: true };
 * ```
 */
export interface XACommitOptions extends CallOptions {
  /** Whether the branch is committed without having been prepared. @default {false} */
  onePhase?: boolean | undefined;
}

/** What {@linkcode XAResource} needs of its connection. */
export interface XAParts {
  readonly context:
    & Pick<SessionContext, "connectionId" | "request" | "settings" | "report">
    & StepContext;
  /** What the broker calls itself. */
  brokerId(options: CallOptions): Promise<string | undefined>;
}

/** A branch that sessions of this connection have worked for. */
interface Branch {
  readonly id: XATransactionId;
  /** Sessions that work for it. */
  readonly working: Set<Session>;
  /** Sessions that will go on, or will be told not to. */
  readonly suspended: Set<Session>;
  /** What is to be done when it has ended, in the order of the work. */
  readonly outcomes: TransactionOutcome[];
  /** Sessions that are about to be done. */
  leaving: number;
  /** Whether it can only be rolled back. */
  failed: boolean;
  /** Whether the broker has done so, when the connection was lost. */
  lost: boolean;
  prepared: boolean;
  /** Whether the broker was asked to prepare, commit or roll it back and did not answer yet. */
  deciding: boolean;
}

/**
 * The broker as a resource manager of distributed transactions: what a transaction manager needs of it, as in Java's
 * `XAResource`. It is `connection.xa`.
 *
 * A session in mode `"transacted"` works for a branch between {@linkcode start} and {@linkcode end}: what it sends and
 * receives then is part of that. Then the branch is prepared and committed, or rolled back. Once it is prepared, that can be
 * done from any connection, also after this one has ended: {@linkcode recover} tells which ones wait.
 *
 * @example
 * ```ts
 * import { connect, createXid } from "../../mod.ts";
 * import { MemoryBroker } from "../../testing/mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * await using broker = await MemoryBroker.listen();
 * await using connection = await connect(broker.url);
 * await using session = await connection.createSession({ acknowledgeMode: "transacted" });
 * const { xa } = connection;
 *
 * const xid = createXid();
 * await xa.start(session, xid);
 * await session.send("orders", "one");
 * await xa.end(session, xid);
 * if (await xa.prepare(xid) === "ok") await xa.commit(xid);
 * assertEquals(broker.queue("orders").size, 1);
 * ```
 */
export class XAResource {
  readonly #context: XAParts["context"];
  readonly #brokerId: XAParts["brokerId"];
  /** By the texts of their ids. */
  readonly #branches: Map<string, Branch> = new Map();
  /** Why the broker can't be asked any more. */
  #ended: Error | undefined;

  /**
   * Use `connection.xa`.
   *
   * @ignore Not for users.
   */
  constructor({ context, brokerId }: XAParts) {
    this.#context = context;
    this.#brokerId = brokerId;
  }

  /**
   * Has a session work for a branch. Several sessions may work for the same one, at the same time or one after another.
   *
   * When the session is closed before {@linkcode end}, its work has failed.
   *
   * @param session A session of this connection in mode `"transacted"`, without a transaction in progress.
   * @param xid The branch: a new one, or one that was not prepared yet.
   * @throws {OpenWireError} `"ILLEGAL_STATE"` when the session or the branch is in another state.
   * @throws {ClosedError} When the session is closed.
   * @throws {ConnectionClosedError} When the connection has ended.
   * @throws {TypeError} When the session is another connection's, or the id is of a wrong kind.
   * @throws {RangeError} When a length or number of the id is out of range.
   */
  async start(session: Session, xid: Xid): Promise<void> {
    const id = toTransactionId(xid);
    const name = formatXid(xid);
    const transaction = this.#transactionOf(session);
    // What was sent before is not part of it.
    await session.flush();
    session.checkOpen();
    const branch = this.#branches.get(name) ?? {
      id,
      working: new Set(),
      suspended: new Set(),
      outcomes: [],
      leaving: 0,
      failed: false,
      lost: false,
      prepared: false,
      deciding: false,
    };
    if (branch.prepared) throw illegal(`Cannot start ${name}: it was prepared`);
    if (branch.failed) throw illegal(`Cannot start ${name}: its work has failed`);
    const isNew = !this.#branches.has(name);
    transaction.join(
      branch.id,
      isNew,
      () => this.#leave(branch, session, "fail", this.#closeOptions),
    );
    this.#branches.set(name, branch);
    branch.working.add(session);
    branch.suspended.delete(session);
  }

  /**
   * Ends the work of a session for a branch.
   *
   * @param session The session.
   * @param xid The branch.
   * @param how How it ends.
   * @param options How long to wait.
   * @throws {OpenWireError} `"ILLEGAL_STATE"` when the session does not work for the branch.
   * @throws {XAError} When the broker refuses.
   */
  async end(
    session: Session,
    xid: Xid,
    how: XAEnd = "success",
    options: CallOptions = {},
  ): Promise<void> {
    if (how !== "success" && how !== "fail" && how !== "suspend") {
      throw new TypeError(`Cannot end as "${how}": "success", "fail" or "suspend" is expected`);
    }
    toTransactionId(xid);
    CALL_OPTIONS.check(options, "Cannot end");
    limitsOf(options);
    const branch = this.#branches.get(formatXid(xid));
    if (branch?.suspended.has(session) && how !== "suspend") {
      branch.suspended.delete(session);
      branch.failed ||= how === "fail";
      return;
    }
    if (!branch?.working.has(session)) {
      throw illegal(`Cannot end ${formatXid(xid)}: the session does not work for it`);
    }
    await this.#leave(branch, session, how, options);
  }

  /**
   * Prepares a branch: afterwards it can be committed, whatever happens. ActiveMQ wants that from the connection that has done
   * the work.
   *
   * @param xid The branch.
   * @param options How long to wait.
   * @returns `"ok"`; or `"read-only"` when there is nothing to commit: then the branch has ended.
   * @throws {XAError} When the broker refuses, or when work for the branch has failed, with which it is rolled back.
   * @throws {OpenWireError} `"ILLEGAL_STATE"` while a session works for the branch.
   * @throws {TimeoutError} When the broker did not answer: roll the branch back.
   */
  async prepare(xid: Xid, options: CallOptions = {}): Promise<"ok" | "read-only"> {
    CALL_OPTIONS.check(options, "Cannot prepare");
    const action = `Cannot prepare ${formatXid(xid)}`;
    const branch = this.#idle(xid, action);
    options.signal?.throwIfAborted();
    const statusOf = branch?.failed ? afterXARollback : afterPrepare;
    return await this.#decide("prepare", xid, branch, statusOf, async () => {
      if (branch?.failed) return await this.#refuseFailed(xid, branch, action, options);
      let response;
      try {
        response = await this.#request(xid, TransactionType.prepare, action, options);
      } catch (error) {
        if (error instanceof XAError && error.rolledBack) this.#rolledBack(xid);
        throw error;
      }
      const vote = response.dataType === "IntegerResponse" ? response.result : undefined;
      if (vote === Vote.readOnly) {
        this.#committed(xid);
        return "read-only";
      }
      if (vote !== Vote.ok) {
        throw new OpenWireError("PROTOCOL", `${action}: the broker's answer is no 0 or 3`);
      }
      if (branch) branch.prepared = true;
      return "ok";
    });
  }

  /**
   * Commits a branch: one that was prepared, here or elsewhere, or with `onePhase` one that was not.
   *
   * @param xid The branch.
   * @param options Whether it was not prepared, and how long to wait.
   * @throws {XAError} When the broker refuses; its `rolledBack` tells whether it has rolled back instead. When work for the
   *   branch has failed it is rolled back.
   * @throws {OpenWireError} `"ILLEGAL_STATE"` while a session works for the branch.
   * @throws {TimeoutError} When the broker did not answer. Commit again.
   */
  async commit(xid: Xid, given: XACommitOptions = {}): Promise<void> {
    XA_COMMIT_OPTIONS.check(given, "Cannot commit");
    const { onePhase = false, ...options } = given;
    const action = `Cannot commit ${formatXid(xid)}`;
    const branch = this.#idle(xid, action);
    options.signal?.throwIfAborted();
    const type = onePhase ? TransactionType.commitOnePhase : TransactionType.commitTwoPhase;
    const statusOf = branch?.failed ? afterXARollback : afterCommit;
    await this.#decide("commit", xid, branch, statusOf, async () => {
      if (branch?.failed) return await this.#refuseFailed(xid, branch, action, options);
      try {
        const done = this.#request(xid, type, action, options);
        for (const { committing } of branch?.outcomes ?? []) committing?.(done);
        await done;
      } catch (error) {
        if (error instanceof XAError) {
          if (error.rolledBack) this.#rolledBack(xid);
          // It was committed before, by whoever recovered it or by a call whose answer was lost.
          else if (error.errorCode === XAErrorCode.notFound && !onePhase) this.#committed(xid);
        }
        throw error;
      }
      this.#committed(xid);
    });
  }

  /**
   * Rolls a branch back. What sessions of this connection have received in it is given out again, as the redelivery policy
   * says.
   *
   * @param xid The branch.
   * @param options How long to wait.
   * @throws {XAError} When the broker refuses; with {@linkcode XAErrorCode} `notFound` it does not know the branch, and there
   *   is nothing to roll back.
   * @throws {OpenWireError} `"ILLEGAL_STATE"` while a session works for the branch.
   * @throws {TimeoutError} When the broker did not answer. Roll back again.
   */
  async rollback(xid: Xid, options: CallOptions = {}): Promise<void> {
    CALL_OPTIONS.check(options, "Cannot roll back");
    const action = `Cannot roll back ${formatXid(xid)}`;
    const branch = this.#idle(xid, action);
    options.signal?.throwIfAborted();
    await this.#decide(
      "rollback",
      xid,
      branch,
      afterXARollback,
      () => this.#rollback(xid, branch, action, options),
    );
  }

  /**
   * Has the broker forget a branch that it has committed or rolled back on its own. ActiveMQ never does that; of a branch that
   * is still prepared it drops what was sent, and nobody gets what was received until its consumer is closed.
   *
   * @param xid The branch.
   * @param options How long to wait.
   * @throws {XAError} When the broker refuses.
   * @throws {OpenWireError} `"ILLEGAL_STATE"` when sessions of this connection have worked for the branch and it has not ended.
   */
  async forget(xid: Xid, options: CallOptions = {}): Promise<void> {
    CALL_OPTIONS.check(options, "Cannot forget");
    const action = `Cannot forget ${formatXid(xid)}`;
    if (this.#idle(xid, action)) throw illegal(`${action}: it has not ended`);
    const step = { name: "forget", id: toTransactionId(xid) } as const;
    await takeStep(
      this.#context,
      step,
      unchanged,
      () => this.#request(xid, TransactionType.forget, action, options),
    );
  }

  /**
   * Tells which branches are prepared, whoever did that, and wait to be committed or rolled back.
   *
   * @param options How long to wait.
   * @returns Their ids.
   * @throws {XAError} When the broker refuses.
   */
  async recover(options: CallOptions = {}): Promise<Xid[]> {
    CALL_OPTIONS.check(options, "Cannot recover");
    const action = "Cannot recover transactions";
    const response = await takeStep(
      this.#context,
      { name: "recover", id: null },
      unchanged,
      () => this.#request(null, TransactionType.recover, action, options),
    );
    if (response.dataType !== "DataArrayResponse") {
      throw new OpenWireError("PROTOCOL", `${action}: the broker's answer is no list`);
    }
    const found = response.data ?? [];
    return found.filter((id) => id?.dataType === "XATransactionId").map(toXid);
  }

  /**
   * Whether both speak to the same broker, so that one branch will do for both.
   *
   * @param other Another connection's.
   * @param options How long to wait until the brokers have said who they are, which they do soon after the connection stands.
   * @throws {TimeoutError} When one did not.
   * @throws {ConnectionClosedError} When a connection has ended before.
   */
  async isSameResourceManager(other: XAResource, options: CallOptions = {}): Promise<boolean> {
    CALL_OPTIONS.check(options, "Cannot compare resource managers");
    if (this === other) return true;
    const [id, otherId] = await Promise.all([this.#brokerId(options), other.#brokerId(options)]);
    return id !== undefined && id === otherId;
  }

  /**
   * The connection was lost, with which the broker has rolled back what was not prepared.
   *
   * @ignore Not for users.
   */
  interrupted(): void {
    for (const branch of this.#branches.values()) {
      if (!branch.prepared) branch.failed = branch.lost = true;
    }
  }

  /**
   * The connection has ended, and the broker has rolled back what was not prepared.
   *
   * @ignore Not for users.
   */
  connectionEnded(reason: Error): void {
    this.#ended = reason;
    for (const { id, prepared, deciding } of this.#branches.values()) {
      if (prepared || deciding) continue;
      const step = { name: "rollback", id } as const;
      takeStep(this.#context, step, afterRollback, () => Promise.reject(reason)).catch(() => {});
    }
  }

  /** What a log or a console shows of it: the branches that sessions of this connection have worked for and that have not ended. */
  toJSON(): Record<string, unknown> {
    return jsonView(this.#view());
  }

  #view(): Record<string, unknown> {
    const branches = [...this.#branches].map(([name, branch]) => [name, stateOf(branch)] as const);
    return { branches: new Map(branches) };
  }

  static {
    inspectAs(this, "XAResource", (xa) => xa.#view());
  }

  get #closeOptions(): CallOptions {
    return { timeout: this.#context.settings.closeTimeout };
  }

  #transactionOf(session: Session): SessionTransaction {
    if (!session.transaction) {
      throw illegal(
        `Cannot start a branch: the session is not transacted but in mode "${session.acknowledgeMode}"`,
      );
    }
    if (!session.transaction.isOf(this.#context.connectionId)) {
      throw new TypeError("Cannot start a branch: the session is another connection's");
    }
    return session.transaction;
  }

  /** The branch, if it is known here; nobody may work for it. */
  #idle(xid: Xid, action: string): Branch | undefined {
    toTransactionId(xid);
    const branch = this.#branches.get(formatXid(xid));
    if (!branch) return undefined;
    const { working, suspended, leaving } = branch;
    if (working.size + suspended.size + leaving > 0) {
      throw illegal(`${action}: ${working.size + suspended.size + leaving} sessions work for it`);
    }
    return branch;
  }

  async #leave(
    branch: Branch,
    session: Session,
    how: XAEnd,
    options: CallOptions,
  ): Promise<void> {
    branch.working.delete(session);
    branch.failed ||= how === "fail";
    branch.leaving++;
    try {
      await session.flush();
      const transaction = session.transaction!;
      const { lost } = transaction;
      branch.outcomes.push(transaction.leave());
      if (how === "suspend") branch.suspended.add(session);
      // The broker of the new connection has no part in it.
      if (lost) return;
      // ActiveMQ does nothing with it, Artemis needs it.
      const xid = toXid(branch.id);
      await takeStep(
        this.#context,
        { name: "end", id: branch.id },
        unchanged,
        () => this.#request(xid, TransactionType.end, `Cannot end ${formatXid(xid)}`, options),
      );
    } finally {
      branch.leaving--;
    }
  }

  /** Takes a step with which a branch may end. */
  async #decide<T>(
    name: "prepare" | "commit" | "rollback",
    xid: Xid,
    branch: Branch | undefined,
    statusOf: StatusOf<T>,
    work: () => Promise<T>,
  ): Promise<T> {
    // What was never sent is not in doubt.
    if (this.#ended) throw this.#ended;
    const received = branch?.outcomes.reduce((sum, { received = 0 }) => sum + received, 0);
    const step = { name, id: toTransactionId(xid), received };
    if (branch) branch.deciding = true;
    try {
      return await takeStep(this.#context, step, statusOf, work);
    } finally {
      if (branch) branch.deciding = false;
    }
  }

  async #rollback(
    xid: Xid,
    branch: Branch | undefined,
    action: string,
    options: CallOptions,
  ): Promise<void> {
    if (branch?.lost) return this.#rolledBack(xid);
    try {
      await this.#request(xid, TransactionType.rollback, action, options);
    } catch (error) {
      if (afterXARollback({ error }) === "rolled-back") this.#rolledBack(xid);
      throw error;
    }
    this.#rolledBack(xid);
  }

  /** Rolls back what can't be committed, and fails. */
  async #refuseFailed(
    xid: Xid,
    branch: Branch,
    action: string,
    options: CallOptions,
  ): Promise<never> {
    await this.#rollback(xid, branch, action, options);
    throw new XAError(action, {
      className: "",
      message: `work for it has failed, it was rolled back. xaErrorCode:${XAErrorCode.rollback}`,
      stackTrace: [],
      cause: null,
    });
  }

  #committed(xid: Xid): void {
    for (const { committed } of this.#take(xid)) committed();
  }

  #rolledBack(xid: Xid): void {
    // What was received last is put back first, and so comes after what was received before.
    for (const { rolledBack } of this.#take(xid).reverse()) rolledBack();
  }

  #take(xid: Xid): TransactionOutcome[] {
    const name = formatXid(xid);
    const outcomes = this.#branches.get(name)?.outcomes ?? [];
    this.#branches.delete(name);
    return outcomes;
  }

  async #request(
    xid: Xid | null,
    type: number,
    action: string,
    options: CallOptions,
  ): Promise<Response> {
    const { connectionId } = this.#context;
    const info = transactionInfo(connectionId, xid && toTransactionId(xid), type);
    try {
      return await this.#context.request(info, action, options);
    } catch (error) {
      throw error instanceof BrokerError ? new XAError(action, exceptionOf(error)) : error;
    }
  }
}

/** What a branch is after it was to be prepared. */
const afterPrepare: StatusOf<"ok" | "read-only"> = (ended) => {
  if ("error" in ended) return afterCommit(ended);
  return ended.result === "ok" ? "prepared" : "committed";
};

/** What a branch is after it was to be rolled back. */
const afterXARollback: StatusOf<unknown> = (ended) => {
  if ("result" in ended) return "rolled-back";
  const { error } = ended;
  if (!(error instanceof XAError)) return undefined;
  const isGone = error.rolledBack || error.errorCode === XAErrorCode.notFound;
  return isGone ? "rolled-back" : undefined;
};

const unchanged: StatusOf<unknown> = () => undefined;

/** How far a branch is, in a word. */
function stateOf({ failed, prepared, working, suspended }: Branch): string {
  if (failed) return "failed";
  if (prepared) return "prepared";
  if (working.size > 0) return "working";
  return suspended.size > 0 ? "suspended" : "ended";
}

/** What the broker says to a branch that is prepared (Java: XAResource). */
const Vote = { ok: 0, readOnly: 3 } as const;

function illegal(message: string): OpenWireError {
  return new OpenWireError("ILLEGAL_STATE", message);
}

/** The names of these options. */
export const XA_COMMIT_OPTIONS: OptionNames<XACommitOptions> = new OptionNames<XACommitOptions>({
  onePhase: true,
  timeout: true,
  signal: true,
});
