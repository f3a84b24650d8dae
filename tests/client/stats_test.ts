import type { ConnectionStats } from "../../mod.ts";
import { dial, type Transport } from "../../transport/mod.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { testOnBrokers } from "./_brokers.ts";
import { AT_ONCE, outdated, received, take, until } from "./_messages.ts";

/** Some of the stats. */
function some<Name extends keyof ConnectionStats>(
  stats: ConnectionStats,
  ...names: Name[]
): Pick<ConnectionStats, Name> {
  return Object.fromEntries(names.map((name) => [name, stats[name]])) as Pick<
    ConnectionStats,
    Name
  >;
}

/** A connection that counts for itself. */
async function counting(url: string): Promise<{ transport: Transport; bytes: [number, number] }> {
  const transport = await dial(url);
  const bytes: [number, number] = [0, 0];
  const counter = (which: 0 | 1) =>
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        bytes[which] += chunk.length;
        controller.enqueue(chunk);
      },
    });
  const out = counter(0);
  out.readable.pipeTo(transport.writable).catch(() => {});
  return {
    bytes,
    transport: {
      readable: transport.readable.pipeThrough(counter(1)),
      writable: out.writable,
      closed: transport.closed,
      remoteAddress: transport.remoteAddress,
      close: (reason) => transport.close(reason),
    },
  };
}

testOnBrokers("stats count what goes over the wire", async ({ connect, name, url }) => {
  const { transport, bytes } = await counting(url);
  const commands = { sent: 0, received: 0 };
  const connection = await connect({
    transport,
    inspect: (_, direction) => void commands[direction]++,
  });
  await connection.send(name, "hello");
  await received(await connection.createConsumer(name));
  const before = connection.stats();
  await connection.close();
  const stats = connection.stats();
  assert(before.commandsSent < stats.commandsSent);
  assertEquals(stats.commandsSent, commands.sent);
  assertEquals(stats.commandsReceived, commands.received);
  assertEquals([stats.bytesSent, stats.bytesReceived], bytes);
  assertEquals(stats.pendingRequests, 0);
});

testOnBrokers("a command that can't be sent does not count as sent", async ({ connect, name }) => {
  const connection = await connect();
  const producer = await connection.createProducer(name);
  const before = connection.stats();
  await assertRejects(() => producer.send("hello", { type: "x".repeat(70_000) }));
  const names = ["commandsSent", "bytesSent", "messagesSent", "bodyBytesSent"] as const;
  assertEquals(some(connection.stats(), ...names), some(before, ...names));
});

testOnBrokers("stats count messages and what becomes of them", async ({ connect, name }) => {
  const connection = await connect({ redeliveryPolicy: { maximumRedeliveries: 1, ...AT_ONCE } });
  const consumer = await connection.createConsumer(name, { acknowledgeMode: "individual" });
  for (const text of ["ack", "retry", "reject", "open"]) {
    await connection.send(name, new TextEncoder().encode(text));
  }
  const [ack, retry, reject] = await take(consumer, 4);
  await ack!.ack();
  await reject!.reject();
  await retry!.retry();
  await (await received(consumer)).retry(); // too often
  assertEquals(
    some(
      connection.stats(),
      "messagesSent",
      "bodyBytesSent",
      "messagesReceived",
      "bodyBytesReceived",
      "acknowledged",
      "rejected",
      "redelivered",
      "expired",
      "unsettledMessages",
    ),
    {
      messagesSent: 4,
      bodyBytesSent: 18,
      messagesReceived: 4,
      bodyBytesReceived: 18,
      acknowledged: 1,
      rejected: 2,
      redelivered: 1,
      expired: 0,
      unsettledMessages: 1,
    },
  );
});

testOnBrokers("stats count acknowledged messages in each mode", async ({ connect, name }) => {
  const connection = await connect({ optimizeAcknowledge: true });
  let count = 0;
  for (const acknowledgeMode of ["auto", "dups-ok", "client", "transacted"] as const) {
    const session = await connection.createSession({ acknowledgeMode });
    const consumer = await session.createConsumer(`${name}.${acknowledgeMode}`);
    for (const text of ["1", "2", "3"]) {
      await connection.send(`${name}.${acknowledgeMode}`, text);
    }
    const messages = await take(consumer, 3);
    if (acknowledgeMode === "client") await messages[2]!.ack();
    if (acknowledgeMode === "transacted") {
      assertEquals(connection.stats().acknowledged, count);
      await session.rollback();
      assertEquals(connection.stats().acknowledged, count);
      assertEquals(connection.stats().redelivered, 3);
      await take(consumer, 3);
      await session.commit();
    }
    count += 3;
    assertEquals(connection.stats().acknowledged, count, acknowledgeMode);
  }
});

testOnBrokers("stats count messages that are too old", async ({ connect, name }) => {
  const connection = await connect();
  const consumer = await connection.createConsumer(name);
  consumer.pause();
  await outdated(
    () => consumer.buffered,
    (timeToLive) => connection.send(name, "old", { timeToLive }),
  );
  consumer.resume();
  await connection.send(name, "new");
  assertEquals((await received(consumer)).text, "new");
  assertEquals(some(connection.stats(), "expired", "acknowledged"), {
    expired: 1,
    acknowledged: 1,
  });
});

testOnBrokers("stats tell what is open now", async ({ connect, name }) => {
  const connection = await connect();
  const names = ["sessions", "consumers", "producers"] as const;
  assertEquals(some(connection.stats(), ...names), { sessions: 0, consumers: 0, producers: 0 });
  const session = await connection.createSession();
  const producer = await session.createProducer(name);
  const consumer = await session.createConsumer(name);
  consumer.pause();
  await producer.send("hello");
  await until(() => connection.stats().bufferedMessages === 1);
  const stats = connection.stats();
  assertEquals(some(stats, ...names), { sessions: 1, consumers: 1, producers: 1 });
  assertEquals(stats.bufferedBytes, consumer.bufferedBytes);
  await producer.send("hello", { persistent: false });
  const { windowBytes } = connection.stats();
  assert(windowBytes === 0 || windowBytes === 1024 + 9, String(windowBytes));
  await session.close();
  assertEquals(some(connection.stats(), ...names), { sessions: 0, consumers: 0, producers: 0 });
  assertEquals(stats.sessions, 1); // what was told does not change
});
