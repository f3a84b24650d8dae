/** Consumers of topics that are slower than the senders: what is lost, what is buffered, and who is told. */

import { connect, type Connection, type ConnectionStatus, type Logger, topic } from "../../mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { assert, assertEquals } from "@std/assert";
import { test } from "../_harness.ts";
import { testOnBrokers } from "./_brokers.ts";
import { received, take, texts, until } from "./_messages.ts";

/** Topics of this name have the policy that ActiveMQ ships: it keeps 1,000 messages for a slow consumer. */
const slow = (name: string) => topic(`slow.${name}`);
const BURST = 5_000;
const BODY = new Uint8Array(10_000);
/** With what a message takes beside its body, about. */
const SIZE = BODY.length + 256;

interface Told {
  readonly statuses: ConnectionStatus[];
  readonly lines: string[];
  readonly logger: Logger;
  /** Notes what the connection emits. */
  watch(connection: Connection): void;
  of(type: ConnectionStatus["type"]): ConnectionStatus[];
}

/** Notes what is logged and emitted. */
function notes(): Told {
  const statuses: ConnectionStatus[] = [];
  const lines: string[] = [];
  const ignore = (): void => {};
  return {
    statuses,
    lines,
    logger: { debug: ignore, info: ignore, warn: (text) => lines.push(text), error: ignore },
    watch: async (connection) => {
      for await (const status of connection.status()) statuses.push(status);
    },
    of: (type) => statuses.filter((status) => status.type === type),
  };
}

/** A handler that does nothing before it is let. */
function gated(): { handler: () => Promise<void>; open(): void; readonly handled: number } {
  const gate = Promise.withResolvers<void>();
  let handled = 0;
  return {
    handler: async () => {
      await gate.promise;
      handled++;
    },
    open: gate.resolve,
    get handled() {
      return handled;
    },
  };
}

/** Sends as fast as the broker takes it. */
async function burst(
  sender: Connection,
  destination: ReturnType<typeof topic>,
  count: number,
  body: Uint8Array,
): Promise<void> {
  const producer = await sender.createProducer(destination, { persistent: false });
  for (let n = 0; n < count; n++) await producer.send(body);
  await producer.close();
  await sender.ping();
}

for (const bytes of [100, 20_000]) {
  testOnBrokers(
    `a burst of ${BURST} messages of ${bytes} bytes reaches a slow consumer of a topic`,
    async ({ connect, name }) => {
      const told = notes();
      const connection = await connect({ logger: told.logger });
      told.watch(connection);
      const sender = await connect();
      const consumer = await connection.createConsumer(slow(name));
      assertEquals(consumer.prefetchSize, 32_767);
      const { handler, open, ...gate } = gated();
      let handled = 0;
      consumer.consume(async () => {
        await handler();
        handled++;
      });
      await burst(sender, slow(name), BURST, new Uint8Array(bytes));
      open();
      await until(() => handled === BURST);
      assertEquals([gate.handled, told.lines], [0, []]);
      await connection.close();
      assertEquals(told.statuses.map(({ type }) => type), ["closed"]);
    },
  );
}

testOnBrokers(
  "a consumer of a topic that reaches its prefetch size is reported once, and ActiveMQ discards messages",
  async ({ connect, name, kind }) => {
    const told = notes();
    const connection = await connect({ logger: told.logger });
    told.watch(connection);
    const sender = await connect();
    const consumer = await connection.createConsumer(slow(name), { prefetchSize: 100 });
    const gate = Promise.withResolvers<void>();
    const end = Promise.withResolvers<void>();
    let handled = 0;
    consumer.consume(async ({ kind }) => {
      await gate.promise;
      handled++;
      if (kind === "text") end.resolve();
    });
    await burst(sender, slow(name), BURST, BODY.subarray(0, 10));
    await until(() => consumer.buffered === 99);
    await until(() => told.of("slow-consumer").length > 0);
    assertEquals(connection.stats().slowConsumers, 1);
    gate.resolve();
    await sender.send(slow(name), "the end");
    await end.promise;
    const expected = kind === "artemis" ? BURST : 100 + 1000;
    assert(handled <= expected + 1 && handled > 1000, `${handled} messages came`);
    assertEquals(told.of("slow-consumer"), [{
      type: "slow-consumer",
      destination: `topic://slow.${name}`,
      consumerId: consumer.id,
      bufferedMessages: 99,
      prefetchSize: 100,
    }]);
    assertEquals(told.lines, [
      "A consumer of a topic is slow: the broker holds messages back, and may discard some",
    ]);
    await until(() => connection.stats().slowConsumers === 0);
  },
);

