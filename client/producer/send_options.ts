/**
 * What is said with a message that is sent, and what is known of it afterwards.
 *
 * @module
 */

import { OptionNames } from "../../option_names.ts";
import type { CallOptions } from "../call_options.ts";
import type { Destination } from "../destination/destination.ts";
import { isPlainObject } from "../message/body_kind.ts";
import type { MessageBody, MessageHeaders } from "../message/outgoing_message.ts";
import type { ScheduledDelivery } from "./scheduled_delivery.ts";

/**
 * Options of a single message. `timeout` is the producer's `sendTimeout` by default.
 *
 * @example
 * ```ts
 * import type { SendOptions } from "../../mod.ts";
 *
 * const options: SendOptions = { persistent: false, correlationId: "42", properties: { region: "eu-west-1" } };
 * ```
 */
export interface SendOptions extends MessageHeaders, ScheduledDelivery, CallOptions {
  /** Where to send it, if the producer was opened without a destination. */
  destination?: Destination | undefined;
  /**
   * Whether `send()` waits until the broker says that it has the message. By default it does for persistent messages
   * outside of transactions, unless `useAsyncSend` is set, and for all if `alwaysSyncSend` is set.
   *
   * With a window it sometimes waits nevertheless: for messages with a schedule, and each time that half of the window is
   * on its way.
   */
  confirm?: boolean | undefined;
  /** Whether the body is compressed (zlib), if it is large enough. The producer's by default. */
  compress?: boolean | undefined;
  /** Bytes from which on a body is compressed. The producer's by default. */
  compressionThreshold?: number | undefined;
}

/**
 * A message with its options.
 *
 * @example
 * ```ts
 * import type { OutgoingMessage } from "../../mod.ts";
 *
 * const message: OutgoingMessage = { body: "hello", priority: 9 };
 * ```
 */
export interface OutgoingMessage<T = MessageBody> extends SendOptions {
  /** What is sent. */
  body: T;
}

/** Refuses a message with its options if nobody knows one of these. */
export function refuseUnknown(given: unknown): void {
  if (!isPlainObject(given) || !Object.hasOwn(given, "body")) return;
  const { body: _, ...options } = given;
  SEND_OPTIONS.check(options, "Cannot send a message of the batch");
}

/** Whether a value is a message with its options, and not a body that happens to have a `body`. */
export function isOutgoingMessage<T>(given: T | OutgoingMessage<T>): given is OutgoingMessage<T> {
  return isPlainObject(given) && Object.hasOwn(given, "body") &&
    Reflect.ownKeys(given).every((name) =>
      typeof name === "string" && (name === "body" || SEND_OPTIONS.has(name))
    );
}

/**
 * What is known of a message when `send()` resolves:
 *
 * - `"confirmed"`: the broker has it.
 * - `"windowed"`: the runtime has taken its bytes, and the broker will acknowledge it to the producer's window.
 * - `"sent"`: the runtime has taken its bytes; there is no window.
 * - `"transactional"`: it is part of the transaction, and lives or dies with it.
 *
 * @example
 * ```ts
 * import type { SendOutcome } from "../../mod.ts";
 *
 * const outcome: SendOutcome = "confirmed";
 * ```
 */
export type SendOutcome = "confirmed" | "windowed" | "sent" | "transactional";

/**
 * What is known of a message that was sent.
 *
 * @example
 * ```ts
 * import { connect } from "../../mod.ts";
 * import { MemoryBroker } from "../../testing/mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * await using broker = await MemoryBroker.listen();
 * await using connection = await connect(broker.url);
 * const { messageId, outcome } = await connection.send("orders", "hello");
 * assertEquals(outcome, "confirmed");
 * assertEquals(messageId.startsWith("ID:"), true);
 * ```
 */
export interface SendResult {
  /** JMSMessageID, such as `ID:host-1-2-1:1:1:1:1`. */
  readonly messageId: string;
  /** How far it has come. */
  readonly outcome: SendOutcome;
}

/** The names of these options. */
export const SEND_OPTIONS: OptionNames<SendOptions> = new OptionNames<SendOptions>({
  destination: true,
  confirm: true,
  compress: true,
  compressionThreshold: true,
  persistent: true,
  priority: true,
  timeToLive: true,
  correlationId: true,
  replyTo: true,
  type: true,
  groupId: true,
  groupSequence: true,
  deduplicationId: true,
  properties: true,
  delay: true,
  period: true,
  repeat: true,
  cron: true,
  timeout: true,
  signal: true,
});
