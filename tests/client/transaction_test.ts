/** What is sent and received in a transaction counts when it is committed. */

import { assertEquals, assertRejects } from "@std/assert";
import { ClosedError } from "../../mod.ts";
import { testOnBrokers } from "./_brokers.ts";
import {
  assertIllegalState,
  AT_ONCE,
  deadLetter,
  left,
  received,
  send,
  take,
  texts,
} from "./_messages.ts";

testOnBrokers("what is sent in a transaction comes when it is committed", async (broker) => {
  const connection = await broker.connect();
  const session = await connection.createSession({ acknowledgeMode: "transacted" });
  const producer = await session.createProducer(broker.name);
  const { outcome } = await producer.send("a");
  assertEquals(outcome, "transactional");
  await session.send(broker.name, "b");
  assertEquals(await left(broker, broker.name), []);
  await session.commit();
  assertEquals(await left(broker, broker.name), [["a", 0], ["b", 0]]);
  await producer.send("c");
  await session.rollback();
  assertEquals(await left(broker, broker.name), []);
  await session.commit();
  await session.rollback();
});

testOnBrokers("what was sent before a commit belongs to it, awaited or not", async (broker) => {
  const connection = await broker.connect();
  const session = await connection.createSession({ acknowledgeMode: "transacted" });
  const producer = await session.createProducer(broker.name);
  const sends = [producer.send("x".repeat(10_000), { compress: true }), producer.send("y")];
  await session.commit();
  await session.rollback();
  await Promise.all(sends);
  assertEquals((await left(broker, broker.name)).length, 2);
});

testOnBrokers(
  "what was received is given out again after a rollback, and counts",
  async (broker) => {
    const connection = await broker.connect({ redeliveryPolicy: AT_ONCE });
    const session = await connection.createSession({ acknowledgeMode: "transacted" });
    const consumer = await session.createConsumer(broker.name);
    await send(broker, broker.name, "a", "b", "c");
    const first = await take(consumer, 2);
    await first[0]!.ack();
    await assertIllegalState(() => first[0]!.ack());
    await session.rollback();
    await assertIllegalState(() => first[1]!.ack());
    const again = await take(consumer, 3);
    assertEquals(again.map(({ text, deliveryCount }) => [text, deliveryCount]), [
      ["a", 2],
      ["b", 2],
      ["c", 1],
    ]);
    await session.commit();
    assertEquals(consumer.unsettled, 0);
    await assertIllegalState(() => again[0]!.reject());
    await session.close();
    assertEquals(await left(broker, broker.name), []);
  },
);

testOnBrokers("several consumers and producers share a transaction", async (broker) => {
  const connection = await broker.connect({ redeliveryPolicy: AT_ONCE });
  const session = await connection.createSession({ acknowledgeMode: "transacted" });
  const [one, two, out] = ["one", "two", "out"].map((part) => `${broker.name}.${part}`);
  const first = await session.createConsumer(one!);
  const second = await session.createConsumer(two!);
  await send(broker, one!, "1");
  await send(broker, two!, "2");
  for (let attempt = 1; attempt <= 2; attempt++) {
    const got = [await received(first), await received(second)];
    assertEquals(got.map((message) => message.deliveryCount), [attempt, attempt]);
    await session.send(out!, texts(got).join());
    if (attempt === 1) await session.rollback();
    else await session.commit();
  }
  await session.close();
  assertEquals(await left(broker, out!), [["1,2", 0]]);
  assertEquals([await left(broker, one!), await left(broker, two!)], [[], []]);
});

testOnBrokers(
  "a message that is rolled back too often goes to the dead letter queue, others don't",
  async (broker) => {
    const connection = await broker.connect({
      redeliveryPolicy: { ...AT_ONCE, maximumRedeliveries: 2 },
    });
    const session = await connection.createSession({ acknowledgeMode: "transacted" });
    const consumer = await session.createConsumer(broker.name);
    const bad = `bad ${broker.name}`;
    await send(broker, broker.name, bad);
    for (let count = 1; count <= 3; count++) {
      assertEquals((await received(consumer)).deliveryCount, count);
      if (count === 3) {
        await send(broker, broker.name, "good");
        assertEquals((await received(consumer)).text, "good");
      }
      await session.rollback();
    }
    const good = await received(consumer);
    assertEquals([good.text, good.deliveryCount], ["good", 2]);
    await session.commit();
    await connection.close();
    await deadLetter(broker, bad);
    assertEquals(await left(broker, broker.name), []);
  },
);

testOnBrokers("reject() and retry() in a transaction take a message out of it", async (broker) => {
  const connection = await broker.connect({ redeliveryPolicy: AT_ONCE });
  const session = await connection.createSession({ acknowledgeMode: "transacted" });
  const consumer = await session.createConsumer(broker.name);
  const bad = `bad ${broker.name}`;
  await send(broker, broker.name, "a", bad, "c");
  const [, b, c] = await take(consumer, 3);
  await b!.reject();
  await c!.retry();
  await session.commit();
  const again = await received(consumer);
  assertEquals([again.text, again.deliveryCount], ["c", 2]);
  await session.commit();
  await session.close();
  await deadLetter(broker, bad);
  assertEquals(await left(broker, broker.name), []);
});

