import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  createActiveMQQueue,
  createConnectionControl,
  createConnectionId,
  createConnectionInfo,
  createLocalTransactionId,
  createProducerInfo,
  createSessionInfo,
  createTransactionInfo,
  type ProducerId,
} from "../../codec/mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { dial } from "../../transport/mod.ts";
import { test } from "../_harness.ts";
import { RawClient } from "./_raw_client.ts";
import { behaviour, type Target, texts } from "./_targets.ts";

const Q = createActiveMQQueue({ physicalName: "Q" });

test("MemoryBroker.suspend() makes it unreachable, resume() brings it back with its messages", async () => {
  await using broker = await MemoryBroker.listen();
  const { url } = broker;
  await using client = await RawClient.open(await dial(url));
  await client.publish(Q, "1");
  await broker.suspend();
  await client.ended;
  assertEquals([broker.connections, broker.url], [0, url]);
  await assertRejects(() => dial(url));
  assertThrows(() => broker.connect(), TypeError, "suspended");
  await broker.suspend();
  await broker.resume();
  await broker.resume();
  assertEquals(broker.url, url);
  await using again = await RawClient.open(await dial(url));
  await again.consumer(Q);
  assertEquals(texts(await again.dispatches(1)), ["1"]);
});

test("MemoryBroker.suspend() and resume() work without a socket", async () => {
  await using broker = new MemoryBroker();
  await using client = await RawClient.open(broker.connect());
  await broker.suspend();
  await client.ended;
  await broker.resume();
  await using again = await RawClient.open(broker.connect());
  await again.settle();
});

test("MemoryBroker.resume() rejects when the broker is closed", async () => {
  const broker = await MemoryBroker.listen();
  await broker.suspend();
  await broker.close();
  await assertRejects(() => broker.resume(), TypeError, "closed");
});

test("MemoryBroker.sendToClients() sends a command to those who are meant", async () => {
  await using broker = new MemoryBroker();
  await using first = await RawClient.open(broker.connect());
  await using second = await RawClient.open(broker.connect());
  const control = createConnectionControl({
    connectedBrokers: "tcp://a:1",
    rebalanceConnection: true,
  });
  broker.sendToClients(control, ({ clientId }) => clientId === second.connectionId);
  assertEquals(await second.next("ConnectionControl"), control);
  const stranger = await link(broker);
  broker.sendToClients(control);
  await Promise.all([first.next("ConnectionControl"), second.next("ConnectionControl")]);
  await stranger.connect();
  assertEquals([first.inbox, second.inbox, stranger.inbox], [[], [], []]);
  await stranger.drop();
});

/** The same connection again, over a new link. */
async function comeBack(target: Target, client: RawClient, producerId: ProducerId) {
  const again = await target.link();
  const connectionId = createConnectionId({ value: client.connectionId });
  const clientId = client.connectionId;
  const info = createConnectionInfo({ connectionId, clientId, failoverReconnect: true });
  assertEquals((await again.request(info)).dataType, "Response");
  await again.request(createSessionInfo({ sessionId: client.sessionId }));
  assertEquals((await again.request(createProducerInfo({ producerId }))).dataType, "Response");
  return again;
}

behaviour("A connection that came back sends no persistent message twice", async (target) => {
  const client = await target.open();
  const producer = await client.producer();
  await client.drop();
  const again = await comeBack(target, client, producer);
  const [one, two] = ["1", "2"].map((body) => client.message(producer, target.queue(), body));
  for (const message of [one!, two!, one!, two!]) {
    assertEquals((await again.request(message)).dataType, "Response");
  }
  // Not even to another queue.
  await again.request({ ...two!, destination: target.queue("other") });
  const reader = await target.open();
  await reader.consumer(target.queue());
  await reader.consumer(target.queue("other"));
  assertEquals(texts(await reader.dispatches(2)), ["1", "2"]);
  assertEquals(await target.rest(reader), []);
  const fleeting = client.message(producer, target.queue(), "3", { persistent: false });
  for (let n = 0; n < 2; n++) {
    await again.request(fleeting);
    const sent = await reader.dispatches(1);
    assertEquals(texts(sent), ["3"]);
    await reader.request(reader.ack(sent, 4));
  }
});

test("What a lost link sent is known when its connection comes back, but for open transactions", async () => {
  await using broker = new MemoryBroker();
  const target = { link: () => link(broker) } as unknown as Target;
  await using client = await RawClient.open(broker.connect());
  const producer = await client.producer();
  const connectionId = createConnectionId({ value: client.connectionId });
  const transactionId = createLocalTransactionId({ connectionId, value: 1 });
  const sent = client.message(producer, Q, "sent");
  await client.request(sent);
  await client.request(createTransactionInfo({ connectionId, transactionId, type: 0 }));
  const open = client.message(producer, Q, "open", { transactionId });
  await client.request(open);
  await client.drop();
  await using again = await comeBack(target, client, producer);
  assertEquals((await again.request(sent)).dataType, "Response");
  await again.request(createTransactionInfo({ connectionId, transactionId, type: 0 }));
  await again.request(open);
  await again.request(createTransactionInfo({ connectionId, transactionId, type: 2 }));
  await using reader = await RawClient.open(broker.connect());
  await reader.consumer(Q);
  assertEquals(texts(await reader.dispatches(2)), ["sent", "open"]);
  assert((await reader.texts()).length === 0);
});

test("Dead letters don't make the broker forget what came after them", async () => {
  await using broker = new MemoryBroker();
  const target = { link: () => link(broker) } as unknown as Target;
  await using client = await RawClient.open(broker.connect());
  const producer = await client.producer();
  const [one, two] = ["1", "2"].map((body) => client.message(producer, Q, body));
  await client.request(one!);
  await client.request(two!);
  await client.consumer(Q);
  const sent = await client.dispatches(2);
  await client.request(client.ack([sent[0]!], 1));
  await client.drop();
  await using again = await comeBack(target, client, producer);
  const elsewhere = createActiveMQQueue({ physicalName: "elsewhere" });
  await again.request({ ...two!, destination: elsewhere });
  assertEquals(broker.queue("elsewhere").enqueued, 0);
});

async function link(broker: MemoryBroker): Promise<RawClient> {
  const client = new RawClient(broker.connect());
  await client.next("BrokerInfo");
  return client;
}
