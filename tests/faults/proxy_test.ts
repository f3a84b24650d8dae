import { assert, assertEquals, assertRejects } from "@std/assert";
import { connect, ConnectionClosedError, OpenWireError, TimeoutError } from "../../mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { dial, listen, TransportError } from "../../transport/mod.ts";
import { test } from "../_harness.ts";
import { accept, assertSameBytes, pattern, readAll, StalledWriter } from "../transport/_pairs.ts";
import { FaultProxy } from "./proxy/fault_proxy.ts";

const ENCODINGS = [
  {},
  { cacheEnabled: false },
  { tightEncodingEnabled: true },
  { tightEncodingEnabled: true, cacheEnabled: false, version: 1 },
];

for (const wireFormat of ENCODINGS) {
  const name = JSON.stringify(wireFormat);
  test(`FaultProxy understands both directions and passes all on, ${name}`, async () => {
    await using broker = await MemoryBroker.listen();
    await using proxy = await FaultProxy.listen(broker.url);
    await using connection = await connect(proxy.url, { wireFormat });
    await connection.send("Q", "x".repeat(200_000));
    await connection.send("Q", { json: { n: 1 } }, { properties: { a: "b" } });
    const consumer = await connection.createConsumer("Q");
    for (let n = 0; n < 2; n++) assert(await consumer.receive());
    await consumer.close();

    const { commandsSent, commandsReceived, bytesSent, bytesReceived } = connection.stats();
    const through = proxy.connection;
    assertEquals(through.failure("from-client"), undefined);
    assertEquals(through.failure("to-client"), undefined);
    assertEquals(sum(through.commands["from-client"]), commandsSent);
    assertEquals(sum(through.commands["to-client"]), commandsReceived);
    assertEquals(through.bytes("from-client"), bytesSent);
    assertEquals(through.bytes("to-client"), bytesReceived);
    assertEquals(proxy.count("Message"), 2);
    assertEquals(proxy.count("MessageDispatch", "to-client"), 2);

    await connection.close();
    await through.closed;
    assertEquals(proxy.connections.length, 0);
    assertEquals(proxy.count("Message"), 2);
  });
}

test("FaultProxy passes on what is no OpenWire, as it is", async () => {
  await using listener = await listen();
  await using proxy = await FaultProxy.listen(`tcp://127.0.0.1:${listener.port}`);
  const client = await dial(proxy.url);
  const peer = await accept(listener);
  const bytes = pattern(300_000);
  const writer = client.writable.getWriter();
  const written = writer.write(bytes).then(() => writer.close());
  assertSameBytes(await readAll(peer.readable), bytes);
  await written;
  const answer = peer.writable.getWriter();
  await answer.write(bytes.slice(0, 3));
  await answer.close();
  assertSameBytes(await readAll(client.readable), bytes.slice(0, 3));
  await Promise.all([client.closed, peer.closed]);
});

for (const when of ["before", "after"] as const) {
  test(`FaultProxy cuts ${when} the second message`, async () => {
    await using broker = await MemoryBroker.listen();
    await using proxy = await FaultProxy.listen(broker.url);
    const fault = proxy.fault({ command: "Message", nth: 2, when, action: "end" });
    const connection = await connect(proxy.url);
    await connection.send("Q", "1");
    await assertRejects(() => connection.send("Q", "2"), ConnectionClosedError);
    await (await fault.hit).closed;
    await broker.until(() => broker.connections === 0);
    assertEquals(broker.queue("Q").enqueued, when === "before" ? 1 : 2);
    assertEquals(fault.hits, 1);
    await connection.close();
  });
}

test("FaultProxy cuts before the answer to a commit", async () => {
  await using broker = await MemoryBroker.listen();
  await using proxy = await FaultProxy.listen(broker.url);
  proxy.fault({
    command: "Response",
    direction: "to-client",
    where: (_command, { request }) => request?.dataType === "TransactionInfo" && request.type === 2,
    when: "before",
    action: "reset",
  });
  const connection = await connect(proxy.url);
  const session = await connection.createSession({ acknowledgeMode: "transacted" });
  await session.send("Q", "1");
  await assertRejects(() => session.commit(), OpenWireError);
  assertEquals(broker.queue("Q").enqueued, 1);
  await connection.close();
});

test("FaultProxy ends connections with a FIN or a reset", async () => {
  await using broker = await MemoryBroker.listen();
  await using proxy = await FaultProxy.listen(broker.url);
  const ended = await dial(proxy.url);
  await proxy.until(() => proxy.connections.length === 1);
  proxy.connection.end();
  assertEquals((await readAll(ended.readable)).length >= 0, true);
  ended.close();
  await proxy.until(() => proxy.connections.length === 0);

  const broken = await dial(proxy.url);
  await proxy.until(() => proxy.connections.length === 1);
  const reading = assertRejects(() => readAll(broken.readable), TransportError);
  proxy.connection.reset();
  assertEquals((await reading).code, "CONNECTION_RESET");
  await broken.closed;
});

test("FaultProxy is silent, and goes on", async () => {
  await using broker = await MemoryBroker.listen();
  await using proxy = await FaultProxy.listen(broker.url);
  await using connection = await connect(proxy.url);
  proxy.connection.silence();
  await assertRejects(() => connection.ping({ timeout: 50 }), TimeoutError);
  proxy.connection.resume();
  await connection.ping();
});

