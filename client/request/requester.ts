/**
 * Requests and their replies.
 *
 * @module
 */

import { OptionNames } from "../../option_names.ts";
import { numberText, OpenWireError } from "../../errors.ts";
import type { BrokerClock } from "../broker_clock.ts";
import type { CallOptions } from "../call_options.ts";
import type { Connection } from "../connection.ts";
import type { Deadlines } from "../deadlines.ts";
import { selector } from "../message/selector.ts";
import type { ConsumerOptions } from "../consumer/consumer_options.ts";
import {
  type Destination,
  formatDestination,
  nameOf,
  toDestination,
} from "../destination/destination.ts";
import { ConnectionClosedError, TimeoutError } from "../errors.ts";
import { Fifo } from "../fifo.ts";
import { leavable } from "../iterate.ts";
import type { Message } from "../message/message.ts";
import { milliseconds } from "../options.ts";
import { copyOptions, encodeBody, type MessageBody } from "../message/outgoing_message.ts";
import { RemoteError } from "./remote_error.ts";
import type { SendOptions } from "../producer/send_options.ts";
import type { TemporaryQueue } from "../destination/temporary_destination.ts";

/**
 * Options of `connection.request()`. Other than with `send()` the message isn't persistent by default, and is no longer needed
 * when the time to wait is over: the broker drops it then. That goes by the clocks of sender, broker and receiver; with
 * `timeToLive: 0` it is kept.
 *
 * @example
 * ```ts
 * import type { RequestOptions } from "../../mod.ts";
 *
 * const options: RequestOptions = { timeout: 2_000, properties: { region: "eu-west-1" } };
 * ```
 */
export interface RequestOptions
  extends Omit<SendOptions, "destination" | "replyTo" | "correlationId" | keyof CallOptions> {
  /**
   * A queue or topic of yours to which the reply is to be sent; a temporary queue of the connection by default. Use it where
   * temporary queues are not allowed, or where replies have to survive the loss of a connection.
   *
   * Several clients can share the queue: each one consumes the replies to its own requests, by a selector on the correlation
   * id. Responders must therefore copy the correlation id of the request, as `connection.respond()` does. The consumer stays
   * open until the connection ends. Replies that come after that stay in the queue until they expire.
   */
  replyTo?: Destination | undefined;
  /**
   * Milliseconds to wait for the reply, from the call on; 0 for ever. The connection's `requestTimeout` by default.
   */
  timeout?: number | undefined;
  /** Ends the wait; the request may be answered nevertheless. */
  signal?: AbortSignal | undefined;
}

/**
 * Options of `connection.requestMany()`.
 *
 * @example
 * ```ts
 * import type { RequestManyOptions } from "../../mod.ts";
 *
 * const options: RequestManyOptions = { timeout: 1_000, maxReplies: 10 };
 * ```
 */
export interface RequestManyOptions extends RequestOptions {
  /** Replies after which it ends, 1 or more; by default only the time counts. */
  maxReplies?: number | undefined;
  /** Milliseconds without another reply after which it ends, once one has come; 0 for no such limit. @default {0} */
  stallTimeout?: number | undefined;
}

/** What a {@linkcode Requester} needs. */
export interface RequesterParts {
  readonly connection: Pick<Connection, "createTemporaryQueue" | "createConsumer" | "send">;
  readonly deadlines: Deadlines;
  readonly requestTimeout: number;
  readonly nestedMapAndListEnabled: boolean;
  /** The broker's clock, to say when that may be why no reply has come. */
  readonly clock?: BrokerClock;
}

/** A request that waits for replies. */
interface Exchange {
  /** Where the replies come to, as text; empty for the temporary queue. */
  readonly replyTo: string;
  take(reply: Message): void;
  /** There will be no reply. */
  fail(error: unknown): void;
  /** The time is over. */
  late(): void;
}

/** Messages that the broker sends ahead to the consumer of all replies. */
const PREFETCH_SIZE = 1000;

/** Replies of one request that wait to be read, at most. */
const MOST_UNREAD = 10_000;

/**
 * Sends the requests of one connection. Replies come to one temporary queue, made for the first request, unless a request names
 * another destination.
 */
export class Requester {
  readonly #parts: RequesterParts;
  /** What correlation ids begin with if replies do not come to the temporary queue. */
  readonly #prefix: string = crypto.randomUUID();
  /** By correlation id. */
  readonly #exchanges: Map<string, Exchange> = new Map();
  #lateReplies = 0;
  /** Where replies come to, by the same text as in {@linkcode Exchange}. */
  readonly #replies: Map<string, Promise<Destination>> = new Map();
  #ended: Error | undefined;

