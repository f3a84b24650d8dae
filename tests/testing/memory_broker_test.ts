import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  createActiveMQQueue,
  createActiveMQTopic,
  createConnectionId,
  createShutdownInfo,
  decodeTextBody,
  OpenWireEncoder,
} from "../../codec/mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { dial } from "../../transport/mod.ts";
import { test } from "../_harness.ts";
import { RawClient, refusal, text } from "./_raw_client.ts";

const Q = createActiveMQQueue({ physicalName: "Q" });

test("MemoryBroker serves clients over TCP", async () => {
  await using broker = await MemoryBroker.listen();
  await using client = await RawClient.open(await dial(broker.url));
  assertEquals(broker.connections, 1);
  await client.consumer(Q);
  await client.publish(Q, "hello");
  const [dispatch] = await client.dispatches(1);
  assertEquals(text(dispatch!), "hello");
  await client.send(client.ack([dispatch!], 2));
  await broker.until(() => broker.queue("Q").size === 0);
  assertEquals(broker.queue("Q"), {
    size: 0,
    consumers: 1,
    enqueued: 1,
    dequeued: 1,
    inFlight: 0,
    blocked: 0,
    discarded: 0,
  });
  await client.drop();
  await broker.until(() => broker.connections === 0);
  assertEquals(broker.queue("Q").consumers, 0);
});

test("MemoryBroker says who it is after its WireFormatInfo", async () => {
  await using broker = new MemoryBroker({ brokerName: "test" });
  await using client = new RawClient(broker.connect());
  const info = await client.next("BrokerInfo");
  assertEquals(info.brokerName, "test");
  assertEquals(info.brokerURL, "vm://test");
  assertEquals([info.commandId, info.responseRequired], [0, false]);
});

test("MemoryBroker.close() ends all links", async () => {
  const broker = await MemoryBroker.listen();
  const socket = await RawClient.open(await dial(broker.url));
  const memory = await RawClient.open(broker.connect());
  await broker.close();
  await Promise.all([socket.ended, memory.ended]);
  await Promise.all([socket.transport.closed, memory.transport.closed]);
  assertEquals(broker.connections, 0);
  assertThrows(() => broker.connect(), TypeError, "closed");
  await broker.close();
});

test("MemoryBroker.until() rejects when the broker is closed", async () => {
  const broker = new MemoryBroker();
  const waiting = assertRejects(() => broker.until(() => false), TypeError, "closed");
  await broker.close();
  await waiting;
  await broker.until(() => true);
  await assertRejects(() => broker.until(() => false), TypeError, "closed");
});

test("MemoryBroker.until() rejects when the condition throws", async () => {
  await using broker = new MemoryBroker();
  const waiting = assertRejects(
    () =>
      broker.until(() => {
        if (broker.connections === 1) throw new RangeError("as asked");
        return false;
      }),
    RangeError,
    "as asked",
  );
  await using _client = await RawClient.open(broker.connect());
  await waiting;
});

test("MemoryBroker speaks by the options that it is given", async () => {
  const wireFormat = { version: 9, tightEncodingEnabled: false, sizePrefixDisabled: true };
  await using broker = new MemoryBroker({ wireFormat });
  await using client = await RawClient.open(broker.connect(), { sizePrefixDisabled: true });
  const { version, tightEncodingEnabled, sizePrefixDisabled } = client.format.settings;
  assertEquals([version, tightEncodingEnabled, sizePrefixDisabled], [9, false, true]);
  await client.consumer(Q);
  await client.publish(Q, "1", "2");
  assertEquals((await client.dispatches(2)).map(text), ["1", "2"]);
});

test("MemoryBroker shows what a queue and a topic hold", async () => {
  await using broker = new MemoryBroker();
  await using client = await RawClient.open(broker.connect());
  const topic = createActiveMQTopic({ physicalName: "T" });
  await client.consumer(Q, { prefetchSize: 2 });
  await client.consumer(topic, { prefetchSize: 1 });
  await client.publish(Q, "1", "2", "3");
  await client.publish(topic, "1", "2");
  assertEquals(broker.queue("Q"), {
    size: 3,
    consumers: 1,
    enqueued: 3,
    dequeued: 0,
    inFlight: 2,
    blocked: 0,
    discarded: 0,
  });
  assertEquals(broker.topic("T"), {
    size: 0,
    consumers: 1,
    enqueued: 2,
    dequeued: 0,
    inFlight: 1,
    blocked: 0,
    discarded: 0,
  });
  for (const dispatch of await client.dispatches(3)) {
    await client.request(client.ack([dispatch], 2));
  }
  assertEquals([broker.queue("Q").dequeued, broker.topic("T").dequeued], [2, 1]);
});

