import { assertEquals, assertThrows } from "@std/assert";
import { nextCronTime } from "../../testing/cron.ts";
import { firstTime, nextTime } from "../../testing/schedule.ts";
import { test } from "../_harness.ts";

/** A time in local time, as cron expressions mean it. */
function at(text: string): number {
  return new Date(text).getTime();
}

for (
  const [expression, now, expected] of [
    ["* * * * *", "2024-05-15T10:20:30", "2024-05-15T10:21:00"],
    ["* * * * *", "2024-05-15T10:20:00", "2024-05-15T10:21:00"],
    ["30 * * * *", "2024-05-15T10:20:30", "2024-05-15T10:30:00"],
    ["10 * * * *", "2024-05-15T10:20:30", "2024-05-15T11:10:00"],
    ["0 0 * * *", "2024-05-15T10:20:30", "2024-05-16T00:00:00"],
    ["15 14 1 * *", "2024-05-15T10:20:30", "2024-06-01T14:15:00"],
    ["0 22 * * 1-5", "2024-05-17T23:00:00", "2024-05-20T22:00:00"],
    ["*/20 * * * *", "2024-05-15T10:20:30", "2024-05-15T10:40:00"],
    ["0 8,12-13 * * ?", "2024-05-15T10:20:30", "2024-05-15T12:00:00"],
    ["0 0 1 1 *", "2024-05-15T10:20:30", "2025-01-01T00:00:00"],
    ["0 0 29 2 *", "2024-05-15T10:20:30", "2028-02-29T00:00:00"],
    ["0 0 31 * *", "2024-05-31T10:20:30", "2024-07-31T00:00:00"],
    // Either kind of day.
    ["0 0 20 * 5", "2024-05-15T10:20:30", "2024-05-17T00:00:00"],
    ["0 0 16 * 5", "2024-05-15T10:20:30", "2024-05-16T00:00:00"],
  ] as const
) {
  test(`Cron: ${expression} after ${now} is ${expected}`, () => {
    assertEquals(nextCronTime(expression, at(now)), at(expected));
  });
}

for (
  const [expression, message] of [
    ["* * * *", "wrong number of tokens(4)"],
    ["", "wrong number of tokens(0)"],
    ["60 * * * *", "Invalid token: Minutes:60"],
    ["* * 0 * *", "Invalid token: DayOfMonth:0"],
    ["* * * * MON", "Invalid token: DayOfWeek:MON"],
    ["5-1 * * * *", "Invalid token: Minutes:5-1"],
    ["1-2-3 * * * *", "Invalid token: Minutes:1-2-3"],
    ["*/0 * * * *", "Invalid token: Minutes:*/0"],
    ["0 0 31 2 *", "Unable to compute next scheduled execution time"],
  ] as const
) {
  test(`Cron: "${expression}" is refused`, () => {
    assertThrows(() => nextCronTime(expression, 0), Error, message);
  });
}

test("Schedule: the first time is a half second, then the delay, or else the period", () => {
  const schedule = { delay: 0, period: 0, repeat: 0, cron: "" };
  assertEquals(firstTime(schedule, 10_300), 10_500);
  assertEquals(firstTime({ ...schedule, delay: 70, period: 5 }, 10_300), 10_570);
  assertEquals(firstTime({ ...schedule, period: 5 }, 10_500), 11_005);
  const cron = { ...schedule, cron: "0 0 * * *", delay: 70 };
  assertEquals(firstTime(cron, at("2024-05-15T10:20:30")), at("2024-05-16T00:00:00") + 70);
});

test("Schedule: the next time is after a period, as long as it repeats, or for cron for ever", () => {
  const schedule = { delay: 9, period: 5, repeat: 1, cron: "" };
  assertEquals(nextTime(schedule, 100), 105);
  assertEquals(nextTime({ ...schedule, repeat: -1 }, 100), 105);
  assertEquals(nextTime({ ...schedule, repeat: 0 }, 100), undefined);
  const cron = { ...schedule, repeat: 0, cron: "* * * * *" };
  assertEquals(nextTime(cron, at("2024-05-15T10:20:30")), at("2024-05-15T10:21:00"));
});
