/**
 * Temporary queues and topics.
 *
 * @module
 */

import { CALL_OPTIONS } from "../call_options.ts";
import {
  type ActiveMQDestination,
  createDestinationInfo,
  type DestinationInfo,
} from "../../codec/mod.ts";
import { OpenWireError } from "../../errors.ts";
import { announce } from "../announce.ts";
import type { CallOptions } from "../call_options.ts";
import { formatDestination, nameOf } from "./destination.ts";
import { ConnectionClosedError, TimeoutError } from "../errors.ts";
import { inTime } from "../in_time.ts";
import { DestinationOperation } from "../link/commands.ts";
import { limitsOf } from "../options.ts";
import type { SessionContext } from "../session_context.ts";

/**
 * Which of the two a {@linkcode TemporaryDestination} is.
 *
 * @example
 * ```ts
 * import type { TemporaryKind } from "../../mod.ts";
 *
 * const kind: TemporaryKind = "ActiveMQTempQueue";
 * ```
 */
export type TemporaryKind = "ActiveMQTempQueue" | "ActiveMQTempTopic";

/**
 * A temporary queue, made by `connection.createTemporaryQueue()`.
 *
 * @example
 * ```ts
 * import type { TemporaryQueue } from "../../mod.ts";
 *
 * const nameOf = (queue: TemporaryQueue) => queue.physicalName;
 * ```
 */
export type TemporaryQueue = TemporaryDestination<"ActiveMQTempQueue">;

/**
 * A temporary topic, made by `connection.createTemporaryTopic()`.
 *
 * @example
 * ```ts
 * import type { TemporaryTopic } from "../../mod.ts";
 *
 * const nameOf = (topic: TemporaryTopic) => topic.physicalName;
 * ```
 */
export type TemporaryTopic = TemporaryDestination<"ActiveMQTempTopic">;

/**
 * A queue or topic that lasts until it is deleted, or as long as the connection that made it. Only that connection may consume
 * from it; whoever knows it, for example as `replyTo` of a message, may send to it. It can be given wherever a destination is
 * expected.
 *
 * What is sent to it when it is gone the broker refuses: `send()` fails with `"INVALID_DESTINATION"` if it waits for the
 * broker's answer; otherwise `connection.status()` tells.
 *
 * @example
 * ```ts
 * import { connect } from "../../mod.ts";
 * import { MemoryBroker } from "../../testing/mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * await using broker = await MemoryBroker.listen();
 * await using connection = await connect(broker.url);
 * await using replies = await connection.createTemporaryQueue();
 * await connection.send("orders", "how many?", { replyTo: replies });
 *
 * const order = await (await connection.createConsumer("orders")).receive();
 * await connection.send(order!.replyTo!, "42");
 *
 * await using consumer = await connection.createConsumer(replies);
 * assertEquals((await consumer.receive())?.text, "42");
 * ```
 */
