/**
 * Messages made by hand, for unit tests of handlers.
 *
 * @module
 */

import { numberText, OpenWireError } from "../../errors.ts";
import { OptionNames } from "../../option_names.ts";
import { createMessageId } from "../../codec/mod.ts";
import { CALL_OPTIONS } from "../call_options.ts";
import { type Destination, toDestination } from "../destination/destination.ts";
import { limitsOf, milliseconds } from "../options.ts";
import type { BodyCodec } from "./body_codec.ts";
import { InflatedBody } from "./inflated_body.ts";
import { Message, RETRY_OPTIONS } from "./message.ts";
import { type MessageBody, type MessageHeaders, toOutgoing } from "./outgoing_message.ts";

/**
 * Options of `createMessage()`: the headers and properties of the message, as a consumer would receive them.
 *
 * @example
 * ```ts
 * import { createMessage, type CreateMessageOptions } from "../../testing/mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const options: CreateMessageOptions = { destination: "orders", redeliveryCount: 2 };
 * assertEquals(createMessage("hello", options).deliveryCount, 3);
 * ```
 */
export interface CreateMessageOptions extends Omit<MessageHeaders, "deduplicationId"> {
  /** JMSMessageID; another one for each message by default. */
  messageId?: string | undefined;
  /** JMSDestination. @default {"queue://test"} */
  destination?: Destination | undefined;
  /** Where the message was sent first, if it was moved since, for example to a dead-letter queue; none by default. */
  originalDestination?: Destination | undefined;
  /** JMSTimestamp in milliseconds since 1970; now by default. */
  timestamp?: number | undefined;
  /** How often the message was delivered before, 0 to 2,147,483,647. @default {0} */
  redeliveryCount?: number | undefined;
  /** JMSXUserID; none by default. */
  userId?: string | undefined;
  /** When the broker took the message, in milliseconds since 1970. @default {0} */
  brokerInTime?: number | undefined;
  /** When the broker dispatched the message, in milliseconds since 1970. @default {0} */
  brokerOutTime?: number | undefined;
  /** How `getBody()` reads the body; by its kind by default. */
  codec?: BodyCodec<unknown> | undefined;
}

/**
 * What a handler did with a message: `ack()`, `reject(reason)` or `retry({ delay })`.
 *
 * @example
 * ```ts
 * import { createMessage, type MessageSettlement } from "../../testing/mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const message = createMessage("hello");
 * await message.retry({ delay: 100 });
 * const settlement: MessageSettlement | undefined = message.settlement;
 * assertEquals(settlement, { type: "retried", delay: 100 });
 * ```
 */
export type MessageSettlement =
  | { readonly type: "acknowledged" }
  | { readonly type: "rejected"; readonly reason: unknown }
  | { readonly type: "retried"; readonly delay: number | undefined };

/**
 * A message that {@linkcode createMessage} has made. It is a {@linkcode Message} in all respects, and remembers how it was
 * settled instead of telling a broker.
 *
 * @example
 * ```ts
 * import { createMessage } from "../../testing/mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const message = createMessage("hello");
 * assertEquals(message.settlement, undefined);
 * await message.ack();
 * assertEquals(message.settlement, { type: "acknowledged" });
 * ```
 */
export class CreatedMessage extends Message {
  readonly #settled: Settled;

  /**
   * Use `createMessage()`.
   *
   * @ignore Not for users.
   */
  constructor(parts: Omit<ConstructorParameters<typeof Message>[0], "settlement">) {
    const settled = new Settled();
    super({ ...parts, settlement: settled });
    this.#settled = settled;
  }

  /** How the message was settled; undefined as long as it was not. */
  get settlement(): MessageSettlement | undefined {
    return this.#settled.settlement;
  }
}

/** Remembers the first settlement and refuses all others, as a consumer does. */
class Settled {
  settlement: MessageSettlement | undefined;

  // deno-lint-ignore require-await -- fails as that of a consumer does
  async ack(options: object): Promise<void> {
    CALL_OPTIONS.check(options, "Cannot acknowledge");
    limitsOf(options);
    this.#settle({ type: "acknowledged" });
  }

  // deno-lint-ignore require-await -- fails as that of a consumer does
  async reject(reason: unknown, options: object): Promise<void> {
    CALL_OPTIONS.check(options, "Cannot reject");
    limitsOf(options);
    this.#settle({ type: "rejected", reason });
  }

