import {
  connect,
  type ConnectOptions,
  type MessageProducer,
  type ProducerOptions,
} from "../../mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { test } from "../_harness.ts";
import { testOnBrokers } from "./_brokers.ts";
import { left } from "./_messages.ts";

/** What a text message with one character counts. */
const SIZE = 1024 + 5;

function streamOf<T>(chunks: Iterable<T>): ReadableStream<T> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
}

/** Runs a test with a producer for a queue that is full at first. */
async function withFullQueue(
  options: ProducerOptions,
  run: (
    producer: MessageProducer,
    broker: MemoryBroker,
    limit: (messages: number) => void,
  ) => Promise<void>,
  connectOptions: ConnectOptions = {},
): Promise<void> {
  await using broker = await MemoryBroker.listen();
  const limit = (messages: number) => broker.limitQueue("q", { messages });
  limit(0);
  await using connection = await connect(broker.url, connectOptions);
  await run(await connection.createProducer("q", options), broker, limit);
}

testOnBrokers("writable sends what is piped to it, in order", async ({ connect, name }) => {
  const connection = await connect();
  const producer = await connection.createProducer(name, { windowSize: 5000 });
  const chunks = Array.from({ length: 100 }, (_, i) => (i % 2 ? String(i) : { body: String(i) }));
  await streamOf(chunks).pipeTo(producer.writable);
  const consumer = await connection.createConsumer(name);
  for (let i = 0; i < 100; i++) {
    assertEquals((await consumer.receive({ timeout: 10_000 }))?.text, String(i));
  }
  await producer.send("the producer is still open");
});

testOnBrokers(
  "writable confirms messages that aren't persistent, too",
  async ({ connect, name }) => {
    const connection = await connect();
    const producer = await connection.createProducer(name, { persistent: false });
    const writer = producer.writable.getWriter();
    writer.write("a");
    writer.write({ body: "b", priority: 9 });
    await writer.close();
    assertEquals(producer.bufferedAmount, 0);
    const consumer = await connection.createConsumer(name);
    assertEquals((await consumer.receive({ timeout: 10_000 }))?.persistent, false);
  },
);

test("desiredSize is what is left of the window", async () => {
  for (const persistent of [true, false]) {
    await withFullQueue({ persistent, windowSize: 3 * SIZE }, async (producer, broker, limit) => {
      const writer = producer.writable.getWriter();
      const sizes = [writer.desiredSize];
      const writes: Promise<void>[] = [];
      for (const text of "1234") {
        writes.push(writer.write(text));
        sizes.push(writer.desiredSize);
      }
      assertEquals(sizes, [3, 2, 1, 0, -1].map((n) => n * SIZE));
      // None waits for the answers to those before it.
      await broker.until(() => broker.queue("q").blocked === 4);
      let ready = false;
      writer.ready.then(() => ready = true);
      limit(1);
      await writes[0];
      assertEquals([writer.desiredSize, ready], [0, false]);
      limit(2);
      await writer.ready;
      assertEquals(writer.desiredSize, SIZE);
      limit(Infinity);
      await writer.close();
      assertEquals(broker.queue("q").size, 4);
    });
  }
});

test("close() of writable waits for all answers", async () => {
  await withFullQueue({}, async (producer, broker, limit) => {
    const writer = producer.writable.getWriter();
    writer.write("a").catch(() => {});
    writer.write("b").catch(() => {});
    let closed = false;
    const closing = writer.close().then(() => closed = true);
    await broker.until(() => broker.queue("q").blocked === 2);
    limit(1);
    await broker.until(() => broker.queue("q").blocked === 1);
    assertEquals(closed, false);
    limit(2);
    await closing;
  });
});