  constructor(parts: RequesterParts) {
    this.#parts = parts;
  }

  /** Replies for which nobody waited any more. */
  get lateReplies(): number {
    return this.#lateReplies;
  }

  /** Number of requests that wait for replies. */
  get pending(): number {
    return this.#exchanges.size;
  }

  /** The connection has ended. */
  end(reason: Error): void {
    this.#ended = reason;
    for (const replyTo of [...this.#replies.keys(), ""]) this.#lost(replyTo, reason);
  }

  async request(
    destination: Destination,
    body: MessageBody,
    options: RequestOptions,
  ): Promise<Message> {
    const timeout = this.#check(options);
    const name = nameOf(toDestination(destination));
    const encoded = encodeBody(body, this.#parts.nestedMapAndListEnabled) as MessageBody;
    const { promise, resolve, reject } = Promise.withResolvers<Message>();
    const stop = this.#begin(destination, encoded, copyOptions(options), timeout, {
      replyTo: replyText(options.replyTo),
      take: resolve,
      fail: reject,
      late: () => {
        const hint = this.#parts.clock?.hint(options.timeToLive ?? timeout);
        const message = `No reply came to the request to ${name} within ${timeout} ms`;
        reject(new TimeoutError(hint ? `${message}. ${hint}` : message));
      },
    });
    try {
      const reply = await promise;
      const failure = RemoteError.of(reply);
      if (failure) throw failure;
      return reply;
    } finally {
      stop();
    }
  }

  requestMany(
    destination: Destination,
    body: MessageBody,
    { maxReplies = Infinity, stallTimeout, ...options }: RequestManyOptions,
  ): AsyncIterableIterator<Message> {
    const timeout = this.#check(options);
    const stall = milliseconds("stallTimeout", stallTimeout, 0);
    if (maxReplies !== Infinity && !(Number.isInteger(maxReplies) && maxReplies > 0)) {
      throw new RangeError(
        `Cannot use ${numberText(maxReplies)} as maxReplies: an integer of 1 or more is expected`,
      );
    }
    const to = toDestination(destination);
    const encoded = encodeBody(body, this.#parts.nestedMapAndListEnabled) as MessageBody;
    const given = copyOptions(options);
    return leavable(
      (signal) => this.#gather(to, encoded, { ...given, signal }, timeout, maxReplies, stall),
      options.signal,
    );
  }

  async *#gather(
    destination: Destination,
    body: MessageBody,
    options: RequestOptions,
    timeout: number,
    maxReplies: number,
    stallTimeout: number,
  ): AsyncGenerator<Message, void, undefined> {
    const replies: Fifo<Message> = new Fifo();
    let missing = maxReplies;
    let failure: { readonly error: unknown } | undefined;
    let wake = (): void => {};
    let cancelStall = (): void => {};
    const end = (): void => {
      missing = 0;
      stop();
      wake();
    };
    const stop = this.#begin(destination, body, options, timeout, {
      replyTo: replyText(options.replyTo),
      take: (reply) => {
        cancelStall();
        if (replies.length >= MOST_UNREAD) {
          const message = `Cannot take more replies: ${MOST_UNREAD} have come and were not read`;
          failure ??= { error: new OpenWireError("TOO_MANY_REPLIES", message) };
          return end();
        }
        replies.push(reply);
        if (--missing === 0) return end();
        cancelStall = this.#parts.deadlines.add(stallTimeout, end);
        wake();
      },
      fail: (error) => {
        failure ??= { error };
        wake();
      },
      late: end,
    });
    try {
      while (true) {
        options.signal?.throwIfAborted();
        const reply = replies.shift();
        if (reply) {
          yield reply;
          continue;
        }
        if (failure) throw failure.error;
        if (missing === 0) return;
        await new Promise<void>((resolve) => wake = resolve);
      }
    } finally {
      stop();
      cancelStall();
    }
  }

  /** The milliseconds to wait. */
  #check(options: RequestOptions): number {
    const given: SendOptions = options;
    for (const name of ["correlationId", "destination"] as const) {
      if (given[name] === undefined) continue;
      throw new TypeError(`Cannot send a request with a ${name} of its own`);
    }
    checkReplyTo(options.replyTo);
    return milliseconds("timeout", options.timeout, this.#parts.requestTimeout);
  }

  /** Sends a request; returns what ends the wait. */
  #begin(
    destination: Destination,
    body: MessageBody,
    options: RequestOptions,
    timeout: number,
    exchange: Exchange,
  ): () => void {
    if (this.#ended) {
      exchange.fail(this.#ended);
      return () => {};
    }
    const { signal } = options;
    // Unguessable: whoever has seen one request must not be able to answer another.
    const correlationId = (options.replyTo === undefined ? "" : this.#prefix) + crypto.randomUUID();
    const abort = (): void => exchange.fail(signal!.reason);
    const cancel = this.#parts.deadlines.add(timeout, exchange.late);
    const stop = (): void => {
      this.#exchanges.delete(correlationId);
      signal?.removeEventListener("abort", abort);
      cancel();
    };
    if (signal?.aborted) {
      abort();
      return stop;
    }
    signal?.addEventListener("abort", abort);
    this.#exchanges.set(correlationId, exchange);
    this.#send(destination, body, options, timeout, correlationId).catch(exchange.fail);
    return stop;
  }

  async #send(
    destination: Destination,
    body: MessageBody,
    options: RequestOptions,
    timeout: number,
    correlationId: string,
  ): Promise<void> {
    const start = performance.now();
    const replyTo = await this.#repliesTo(options.replyTo);
    if (!this.#exchanges.has(correlationId)) return;
    const left = timeout === 0 ? 0 : Math.max(1, Math.ceil(timeout - (performance.now() - start)));
    await this.#parts.connection.send(destination, body, {
      ...options,
      persistent: options.persistent ?? false,
      timeToLive: options.timeToLive ?? left,
      // A refusal would else be known to nobody who waits.
      confirm: options.confirm ?? true,
      replyTo,
      correlationId,
      timeout: left,
    });
  }

  /** Where replies are to be sent, once somebody receives them there. */
  #repliesTo(given: Destination | undefined): Promise<Destination> {
    const key = replyText(given);
    let replies = this.#replies.get(key);
    if (!replies) {
      replies = given === undefined ? this.#openTemporary() : this.#open(key, given, {
        selector: selector`JMSCorrelationID LIKE ${this.#prefix + "%"}`,
      });
      this.#replies.set(key, replies);
    }
    return replies;
  }

  async #openTemporary(): Promise<Destination> {
    let queue: TemporaryQueue | undefined;
    const remove = async (): Promise<void> => await queue?.delete().catch(() => {});
    try {
      queue = await this.#parts.connection.createTemporaryQueue();
      return await this.#open("", queue, {}, remove);
    } catch (error) {
      // The next request tries again.
      this.#replies.delete("");
      await remove();
      throw error;
    }
  }

  async #open(
    key: string,
    destination: Destination,
    options: ConsumerOptions,
    failed?: () => Promise<void>,
  ): Promise<Destination> {
    try {
      const consumer = await this.#parts.connection.createConsumer(destination, {
        prefetchSize: PREFETCH_SIZE,
        ...options,
      });
      consumer.consume((reply) => this.#take(reply)).then(
        () => this.#lost(key, new ConnectionClosedError("The connection is being closed")),
        (error) => {
          this.#lost(key, error);
          return failed?.();
        },
      ).catch(() => {});
      return destination;
    } catch (error) {
      // The next request tries again.
      this.#replies.delete(key);
      throw error;
    }
  }

  #take(reply: Message): void {
    const exchange = this.#exchanges.get(reply.correlationId ?? "");
    if (exchange) exchange.take(reply);
    else this.#lateReplies++;
  }

  /** No more replies come to a destination; the next request opens a consumer again. */
  #lost(replyTo: string, error: unknown): void {
    this.#replies.delete(replyTo);
    for (const exchange of this.#exchanges.values()) {
      if (exchange.replyTo === replyTo) exchange.fail(error);
    }
  }
}

function replyText(replyTo: Destination | undefined): string {
  return replyTo === undefined ? "" : formatDestination(toDestination(replyTo));
}

/** Checks that one consumer can receive what is sent to a destination. */
function checkReplyTo(replyTo: Destination | undefined): void {
  if (replyTo === undefined) return;
  const { physicalName } = toDestination(replyTo);
  if (!/[,*>]/.test(physicalName)) return;
  throw new TypeError(
    `Cannot request replies to ${
      nameOf(toDestination(replyTo))
    }: a single queue or topic is expected`,
  );
}

/** The names of these options. */
export const REQUEST_OPTIONS: OptionNames<RequestOptions> = new OptionNames<RequestOptions>({
  confirm: true,
  compress: true,
  compressionThreshold: true,
  persistent: true,
  priority: true,
  timeToLive: true,
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

/** The names of these options. */
export const REQUEST_MANY_OPTIONS: OptionNames<RequestManyOptions> = new OptionNames<
  RequestManyOptions
>({
  confirm: true,
  compress: true,
  compressionThreshold: true,
  persistent: true,
  priority: true,
  timeToLive: true,
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
  maxReplies: true,
  stallTimeout: true,
});