test("MemoryBroker gives up a peer that never says what it speaks", async () => {
  await using broker = new MemoryBroker({ wireFormat: { maxInactivityDuration: 50 } });
  const silent = broker.connect();
  const reader = silent.readable.getReader();
  while (!(await reader.read()).done);
  silent.close();
});

test("MemoryBroker ignores a second WireFormatInfo", async () => {
  await using broker = new MemoryBroker();
  await using client = await RawClient.open(broker.connect());
  await client.raw(new OpenWireEncoder(client.format).encode(client.format.info()));
  await client.settle();
  assertEquals(client.inbox, []);
});

test("MemoryBroker closes although a client reads nothing", async () => {
  const broker = await MemoryBroker.listen();
  const transport = await dial(broker.url);
  await broker.close();
  transport.close();
  await transport.closed;
});

test("MemoryBroker lets in those it knows", async () => {
  await using broker = new MemoryBroker({ users: { app: "secret" } });
  await using client = new RawClient(broker.connect());
  await client.next("BrokerInfo");
  const answer = await client.connect({ userName: "app", password: "secret" });
  assertEquals(answer.dataType, "Response");
});

for (
  const [userName, password] of [["app", "wrong"], ["other", "secret"], [null, null], [
    "toString",
    null,
  ]] as const
) {
  test(`MemoryBroker refuses user ${userName} with ${password}, and ends the link`, async () => {
    await using broker = new MemoryBroker({ users: { app: "secret" } });
    await using client = new RawClient(broker.connect());
    await client.next("BrokerInfo");
    assertEquals(refusal(await client.connect({ userName, password })), [
      "java.lang.SecurityException",
      `User name [${userName}] or password is invalid.`,
    ]);
    await client.ended;
    assertEquals(broker.connections, 0);
  });
}

test("MemoryBroker lets in anonymous clients when told so", async () => {
  await using broker = new MemoryBroker({ users: { app: "secret" }, allowAnonymous: true });
  await using client = await RawClient.open(broker.connect());
  assertEquals(client.inbox, []);
  assertEquals(broker.connections, 1);
});

test("MemoryBroker ends the link after ShutdownInfo", async () => {
  await using broker = await MemoryBroker.listen();
  await using client = await RawClient.open(await dial(broker.url));
  await client.remove(createConnectionId({ value: client.connectionId }), -1);
  assertEquals(broker.connections, 0);
  await client.send(createShutdownInfo());
  await client.ended;
});

test("MemoryBroker closes a link whose bytes it can't decode", async () => {
  await using broker = new MemoryBroker();
  await using client = await RawClient.open(broker.connect());
  await client.raw(Uint8Array.of(0, 0, 0, 1, 77));
  await client.ended;
  assertEquals(client.inbox, []);
  await broker.until(() => broker.connections === 0);
});

test("MemoryBroker sends keep-alives, and gives up a silent peer", async () => {
  await using broker = new MemoryBroker();
  const inactive = { maxInactivityDuration: 90, maxInactivityDurationInitialDelay: 0 };
  await using client = await RawClient.open(broker.connect(), inactive);
  await client.next("KeepAliveInfo");
  await client.ended;
  await broker.until(() => broker.connections === 0);
});

test("MemoryBroker sends the frames of one turn together", async () => {
  await using broker = new MemoryBroker();
  await using client = await RawClient.open(broker.connect());
  await client.publish(Q, "1", "2", "3");
  const before = client.chunks;
  await client.consumer(Q); // three messages and a response
  assertEquals(client.inbox.length, 3);
  assert(client.chunks === before + 1, `${client.chunks - before} chunks`);
});

test("MemoryBroker shows the messages of a queue, those that consumers have included", async () => {
  await using broker = new MemoryBroker();
  await using client = await RawClient.open(broker.connect());
  await client.consumer(Q, { prefetchSize: 1 });
  await client.publish(Q, "1", "2", "3");
  const [one] = await client.dispatches(1);
  const bodies = () => broker.messages("Q").map(({ content }) => decodeTextBody(content));
  assertEquals(bodies(), ["1", "2", "3"]);
  await client.request(client.ack([one!], 2));
  assertEquals(bodies(), ["2", "3"]);
  assertEquals(broker.messages("nothing"), []);
});
