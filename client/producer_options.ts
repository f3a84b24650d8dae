/**
 * Options of a producer.
 *
 * @module
 */

import type { BodyCodec } from "./body_codec.ts";
import type { CallOptions } from "./call_options.ts";

/**
 * Options of a producer. What each message has by default can be changed for a single one with the options of `send()`.
 *
 * @example
 * ```ts
 * import type { ProducerOptions } from "../mod.ts";
 *
 * const options: ProducerOptions = { persistent: false, timeToLive: 60_000, windowSize: 65_536 };
 * ```
 */
export interface ProducerOptions extends CallOptions {
  /** Whether messages survive a restart of the broker. @default {true} */
  persistent?: boolean | undefined;
  /** Priority of messages, 0 to 9. @default {4} */
  priority?: number | undefined;
  /** Milliseconds after which nobody needs a message any more; 0 for never. @default {0} */
  timeToLive?: number | undefined;
  /** Whether messages are sent without a timestamp; `disableTimeStampsByDefault` of the connection by default. */
  disableTimestamp?: boolean | undefined;
  /**
   * Bytes of messages that may be on their way without the broker's ProducerAck, for messages that are sent without waiting
   * for its answer; `producerWindowSize` of the connection by default, 0 for no limit.
   */
  windowSize?: number | undefined;
  /** Whether the broker dispatches messages to consumers from a thread of its own; `dispatchAsync` of the connection by default. */
  dispatchAsync?: boolean | undefined;
  /** Whether persistent messages are sent without waiting for an answer; `useAsyncSend` of the connection by default. */
  useAsyncSend?: boolean | undefined;
  /** Milliseconds that `send()` waits; `sendTimeout` of the connection by default, 0 for ever. */
  sendTimeout?: number | undefined;
  /** Whether bodies are compressed; `useCompression` of the connection by default. */
  compress?: boolean | undefined;
  /** Bytes from which on a body is compressed; `compressionThreshold` of the connection by default. */
  compressionThreshold?: number | undefined;
  /** What values are given to `send()`: bodies by default. */
  codec?: BodyCodec<unknown> | undefined;
}
