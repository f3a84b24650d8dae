import {
  byte,
  BytesWriter,
  char,
  type Connection,
  double,
  EncodeError,
  float,
  long,
  type MessageConsumer,
  OpenWireError,
  queue,
  short,
  topic,
} from "../../mod.ts";
import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { freshName, type TestBroker, testInEncodings } from "./_brokers.ts";
import { received, take, until } from "./_messages.ts";

async function pair(
  { connect, name }: TestBroker,
  acknowledgeMode: "auto" | "individual" = "auto",
) {
  const connection = await connect();
  const session = await connection.createSession({ acknowledgeMode });
  const producer = await session.createProducer(name);
  const consumer = await session.createConsumer(name);
  return { connection, session, producer, consumer };
}

async function texts(consumer: MessageConsumer, count: number): Promise<(string | null)[]> {
  return (await take(consumer, count)).map(({ text }) => text);
}

/** Nothing comes any more: a marker sent last is the next that comes. */
async function assertEmpty(connection: Connection, name: string): Promise<void> {
  const session = await connection.createSession();
  await (await session.createProducer(name)).send("marker");
  const consumer = await session.createConsumer(name);
  assertEquals(await texts(consumer, 1), ["marker"]);
  await session.close();
}

testInEncodings("send() delivers each kind of body", async (broker) => {
  const { producer, consumer } = await pair(broker);

  await producer.send("text with emoji 😀, NUL \0 and lone surrogate \ud800");
  assertEquals(
    (await received(consumer)).text,
    "text with emoji 😀, NUL \0 and lone surrogate \ud800",
  );

  await producer.send({ text: null });
  const empty = await received(consumer);
  assertEquals([empty.kind, empty.text], ["text", null]);

  await producer.send(Uint8Array.of(0, 255, 128));
  assertEquals((await received(consumer)).bytes, Uint8Array.of(0, 255, 128));

  await producer.send(new BytesWriter().writeInt(-5).writeUtf("é").writeDouble(0.5).finish());
  const reader = (await received(consumer)).reader();
  assertEquals([reader.readInt(), reader.readUtf(), reader.readDouble(), reader.remaining], [
    -5,
    "é",
    0.5,
    0,
  ]);

  const values = {
    b: byte(-1),
    c: char("ü"),
    s: short(300),
    i: 7,
    l: long(5),
    f: float(0.5),
    d: double(1),
    t: "x",
  };
  await producer.send({ map: { ...values, raw: Uint8Array.of(1), none: null } });
  const { map } = await received(consumer);
  assertEquals(
    Object.fromEntries([...map.typedEntries()].map(([name, { type }]) => [name, type])),
    {
      b: "byte",
      c: "char",
      s: "short",
      i: "int",
      l: "long",
      f: "float",
      d: "double",
      t: "string",
      raw: "bytes",
      none: "null",
    },
  );
  assertEquals([map.get("b"), map.get("c"), map.get("l"), map.get("f")], [-1, "ü", 5n, 0.5]);

  await producer.send({ stream: [true, short(1), "two", Uint8Array.of(3)] });
  assertEquals([...(await received(consumer)).stream], [true, 1, "two", Uint8Array.of(3)]);

  await producer.send({ object: Uint8Array.of(0xac, 0xed, 0, 5, 0x70) });
  const object = await received(consumer);
  assertEquals([object.kind, object.bytes], ["object", Uint8Array.of(0xac, 0xed, 0, 5, 0x70)]);

  await producer.send(null, { type: "ping" });
  const plain = await received(consumer);
  assertEquals([plain.kind, plain.type], ["plain", "ping"]);
  assertThrows(() => plain.text, TypeError, "plain message");
});

testInEncodings("send() carries headers and properties", async (broker) => {
  const { producer, consumer } = await pair(broker);
  const before = Date.now();
  const { messageId } = await producer.send("x", {
    priority: 9,
    persistent: false,
    timeToLive: 60_000,
    correlationId: "c-1",
    replyTo: topic("answers"),
    type: "order",
    groupId: "g",
    groupSequence: 3,
    properties: {
      s: short(1),
      list: [1, "two"],
      nested: { deep: true },
      ["__proto__"]: "just a name",
      big: 2n ** 62n,
    },
  });
  const message = await received(consumer);
  assertEquals(message.id, messageId);
  assertEquals([message.priority, message.persistent, message.correlationId], [9, false, "c-1"]);
  assertEquals([message.type, message.groupId, message.groupSequence], ["order", "g", 3]);
  assertEquals([message.redelivered, message.deliveryCount], [false, 1]);
  assertEquals([message.replyTo?.dataType, message.replyTo?.physicalName], [
    "ActiveMQTopic",
    "answers",
  ]);
  assertEquals([message.destination?.dataType, message.destination?.physicalName], [
    "ActiveMQQueue",
    broker.name,
  ]);
  assert(message.timestamp >= before && message.timestamp <= Date.now());
  assertEquals(message.expiration, message.timestamp + 60_000);
  assertEquals(message.properties.typed("s")?.type, "short");
  assertEquals(message.properties.get("big"), 2n ** 62n);
  assertEquals(message.properties.get("__proto__"), "just a name");
  assertEquals(JSON.stringify(message.properties.get("list")), `[1,"two"]`);
  assertEquals(JSON.stringify(message.properties.get("nested")), `{"deep":true}`);
}, { needs: ["nested properties"] });

