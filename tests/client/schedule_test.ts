import {
  type Message,
  type MessageConsumer,
  type ScheduledDelivery,
  type ScheduledJob,
  TypedValue,
} from "../../mod.ts";
import { scheduleProperties } from "../../client/producer/scheduled_delivery.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { test } from "../_harness.ts";
import { type TestBroker, testOnBrokers } from "./_brokers.ts";

const HOUR = 3_600_000;

async function next(consumer: MessageConsumer): Promise<Message> {
  const message = await consumer.receive({ timeout: 10_000 });
  if (message === null) throw new Error("No message came");
  return message;
}

/** The jobs of this test: others may have some, too. */
async function jobsOf(broker: TestBroker, jobs: AsyncIterable<ScheduledJob>) {
  const found: ScheduledJob[] = [];
  for await (const job of jobs) {
    if (job.destination?.physicalName.startsWith(broker.name)) found.push(job);
  }
  return found;
}

function typesOf(schedule: ScheduledDelivery): Record<string, string> {
  const types: Record<string, string> = {};
  for (const [name, value] of scheduleProperties(schedule) ?? []) {
    types[name] = value instanceof TypedValue ? `${value.type} ${value.value}` : String(value);
  }
  return types;
}

test("schedules are properties with the types that brokers expect", () => {
  assertEquals(typesOf({}), {});
  assertEquals(typesOf({ delay: 0 }), {});
  assertEquals(typesOf({ delay: 5, period: 6, repeat: 7, cron: " 0 3\t* * * " }), {
    AMQ_SCHEDULED_DELAY: "long 5",
    AMQ_SCHEDULED_PERIOD: "long 6",
    AMQ_SCHEDULED_REPEAT: "int 7",
    AMQ_SCHEDULED_CRON: "0 3 * * *",
  });
});

test("schedules that make no sense are refused", () => {
  const refused = (schedule: ScheduledDelivery, error: typeof RangeError | typeof TypeError) =>
    assertThrows(() => scheduleProperties(schedule), error);
  for (const delay of [-1, 0.5, NaN, Infinity, 2 ** 53]) refused({ delay }, RangeError);
  for (const period of [0, -1, 0.5]) refused({ period, repeat: 1 }, RangeError);
  for (const repeat of [-1, 0.5, 2 ** 31]) refused({ period: 1, repeat }, RangeError);
  refused({ period: 1 }, TypeError);
  refused({ repeat: 1 }, TypeError);
  const good = [
    "* * * * *",
    "*/15 0-6 1,15 * 1-5",
    "0 3 * * 0",
    "59 23 31 12 6",
    "0-30/7 * * * *",
    "1,2-4,9 * * * *",
  ];
  for (const cron of good) assertEquals(typesOf({ cron }), { AMQ_SCHEDULED_CRON: cron });
  const bad = [
    "",
    "* * * *",
    "* * * * * *",
    "@daily",
    "60 * * * *",
    "* 24 * * *",
    "* * 0 * *",
    "* * 32 * *",
    "* * * 0 *",
    "* * * 13 *",
    "* * * * 7",
    "* * * * MON",
    "5-1 * * * *",
    "*/0 * * * *",
    "1/5 * * * *",
    "4-5/3 * * * *",
    "1,*/5 * * * *",
    "-1 * * * *",
    "1, 2 * * * *",
    "a * * * *",
  ];
  for (const cron of bad) refused({ cron }, TypeError);
  refused({ cron: 5 as unknown as string }, TypeError);
});

testOnBrokers("delay has the broker deliver a message later", async (broker) => {
  const connection = await broker.connect();
  const consumer = await connection.createConsumer(broker.name);
  const { messageId, outcome } = await connection.send(broker.name, "later", {
    delay: 1,
    properties: { a: 1 },
  });
  assertEquals(outcome, "confirmed");
  const later = await next(consumer);
  assertEquals([later.text, later.id], ["later", messageId]);
  assert(later.scheduledJobId !== null);
  assertEquals([...later.properties.keys()].sort(), ["a", "scheduledJobId"]);
}, { needs: ["scheduled job ids"] });

