/**
 * Browsers of queues.
 *
 * @module
 */

import { SIGNAL_OPTION } from "../call_options.ts";
import { OptionNames } from "../../option_names.ts";
import { type ActiveMQDestination, inspectAs } from "../../codec/mod.ts";
import type { CallOptions } from "../call_options.ts";
import type { ConsumerOptions } from "./consumer_options.ts";
import { closingIterator } from "../iterate.ts";
import type { Message } from "../message/message.ts";
import type { MessageConsumer } from "./message_consumer.ts";

/**
 * Options of a browser.
 *
 * @example
 * ```ts
 * import type { BrowserOptions } from "../../mod.ts";
 *
 * const options: BrowserOptions = { selector: "priority > 5" };
 * ```
 */
export type BrowserOptions = Pick<
  ConsumerOptions,
  "prefetchSize" | "maxBufferedBytes" | "selector" | "codec" | "timeout" | "signal"
>;

/**
 * Shows the messages of a queue and leaves them there. It ends at the end of the queue, and closes itself then, or when the
 * loop is left.
 *
 * ActiveMQ also shows messages that other consumers have and did not acknowledge. It loads the messages of a browser into its
 * memory: if they do not fit, the browser ends early and without an error. Messages of a browser cannot be acknowledged.
 *
 * @example
 * ```ts
 * import { connect } from "../../mod.ts";
 * import { MemoryBroker } from "../../testing/mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * await using broker = await MemoryBroker.listen();
 * await using connection = await connect(broker.url);
 * await using session = await connection.createSession();
 * await session.send("orders", "one");
 * await session.send("orders", "two");
 *
 * const texts: (string | null)[] = [];
 * for await (const message of await session.createBrowser("orders")) texts.push(message.text);
 * assertEquals(texts, ["one", "two"]);
 * assertEquals(broker.queue("orders").size, 2);
 * ```
 */
export class QueueBrowser implements AsyncIterable<Message>, AsyncDisposable {
  readonly #consumer: MessageConsumer;

  /**
   * Use `session.createBrowser()`.
   *
   * @ignore Not for users.
   */
  constructor(consumer: MessageConsumer) {
    this.#consumer = consumer;
  }

  /** The queue. */
  get destination(): ActiveMQDestination {
    return this.#consumer.destination;
  }

  /**
   * The messages from the head of the queue to its end.
   *
   * @param options Ends the loop with the signal's reason.
   * @throws {TimeoutError} From the loop, when the broker sends neither a message nor the end for `requestTimeout`.
   * @throws {ConnectionClosedError} From the loop, when the connection has ended.
   */
  messages(options: Pick<CallOptions, "signal"> = {}): AsyncIterableIterator<Message> {
    SIGNAL_OPTION.check(options, "Cannot browse");
    const messages = this.#consumer.messages(options);
    return closingIterator(messages, (message) => message, () => this.close());
  }

  /** The same as {@linkcode messages}. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Message> {
    return this.messages();
  }

  /**
   * Closes the browser. Calling it again changes nothing.
   *
   * @param options How long to wait; the connection's `closeTimeout` by default.
   */
  close(options: CallOptions = {}): Promise<void> {
    return this.#consumer.close(options);
  }

  /** The same as {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** What a log or a console shows of the browser: its queue, whether it is open, and the messages that are with it. */
  toJSON(): Record<string, unknown> {
    const { destination, selector, state, prefetchSize, buffered } = this.#consumer.toJSON();
    return { destination, selector, state, prefetchSize, buffered };
  }

  static {
    inspectAs(this, "QueueBrowser", (browser) => browser.toJSON());
  }
}

/** The names of these options. */
export const BROWSER_OPTIONS: OptionNames<BrowserOptions> = new OptionNames<BrowserOptions>({
  prefetchSize: true,
  maxBufferedBytes: true,
  selector: true,
  codec: true,
  timeout: true,
  signal: true,
});