testInEncodings("send() keeps the order of the calls, compressed or not", async (broker) => {
  const { producer, consumer } = await pair(broker);
  const sent: string[] = [];
  const sends: Promise<unknown>[] = [];
  for (let i = 0; i < 60; i++) {
    sent.push(`${i} ${"x".repeat(i % 3 === 0 ? 5000 : 5)}`);
    sends.push(producer.send(sent[i]!, { compress: i % 3 === 0 }));
  }
  await Promise.all(sends);
  assertEquals(await texts(consumer, sent.length), sent);
});

testInEncodings(
  "send() to a topic reaches each consumer, but not those with noLocal",
  async ({ connect, name }) => {
    const connection = await connect();
    const session = await connection.createSession();
    const first = await session.createConsumer(topic(name));
    const second = await session.createConsumer(`topic://${name}`);
    const local = await session.createConsumer(topic(name), { noLocal: true });
    const other = await (await (await connect()).createSession()).createProducer(topic(name));
    const producer = await session.createProducer(topic(name));
    await producer.send("mine");
    await other.send("theirs");
    assertEquals(await texts(first, 2), ["mine", "theirs"]);
    assertEquals(await texts(second, 2), ["mine", "theirs"]);
    assertEquals(await texts(local, 1), ["theirs"]);
  },
);

testInEncodings("a producer without a destination sends where each call says", async (broker) => {
  const { session, consumer, producer } = await pair(broker);
  const open = await session.createProducer();
  await open.send("a", { destination: broker.name });
  await open.send("b", { destination: queue(broker.name) });
  assertEquals(await texts(consumer, 2), ["a", "b"]);
  await assertRejects(() => open.send("c"), TypeError, "destination");
  await assertRejects(
    () => producer.send("c", { destination: "elsewhere" }),
    TypeError,
    "bound to",
  );
});

testInEncodings("what can't be sent is refused, and the producer stays usable", async (broker) => {
  const { producer, consumer } = await pair(broker);
  await assertRejects(
    () => producer.send("x", { correlationId: "c".repeat(70_000) }),
    EncodeError,
    "correlationId",
  );
  await assertRejects(
    () => producer.send("x", { persistent: false, type: "t".repeat(70_000) }),
    EncodeError,
    "type",
  );
  await assertRejects(() => producer.send("x", { priority: 10 }), RangeError);
  await assertRejects(() => producer.send("x", { timeToLive: -1 }), RangeError);
  await assertRejects(
    () => producer.send("x", { properties: { b: Uint8Array.of(1) } }),
    TypeError,
    "byte arrays",
  );
  await assertRejects(
    () => producer.send("x", { properties: { JMSPriority: 1 } }),
    TypeError,
    "JMSPriority",
  );
  await assertRejects(() => producer.send(5 as unknown as string), TypeError);
  await assertRejects(
    () => producer.send("x", { properties: { f: (() => {}) as unknown as string } }),
    TypeError,
  );
  await producer.send("fine");
  assertEquals(await texts(consumer, 1), ["fine"]);
});

testInEncodings(
  "a frame that the broker would not take is refused here",
  async ({ connect, name }) => {
    const connection = await connect({ wireFormat: { maxFrameSize: 10_000 } });
    const session = await connection.createSession();
    const producer = await session.createProducer(name);
    for (const persistent of [true, false]) {
      const error = await assertRejects(
        () => producer.send("x".repeat(20_000), { persistent }),
        EncodeError,
      );
      assertEquals(error.code, "FRAME_TOO_LARGE");
    }
    await producer.send("small");
    assertEquals(await texts(await session.createConsumer(name), 1), ["small"]);
  },
);

