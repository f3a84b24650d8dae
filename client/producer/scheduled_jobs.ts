/**
 * Looking at scheduled messages, and taking them back.
 *
 * @module
 */

import type { ActiveMQDestination, PrimitiveMapInput } from "../../codec/mod.ts";
import { long } from "../../codec/mod.ts";
import type { CallOptions } from "../call_options.ts";
import { requireCapability } from "../capabilities.ts";
import type { Connection } from "../connection.ts";
import { topic } from "../destination/destination.ts";
import { TimeoutError } from "../errors.ts";
import { leavable } from "../iterate.ts";
import type { Message } from "../message/message.ts";
import { milliseconds } from "../options.ts";
import { ReplyQueue } from "../request/reply_queue.ts";
import { type ScheduledDelivery, ScheduleProperty } from "./scheduled_delivery.ts";

/**
 * Which jobs are meant, by the time when they are due next.
 *
 * @example
 * ```ts
 * import type { JobRange } from "../../mod.ts";
 *
 * const today: JobRange = { from: new Date(), to: new Date(Date.now() + 86_400_000) };
 * ```
 */
export interface JobRange extends CallOptions {
  /** The earliest time, as a date or in milliseconds since 1970; no limit by default. */
  from?: Date | number | undefined;
  /** The latest time, as a date or in milliseconds since 1970; no limit by default. */
  to?: Date | number | undefined;
}

/**
 * A message that the broker will deliver.
 *
 * @example
 * ```ts
 * import type { ScheduledJob } from "../../mod.ts";
 *
 * const describe = ({ id, destination, schedule }: ScheduledJob) =>
 *   `${id} for ${destination?.physicalName} in ${schedule.delay} ms`;
 * ```
 */
export interface ScheduledJob {
  /** Its name, for `remove()`. The message comes with it in the property `scheduledJobId`. */
  readonly id: string;
  /** Where the message will be delivered. */
  readonly destination: ActiveMQDestination | null;
  /** As it was given to `send()`. */
  readonly schedule: ScheduledDelivery;
  /**
   * A copy of the message, to be read. It has an id of its own, is not persistent, and is of type `Advisory`: the broker does
   * not tell what it was.
   */
  readonly message: Message;
}

/** What {@linkcode ScheduledJobs} needs of its connection. */
export type JobsConnection = Pick<
  Connection,
  "capabilities" | "createTemporaryQueue" | "createConsumer" | "send"
>;

/** Java: ScheduledMessage.AMQ_SCHEDULER_MANAGEMENT_DESTINATION. */
const MANAGEMENT = "ActiveMQ.Scheduler.Management";

/**
 * The jobs of the broker's scheduler: messages that were sent with `delay`, `period` or `cron`. Only ActiveMQ has this, when
 * its `schedulerSupport` is on; Artemis is refused with the code `"UNSUPPORTED"`.
 *
 * @example
 * ```ts
 * import { connect } from "../../mod.ts";
 * import { MemoryBroker } from "../../testing/mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * await using broker = await MemoryBroker.listen();
 * await using connection = await connect(broker.url);
 * await connection.send("orders", "in an hour", { delay: 3_600_000 });
 *
 * for await (const { id, message, schedule } of connection.scheduledJobs.browse()) {
 *   assertEquals([message.text, schedule.delay], ["in an hour", 3_600_000]);
 *   await connection.scheduledJobs.remove(id);
 * }
 * assertEquals(broker.scheduled, 0);
 * ```
 */
export class ScheduledJobs {
  readonly #connection: JobsConnection;
  readonly #requestTimeout: number;

  /**
   * Use `connection.scheduledJobs`.
   *
   * @ignore Not for users.
   */
  constructor(connection: JobsConnection, requestTimeout: number) {
    this.#connection = connection;
    this.#requestTimeout = requestTimeout;
  }