test("messages that were reported as delivered don't make a consumer of a topic slow", async () => {
  await using broker = await MemoryBroker.listen();
  const told = notes();
  await using connection = await connect(broker.url);
  told.watch(connection);
  const consumer = await connection.createConsumer(topic("t"), {
    prefetchSize: 4,
    acknowledgeMode: "individual",
  });
  const messages = [];
  for (let n = 0; n < 20; n++) {
    await connection.send(topic("t"), String(n));
    messages.push(await received(consumer));
  }
  assertEquals([consumer.unsettled, told.statuses, connection.stats().slowConsumers], [20, [], 0]);
  // When they are acknowledged, they count no more in either way.
  for (const message of messages) await message.ack();
  for (let n = 0; n < 3; n++) await connection.send(topic("t"), String(n));
  await until(() => consumer.buffered === 3);
  assertEquals(connection.stats().slowConsumers, 0);
  for (let n = 0; n < 3; n++) await connection.send(topic("t"), String(n));
  await until(() => connection.stats().slowConsumers === 1);
  assertEquals(consumer.buffered, 4);
});

test("other consumers that reach their prefetch sizes are not reported", async () => {
  await using broker = await MemoryBroker.listen();
  const told = notes();
  await using connection = await connect(broker.url, { clientId: "c" });
  told.watch(connection);
  const queue = await connection.createConsumer("q", { prefetchSize: 2 });
  const durable = await connection.createConsumer(topic("t"), {
    prefetchSize: 2,
    subscriptionName: "s",
  });
  for (let n = 0; n < 5; n++) {
    await connection.send("q", "a");
    await connection.send(topic("t"), "a");
  }
  await until(() => queue.buffered === 2 && durable.buffered === 2);
  assertEquals(told.statuses, []);
});

test("a consumer of a topic with prefetch size 0 is reported: the broker keeps all for it", async () => {
  await using broker = await MemoryBroker.listen();
  const told = notes();
  await using connection = await connect(broker.url);
  told.watch(connection);
  await connection.createConsumer("q", { prefetchSize: 0 });
  await connection.createConsumer(topic("t"), { prefetchSize: 0 });
  const changed = await connection.createConsumer(topic("t"));
  await changed.setPrefetchSize(0);
  await connection.ping();
  assertEquals(
    told.of("slow-consumer").map((status) => "prefetchSize" in status && status.destination),
    ["topic://t", "topic://t"],
  );
});

testOnBrokers(
  "maxBufferedBytes of a topic has the connection read nothing, and no message is lost",
  async ({ connect, name }) => {
    const told = notes();
    const controls: number[] = [];
    const connection = await connect({
      logger: told.logger,
      inspect: (command) => {
        if (command.dataType === "ConsumerControl") controls.push(command.prefetch);
      },
    });
    told.watch(connection);
    const sender = await connect();
    const maxBufferedBytes = 1_000_000;
    const consumer = await connection.createConsumer(slow(name), { maxBufferedBytes });
    const other = await connection.createConsumer(name);
    await burst(sender, slow(name), BURST, BODY);
    await until(() => connection.stats().pausingConsumers === 1);
    await sender.send(name, "behind");
    const { buffered } = consumer;
    assert(
      consumer.bufferedBytes <= maxBufferedBytes + 2 * SIZE,
      `${consumer.bufferedBytes} bytes`,
    );
    assertEquals(other.buffered, 0);
    // The first half is taken without a word from the broker.
    let taken = 0;
    for (; consumer.bufferedBytes > maxBufferedBytes / 2; taken++) await received(consumer);
    assertEquals(connection.stats().pausingConsumers, 0);
    for (; taken < BURST; taken++) await received(consumer);
    assertEquals((await received(other)).text, "behind");
    assertEquals(controls, []);
    const [paused, ...more] = told.of("reading-paused");
    assertEquals([paused, more], [{
      type: "reading-paused",
      destination: `topic://slow.${name}`,
      consumerId: consumer.id,
      bufferedMessages: buffered,
      bufferedBytes: paused?.type === "reading-paused" ? paused.bufferedBytes : 0,
      maxBufferedBytes,
    }, []]);
    assertEquals(told.lines.length, 1);
    assert(told.lines[0]!.startsWith("The connection reads nothing"));
  },
);