  // deno-lint-ignore require-await -- fails as that of a consumer does
  async retry(options: { delay?: number | undefined }): Promise<void> {
    RETRY_OPTIONS.check(options, "Cannot retry");
    const { delay } = options;
    if (delay !== undefined) milliseconds("delay", delay, 0);
    this.#settle({ type: "retried", delay });
  }

  #settle(settlement: MessageSettlement): void {
    if (this.settlement !== undefined) {
      throw new OpenWireError(
        "ILLEGAL_STATE",
        "Cannot settle the message: it was settled before",
      );
    }
    this.settlement = settlement;
  }
}

let created = 0;

/**
 * Makes a message as a consumer would receive it, to test a handler without a broker and without a connection.
 *
 * The body is encoded and decoded as it would be on its way through a broker, so `message.map`, `message.json()` and the
 * like are what a receiver sees.
 *
 * @param body As for `send()`: a string, bytes, null, `{ json }`, `{ map }`, `{ stream }`, `{ object }` or a received message.
 * @param options Headers and properties.
 * @returns The message, whose `settlement` tells what the handler did with it.
 * @throws {TypeError} When the body or an option is of a wrong kind.
 * @throws {RangeError} When a number is out of range.
 *
 * @example
 * ```ts
 * import { createMessage } from "../../testing/mod.ts";
 * import type { Message } from "../../mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * async function handle(message: Message): Promise<void> {
 *   const { total } = message.json() as { total: number };
 *   if (total < 0) await message.reject("negative total");
 *   else await message.ack();
 * }
 *
 * const message = createMessage({ json: { total: -1 } }, { destination: "orders" });
 * await handle(message);
 * assertEquals(message.settlement, { type: "rejected", reason: "negative total" });
 * ```
 */
export function createMessage(
  body: MessageBody,
  options: CreateMessageOptions = {},
): CreatedMessage {
  CREATE_MESSAGE_OPTIONS.check(options, "Cannot create a message");
  const {
    messageId = `ID:test-1-1-1:1:1:1:${++created}`,
    destination = "queue://test",
    originalDestination,
    timestamp,
    redeliveryCount = 0,
    userId,
    brokerInTime,
    brokerOutTime,
    codec,
    ...headers
  } = options;
  for (const [name, value] of Object.entries({ messageId, userId })) {
    if (value === undefined || (typeof value === "string" && value !== "")) continue;
    throw new TypeError(`Cannot use ${name}: a string that is not empty is expected`);
  }
  const { command } = toOutgoing(body, headers, {
    persistent: true,
    priority: 4,
    timeToLive: 0,
    timestamp: true,
    delay: 0,
    nested: true,
  });
  Object.assign(command, {
    messageId: createMessageId({ textView: messageId }),
    destination: toDestination(destination),
    originalDestination: originalDestination === undefined
      ? null
      : toDestination(originalDestination),
    timestamp: integer("timestamp", timestamp, Number(command.timestamp)),
    redeliveryCounter: integer("redeliveryCount", redeliveryCount, 0),
    userID: userId ?? null,
    brokerInTime: integer("brokerInTime", brokerInTime, 0),
    brokerOutTime: integer("brokerOutTime", brokerOutTime, 0),
  });
  return new CreatedMessage({
    command,
    redeliveryCount,
    body: new InflatedBody({}),
    codec,
  });
}

function integer(name: string, value: number | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  const most = name === "redeliveryCount" ? 0x7fffffff : Number.MAX_SAFE_INTEGER;
  if (Number.isInteger(value) && value >= 0 && value <= most) return value;
  throw new RangeError(
    `Cannot use ${numberText(value)} as ${name}: an integer from 0 to ${most} is expected`,
  );
}

const CREATE_MESSAGE_OPTIONS: OptionNames<CreateMessageOptions> = new OptionNames<
  CreateMessageOptions
>({
  messageId: true,
  destination: true,
  originalDestination: true,
  timestamp: true,
  redeliveryCount: true,
  userId: true,
  brokerInTime: true,
  brokerOutTime: true,
  codec: true,
  persistent: true,
  priority: true,
  timeToLive: true,
  correlationId: true,
  replyTo: true,
  type: true,
  groupId: true,
  groupSequence: true,
  properties: true,
});
