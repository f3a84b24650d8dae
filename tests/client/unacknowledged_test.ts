/** How many messages the application may have: `maxUnacknowledged`, `concurrency` and the prefetch size together. */

import {
  type AcknowledgeMode,
  connect,
  type Connection,
  type ConnectionStatus,
  type ConnectOptions,
  type ConsumerOptions,
  type Message,
  topic,
} from "../../mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { createConsumerControl, createConsumerId } from "../../codec/mod.ts";
import { test } from "../_harness.ts";
import { testOnBrokers } from "./_brokers.ts";
import { AT_ONCE, received, send, take, texts, until } from "./_messages.ts";

/** Milliseconds in which a message would have come. */
const MOMENT = 50;

/** A connection with its warnings and statuses. */
async function watched(
  open: (options: ConnectOptions) => Promise<Connection>,
  options: ConnectOptions = {},
): Promise<{ connection: Connection; statuses: ConnectionStatus[]; lines: string[] }> {
  const lines: string[] = [];
  const ignore = (): void => {};
  const connection = await open({
    ...options,
    logger: { debug: ignore, info: ignore, warn: (text) => lines.push(text), error: ignore },
  });
  const statuses: ConnectionStatus[] = [];
  (async () => {
    for await (const status of connection.status()) statuses.push(status);
  })();
  return { connection, statuses, lines };
}

/** What settles what a consumer has, in each mode in which that is not done by itself. */
const settling: Partial<Record<AcknowledgeMode, (last: Message) => Promise<void>>> = {
  individual: (message) => message.ack(),
  client: (message) => message.ack(),
};

for (const acknowledgeMode of ["individual", "client", "transacted"] as const) {
  for (const prefetchSize of [0, 1, 100]) {
    testOnBrokers(
      `maxUnacknowledged bounds what the application has, mode ${acknowledgeMode}, prefetch size ${prefetchSize}`,
      async (broker) => {
        const { connection, statuses, lines } = await watched(broker.connect);
        const session = await connection.createSession({ acknowledgeMode });
        await send(broker, broker.name, ...Array.from({ length: 12 }, (_, n) => String(n)));
        const consumer = await session.createConsumer(broker.name, {
          prefetchSize,
          maxUnacknowledged: 4,
        });
        let last = (await take(consumer, 4)).at(-1)!;
        assertEquals([statuses, connection.stats().limitedConsumers], [[], 1]);
        assertEquals(await consumer.receive({ timeout: MOMENT }), null);
        assertEquals(await consumer.receiveNoWait(), null);
        const waiting = consumer.receive();
        if (acknowledgeMode === "transacted") await session.commit();
        else await settling[acknowledgeMode]!(last);
        last = (await waiting)!;
        assertEquals(last.text, "4");
        assertEquals(consumer.unsettled, acknowledgeMode === "individual" ? 4 : 1);
        await until(() => statuses.length > 0);
        // Of what is sent ahead as much is here as the broker has got around to sending.
        const { bufferedMessages = -1 } = statuses[0] as { bufferedMessages?: number };
        assertEquals(bufferedMessages >= (prefetchSize === 0 ? 0 : 1), true);
        assertEquals(statuses, [{
          type: "unacknowledged-limit",
          destination: `queue://${broker.name}`,
          consumerId: consumer.id,
          bufferedMessages,
          maxUnacknowledged: 4,
        }]);
        assertEquals(lines, [
          "A consumer delivers no more messages until the application settles some",
        ]);
      },
    );
  }
}

testOnBrokers("a handler gets more messages when those that it has are settled", async (broker) => {
  const connection = await broker.connect();
  const consumer = await connection.createConsumer(broker.name, {
    acknowledgeMode: "individual",
    maxUnacknowledged: 3,
    redeliveryPolicy: AT_ONCE,
  });
  await send(broker, broker.name, "a", "b", "c", "d", "e", "f");
  const got: Message[] = [];
  consumer.consume((message) => void got.push(message));
  await until(() => consumer.buffered === 3);
  assertEquals(texts(got), ["a", "b", "c"]);
  await got[1]!.ack();
  await until(() => got.length === 4);
  await got[0]!.retry();
  // It waits a moment, and then before what was not delivered yet.
  await until(() => got.length === 5 && consumer.buffered === 2);
  await got[2]!.reject("no use");
  await until(() => got.length === 6);
  assertEquals(texts(got), ["a", "b", "c", "d", "e", "a"]);
  assertEquals([consumer.unsettled, consumer.buffered], [3, 1]);
});

test("a loop and a stream wait for what is settled, too", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url);
  const options = { acknowledgeMode: "individual", maxUnacknowledged: 1 } as const;
  for (const text of ["a", "b", "c", "d"]) await connection.send("q", text);
  const consumer = await connection.createConsumer("q", options);
  const loop = consumer.messages();
  const [first, second] = [loop.next(), loop.next()];
  const a = (await first).value as Message;
  await connection.ping();
  assertEquals(consumer.buffered, 3);
  await a.ack();
  await ((await second).value as Message).ack();
  await loop.return!();
  const reader = consumer.readable.getReader();
  const c = (await reader.read()).value!;
  const fourth = reader.read();
  await c.ack();
  assertEquals((await fourth).value?.text, "d");
});

