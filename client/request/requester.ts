/**
 * Requests and their replies.
 *
 * @module
 */

import { OpenWireError } from "../../errors.ts";
import type { CallOptions } from "../call_options.ts";
import type { Connection } from "../connection.ts";
import type { Deadlines } from "../deadlines.ts";
import { type Destination, nameOf, toDestination } from "../destination/destination.ts";
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
}

/** A request that waits for replies. */
interface Exchange {
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

/** Sends the requests of one connection. All replies come to one temporary queue, made for the first request. */
export class Requester {
  readonly #parts: RequesterParts;
  /** By correlation id. */
  readonly #exchanges: Map<string, Exchange> = new Map();
  #lateReplies = 0;
  #replies: Promise<TemporaryQueue> | undefined;
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
    this.#lost(reason);
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
      take: resolve,
      fail: reject,
      late: () => {
        reject(new TimeoutError(`No reply came to the request to ${name} within ${timeout} ms`));
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
        `Cannot use ${maxReplies} as maxReplies: an integer of 1 or more is expected`,
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
    for (const name of ["replyTo", "correlationId", "destination"] as const) {
      if (given[name] === undefined) continue;
      throw new TypeError(`Cannot send a request with a ${name} of its own`);
    }
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
    const correlationId = crypto.randomUUID();
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
    const replyTo = await (this.#replies ??= this.#open());
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

  async #open(): Promise<TemporaryQueue> {
    const { connection } = this.#parts;
    let queue: TemporaryQueue | undefined;
    try {
      queue = await connection.createTemporaryQueue();
      const consumer = await connection.createConsumer(queue, { prefetchSize: PREFETCH_SIZE });
      consumer.consume((reply) => this.#take(reply)).then(
        () => this.#lost(new ConnectionClosedError("The connection is being closed")),
        (error) => {
          this.#lost(error);
          return queue!.delete();
        },
      ).catch(() => {});
      return queue;
    } catch (error) {
      // The next request tries again.
      this.#replies = undefined;
      await queue?.delete().catch(() => {});
      throw error;
    }
  }

  #take(reply: Message): void {
    const exchange = this.#exchanges.get(reply.correlationId ?? "");
    if (exchange) exchange.take(reply);
    else this.#lateReplies++;
  }

  /** No more replies come to the queue; the next request makes a new one. */
  #lost(error: unknown): void {
    this.#replies = undefined;
    for (const exchange of this.#exchanges.values()) exchange.fail(error);
  }
}
