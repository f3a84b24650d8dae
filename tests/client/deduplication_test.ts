/** Messages with an id of the application, which Artemis stores once. */

import { connect, OpenWireError } from "../../mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { test } from "../_harness.ts";
import { testOnBrokers } from "./_brokers.ts";
import { received, texts } from "./_messages.ts";

testOnBrokers(
  "of messages with one deduplicationId the broker stores the first",
  async (broker) => {
    const connection = await broker.connect();
    const producer = await connection.createProducer(broker.name);
    const first = () => producer.send("first", { deduplicationId: "order 7" });
    if (broker.kind !== "artemis") {
      const error = await assertRejects(first, OpenWireError, "it ignores `deduplicationId`");
      assertEquals([error.code, error.retryable], ["UNSUPPORTED", false]);
      return;
    }
    for (let i = 0; i < 3; i++) assertEquals((await first()).outcome, "confirmed");
    // Another connection is no difference.
    const other = await broker.connect();
    await other.send(broker.name, "again", { deduplicationId: "order 7" });
    await producer.sendBatch([
      { body: "second", deduplicationId: "order 8" },
      { body: "second again", deduplicationId: "order 8" },
      { body: "third", deduplicationId: "order 9" },
    ]);
    await producer.send("last");
    const consumer = await connection.createConsumer(broker.name);
    const messages = [];
    do messages.push(await received(consumer)); while (messages.at(-1)?.text !== "last");
    assertEquals(texts(messages), ["first", "second", "third", "last"]);
  },
);

testOnBrokers(
  "a duplicate makes a transaction fail, and nothing of it is stored",
  async (broker) => {
    if (broker.kind !== "artemis") return;
    const connection = await broker.connect();
    await connection.send(broker.name, "first", { deduplicationId: "order 7" });
    await assertRejects(() =>
      connection.transaction(async (session) => {
        await session.send(broker.name, "other");
        await session.send(broker.name, "again", { deduplicationId: "order 7" });
      })
    );
    await connection.send(broker.name, "last");
    const consumer = await connection.createConsumer(broker.name);
    assertEquals([(await received(consumer)).text, (await received(consumer)).text], [
      "first",
      "last",
    ]);
  },
);

test("a deduplicationId is a text, and belongs to one message", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url);
  await using producer = await connection.createProducer("q");
  for (const deduplicationId of ["", 7, null, {}]) {
    await assertRejects(
      () => producer.send("x", { deduplicationId: deduplicationId as string }),
      TypeError,
      "deduplicationId",
    );
  }
  await assertRejects(
    () => producer.sendBatch(["a", "b"], { deduplicationId: "order 7" }),
    TypeError,
    "give each message its own",
  );
  assert(broker.queue("q").size === 0);
});
