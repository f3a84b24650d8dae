/** The messages of a consumer, from their arrival until they are settled. */

import {
  type ConsumerId,
  createActiveMQMessage,
  createMessageDispatch,
  type Long,
  type Message as WireMessage,
  type MessageAck,
  type MessageDispatch,
  ProtocolError,
  type TransactionId,
  type UnreadableDispatch,
} from "../../codec/mod.ts";
import { OpenWireError, toError } from "../../errors.ts";
import type { AcknowledgeMode } from "./acknowledge_mode.ts";
import { Acknowledger, type AcknowledgerOptions } from "./acknowledger.ts";
import type { BodyCodec } from "../message/body_codec.ts";
import type { CallOptions } from "../call_options.ts";
import { formatDestination } from "../destination/destination.ts";
import type { ConsumerKind, ConsumerSettings } from "./consumer_options.ts";
import { type Delivery, toDelivery } from "./delivery.ts";
import { DeliverySettlement, type SettlementOwner } from "./delivery_settlement.ts";
import { DeliveryQueue } from "./delivery_queue.ts";
import { DeliveryLostError } from "../loss_errors.ts";
import { formatMessageId, Message } from "../message/message.ts";
import { InflatedBody } from "../message/inflated_body.ts";
import { logFieldsOf } from "./log_fields.ts";
import { NeverGiven } from "./never_given.ts";
import { ObservedAcknowledger } from "./observed_acknowledger.ts";
import type { Subject } from "../observe/operation.ts";
import { poisonCause } from "./poison.ts";
import { Redeliverer, type RedeliveryOptions } from "./redeliverer.ts";
import type { SessionContext } from "../session_context.ts";
import type { IncomingStreams } from "../stream/incoming_streams.ts";
import type {
  TransactionContext,
  TransactionOutcome,
  TransactionParticipant,
} from "../transaction/transaction_context.ts";

/** What a consumer needs of its session. */
export interface ConsumerSession {
  readonly acknowledgeMode: AcknowledgeMode;
  readonly transaction: TransactionContext | undefined;
  /** Acknowledges all that the session has given out. */
  acknowledgeAll(options?: CallOptions): Promise<void>;
  /** Rolls the transaction back. */
  rollback(): Promise<void>;
}

type Handler = (message: Message) => void | Promise<void>;

/** What {@linkcode ConsumerDeliveries} need. */
export interface ConsumerDeliveriesOptions {
  readonly context: SessionContext;
  readonly session: ConsumerSession;
  readonly consumerId: ConsumerId;
  readonly kind: ConsumerKind;
  readonly settings: ConsumerSettings;
  readonly codec: BodyCodec<unknown> | undefined;
  /** What reads streams, if that is wanted. */
  readonly streams: IncomingStreams | undefined;
  /** Of a durable subscription. */
  readonly subscription: string | undefined;
  /** Somebody waits for a message and may have none. */
  limited(): void;
  /** Somebody waits for a message and there is none. */
  starved(): void;
  /** More or fewer messages are with the consumer, as the broker counts them. */
  outstanding(): void;
  /** The application has fewer messages that it did not settle. */
  settled(): void;
  /** More or fewer bytes wait to be taken. */
  buffered(bytes: number): void;
}

/** Ids of unreadable messages that are remembered. */
const MOST_SKIPPED = 10_000;

/** The messages of a consumer, from their arrival until they are settled. */
export class ConsumerDeliveries implements TransactionParticipant {
  /** Those that wait to be taken. */
  readonly queue: DeliveryQueue;
  readonly #options: ConsumerDeliveriesOptions;
  readonly #acknowledger: Acknowledger;
  readonly #redeliverer: Redeliverer;
  readonly #settlements: SettlementOwner = this.#settlementOwner();
  readonly #neverGiven: NeverGiven = new NeverGiven();
  /** What the application has and did not settle, in the order in which it got them. */
  readonly #unsettled: Set<Delivery> = new Set();
  /** What the application got in the transaction that goes on. */
  #inTransaction: Set<Delivery> = new Set();
  /** Transactions that are about to end, and had messages of this consumer. */
  #endingTransactions = 0;
  /** Ids of messages that can't be read and that the broker was told to dead-letter. */
  readonly #skipped: Set<string> = new Set();
  /** Messages that can't be read and whose acknowledgements have not been sent. */
  #skipping = 0;
  /** Messages that can't be read and are left unacknowledged. */
  #left = 0;
  /** Messages that are with a handler. */
  #handling = 0;
  /** Messages that the application may have without having settled them; 0 for no limit. */
  #maxUnacknowledged: number;
  /** Whether somebody waits until messages are settled. */
  #limited = false;
  readonly #body: InflatedBody;
  /** Why the broker takes no more acknowledgements. */
  #removed: Error | undefined;
  #stopped = false;
  /** Are called when something has changed that somebody may wait for. */
  readonly #watchers: Set<() => void> = new Set();

