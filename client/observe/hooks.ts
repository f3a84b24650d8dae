/**
 * Functions of the user around what is done with messages, for tracing and metrics.
 *
 * @module
 */

import { OptionNames } from "../../option_names.ts";
import type { Message } from "../message/message.ts";

/**
 * What is done: as in OpenTelemetry's conventions for messaging, `messaging.operation.type`. Those have no type for transactions;
 * `"transact"` is ours.
 *
 * @example
 * ```ts
 * import type { OperationType } from "../../mod.ts";
 *
 * const type: OperationType = "process";
 * ```
 */
export type OperationType = "send" | "receive" | "process" | "settle" | "transact";

/**
 * Something that is done with a message, as {@linkcode MessagingHooks} see it.
 *
 * @example
 * ```ts
 * import type { MessagingOperation } from "../../mod.ts";
 *
 * const describe = (operation: MessagingOperation) =>
 *   `${operation.spanName} ${operation.attributes["messaging.message.id"]}`;
 * ```
 */
export interface MessagingOperation {
  /** What is done. */
  readonly type: OperationType;
  /**
   * The same, more precisely: `"ack"`, `"reject"`, `"retry"` and `"expire"` are settlements, the others are as their types.
   */
  readonly name: string;
  /** What a span for it is called by convention: what is done and where, such as `send orders`. */
  readonly spanName: string;
  /**
   * What is known of it by now, by the names of OpenTelemetry's conventions: `messaging.system`, `messaging.operation.name`,
   * `messaging.operation.type`, `messaging.destination.name`, `messaging.destination.temporary`,
   * `messaging.destination.anonymous`, `messaging.destination.subscription.name`, `messaging.message.id`,
   * `messaging.message.conversation_id`, `messaging.message.body.size` (bytes, as sent), `messaging.batch.message_count`,
   * `messaging.client.id`, `server.address`, `server.port`. What is part of a transaction has
   * `messaging.activemq.transaction.id`, too. What does not apply is not there.
   *
   * Each time that it is asked for it is made anew: a message that is sent gets its id on its way, and an operation that has
   * failed its `error.type`, the error's code or class.
   */
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /**
   * The transaction, such as `TX:ID:host-1-2-1:1:7` or, for a branch of a distributed one, `XID:[1,globalId=a,branchId=b]`.
   * Undefined when there is none, and for the first message that is sent in a transaction until it is on its way.
   */
  readonly transactionId: string | undefined;
  /** A property of the message, such as `traceparent`; undefined when there is none, or it is no string. */
  getProperty(name: string): string | undefined;
}

/**
 * A message that is about to be sent.
 *
 * @example
 * ```ts
 * import type { SendOperation } from "../../mod.ts";
 *
 * const mark = (operation: SendOperation) => operation.setProperty("tenant", "eu-7");
 * ```
 */
export interface SendOperation extends MessagingOperation {
  /** It is sent. */
  readonly type: "send";
  /**
   * Gives the message a property, in place of one of that name.
   *
   * @throws {TypeError} When the name or the value can't be sent: names that begin with `JMS` are headers, values are strings.
   * @throws {OpenWireError} `"ILLEGAL_STATE"` when the message is on its way already: after `next` was called.
   */
  setProperty(name: string, value: string): void;
}

/**
 * A message that is given to the application.
 *
 * @example
 * ```ts
 * import type { DeliveryOperation } from "../../mod.ts";
 *
 * const attempt = (operation: DeliveryOperation) => operation.message.deliveryCount;
 * ```
 */
export interface DeliveryOperation extends MessagingOperation {
  /** It is given to a handler, or to whoever has asked for it. */
  readonly type: "process" | "receive";
  /** The message. */
  readonly message: Message;
}

/**
 * What has become of a transaction:
 *
 * - `"active"`: it has begun.
 * - `"prepared"`: a branch of a distributed transaction can be committed or rolled back, whatever happens.
 * - `"committed"`: what was sent and received in it counts. A branch in which there was nothing to commit has this status after its
 *   `prepare()`.
 * - `"rolled-back"`: what was sent and received in it is undone, because that was asked for, because the broker did so instead of
 *   a commit, or because the connection was lost.
 * - `"in-doubt"`: the broker did not answer a commit or prepare. It may have done so.
 *
 * @example
 * ```ts
 * import type { TransactionStatus } from "../../mod.ts";
 *
 * const isOver = (status?: TransactionStatus) => status === "committed" || status === "rolled-back";
 * ```
 */
export type TransactionStatus = "active" | "prepared" | "committed" | "rolled-back" | "in-doubt";