export class TemporaryDestination<Kind extends TemporaryKind = TemporaryKind>
  implements AsyncDisposable {
  /** Whether it is a queue or a topic. */
  readonly dataType: Kind;
  /** Its name, which the id of its connection is part of. */
  readonly physicalName: string;
  readonly #remove: (options: CallOptions) => Promise<void>;

  /**
   * Use `connection.createTemporaryQueue()` or `connection.createTemporaryTopic()`.
   *
   * @ignore Not for users.
   */
  constructor(
    dataType: Kind,
    physicalName: string,
    remove: (options: CallOptions) => Promise<void>,
  ) {
    this.dataType = dataType;
    this.physicalName = physicalName;
    this.#remove = remove;
  }

  /**
   * Deletes it, with all messages in it. Calling it again changes nothing; if it failed, calling it again tries again.
   *
   * @param options How long to wait.
   * @throws {OpenWireError} `"ILLEGAL_STATE"` while a consumer of this connection is open for it.
   * @throws {BrokerError} When the broker refuses.
   * @throws {TimeoutError} When the broker did not answer.
   */
  delete(options: CallOptions = {}): Promise<void> {
    CALL_OPTIONS.check(options, "Cannot delete the temporary destination");
    return this.#remove(options);
  }

  /** The same as {@linkcode delete}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.delete();
  }
}

/** What {@linkcode TemporaryDestinations} needs of its connection. */
export type TemporaryContext = Pick<
  SessionContext,
  "connectionId" | "consumers" | "deadlines" | "request" | "settings"
>;

/** The temporary destinations of one connection. */
export class TemporaryDestinations {
  readonly #context: TemporaryContext;
  /** Those that were not deleted, as text. */
  readonly #live: Map<string, ActiveMQDestination> = new Map();
  /** Deletions under way, by the same texts. */
  readonly #deletions: Map<string, Promise<void>> = new Map();
  #count = 0;

  constructor(context: TemporaryContext) {
    this.#context = context;
  }

  async createQueue(options: CallOptions): Promise<TemporaryQueue> {
    const queue: TemporaryQueue = new TemporaryDestination(
      "ActiveMQTempQueue",
      this.#nextName(),
      (options) => this.#delete(queue, options),
    );
    await this.#create(queue, options);
    return queue;
  }

  async createTopic(options: CallOptions): Promise<TemporaryTopic> {
    const topic: TemporaryTopic = new TemporaryDestination(
      "ActiveMQTempTopic",
      this.#nextName(),
      (options) => this.#delete(topic, options),
    );
    await this.#create(topic, options);
    return topic;
  }

  /**
   * Refuses what only another connection may consume from, or what is gone: some brokers would make a new destination.
   *
   * @throws {OpenWireError} `"INVALID_DESTINATION"`
   */
  checkConsumable(destination: ActiveMQDestination): void {
    const { dataType, physicalName } = destination;
    if (dataType !== "ActiveMQTempQueue" && dataType !== "ActiveMQTempTopic") return;
    const name = formatDestination(destination);
    if (this.#live.has(name)) return;
    const reason = physicalName.startsWith(this.#prefix)
      ? "it was deleted"
      : "it belongs to another connection";
    throw new OpenWireError(
      "INVALID_DESTINATION",
      `Cannot consume from ${nameOf(destination)}: ${reason}`,
    );
  }

  /** The commands that make them again, over another connection. */
  infos(): DestinationInfo[] {
    return Array.from(
      this.#live.values(),
      (destination) => this.#info(destination, DestinationOperation.add),
    );
  }

  async #create(destination: ActiveMQDestination, options: CallOptions): Promise<void> {
    const action = `Cannot create ${formatDestination(destination)}`;
    const { add, remove } = DestinationOperation;
    await announce(
      this.#context,
      this.#info(destination, add),
      action,
      options,
      () => this.#info(destination, remove),
    );
    this.#live.set(formatDestination(destination), destination);
  }

  async #delete(destination: ActiveMQDestination, options: CallOptions): Promise<void> {
    const { deadlines, settings } = this.#context;
    const limits = limitsOf(options, settings.requestTimeout);
    const name = formatDestination(destination);
    const late = (): Error =>
      new TimeoutError(`Cannot delete ${name}: no answer within ${limits.timeout} ms`);
    // If another call can't delete it, this one tries again.
    for (let other; (other = this.#deletions.get(name));) {
      await inTime(other.catch(() => {}), { deadlines, late, ...limits });
    }
    if (!this.#live.has(name)) return;
    for (const consumer of this.#context.consumers()) {
      if (formatDestination(consumer.destination) !== name) continue;
      throw new OpenWireError(
        "ILLEGAL_STATE",
        `Cannot delete ${name}: a consumer of this connection is open for it`,
      );
    }
    this.#live.delete(name);
    const deletion = this.#remove(destination, limits);
    this.#deletions.set(name, deletion);
    try {
      await deletion;
    } catch (error) {
      // It has gone with the connection.
      if (error instanceof ConnectionClosedError) return;
      this.#live.set(name, destination);
      throw error;
    } finally {
      this.#deletions.delete(name);
    }
  }

  async #remove(destination: ActiveMQDestination, limits: CallOptions): Promise<void> {
    const info = this.#info(destination, DestinationOperation.remove);
    await this.#context.request(info, `Cannot delete ${formatDestination(destination)}`, limits);
  }

  #info(destination: ActiveMQDestination, operationType: number): DestinationInfo {
    const { connectionId } = this.#context;
    return createDestinationInfo({ connectionId, destination, operationType });
  }

  #nextName(): string {
    return `${this.#prefix}${++this.#count}`;
  }

  get #prefix(): string {
    return `${this.#context.connectionId.value}:`;
  }
}