testOnBrokers("what has a delay is overtaken by what has none", async (broker) => {
  const connection = await broker.connect();
  const consumer = await connection.createConsumer(broker.name);
  await Promise.all([
    connection.send(broker.name, "later", { delay: 1000 }),
    connection.send(broker.name, "now"),
  ]);
  assertEquals([(await next(consumer)).text, (await next(consumer)).text], ["now", "later"]);
});

testOnBrokers("period and repeat have it deliver a message several times", async (broker) => {
  const connection = await broker.connect();
  const consumer = await connection.createConsumer(broker.name);
  await connection.send(broker.name, "again", { delay: 1, period: 50, repeat: 2 });
  const messages = [await next(consumer), await next(consumer), await next(consumer)];
  assertEquals(messages.map(({ text }) => text), ["again", "again", "again"]);
  assertEquals(new Set(messages.map(({ id }) => id)).size, 3);
  assertEquals(new Set(messages.map(({ scheduledJobId }) => scheduledJobId)).size, 1);
}, { needs: ["repeated delivery"] });

testOnBrokers("a producer's delay is for all of its messages that have none", async (broker) => {
  const connection = await broker.connect();
  const producer = await connection.createProducer(broker.name, { delay: HOUR, persistent: false });
  const consumer = await connection.createConsumer(broker.name);
  // The scheduler sends no ProducerAck, so it must answer.
  assertEquals((await producer.send("later")).outcome, "confirmed");
  assertEquals((await producer.send("never", { confirm: false })).outcome, "confirmed");
  assertEquals((await producer.send("now", { delay: 0 })).outcome, "windowed");
  const message = await next(consumer);
  assertEquals(message.text, "now");
  const jobs = await jobsOf(broker, connection.scheduledJobs.browse());
  assertEquals(jobs.map(({ schedule }) => schedule.delay), [HOUR, HOUR]);
  for (const { id } of jobs) await connection.scheduledJobs.remove(id);
}, { needs: ["scheduled jobs"] });

testOnBrokers("browse() shows scheduled messages, remove() takes them back", async (broker) => {
  const connection = await broker.connect();
  const { scheduledJobs } = connection;
  const queue = `${broker.name}.queue`;
  const consumer = await connection.createConsumer(queue);
  assertEquals(await jobsOf(broker, scheduledJobs.browse()), []);
  await connection.send(queue, "one", { delay: HOUR, correlationId: "c", properties: { a: 1 } });
  await connection.send(`topic://${broker.name}`, Uint8Array.of(2), {
    delay: 2 * HOUR,
    period: 5000,
    repeat: 3,
  });
  await connection.send(queue, "three", { cron: "0 0 1 1 *" });

  const jobs = await jobsOf(broker, scheduledJobs.browse());
  const find = (kind: string, text?: string) =>
    jobs.find(({ message }) => message.kind === kind && (!text || message.text === text))!;
  const [one, two, three] = [find("text", "one"), find("bytes"), find("text", "three")];
  assertEquals(jobs.length, 3);
  assertEquals([one.destination?.dataType, one.destination?.physicalName], [
    "ActiveMQQueue",
    queue,
  ]);
  assertEquals([one.message.correlationId, one.message.properties.get("a")], ["c", 1]);
  assertEquals(two.destination?.dataType, "ActiveMQTopic");
  assertEquals(two.message.bytes, Uint8Array.of(2));
  const none = { delay: undefined, period: undefined, repeat: undefined, cron: undefined };
  assertEquals([one, two, three].map(({ schedule }) => schedule), [
    { ...none, delay: HOUR },
    { ...none, delay: 2 * HOUR, period: 5000, repeat: 3 },
    { ...none, cron: "0 0 1 1 *" },
  ]);

  const now = Date.now();
  const range = { from: new Date(now + HOUR / 2), to: now + 1.5 * HOUR };
  const texts = async (jobs: AsyncIterable<ScheduledJob>) =>
    (await jobsOf(broker, jobs)).map(({ message }) => message.kind);
  assertEquals(await texts(scheduledJobs.browse(range)), ["text"]);
  assertEquals(await texts(scheduledJobs.browse({ to: range.to })), ["text"]);
  assertEquals((await texts(scheduledJobs.browse({ from: range.to }))).length, 2);

  await scheduledJobs.remove(one.id);
  await scheduledJobs.remove(one.id);
  await scheduledJobs.remove("ID:nobody");
  assertEquals((await texts(scheduledJobs.browse())).length, 2);
  await connection.send(queue, "due", { delay: 1 });
  assertEquals((await next(consumer)).text, "due");
  for (const { id } of [two, three]) await scheduledJobs.remove(id);
  assertEquals(await texts(scheduledJobs.browse()), []);
}, { needs: ["scheduled jobs"] });

