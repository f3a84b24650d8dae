/** What senders may have in memory when nobody takes it is bounded. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { connect, type Connection, OpenWireError, type SendOptions } from "../../mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { testOnBrokers } from "../client/_brokers.ts";
import { until } from "../client/_messages.ts";
import { test } from "../_harness.ts";
import { outcomeOf } from "./_outcomes.ts";
import { Relay } from "./_relay.ts";
import { SilentBroker } from "./_silence.ts";

const BODY = new Uint8Array(9_000);
/** What a message counts. */
const SIZE = BODY.length + 1024;
/** Room for ten of them. */
const LIMIT = { maxPendingSendBytes: 10 * SIZE };
const SHORT = { requestTimeout: 200, closeTimeout: 50 };

/** Sends without waiting; counts what came of the sends. */
async function flood(
  connection: Connection,
  count: number,
  options: SendOptions = {},
  destination = "flood",
): Promise<Record<string, number>> {
  const outcomes = Array.from(
    { length: count },
    () => outcomeOf(connection.send(destination, BODY, options)),
  );
  const found: Record<string, number> = {};
  for (const outcome of await Promise.all(outcomes)) found[outcome] = (found[outcome] ?? 0) + 1;
  return found;
}

for (const persistent of [true, false]) {
  const kind = persistent ? "persistent" : "non-persistent";
  test(`${kind} messages that nobody waits for are refused when too many are on their way`, async () => {
    await using broker = await SilentBroker.open();
    await using connection = await connect(broker.url, LIMIT);
    const producer = await connection.createProducer("flood", { windowSize: SIZE });
    await producer.send("first");
    assertEquals(connection.stats().pendingSendBytes, 0);
    broker.silence();
    const sends = Array.from({ length: 25 }, () => producer.send(BODY, { persistent }));
    assertEquals(connection.stats().pendingSendBytes, 10 * SIZE);
    for (const refused of sends.slice(10)) {
      const error = await assertRejects(() => refused, OpenWireError, "maxPendingSendBytes");
      assertEquals([error.code, error.retryable], ["SEND_BUFFER_FULL", true]);
    }
    connection.abort();
    await Promise.allSettled(sends);
    await connection.closed;
    assertEquals(connection.stats().pendingSendBytes, 0);
  });
}

testOnBrokers("who waits for each send meets no bound", async ({ connect, name }) => {
  const connection = await connect({ maxPendingSendBytes: 1 });
  for (let n = 0; n < 5; n++) {
    await connection.send(name, BODY);
    await connection.send(name, BODY, { persistent: false });
  }
  const consumer = await connection.createConsumer(name);
  for (let n = 0; n < 10; n++) assert(await consumer.receive());
});

test("messages that came too late may be sent again when there is room", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url, LIMIT);
  await connection.send("flood", "first");
  assertEquals(await flood(connection, 15), { ok: 10, SEND_BUFFER_FULL: 5 });
  assertEquals(await flood(connection, 5), { ok: 5 });
  assertEquals(broker.queue("flood").size, 16);
});

test("a batch is refused as a whole, but one may be larger than all that is allowed", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url, LIMIT);
  const producer = await connection.createProducer("flood");
  const batch = Array.from({ length: 15 }, () => BODY);
  const first = producer.sendBatch(batch);
  const second = outcomeOf(producer.sendBatch(batch.slice(0, 2)));
  assertEquals((await first).length, 15);
  assertEquals(await second, "SEND_BUFFER_FULL");
  assertEquals(broker.queue("flood").size, 15);
  assertEquals(connection.stats().pendingSendBytes, 0);
});

test("a message counts as long as it waits to be written, even if nobody waits for it any more", async () => {
  await using broker = await MemoryBroker.listen();
  await using relay = await Relay.open(broker.url);
  await using connection = await connect(relay.url, { maxPendingSendBytes: 2_000_000 });
  const oneWay = await connection.createProducer("flood", { persistent: false, windowSize: 0 });
  let sent = 0;
  const send = async (bytes: number): Promise<string> => {
    sent++;
    return await outcomeOf(oneWay.send(new Uint8Array(bytes), { timeout: 100 }));
  };
  relay.freeze();
  // Fills all buffers between here and there.
  while (await send(1_000_000) === "ok");
  const full = connection.stats().pendingSendBytes;
  assertEquals(full, 1_001_024);
  for (let n = 0; n < 3; n++) {
    assertEquals(await send(BODY.length), "TIMEOUT");
  }
  assertEquals(connection.stats().pendingSendBytes, full + 3 * SIZE);
  assertEquals(await outcomeOf(oneWay.send(new Uint8Array(1_000_000))), "SEND_BUFFER_FULL");
  relay.thaw();
  await until(() => connection.stats().pendingSendBytes === 0);
  // They were sent nevertheless, as their errors said.
  await broker.until(() => broker.queue("flood").size === sent);
});

test("a message that is given up before its turn counts no more", async () => {
  await using broker = await SilentBroker.open();
  await using connection = await connect(broker.url, LIMIT);
  const producer = await connection.createProducer("flood", { persistent: false, windowSize: 1 });
  broker.silence();
  producer.send(BODY).catch(() => {});
  const outcome = outcomeOf(producer.send(BODY, { timeout: 30 }));
  assertEquals(connection.stats().pendingSendBytes, 2 * SIZE);
  assertEquals(await outcome, "TIMEOUT");
  assertEquals(connection.stats().pendingSendBytes, SIZE);
  connection.abort();
});

test("writing to a stream without waiting for it to be ready ends it when too much is on its way", async () => {
  await using broker = await SilentBroker.open();
  await using connection = await connect(broker.url, LIMIT);
  const { writable } = await connection.createProducer("flood");
  broker.silence();
  const writer = writable.getWriter();
  const outcome = outcomeOf(writer.closed);
  const writes = Array.from({ length: 11 }, () => writer.write(BODY));
  assertEquals(await outcome, "SEND_BUFFER_FULL");
  connection.abort();
  await Promise.allSettled(writes);
  await connection.closed;
});

test("while a lost connection is being replaced, messages are kept up to the bound", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(`failover:(${broker.url})?maxReconnectDelay=20`, LIMIT);
  await connection.send("flood", "first");
  await broker.suspend();
  await until(() => !connection.connected);
  const sends = flood(connection, 15);
  await until(() => connection.stats().pendingSendBytes === 10 * SIZE);
  await broker.resume();
  assertEquals(await sends, { ok: 10, SEND_BUFFER_FULL: 5 });
  assertEquals(connection.stats().pendingSendBytes, 0);
  assertEquals(broker.queue("flood").enqueued, 11);
});

test("messages that wait until something can be sent at all count, too", async () => {
  await using broker = await SilentBroker.open();
  await using connection = await connect(broker.url, { ...LIMIT, ...SHORT });
  broker.silence();
  assertEquals(await flood(connection, 15), { TIMEOUT: 10, SEND_BUFFER_FULL: 5 });
  assertEquals(connection.stats().pendingSendBytes, 0);
});

test("without a bound nothing is refused", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url, { maxPendingSendBytes: 0 });
  assertEquals(await flood(connection, 50), { ok: 50 });
});
