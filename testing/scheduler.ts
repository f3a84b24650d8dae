/**
 * Messages that are sent later, and the topic by which they are managed (Java: SchedulerBroker).
 *
 * @module
 */

import {
  type ActiveMQDestination,
  createMessageId,
  createProducerId,
  decodePrimitiveMap,
  encodePrimitiveMap,
  type Message,
  type PrimitiveMap,
} from "../codec/mod.ts";
import { messageKey } from "./messages.ts";
import {
  firstTime,
  nextTime,
  numberProperty,
  type Schedule,
  ScheduleProperty,
} from "./schedule.ts";
import type { Timers } from "./timers.ts";

/** Messages to destinations that begin with it manage the jobs. */
const MANAGEMENT = "activemq.scheduler.management";

/** A message with its next time. */
interface Job {
  readonly id: string;
  readonly message: Message;
  readonly schedule: Schedule;
  readonly time: number;
  readonly cancel: () => void;
}

/** Sends a message on its way as if it came now. */
export type Deliver = (message: Message) => void;

/** Whether a destination is there to manage scheduled messages. */
export function managesSchedules({ physicalName }: ActiveMQDestination): boolean {
  return physicalName.slice(0, MANAGEMENT.length).toLowerCase() === MANAGEMENT;
}

/** The jobs of a broker. */
export class Scheduler {
  readonly #jobs: Map<string, Job> = new Map();
  readonly #timers: Timers;
  readonly #now: () => number;
  readonly #deliver: Deliver;
  readonly #producerId = createProducerId({
    connectionId: `ID:scheduler-${crypto.randomUUID()}`,
    sessionId: 0,
    value: 0,
  });
  #ids = 0;
  #messages = 0;

  constructor(timers: Timers, now: () => number, deliver: Deliver) {
    this.#timers = timers;
    this.#now = now;
    this.#deliver = deliver;
  }

  /** How many messages are to come. */
  get size(): number {
    return this.#jobs.size;
  }

  /** Keeps a message until its time. */
  add(message: Message, schedule: Schedule): void {
    const producerId = message.messageId!.producerId;
    const id = messageKey(createMessageId({ producerId, producerSequenceId: ++this.#ids }));
    this.#schedule(id, message, schedule, firstTime(schedule, this.#now()));
  }

  /** Does what a message to the management topic says. */
  manage({ marshalledProperties, replyTo }: Message): void {
    const properties = decodePrimitiveMap(marshalledProperties);
    const action = properties.get("AMQ_SCHEDULER_ACTION");
    const within = range(properties);
    const id = properties.get(ScheduleProperty.Id);
    if (action === "BROWSE" && replyTo !== null) {
      for (const job of this.#inOrder().filter(within)) this.#show(job, replyTo);
    } else if (action === "REMOVE" && typeof id === "string") {
      this.#remove(id);
    } else if (action === "REMOVEALL") {
      for (const job of this.#inOrder().filter(within)) this.#remove(job.id);
    }
  }

  #schedule(id: string, message: Message, schedule: Schedule, time: number): void {
    const delay = Math.max(0, time - this.#now());
    const cancel = this.#timers.set(delay, () => this.#fire(this.#jobs.get(id)!));
    this.#jobs.set(id, { id, message, schedule, time, cancel });
  }

  #fire({ id, message, schedule }: Job): void {
    this.#jobs.delete(id);
    const { cron, repeat } = schedule;
    const next = nextTime(schedule, this.#now());
    // A cron expression with repetitions starts a series of its own each time.
    if (cron !== "" && repeat !== 0) this.add(message, { ...schedule, cron: "" });
    else this.#deliver(this.#due(id, message));
    if (next === undefined) return;
    const left = cron === "" && repeat > 0 ? repeat - 1 : repeat;
    this.#schedule(id, message, { ...schedule, repeat: left }, next);
  }

  /** The message as it is delivered: without its schedule, with the job's id, and its time to live begins now. */
  #due(id: string, message: Message): Message {
    const properties = decodePrimitiveMap(message.marshalledProperties);
    const { Delay, Period, Repeat, Cron, Id } = ScheduleProperty;
    // One that comes several times is another message each time.
    const several = Boolean(properties.get(Cron)) || Boolean(numberProperty(properties, Repeat));
    for (const name of [Delay, Period, Repeat, Cron]) properties.delete(name);
    properties.set(Id, id);
    const now = this.#now();
    const { timestamp, expiration } = message;
    const later = now + Number(expiration) - Number(timestamp);
    const shifted = timestamp > 0 && expiration > 0 && later > expiration;
    return {
      ...message,
      ...(several ? { messageId: this.#nextId() } : {}),
      ...(shifted ? { timestamp: now, expiration: later } : {}),
      marshalledProperties: encodePrimitiveMap(properties),
    };
  }

  #show({ id, message }: Job, replyTo: ActiveMQDestination): void {
    const properties = decodePrimitiveMap(message.marshalledProperties);
    properties.set(ScheduleProperty.Id, id);
    this.#deliver({
      ...message,
      messageId: this.#nextId(),
      producerId: this.#producerId,
      persistent: false,
      responseRequired: false,
      type: "Advisory",
      originalDestination: message.destination,
      destination: replyTo,
      marshalledProperties: encodePrimitiveMap(properties),
    });
  }

  #remove(id: string): void {
    this.#jobs.get(id)?.cancel();
    this.#jobs.delete(id);
  }

  #inOrder(): Job[] {
    return [...this.#jobs.values()].sort((a, b) => a.time - b.time);
  }

  #nextId(): Message["messageId"] {
    const producerSequenceId = ++this.#messages;
    return createMessageId({ producerId: this.#producerId, producerSequenceId });
  }
}

/** Only a complete range counts. */
function range(properties: PrimitiveMap): (job: Job) => boolean {
  const start = numberProperty(properties, "ACTION_START_TIME");
  const end = numberProperty(properties, "ACTION_END_TIME");
  if (start === undefined || end === undefined) return () => true;
  return ({ time }) => start <= time && time <= end;
}