testOnBrokers(
  "transactedIndividualAck: each message is acknowledged on its own",
  async (broker) => {
    const types: number[] = [];
    const connection = await broker.connect({
      transactedIndividualAck: true,
      redeliveryPolicy: AT_ONCE,
      inspect: (command, direction) => {
        if (direction === "sent" && command.dataType === "MessageAck") types.push(command.ackType);
      },
    });
    const session = await connection.createSession({ acknowledgeMode: "transacted" });
    const consumer = await session.createConsumer(broker.name, { prefetchSize: 2 });
    await send(broker, broker.name, "1", "2", "3", "4", "5");
    const got = await take(consumer, 5);
    assertEquals(types, [4, 4, 4, 4, 4]);
    await assertIllegalState(() => got[0]!.reject());
    await session.rollback();
    assertEquals(
      (await take(consumer, 5)).map(({ text, deliveryCount }) => [text, deliveryCount]),
      [
        ["1", 2],
        ["2", 2],
        ["3", 2],
        ["4", 2],
        ["5", 2],
      ],
    );
    await session.commit();
    await session.close();
    assertEquals(await left(broker, broker.name), []);
  },
  { needs: ["credit within transactions"] },
);

testOnBrokers(
  "a consumer that is closed in a transaction keeps what it received",
  async (broker) => {
    const connection = await broker.connect();
    const session = await connection.createSession({ acknowledgeMode: "transacted" });
    const consumer = await session.createConsumer(broker.name);
    await send(broker, broker.name, "a", "b");
    await received(consumer);
    await consumer.close();
    await session.commit();
    const other = await session.createConsumer(broker.name);
    const again = await received(other);
    assertEquals([again.text, again.deliveryCount], ["b", 1]);
    await other.close();
    await session.rollback();
    await session.close();
    assertEquals(await left(broker, broker.name), [["b", 1]]);
  },
);

testOnBrokers("transaction() commits when its function ends well", async (broker) => {
  const connection = await broker.connect();
  await send(broker, broker.name, "in");
  const out = `${broker.name}.out`;
  const result = await connection.transaction(async (session) => {
    const consumer = await session.createConsumer(broker.name);
    const message = await received(consumer);
    await session.send(out, `${message.text}, out`);
    return message.text;
  });
  assertEquals(result, "in");
  assertEquals(await left(broker, broker.name), []);
  assertEquals(await left(broker, out), [["in, out", 0]]);
});

testOnBrokers("transaction() rolls back when its function fails", async (broker) => {
  const connection = await broker.connect();
  await send(broker, broker.name, "in");
  const out = `${broker.name}.out`;
  await assertRejects(
    () =>
      connection.transaction(async (session) => {
        const consumer = await session.createConsumer(broker.name);
        await received(consumer);
        await session.send(out, "never");
        throw new RangeError("no stock");
      }),
    RangeError,
    "no stock",
  );
  assertEquals(await left(broker, broker.name), [["in", 1]]);
  assertEquals(await left(broker, out), []);
});

testOnBrokers("a session that goes out of scope rolls back", async (broker) => {
  const ends: number[] = [];
  const connection = await broker.connect({
    inspect: (command) => {
      if (command.dataType === "TransactionInfo") ends.push(command.type);
    },
  });
  await send(broker, broker.name, "in");
  {
    await using session = await connection.createSession({ acknowledgeMode: "transacted" });
    await received(await session.createConsumer(broker.name));
    await session.send(broker.name, "never");
  }
  // Begin and rollback.
  assertEquals(ends, [0, 4]);
  assertEquals(await left(broker, broker.name), [["in", 1]]);
});

testOnBrokers("a connection that is closed in a transaction rolls back", async (broker) => {
  const connection = await broker.connect();
  await send(broker, broker.name, "in");
  const session = await connection.createSession({ acknowledgeMode: "transacted" });
  await received(await session.createConsumer(broker.name));
  await session.send(broker.name, "never");
  await connection.close();
  await assertRejects(() => session.commit(), Error);
  assertEquals(await left(broker, broker.name), [["in", 1]]);
});

testOnBrokers(
  "a handler that fails in a transacted session has the transaction rolled back",
  async (broker) => {
    const connection = await broker.connect({ redeliveryPolicy: AT_ONCE });
    const session = await connection.createSession({ acknowledgeMode: "transacted" });
    const consumer = await session.createConsumer(broker.name);
    const out = `${broker.name}.out`;
    const done = Promise.withResolvers<void>();
    const counts: number[] = [];
    consumer.consume(async (message) => {
      counts.push(message.deliveryCount);
      await session.send(out, `attempt ${message.deliveryCount}`);
      if (message.deliveryCount < 3) throw new Error("not yet");
      await session.commit();
      done.resolve();
    });
    await send(broker, broker.name, "in");
    await done.promise;
    await session.close();
    assertEquals(counts, [1, 2, 3]);
    assertEquals(await left(broker, out), [["attempt 3", 0]]);
    assertEquals(await left(broker, broker.name), []);
  },
);

testOnBrokers("a large transaction", async (broker) => {
  const connection = await broker.connect({ redeliveryPolicy: AT_ONCE });
  const count = 3000;
  await connection.transaction(async (session) => {
    const producer = await session.createProducer(broker.name);
    for (let i = 0; i < count; i++) producer.send(String(i), { persistent: false });
    await producer.send("last", { persistent: false });
  });
  await connection.transaction(async (session) => {
    const consumer = await session.createConsumer(broker.name, { prefetchSize: 100 });
    for (let i = 0; i < count; i++) assertEquals((await received(consumer)).text, String(i));
    await received(consumer);
  });
  assertEquals(await left(broker, broker.name), []);
});

testOnBrokers("commit() and rollback() need a transacted session that is open", async (broker) => {
  const connection = await broker.connect();
  const session = await connection.createSession();
  await assertIllegalState(() => session.commit());
  await assertIllegalState(() => session.rollback());
  const transacted = await connection.createSession({ acknowledgeMode: "transacted" });
  try {
    transacted.recover();
    throw new Error("recover() was not refused");
  } catch (error) {
    assertEquals((error as { code?: string }).code, "ILLEGAL_STATE");
  }
  await transacted.close();
  await assertRejects(() => transacted.commit(), ClosedError);
});
