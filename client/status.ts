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
 * - `"slow-consumer"`: a consumer of a topic, without a durable subscription, has as many messages that it did not
 *   acknowledge as its prefetch size, or that is 0. The broker holds back what comes for it now, and may discard some of that: ActiveMQ does
 *   beyond its limit of pending messages (`pendingMessageLimitStrategy`, `maximumPendingMessageLimit`).
 * - `"reading-paused"`: such a consumer has more than its `maxBufferedBytes` buffered. The connection reads nothing until half
 *   of that was taken, unless a call waits for the broker. Other consumers of the connection get nothing meanwhile, and the
 *   broker may discard messages of topics.
 * - `"unacknowledged-limit"`: a consumer delivers no more messages until the application settles some: it has
 *   `maxUnacknowledged` of them.
 * - `"closed"`: it has ended for good, with an error unless it was closed here.
 *
 * Those of a consumer come once when it reaches its limit, and again only after it was far from it for 10 seconds.
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
  | SlowConsumerStatus
  | ReadingPausedStatus
  | UnacknowledgedLimitStatus
  | { readonly type: "closed"; readonly error: Error | undefined };

/**
 * A consumer of a topic is so slow that the broker holds messages back, and may discard some.
 *
 * @example
 * ```ts
 * import type { SlowConsumerStatus } from "../mod.ts";
 *
 * const text = ({ destination, prefetchSize }: SlowConsumerStatus) => `${destination}: ${prefetchSize} are not enough`;
 * ```
 */
export interface SlowConsumerStatus {
  /** What has happened. */
  readonly type: "slow-consumer";
  /** What it consumes, such as `topic://prices`. */
  readonly destination: string;
  /** The `id` of the consumer. */
  readonly consumerId: string;
  /** Messages that have come and wait to be taken. */
  readonly bufferedMessages: number;
  /** Messages that the broker sends ahead. */
  readonly prefetchSize: number;
  /** There is none. */
  readonly error?: undefined;
}

/**
 * The connection reads nothing, because a consumer of a topic has too much buffered.
 *
 * @example
 * ```ts
 * import type { ReadingPausedStatus } from "../mod.ts";
 *
 * const text = ({ destination, bufferedBytes }: ReadingPausedStatus) => `${destination}: ${bufferedBytes} bytes`;
 * ```
 */
export interface ReadingPausedStatus {
  /** What has happened. */
  readonly type: "reading-paused";
  /** What it consumes, such as `topic://prices`. */
  readonly destination: string;
  /** The `id` of the consumer. */
  readonly consumerId: string;
  /** Messages that have come and wait to be taken. */
  readonly bufferedMessages: number;
  /** Bytes of these, about. */
  readonly bufferedBytes: number;
  /** The limit of that. */
  readonly maxBufferedBytes: number;
  /** There is none. */
  readonly error?: undefined;
}

/**
 * A consumer delivers no more messages until the application settles some.
 *
 * @example
 * ```ts
 * import type { UnacknowledgedLimitStatus } from "../mod.ts";
 *
 * const text = ({ destination, maxUnacknowledged }: UnacknowledgedLimitStatus) =>
 *   `${destination}: ${maxUnacknowledged} messages are not acknowledged`;
 * ```
 */
export interface UnacknowledgedLimitStatus {
  /** What has happened. */
  readonly type: "unacknowledged-limit";
  /** What it consumes, such as `queue://orders`. */
  readonly destination: string;
  /** The `id` of the consumer. */
  readonly consumerId: string;
  /** Messages that have come and wait to be taken. */
  readonly bufferedMessages: number;
  /** Messages that the application may have without having settled them. */
  readonly maxUnacknowledged: number;
  /** There is none. */
  readonly error?: undefined;
}

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