testInEncodings(
  "receive() waits, times out and can be aborted without losing a message",
  async (broker) => {
    const { producer, consumer } = await pair(broker);
    assertEquals(await consumer.receive({ timeout: 20 }), null);
    assertEquals(await consumer.receiveNoWait(), null);

    const controller = new AbortController();
    const aborted = consumer.receive({ signal: controller.signal });
    controller.abort(new Error("enough"));
    await assertRejects(() => aborted, Error, "enough");
    await assertRejects(() => consumer.receive({ signal: controller.signal }), Error, "enough");

    const waiting = consumer.receive();
    await producer.send("one");
    assertEquals((await waiting)?.text, "one");
    await producer.send("two");
    assertEquals(await texts(consumer, 1), ["two"]);
  },
);

testInEncodings(
  "mode auto: what receive() returned is done, what was only sent ahead is not",
  async (broker) => {
    const { session, producer, consumer } = await pair(broker);
    for (const text of ["a", "b", "c"]) await producer.send(text);
    assertEquals(await texts(consumer, 1), ["a"]);
    await consumer.close();
    const next = await session.createConsumer(broker.name);
    const message = await received(next);
    assertEquals([message.text, message.redelivered], ["b", false]);
    assertEquals(await texts(next, 1), ["c"]);
  },
);

testInEncodings("mode auto: a loop acknowledges when it goes on", async (broker) => {
  const { connection, session, producer, consumer } = await pair(broker);
  for (const text of ["a", "b", "c"]) await producer.send(text);
  const seen: (string | null)[] = [];
  for await (const message of consumer) {
    seen.push(message.text);
    if (seen.length === 2) break;
  }
  assertEquals(seen, ["a", "b"]);
  await consumer.close();
  const again = await session.createConsumer(broker.name);
  const message = await received(again);
  assertEquals([message.text, message.redelivered, message.deliveryCount], ["b", true, 2]);
  assertEquals(await texts(again, 1), ["c"]);
  await again.close();
  await assertEmpty(connection, broker.name);
});

testInEncodings("mode individual: only what was acknowledged is done", async (broker) => {
  const { connection, session, producer, consumer } = await pair(broker, "individual");
  for (const text of ["a", "b", "c"]) await producer.send(text);
  const [, b, c] = [await received(consumer), await received(consumer), await received(consumer)];
  await c.ack();
  await b.ack();
  const twice = await assertRejects(() => b.ack(), OpenWireError);
  assertEquals(twice.code, "ILLEGAL_STATE");
  await consumer.close();
  const again = await session.createConsumer(broker.name);
  const message = await received(again);
  assertEquals([message.text, message.redelivered], ["a", true]);
  await message.ack();
  await again.close();
  await assertEmpty(connection, broker.name);
});

testInEncodings("prefetchSize bounds what is sent ahead, not what may be held", async (broker) => {
  const { session, producer, consumer: other } = await pair(broker, "individual");
  await other.close();
  const consumer = await session.createConsumer(broker.name, { prefetchSize: 2 });
  for (let i = 0; i < 5; i++) await producer.send(String(i));
  // The broker answers before it dispatches.
  await until(() => consumer.buffered === 2);
  const second = await session.createConsumer(broker.name);
  assertEquals(await texts(second, 3), ["2", "3", "4"]);
  assertEquals(await texts(consumer, 2), ["0", "1"]);
  await second.close();
  assertEquals((await texts(consumer, 3)).sort(), ["2", "3", "4"]);
  await assertRejects(() => session.createConsumer("x", { prefetchSize: 40_000 }), RangeError);
});

testInEncodings("consume() gives messages to an async handler, one at a time", async (broker) => {
  const { connection, producer, consumer } = await pair(broker);
  const seen: (string | null)[] = [];
  const { promise: all, resolve } = Promise.withResolvers<void>();
  let active = 0;
  const ended = consumer.consume(async (message) => {
    assertEquals(++active, 1);
    await Promise.resolve();
    seen.push(message.text);
    active--;
    if (seen.length === 20) resolve();
  });
  for (let i = 0; i < 20; i++) await producer.send(String(i));
  await all;
  await assertRejects(() => consumer.receive(), TypeError, "handler");
  await consumer.close();
  await ended;
  assertEquals(seen, Array.from({ length: 20 }, (_, i) => String(i)));
  await assertEmpty(connection, broker.name);
});

testInEncodings("consume() gives a message again to a handler that failed", async (broker) => {
  const { connection, producer, consumer } = await pair(broker);
  const counts: number[] = [];
  const { promise: done, resolve } = Promise.withResolvers<void>();
  const failures: Error[] = [];
  const watching = (async () => {
    for await (const status of connection.status()) {
      if (status.type === "error") failures.push(status.error);
    }
  })();
  consumer.consume((message) => {
    counts.push(message.deliveryCount);
    if (counts.length === 1) throw new Error("not yet");
    resolve();
  });
  await producer.send("x");
  await done;
  await consumer.close();
  assertEquals(counts, [1, 2]);
  await assertEmpty(connection, broker.name);
  await connection.close();
  await watching;
  assertEquals(failures.map(({ message }) => message), ["not yet"]);
});

