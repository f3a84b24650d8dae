/**
 * What happens to a connection, for whoever wants to know.
 *
 * @module
 */

import { harmlessError } from "./harmless.ts";
import { Feed } from "./iterate.ts";

/**
 * Something that happened to a connection:
 *
 * - `"error"`: a failure that answers no call, such as a refused acknowledgement.
 * - `"interrupted"`: the connection to the broker was lost, and another is looked for (Java: transportInterupted).
 * - `"reconnecting"`: all brokers were tried in vain; `error` is the failure of the last one.
 * - `"resumed"`: another connection has taken its place, and all that was open is open again (Java: transportResumed).
 * - `"closed"`: it has ended for good, with an error unless it was closed here.
 *
 * An error that quotes control characters, as what `JSON.parse()` throws may, is a copy without them.
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
  readonly #readers: Set<Feed<ConnectionStatus>> = new Set();
  #end: ConnectionStatus | undefined;

  subscribe(signal?: AbortSignal): AsyncIterableIterator<ConnectionStatus> {
    const reader: Feed<ConnectionStatus> = new Feed({
      limit: LIMIT,
      signal,
      left: () => this.#readers.delete(reader),
    });
    if (this.#end) end(reader, this.#end);
    else if (!signal?.aborted) this.#readers.add(reader);
    return reader;
  }

  publish(status: ConnectionStatus): void {
    const harmless = withoutControls(status);
    for (const reader of this.#readers) reader.push(harmless);
  }

  end(error: Error | undefined): void {
    this.#end = withoutControls({ type: "closed", error });
    for (const reader of this.#readers) end(reader, this.#end);
  }
}

function end(reader: Feed<ConnectionStatus>, status: ConnectionStatus): void {
  reader.push(status);
  reader.end();
}

/** What a handler has thrown may quote a message. */
function withoutControls(status: ConnectionStatus): ConnectionStatus {
  if (status.error === undefined) return status;
  const error = harmlessError(status.error);
  return error === status.error ? status : { ...status, error };
}
