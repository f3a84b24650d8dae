/**
 * Options of streams.
 *
 * @module
 */

import { OptionNames } from "../../option_names.ts";
import type { CallOptions } from "../call_options.ts";
import type { Destination } from "../destination/destination.ts";
import type { MessageHeaders } from "../message/outgoing_message.ts";
import { milliseconds } from "../options.ts";
import { checkPrefetchSize } from "../consumer/prefetch_policy.ts";
import type { Resolved } from "../resolved.ts";

/**
 * Options of `sendStream()`. `timeout` is for each chunk, the producer's `sendTimeout` by default; the signal gives the stream
 * up. Each chunk has all headers and properties.
 *
 * @example
 * ```ts
 * import type { SendStreamOptions } from "../../mod.ts";
 *
 * const options: SendStreamOptions = { chunkSize: 65_536, properties: { file: "report.pdf" } };
 * ```
 */
export interface SendStreamOptions
  extends Omit<MessageHeaders, "groupId" | "groupSequence" | "deduplicationId">, CallOptions {
  /** Where to send it, if the producer was opened without a destination: a single queue. */
  destination?: Destination | undefined;
  /**
   * Bytes of a chunk, 1 to 104,857,600. Broker and client must take messages of this size, with some 1,000 bytes more.
   *
   * @default {262_144}
   */
  chunkSize?: number | undefined;
  /** Whether each chunk is compressed. The producer's by default. */
  compress?: boolean | undefined;
}

/**
 * What is known of a stream that was sent.
 *
 * @example
 * ```ts
 * import { connect } from "../../mod.ts";
 * import { MemoryBroker } from "../../testing/mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * await using broker = await MemoryBroker.listen();
 * await using connection = await connect(broker.url);
 * const { bytes, chunks } = await connection.sendStream("files", new Blob(["hello"]));
 * assertEquals([bytes, chunks], [5, 1]);
 * ```
 */
export interface SendStreamResult {
  /** Which stream it is: a UUID, the property `openwire_stream` of its messages. */
  readonly streamId: string;
  /** JMSMessageID of the first chunk. */
  readonly messageId: string;
  /** Number of messages. */
  readonly chunks: number;
  /** Bytes of the body. */
  readonly bytes: number;
}

/**
 * How a consumer reads streams.
 *
 * @example
 * ```ts
 * import type { ReceiveStreamOptions } from "../../mod.ts";
 *
 * const options: ReceiveStreamOptions = { chunkTimeout: 5_000 };
 * ```
 */
export interface ReceiveStreamOptions {
  /** Milliseconds to wait for the next chunk, 1 to 2,147,483,647. @default {30_000} */
  chunkTimeout?: number | undefined;
  /** Chunks of each stream that the broker sends ahead, 1 to 32,767. @default {16} */
  prefetchSize?: number | undefined;
}

/**
 * Checks the option `streams` of a consumer and fills in the defaults.
 *
 * @throws {TypeError} When it is neither a boolean nor an object.
 * @throws {RangeError} When a number is out of range.
 */
export function resolveStreams(
  given: boolean | ReceiveStreamOptions | undefined,
): Resolved<ReceiveStreamOptions> | undefined {
  if (given === undefined || given === false) return undefined;
  if (given !== true && (typeof given !== "object" || given === null)) {
    throw new TypeError(
      `Cannot use a ${
        given === null ? "null" : typeof given
      } as streams: a boolean or an object is expected`,
    );
  }
  if (given !== true) RECEIVE_STREAM_OPTIONS.check(given, "Cannot use the option streams");
  const { chunkTimeout, prefetchSize = 16 } = given === true ? {} : given;
  const timeout = milliseconds("chunkTimeout", chunkTimeout, 30_000);
  if (timeout === 0) throw new RangeError("Cannot use 0 as chunkTimeout: 1 or more is expected");
  if (checkPrefetchSize("prefetchSize", prefetchSize) === 0) {
    throw new RangeError("Cannot use 0 as prefetchSize of streams: 1 or more is expected");
  }
  return { chunkTimeout: timeout, prefetchSize };
}

/** Checks the size of chunks. */
export function checkChunkSize(size: number | undefined = 262_144): number {
  if (Number.isInteger(size) && size >= 1 && size <= 104_857_600) return size;
  throw new RangeError(
    `Cannot use ${size} as chunkSize: an integer of 1 to 104857600 bytes is expected`,
  );
}

/** The names of these options. */
export const SEND_STREAM_OPTIONS: OptionNames<SendStreamOptions> = new OptionNames<
  SendStreamOptions
>({
  destination: true,
  chunkSize: true,
  compress: true,
  persistent: true,
  priority: true,
  timeToLive: true,
  correlationId: true,
  replyTo: true,
  type: true,
  properties: true,
  timeout: true,
  signal: true,
});

/** The names of these options. */
export const RECEIVE_STREAM_OPTIONS: OptionNames<ReceiveStreamOptions> = new OptionNames<
  ReceiveStreamOptions
>({
  chunkTimeout: true,
  prefetchSize: true,
});
