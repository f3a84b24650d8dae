/** What waits to be written: the commands of one turn of the event loop leave in one write. */

import type { DataStructure } from "../../codec/mod.ts";
import { silent } from "./silent.ts";

type Batch = readonly DataStructure[];

/** Calls back when the current turn of the event loop is over. All our runtimes have it; a browser has no sockets. */
export const afterTurn: (callback: () => void) => unknown =
  (globalThis as { setImmediate?: (callback: () => void) => unknown }).setImmediate ??
    queueMicrotask;

/** Gathers commands and writes them in the order in which they came. */
export class Outbox {
  readonly #writer: WritableStreamDefaultWriter<Batch>;
  readonly #onFailure: (error: unknown) => void;
  #waiting: DataStructure[] = [];
  /** Settles with the write of what waits. */
  #written: PromiseWithResolvers<void> = silent();
  #busy = false;
  /** Whether something was written at once in this turn of the event loop. */
  #hasWritten = false;
  #failure: { readonly error: unknown } | undefined;

  /**
   * @param writable Takes arrays of commands.
   * @param onFailure Is told, once, that it takes no more.
   */
  constructor(writable: WritableStream<Batch>, onFailure: (error: unknown) => void) {
    this.#writer = writable.getWriter();
    this.#writer.closed.catch(() => {});
    this.#onFailure = onFailure;
  }

  /** Number of commands that wait for the next write. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Resolves when all that was added so far has left, or never will. */
  get emptied(): Promise<void> {
    if (!this.#busy || this.#failure) return Promise.resolve();
    return this.#written.promise.catch(() => {});
  }

  /**
   * Adds a command.
   *
   * @param command The command.
   * @param waited Whether somebody waits for it: the first of these in a turn leaves at once, with those that are added by
   *   the same piece of code.
   * @returns Settles when its batch was written; need not be awaited.
   */
  push(command: DataStructure, waited: boolean): Promise<void> {
    if (this.#failure) return rejected(this.#failure.error);
    this.#waiting.push(command);
    if (!this.#busy) {
      this.#busy = true;
      if (waited && !this.#hasWritten) {
        this.#hasWritten = true;
        afterTurn(() => this.#hasWritten = false);
        queueMicrotask(() => this.#writeAll());
      } else {
        afterTurn(() => this.#writeAll());
      }
    }
    return this.#written.promise;
  }

  /** Writes what waits, then tells the peer that no more comes. */
  async close(): Promise<void> {
    if (this.#failure) return;
    while (this.#busy && !this.#failure) await this.#written.promise.catch(() => {});
    await this.#writer.close().catch(() => {});
  }

  /** Lets all that waits fail. */
  fail(error: unknown): void {
    if (this.#failure) return;
    this.#failure = { error };
    this.#waiting = [];
    this.#written.reject(error);
    this.#writer.abort(error).catch(() => {});
  }

  async #writeAll(): Promise<void> {
    // What is added while a write is under way leaves with the next one.
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      const written = this.#written;
      this.#waiting = [];
      this.#written = silent();
      try {
        await this.#writer.write(batch);
        written.resolve();
      } catch (error) {
        written.reject(this.#failure?.error ?? error);
        if (!this.#failure) {
          this.fail(error);
          this.#onFailure(error);
        }
      }
    }
    this.#busy = false;
    // Who waits in close() is waiting for the batch that never comes.
    this.#written.resolve();
    this.#written = silent();
  }
}

function rejected(error: unknown): Promise<never> {
  const promise = Promise.reject(error);
  promise.catch(() => {});
  return promise;
}
