/**
 * The way of commands to the broker and of answers back, beyond the life of one connection: while there is none, what can
 * wait waits, and what was not answered is sent again over the next one. It knows nothing of sessions and messages.
 */

import { createResponse, type EncodeError, type TransactionId } from "../../codec/mod.ts";
import type { Deadlines } from "../deadlines.ts";
import { TimeoutError } from "../errors.ts";
import { inTime } from "../in_time.ts";
import { TransactionRolledBackError } from "../loss_errors.ts";
import type { BrokerLink } from "./broker_link.ts";
import { type Command, isMessage, type Response } from "./commands.ts";
import { fateOf } from "./fate.ts";
import { Journal } from "./journal.ts";
import { afterTurn } from "./outbox.ts";
import { type RequestOptions, ResponseCorrelator } from "./response_correlator.ts";
import { silent } from "./silent.ts";

/** How commands outlive the connection over which they were sent. */
export interface ReplayOptions {
  /** Whether messages are sent again that the broker may have. */
  readonly replaySends: boolean;
  /** Milliseconds that a message may wait for a connection; 0 or less for its own limit. */
  readonly timeout: number;
  /** Bytes of messages that asked for no answer and are sent again nevertheless; 0 for none. */
  readonly maxCacheSize: number;
  /** Bytes of messages that a transaction may have to be done again. */
  readonly maxTransactionSize: number;
}

/** That something took too long; whoever waits for it knows what. */
const LATE = new Error("late");

/** Commands that may wait to be written before their senders wait, too. */
const KEEPS_UP = 256;
const DONE: Promise<void> = Promise.resolve();

/** Numbers commands, and brings answers to them. */
export class CommandChannel {
  readonly #deadlines: Deadlines;
  readonly #replay: ReplayOptions | undefined;
  /** Undefined when nothing is sent again. */
  readonly #journal: Journal | undefined;
  readonly #correlator: ResponseCorrelator;
  readonly #refusals: WeakMap<Command, EncodeError> = new WeakMap();
  #link: BrokerLink | undefined;
  #ended: Error | undefined;
  #commandId = 0;
  /** What is sent in this turn of the event loop. */
  #turn:
    | { readonly written: Promise<void>; readonly timeout: number; readonly wait: Promise<void> }
    | undefined;
  /** Resolves when all that had to be sent again has left. */
  #resumed: PromiseWithResolvers<void> | undefined;
  /** Takes away the limit for messages that wait for a connection. */
  #cancelLimit: (() => void) | undefined;