  constructor(options: ConsumerDeliveriesOptions) {
    const { context, session, consumerId, settings } = options;
    const report = (error: Error): void => context.report(error);
    this.#options = options;
    this.#maxUnacknowledged = settings.maxUnacknowledged;
    this.#body = new InflatedBody(context.settings);
    const acknowledgerOptions: AcknowledgerOptions = {
      consumerId,
      mode: session.acknowledgeMode,
      prefetchSize: settings.prefetchSize,
      optimize: settings.optimizeAcknowledge,
      optimizeTimeout: context.settings.optimizeAcknowledgeTimeout,
      individualInTransaction: context.settings.transactedIndividualAck,
      transaction: session.transaction,
      counters: context.counters,
      send: (ack, options) => this.#send(ack, options),
      released: () => options.outstanding(),
      report,
      later: (delay, callback) => context.deadlines.add(delay, callback),
    };
    this.#acknowledger = context.observer
      ? new ObservedAcknowledger(
        acknowledgerOptions,
        context.observer,
        (delivery) => this.#subject(delivery),
      )
      : new Acknowledger(acknowledgerOptions);
    this.queue = new DeliveryQueue({
      isBehind: (delivery) => this.#redeliverer.isBehind(delivery),
      withdraw: (delivery) => this.#withdraw(delivery),
      mayGive: () => this.#mayGive,
      limited: () => {
        this.#limited = true;
        options.limited();
      },
      starved: () => options.starved(),
      changed: (bytes) => {
        options.buffered(bytes);
        this.#notify();
      },
    });
    this.#redeliverer = new Redeliverer({
      policy: settings.redeliveryPolicy,
      acknowledger: this.#acknowledger,
      queue: this.queue,
      deadlines: context.deadlines,
      log: context.log,
      report,
      settled: ({ message }, outcome) => options.streams?.settled(message, outcome),
    });
  }

  /** Number of messages that the application has and did not settle. */
  get unsettled(): number {
    return this.#unsettled.size;
  }

  /** Number of messages that count against the prefetch size. */
  get outstanding(): number {
    return this.#acknowledger.outstanding;
  }

  /** Messages that the application may have without having settled them; 0 for no limit. */
  get maxUnacknowledged(): number {
    return this.#maxUnacknowledged;
  }

  /** Number of messages that can't be read and are not acknowledged. */
  get skipping(): number {
    return this.#skipping + this.#left;
  }

  /** Bytes of inflated bodies that are kept. */
  get inflatedBytes(): number {
    return this.#body.bytes;
  }

  /** Number of messages that were not taken. */
  get untaken(): number {
    return this.queue.length + this.#redeliverer.delayed;
  }

  /** Whether messages are with a handler. */
  get handling(): boolean {
    return this.#handling > 0;
  }

  /** Whether messages were given out in a transaction that goes on. */
  get inTransaction(): boolean {
    return this.#inTransaction.size > 0 || this.#endingTransactions > 0;
  }

  /** For RemoveInfo; see {@linkcode Acknowledger.lastDeliveredSequenceId}. */
  get lastDeliveredSequenceId(): Long {
    return this.#acknowledger.lastDeliveredSequenceId;
  }

  /** Takes a message from the broker. */
  arrived(dispatch: MessageDispatch, message: WireMessage): void {
    const delivery = this.#toDelivery(dispatch, message);
    const { counters } = this.#options.context;
    counters.messagesReceived++;
    counters.bodyBytesReceived += message.content?.length ?? 0;
    this.#neverGiven.arrived(delivery);
    this.#acknowledger.arrived(delivery);
    this.queue.push(delivery);
    this.#options.outstanding();
  }

  /** Has the broker dead-letter a message that can't be read; a browser leaves it where it is. */
  skip({ error, consumerId, destination, messageId }: UnreadableDispatch): void {
    const { context, kind } = this.#options;
    context.counters.messagesReceived++;
    const from = destination ? formatDestination(destination) : "the broker";
    const { dataType, field, code } = error;
    const id = formatMessageId(messageId);
    const again = this.#skipped.has(id);
    const outcome = again ? ". It came again and is left unacknowledged" : "";
    context.report(
      new ProtocolError(
        `Cannot read the message ${id} from ${from}: ${error.message}${outcome}`,
        { dataType, field },
        code as "PROTOCOL" | "FRAME_TOO_LARGE",
        { cause: error },
      ),
    );
    if (kind.browser) return;
    // Artemis moves a message of the dead-letter queue to its end each time that it is dead-lettered.
    if (again) return void this.#left++;
    if (this.#skipped.size >= MOST_SKIPPED) this.#skipped.clear();
    this.#skipped.add(id);
    const message = createActiveMQMessage({ messageId, destination });
    const dispatch = createMessageDispatch({ consumerId, destination, message });
    const delivery = this.#toDelivery(dispatch, message);
    this.#acknowledger.arrived(delivery);
    this.#skipping++;
    this.#options.outstanding();
    this.#acknowledger.poison(delivery, poisonCause(error))
      .catch((failure) => context.report(failure))
      .finally(() => this.#skipping--);
  }

  /** The broker sends more or fewer messages ahead from now on. */
  setPrefetchSize(size: number): void {
    this.#acknowledger.setPrefetchSize(size);
  }

  /** The application may have that many messages at least. */
  allow(count: number): void {
    if (this.#maxUnacknowledged > 0) {
      this.#maxUnacknowledged = Math.max(this.#maxUnacknowledged, count);
    }
  }

  /** Acknowledges each message on its own from now on. */
  stopOptimizing(): void {
    this.#acknowledger.stopOptimizing();
  }

  /** The application asks for a message. */
  asked(): void {
    this.#acknowledger.asked();
  }

  /** Gives a message to the application. */
  give(delivery: Delivery): Message {
    const { session: { transaction }, codec } = this.#options;
    this.#acknowledger.delivered(delivery);
    this.#unsettled.add(delivery);
    // What has asked before was not told of it.
    if (this.queue.receivers.size > 0 && this.queue.length === 0) this.#acknowledger.starved();
    if (transaction) {
      this.#inTransaction.add(delivery);
      transaction.enlist(this);
      delivery.transactionId = transaction.current;
    }
    const command = delivery.message;
    return new Message({
      command,
      redeliveryCount: delivery.redeliveryCount,
      body: this.#body,
      settlement: new DeliverySettlement(this.#settlements, delivery),
      codec,
      readable: this.#options.streams?.begin(command, () => {
        const { dataType, content } = this.#body.of(command);
        if (dataType === "ActiveMQBytesMessage") return content ?? new Uint8Array(0);
        throw new ProtocolError("Cannot read a chunk of a stream: it is no bytes message", {
          dataType,
        });
      }),
    });
  }

  /** The application is done with a message, and has said nothing else. */
  finished(delivery: Delivery, attempt: number): void {
    const { kind: { mode }, context } = this.#options;
    if ((mode !== "auto" && mode !== "dups-ok") || this.#removed) return;
    const { streams } = this.#options;
    if (delivery.state === "lost") return streams?.handledLate(delivery.message);
    if (!this.#isOpen(delivery, attempt)) return;
    streams?.settled(delivery.message, "done");
    this.#forget(delivery);
    this.#acknowledger.done(delivery).catch((error) => context.report(error));
  }

  /**
   * Gives a message to a handler, and sees to what becomes of it. Never rejects; resolves with what has failed.
   *
   * @param handler Takes it.
   * @param delivery The message.
   * @param ordered Whether others wait while it waits to be given again.
   */
  handle(handler: Handler, delivery: Delivery, ordered: boolean): Promise<Error | undefined> {
    const message = this.give(delivery);
    const { observer } = this.#options.context;
    if (observer === undefined) return this.#run(handler, message, delivery, ordered);
    return observer.handle(message, this.#subject(delivery), async () => {
      const failure = await this.#run(handler, message, delivery, ordered);
      if (failure) throw failure;
      return undefined;
    }).catch((failure) => failure);
  }

  /** Gives a message to whoever has asked for it. */
  take(delivery: Delivery): Message {
    const message = this.give(delivery);
    const { context, kind } = this.#options;
    if (context.observer && !kind.browser) {
      context.observer.receive(message, this.#subject(delivery));
    }
    return message;
  }

  /** Acknowledges all that was given out, in mode `"client"`. */
  async acknowledgeAll(options?: CallOptions): Promise<void> {
    const deliveries = [...this.#unsettled];
    for (const delivery of deliveries) this.#forget(delivery);
    await this.#acknowledger.all(deliveries, options);
  }

  /** Gives all again that was given out and not settled. */
  recover(): void {
    this.#redeliver([...this.#unsettled], {
      cause: new Error("the session was recovered each time"),
      blocking: this.#blocking,
    });
  }

  /** The session's transaction is about to end. */
  finish(id: TransactionId | null): TransactionOutcome {
    const deliveries = this.#inTransaction;
    this.#inTransaction = new Set();
    this.#endingTransactions++;
    for (const delivery of deliveries) this.#unsettled.delete(delivery);
    this.#goOn();
    this.#body.clear();
    this.#acknowledger.inTransaction(deliveries, id);
    const ended = (): void => {
      this.#endingTransactions--;
      this.#notify();
    };
    return {
      received: deliveries.size,
      committing: (done) => this.#acknowledger.committing(deliveries, done),
      committed: () => {
        this.#acknowledger.committed(deliveries);
        ended();
      },
      rolledBack: () => {
        this.#redeliver(deliveries, {
          cause: new Error("the transaction was rolled back each time"),
          blocking: this.#blocking,
        });
        ended();
      },
    };
  }

  /** Waits until something is so; it is looked at whenever a message was taken or settled, or a transaction has ended. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#watchers.add(resolve));
  }

  /**
   * Gives out no more messages.
   *
   * @param failure What has ended the consumer, unless it was closed here.
   */
  stop(failure: Error | undefined): void {
    this.#stopped = true;
    this.#body.clear();
    this.#redeliverer.end();
    this.queue.end(failure);
    this.#notify();
  }

  /** The connection was lost: what came over it can't be settled any more, and the broker delivers it again. */
  interrupted(): void {
    const { transaction } = this.#options.session;
    if (this.#inTransaction.size > 0) transaction?.deliveriesLost();
    this.#neverGiven.lost(this.queue.waiting);
    this.#acknowledger.interrupted();
    this.#redeliverer.interrupted();
    this.queue.clear();
    this.#skipped.clear();
    this.#left = 0;
    this.#body.clear();
    for (const delivery of this.#unsettled) delivery.state = "lost";
    this.#unsettled.clear();
    this.#inTransaction.clear();
    this.#goOn();
    this.#notify();
  }

  /** Sends acknowledgements that wait. */
  flush(): void {
    this.#acknowledger.flush();
  }

  /** The broker takes no more acknowledgements. */
  removed(reason: Error): void {
    this.#removed ??= reason;
  }

  /** Lets a handler work, and sees to what becomes of the message; returns what has failed. */
  async #run(
    handler: Handler,
    message: Message,
    delivery: Delivery,
    ordered: boolean,
  ): Promise<Error | undefined> {
    const attempt = delivery.attempts;
    this.#handling++;
    try {
      await handler(message);
      this.finished(delivery, attempt);
    } catch (error) {
      const cause = toError(error);
      await this.#failed(delivery, attempt, cause, ordered);
      return cause;
    } finally {
      // Nobody can settle it any more.
      if (delivery.state === "lost") this.#options.streams?.settled(delivery.message, "again");
      this.#body.release(delivery.message);
      this.#handling--;
      this.#notify();
    }
  }

  get #blocking(): boolean {
    return !this.#options.context.settings.nonBlockingRedelivery;
  }

  /** Whether the application has it, since that attempt. */
  #isOpen(delivery: Delivery, attempt: number): boolean {
    return delivery.attempts === attempt && this.#unsettled.has(delivery);
  }

  /** What the application may do with the messages that it was given. */
  #settlementOwner(): SettlementOwner {
    return {
      check: (delivery, attempt, settled) => {
        if (this.#options.kind.browser) throw illegalState("it is only browsed");
        if (delivery.state === "lost" && !settled) throw deliveryLost();
        if (settled || !this.#isOpen(delivery, attempt)) {
          throw illegalState("it was settled before");
        }
        if (this.#removed) throw this.#removed;
      },
      checkNotAcknowledged: ({ state }) => {
        if (state !== "held") return;
        throw illegalState("it was acknowledged in the transaction, roll that back");
      },
      acknowledge: (delivery, options) => this.#acknowledge(delivery, options),
      reject: (delivery, reason, options) => {
        this.#options.streams?.settled(delivery.message, { rejected: reason });
        this.#forget(delivery);
        const { log } = this.#options.context;
        log?.warn("A message was given up", { ...logFieldsOf(delivery), error: reason });
        return this.#acknowledger.poison(delivery, poisonCause(reason), options);
      },
      retry: (delivery, delay) =>
        this.#redeliver([delivery], {
          cause: new Error("the application asked for it again each time"),
          delay,
          blocking: false,
        }),
    };
  }

  #acknowledge(delivery: Delivery, options: CallOptions): Promise<void> {
    const { kind: { mode }, session } = this.#options;
    switch (mode) {
      case "client":
        return session.acknowledgeAll(options);
      case "transacted":
        // It is acknowledged with the transaction.
        return Promise.resolve();
      case "individual":
        this.#options.streams?.settled(delivery.message, "done");
        this.#forget(delivery);
        return this.#acknowledger.individual(delivery, options);
      default:
        this.#options.streams?.settled(delivery.message, "done");
        this.#forget(delivery);
        return this.#acknowledger.done(delivery, options);
    }
  }

  async #failed(
    delivery: Delivery,
    attempt: number,
    cause: Error,
    ordered: boolean,
  ): Promise<void> {
    const { session, context } = this.#options;
    context.report(cause);
    if (this.#stopped) return;
    if (session.transaction) {
      await session.rollback().catch((error) => context.report(error));
    } else if (this.#isOpen(delivery, attempt)) {
      this.#redeliver([delivery], { cause, blocking: ordered && this.#blocking });
    }
  }

  #toDelivery(dispatch: MessageDispatch, message: WireMessage): Delivery {
    return toDelivery(
      dispatch,
      message,
      this.#options.settings.redeliveryPolicy.maximumRedeliveries,
    );
  }

  /** What hooks are told of a message. */
  #subject({ message, transactionId }: Delivery): Subject {
    const { subscription } = this.#options;
    return { command: message, destination: message.destination, subscription, transactionId };
  }

  get #mayGive(): boolean {
    return this.#maxUnacknowledged === 0 || this.#unsettled.size < this.#maxUnacknowledged;
  }

  /** The application has settled something, and may have more. */
  #goOn(): void {
    this.#options.settled();
    if (!this.#limited) return;
    this.#limited = false;
    // Later: what is given again comes first.
    queueMicrotask(() => this.queue.pump());
  }

  /** The application has it no more. */
  #forget(delivery: Delivery): void {
    this.#body.release(delivery.message);
    this.#unsettled.delete(delivery);
    this.#inTransaction.delete(delivery);
    this.#goOn();
    this.#notify();
  }

  #redeliver(deliveries: Iterable<Delivery>, options: RedeliveryOptions): void {
    for (const delivery of deliveries) this.#forget(delivery);
    this.#redeliverer.redeliver(deliveries, options);
  }

  /** Whether a message must not be given out; what becomes of it instead is seen to here. */
  #withdraw(delivery: Delivery): boolean {
    const { kind, context, session } = this.#options;
    if (kind.browser) return false;
    if (this.#options.streams?.isCompleted(delivery.message)) {
      context.log?.debug("A stream was read before its connection was lost", logFieldsOf(delivery));
      this.#acknowledger.individual(delivery).catch((error) => context.report(error));
      return true;
    }
    if (context.settings.consumerExpiryCheckEnabled && isExpired(delivery)) {
      context.log?.debug("A message is too old to be given out", logFieldsOf(delivery));
      this.#acknowledger.expired(delivery).catch((error) => context.report(error));
      return true;
    }
    return session.transaction !== undefined && this.#redeliverer.checkBeforeDispatch(delivery);
  }

  #send(ack: MessageAck, options?: CallOptions): Promise<void> {
    const { context } = this.#options;
    const waits = !context.settings.sendAcksAsync && ack.transactionId === null;
    if (waits) return context.request(ack, "Cannot acknowledge", options).then(() => {});
    // The cause of a poison acknowledgement may be too long to be sent, which its sender is to know.
    const sent = ack.poisonCause
      ? context.send(ack, "Cannot acknowledge", options)
      : context.post(ack, "Cannot acknowledge", options);
    context.asyncSends.acknowledged();
    return sent;
  }

  #notify(): void {
    if (this.#watchers.size === 0) return;
    for (const watcher of this.#watchers) watcher();
    this.#watchers.clear();
  }
}

function illegalState(reason: string): OpenWireError {
  return new OpenWireError("ILLEGAL_STATE", `Cannot settle the message: ${reason}`);
}

function deliveryLost(): DeliveryLostError {
  return new DeliveryLostError(
    "Cannot settle the message: the connection over which it came was lost; the broker delivers it again",
  );
}

function isExpired({ message }: Delivery): boolean {
  const expiration = Number(message.expiration);
  return expiration > 0 && Date.now() > expiration;
}
