/**
 * Looking at scheduled messages, and taking them back.
 *
 * @module
 */

import { CALL_OPTIONS } from "../call_options.ts";
import { OptionNames } from "../../option_names.ts";
import type { ActiveMQDestination, PrimitiveMapInput } from "../../codec/mod.ts";
import { long } from "../../codec/mod.ts";
import { numberText, OpenWireError } from "../../errors.ts";
import type { CallOptions } from "../call_options.ts";
import { requireCapability } from "../capabilities.ts";
import type { Connection } from "../connection.ts";
import { topic } from "../destination/destination.ts";
import { TimeoutError } from "../errors.ts";
import { leavable } from "../iterate.ts";
import type { Message } from "../message/message.ts";
import type { Logger } from "../observe/logger.ts";
import { requireName } from "../names.ts";
import { milliseconds } from "../options.ts";
import { ReplyQueue } from "../request/reply_queue.ts";
import { TimeLimit } from "../time_limit.ts";
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

/** Markers are due after all times that a Date can say, in the year 275760, whatever the broker's clock says. */
const MARKER_TIME = 8_640_000_000_000_000;

/** Times in milliseconds since 1970, both included. */
type Times = readonly [from: number, to: number];

const ALL_MARKERS: Times = [MARKER_TIME, Number.MAX_SAFE_INTEGER];

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
  readonly #log: Logger | undefined;

  /**
   * Use `connection.scheduledJobs`.
   *
   * @ignore Not for users.
   */
  constructor(connection: JobsConnection, requestTimeout: number, log: Logger | undefined) {
    this.#connection = connection;
    this.#requestTimeout = requestTimeout;
    this.#log = log;
  }

  /**
   * Shows jobs, by the time when they are due next. All are fetched when the iteration begins.
   *
   * The broker answers on a temporary queue, to which other clients can send. Messages that do not come from the broker's
   * scheduler are skipped. To know the scheduler, the client schedules a marker, which is due in the year 275760, and removes it.
   * If the call is aborted before the marker was found, the marker stays.
   *
   * A client that browses jobs itself, or receives a message that the scheduler repeats, learns the producer id of the scheduler.
   * If such a client connects under this id, it can still forge or suppress answers: the broker does not prevent that.
   *
   * @param range Which jobs, and how long to wait until all are there.
   * @returns The jobs there were when the iteration began. Jobs due after the year 275760 are left out.
   * @throws {BrokerError} When the broker refuses.
   * @throws {TimeoutError} When the broker did not answer in time.
   * @throws {RangeError} When the range is none.
   * @throws {OpenWireError} `"UNSUPPORTED"` when the broker has no scheduler, `"ANSWERS_TOO_LARGE"` when the jobs have more than 128 MiB: ask for a smaller range.
   */
  browse(range: JobRange = {}): AsyncIterableIterator<ScheduledJob> {
    JOB_RANGE.check(range, "Cannot browse scheduled jobs");
    return leavable((signal) => this.#jobs(range, signal), range.signal);
  }

  async *#jobs(
    range: JobRange,
    signal: AbortSignal,
  ): AsyncGenerator<ScheduledJob, void, undefined> {
    const timeout = milliseconds("timeout", range.timeout, this.#requestTimeout);
    const [from, to] = timesOf(range);
    this.#check("Cannot browse scheduled jobs");
    const late = (): Error =>
      new TimeoutError(`Cannot browse scheduled jobs: not all came within ${timeout} ms`);
    const limit = new TimeLimit(timeout, late, signal);
    let jobs: ScheduledJob[];
    try {
      jobs = await this.#browse([from, Math.min(to, MARKER_TIME - 1)], limit);
    } finally {
      limit.cancel();
    }
    yield* jobs;
  }

  /**
   * Takes a job back. What the broker does not know it ignores: the message may have been delivered meanwhile.
   *
   * @param id Its name, from {@linkcode browse}.
   * @param options How long to wait.
   * @throws {BrokerError} When the broker refuses.
   * @throws {TimeoutError} When the broker did not answer in time.
   * @throws {TypeError} When the id is blank or no text.
   */
  async remove(id: string, options: CallOptions = {}): Promise<void> {
    CALL_OPTIONS.check(options, "Cannot remove the job");
    await this.#manage(
      { AMQ_SCHEDULER_ACTION: "REMOVE", [ScheduleProperty.jobId]: requireName("id of a job", id) },
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
      { AMQ_SCHEDULER_ACTION: "REMOVEALL", ...(isLimited(range) && within(timesOf(range))) },
      { timeout: range.timeout, signal: range.signal },
    );
  }

  /**
   * The scheduler's answers carry nothing of the question, but all have its producer id, and numbers that rise. A marker with an
   * unguessable correlation id tells both: what the scheduler shows between two copies of the marker is genuine.
   */
  async #browse(times: Times, limit: TimeLimit): Promise<ScheduledJob[]> {
    const limits = { timeout: 0, signal: limit.signal };
    await using replies = await ReplyQueue.open(this.#connection, limits, this.#log);
    const { queue: replyTo } = replies;
    const marker = crypto.randomUUID();
    await this.#connection.send(replyTo, null, {
      ...limits,
      delay: MARKER_TIME,
      correlationId: marker,
      // The last also where the broker sorts by priority.
      priority: 0,
      persistent: false,
      confirm: true,
    });
    for (const asked of [ALL_MARKERS, times, ALL_MARKERS]) {
      await this.#manage({ AMQ_SCHEDULER_ACTION: "BROWSE", ...within(asked) }, {
        ...limits,
        replyTo,
      });
    }
    const first = await replies.next(limits, ({ correlationId }) => correlationId === marker);
    const { scheduledJobId } = first;
    if (scheduledJobId === null) {
      throw new OpenWireError(
        "UNSUPPORTED",
        "Cannot browse scheduled jobs: schedulerSupport of the broker must be on",
      );
    }
    const removed = this.remove(scheduledJobId);
    removed.catch(() => {});
    const found = await replies.between(first, limits);
    await limit.race(removed);
    return found.filter(isJob).map(toJob);
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

/** Other clients' markers are no jobs. */
function isJob({ properties }: Message): boolean {
  const delay = properties.get(ScheduleProperty.delay);
  return !(typeof delay === "number" || typeof delay === "bigint") || delay < MARKER_TIME;
}

function toJob(message: Message): ScheduledJob {
  const { scheduledJobId, originalDestination: destination } = message;
  return { id: scheduledJobId ?? "", destination, schedule: scheduleOf(message), message };
}

function isLimited({ from, to }: JobRange): boolean {
  return from !== undefined || to !== undefined;
}

function timesOf({ from, to }: JobRange): Times {
  return [timeOf("from", from, 0), timeOf("to", to, Number.MAX_SAFE_INTEGER)];
}

/** The broker looks only at ranges with both ends. */
function within([from, to]: Times): Record<string, ReturnType<typeof long>> {
  return { ACTION_START_TIME: long(from), ACTION_END_TIME: long(to) };
}

function timeOf(name: string, time: Date | number | undefined, fallback: number): number {
  const value = time instanceof Date ? time.getTime() : time ?? fallback;
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new RangeError(
    `Cannot use ${
      time instanceof Date ? "an invalid date" : numberText(time)
    } as ${name}: a date, or milliseconds since 1970, are expected`,
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

/** The names of these options. */
export const JOB_RANGE: OptionNames<JobRange> = new OptionNames<JobRange>({
  from: true,
  to: true,
  timeout: true,
  signal: true,
});
