/** Temporary queues and topics. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { BrokerError, type ConnectionStatus, OpenWireError } from "../../mod.ts";
import { type TestBroker, testOnBrokers } from "./_brokers.ts";
import { assertIllegalState, received } from "./_messages.ts";

/** Fails unless a call is refused because there is no such destination (for it). */
async function assertInvalid(call: () => Promise<unknown>, text: string): Promise<OpenWireError> {
  const error = await assertRejects(call, OpenWireError, text);
  assertEquals(error.code, "INVALID_DESTINATION");
  return error;
}

async function two({ connect }: TestBroker) {
  return { owner: await connect(), other: await connect() };
}

testOnBrokers("a temporary queue is given wherever a destination is expected", async (broker) => {
  const { owner, other } = await two(broker);
  const replies = await owner.createTemporaryQueue();
  const consumer = await owner.createConsumer(replies);
  await owner.send(broker.name, "question", { replyTo: replies });

  const question = await received(await other.createConsumer(broker.name));
  assertEquals(question.replyTo?.dataType, "ActiveMQTempQueue");
  assertEquals(question.replyTo?.physicalName, replies.physicalName);
  await other.send(question.replyTo!, "answer");
  const producer = await owner.createProducer(replies);
  await producer.send("own", { persistent: false });

  assertEquals([(await received(consumer)).text, (await received(consumer)).text], [
    "answer",
    "own",
  ]);
});

testOnBrokers("a temporary topic brings its messages to all its consumers", async (broker) => {
  const { owner, other } = await two(broker);
  const news = await owner.createTemporaryTopic();
  const consumers = [await owner.createConsumer(news), await owner.createConsumer(news)];
  await other.send(news, "extra");
  for (const consumer of consumers) assertEquals((await received(consumer)).text, "extra");
  assertEquals(news.dataType, "ActiveMQTempTopic");
});

testOnBrokers("each temporary destination has a name of its own", async (broker) => {
  const { owner, other } = await two(broker);
  const made = await Promise.all([
    owner.createTemporaryQueue(),
    owner.createTemporaryQueue(),
    owner.createTemporaryTopic(),
    other.createTemporaryQueue(),
  ]);
  assertEquals(new Set(made.map(({ physicalName }) => physicalName)).size, 4);
});

testOnBrokers("only the connection that made it may consume from it", async (broker) => {
  const { owner, other } = await two(broker);
  const queue = await owner.createTemporaryQueue();
  const session = await other.createSession();
  await assertInvalid(() => session.createConsumer(queue), "belongs to another connection");
  await assertInvalid(() => other.createBrowser(queue), "belongs to another connection");
  const topic = await owner.createTemporaryTopic();
  await assertInvalid(() => other.createConsumer(topic), "belongs to another connection");
});

testOnBrokers("one that a consumer uses can't be deleted, another one can", async (broker) => {
  const owner = await broker.connect();
  const used = await owner.createTemporaryQueue();
  const unused = await owner.createTemporaryQueue();
  const consumer = await owner.createConsumer(used);
  const error = await assertRejects(() => used.delete(), OpenWireError, "a consumer");
  assertEquals(error.code, "ILLEGAL_STATE");
  await unused.delete();

  await owner.send(used, "still there");
  assertEquals((await received(consumer)).text, "still there");
  await consumer.close();
  await used.delete();
  await used.delete();
});

testOnBrokers("a consumer whose transaction goes on uses it still", async (broker) => {
  const owner = await broker.connect();
  const queue = await owner.createTemporaryQueue();
  const session = await owner.createSession({ acknowledgeMode: "transacted" });
  const consumer = await session.createConsumer(queue);
  await owner.send(queue, "one");
  await received(consumer);
  await consumer.close();
  await assertIllegalState(() => queue.delete());
  await session.commit();
  await queue.delete();
});

testOnBrokers("nobody can send to one that was deleted, or consume from it", async (broker) => {
  const { owner, other } = await two(broker);
  const queue = await owner.createTemporaryQueue();
  await other.send(queue, "dropped");
  await queue.delete();

  const name = `temp-queue://${queue.physicalName}`;
  for (const connection of [owner, other]) {
    const error = await assertInvalid(() => connection.send(queue, "late"), name);
    assert(error instanceof BrokerError);
    assertStringIncludes(error.message, "Cannot send");
  }
  await assertInvalid(() => owner.createConsumer(queue), "was deleted");
}, { needs: ["deleted temporary destinations"] });

testOnBrokers("what nobody waits for is told by status() when it was deleted", async (broker) => {
  const { owner, other } = await two(broker);
  const queue = await owner.createTemporaryQueue();
  await queue.delete();
  const statuses = other.status();
  const next: Promise<IteratorResult<ConnectionStatus>> = statuses.next();
  await other.send(queue, "late", { persistent: false });
  const { value } = await next;
  assertEquals(value.type, "error");
  assertEquals((value.error as OpenWireError).code, "INVALID_DESTINATION");
  // The connection is none the worse.
  await other.send(broker.name, "fine");
  await statuses.return!();
}, { needs: ["deleted temporary destinations"] });

testOnBrokers("it goes with its connection", async (broker) => {
  const { owner, other } = await two(broker);
  const queue = await owner.createTemporaryQueue();
  const kept = await other.createTemporaryQueue();
  await other.send(queue, "in time");
  await owner.close();
  await assertInvalid(() => other.send(queue, "late"), "Cannot send");
  await other.send(kept, "fine");
  await queue.delete();
}, { needs: ["deleted temporary destinations"] });

testOnBrokers("`await using` deletes it", async (broker) => {
  const { owner, other } = await two(broker);
  let name: string;
  {
    await using queue = await owner.createTemporaryQueue();
    name = queue.physicalName;
    await using consumer = await owner.createConsumer(queue);
    await other.send(queue, "hello");
    assertEquals((await received(consumer)).text, "hello");
  }
  await assertInvalid(() => other.send(`temp-queue://${name}`, "late"), "Cannot send");
}, { needs: ["deleted temporary destinations"] });

testOnBrokers("its name as a text stands for it", async (broker) => {
  const { owner, other } = await two(broker);
  const queue = await owner.createTemporaryQueue();
  await other.send(`temp-queue://${queue.physicalName}`, "hello");
  const consumer = await owner.createConsumer(`temp-queue://${queue.physicalName}`);
  assertEquals((await received(consumer)).text, "hello");
  await assertIllegalState(() => queue.delete());
});

testOnBrokers("a connection that has ended makes none", async (broker) => {
  const owner = await broker.connect();
  await owner.close();
  const error = await assertRejects(() => owner.createTemporaryTopic(), OpenWireError);
  assertEquals(error.code, "CONNECTION_CLOSED");
});