test("FaultProxy is silent one way only", async () => {
  await using broker = await MemoryBroker.listen();
  await using proxy = await FaultProxy.listen(broker.url);
  await using connection = await connect(proxy.url);
  const producer = await connection.createProducer("Q");
  proxy.connection.silence("to-client");
  await assertRejects(() => producer.send("1", { timeout: 50 }), TimeoutError);
  assertEquals(broker.queue("Q").size, 1);
  proxy.connection.resume();
  await connection.ping();
});

test("FaultProxy lets so many bytes through, then cuts", async () => {
  await using listener = await listen();
  await using proxy = await FaultProxy.listen(`tcp://127.0.0.1:${listener.port}`);
  for (const bytes of [0, 1, 99_999]) {
    const client = await dial(proxy.url);
    const peer = await accept(listener);
    await proxy.until(() => proxy.connections.length === 1);
    proxy.connection.truncate("from-client", bytes, "end");
    const writer = client.writable.getWriter();
    const written = writer.write(pattern(100_000)).then(() => writer.close()).catch(() => {});
    assertSameBytes(await readAll(peer.readable), pattern(bytes));
    await written;
    client.close();
    peer.close();
    await proxy.until(() => proxy.connections.length === 0);
  }
});

test("FaultProxy holds a command back, and what comes after it", async () => {
  await using broker = await MemoryBroker.listen();
  await using proxy = await FaultProxy.listen(broker.url);
  const late = await connect(proxy.url);
  await using other = await connect(proxy.url);
  const fault = proxy.fault({ command: "Message", when: "before", action: { delay: 2 ** 30 } });
  const sent = assertRejects(() => late.send("Q", "late"), ConnectionClosedError);
  const through = await fault.hit;
  const ping = assertRejects(() => late.ping(), ConnectionClosedError);
  await other.send("Q", "other");
  assertEquals(broker.queue("Q").enqueued, 1);
  through.end();
  await sent;
  await ping;
  await late.close();
});

test("FaultProxy delays and throttles, and all bytes arrive", async () => {
  await using listener = await listen();
  await using proxy = await FaultProxy.listen(`tcp://127.0.0.1:${listener.port}`);
  proxy.delay(5);
  proxy.throttle(100_000, "from-client");
  const client = await dial(proxy.url);
  const peer = await accept(listener);
  const writer = client.writable.getWriter();
  await writer.write(pattern(20_000));
  await writer.close();
  const chunks = await Array.fromAsync(peer.readable);
  assert(chunks.length > 1, "all came at once");
  assertEquals(chunks.reduce((sum, { length }) => sum + length, 0), 20_000);
  peer.close();
  client.close();
});

test("FaultProxy reads no more than it can pass on", async () => {
  await using listener = await listen();
  await using proxy = await FaultProxy.listen(`tcp://127.0.0.1:${listener.port}`);
  const client = await dial(proxy.url);
  const peer = await accept(listener);
  const stalled = new StalledWriter(client, 96 * 1024 * 1024);
  await stalled.stalled();
  assert(stalled.accepted < 64 * 1024 * 1024, `took ${stalled.accepted} bytes`);
  client.close();
  await stalled.failure;
  peer.close();
});

test("FaultProxy does not let everybody in", async () => {
  await using broker = await MemoryBroker.listen();
  await using proxy = await FaultProxy.listen(broker.url);
  proxy.admission = "silence";
  await assertRejects(() => connect(proxy.url, { connectTimeout: 100 }), TimeoutError);
  for (const admission of ["end", "reset"] as const) {
    proxy.admission = admission;
    const error = await assertRejects(() => connect(proxy.url), OpenWireError);
    // A reset may come before the runtime says that it is connected.
    const codes = admission === "end" ? ["HANDSHAKE"] : ["CONNECT_FAILED", "CONNECTION_RESET"];
    assert(codes.includes(error.code), error.code);
  }
  assertEquals([proxy.accepted, broker.connections], [3, 0]);

  proxy.admission = "accept";
  proxy.suspend();
  const error = await assertRejects(() => connect(proxy.url), TransportError);
  assertEquals(error.code, "CONNECTION_REFUSED");
  await proxy.resume();
  await using connection = await connect(proxy.url);
  await connection.ping();
});

test("FaultProxy leads to another broker", async () => {
  await using first = await MemoryBroker.listen();
  await using second = await MemoryBroker.listen();
  await using proxy = await FaultProxy.listen(first.url);
  await using old = await connect(proxy.url);
  proxy.upstream = second.url;
  await using connection = await connect(proxy.url);
  await connection.send("Q", "1");
  await old.ping();
  assertEquals([first.connections, second.connections], [1, 1]);
  assertEquals(second.queue("Q").size, 1);
});

test("FaultProxy resets who comes when there is no broker", async () => {
  const broker = await MemoryBroker.listen();
  await using proxy = await FaultProxy.listen(broker.url);
  await broker.close();
  const error = await assertRejects(() => connect(proxy.url), OpenWireError);
  assert(["CONNECT_FAILED", "CONNECTION_RESET"].includes(error.code), error.code);
});

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}