testOnBrokers("removeAll() takes back what is due within a range", async (broker) => {
  const connection = await broker.connect();
  const { scheduledJobs } = connection;
  // Far from all other tests' jobs.
  const base = 1000 * 24 * HOUR;
  for (const n of [1, 2, 3]) {
    await connection.send(broker.name, String(n), { delay: base + n * HOUR });
  }
  const time = (n: number) => Date.now() + base + n * HOUR;
  await scheduledJobs.removeAll({ from: time(1.5), to: time(2.5) });
  const left = async () =>
    (await jobsOf(broker, scheduledJobs.browse())).map(({ message }) => message.text).sort();
  assertEquals(await left(), ["1", "3"]);
  await scheduledJobs.removeAll({ from: time(0) });
  assertEquals(await left(), []);
}, { needs: ["scheduled jobs"] });

testOnBrokers("browse() shows many jobs, and can be left", async (broker) => {
  const connection = await broker.connect({ prefetchPolicy: { queuePrefetch: 3 } });
  const { scheduledJobs } = connection;
  const producer = await connection.createProducer(broker.name);
  await producer.sendBatch(Array.from({ length: 50 }, (_, i) => String(i)), { delay: HOUR });
  const jobs = await jobsOf(broker, scheduledJobs.browse());
  assertEquals(jobs.length, 50);
  let seen = 0;
  for await (const _ of scheduledJobs.browse()) if (++seen === 5) break;
  assertEquals(seen, 5);
  await Promise.all(jobs.map(({ id }) => scheduledJobs.remove(id)));
  assertEquals(await jobsOf(broker, scheduledJobs.browse()), []);
}, { needs: ["scheduled jobs"] });

testOnBrokers("browse() refuses ranges that are none", async ({ connect }) => {
  const { scheduledJobs } = await connect();
  for (const from of [-1, NaN, new Date(NaN), 1.5]) {
    await assertRejects(() => scheduledJobs.removeAll({ from }), RangeError);
    await assertRejects(async () => {
      for await (const _ of scheduledJobs.browse({ to: from }));
    }, RangeError);
  }
}, { needs: ["scheduled jobs"] });

testOnBrokers("a scheduled message that comes can be scheduled again", async (broker) => {
  const connection = await broker.connect();
  const consumer = await connection.createConsumer(broker.name);
  await connection.send(broker.name, "x", { delay: 1, properties: { a: 1 } });
  const first = await next(consumer);
  await connection.send(broker.name, first, { delay: 1 });
  const second = await next(consumer);
  assert(second.scheduledJobId !== null && second.scheduledJobId !== first.scheduledJobId);
  assertEquals([second.text, second.properties.get("a")], ["x", 1]);
}, { needs: ["scheduled job ids"] });
