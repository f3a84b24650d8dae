import { assertEquals, assertThrows } from "@std/assert";
import {
  createActiveMQQueue,
  createConnectionId,
  createLocalTransactionId,
  createTransactionInfo,
} from "../../codec/mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { test } from "../_harness.ts";
import { RawClient, refusal, text } from "./_raw_client.ts";
import { texts } from "./_targets.ts";

const Q = createActiveMQQueue({ physicalName: "Q" });
const OPEN = createActiveMQQueue({ physicalName: "open" });

/** A broker whose queue takes one message. */
function full(): MemoryBroker {
  const broker = new MemoryBroker();
  broker.limitQueue("Q", { messages: 1 });
  return broker;
}

test("A full queue delays the answer to a producer, whose connection goes on", async () => {
  await using broker = full();
  await using client = await RawClient.open(broker.connect());
  await client.publish(Q, "1");
  const producer = await client.producer();
  let answered = false;
  const answer = client.request(client.message(producer, Q, "2")).then((answer) => {
    answered = true;
    return answer;
  });
  await broker.until(() => broker.queue("Q").blocked === 1);
  await client.settle();
  assertEquals([answered, broker.queue("Q").size], [false, 1]);
  await client.publish(OPEN, "others go on");
  await client.consumer(Q, { prefetchSize: 1 });
  const sent = await client.dispatches(1);
  assertEquals(answered, false); // to be with a consumer makes no space
  await client.send(client.ack(sent, 2));
  assertEquals((await answer).dataType, "Response");
  assertEquals(texts(await client.dispatches(1)), ["2"]);
});

test("A full queue delays the ProducerAck for a one-way message", async () => {
  await using broker = full();
  await using client = await RawClient.open(broker.connect());
  const producer = await client.producer({ windowSize: 10_000 });
  await client.send(client.message(producer, Q, "1"), client.message(producer, Q, "2"));
  await client.next("ProducerAck");
  await client.settle();
  assertEquals([broker.queue("Q").blocked, client.inbox], [1, []]);
  await client.consumer(Q, { prefetchSize: 1 });
  await client.send(client.ack(await client.dispatches(1), 2));
  await client.next("ProducerAck");
  assertEquals(texts(await client.dispatches(1)), ["2"]);
});

test("A full queue stops a connection that sends one-way without a window", async () => {
  await using broker = full();
  await using client = await RawClient.open(broker.connect());
  await using reader = await RawClient.open(broker.connect());
  const producer = await client.producer();
  let settled = false;
  await client.send(client.message(producer, Q, "1"), client.message(producer, Q, "2"));
  const settling = client.settle().then(() => settled = true);
  await broker.until(() => broker.queue("Q").blocked === 1);
  await reader.consumer(Q, { prefetchSize: 1 });
  const sent = await reader.dispatches(1);
  await reader.settle();
  assertEquals(settled, false);
  await reader.send(reader.ack(sent, 2));
  await settling;
  assertEquals(texts(await reader.dispatches(1)), ["2"]);
});

test("Messages that wait for space come in their order", async () => {
  await using broker = full();
  await using client = await RawClient.open(broker.connect());
  const producer = await client.producer({ windowSize: 10_000 });
  const bodies = ["1", "2", "3", "4"];
  await client.send(...bodies.map((body) => client.message(producer, Q, body)));
  await broker.until(() => broker.queue("Q").blocked === 3);
  await client.consumer(Q);
  for (const body of bodies) {
    const sent = await client.dispatches(1);
    assertEquals(texts(sent), [body]);
    await client.send(client.ack(sent, 2));
  }
});

test("A full queue refuses messages when it is told so", async () => {
  await using broker = new MemoryBroker();
  broker.limitQueue("Q", { messages: 0, sendFailIfNoSpace: true });
  await using client = await RawClient.open(broker.connect());
  const producer = await client.producer({ windowSize: 10_000 });
  const expected: [string, string] = [
    "javax.jms.ResourceAllocationException",
    "Usage Manager Memory Limit reached on queue://Q. See http://activemq.apache.org/producer-flow-control.html for more info",
  ];
  assertEquals(refusal(await client.request(client.message(producer, Q, "1"))), expected);
  await client.send(client.message(producer, Q, "2"));
  assertEquals(refusal(await client.next("ConnectionError")), expected);
  assertEquals(client.inbox, []);
  broker.limitQueue("Q", { messages: Infinity });
  await client.publish(Q, "3");
  assertEquals(broker.queue("Q").size, 1);
});

test("A higher limit lets the producers go on", async () => {
  await using broker = new MemoryBroker();
  broker.limitQueue("Q", { messages: 0 });
  await using client = await RawClient.open(broker.connect());
  const producer = await client.producer();
  const answers = ["1", "2"].map((body) => client.request(client.message(producer, Q, body)));
  await broker.until(() => broker.queue("Q").blocked === 2);
  broker.limitQueue("Q", { messages: 1 });
  assertEquals((await answers[0]!).dataType, "Response");
  assertEquals(broker.queue("Q").blocked, 1);
  broker.limitQueue("Q", { messages: 2 });
  await Promise.all(answers);
  assertEquals(broker.queue("Q").size, 2);
});

