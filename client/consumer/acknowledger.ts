/** Tells the broker what became of a consumer's messages. */

import {
  type ConsumerId,
  createMessageAck,
  type Long,
  type MessageAck,
  type Throwable,
  type TransactionId,
} from "../../codec/mod.ts";
import type { AcknowledgeMode } from "./acknowledge_mode.ts";
import type { CallOptions } from "../call_options.ts";
import type { Delivery, DeliveryState } from "./delivery.ts";
import { DispatchedList } from "./dispatched_list.ts";
import type { MessageCounters } from "../observe/stats.ts";
import type { TransactionContext } from "../transaction/transaction_context.ts";

/** Java: MessageAck. */
const AckType = {
  delivered: 0,
  poison: 1,
  standard: 2,
  redelivered: 3,
  individual: 4,
  expired: 6,
} as const;

/** What an {@linkcode Acknowledger} needs. */
export interface AcknowledgerOptions {
  readonly consumerId: ConsumerId;
  readonly mode: AcknowledgeMode;
  readonly prefetchSize: number;
  /** Whether many messages are acknowledged at once, in mode `"auto"`. */
  readonly optimize: boolean;
  /** Milliseconds after which that is done at the latest. */
  readonly optimizeTimeout: number;
  /** Whether each message of a transaction is acknowledged on its own. */
  readonly individualInTransaction: boolean;
  readonly transaction: TransactionContext | undefined;
  readonly counters: MessageCounters;
  send(ack: MessageAck, options?: CallOptions): Promise<void>;
  /** Fewer messages count against the prefetch size. */
  released?(): void;
  /** Tells of a failure that nobody waits for. */
  report(error: Error): void;
  /** Calls back later; returns what calls it off. */
  later(delay: number, callback: () => void): () => void;
}

/**
 * Keeps the list of what the broker takes to be with the consumer, and sends acknowledgements that fit it: whatever order
 * messages are done in, a range never has one in it that isn't.
 */
export class Acknowledger {
  readonly #options: AcknowledgerOptions;
  readonly #list: DispatchedList = new DispatchedList();
  /** Done, and not yet told to the broker. */
  readonly #done: Set<Delivery> = new Set();
  /** Given out since more was asked for. */
  #fresh: Delivery[] = [];
  /** Given out and not settled when more was asked for; the broker wasn't told yet. */
  readonly #unreported: Set<Delivery> = new Set();
  /** Number of messages that are done at which they are acknowledged together. */
  #batchSize: number;
  #prefetchSize: number;
  /** Messages beyond the prefetch size that the broker sends, because they were reported (Java: prefetchExtension). */
  #extension = 0;
  #optimize: boolean;
  #cancelTimer: (() => void) | undefined;

  constructor(options: AcknowledgerOptions) {
    this.#options = options;
    this.#prefetchSize = options.prefetchSize;
    this.#optimize = options.optimize;
    this.#batchSize = batchSize(options.mode, options.optimize, options.prefetchSize);
  }

  /** Number of messages that the broker takes to be with the consumer. */
  get size(): number {
    return this.#list.size;
  }

  /** Number of messages that count against the prefetch size, as the broker does. */
  get outstanding(): number {
    return this.#list.size - this.#extension;
  }

  /** The broker has sent a message. */
  arrived(delivery: Delivery): void {
    this.#list.add(delivery);
  }