test("a rollback and a lost connection make room, too", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url, {
    redeliveryPolicy: AT_ONCE,
    failover: { initialReconnectDelay: 1 },
  });
  for (const text of ["a", "b", "c"]) await connection.send("q", text);
  const session = await connection.createSession({ acknowledgeMode: "transacted" });
  const consumer = await session.createConsumer("q", { maxUnacknowledged: 2 });
  for (let n = 0; n < 2; n++) {
    assertEquals(texts(await take(consumer, 2)), ["a", "b"]);
    assertEquals(await consumer.receive({ timeout: 5 }), null);
    await session.rollback();
  }
  await take(consumer, 2);
  const waiting = consumer.receive();
  await broker.disconnectClients();
  assertEquals((await waiting)?.text, "a");
});

test("maxUnacknowledged is 10,000 by default, and 0 is no limit", async () => {
  await using broker = await MemoryBroker.listen();
  const { connection, statuses } = await watched((options) => connect(broker.url, options));
  await using _ = connection;
  const producer = await connection.createProducer("q", { persistent: false });
  await producer.sendBatch(Array.from({ length: 10_001 }, () => "x"));
  for (const [maxUnacknowledged, most] of [[undefined, 10_000], [0, 10_001]] as const) {
    const consumer = await connection.createConsumer("q", {
      acknowledgeMode: "individual",
      maxUnacknowledged,
    });
    assertEquals(consumer.maxUnacknowledged, maxUnacknowledged ?? 10_000);
    while (consumer.unsettled < most) await received(consumer);
    const waiting = consumer.receive({ timeout: 0 });
    await until(() => statuses.length === 1);
    await consumer.close();
    assertEquals([await waiting, statuses[0]!.type], [null, "unacknowledged-limit"]);
  }
});

test("what a browser shows is not bounded by maxUnacknowledged", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url);
  const producer = await connection.createProducer("q", { persistent: false });
  await producer.sendBatch(Array.from({ length: 10_002 }, () => "x"));
  const session = await connection.createSession({ acknowledgeMode: "client" });
  let count = 0;
  for await (const _ of await session.createBrowser("q")) count++;
  assertEquals(count, 10_002);
});

test("createConsumer() refuses limits that make no sense", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url, { clientId: "c" });
  for (const maxUnacknowledged of [-1, 1.5, NaN, 2 ** 31, "5" as unknown as number]) {
    const shown = typeof maxUnacknowledged === "string"
      ? "a value of type string"
      : maxUnacknowledged;
    await assertRejects(
      () => connection.createConsumer("q", { maxUnacknowledged }),
      RangeError,
      `Cannot use ${shown} as maxUnacknowledged: an integer from 0 to 2147483647 is expected`,
    );
  }
  for (
    const [destination, options] of [
      ["q", {}],
      [topic("t"), { subscriptionName: "s" }],
      [topic("VirtualTopic.t"), { shared: "s" }],
    ] as const
  ) {
    await assertRejects(
      () => connection.createConsumer(destination, { ...options, maximumPendingMessageLimit: 5 }),
      TypeError,
      "the broker only discards messages of topics without a subscription that keeps them",
    );
  }
});

test("consume() refuses a concurrency that a limit would make smaller", async () => {
  await using broker = await MemoryBroker.listen();
  const cases: [ConnectOptions, ConsumerOptions, string, string][] = [
    [{}, { prefetchSize: 5 }, "q", "prefetchSize is 5"],
    [{}, {}, "q?consumer.prefetchSize=5", "prefetchSize is 5"],
    [{ prefetchPolicy: { all: 5 } }, {}, "q", "prefetchPolicy.all is 5"],
    [
      { prefetchPolicy: { all: 90, queuePrefetch: 5 } },
      {},
      "q",
      "prefetchPolicy.queuePrefetch is 5",
    ],
    [
      { prefetchPolicy: { durableTopicPrefetch: 5 } },
      { subscriptionName: "s" },
      "topic://t",
      "prefetchPolicy.durableTopicPrefetch is 5",
    ],
    [
      { prefetchPolicy: { topicPrefetch: 5 } },
      {},
      "topic://t",
      "prefetchPolicy.topicPrefetch is 5",
    ],
    [{}, { maxUnacknowledged: 5 }, "q", "maxUnacknowledged is 5"],
  ];
  for (const [index, [connectOptions, options, destination, cause]] of cases.entries()) {
    await using connection = await connect(broker.url, {
      clientId: `c${index}`,
      ...connectOptions,
    });
    const consumer = await connection.createConsumer(destination, options);
    const error = assertThrows(() => consumer.consume(() => {}, { concurrency: 8 }), RangeError);
    assertEquals(
      error.message.startsWith(`Cannot use 8 as concurrency: ${cause}`),
      true,
      error.message,
    );
    await assertRejects(
      () => connection.respond(destination, () => null, { ...options, concurrency: 8 }),
      Error,
    );
    consumer.consume(() => {}, { concurrency: 5 });
  }
  await using connection = await connect(broker.url);
  const consumer = await connection.createConsumer("q");
  assertThrows(
    () => consumer.consume(() => {}, { concurrency: 32_768 }),
    RangeError,
    "Cannot use 32768 as concurrency: prefetchSize can be 32767 at most, or 0",
  );
  await consumer.setPrefetchSize(5);
  assertThrows(
    () => consumer.consume(() => {}, { concurrency: 8 }),
    RangeError,
    "Cannot use 8 as concurrency: prefetchSize is 5",
  );
});

