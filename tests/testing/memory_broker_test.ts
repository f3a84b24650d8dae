import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  createActiveMQQueue,
  createConnectionId,
  createKeepAliveInfo,
  createShutdownInfo,
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

test("MemoryBroker answers a keep-alive with the same", async () => {
  await using broker = new MemoryBroker();
  await using client = await RawClient.open(broker.connect());
  await client.send(createKeepAliveInfo({ responseRequired: true }));
  assertEquals(await client.next("KeepAliveInfo"), {
    dataType: "KeepAliveInfo",
    commandId: 3,
    responseRequired: false,
  });
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