  /**
   * Shows jobs, by the time when they are due next.
   *
   * @param range Which jobs, and how long to wait for each.
   * @returns The jobs there were when the iteration began.
   * @throws {BrokerError} When the broker refuses.
   * @throws {TimeoutError} When the broker did not answer in time.
   * @throws {RangeError} When the range is none.
   */
  browse(range: JobRange = {}): AsyncIterableIterator<ScheduledJob> {
    return leavable((signal) => this.#browse(range, signal), range.signal);
  }

  async *#browse(
    range: JobRange,
    signal: AbortSignal,
  ): AsyncGenerator<ScheduledJob, void, undefined> {
    const { timeout } = range;
    const patience = {
      timeout: milliseconds("timeout", timeout, this.#requestTimeout),
      signal,
    };
    const request = { AMQ_SCHEDULER_ACTION: "BROWSE", ...rangeProperties(range) };
    this.#check("Cannot browse scheduled jobs");
    await using replies = await ReplyQueue.open(this.#connection, patience);
    const { queue: replyTo, consumer } = replies;
    await this.#manage(request, { ...patience, replyTo });
    // When the broker answers, it has put all jobs into the queue. So what is sent there now is the last that comes.
    await this.#connection.send(replyTo, null, {
      ...patience,
      persistent: false,
      confirm: true,
      priority: 0,
    });
    while (true) {
      const message = await consumer.receive(patience);
      if (message === null) {
        throw new TimeoutError(
          `Cannot browse scheduled jobs: the next one did not come within ${patience.timeout} ms`,
        );
      }
      const id = message.scheduledJobId;
      if (id === null) return;
      const { originalDestination: destination } = message;
      yield { id, destination, schedule: scheduleOf(message), message };
    }
  }

  /**
   * Takes a job back. What the broker does not know it ignores: the message may have been delivered meanwhile.
   *
   * @param id Its name, from {@linkcode browse}.
   * @param options How long to wait.
   * @throws {BrokerError} When the broker refuses.
   * @throws {TimeoutError} When the broker did not answer in time.
   */
  async remove(id: string, options: CallOptions = {}): Promise<void> {
    await this.#manage(
      { AMQ_SCHEDULER_ACTION: "REMOVE", [ScheduleProperty.jobId]: id },
      options,
    );
  }

  /**
   * Takes jobs back.
   *
   * @param range Which jobs; all by default. And how long to wait.
   * @throws {BrokerError} When the broker refuses.
   * @throws {TimeoutError} When the broker did not answer in time.
   * @throws {RangeError} When the range is none.
   */
  async removeAll(range: JobRange = {}): Promise<void> {
    await this.#manage(
      { AMQ_SCHEDULER_ACTION: "REMOVEALL", ...rangeProperties(range) },
      { timeout: range.timeout, signal: range.signal },
    );
  }

  #check(action: string): void {
    requireCapability(this.#connection.capabilities, "scheduledJobs", action);
  }

  async #manage(
    properties: PrimitiveMapInput,
    options: CallOptions & { replyTo?: ActiveMQDestination },
  ): Promise<void> {
    this.#check("Cannot change scheduled jobs");
    await this.#connection.send(topic(MANAGEMENT), null, {
      ...options,
      persistent: false,
      confirm: true,
      properties,
    });
  }
}

/** The broker looks only at ranges with both ends. */
function rangeProperties({ from, to }: JobRange): Record<string, ReturnType<typeof long>> {
  if (from === undefined && to === undefined) return {};
  return {
    ACTION_START_TIME: long(timeOf("from", from, 0)),
    ACTION_END_TIME: long(timeOf("to", to, Number.MAX_SAFE_INTEGER)),
  };
}

function timeOf(name: string, time: Date | number | undefined, fallback: number): number {
  const value = Number(time ?? fallback);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new RangeError(
    `Cannot use ${time} as ${name}: a date, or milliseconds since 1970, are expected`,
  );
}

function scheduleOf({ properties }: Message): ScheduledDelivery {
  const number = (name: string): number | undefined => {
    const value = properties.get(name);
    return typeof value === "number" || typeof value === "bigint" ? Number(value) : undefined;
  };
  const cron = properties.get(ScheduleProperty.cron);
  return {
    delay: number(ScheduleProperty.delay),
    period: number(ScheduleProperty.period),
    repeat: number(ScheduleProperty.repeat),
    cron: typeof cron === "string" && cron !== "" ? cron : undefined,
  };
}
