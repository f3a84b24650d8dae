/**
 * Sessions.
 *
 * @module
 */

import {
  createRemoveInfo,
  createSessionId,
  createSessionInfo,
  type SessionId,
} from "../codec/mod.ts";
import type { CallOptions, SessionContext } from "./connection.ts";
import { type Destination, toDestination } from "./destination.ts";
import { ClosedError } from "./errors.ts";
import { type ConsumerOptions, MessageConsumer } from "./message_consumer.ts";
import { MessageProducer } from "./message_producer.ts";

/**
 * When the messages of a session's consumers count as done.
 *
 * - `"auto"`: when `receive()` has returned one, when a loop asks for the next one, when a handler has ended well.
 * - `"individual"`: each when its `ack()` is called. No more than `prefetchSize` are on their way or not done.
 *
 * @example
 * ```ts
 * import type { AcknowledgeMode } from "../mod.ts";
 *
 * const mode: AcknowledgeMode = "individual";
 * ```
 */
export type AcknowledgeMode = "auto" | "individual";

/**
 * Options of a session.
 *
 * @example
 * ```ts
 * import type { SessionOptions } from "../mod.ts";
 *
 * const options: SessionOptions = { acknowledgeMode: "individual" };
 * ```
 */
export interface SessionOptions {
  /** When messages count as done. @default {"auto"} */
  acknowledgeMode?: AcknowledgeMode;
}

/**
 * A session: producers and consumers that are closed together.
 *
 * @example
 * ```ts
 * import { connect } from "../mod.ts";
 * import { MemoryBroker } from "../testing/mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * await using broker = await MemoryBroker.listen();
 * await using connection = await connect(broker.url);
 * await using session = await connection.createSession({ acknowledgeMode: "individual" });
 * const producer = await session.createProducer("orders");
 * const consumer = await session.createConsumer("orders");
 * assertEquals(broker.queue("orders").consumers, 1);
 * ```
 */
export class Session implements AsyncDisposable {
  /** When messages of its consumers count as done. */
  readonly acknowledgeMode: AcknowledgeMode;
  readonly #context: SessionContext;
  readonly #id: SessionId;
  readonly #consumers: Set<MessageConsumer> = new Set();
  readonly #producers: Set<MessageProducer> = new Set();
  #consumerCount = 0;
  #producerCount = 0;
  #ended: Error | undefined;
  #closing: Promise<void> | undefined;

  /**
   * Use `connection.createSession()`.
   *
   * @ignore Not for users.
   */
  constructor(
    context: SessionContext,
    value: number,
    { acknowledgeMode = "auto" }: SessionOptions,
  ) {
    if (acknowledgeMode !== "auto" && acknowledgeMode !== "individual") {
      throw new TypeError(
        `Cannot acknowledge in mode "${acknowledgeMode}": "auto" or "individual" is expected`,
      );
    }
    this.acknowledgeMode = acknowledgeMode;
    this.#context = context;
    this.#id = createSessionId({ connectionId: context.connectionId.value, value });
  }

  /**
   * Announces the session to the broker.
   *
   * @ignore Not for users.
   */
  async open(): Promise<void> {
    await this.#context.request(
      createSessionInfo({ sessionId: this.#id }),
      "Cannot open a session",
    );
    this.#context.addSession(this);
  }

  /**
   * Opens a producer.
   *
   * @param destination Where it sends; without one each `send()` says where.
   * @param options How long to wait.
   * @returns The producer.
   * @throws {BrokerError} When the broker refuses, for example for lack of a permission.
   * @throws {ClosedError} When the session is closed.
   */
  async createProducer(
    destination: Destination | null = null,
    options: CallOptions = {},
  ): Promise<MessageProducer> {
    this.#check();
    const producer = new MessageProducer({
      context: this.#context,
      sessionId: this.#id,
      value: ++this.#producerCount,
      destination: destination === null ? null : toDestination(destination),
      onClose: (closed) => this.#producers.delete(closed),
    });
    await producer.open(options);
    this.#producers.add(producer);
    return producer;
  }

  /**
   * Opens a consumer. Messages begin to come at once, up to its prefetch size.
   *
   * @param destination What it consumes.
   * @param options Prefetch size, selector and so on.
   * @returns The consumer.
   * @throws {BrokerError} When the broker refuses, for example for a bad selector.
   * @throws {ClosedError} When the session is closed.
   */
  async createConsumer(
    destination: Destination,
    options: ConsumerOptions = {},
  ): Promise<MessageConsumer> {
    this.#check();
    const consumer = new MessageConsumer({
      context: this.#context,
      sessionId: this.#id,
      value: ++this.#consumerCount,
      destination: toDestination(destination),
      acknowledgeMode: this.acknowledgeMode,
      onClose: (closed) => this.#consumers.delete(closed),
    }, options);
    this.#consumers.add(consumer);
    await consumer.open(options);
    return consumer;
  }

  /**
   * Closes its consumers and producers and the session. Messages that were not acknowledged go back to the broker. Calling
   * it again changes nothing.
   */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  /** The same as {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Ends it as far as that must be done before the connection is closed, which closes it for the broker.
   *
   * @ignore Not for users.
   */
  async retire(): Promise<void> {
    // A close under way must reach the broker before the connection's; its caller is told if it fails.
    if (this.#closing) await this.#closing.catch(() => {});
    else await this.#stop();
  }

  /** Lets handlers end, gives back what was not acknowledged, and takes no more messages. */
  async #stop(): Promise<void> {
    const ended = new ClosedError("The session was closed");
    this.#ended ??= ended;
    for (const producer of this.#producers) producer.end(ended);
    await Promise.all([...this.#consumers].map((consumer) => consumer.retire()));
    this.#consumers.clear();
    this.#producers.clear();
  }

  /**
   * Ends all that waits.
   *
   * @ignore Not for users.
   */
  connectionEnded(reason: Error): void {
    this.#ended ??= reason;
    for (const consumer of [...this.#consumers]) consumer.end(reason);
    for (const producer of [...this.#producers]) producer.end(reason);
    this.#consumers.clear();
    this.#producers.clear();
  }

  #check(): void {
    if (this.#ended) throw this.#ended;
  }

  async #close(): Promise<void> {
    if (this.#ended) return;
    await this.#stop();
    this.#context.removeSession(this);
    // -1: each consumer has said for itself what it had.
    const remove = createRemoveInfo({ objectId: this.#id, lastDeliveredSequenceId: -1 });
    await this.#context.request(remove, "Cannot close the session", {
      timeout: this.#context.settings.closeTimeout,
    });
  }
}
