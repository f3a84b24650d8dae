/**
 * Options of a producer.
 *
 * @module
 */

import { OptionNames } from "../../option_names.ts";
import type { BodyCodec } from "../message/body_codec.ts";
import type { CallOptions } from "../call_options.ts";
import { bytes, type ConnectionSettings, milliseconds } from "../options.ts";
import {
  checkPriority,
  checkTimeToLive,
  type MessageBody,
  type MessageDefaults,
} from "../message/outgoing_message.ts";
import { checkDelay } from "./scheduled_delivery.ts";

/**
 * Options of a producer. What each message has by default can be changed for a single one with the options of `send()`.
 *
 * @example
 * ```ts
 * import type { ProducerOptions } from "../../mod.ts";
 *
 * const options: ProducerOptions = { persistent: false, timeToLive: 60_000, windowSize: 65_536 };
 * ```
 */
export interface ProducerOptions<T = MessageBody> extends CallOptions {
  /** Whether messages survive a restart of the broker. @default {true} */
  persistent?: boolean | undefined;
  /** Priority of messages, 0 to 9. @default {4} */
  priority?: number | undefined;
  /** Milliseconds after which nobody needs a message any more; 0 for never. @default {0} */
  timeToLive?: number | undefined;
  /** Milliseconds until the broker delivers a message, if it schedules messages. @default {0} */
  delay?: number | undefined;
  /** Whether messages are sent without a timestamp; `disableTimeStampsByDefault` of the connection by default. */
  disableTimestamp?: boolean | undefined;
  /**
   * Bytes of messages that may be on their way to the broker and not be taken by it, for messages that are sent without
   * waiting for its answer; `producerWindowSize` of the connection by default, 0 for no limit. A message counts as its body
   * and properties and 1024 bytes, as in the broker. When that is reached, sending goes on as soon as the broker has taken
   * half of it.
   *
   * When a queue is full, ActiveMQ lets the producers with a window wait. Without one it reads nothing more from the
   * connection, neither acknowledgements, until there is room. But when there is, what comes then may overtake what waits:
   * where the order matters even then, wait for each `send()` with `confirm: true`, or have no window.
   *
   * In a transacted session there is none: what is sent to a full queue in a transaction would be lost (seen in ActiveMQ
   * 5.17). Have transactions that may meet a full queue on a connection of their own.
   */
  windowSize?: number | undefined;
  /** Whether the broker dispatches messages to consumers from a thread of its own; `dispatchAsync` of the connection by default. */
  dispatchAsync?: boolean | undefined;
  /** Whether persistent messages are sent without waiting for an answer; `useAsyncSend` of the connection by default. */
  useAsyncSend?: boolean | undefined;
  /**
   * Milliseconds that `send()` waits, for its turn, for room in the window and for the broker's answer, all together;
   * `sendTimeout` of the connection by default, 0 for ever.
   */
  sendTimeout?: number | undefined;
  /** Whether bodies are compressed; `useCompression` of the connection by default. */
  compress?: boolean | undefined;
  /** Bytes from which on a body is compressed; `compressionThreshold` of the connection by default. */
  compressionThreshold?: number | undefined;
  /** Makes bodies of what is given to `send()`; bodies are given by default. */
  codec?: BodyCodec<T> | undefined;
}

/** The options of a producer, with their defaults. */
export interface ProducerSettings {
  readonly message: MessageDefaults;
  readonly windowSize: number;
  readonly dispatchAsync: boolean;
  readonly useAsyncSend: boolean;
  readonly alwaysSyncSend: boolean;
  readonly sendTimeout: number;
  readonly compress: boolean;
  readonly compressionThreshold: number;
}

/**
 * Fills in the defaults.
 *
 * @throws {RangeError} When an option is out of range.
 * @throws {TypeError} When the producer of a transacted session is to have a window.
 */
export function resolveProducerOptions(
  options: Omit<ProducerOptions, "codec">,
  settings: ConnectionSettings,
  transacted: boolean,
): ProducerSettings {
  const windowSize = bytes("windowSize", options.windowSize, settings.producerWindowSize);
  if (transacted && options.windowSize !== undefined && windowSize > 0) {
    throw new TypeError(
      "Cannot open a producer with a window in a transacted session: the broker would lose what is sent to a full queue",
    );
  }
  return {
    message: {
      persistent: options.persistent ?? true,
      priority: checkPriority(options.priority ?? 4),
      timeToLive: checkTimeToLive(options.timeToLive ?? 0),
      timestamp: !(options.disableTimestamp ?? settings.disableTimeStampsByDefault),
      delay: checkDelay(options.delay ?? 0),
      nested: settings.nestedMapAndListEnabled,
    },
    windowSize: transacted ? 0 : windowSize,
    dispatchAsync: options.dispatchAsync ?? settings.dispatchAsync,
    useAsyncSend: options.useAsyncSend ?? settings.useAsyncSend,
    alwaysSyncSend: settings.alwaysSyncSend,
    sendTimeout: milliseconds("sendTimeout", options.sendTimeout, settings.sendTimeout),
    compress: options.compress ?? settings.useCompression,
    compressionThreshold: bytes(
      "compressionThreshold",
      options.compressionThreshold,
      settings.compressionThreshold,
    ),
  };
}

/** The names of these options. */
export const PRODUCER_OPTIONS: OptionNames<ProducerOptions> = new OptionNames<ProducerOptions>({
  persistent: true,
  priority: true,
  timeToLive: true,
  delay: true,
  disableTimestamp: true,
  windowSize: true,
  dispatchAsync: true,
  useAsyncSend: true,
  sendTimeout: true,
  compress: true,
  compressionThreshold: true,
  codec: true,
  timeout: true,
  signal: true,
});