  /**
   * @param deadlines Those of the connection.
   * @param replay How commands outlive it; without it all fail when it is lost.
   */
  constructor(deadlines: Deadlines, replay?: ReplayOptions) {
    this.#deadlines = deadlines;
    this.#replay = replay;
    this.#journal = replay && new Journal(replay);
    this.#correlator = new ResponseCorrelator(deadlines, (command, answered) => {
      if (answered) this.#journal?.done(command);
      else this.#journal?.remove(command);
    });
  }

  /** Number of requests that wait for their answers. */
  get pending(): number {
    return this.#correlator.pending;
  }

  /** Resolves when all that was sent so far was handed to the runtime, or never will be. */
  get emptied(): Promise<void> {
    return this.#link?.emptied ?? DONE;
  }

  /** Whether there is a connection. */
  get connected(): boolean {
    return this.#link !== undefined;
  }

  /** The number of the last command. */
  get lastId(): number {
    return this.#commandId;
  }

  /** The number of the next command. */
  nextId(): number {
    return this.#commandId = this.#commandId === 0x7fffffff ? 1 : this.#commandId + 1;
  }

  /**
   * Sends a command and waits for the answer.
   *
   * @throws {BrokerError} When the broker refuses.
   * @throws {EncodeError} When the command can't be sent.
   */
  request(command: Command, options: RequestOptions): Promise<Response> {
    if (this.#ended) return Promise.reject(this.#ended);
    if (options.signal?.aborted) return Promise.reject(options.signal.reason);
    this.#number(command, true);
    const link = this.#link;
    if (link === undefined) return this.#requestLater(command, options);
    this.#journal?.add(command);
    const response = this.#correlator.wait(command, options);
    link.push(command);
    return response;
  }

  /** Sends a command over a connection that is not in use yet, and waits for the answer. It is never sent again. */
  requestOn(link: BrokerLink, command: Command, options: RequestOptions): Promise<Response> {
    if (link.failure) return Promise.reject(link.failure);
    this.#number(command, true);
    const response = this.#correlator.wait(command, options);
    link.closed.then(() => this.#correlator.fail(command.commandId, link.failure));
    link.push(command);
    return response;
  }

  /**
   * Sends a command that isn't answered. Resolves when it was handed to the runtime.
   *
   * @throws {EncodeError} When the command can't be sent.
   * @throws {TimeoutError} When the runtime did not take it in time; it will be sent when the broker reads again. Or when
   *   there was no connection in time; then it will not be sent.
   */
  async send(command: Command, options: RequestOptions): Promise<void> {
    if (this.#ended) throw this.#ended;
    this.#number(command, false);
    const link = this.#link;
    if (link === undefined) {
      await this.#sendLater(command, options, false);
    } else {
      this.#keep(command);
      await this.#sendNow(link, command, options);
    }
    const refusal = this.#refusals.get(command);
    if (refusal) throw refusal;
  }

  /**
   * Sends a command that isn't answered, for senders that need not know when it left: resolves at once, unless so many
   * commands wait already that the broker doesn't keep up. Then it does as {@linkcode send}.
   */
  post(command: Command, options: () => RequestOptions): Promise<void> {
    if (this.#ended) return Promise.reject(this.#ended);
    const link = this.#link;
    if (link === undefined || link.waiting >= KEEPS_UP) return this.send(command, options());
    this.#number(command, false);
    link.push(command, false);
    return DONE;
  }

  /** Takes an answer; false when nobody waits for it. */
  take(response: Response): boolean {
    return this.#correlator.take(response);
  }

  /** A command could not be encoded. */
  refuse(command: Command, error: EncodeError): void {
    this.#journal?.remove(command);
    if (!this.#correlator.fail(command.commandId, error)) this.#refusals.set(command, error);
  }

  /** Whether all of a transaction would be sent again. */
  holds(id: TransactionId): boolean {
    return this.#journal?.holds(id) ?? false;
  }

  /** Nothing of a transaction is sent again, because it can't be what it was. */
  giveUp(id: TransactionId): void {
    for (const command of this.#journal?.forget(id) ?? []) {
      this.#correlator.fail(command.commandId, transactionLost("Cannot send"));
    }
  }

  /** From now on commands go over a connection. First go those that were sent before, and not answered. */
  attach(link: BrokerLink): void {
    this.#link = link;
    this.#cancelLimit?.();
    const commands = [...this.#journal ?? []];
    let written = DONE;
    for (const command of commands) written = link.push(command);
    written.then(() => {
      for (const command of commands) if (!command.responseRequired) this.#journal?.done(command);
      this.#resumed?.resolve();
      this.#resumed = undefined;
    }, () => {
      // It was lost, too: they go over the next one.
    });
  }

  /** The connection was lost, and another one will take its place. */
  detach(): void {
    this.#link = undefined;
    const { replaySends, timeout } = this.#replay!;
    const journal = this.#journal!;
    for (const { command, action, settle } of this.#correlator.requests()) {
      const fate = fateOf(command, true, replaySends);
      if (fate === "done") settle(createResponse({ correlationId: command.commandId }));
      else if (fate !== "sent") settle(undefined, fate(action));
      else if (!journal.has(command)) settle(undefined, transactionLost(action));
    }
    for (const command of [...journal]) {
      if (fateOf(command, true, replaySends) !== "sent") journal.remove(command);
    }
    this.#cancelLimit = this.#deadlines.add(timeout, () => this.#failMessages(timeout));
  }

  /** There will be no connection any more. */
  end(error: Error): void {
    if (this.#ended) return;
    this.#ended = error;
    this.#link = undefined;
    this.#cancelLimit?.();
    this.#correlator.failAll(error);
    this.#resumed?.reject(error);
    this.#resumed = undefined;
    for (const command of [...this.#journal ?? []]) this.#journal!.remove(command);
  }

  #number(command: Command, responseRequired: boolean): void {
    command.commandId = this.nextId();
    command.responseRequired = responseRequired;
  }

  /** Notes a command that asks for no answer, if it has to arrive nevertheless. */
  #keep(command: Command): void {
    if (isMessage(command) || command.dataType === "TransactionInfo") this.#journal?.add(command);
  }

  async #sendNow(link: BrokerLink, command: Command, options: RequestOptions): Promise<void> {
    const { timeout, signal, action } = options;
    const written = link.push(command);
    try {
      await (signal ? this.#inTime(written, timeout, signal) : this.#turnsWait(written, timeout));
    } catch (error) {
      if (error === link.failure && this.#journal && !this.#ended) {
        return await this.#sendLater(command, options, true);
      }
      this.#journal?.remove(command);
      if (error !== LATE) throw error;
      throw new TimeoutError(`${action}: the broker took nothing for ${timeout} ms`);
    }
    this.#journal?.done(command);
  }

  /** Asks when there is a connection. */
  #requestLater(command: Command, options: RequestOptions): Promise<Response> {
    const { action } = options;
    const fate = fateOf(command, false, true);
    if (fate === "sent") {
      this.#journal?.add(command);
      return this.#correlator.wait(command, { ...options, timeout: this.#limit(command, options) });
    }
    this.#journal?.remove(command);
    if (fate !== "done") return Promise.reject(fate(action));
    return Promise.resolve(createResponse({ correlationId: command.commandId }));
  }

  /** Waits until a command was sent over the next connection. */
  async #sendLater(command: Command, options: RequestOptions, wasSent: boolean): Promise<void> {
    const { action, signal } = options;
    const fate = fateOf(command, wasSent, this.#replay?.replaySends ?? false);
    if (fate === "done") return;
    if (fate !== "sent") throw fate(action);
    if (!wasSent) this.#keep(command);
    // One of a transaction that can't be done again: its commit will tell.
    if (!this.#journal?.has(command)) return;
    this.#resumed ??= silent();
    const timeout = this.#limit(command, options);
    try {
      await this.#inTime(this.#resumed.promise, timeout, signal);
    } catch (error) {
      this.#journal.remove(command);
      if (error !== LATE) throw error;
      throw noConnection(action, timeout, wasSent);
    }
  }

  /** How long a command may wait for a connection. */
  #limit(command: Command, { timeout }: RequestOptions): number {
    const limit = this.#replay?.timeout ?? 0;
    if (limit <= 0 || !isMessage(command)) return timeout;
    return timeout > 0 ? Math.min(timeout, limit) : limit;
  }

  /** Messages have waited long enough for a connection. */
  #failMessages(timeout: number): void {
    for (const { command, action, settle } of this.#correlator.requests()) {
      if (isMessage(command)) settle(undefined, noConnection(action, timeout, true));
    }
  }

  #inTime(done: Promise<void>, timeout: number, signal?: AbortSignal): Promise<void> {
    return inTime(done, { deadlines: this.#deadlines, timeout, signal, late: () => LATE });
  }

  /** All that is sent in one turn of the event loop is written together, and waits together: that is much cheaper. */
  #turnsWait(written: Promise<void>, timeout: number): Promise<void> {
    const turn = this.#turn;
    if (turn?.written === written && turn.timeout === timeout) return turn.wait;
    if (!turn) afterTurn(() => this.#turn = undefined);
    const wait = this.#inTime(written, timeout);
    this.#turn = { written, timeout, wait };
    return wait;
  }
}

function noConnection(action: string, timeout: number, wasSent: boolean): TimeoutError {
  return new TimeoutError(
    `${action}: no connection within ${timeout} ms; it ${
      wasSent ? "may have been" : "was not"
    } sent`,
  );
}

function transactionLost(action: string): TransactionRolledBackError {
  return new TransactionRolledBackError(
    `${action}: the connection was lost, and the transaction with it`,
  );
}
