/**
 * Cron expressions with five fields: minute, hour, day of month, month, day of week.
 *
 * @module
 */

import { BrokerException } from "./exceptions.ts";

/** A field's numbers; undefined when it allows all. */
type Field = ReadonlySet<number> | undefined;

const FIELDS = [["Minutes", 0, 59], ["Hours", 0, 23], ["DayOfMonth", 1, 31], ["Month", 1, 12], [
  "DayOfWeek",
  0,
  6,
]] as const;

/** February 29 comes every eight years at least. */
const LONGEST_SEARCH_IN_DAYS = 366 * 8;

/**
 * The next time that fits, in local time, at the beginning of a minute; later than `now`.
 *
 * As in ActiveMQ: fields are numbers, ranges, lists, `*` and steps such as `*\/5`, which is what is divisible by 5. Days
 * of the week count from Sunday, 0. When both kinds of days are restricted, one of them is enough.
 */
export function nextCronTime(expression: string, now: number): number {
  const [minutes, hours, days, months, weekdays] = parse(expression);
  const start = new Date(now);
  start.setSeconds(0, 0);
  start.setMinutes(start.getMinutes() + 1);
  const day = new Date(start.getFullYear(), start.getMonth(), start.getDate());
  for (let n = 0; n < LONGEST_SEARCH_IN_DAYS; n++) {
    if (allows(months, day.getMonth() + 1) && allowsDay(day, days, weekdays)) {
      const found = within(day, start, hours, minutes);
      if (found !== undefined) return found;
    }
    day.setDate(day.getDate() + 1);
  }
  throw new BrokerException(
    "java.lang.ArithmeticException",
    `Unable to compute next scheduled execution time of: ${expression}`,
  );
}

/** The first time of a day that is not before `start`. */
function within(day: Date, start: Date, hours: Field, minutes: Field): number | undefined {
  for (let hour = 0; hour < 24; hour++) {
    if (!allows(hours, hour)) continue;
    for (let minute = 0; minute < 60; minute++) {
      if (!allows(minutes, minute)) continue;
      const time = new Date(day.getFullYear(), day.getMonth(), day.getDate(), hour, minute);
      if (time >= start) return time.getTime();
    }
  }
}

function allows(field: Field, value: number): boolean {
  return field === undefined || field.has(value);
}

function allowsDay(day: Date, days: Field, weekdays: Field): boolean {
  if (days === undefined || weekdays === undefined) {
    return allows(days, day.getDate()) && allows(weekdays, day.getDay());
  }
  return days.has(day.getDate()) || weekdays.has(day.getDay());
}

function parse(expression: string): Field[] {
  const tokens = expression.split(/\s+/).filter((token) => token !== "");
  if (tokens.length !== FIELDS.length) {
    throw new BrokerException(
      "java.lang.IllegalArgumentException",
      `Not a valid cron entry - wrong number of tokens(${tokens.length}): ${expression}`,
    );
  }
  return FIELDS.map(([name, lowest, highest], i) => parseField(tokens[i]!, name, lowest, highest));
}

function parseField(token: string, name: string, lowest: number, highest: number): Field {
  if (token === "*" || token === "?") return undefined;
  const found = new Set<number>();
  for (const part of token.split(",")) {
    const [range, step, more] = part.split("/") as [string, string?, string?];
    const [from, to] = range === "*" || range === "?" ? [lowest, highest] : bounds(range, name);
    const divisor = step === undefined ? 1 : integer(step, name);
    if (more !== undefined || divisor === 0 || from < lowest || to > highest || from > to) {
      throw invalid(part, name);
    }
    for (let value = from; value <= to; value++) if (value % divisor === 0) found.add(value);
  }
  if (found.size === 0) throw invalid(token, name);
  return found;
}

function bounds(range: string, name: string): [number, number] {
  const [from, to = from, more] = range.split("-") as [string, string?, string?];
  if (more !== undefined) throw invalid(range, name);
  return [integer(from, name), integer(to, name)];
}

function integer(text: string, name: string): number {
  if (!/^\d+$/.test(text)) throw invalid(text, name);
  return Number(text);
}

function invalid(token: string, name: string): BrokerException {
  return new BrokerException("javax.jms.MessageFormatException", `Invalid token: ${name}:${token}`);
}
