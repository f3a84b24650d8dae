/**
 * Consumers.
 *
 * @module
 */

import {
  type ActiveMQDestination,
  type ConsumerId,
  createConsumerId,
  createConsumerInfo,
  createMessageAck,
  createRemoveInfo,
  inflateMessage,
  type Long,
  type Message as WireMessage,
  type MessageAck,
  type MessageDispatch,
  type RemoveInfo,
  type SessionId,
  type Throwable,
} from "../codec/mod.ts";
import { OpenWireError } from "../errors.ts";
import { type CallOptions, consumerKey, type SessionContext } from "./connection.ts";
import { formatDestination } from "./destination.ts";
import { BrokerError, ClosedError } from "./errors.ts";
import { Message } from "./message.ts";
import { milliseconds } from "./options.ts";
import type { AcknowledgeMode } from "./session.ts";

/**
 * Options of a consumer.
 *
 * @example
 * ```ts
 * import type { ConsumerOptions } from "../mod.ts";
 *
 * const options: ConsumerOptions = { prefetchSize: 10, selector: "region = 'eu-west-1'" };
 * ```
 */
export interface ConsumerOptions extends CallOptions {
  /** How many messages the broker sends ahead, 1 to 32,767. @default {1000} */
  prefetchSize?: number;
  /** SQL-92 condition on headers and properties; all messages by default. */
  selector?: string;
  /** Whether messages sent through the same connection are left out (topics). @default {false} */
  noLocal?: boolean;
  /** Whether to be the only consumer of the queue that gets messages. @default {false} */
  exclusive?: boolean;
  /** Whether to get messages of a topic from before, if the broker kept some. @default {false} */
  retroactive?: boolean;
  /** Consumers of a higher priority are served first; -128 to 127. @default {0} */
  priority?: number;
}

/**
 * Takes a message. The message counts as done when it returns, or when its promise resolves; if it fails, the message is
 * given to it again.
 *
 * @example
 * ```ts
 * import type { MessageHandler } from "../mod.ts";
 *
 * const handler: MessageHandler = async (message) => console.log(message.text);
 * ```
 */
export type MessageHandler = (message: Message) => void | Promise<void>;

/** What a consumer is made of. */
export interface ConsumerParts {
  readonly context: SessionContext;
  readonly sessionId: SessionId;
  readonly value: number;
  readonly destination: ActiveMQDestination;
  readonly acknowledgeMode: AcknowledgeMode;
  readonly onClose: (consumer: MessageConsumer) => void;
}

/** Java: MessageAck. */
const AckType = { poison: 1, standard: 2, redelivered: 3, individual: 4, expired: 6 } as const;

/** What a failed handler is given again before the message is given up (Java: RedeliveryPolicy). */
const MAXIMUM_REDELIVERIES = 6;
const REDELIVERY_DELAY = 1000;

/** A message that came from the broker. */
interface Delivery {
  readonly dispatch: MessageDispatch;
  /** The message, when it is ready to be read; compressed ones aren't at first. */
  command: WireMessage | undefined;
  bodyError: unknown;
  redeliveryCount: number;
  settled: boolean;
}

/** Someone who waits for a message. */
interface Receiver {
  give(delivery: Delivery): void;
  /**
   * Tells that there will be no more.
   *
   * @ignore Not for users.
   */
  end(reason: Error | undefined): void;
}

/**
 * Receives messages, in one of three ways: with `receive()`, with `for await`, or with a handler given to
 * {@linkcode MessageConsumer.consume}.
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
 * for (const text of ["one", "two", "three"]) await producer.send(text);
 *
 * const consumer = await session.createConsumer("orders");
 * const texts: (string | null)[] = [];
 * for await (const message of consumer) {
 *   texts.push(message.text);
 *   if (texts.length === 3) break;
 * }
 * assertEquals(texts, ["one", "two", "three"]);
 * ```
 */
