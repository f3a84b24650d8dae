/**
 * Advisories as a sequence of events.
 *
 * @module
 */

import { SIGNAL_OPTION } from "../call_options.ts";
import { type ActiveMQTopic, createActiveMQTopic, inspectAs } from "../../codec/mod.ts";
import type { CallOptions } from "../call_options.ts";
import type { MessageConsumer } from "../consumer/message_consumer.ts";
import { type Destination, nameOf, toDestination } from "../destination/destination.ts";
import { closingIterator } from "../iterate.ts";
import { type AdvisoryEvent, parseAdvisory } from "./advisory_event.ts";
import { isAdvisoryTopic } from "./advisory_topics.ts";

/**
 * What the broker tells on advisory topics, in the order in which it tells it. It closes itself when the loop is left.
 *
 * Of connections, destinations, consumers and producers the broker first tells those that there are, with `replayed` true.
 *
 * @example
 * ```ts
 * import { advisoryTopics, type Connection } from "../../mod.ts";
 *
 * // Waits until somebody consumes from a queue.
 * async function untilConsumed(connection: Connection, queue: string): Promise<void> {
 *   for await (const event of await connection.advisories(advisoryTopics.consumers(queue))) {
 *     if (event.type === "consumer-opened") return;
 *   }
 * }
 * ```
 */
export class AdvisoryConsumer implements AsyncIterable<AdvisoryEvent>, AsyncDisposable {
  readonly #consumer: MessageConsumer;
  readonly #signal: AbortSignal | undefined;

  /**
   * Use `connection.advisories()`.
   *
   * @ignore Not for users.
   */
  constructor(consumer: MessageConsumer, signal: AbortSignal | undefined) {
    this.#consumer = consumer;
    this.#signal = signal;
  }

  /**
   * The events, until it is closed.
   *
   * @param options Ends the loop with the signal's reason; the one given to `connection.advisories()` by default.
   * @throws {ProtocolError} From the loop, when an advisory was marshalled wrongly.
   * @throws {ConnectionClosedError} From the loop, when the connection has ended.
   * @throws {ClosedError} From the loop, when the broker has closed the consumer.
   */
  events(options: Pick<CallOptions, "signal"> = {}): AsyncIterableIterator<AdvisoryEvent> {
    SIGNAL_OPTION.check(options, "Cannot consume advisories");
    const { signal = this.#signal } = options;
    return closingIterator(this.#consumer.messages({ signal }), parseAdvisory, () => this.close());
  }

  /** The same as {@linkcode events}. */
  [Symbol.asyncIterator](): AsyncIterableIterator<AdvisoryEvent> {
    return this.events();
  }

  /**
   * Closes it. Calling it again changes nothing.
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

  /** What a log or a console shows of it: the advisory topics, whether it is open, and the events that were not taken. */
  toJSON(): Record<string, unknown> {
    const { destination, state, buffered } = this.#consumer.toJSON();
    return { destination, state, buffered };
  }

  static {
    inspectAs(this, "AdvisoryConsumer", (consumer) => consumer.toJSON());
  }
}

/** One topic for all that a user gave. */
export function toAdvisoryTopic(given: Destination | readonly Destination[]): ActiveMQTopic {
  const topics = (isList(given) ? given : [given]).map(toDestination);
  const other = topics.find((topic) => !isAdvisoryTopic(topic));
  if (topics.length === 0 || other) {
    throw new TypeError(
      `Cannot read advisories from ${other ? nameOf(other) : "no topic"}: ` +
        "those of advisoryTopics are expected, or others that begin with topic://ActiveMQ.Advisory.",
    );
  }
  return createActiveMQTopic({
    physicalName: topics.map(({ physicalName }) => physicalName).join(","),
  });
}

function isList(given: Destination | readonly Destination[]): given is readonly Destination[] {
  return Array.isArray(given);
}