test("A composite message waits only where there is no space", async () => {
  await using broker = new MemoryBroker();
  broker.limitQueue("Q", { messages: 0 });
  await using client = await RawClient.open(broker.connect());
  const producer = await client.producer({ windowSize: 10_000 });
  const composite = createActiveMQQueue({ physicalName: "Q,open" });
  await client.send(client.message(producer, composite, "both"));
  await client.next("ProducerAck");
  assertEquals([broker.queue("Q").size, broker.queue("open").size], [0, 1]);
  broker.limitQueue("Q", { messages: 1 });
  await client.next("ProducerAck");
  assertEquals(broker.queue("Q").size, 1);
});

test("A message whose transaction ends while it waits for space is refused", async () => {
  await using broker = new MemoryBroker();
  broker.limitQueue("Q", { messages: 0 });
  await using client = await RawClient.open(broker.connect());
  const connectionId = createConnectionId({ value: client.connectionId });
  const transactionId = createLocalTransactionId({ connectionId, value: 1 });
  const producer = await client.producer();
  await client.send(createTransactionInfo({ connectionId, transactionId, type: 0 }));
  const answer = client.request(client.message(producer, Q, "1", { transactionId }));
  await client.request(createTransactionInfo({ connectionId, transactionId, type: 2 }));
  broker.limitQueue("Q", { messages: 1 });
  assertEquals(refusal(await answer), [
    "javax.jms.JMSException",
    "Send transaction completed while waiting for space",
  ]);
  assertEquals(broker.queue("Q").size, 0);
});

test("A message that gets too old while it waits for space goes to the dead letter queue", async () => {
  await using broker = new MemoryBroker();
  broker.limitQueue("Q", { messages: 0 });
  await using client = await RawClient.open(broker.connect());
  const producer = await client.producer();
  const expiration = Date.now() + 20;
  const answer = client.request(client.message(producer, Q, "late", { expiration }));
  while (Date.now() <= expiration) await new Promise((resolve) => setTimeout(resolve, 5));
  broker.limitQueue("Q", { messages: 1 });
  assertEquals((await answer).dataType, "Response");
  assertEquals([broker.queue("Q").size, broker.queue("ActiveMQ.DLQ").size], [0, 1]);
});

test("A message that is too old already does not wait for space", async () => {
  await using broker = new MemoryBroker();
  broker.limitQueue("Q", { messages: 0 });
  await using client = await RawClient.open(broker.connect());
  const producer = await client.producer();
  const late = client.message(producer, Q, "late", { expiration: Date.now() - 1000 });
  assertEquals((await client.request(late)).dataType, "Response");
  assertEquals([broker.queue("Q").blocked, broker.queue("ActiveMQ.DLQ").size], [0, 1]);
});

test("What waits for space is sent although its producer is gone, unless it stopped its connection", async () => {
  await using broker = new MemoryBroker();
  broker.limitQueue("Q", { messages: 0 });
  await using client = await RawClient.open(broker.connect());
  const producer = await client.producer({ windowSize: 10_000 });
  await client.send(client.message(producer, Q, "kept"));
  await broker.until(() => broker.queue("Q").blocked === 1);
  await client.drop();
  await using other = await RawClient.open(broker.connect());
  const unpaced = await other.producer();
  await other.send(other.message(unpaced, Q, "lost"));
  await broker.until(() => broker.queue("Q").blocked === 2);
  await broker.disconnectClients();
  assertEquals(broker.queue("Q").blocked, 1);
  broker.limitQueue("Q", { messages: Infinity });
  await using reader = await RawClient.open(broker.connect());
  await reader.consumer(Q);
  assertEquals((await reader.dispatches(1)).map(text), ["kept"]);
  assertEquals(await reader.texts(), []);
});

test("A broker closes although a connection waits for space", async () => {
  const broker = new MemoryBroker();
  broker.limitQueue("Q", { messages: 0 });
  await using client = await RawClient.open(broker.connect());
  await client.send(client.message(await client.producer(), Q, "1"));
  await broker.until(() => broker.queue("Q").blocked === 1);
  await broker.close();
  await client.ended;
});

test("A connection that waits for space is not given up because it is silent", async () => {
  await using broker = new MemoryBroker();
  broker.limitQueue("Q", { messages: 0 });
  const inactive = { maxInactivityDuration: 60, maxInactivityDurationInitialDelay: 0 };
  await using client = await RawClient.open(broker.connect(), inactive);
  await client.send(client.message(await client.producer(), Q, "1"));
  // It says so often that it is there that it must have looked for the client's silence, too.
  for (let n = 0; n < 8; n++) await client.next("KeepAliveInfo");
  broker.limitQueue("Q", { messages: Infinity });
  await client.settle();
});

test("A limit that is none is refused", () => {
  const broker = new MemoryBroker();
  assertThrows(() => broker.limitQueue("Q", { messages: -1 }), RangeError, "0 or more, got -1");
  assertThrows(() => broker.limitQueue("Q", { messages: NaN }), RangeError, "0 or more, got NaN");
});