  /**
   * The application waits for more messages than the prefetch size. The broker is told of those that it has, if it sends no
   * more because of them; with less it would send messages ahead that others could handle.
   */
  starved(): void {
    if (this.outstanding >= this.#prefetchSize) this.asked();
  }

  /** The connection was lost: no acknowledgement for what came over it makes sense any more. */
  interrupted(): void {
    for (const delivery of this.#list) delivery.state = "lost";
    this.#list.clear();
    this.#extension = 0;
    this.#options.released?.();
    this.#done.clear();
    this.#fresh = [];
    this.#unreported.clear();
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  /** The broker sends more or fewer messages ahead from now on. */
  setPrefetchSize(size: number): void {
    this.flush();
    this.#prefetchSize = size;
    this.#batchSize = batchSize(this.#options.mode, this.#optimize, size);
  }

  /** Acknowledges each message on its own from now on, in mode `"auto"`. */
  stopOptimizing(): void {
    this.#optimize = false;
    this.setPrefetchSize(this.#prefetchSize);
  }

  /** The application has got a message. */
  delivered(delivery: Delivery): void {
    const { transaction, individualInTransaction } = this.#options;
    delivery.state = "delivered";
    delivery.attempts++;
    if (!delivery.reported) this.#fresh.push(delivery);
    if (!transaction || transaction.lost) return;
    const id = transaction.begin();
    if (individualInTransaction) {
      this.#sendQuietly(this.#ack(AckType.individual, null, delivery, 1, id));
      delivery.state = "held";
    }
  }

  /**
   * The application asks for another message and has some that it did not settle: the broker is told, so that it goes on
   * beyond the prefetch size.
   */
  asked(): void {
    if (this.#fresh.length === 0) return;
    for (const delivery of this.#fresh) {
      if (delivery.state === "delivered") this.#unreported.add(delivery);
    }
    this.#fresh = [];
    if (this.#prefetchSize === 0) return;
    // Java: half of the prefetch size.
    if (this.#unreported.size === 0 || this.#unreported.size < 0.5 * this.#prefetchSize) return;
    let last: Delivery | undefined;
    for (const delivery of this.#unreported) {
      delivery.reported = true;
      last = delivery;
    }
    const id = this.#options.transaction?.current ?? null;
    this.#extension += this.#unreported.size;
    this.#sendQuietly(this.#ack(AckType.delivered, null, last!, this.#unreported.size, id));
    this.#unreported.clear();
  }

  /** The application is done with a message; the broker may be told of many at once. */
  done(delivery: Delivery, options?: CallOptions): Promise<void> {
    this.#settled(delivery, "done");
    this.#options.counters.acknowledged++;
    if (this.#batchSize <= 1) {
      this.#remove(delivery);
      const ack = this.#ack(AckType.standard, delivery, delivery, 1, null);
      return this.#options.send(ack, options);
    }
    this.#done.add(delivery);
    if (this.#done.size >= this.#batchSize) return this.#sendDone(options);
    this.#cancelTimer ??= this.#options.later(this.#options.optimizeTimeout, () => this.flush());
    return Promise.resolve();
  }

  /** Acknowledges one message, whatever became of those before it. */
  individual(delivery: Delivery, options?: CallOptions): Promise<void> {
    this.#settled(delivery, "gone");
    this.#options.counters.acknowledged++;
    this.#remove(delivery);
    return this.#options.send(this.#ack(AckType.individual, null, delivery, 1, null), options);
  }

  /** Acknowledges many messages. */
  async all(deliveries: Iterable<Delivery>, options?: CallOptions): Promise<void> {
    for (const delivery of deliveries) {
      this.#settled(delivery, "done");
      this.#options.counters.acknowledged++;
      this.#done.add(delivery);
    }
    await this.#sendDone(options);
  }

  /** A message was too old to be given to the application. */
  async expired(delivery: Delivery): Promise<void> {
    this.#settled(delivery, "gone");
    this.#options.counters.expired++;
    this.#remove(delivery);
    await this.#options.send(this.#ack(AckType.expired, delivery, delivery, 1, null));
  }

  /** A message is given up. */
  async poison(delivery: Delivery, cause: Throwable, options?: CallOptions): Promise<void> {
    this.#settled(delivery, "gone");
    this.#options.counters.rejected++;
    this.#remove(delivery);
    const ack = this.#ack(AckType.poison, delivery, delivery, 1, null);
    ack.poisonCause = cause;
    await this.#options.send(ack, options);
  }

  /** Messages will be given to the application again. */
  redelivered(deliveries: ReadonlySet<Delivery>): void {
    for (const delivery of deliveries) this.#settled(delivery, "delayed");
    this.#options.counters.redelivered += deliveries.size;
    for (const run of this.#list.runs(deliveries)) {
      this.#sendQuietly(
        this.#ack(AckType.redelivered, run[0]!, run.at(-1)!, run.length, null),
      );
    }
  }

  /**
   * Acknowledges messages in a transaction; what is done with them depends on how that ends.
   *
   * @param deliveries The messages.
   * @param id The transaction; null for one that was lost, in which nothing can be acknowledged.
   */
  inTransaction(deliveries: ReadonlySet<Delivery>, id: TransactionId | null): void {
    if (id === null) return;
    const open = new Set<Delivery>();
    for (const delivery of deliveries) if (delivery.state === "delivered") open.add(delivery);
    for (const run of this.#list.runs(open)) {
      this.#sendQuietly(this.#ack(AckType.standard, run[0]!, run.at(-1)!, run.length, id));
    }
    for (const delivery of open) this.#settled(delivery, "held");
  }

  /**
   * The transaction in which messages were acknowledged is being committed.
   *
   * @param _deliveries The messages.
   * @param _done Settles when that is done, as that is done.
   */
  committing(_deliveries: ReadonlySet<Delivery>, _done: Promise<unknown>): void {}

  /** The transaction in which messages were acknowledged was committed. */
  committed(deliveries: Iterable<Delivery>): void {
    for (const delivery of deliveries) {
      this.#settled(delivery, "gone");
      this.#options.counters.acknowledged++;
      this.#remove(delivery);
    }
  }

  /** Sends what waits. */
  flush(): void {
    this.#sendDone().catch((error) => this.#options.report(error));
  }

  /**
   * Up to the message that it names the broker counts messages as delivered, when the consumer goes. It must be one that was
   * not settled, because the broker looks for it among those; -1 says that there is none.
   */
  get lastDeliveredSequenceId(): Long {
    let last: Long = -1;
    for (const delivery of this.#list) {
      if (delivery.attempts > 0) last = delivery.message.messageId?.brokerSequenceId ?? last;
    }
    return last;
  }

  #settled(delivery: Delivery, state: DeliveryState): void {
    delivery.state = state;
    this.#unreported.delete(delivery);
  }

  #remove(delivery: Delivery): void {
    delivery.state = "gone";
    this.#list.remove(delivery);
    // As in Java, whether or not it was one of those.
    this.#extension = Math.max(0, this.#extension - 1);
    this.#options.released?.();
  }

  async #sendDone(options?: CallOptions): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    if (this.#done.size === 0) return;
    const runs = this.#list.runs(this.#done);
    for (const delivery of this.#done) this.#remove(delivery);
    this.#done.clear();
    await Promise.all(
      runs.map((run) =>
        this.#options.send(
          this.#ack(AckType.standard, run[0]!, run.at(-1)!, run.length, null),
          options,
        )
      ),
    );
  }

  #sendQuietly(ack: MessageAck): void {
    this.#options.send(ack).catch((error) => this.#options.report(error));
  }

  #ack(
    ackType: number,
    first: Delivery | null,
    last: Delivery,
    messageCount: number,
    transactionId: TransactionId | null,
  ): MessageAck {
    return createMessageAck({
      destination: last.dispatch.destination,
      consumerId: this.#options.consumerId,
      transactionId,
      ackType,
      firstMessageId: first?.message.messageId ?? null,
      lastMessageId: last.message.messageId,
      messageCount,
    });
  }
}

/** Java: 65 % of the prefetch size when optimized, 50 % when duplicates are accepted. */
function batchSize(mode: AcknowledgeMode, optimize: boolean, prefetchSize: number): number {
  if (mode === "dups-ok") return Math.ceil(0.5 * prefetchSize);
  if (mode === "auto" && optimize) return Math.ceil(0.65 * prefetchSize);
  return 1;
}
