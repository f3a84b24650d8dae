/**
 * Answering requests.
 *
 * @module
 */

import { OptionNames } from "../../option_names.ts";
import { type ActiveMQDestination, EncodeError, inspectAs } from "../../codec/mod.ts";
import { OpenWireError, toError } from "../../errors.ts";
import type { CallOptions } from "../call_options.ts";
import type { Connection } from "../connection.ts";
import type { ConsumerOptions } from "../consumer/consumer_options.ts";
import { type Destination, nameOf } from "../destination/destination.ts";
import { isSeveral } from "../destination/destination_pattern.ts";
import { BrokerError, TimeoutError } from "../errors.ts";
import { harmless } from "../harmless.ts";
import { isPlainObject } from "../message/body_kind.ts";
import type { Message } from "../message/message.ts";
import type { MessageConsumer } from "../consumer/message_consumer.ts";
import type { MessageBody, MessageHeaders } from "../message/outgoing_message.ts";
import { ERROR_CODE } from "./remote_error.ts";

/**
 * A reply with headers.
 *
 * @example
 * ```ts
 * import type { Reply } from "../../mod.ts";
 *
 * const reply: Reply = { body: { json: { price: 3 } }, properties: { currency: "EUR" } };
 * ```
 */
export interface Reply extends Omit<MessageHeaders, "correlationId" | "timeToLive"> {
  /** What is sent. */
  body: MessageBody;
  /** Whether the body is compressed; as the connection says by default. */
  compress?: boolean | undefined;
}

/**
 * What a {@linkcode RequestHandler} returns when the request shall not be answered, for example because another responder
 * will.
 *
 * @example
 * ```ts
 * import { noReply, type RequestHandler } from "../../mod.ts";
 *
 * const handler: RequestHandler = (request) => request.text === "mine" ? "here" : noReply;
 * ```
 */
export const noReply: unique symbol = Symbol("noReply");

/**
 * Answers a request: what it returns is sent back. Undefined is answered with a message without a body, as null is.
 *
 * When it throws the requester gets a `RemoteError` with the message and the `code` of what was thrown.
 *
 * @example
 * ```ts
 * import type { RequestHandler } from "../../mod.ts";
 *
 * const handler: RequestHandler = (request) => ({ json: { length: request.text?.length } });
 * ```
 */
export type RequestHandler = (
  request: Message,
) =>
  | MessageBody
  | Reply
  | undefined
  | typeof noReply
  | Promise<MessageBody | Reply | undefined | typeof noReply>;

/**
 * Options of `connection.respond()`: those of a consumer, and how many requests are answered at the same time.
 *
 * @example
 * ```ts
 * import type { ResponderOptions } from "../../mod.ts";
 *
 * const options: ResponderOptions = { concurrency: 8, prefetchSize: 16 };
 * ```
 */
export interface ResponderOptions extends ConsumerOptions {
  /** Requests that are with the handler at the same time, 1 or more. @default {1} */
  concurrency?: number | undefined;
}

/** What a {@linkcode Responder} is made of. */
export interface ResponderParts {
  readonly connection: Pick<Connection, "createConsumer" | "send">;
  /** Tells of a failure that answers no call. */
  report(error: Error): void;
}

/**
 * Answers requests, until it is closed. It is made by `connection.respond()`.
 *
 * A request is acknowledged when its reply was sent, so if the connection ends before, it is given to another responder. The
 * handler need not settle it.
 *
 * @example
 * ```ts
 * import { connect } from "../../mod.ts";
 * import { MemoryBroker } from "../../testing/mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * await using broker = await MemoryBroker.listen();
 * await using connection = await connect(broker.url);
 * await using responder = await connection.respond("upper", (request) => request.text!.toUpperCase());
 * const reply = await connection.request("upper", "hello");
 * assertEquals(reply.text, "HELLO");
 * ```
 */
export class Responder implements AsyncDisposable {
  /** Where the requests come from. */
  readonly destination: ActiveMQDestination;
  /** Resolves when it has ended, with what ended it unless it was closed here. Never rejects. */
  readonly closed: Promise<Error | undefined>;
  readonly #parts: ResponderParts;
  readonly #handler: RequestHandler;
  readonly #consumer: MessageConsumer;