/** A connection that reads nothing, with a message in each of its slow consumer's hands. */
async function paused(
  connection: Connection,
  sender: Connection,
  name: string,
  count = 2_000,
): Promise<Awaited<ReturnType<Connection["createConsumer"]>>> {
  const consumer = await connection.createConsumer(slow(name), { maxBufferedBytes: 100_000 });
  await burst(sender, slow(name), count, BODY);
  await until(() => connection.stats().pausingConsumers === 1);
  return consumer;
}

testOnBrokers("a handler may wait for the broker while nothing is read", async (broker) => {
  const { connect, name } = broker;
  const connection = await connect();
  const sender = await connect();
  const count = 300;
  const out = await connection.createConsumer(`${name}.out`);
  const other = await connection.createConsumer(`${name}.other`);
  const consumer = await paused(connection, sender, name, count);
  await sender.send(`${name}.other`, "behind");
  await using _ = await sender.respond(`${name}.ask`, () => "yes");
  assertEquals([connection.stats().pausingConsumers, other.buffered], [1, 0]);
  const steps: (() => Promise<unknown>)[] = [
    async () => assertEquals((await other.receive({ timeout: 3_000 }))?.text, "behind"),
    () => connection.send(`${name}.out`, "confirmed"),
    () => connection.request(`${name}.ask`, "?"),
    async () => await (await connection.createSession()).close(),
    async () => await (await connection.createConsumer(name, { prefetchSize: 0 })).receiveNoWait(),
    async () => assertEquals((await received(out)).text, "confirmed"),
    () => connection.transaction((session) => session.send(`${name}.out`, "in a transaction")),
    () => connection.ping(),
    async () => {
      const producer = await connection.createProducer(`${name}.out`, {
        persistent: false,
        windowSize: 1,
      });
      await producer.send("fills the window");
      await producer.send("waits for room");
      await producer.close();
    },
  ];
  let handled = 0;
  const all = Promise.withResolvers<void>();
  const consuming = consumer.consume(async () => {
    // To throw would have the message delivered again.
    await steps[handled++]?.().catch(all.reject);
    if (handled === count) all.resolve();
  });
  await Promise.race([all.promise, consuming]);
  assertEquals(handled, count);
});

testOnBrokers("keep-alives go on while nothing is read, and nobody is given up", async (broker) => {
  const { connect, name } = broker;
  let keepAlives = 0;
  const enough = Promise.withResolvers<void>();
  const connection = await connect({
    wireFormat: { maxInactivityDuration: 1_000, maxInactivityDurationInitialDelay: 1_000 },
    inspect: ({ dataType }, direction) => {
      if (dataType === "KeepAliveInfo" && direction === "sent" && ++keepAlives === 5) {
        enough.resolve();
      }
    },
  });
  const sender = await connect();
  const consumer = await paused(connection, sender, name, 3_000);
  keepAlives = 0;
  await Promise.race([enough.promise, connection.closed]);
  assertEquals([connection.connected, connection.stats().pausingConsumers], [true, 1]);
  for (let n = 0; n < 3_000; n++) await received(consumer);
  assertEquals((await connection.ping()) >= 0, true);
});

testOnBrokers("all can be closed while nothing is read", async ({ connect, name }) => {
  const sender = await connect();
  const closings: ((
    connection: Connection,
    consumer: Awaited<ReturnType<typeof paused>>,
  ) => Promise<unknown>)[] = [
    (connection) => connection.close({ timeout: 5_000 }),
    (connection) => {
      connection.abort();
      return connection.closed;
    },
    async (connection, consumer) => {
      await consumer.close({ timeout: 5_000 });
      assertEquals(connection.stats().pausingConsumers, 0);
      // The others go on.
      const other = await connection.createConsumer(`${name}.other`);
      await sender.send(`${name}.other`, "hello");
      assertEquals((await received(other)).text, "hello");
      await connection.close();
    },
    async (connection, consumer) => {
      const draining = connection.drain({ timeout: 20_000 });
      let count = 0;
      for await (const _ of consumer) count++;
      await draining;
      assert(count > 0);
    },
  ];
  for (const [index, closing] of closings.entries()) {
    const connection = await connect();
    const consumer = await paused(connection, sender, `${name}.${index}`);
    await closing(connection, consumer);
    assertEquals([connection.connected, connection.stats().pausingConsumers], [false, 0]);
  }
});

