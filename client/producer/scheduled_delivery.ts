/**
 * Messages that the broker delivers later.
 *
 * @module
 */

import { numberText } from "../../errors.ts";
import { int, long, type PrimitiveInput } from "../../codec/mod.ts";
import { harmless } from "../harmless.ts";

/**
 * When the broker delivers a message, if not at once. ActiveMQ does this when its `schedulerSupport` is on, and otherwise
 * delivers at once; Artemis knows only `delay`.
 *
 * The message comes without its schedule, but with the property `scheduledJobId`. One that comes several times has
 * another id each time.
 *
 * @example
 * ```ts
 * import type { ScheduledDelivery } from "../../mod.ts";
 *
 * const inAnHour: ScheduledDelivery = { delay: 3_600_000 };
 * const threeTimes: ScheduledDelivery = { delay: 1_000, period: 60_000, repeat: 2 };
 * const eachNight: ScheduledDelivery = { cron: "0 3 * * *" };
 * ```
 */
export interface ScheduledDelivery {
  /** Milliseconds until the broker delivers it, 0 or more (JMS 2: delivery delay). The producer's by default. */
  delay?: number | undefined;
  /** Milliseconds between the deliveries of a message that is repeated, 1 or more. Goes with `repeat`. */
  period?: number | undefined;
  /**
   * How often it is delivered again after the first time, 0 or more; ActiveMQ allows 1000. Goes with `period`, which is
   * also the delay of the first time if there is no `delay`.
   */
  repeat?: number | undefined;
  /**
   * When to deliver it, again and again: minute (0 to 59), hour (0 to 23), day of the month (1 to 31), month (1 to 12) and
   * day of the week (0 to 6, from Sunday), in the broker's time zone. Each is `*`, or a list of numbers and ranges such as
   * `1-5,8`. One range or `*` may have a step: `0-30/7` is each number that 7 divides, 0, 7, 14 and so on. If both kinds of
   * days are given, one of them is enough.
   *
   * With other options, those begin each time that the expression says.
   */
  cron?: string | undefined;
}

/** The properties in which ActiveMQ's scheduler looks for the schedule of a message. */
export const ScheduleProperty = {
  delay: "AMQ_SCHEDULED_DELAY",
  period: "AMQ_SCHEDULED_PERIOD",
  repeat: "AMQ_SCHEDULED_REPEAT",
  cron: "AMQ_SCHEDULED_CRON",
  /** The job that a message came from. */
  jobId: "scheduledJobId",
} as const;

/** Whether a message with these properties is scheduled. */
export function isScheduled(properties: { has(name: string): boolean }): boolean {
  const { delay, period, cron, jobId } = ScheduleProperty;
  return [delay, period, cron].some((name) => properties.has(name)) && !properties.has(jobId);
}

/**
 * The properties for a schedule, with the types that brokers expect; undefined when the message is delivered at once.
 *
 * @param schedule The schedule.
 * @param defaultDelay The delay if the schedule has none.
 * @throws {RangeError} When a number is out of range.
 * @throws {TypeError} When the expression is none, or an option is missing.
 */
export function scheduleProperties(
  { delay, period, repeat, cron }: ScheduledDelivery,
  defaultDelay = 0,
): [string, PrimitiveInput][] | undefined {
  const start = checkDelay(delay ?? defaultDelay);
  if (start === 0 && (period ?? repeat ?? cron) === undefined) return undefined;
  const properties: [string, PrimitiveInput][] = [];
  if (start > 0) properties.push([ScheduleProperty.delay, long(start)]);
  if (period !== undefined && repeat !== undefined) {
    properties.push([ScheduleProperty.period, long(within("period", period, 1))]);
    properties.push([ScheduleProperty.repeat, int(within("repeat", repeat, 0, 0x7fffffff))]);
  } else if (period !== repeat) {
    const missing = period === undefined ? "period" : "repeat";
    throw new TypeError(`Cannot repeat a message: ${missing} is missing`);
  }
  if (cron !== undefined) properties.push([ScheduleProperty.cron, checkCron(cron)]);
  return properties;
}

/** Checks a delay. */
export function checkDelay(delay: number): number {
  return within("delay", delay, 0);
}

function within(
  name: string,
  value: number,
  lowest: number,
  highest: number = Number.MAX_SAFE_INTEGER,
): number {
  if (Number.isSafeInteger(value) && value >= lowest && value <= highest) return value;
  throw new RangeError(
    `Cannot schedule with ${name} ${
      numberText(value)
    }: an integer from ${lowest} to ${highest} is expected`,
  );
}

const fields = [
  ["minute", 0, 59],
  ["hour", 0, 23],
  ["day of the month", 1, 31],
  ["month", 1, 12],
  ["day of the week", 0, 6],
] as const;

/** ActiveMQ takes more than this, but makes no sense of it. */
function checkCron(cron: string): string {
  const tokens = typeof cron === "string" ? cron.split(/\s+/).filter((token) => token) : [];
  if (tokens.length !== fields.length) {
    throw new TypeError(
      `Cannot schedule with cron "${
        harmless(String(cron))
      }": minute, hour, day of the month, month and day of the week are expected`,
    );
  }
  fields.forEach(([name, lowest, highest], i) => {
    if (isField(tokens[i]!, lowest, highest)) return;
    throw new TypeError(
      `Cannot schedule with cron "${
        harmless(String(cron))
      }": for the ${name}, * or numbers from ${lowest} to ${highest} are expected`,
    );
  });
  return tokens.join(" ");
}

function isField(token: string, lowest: number, highest: number): boolean {
  const [numbers, step, more] = token.split("/") as [string, string?, string?];
  if (step === undefined) {
    return numbers === "*" || numbers.split(",").every((part) => isRange(part, lowest, highest));
  }
  if (more !== undefined || !/^[1-9]\d*$/.test(step)) return false;
  if (numbers !== "*" && !(numbers.includes("-") && isRange(numbers, lowest, highest))) {
    return false;
  }
  const [from, to] = numbers === "*" ? [lowest, highest] : numbers.split("-").map(Number);
  return Math.floor(to! / Number(step)) * Number(step) >= from!;
}

/** Whether a text is a number, or two with a `-` between. */
function isRange(text: string, lowest: number, highest: number): boolean {
  if (!/^\d+(-\d+)?$/.test(text)) return false;
  const [from, to = from] = text.split("-").map(Number) as [number, number?];
  return lowest <= from && from <= to! && to! <= highest;
}