  /**
   * Use `connection.respond()`.
   *
   * @ignore Not for users.
   */
  constructor(
    parts: ResponderParts,
    consumer: MessageConsumer,
    handler: RequestHandler,
    concurrency: number | undefined,
  ) {
    this.destination = consumer.destination;
    this.#parts = parts;
    this.#consumer = consumer;
    this.#handler = handler;
    this.closed = consumer.consume((request) => this.#answer(request), { concurrency })
      .then(() => undefined, (error) => error);
  }

  /**
   * Takes no more requests and ends when those that have come are answered.
   *
   * @param options How long to wait; 30,000 ms by default.
   * @throws {TimeoutError} When that took too long; it is closed nevertheless.
   */
  drain(options: CallOptions = {}): Promise<void> {
    return this.#consumer.drain(options);
  }

  /**
   * Ends it when the handler has ended. Requests that were not answered go back to the broker. Calling it again changes
   * nothing.
   *
   * @param options How long to wait for the handler, and then for the broker; the connection's `closeTimeout` by default.
   */
  close(options: CallOptions = {}): Promise<void> {
    return this.#consumer.close(options);
  }

  /** The same as {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** What a log or a console shows of the responder: where the requests come from, whether it is open, and how many are with it. */
  toJSON(): Record<string, unknown> {
    const { destination, selector, state, buffered, unsettled } = this.#consumer.toJSON();
    return { destination, selector, state, buffered, unsettled };
  }

  static {
    inspectAs(this, "Responder", (responder) => responder.toJSON());
  }

  async #answer(request: Message): Promise<void> {
    let result: MessageBody | Reply | undefined | typeof noReply;
    try {
      result = await this.#handler(request);
    } catch (error) {
      this.#report(error);
      result = failure(error);
    }
    if (result === noReply || (result === undefined && !request.replyTo)) return;
    const reply = isReply(result) ? result : { body: result ?? null };
    try {
      await this.#reply(request, reply);
    } catch (error) {
      if (error instanceof OpenWireError && !(error instanceof EncodeError)) throw error;
      // It can't be sent as it is.
      this.#report(error);
      await this.#reply(request, failure(error));
    }
  }

  async #reply(request: Message, { body, ...headers }: Reply): Promise<void> {
    const { replyTo } = request;
    const id = harmless(request.id);
    if (!replyTo) {
      const message = `Cannot reply to ${id}: it has no replyTo`;
      return this.#report(new OpenWireError("NO_REPLY_TO", message));
    }
    // One request must not become messages for all that its sender likes to name.
    if (isSeveral(replyTo)) {
      const message = `Cannot reply to ${id}: its replyTo stands for several destinations`;
      return this.#report(new OpenWireError("NO_REPLY_TO", message));
    }
    const left = request.expiration === 0 ? undefined : request.expiration - Date.now();
    if (left !== undefined && left <= 0) {
      const name = nameOf(replyTo);
      return this.#report(
        new TimeoutError(`Cannot reply to ${id} at ${name}: it has expired`),
      );
    }
    try {
      await this.#parts.connection.send(replyTo, body, {
        ...headers,
        persistent: headers.persistent ?? false,
        correlationId: request.correlationId || request.id,
        timeToLive: left ?? 0,
        confirm: true,
      });
    } catch (error) {
      // The requester has gone, or may not be answered: nothing would be won by doing it again.
      if (!(error instanceof BrokerError) || error.retryable) throw error;
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    this.#parts.report(toError(error));
  }
}

/** Opens a responder. */
export async function openResponder(
  parts: ResponderParts,
  destination: Destination,
  handler: RequestHandler,
  { concurrency, ...options }: ResponderOptions,
): Promise<Responder> {
  if (typeof handler !== "function") {
    throw new TypeError(`Cannot use a ${typeof handler} as a handler: a function is expected`);
  }
  const consumer = await parts.connection.createConsumer(destination, options);
  try {
    return new Responder(parts, consumer, handler, concurrency);
  } catch (error) {
    await consumer.close();
    throw error;
  }
}

function isReply(result: MessageBody | Reply | undefined): result is Reply {
  return isPlainObject(result) && Object.hasOwn(result, "body") &&
    Reflect.ownKeys(result).every((name) => typeof name === "string" && REPLY_NAMES.has(name));
}

const REPLY_NAMES: ReadonlySet<string> = new Set(Object.keys(
  {
    body: true,
    compress: true,
    persistent: true,
    priority: true,
    replyTo: true,
    type: true,
    groupId: true,
    groupSequence: true,
    deduplicationId: true,
    properties: true,
  } satisfies Record<keyof Reply, true>,
));

/** The reply that tells of a failure. */
function failure(error: unknown): Reply {
  const { name, message } = toError(error);
  const code = codeOf(error);
  return { body: message, properties: { [ERROR_CODE]: code ?? (name || "Error") } };
}

/** The code of what was thrown, if it has one that is text. */
function codeOf(error: unknown): string | undefined {
  try {
    const { code } = error as { code?: unknown };
    return typeof code === "string" && code !== "" ? code : undefined;
  } catch {
    return undefined;
  }
}

/** The names of these options. */
export const RESPONDER_OPTIONS: OptionNames<ResponderOptions> = new OptionNames<ResponderOptions>({
  concurrency: true,
  prefetchSize: true,
  maximumPendingMessageLimit: true,
  maxBufferedBytes: true,
  maxUnacknowledged: true,
  selector: true,
  noLocal: true,
  exclusive: true,
  retroactive: true,
  priority: true,
  dispatchAsync: true,
  subscriptionName: true,
  shared: true,
  durable: true,
  optimizeAcknowledge: true,
  streams: true,
  redeliveryPolicy: true,
  codec: true,
  timeout: true,
  signal: true,
});
