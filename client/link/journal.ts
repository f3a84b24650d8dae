/**
 * What must be sent again when a connection was lost and another one takes its place: commands that were not answered, and
 * those of transactions that go on. In the order in which they were sent, because the broker drops messages of a producer
 * with a lower number than the last it has stored.
 */

import type { TransactionId } from "../../codec/mod.ts";
import { type Command, isMessage, TransactionType } from "./commands.ts";

/** How much a {@linkcode Journal} keeps. */
export interface JournalOptions {
  /** Bytes of messages of one transaction; one that has more is not kept. */
  readonly maxTransactionSize: number;
  /** Bytes of messages that were sent without asking for an answer, beyond the transactions; 0 keeps none. */
  readonly maxCacheSize: number;
}

/** What was sent in one transaction. */
interface Transaction {
  readonly commandIds: number[];
  bytes: number;
}

/** The commands of one connection that may have to be sent again. */
export class Journal implements Iterable<Command> {
  readonly #options: JournalOptions;
  /** By number, in the order in which they were sent. */
  readonly #commands: Map<number, Command> = new Map();
  /** Local transactions that go on, by their numbers; undefined for one that has become too large. */
  readonly #transactions: Map<string, Transaction | undefined> = new Map();
  /** Bytes of messages that were sent and are kept nevertheless, by their numbers; the oldest first. */
  readonly #cached: Map<number, number> = new Map();
  #cachedBytes = 0;

  constructor(options: JournalOptions) {
    this.#options = options;
  }

  /** Keeps a command that is sent now, or will be when there is a connection. */
  add(command: Command): void {
    const key = transactionOf(command);
    if (key !== undefined && !this.#enter(key, command)) return;
    this.#commands.set(command.commandId, command);
  }

  has({ commandId }: Command): boolean {
    return this.#commands.has(commandId);
  }

  /** A command was answered, or it asked for no answer and was sent. */
  done(command: Command): void {
    if (transactionOf(command) !== undefined) return;
    if (!this.#cache(command)) this.remove(command);
  }

  /** Nobody waits any more: it isn't sent again. */
  remove(command: Command): void {
    const ended = endedBy(command);
    if (ended !== undefined) this.forget(ended);
    this.#delete(command.commandId);
  }

  /** Whether all of a transaction is kept. */
  holds(id: TransactionId): boolean {
    const key = keyOf(id);
    return key !== undefined && (this.#transactions.get(key) ?? null) !== null;
  }

  /**
   * A transaction has ended, or is given up.
   *
   * @returns What was kept of it.
   */
  forget(id: TransactionId): Command[] {
    const key = keyOf(id);
    if (key === undefined) return [];
    const transaction = this.#transactions.get(key);
    this.#transactions.delete(key);
    return this.#drop(transaction);
  }

  [Symbol.iterator](): Iterator<Command> {
    return this.#commands.values();
  }

  /** Counts a command to its transaction. */
  #enter(key: string, command: Command): boolean {
    if (command.dataType === "TransactionInfo") {
      this.#transactions.set(key, { commandIds: [], bytes: 0 });
    }
    const transaction = this.#transactions.get(key);
    if (!transaction) return false;
    transaction.commandIds.push(command.commandId);
    transaction.bytes += sizeOf(command);
    if (transaction.bytes <= this.#options.maxTransactionSize) return true;
    this.#transactions.set(key, undefined);
    this.#drop(transaction);
    return false;
  }

  #drop(transaction: Transaction | undefined): Command[] {
    const dropped: Command[] = [];
    for (const commandId of transaction?.commandIds ?? []) {
      const command = this.#commands.get(commandId);
      if (command) dropped.push(command);
      this.#commands.delete(commandId);
    }
    return dropped;
  }

  /** Keeps a message that nobody waits for. */
  #cache(command: Command): boolean {
    const { maxCacheSize } = this.#options;
    if (maxCacheSize === 0 || command.responseRequired || !isMessage(command)) return false;
    // One that could not be encoded was removed before it counts as sent.
    if (!this.has(command)) return false;
    if (this.#cached.has(command.commandId)) return true;
    this.#cached.set(command.commandId, sizeOf(command));
    this.#cachedBytes += sizeOf(command);
    for (const oldest of this.#cached.keys()) {
      if (this.#cachedBytes <= maxCacheSize) break;
      this.#delete(oldest);
    }
    return true;
  }

  #delete(commandId: number): void {
    this.#commands.delete(commandId);
    this.#cachedBytes -= this.#cached.get(commandId) ?? 0;
    this.#cached.delete(commandId);
  }
}

/** Bytes that a message takes, about. */
function sizeOf(command: Command): number {
  if (!isMessage(command)) return 0;
  const { content, marshalledProperties } = command;
  return (content?.length ?? 0) + (marshalledProperties?.length ?? 0) + 1024;
}

/** The local transaction that a message is part of, or that begins with a command. */
function transactionOf(command: Command): string | undefined {
  const begins = command.dataType === "TransactionInfo" && command.type === TransactionType.begin;
  if (!begins && !isMessage(command)) return undefined;
  return command.transactionId ? keyOf(command.transactionId) : undefined;
}

/** The local transaction that a command ends. */
function endedBy(command: Command): TransactionId | undefined {
  if (command.dataType !== "TransactionInfo" || command.type === TransactionType.begin) {
    return undefined;
  }
  return command.transactionId?.dataType === "LocalTransactionId"
    ? command.transactionId
    : undefined;
}

function keyOf(id: TransactionId): string | undefined {
  return id.dataType === "LocalTransactionId" ? String(id.value) : undefined;
}
