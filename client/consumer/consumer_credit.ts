/** How many messages the broker sends to a consumer. */

import {
  type ActiveMQDestination,
  type ConsumerId,
  createConsumerControl,
  createMessagePull,
  ProtocolError,
} from "../../codec/mod.ts";
import type { CallOptions } from "../call_options.ts";
import { formatDestination, nameOf } from "../destination/destination.ts";
import type { SessionContext } from "../session_context.ts";

/** What a {@linkcode ConsumerCredit} needs. */
export interface ConsumerCreditOptions {
  readonly context: SessionContext;
  readonly consumerId: ConsumerId;
  readonly destination: ActiveMQDestination;
  readonly prefetchSize: number;
  /** Bytes that may wait here before the broker is asked to send nothing; 0 for no limit. */
  readonly maxBufferedBytes: number;
}

/** Messages beyond twice the prefetch size that may wait: brokers count a little differently. */
const TOLERANCE = 1000;

/** Milliseconds that the broker keeps a request for a message; then it is asked again. */
const PULL_TIMEOUT = 10_000;

/** Asks the broker for messages one by one, or to send more or fewer ahead. */
export class ConsumerCredit {
  readonly #options: ConsumerCreditOptions;
  #prefetchSize: number;
  /** The largest so far. */
  #mostPrefetched: number;
  /** Whether the broker was asked to send nothing, because too much waits here. */
  #throttled = false;
  /** What the broker was told last. */
  #told: number;
  #pulling = false;
  #ended = false;

  constructor(options: ConsumerCreditOptions) {
    this.#options = options;
    this.#prefetchSize = this.#mostPrefetched = this.#told = options.prefetchSize;
  }

  /** How many messages the broker sends ahead; 0 when it is asked for each. */
  get prefetchSize(): number {
    return this.#prefetchSize;
  }

  /** Whether the broker was asked for a message and has not answered. */
  get pulling(): boolean {
    return this.#pulling;
  }

  /** The broker has changed the prefetch size, whatever it was asked before. */
  changed(prefetchSize: number): void {
    this.#throttled = false;
    this.#told = prefetchSize;
    this.#apply(prefetchSize);
  }

  /**
   * Changes the prefetch size.
   *
   * @param prefetchSize The new one.
   * @param bufferedBytes Tells what waits when it is changed.
   * @param options How long to wait for the broker.
   */
  async change(
    prefetchSize: number,
    bufferedBytes: () => number,
    options: CallOptions,
  ): Promise<void> {
    this.#throttled = false;
    await this.request(prefetchSize, options);
    this.#apply(prefetchSize);
    if (this.#ended) return;
    // Meanwhile it may have been told otherwise.
    if (!this.#throttled && this.#told !== prefetchSize) this.#requestQuietly(prefetchSize);
    this.check(bufferedBytes());
  }

  /**
   * Refuses a message of a broker that sends far more than it was asked for: there must be an end to what waits here.
   *
   * @param waiting Messages that wait to be taken.
   * @throws {ProtocolError} When there are too many, which ends the connection.
   */
  checkFlood(waiting: number): void {
    if (waiting < 2 * this.#mostPrefetched + TOLERANCE) return;
    const from = nameOf(this.#options.destination);
    throw new ProtocolError(
      `Cannot take more messages from ${from}: the broker has sent ${waiting} ahead, ${this.#mostPrefetched} are expected`,
      { dataType: "MessageDispatch" },
    );
  }

  /** Nothing is asked for any more. */
  end(): void {
    this.#ended = true;
  }

  /** The broker has sent a message, or says that it has none. */
  answered(): void {
    this.#pulling = false;
  }

  /**
   * Asks for a message (MessagePull), if the broker sends none ahead.
   *
   * @param timeout Milliseconds that somebody waits for it; 0 for ever, -1 not at all.
   */
  pull(timeout: number): void {
    if (this.#prefetchSize > 0 || this.#pulling || this.#ended) return;
    this.#pulling = true;
    const { context, consumerId, destination } = this.#options;
    const pull = createMessagePull({
      consumerId,
      destination,
      timeout: timeout === 0 ? PULL_TIMEOUT : Math.min(timeout, PULL_TIMEOUT),
    });
    context.send(pull, "Cannot ask for a message").catch((error) => context.report(error));
  }

  /** The connection was lost, and what was asked for with it. */
  interrupted(): void {
    this.#pulling = false;
    this.#throttled = false;
    this.#told = this.#prefetchSize;
  }

  /** Looks whether more waits here than should. */
  check(bufferedBytes: number): void {
    const { maxBufferedBytes } = this.#options;
    if (maxBufferedBytes === 0 || this.#prefetchSize === 0 || this.#ended) return;
    if (!this.#throttled && bufferedBytes > maxBufferedBytes) {
      this.#throttled = true;
      this.#options.context.log?.info("The broker is asked to send nothing: too much waits", {
        destination: formatDestination(this.#options.destination),
        bufferedBytes,
      });
      this.#requestQuietly(0);
    } else if (this.#throttled && bufferedBytes <= maxBufferedBytes / 2) {
      this.#throttled = false;
      this.#requestQuietly(this.#prefetchSize);
    }
  }

  /** Asks the broker to send more or fewer messages ahead (ConsumerControl). */
  async request(prefetch: number, options: CallOptions = {}): Promise<void> {
    const { context, consumerId, destination } = this.#options;
    const control = createConsumerControl({ consumerId, destination, prefetch });
    this.#told = prefetch;
    await context.request(control, "Cannot change the prefetch size", options);
  }

  #apply(prefetchSize: number): void {
    this.#prefetchSize = prefetchSize;
    this.#mostPrefetched = Math.max(this.#mostPrefetched, prefetchSize);
  }

  #requestQuietly(prefetch: number): void {
    this.request(prefetch).catch((error) => {
      if (!this.#ended) this.#options.context.report(error);
    });
  }
}
