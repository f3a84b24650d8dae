/**
 * Producers.
 *
 * @module
 */

import {
  type ActiveMQDestination,
  createMessageId,
  createProducerId,
  createProducerInfo,
  createRemoveInfo,
  deflateMessage,
  type Message as WireMessage,
  type ProducerId,
  type SessionId,
} from "../codec/mod.ts";
import type { CallOptions } from "./call_options.ts";
import { idKey, type SessionContext } from "./session_context.ts";
import type { ProducerOptions } from "./producer_options.ts";
import type { TransactionContext } from "./transaction_context.ts";
import { type Destination, formatDestination, toDestination } from "./destination.ts";
import { ClosedError } from "./errors.ts";
import { formatMessageId } from "./message.ts";
import { type MessageBody, type MessageHeaders, toCommand } from "./outgoing_message.ts";

/**
 * Options of a single message.
 *
 * @example
 * ```ts
 * import type { SendOptions } from "../mod.ts";
 *
 * const options: SendOptions = { persistent: false, correlationId: "42", properties: { region: "eu-west-1" } };
 * ```
 */
export interface SendOptions extends MessageHeaders, CallOptions {
  /** Where to send it, if the producer was opened without a destination. */
  destination?: Destination;
  /** Whether the body is compressed (zlib). @default {false} */
  compress?: boolean;
}

/** What is known of a message that was sent. */
export interface SendResult {
  readonly messageId: string;
  readonly outcome: "confirmed" | "windowed" | "sent" | "transactional";
}

/** What a producer is made of. */
export interface ProducerParts {
  readonly context: SessionContext;
  readonly sessionId: SessionId;
  readonly value: number;
  readonly destination: ActiveMQDestination | null;
  readonly options: ProducerOptions;
  readonly transaction: TransactionContext | undefined;
  readonly onClose: (producer: MessageProducer) => void;
}

/**
 * Sends messages, in the order of the calls.
 *
 * @example
 * ```ts
 * import { connect } from "../mod.ts";
 * import { MemoryBroker } from "../testing/mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * await using broker = await MemoryBroker.listen();
 * await using connection = await connect(broker.url);
 * const session = await connection.createSession();
 * const producer = await session.createProducer("orders");
 * await producer.send("hello", { properties: { region: "eu-west-1" } });
 * assertEquals(broker.queue("orders").size, 1);
 * ```
 */
export class MessageProducer implements AsyncDisposable {
  /** Where it sends; null when each `send()` says where. */
  readonly destination: ActiveMQDestination | null;
  readonly #context: SessionContext;
  readonly #id: ProducerId;
  readonly #onClose: (producer: MessageProducer) => void;
  readonly #transaction: TransactionContext | undefined;
  readonly id: string;
  acknowledged(_size: number): void {}
  windowLost(): void {}
  async flush(): Promise<void> {
    await this.#compressing?.catch(() => {});
  }
  #sequence = 0;
  /** The last body that is being compressed: what is sent meanwhile waits behind it. */
  #compressing: Promise<unknown> | undefined;
  #ended: Error | undefined;
  #closing: Promise<void> | undefined;

  /**
   * Use `session.createProducer()`.
   *
   * @ignore Not for users.
   */
  constructor({ context, sessionId, value, destination, transaction, onClose }: ProducerParts) {
    this.#transaction = transaction;
    this.destination = destination;
    this.#context = context;
    this.#onClose = onClose;
    this.#id = createProducerId({
      connectionId: sessionId.connectionId,
      sessionId: sessionId.value,
      value,
    });
    this.id = idKey(this.#id);
  }

  /**
   * Announces the producer to the broker.
   *
   * @ignore Not for users.
   */
  async open(options: CallOptions): Promise<void> {
    const info = createProducerInfo({
      producerId: this.#id,
      destination: this.destination,
      dispatchAsync: true,
    });
    const where = this.destination ? ` for ${formatDestination(this.destination)}` : "";
    await this.#context.request(info, `Cannot open a producer${where}`, options);
  }

  /**
   * Sends a message.
   *
   * @param body A string makes a text message, a `Uint8Array` a bytes message; see {@linkcode MessageBody} for the others.
   * @param options Headers, properties and how long to wait.
   * @returns The message's id: when the broker has taken a persistent message, when the runtime has taken the bytes of one
   *   that isn't persistent.
   * @throws {BrokerError} When the broker refuses the message.
   * @throws {EncodeError} When the broker could not take it, because it is too large or a header too long. Nothing was
   *   sent.
   * @throws {TimeoutError} When the broker did not answer; it may have taken the message.
   * @throws {ConnectionClosedError} When the connection ended; the broker may have taken the message.
   * @throws {TypeError} When the body or an option is of a wrong kind.
   * @throws {RangeError} When an option is out of range.
   */
  async send(body: MessageBody, options: SendOptions = {}): Promise<SendResult> {
    this.#check();
    options.signal?.throwIfAborted();
    const destination = this.#destinationOf(options.destination);
    let command = toCommand(body, options);
    if (options.compress || this.#compressing) {
      command = await this.#inOrder(() => options.compress ? deflateMessage(command) : command);
      this.#check();
      options.signal?.throwIfAborted();
    }
    return await this.#send(command, destination, options);
  }

  /**
   * Closes the producer. Calling it again changes nothing.
   */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  /** The same as {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Takes no more messages.
   *
   * @ignore Not for users.
   */
  end(reason: Error): void {
    this.#ended ??= reason;
  }

  async #send(
    command: WireMessage,
    destination: ActiveMQDestination,
    options: CallOptions,
  ): Promise<SendResult> {
    command.producerId = this.#id;
    command.destination = destination;
    // Given now, in the order of the wire: the broker drops what comes with a lower number.
    command.messageId = createMessageId({
      producerId: this.#id,
      producerSequenceId: ++this.#sequence,
    });
    const action = `Cannot send to ${formatDestination(destination)}`;
    command.transactionId = this.#transaction?.begin() ?? null;
    if (command.persistent && !this.#transaction) {
      await this.#context.request(command, action, options);
    } else await this.#context.send(command, action, options);
    return {
      messageId: formatMessageId(command.messageId),
      outcome: command.transactionId ? "transactional" : command.persistent ? "confirmed" : "sent",
    };
  }

  /** Runs one step after another, so that no message overtakes one that is still being compressed. */
  async #inOrder<T>(step: () => T | Promise<T>): Promise<T> {
    const before = this.#compressing;
    const result = (async () => {
      await before?.catch(() => {});
      return await step();
    })();
    this.#compressing = result;
    try {
      return await result;
    } finally {
      if (this.#compressing === result) this.#compressing = undefined;
    }
  }

  #destinationOf(given: Destination | undefined): ActiveMQDestination {
    if (given === undefined) {
      if (this.destination) return this.destination;
      throw new TypeError("Cannot send: neither the producer nor the call has a destination");
    }
    if (this.destination) {
      throw new TypeError(
        `Cannot send elsewhere: the producer is bound to ${formatDestination(this.destination)}`,
      );
    }
    return toDestination(given);
  }

  #check(): void {
    if (this.#ended) throw this.#ended;
  }

  async #close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = new ClosedError("The producer was closed");
    this.#onClose(this);
    const { closeTimeout } = this.#context.settings;
    await this.#context.request(
      createRemoveInfo({ objectId: this.#id }),
      "Cannot close the producer",
      {
        timeout: closeTimeout,
      },
    );
  }
}
