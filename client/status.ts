/**
 * What happens to a connection, for whoever wants to know.
 *
 * @module
 */

/**
 * Something that happened to a connection:
 *
 * - `"error"`: a failure that answers no call, such as a refused acknowledgement.
 * - `"interrupted"`: the connection to the broker was lost, and another is looked for (Java: transportInterupted).
 * - `"reconnecting"`: all brokers were tried in vain; `error` is the failure of the last one.
 * - `"resumed"`: another connection has taken its place, and all that was open is open again (Java: transportResumed).
 * - `"closed"`: it has ended for good, with an error unless it was closed here.
 *
 * @example
 * ```ts
 * import type { ConnectionStatus } from "../mod.ts";
 *
 * const log = (status: ConnectionStatus) => console.warn(status.type, status.error?.message);
 * ```
 */
export type ConnectionStatus =
  | { readonly type: "error"; readonly error: Error }
  | { readonly type: "interrupted"; readonly error: Error }
  | { readonly type: "reconnecting"; readonly error: Error; readonly attempts: number }
  | { readonly type: "resumed"; readonly remoteAddress: string; readonly error?: undefined }
  | { readonly type: "closed"; readonly error: Error | undefined };

/** Statuses that wait for a reader, at most; the oldest go first. */
const LIMIT = 1000;

/** Tells all readers of what happens. */
export class StatusFeed {
  readonly #readers: Set<Reader> = new Set();
  #end: ConnectionStatus | undefined;

  subscribe(signal?: AbortSignal): AsyncIterableIterator<ConnectionStatus> {
    const reader = new Reader((gone) => this.#readers.delete(gone), signal);
    if (this.#end) reader.end(this.#end);
    else this.#readers.add(reader);
    return reader;
  }

  publish(status: ConnectionStatus): void {
    for (const reader of this.#readers) reader.push(status);
  }

  end(error: Error | undefined): void {
    this.#end = { type: "closed", error };
    for (const reader of this.#readers) reader.end(this.#end);
    this.#readers.clear();
  }
}

class Reader implements AsyncIterableIterator<ConnectionStatus> {
  readonly #queue: ConnectionStatus[] = [];
  readonly #leave: (reader: Reader) => void;
  readonly #signal: AbortSignal | undefined;
  #wake: (() => void) | undefined;
  #ended = false;

  constructor(leave: (reader: Reader) => void, signal: AbortSignal | undefined) {
    this.#leave = leave;
    this.#signal = signal;
    signal?.addEventListener("abort", this.#abort);
    if (signal?.aborted) this.#abort();
  }

  push(status: ConnectionStatus): void {
    if (this.#queue.length >= LIMIT) this.#queue.shift();
    this.#queue.push(status);
    this.#wake?.();
  }

  end(status: ConnectionStatus): void {
    this.push(status);
    this.#stop();
  }

  async next(): Promise<IteratorResult<ConnectionStatus>> {
    while (true) {
      this.#signal?.throwIfAborted();
      const value = this.#queue.shift();
      if (value) return { done: false, value };
      if (this.#ended) return { done: true, value: undefined };
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  // deno-lint-ignore require-await -- the protocol wants a promise
  async return(): Promise<IteratorResult<ConnectionStatus>> {
    this.#queue.length = 0;
    this.#stop();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  readonly #abort = (): void => this.#stop();

  #stop(): void {
    this.#ended = true;
    this.#signal?.removeEventListener("abort", this.#abort);
    this.#leave(this);
    this.#wake?.();
  }
}
