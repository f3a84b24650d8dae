/**
 * When a message with a schedule is due.
 *
 * @module
 */

import { type Message, type PrimitiveMap, ProtocolError } from "../codec/mod.ts";
import { decodePrimitiveMap } from "../codec/mod.ts";
import { nextCronTime } from "./cron.ts";
import { BrokerException } from "./exceptions.ts";

/** Properties of a message that schedule it. */
export const ScheduleProperty = {
  /** Milliseconds before the first time. */
  Delay: "AMQ_SCHEDULED_DELAY",
  /** Milliseconds between the times. */
  Period: "AMQ_SCHEDULED_PERIOD",
  /** How often after the first time; below zero for ever. */
  Repeat: "AMQ_SCHEDULED_REPEAT",
  /** Minute, hour, day of month, month, day of week. */
  Cron: "AMQ_SCHEDULED_CRON",
  /** The job that a message came from. */
  Id: "scheduledJobId",
} as const;

/** What all names of schedules begin with. */
const PREFIX = new TextEncoder().encode("AMQ_SCHEDULED_");

const MAX_REPEAT = 1000;

/** Jobs begin at half seconds, so that many can begin together. */
const TICK = 500;

/** What the properties of a message say. */
export interface Schedule {
  /** Milliseconds before the first time; 0 for none. */
  readonly delay: number;
  /** Milliseconds between the times; 0 for none. */
  readonly period: number;
  /** How often it comes again; below zero for ever. */
  readonly repeat: number;
  /** The cron expression; empty for none. */
  readonly cron: string;
}

/** The schedule of a message; undefined for one that is to be sent at once. */
export function readSchedule({ marshalledProperties }: Message): Schedule | undefined {
  if (marshalledProperties === null || !contains(marshalledProperties, PREFIX)) return undefined;
  let properties: PrimitiveMap;
  try {
    properties = decodePrimitiveMap(marshalledProperties);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
  const { Delay, Period, Repeat, Cron, Id } = ScheduleProperty;
  if (properties.get(Id) !== undefined) return undefined;
  if (![Delay, Period, Cron].some((name) => properties.get(name) !== undefined)) return undefined;
  const repeat = numberProperty(properties, Repeat) ?? 0;
  if (repeat > MAX_REPEAT) {
    throw new BrokerException(
      "javax.jms.MessageFormatException",
      "The scheduled repeat value is too large",
    );
  }
  return {
    delay: numberProperty(properties, Delay) ?? 0,
    period: numberProperty(properties, Period) ?? 0,
    repeat,
    cron: String(properties.get(Cron) ?? ""),
  };
}

/** A property that is a number, or a text that says one. */
export function numberProperty(properties: PrimitiveMap, name: string): number | undefined {
  const value = properties.get(name);
  if (value === undefined || value === null) return undefined;
  const number = Number(value);
  if (["number", "bigint", "string"].includes(typeof value) && Number.isFinite(number)) {
    return Math.trunc(number);
  }
  throw new BrokerException("java.lang.NumberFormatException", `For input string: "${value}"`);
}

/** When it is due first, in milliseconds since 1970. */
export function firstTime({ cron, delay, period }: Schedule, now: number): number {
  const start = Math.floor((now + TICK) / TICK) * TICK;
  return (cron === "" ? start : nextCronTime(cron, start)) + (delay > 0 ? delay : period);
}

/** When it is due again after `now`; undefined when that was the last time. */
export function nextTime({ cron, period, repeat }: Schedule, now: number): number | undefined {
  if (cron !== "") return nextCronTime(cron, now);
  return repeat === 0 ? undefined : now + period;
}

function contains(bytes: Uint8Array, wanted: Uint8Array): boolean {
  for (let at = bytes.indexOf(wanted[0]!); at >= 0; at = bytes.indexOf(wanted[0]!, at + 1)) {
    if (wanted.every((byte, i) => bytes[at + i] === byte)) return true;
  }
  return false;
}