test("setPrefetchSize() refuses a size below the concurrency, until consume() has ended", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url);
  const consumer = await connection.createConsumer("q");
  const controller = new AbortController();
  const consuming = consumer.consume(() => {}, { concurrency: 8, signal: controller.signal });
  await assertRejects(
    () => consumer.setPrefetchSize(7),
    RangeError,
    "Cannot use 7 as prefetchSize: consume() has a concurrency of 8",
  );
  await consumer.setPrefetchSize(8);
  await consumer.setPrefetchSize(0);
  controller.abort();
  await consuming;
  await consumer.setPrefetchSize(7);
});

/** Lets as many messages be handled at the same time as there are; resolves when these are that many. */
async function busy(
  consumer: Awaited<ReturnType<Connection["createConsumer"]>>,
  concurrency: number,
): Promise<void> {
  const all = Promise.withResolvers<void>();
  let count = 0;
  const consuming = consumer.consume(async () => {
    if (++count === concurrency) all.resolve();
    await all.promise;
  }, { concurrency });
  await Promise.race([all.promise, consuming]);
  assertEquals(count, concurrency);
}

testOnBrokers("a default prefetch size is raised to the concurrency", async (broker) => {
  const connection = await broker.connect({ clientId: broker.name });
  const destination = topic(broker.name);
  for (const acknowledgeMode of ["auto", "individual", "dups-ok"] as const) {
    const consumer = await connection.createConsumer(destination, {
      subscriptionName: acknowledgeMode,
      acknowledgeMode,
    });
    assertEquals(consumer.prefetchSize, 100);
    for (let n = 0; n < 150; n++) {
      await connection.send(destination, "x", { persistent: false, confirm: false });
    }
    await busy(consumer, 150);
    await until(() => consumer.prefetchSize === 150);
    await consumer.close();
  }
});

testOnBrokers("prefetch size 0: as many messages are asked for as are handled", async (broker) => {
  const connection = await broker.connect();
  for (const acknowledgeMode of ["auto", "individual", "dups-ok"] as const) {
    const name = `${broker.name}.${acknowledgeMode}`;
    await send(broker, name, ..."abcdefgh");
    const consumer = await connection.createConsumer(name, { prefetchSize: 0, acknowledgeMode });
    await busy(consumer, 5);
    await consumer.close();
  }
});

testOnBrokers(
  "calls that wait at the same time get more messages than the prefetch size",
  async (broker) => {
    const connection = await broker.connect();
    for (const acknowledgeMode of ["individual", "client", "transacted"] as const) {
      const name = `${broker.name}.${acknowledgeMode}`;
      await send(broker, name, ..."abcdefgh");
      const session = await connection.createSession({ acknowledgeMode });
      const consumer = await session.createConsumer(name, { prefetchSize: 2 });
      const messages = await Promise.all([..."12345"].map(() => received(consumer)));
      assertEquals(texts(messages), ["a", "b", "c", "d", "e"]);
      await session.close();
    }
  },
);

test("a prefetch size that the broker has made smaller does not bound the concurrency", async () => {
  await using broker = await MemoryBroker.listen();
  for (const mode of ["auto", "dups-ok", "individual"] as const) {
    await using connection = await connect(broker.url);
    for (let n = 0; n < 8; n++) await connection.send(mode, "x");
    broker.intercept((command, { direction }) => {
      // The policy of the broker is that of the consumer's subscription.
      if (direction === "from-client" && command.dataType === "ConsumerInfo") {
        command.prefetchSize = 2;
      }
      return undefined;
    });
    const consumer = await connection.createConsumer(mode, { acknowledgeMode: mode });
    const [sessionId, value] = consumer.id.split(":").map(Number) as [number, number];
    broker.sendToClients(createConsumerControl({
      consumerId: createConsumerId({ connectionId: "", sessionId, value }),
      prefetch: 2,
    }));
    await until(() => consumer.prefetchSize === 2);
    await busy(consumer, 8);
    assertEquals(consumer.prefetchSize, 2);
  }
});

testOnBrokers("what a handler can't take yet is left to other consumers", async (broker) => {
  const connection = await broker.connect();
  const consumer = await connection.createConsumer(broker.name, { prefetchSize: 4 });
  const all = Promise.withResolvers<void>();
  const end = Promise.withResolvers<void>();
  let count = 0;
  consumer.consume(async () => {
    if (++count === 4) all.resolve();
    await end.promise;
  }, { concurrency: 4 });
  await send(broker, broker.name, ..."abcdef");
  await all.promise;
  const other = await connection.createConsumer(broker.name);
  assertEquals(texts(await take(other, 2)), ["e", "f"]);
  end.resolve();
});