/**
 * A step of a transaction.
 *
 * @example
 * ```ts
 * import type { TransactionOperation } from "../../mod.ts";
 *
 * const isInDoubt = ({ status }: TransactionOperation) => status === "in-doubt";
 * ```
 */
export interface TransactionOperation extends MessagingOperation {
  /** It is a step of a transaction. */
  readonly type: "transact";
  /** The step. `"end"`, `"prepare"`, `"forget"` and `"recover"` are of distributed transactions only. */
  readonly name: "begin" | "end" | "prepare" | "commit" | "rollback" | "forget" | "recover";
  /** The transaction; undefined for `"recover"`, which is about all of them. */
  readonly transactionId: string | undefined;
  /**
   * What has become of the transaction, once `next()` has settled; undefined if the step did not change that. It is the attribute
   * `messaging.activemq.transaction.status`, too. `messaging.batch.message_count` is the number of messages that were received
   * in the transaction.
   */
  readonly status: TransactionStatus | undefined;
}

/**
 * Functions that are called around what is done with messages, so that spans, metrics and contexts as `AsyncLocalStorage` has
 * them can be made. Their shape is that of OpenTelemetry's conventions; `docs/observability.md` has the lines that make
 * spans of them.
 *
 * `next` does the work; its promise settles when that is done, as that is done. A hook calls it before it awaits anything:
 * when the hook has returned and did not call it, the work is begun without it, so that the order of messages stays. What a
 * hook does can't change what becomes of the work. If a hook itself fails, the connection's `status()` tells.
 *
 * @example
 * ```ts
 * import { connect, type MessagingHooks } from "../../mod.ts";
 * import { MemoryBroker } from "../../testing/mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const done: string[] = [];
 * const hooks: MessagingHooks = {
 *   send: async (operation, next) => {
 *     operation.setProperty("tenant", "eu-7");
 *     await next();
 *     done.push(operation.spanName);
 *   },
 *   receive: (operation) => done.push(`${operation.spanName} for ${operation.getProperty("tenant")}`),
 * };
 * await using broker = await MemoryBroker.listen();
 * await using connection = await connect(broker.url, { hooks });
 * await connection.send("orders", "hello");
 * const consumer = await connection.createConsumer("orders");
 * await consumer.receive();
 * assertEquals(done, ["send orders", "receive orders for eu-7"]);
 * ```
 */
export interface MessagingHooks {
  /** Around the sending of a message, from the call until its promise settles. */
  send?: ((operation: SendOperation, next: () => Promise<void>) => unknown) | undefined;
  /** Around the handler that was given to `consume()`, and what is done with the message then. */
  process?: ((operation: DeliveryOperation, next: () => Promise<void>) => unknown) | undefined;
  /** When a message is given to a `receive()`, a loop or a stream. */
  receive?: ((operation: DeliveryOperation) => unknown) | undefined;
  /**
   * Around a settlement: the application's, and those that a consumer makes itself. A message that is given again is a
   * `"retry"`, one that is given up a `"reject"`. In a transaction messages are settled with it: there is one `"ack"` for each
   * consumer, around the commit.
   */
  settle?: ((operation: MessagingOperation, next: () => Promise<void>) => unknown) | undefined;
  /**
   * Around a step of a transaction: begin, commit, rollback, and what `connection.xa` does. Its `status` tells what has become of
   * the transaction. A transaction begins when the first message is sent or received in it. One that is rolled back because the
   * connection was lost is a `"rollback"` that has failed, or, if it was to be committed later, a `"commit"` that has failed.
   */
  transact?: ((operation: TransactionOperation, next: () => Promise<void>) => unknown) | undefined;
}

/**
 * Checks what a user gave.
 *
 * @throws {TypeError} When there is something else than hooks.
 */
export function checkHooks(hooks: MessagingHooks | undefined): void {
  if (hooks === undefined) return;
  if (typeof hooks !== "object" || hooks === null) {
    throw new TypeError(`Cannot use a ${typeof hooks} as hooks: an object is expected`);
  }
  for (const [name, hook] of Object.entries(hooks)) {
    if (MESSAGING_HOOKS.has(name) && hook !== undefined && typeof hook !== "function") {
      throw new TypeError(
        `Cannot use a ${typeof hook} as the hook ${name}: a function is expected`,
      );
    }
  }
}

/** The names of these options. */
export const MESSAGING_HOOKS: OptionNames<MessagingHooks> = new OptionNames<MessagingHooks>({
  send: true,
  process: true,
  receive: true,
  settle: true,
  transact: true,
});