test("a connection that is lost while nothing is read is replaced", async () => {
  await using broker = await MemoryBroker.listen();
  const told = notes();
  await using connection = await connect(broker.url, {
    failover: { initialReconnectDelay: 1 },
    wireFormat: { maxInactivityDuration: 1_000, maxInactivityDurationInitialDelay: 1_000 },
  });
  told.watch(connection);
  await using sender = await connect(broker.url, { failover: { initialReconnectDelay: 1 } });
  const consumer = await paused(connection, sender, "t", 300);
  await broker.disconnectClients();
  await until(() => told.of("resumed").length > 0);
  assertEquals([consumer.buffered, connection.stats().pausingConsumers], [0, 0]);
  await sender.send(slow("t"), "after");
  assertEquals((await received(consumer)).text, "after");
});

test("reading goes on when all consumers that have too much have room again", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url, { autoStart: false });
  await using sender = await connect(broker.url);
  const limit = { maxBufferedBytes: 2_000 };
  const one = await connection.createConsumer(topic("one"), limit);
  const two = await connection.createConsumer(topic("two"), limit);
  const other = await connection.createConsumer("q");
  // The second has too much because reading goes on for a call.
  await sender.send(topic("one"), new Uint8Array(2_000));
  await until(() => connection.stats().pausingConsumers === 1);
  await sender.send(topic("two"), new Uint8Array(2_000));
  await sender.send("q", "hello");
  await connection.ping();
  await until(() => connection.stats().pausingConsumers === 2);
  await sender.send("q", "later");
  connection.start();
  await received(one);
  assertEquals(connection.stats().pausingConsumers, 1);
  await received(two);
  assertEquals(connection.stats().pausingConsumers, 0);
  assertEquals((await received(other)).text, "hello");
  assertEquals((await received(other)).text, "later");
});

test("maxBufferedBytes is 128 MiB for topics, 16 MiB for others, and 0 is no limit", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url, { clientId: "c" });
  const MiB = 1_048_576;
  const body = new Uint8Array(8 * MiB + 1);
  const t = await connection.createConsumer(topic("t"));
  const free = await connection.createConsumer(topic("t"), { maxBufferedBytes: 0 });
  await connection.createConsumer(topic("t"), { subscriptionName: "s" });
  const prefetch: number[] = [];
  broker.intercept((command) => {
    if (command.dataType === "ConsumerControl") prefetch.push(command.prefetch);
    return undefined;
  });
  for (let n = 0; n < 2; n++) await connection.send(topic("t"), body);
  // Of the durable subscription.
  await until(() => prefetch.length === 1);
  assertEquals([t.buffered, connection.stats().pausingConsumers], [2, 0]);
  await free.close();
  for (let n = 2; n < 16; n++) await connection.send(topic("t"), body);
  await until(() => connection.stats().pausingConsumers === 1);
  assertEquals([prefetch, t.buffered], [[0], 16]);
});

testOnBrokers(
  "a consumer of a topic can have the broker keep fewer messages for it",
  async ({ connect, name, memory }) => {
    const [connection, sender] = [await connect(), await connect()];
    const destination = slow(name);
    const options = { prefetchSize: 10, maximumPendingMessageLimit: 5 };
    const consumer = await connection.createConsumer(destination, options);
    const free = await connection.createConsumer(topic(`free.${name}`), options);
    for (const to of [destination, topic(`free.${name}`)]) {
      for (let n = 0; n < 100; n++) await sender.send(to, `${n}`, { persistent: false });
      await sender.ping();
    }
    // The first ten were sent ahead, the last five were kept.
    const numbers = Array.from({ length: 100 }, (_, n) => `${n}`);
    const expected = [...numbers.slice(0, 10), ...numbers.slice(-5)];
    assertEquals(texts(await take(consumer, expected.length)), expected);
    assertEquals(await consumer.receive({ timeout: 200 }), null);
    if (memory) assertEquals(memory.topic(`slow.${name}`).discarded, 85);
    // Without a policy of the broker the limit of the consumer counts for nothing.
    assertEquals(texts(await take(free, 100)), numbers);
  },
  { needs: ["pending message limit"] },
);