export class MessageConsumer implements AsyncIterable<Message>, AsyncDisposable {
  /** Text of its id within the connection. */
  readonly id: string;
  /** What it consumes. */
  readonly destination: ActiveMQDestination;
  readonly #context: SessionContext;
  readonly #consumerId: ConsumerId;
  readonly #auto: boolean;
  readonly #onClose: (consumer: MessageConsumer) => void;
  readonly #options: ConsumerOptions;
  readonly #buffer: Delivery[] = [];
  readonly #receivers: Set<Receiver> = new Set();
  #preparing = false;
  /** What the application got and did not settle yet, in that order. */
  readonly #unsettled: Set<Delivery> = new Set();
  /** Why there are no more messages; those that were given can still be acknowledged. */
  #ended: Error | undefined;
  /** Whether the broker takes no more acknowledgements. */
  #removed = false;
  #handling: Promise<void> | undefined;
  #stopHandling: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  /**
   * Use `session.createConsumer()`.
   *
   * @ignore Not for users.
   */
  constructor(parts: ConsumerParts, options: ConsumerOptions) {
    checkOptions(options);
    const { connectionId, value } = parts.sessionId;
    this.destination = parts.destination;
    this.#context = parts.context;
    this.#auto = parts.acknowledgeMode === "auto";
    this.#onClose = parts.onClose;
    this.#options = options;
    this.#consumerId = createConsumerId({ connectionId, sessionId: value, value: parts.value });
    this.id = consumerKey(this.#consumerId);
  }

  /** Number of messages that have come and wait to be taken. */
  get buffered(): number {
    return this.#buffer.length;
  }

  /**
   * Announces the consumer to the broker. Messages may come before the broker's answer.
   *
   * @ignore Not for users.
   */
  async open({ timeout, signal }: CallOptions): Promise<void> {
    const { prefetchSize = 1000, selector, noLocal, exclusive, retroactive, priority } =
      this.#options;
    const info = createConsumerInfo({
      consumerId: this.#consumerId,
      destination: this.destination,
      prefetchSize,
      selector: selector ?? null,
      noLocal: noLocal ?? false,
      exclusive: exclusive ?? false,
      retroactive: retroactive ?? false,
      priority: priority ?? 0,
      dispatchAsync: true,
    });
    this.#context.addConsumer(this);
    try {
      const action = `Cannot open a consumer of ${formatDestination(this.destination)}`;
      await this.#context.request(info, action, { timeout, signal });
    } catch (error) {
      this.end(new ClosedError("The consumer could not be opened", { cause: error }));
      this.#context.removeConsumer(this);
      this.#onClose(this);
      // The broker may have opened it although we no longer wait for its answer.
      if (!(error instanceof BrokerError)) this.#removeQuietly();
      throw error;
    }
  }

  /**
   * Waits for a message. In mode `"auto"` it is acknowledged before this returns.
   *
   * @param options How long to wait: `timeout` is 30,000 ms by default, 0 waits for ever.
   * @returns The message; null when none came in time, or when the consumer was closed.
   * @throws {ConnectionClosedError} When the connection has ended.
   * @throws The signal's reason when it is aborted; no message is lost.
   */
  receive({ timeout, signal }: CallOptions = {}): Promise<Message | null> {
    return this.#receive(milliseconds("timeout", timeout, 30_000), signal, () => {});
  }

  /**
   * Takes a message that has come already. In mode `"auto"` it is acknowledged before this returns.
   *
   * @returns The message; null when none has come.
   * @throws {ConnectionClosedError} When the connection has ended.
   */
  receiveNoWait(): Promise<Message | null> {
    return this.#receive(this.#context.settings.requestTimeout, undefined, (receiver) => {
      // A message that is being inflated has come, and nobody is before us.
      const coming = this.#preparing && this.#receivers.size === 1;
      if (!coming) receiver.end(undefined);
    });
  }

  #receive(
    timeout: number,
    signal: AbortSignal | undefined,
    waiting: (receiver: Receiver) => void,
  ): Promise<Message | null> {
    this.#refuseWhileHandling();
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const settle = (): void => {
        this.#receivers.delete(receiver);
        cancel();
        signal?.removeEventListener("abort", abort);
      };
      const abort = (): void => {
        settle();
        reject(signal!.reason);
      };
      const receiver: Receiver = {
        give: (delivery) => {
          settle();
          const message = this.#toMessage(delivery);
          if (this.#auto) this.#acknowledgeQuietly(delivery);
          resolve(message);
        },
        end: (reason) => {
          settle();
          if (reason) reject(reason);
          else resolve(null);
        },
      };
      const cancel = this.#context.deadlines.add(timeout, () => receiver.end(undefined));
      signal?.addEventListener("abort", abort);
      this.#wait(receiver);
      if (this.#receivers.has(receiver)) waiting(receiver);
    });
  }

  /**
   * Messages one after another, until the consumer is closed.
   *
   * In mode `"auto"` a message is acknowledged when the next one is asked for. The one with which the loop is left is not:
   * call its `ack()`, or it will be delivered again.
   *
   * @throws {ConnectionClosedError} From the loop, when the connection has ended.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Message> {
    this.#refuseWhileHandling();
    let current: Delivery | undefined;
    let done = false;
    let waiting: Receiver | undefined;
    const next = (): Promise<IteratorResult<Message>> => {
      if (this.#auto && current) this.#acknowledgeQuietly(current);
      current = undefined;
      if (done) return Promise.resolve({ done: true, value: undefined });
      return new Promise((resolve, reject) => {
        const receiver: Receiver = {
          give: (delivery) => {
            this.#receivers.delete(receiver);
            current = delivery;
            resolve({ done: false, value: this.#toMessage(delivery) });
          },
          end: (reason) => {
            this.#receivers.delete(receiver);
            done = true;
            if (reason) reject(reason);
            else resolve({ done: true, value: undefined });
          },
        };
        waiting = receiver;
        this.#wait(receiver);
      });
    };
    const leave = (): Promise<IteratorResult<Message>> => {
      done = true;
      waiting?.end(undefined);
      return Promise.resolve({ done: true, value: undefined });
    };
    const iterator: AsyncIterableIterator<Message> = {
      next,
      return: leave,
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  /**
   * Gives each message to a handler, one at a time.
   *
   * In mode `"auto"` a message is acknowledged when the handler has ended well. When the handler fails, it gets the message
   * again after a second, up to six times; then the broker moves the message to its dead letter queue. In mode
   * `"individual"` the handler acknowledges, and what it throws is told by the connection's `status()`.
   *
   * @param handler Takes a message.
   * @returns Resolves when the consumer was closed and the handler has ended; rejects when the connection ended.
   */
  consume(handler: MessageHandler): Promise<void> {
    this.#refuseWhileHandling();
    if (this.#receivers.size > 0) {
      throw new TypeError("Cannot use a handler while receive() or a loop waits");
    }
    const running = this.#handleAll(handler);
    // Who does not wait for the end learns of it by the connection.
    running.catch(() => {});
    this.#handling = running;
    return running;
  }

  /**
   * Closes the consumer, after the handler has ended. Messages that were not acknowledged go back to the broker. Calling it
   * again changes nothing.
   *
   * Don't wait for it inside the handler: it waits for the handler, for `closeTimeout` milliseconds at most.
   */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  /** The same as {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Takes a message from the broker.
   *
   * @ignore Not for users.
   */
  dispatch(dispatch: MessageDispatch): void {
    const command = dispatch.message;
    if (command === null || this.#ended) return;
    this.#buffer.push({
      dispatch,
      command: command.compressed ? undefined : command,
      bodyError: undefined,
      redeliveryCount: dispatch.redeliveryCounter,
      settled: false,
    });
    this.#pump();
  }

  /**
   * The broker has closed the consumer, for example because it was too slow.
   *
   * @ignore Not for users.
   */
  closedByBroker(): void {
    this.#context.removeConsumer(this);
    this.end(new ClosedError("The broker closed the consumer"));
    this.#onClose(this);
  }

  /**
   * Lets the handler end and takes no more messages.
   *
   * @ignore Not for users.
   */
  async stop(): Promise<void> {
    this.#finish(new ClosedError("The consumer was closed"), undefined);
    if (!this.#handling) return;
    let cancel = (): void => {};
    const late = new Promise<void>((resolve) => {
      cancel = this.#context.deadlines.add(this.#context.settings.closeTimeout, resolve);
    });
    await Promise.race([this.#handling.catch(() => {}), late]);
    cancel();
  }

  /** Ends all that waits, with an error. */
  end(reason: Error): void {
    this.#removed = true;
    this.#finish(reason, reason);
  }

  #finish(ended: Error, reason: Error | undefined): void {
    if (this.#ended) return;
    this.#ended = ended;
    this.#buffer.length = 0;
    this.#stopHandling?.();
    for (const receiver of [...this.#receivers]) receiver.end(reason);
  }

  async #close(): Promise<void> {
    if (this.#ended) return;
    await this.stop();
    this.#removed = true;
    this.#context.removeConsumer(this);
    this.#onClose(this);
    const { closeTimeout } = this.#context.settings;
    await this.#context.request(this.#removeInfo(), "Cannot close the consumer", {
      timeout: closeTimeout,
    });
  }

  /**
   * Closes it without waiting for the broker, because its session is about to be closed.
   *
   * @ignore Not for users.
   */
  async retire(): Promise<void> {
    // A close under way must reach the broker before the session's; its caller is told if it fails.
    if (this.#closing) await this.#closing.catch(() => {});
    else await (this.#closing = this.#retire());
  }

  async #retire(): Promise<void> {
    if (this.#ended) return;
    await this.stop();
    this.#removed = true;
    this.#context.removeConsumer(this);
    const timeout = this.#context.settings.closeTimeout;
    await this.#context.send(this.#removeInfo(), "Cannot close the consumer", { timeout });
  }

  /**
   * Up to the message that it names the broker counts messages as delivered. It must be one that was not settled, because
   * the broker looks for it among those; -1 says that there is none.
   */
  #removeInfo(): RemoveInfo {
    let lastDeliveredSequenceId: Long = -1;
    for (const { dispatch } of this.#unsettled) {
      lastDeliveredSequenceId = dispatch.message!.messageId?.brokerSequenceId ?? -1;
    }
    return createRemoveInfo({ objectId: this.#consumerId, lastDeliveredSequenceId });
  }

  #removeQuietly(): void {
    this.#context.send(this.#removeInfo(), "Cannot close the consumer").catch(() => {});
  }

  #refuseWhileHandling(): void {
    if (this.#handling) {
      throw new TypeError("Cannot receive otherwise: the messages go to a handler");
    }
  }

  #wait(receiver: Receiver): void {
    if (this.#ended) {
      return receiver.end(this.#ended instanceof ClosedError ? undefined : this.#ended);
    }
    this.#receivers.add(receiver);
    this.#pump();
  }

  /** Gives messages to whoever waits, in their order. */
  #pump(): void {
    while (this.#receivers.size > 0 && this.#buffer.length > 0 && !this.#preparing) {
      const delivery = this.#buffer[0]!;
      if (this.#isExpired(delivery)) {
        this.#buffer.shift();
        this.#settle(delivery, AckType.expired).catch((error) => this.#context.report(error));
      } else if (delivery.command === undefined) {
        this.#prepare(delivery);
      } else {
        this.#buffer.shift();
        const [receiver] = this.#receivers;
        this.#unsettled.add(delivery);
        receiver!.give(delivery);
      }
    }
  }

  #isExpired({ dispatch }: Delivery): boolean {
    const expiration = Number(dispatch.message!.expiration);
    return expiration > 0 && Date.now() > expiration;
  }

  /** Inflates a body; one that can't be inflated fails when it is read. */
  async #prepare(delivery: Delivery): Promise<void> {
    const command = delivery.dispatch.message!;
    this.#preparing = true;
    try {
      const { maxInflatedSize } = this.#context.settings;
      delivery.command = await inflateMessage(command, { maxInflatedSize });
    } catch (error) {
      delivery.bodyError = error;
      delivery.command = command;
    }
    this.#preparing = false;
    this.#pump();
  }

  #toMessage(delivery: Delivery): Message {
    const type = this.#auto ? AckType.standard : AckType.individual;
    const acknowledge = (): Promise<void> => this.#settle(delivery, type);
    return new Message(
      delivery.command!,
      delivery.redeliveryCount,
      acknowledge,
      delivery.bodyError,
    );
  }

  /** Acknowledges unless the application has done so itself. */
  #acknowledgeQuietly(delivery: Delivery): void {
    if (delivery.settled || this.#removed) return;
    this.#settle(delivery, AckType.standard).catch((error) => this.#context.report(error));
  }

  async #settle(
    delivery: Delivery,
    ackType: number,
    poisonCause: Throwable | null = null,
  ): Promise<void> {
    if (delivery.settled) {
      throw new OpenWireError(
        "ILLEGAL_STATE",
        "Cannot acknowledge the message: it was done already",
      );
    }
    if (this.#removed) throw this.#ended;
    delivery.settled = true;
    this.#unsettled.delete(delivery);
    await this.#context.send(this.#ack(delivery, ackType, poisonCause), "Cannot acknowledge");
  }

  #ack({ dispatch }: Delivery, ackType: number, poisonCause: Throwable | null): MessageAck {
    const messageId = dispatch.message!.messageId;
    return createMessageAck({
      destination: dispatch.destination,
      consumerId: this.#consumerId,
      ackType,
      firstMessageId: ackType === AckType.individual ? null : messageId,
      lastMessageId: messageId,
      messageCount: 1,
      poisonCause,
    });
  }

  async #handleAll(handler: MessageHandler): Promise<void> {
    while (true) {
      const delivery = await new Promise<Delivery | undefined>((resolve, reject) => {
        const receiver: Receiver = {
          give: (delivery) => {
            this.#receivers.delete(receiver);
            resolve(delivery);
          },
          end: (reason) => {
            this.#receivers.delete(receiver);
            if (reason) reject(reason);
            else resolve(undefined);
          },
        };
        this.#wait(receiver);
      });
      if (delivery === undefined) return;
      await this.#handle(handler, delivery);
    }
  }

  /** Gives one message to the handler until that ends well, or it is given up. */
  async #handle(handler: MessageHandler, delivery: Delivery): Promise<void> {
    while (true) {
      try {
        await handler(this.#toMessage(delivery));
        if (this.#auto && !delivery.settled) {
          await this.#settle(delivery, AckType.standard).catch((error) =>
            this.#context.report(error)
          );
        }
        return;
      } catch (error) {
        this.#context.report(error instanceof Error ? error : new Error(String(error)));
        if (!this.#auto || delivery.settled || this.#ended) return;
        if (++delivery.redeliveryCount > MAXIMUM_REDELIVERIES) {
          const cause = toThrowable(error, delivery.redeliveryCount);
          await this.#settle(delivery, AckType.poison, cause).catch((error) =>
            this.#context.report(error)
          );
          return;
        }
        await this.#pause(REDELIVERY_DELAY);
        if (this.#ended) return;
      }
    }
  }

  /** Waits, but not when the consumer is closed. */
  async #pause(delay: number): Promise<void> {
    let cancel = (): void => {};
    await new Promise<void>((resolve) => {
      this.#stopHandling = resolve;
      cancel = this.#context.deadlines.add(delay, resolve);
    });
    cancel();
    this.#stopHandling = undefined;
  }
}

function checkOptions({ prefetchSize = 1000, priority = 0, selector }: ConsumerOptions): void {
  if (!Number.isInteger(prefetchSize) || prefetchSize < 1 || prefetchSize > 32767) {
    throw new RangeError(
      `Cannot use ${prefetchSize} as prefetchSize: an integer from 1 to 32767 is expected`,
    );
  }
  if (!Number.isInteger(priority) || priority < -128 || priority > 127) {
    throw new RangeError(
      `Cannot use ${priority} as priority: an integer from -128 to 127 is expected`,
    );
  }
  if (selector !== undefined && typeof selector !== "string") {
    throw new TypeError("Cannot use the selector: a string is expected");
  }
}

/** What the broker keeps with a message that was given up. */
function toThrowable(error: unknown, deliveries: number): Throwable {
  const reason = error instanceof Error ? error.message : String(error);
  return {
    className: "java.lang.Throwable",
    message: `Delivered ${deliveries} times, and the handler failed each time: ${reason}`.slice(
      0,
      1000,
    ),
    stackTrace: [],
    cause: null,
  };
}