testInEncodings("expired messages are not given to the application", async (broker) => {
  const { producer, consumer } = await pair(broker);
  await producer.send("old", { timeToLive: 1 });
  // Long enough to expire in the consumer's buffer.
  const start = Date.now();
  while (Date.now() - start < 5) await new Promise((resolve) => setTimeout(resolve, 1));
  await producer.send("new");
  assertEquals(await texts(consumer, 1), ["new"]);
});

testInEncodings("a compressed body comes back whole", async (broker) => {
  const { producer, consumer } = await pair(broker);
  const text = "many words ".repeat(1000);
  await producer.send(text, { compress: true });
  const message = await received(consumer);
  assertEquals(message.text, text);
  await producer.send(new Uint8Array(5000).fill(7), { compress: true });
  assertEquals((await received(consumer)).bytes, new Uint8Array(5000).fill(7));
  await producer.send({ map: { a: "x".repeat(500) } }, { compress: true, compressionThreshold: 1 });
  assertEquals((await received(consumer)).map.get("a"), "x".repeat(500));
});

testInEncodings("a body that inflates beyond the limit fails alone", async ({ connect, name }) => {
  const connection = await connect({ maxInflatedSize: 1000 });
  const session = await connection.createSession();
  const producer = await session.createProducer(name);
  await producer.send("x".repeat(5000), { compress: true });
  await producer.send("next");
  const consumer = await session.createConsumer(name);
  const bomb = await received(consumer);
  const error = assertThrows(() => bomb.text, OpenWireError);
  assertEquals(error.code, "INFLATED_TOO_LARGE");
  assertEquals(await texts(consumer, 1), ["next"]);
});

testInEncodings("close() of each level ends what is below it", async ({ connect, name }) => {
  const connection = await connect();
  const session = await connection.createSession();
  const producer = await session.createProducer(name);
  const consumer = await session.createConsumer(name);
  const waiting = consumer.receive({ timeout: 0 });
  const loop = (async () => {
    const seen = [];
    for await (const message of await session.createConsumer(freshName())) seen.push(message);
    return seen;
  })();
  await producer.close();
  await producer.close();
  const closed = await assertRejects(() => producer.send("x"), OpenWireError);
  assertEquals(closed.code, "CLOSED");
  // The loop's consumer is announced on the connection before the session is closed.
  await session.createProducer(name);
  await session.close();
  assertEquals(await waiting, null);
  assertEquals(await loop, []);
  await assertRejects(() => session.createConsumer(name), OpenWireError, "closed");
  await connection.close();
  await connection.close();
  assertEquals(await connection.closed, undefined);
  await assertRejects(() => connection.createSession(), OpenWireError, "The connection was closed");
});

testInEncodings("await using closes each level", async ({ url, name }) => {
  const { connect } = await import("../../mod.ts");
  let ended: Promise<Error | undefined>;
  {
    await using connection = await connect(url);
    ended = connection.closed;
    await using session = await connection.createSession();
    await using producer = await session.createProducer(name);
    await using consumer = await session.createConsumer(name);
    await producer.send("x");
    assertInstanceOf(await consumer.receive(), Object);
  }
  assertEquals(await ended, undefined);
});

testInEncodings("abort() ends all that waits with an error", async ({ connect, name }) => {
  const connection = await connect();
  const session = await connection.createSession();
  const consumer = await session.createConsumer(name);
  const waiting = consumer.receive({ timeout: 0 });
  connection.abort(new Error("test"));
  const error = await assertRejects(() => waiting, OpenWireError);
  assertEquals(error.code, "CONNECTION_CLOSED");
  assertEquals(await connection.closed, error);
  await assertRejects(() => consumer.receive(), OpenWireError);
});

testInEncodings(
  "closing all levels at once closes them in order, a failing handler or not",
  async (broker) => {
    const { connection, session, producer, consumer } = await pair(broker);
    const { promise: failed, resolve } = Promise.withResolvers<void>();
    consumer.consume(() => {
      resolve();
      throw new Error("not today");
    });
    await producer.send("x");
    await failed;
    await Promise.all([consumer.close(), session.close(), connection.close(), connection.close()]);
    assertEquals(await connection.closed, undefined);

    const next = await pair(broker);
    const message = await received(next.consumer);
    assertEquals([message.text, message.redelivered], ["x", true]);
  },
);