test("a message that fails errors writable with the reason, and nothing more is sent", async () => {
  await using broker = await MemoryBroker.listen();
  broker.fault({ command: "Message", nth: 2, action: { refuse: "no space left" } });
  await using connection = await connect(broker.url);
  const producer = await connection.createProducer("q");
  const writer = producer.writable.getWriter();
  const writes = ["a", "b"].map((text) => writer.write(text));
  await writes[0];
  await assertRejects(() => writes[1]!, Error, "no space left");
  await assertRejects(() => writer.closed, Error, "no space left");
  await assertRejects(() => writer.write("c"), Error, "no space left");
  await assertRejects(() => writer.close());
  assertEquals(broker.queue("q").size, 1);
  await producer.send("the producer is still open");
});

test("what can't be sent errors writable", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url);
  for (
    const [chunk, type] of [[5, TypeError], [{ body: "x", priority: 11 }, RangeError]] as const
  ) {
    const producer = await connection.createProducer("q");
    const writer = producer.writable.getWriter();
    await assertRejects(() => writer.write(chunk as unknown as string), type);
    await assertRejects(() => writer.closed, type);
  }
  assertEquals(broker.queue("q").size, 0);
});

test("writable takes nothing more when it is closed or aborted", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url);
  const closed = (await connection.createProducer("q")).writable.getWriter();
  closed.write("a");
  const closing = closed.close();
  await assertRejects(() => closed.write("b"), TypeError);
  await closing;
  await assertRejects(() => closed.write("c"), TypeError);
  const aborted = (await connection.createProducer("q")).writable.getWriter();
  await aborted.abort(new Error("enough"));
  await assertRejects(() => aborted.write("d"));
  await connection.send("q", "marker");
  assertEquals(broker.queue("q").size, 2);
});

test("abort() of writable waits for nothing", async () => {
  await withFullQueue({ persistent: false, windowSize: SIZE }, async (producer, broker) => {
    const writer = producer.writable.getWriter();
    // The first is with the broker, the second waits for room.
    const writes = [{ body: "a", confirm: false }, { body: "b", confirm: false }].map((chunk) =>
      writer.write(chunk)
    );
    const failed = Promise.allSettled(writes);
    await broker.until(() => broker.queue("q").blocked === 1);
    await writer.abort(new Error("enough"));
    assert((await failed).every(({ status }) => status === "rejected"));
    await assertRejects(() => writer.closed, Error, "enough");
  });
});

testOnBrokers("writable of a transacted session sends within the transaction", async (broker) => {
  const session = await (await broker.connect()).createSession({ acknowledgeMode: "transacted" });
  const producer = await session.createProducer(broker.name);
  await streamOf(["a", "b"]).pipeTo(producer.writable);
  await session.rollback();
  await session.send(broker.name, "c");
  await session.commit();
  const consumer = await (await broker.connect()).createConsumer(broker.name);
  assertEquals((await consumer.receive({ timeout: 10_000 }))?.text, "c");
});

test("with useAsyncSend writable waits for room in the window only", async () => {
  await withFullQueue(
    { useAsyncSend: true, windowSize: 4 * SIZE },
    async (producer, broker, limit) => {
      const writer = producer.writable.getWriter();
      await writer.write("a");
      assertEquals([producer.bufferedAmount, writer.desiredSize], [SIZE, 4 * SIZE]);
      const writes = [..."bcde"].map((text) => writer.write(text));
      await broker.until(() => broker.queue("q").blocked === 4);
      limit(Infinity);
      await Promise.all(writes);
      await writer.close();
      await broker.until(() => broker.queue("q").size === 5);
    },
  );
});

testOnBrokers("after a stream was closed or has failed there is another one", async (broker) => {
  const connection = await broker.connect();
  const producer = await connection.createProducer(broker.name);
  await streamOf(["a"]).pipeTo(producer.writable);
  await streamOf(["b"]).pipeTo(producer.writable);
  const failing = producer.writable.getWriter();
  failing.closed.catch(() => {});
  await assertRejects(() => failing.write(5 as unknown as string), TypeError);
  await streamOf(["c"]).pipeTo(producer.writable);
  assertEquals((await left(broker, broker.name)).map(([text]) => text), ["a", "b", "c"]);
});
