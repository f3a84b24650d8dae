/** What the broker does to consumers, and what goes wrong between them. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  createActiveMQTextMessage,
  createConnectionControl,
  createConsumerControl,
  createMessageDispatch,
  createMessageId,
  createProducerId,
} from "../../codec/mod.ts";
import {
  BrokerError,
  ClosedError,
  connect,
  ConnectionClosedError,
  type ConnectOptions,
  queue,
  TimeoutError,
} from "../../mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { test } from "../_harness.ts";
import { testOnBrokers } from "./_brokers.ts";
import { fakePeer, Script } from "./_fake_broker.ts";
import {
  assertIllegalState,
  AT_ONCE,
  deadLetter,
  left,
  received,
  send,
  take,
  texts,
  until,
} from "./_messages.ts";

/** A broker that lets each consumer be, until told what to do with it. */
async function withConsumer(
  act: (
    script: Script,
    consumer: Awaited<ReturnType<Awaited<ReturnType<typeof connect>>["createConsumer"]>>,
    seen: AsyncIterator<string>,
  ) => Promise<void>,
): Promise<void> {
  const scripts = Promise.withResolvers<Script>();
  const seen = new TransformStream<string, string>(undefined, undefined, { highWaterMark: 1000 });
  const writer = seen.writable.getWriter();
  await using peer = await fakePeer(async (transport) => {
    const script = new Script(transport);
    await script.accept();
    scripts.resolve(script);
    await script.answerAll((command) => {
      const detail = command.dataType === "MessagePull" ? ` ${command.timeout}` : "";
      writer.write(`${command.dataType}${detail}`);
    });
  });
  await using connection = await connect(peer.url);
  const consumer = await connection.createConsumer("q");
  await act(await scripts.promise, consumer, seen.readable.values());
}

test("a consumer that the broker has closed says so", async () => {
  await withConsumer(async (script, consumer) => {
    const waiting = consumer.receive();
    const ended = consumer.consume.bind(consumer);
    await script.send(createConsumerControl({
      consumerId: { dataType: "ConsumerId", connectionId: "", sessionId: 1, value: 1 },
      close: true,
    }));
    const error = await assertRejects(() => waiting, ClosedError);
    assertEquals(error.message, "The broker closed the consumer");
    await assertRejects(() => consumer.receive(), ClosedError, "broker");
    await assertRejects(async () => await ended(() => {}), ClosedError, "broker");
    await assertRejects(() => consumer.messages().next(), ClosedError, "broker");
    await consumer.close();
  });
});

test("a consumer whose prefetch size the broker sets to 0 asks for messages", async () => {
  await withConsumer(async (script, consumer, seen) => {
    const consumerId = {
      dataType: "ConsumerId",
      connectionId: "",
      sessionId: 1,
      value: 1,
    } as const;
    await script.send(createConsumerControl({ consumerId, prefetch: 0 }));
    const waiting = consumer.receive({ timeout: 5000 });
    for (let name; (name = (await seen.next()).value) !== "MessagePull 5000";) {
      assert(name !== undefined);
    }
    const second = consumer.receive({ timeout: 6000 });
    assertEquals(consumer.prefetchSize, 0);
    const message = createActiveMQTextMessage({
      destination: queue("q"),
      messageId: createMessageId({
        producerId: createProducerId({ connectionId: "x", sessionId: 1, value: 1 }),
        producerSequenceId: 1,
      }),
    });
    await script.send(createMessageDispatch({ consumerId, message }));
    assertEquals((await waiting)?.kind, "text");
    // One at a time: the second is asked for when the first has come.
    for (let name; (name = (await seen.next()).value) !== "MessagePull 6000";) {
      assert(name !== "MessagePull 5000");
    }
    await script.send(createMessageDispatch({ consumerId, message }));
    assertEquals((await second)?.kind, "text");
    // Not even a null dispatch keeps a loop from asking again.
    const next = consumer.messages().next();
    for (let name; (name = (await seen.next()).value) !== "MessagePull 10000";) {
      assert(name !== undefined);
    }
    await script.send(createMessageDispatch({ consumerId }));
    while ((await seen.next()).value !== "MessagePull 10000");
    await script.send(createMessageDispatch({ consumerId, message }));
    assertEquals((await next).done, false);
  });
});

testOnBrokers(
  "nonBlockingRedelivery: others are handled while a failed message waits",
  async (broker) => {
    const connection = await broker.connect({
      nonBlockingRedelivery: true,
      redeliveryPolicy: { initialRedeliveryDelay: 30 },
    });
    const consumer = await connection.createConsumer(broker.name);
    await send(broker, broker.name, "a", "b");
    const seen: string[] = [];
    const done = Promise.withResolvers<void>();
    consumer.consume((message) => {
      seen.push(`${message.text}${message.deliveryCount}`);
      if (seen.length === 1) throw new Error("not yet");
      if (seen.length === 3) done.resolve();
    });
    await done.promise;
    await connection.close();
    assertEquals(seen, ["a1", "b1", "a2"]);
    assertEquals(await left(broker, broker.name), []);
  },
);

testOnBrokers(
  "a transacted session gives up what comes with too many deliveries",
  async (broker) => {
    const bad = `bad ${broker.name}`;
    await send(broker, broker.name, bad);
    // As a broker with a redelivery plugin marks what it gives again.
    const sender = await broker.connect();
    await sender.send(broker.name, "marked", { properties: { redeliveryDelay: 1000 } });
    for (let attempt = 0; attempt < 2; attempt++) {
      const connection = await broker.connect();
      const consumer = await connection.createConsumer(broker.name, {
        acknowledgeMode: "individual",
      });
      assertEquals(texts(await take(consumer, 2)), [bad, "marked"]);
      await connection.close();
    }
    const open = async (options: ConnectOptions["redeliveryPolicy"]) => {
      const connection = await broker.connect({ redeliveryPolicy: options });
      const session = await connection.createSession({ acknowledgeMode: "transacted" });
      return { connection, consumer: await session.createConsumer(broker.name) };
    };
    const lenient = await open({ maximumRedeliveries: 1, preDispatchCheck: false });
    assertEquals((await received(lenient.consumer)).text, bad);
    await lenient.connection.close();
    const strict = await open({ maximumRedeliveries: 1 });
    const marked = await received(strict.consumer);
    assertEquals([marked.text, marked.deliveryCount], ["marked", 3]);
    await strict.connection.close();
    await deadLetter(broker, bad);
  },
);

testOnBrokers(
  "messages can't be handled at the same time where an acknowledgement is for all",
  async (broker) => {
    const connection = await broker.connect();
    for (const acknowledgeMode of ["client", "transacted"] as const) {
      const session = await connection.createSession({ acknowledgeMode });
      const consumer = await session.createConsumer(broker.name);
      await assertRejects(
        async () => await consumer.consume(() => {}, { concurrency: 2 }),
        TypeError,
        acknowledgeMode,
      );
    }
  },
);

testOnBrokers("a retry that can't be leaves the message as it is", async (broker) => {
  const connection = await broker.connect();
  const consumer = await connection.createConsumer(broker.name, { acknowledgeMode: "individual" });
  await send(broker, broker.name, "a");
  const message = await received(consumer);
  await assertRejects(() => message.retry({ delay: -1 }), RangeError);
  await message.ack();
  await assertIllegalState(() => message.ack());
});

test("a commit that the broker refuses has the messages given out again", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url, { redeliveryPolicy: AT_ONCE });
  const session = await connection.createSession({ acknowledgeMode: "transacted" });
  const consumer = await session.createConsumer("q");
  await connection.send("q", "a");
  await received(consumer);
  let refuse = true;
  broker.intercept((command) => {
    if (command.dataType !== "TransactionInfo" || command.type !== 2 || !refuse) return;
    refuse = false;
    return { refuse: "no space left" };
  });
  const error = await assertRejects(() => session.commit(), BrokerError);
  assertEquals(error.message, "Cannot commit: no space left");
  const again = await received(consumer);
  assertEquals([again.text, again.deliveryCount], ["a", 2]);
});

test("a commit whose answer does not come leaves the messages with the broker", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url, { redeliveryPolicy: AT_ONCE });
  const session = await connection.createSession({ acknowledgeMode: "transacted" });
  const consumer = await session.createConsumer("q");
  await connection.send("q", "a");
  await received(consumer);
  broker.intercept((_command, { request }) =>
    request?.dataType === "TransactionInfo" && request.type === 2 ? "drop" : undefined
  );
  await assertRejects(() => session.commit({ timeout: 20 }), TimeoutError, "Cannot commit");
  assertEquals(await consumer.receive({ timeout: 20 }), null);
  await session.close();
  assertEquals(broker.queue("q").size, 0);
});

test("connections that break end all that waits, and handlers come to their end", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url);
  const consumer = await connection.createConsumer("q");
  const other = await connection.createConsumer("other");
  const started = Promise.withResolvers<void>();
  const proceed = Promise.withResolvers<void>();
  const consuming = consumer.consume(async () => {
    started.resolve();
    await proceed.promise;
  }, { concurrency: 3 });
  const loop = other.messages().next();
  await connection.send("q", "a");
  await started.promise;
  const ends = [consuming, loop].map((end) => assertRejects(() => end, Error, "aborted"));
  connection.abort(new Error("cut"));
  proceed.resolve();
  await Promise.all(ends);
  await connection.drain();
});

test("a browser that is never told the end gives up", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url, { requestTimeout: 50 });
  await connection.send("q", "a", { timeout: 0 });
  broker.intercept((command, { direction }) =>
    direction === "to-client" && command.dataType === "MessageDispatch" && command.message === null
      ? "drop"
      : undefined
  );
  const seen: (string | null)[] = [];
  await assertRejects(
    async () => {
      const browser = await connection.createBrowser("q", { timeout: 0 });
      for await (const message of browser) seen.push(message.text);
    },
    TimeoutError,
    "Cannot browse",
  );
  assertEquals(seen, ["a"]);
});

testOnBrokers("a handler at work when its session is closed may still commit", async (broker) => {
  const connection = await broker.connect();
  const session = await connection.createSession({ acknowledgeMode: "transacted" });
  const consumer = await session.createConsumer(broker.name);
  await send(broker, broker.name, "a", "b");
  const started = Promise.withResolvers<void>();
  const proceed = Promise.withResolvers<void>();
  let handled = 0;
  consumer.consume(async () => {
    handled++;
    started.resolve();
    await proceed.promise;
    await session.send(`${broker.name}.out`, "done");
    await session.commit();
  });
  await started.promise;
  const closing = session.close();
  await assertRejects(() => session.createConsumer(broker.name), ClosedError);
  proceed.resolve();
  await closing;
  assertEquals(handled, 1);
  assertEquals(await left(broker, broker.name), [["b", 0]]);
  assertEquals(await left(broker, `${broker.name}.out`), [["done", 0]]);
});

testOnBrokers("stop() and close() don't wait for a handler for ever", async (broker) => {
  const connection = await broker.connect();
  const consumer = await connection.createConsumer(broker.name);
  await send(broker, broker.name, "a");
  const started = Promise.withResolvers<void>();
  const proceed = Promise.withResolvers<void>();
  const consuming = consumer.consume(async () => {
    started.resolve();
    await proceed.promise;
  });
  await started.promise;
  await assertRejects(() => connection.stop({ timeout: 20 }), TimeoutError, "at work");
  const reason = new Error("enough");
  await assertRejects(
    () => connection.stop({ signal: AbortSignal.abort(reason) }),
    Error,
    "enough",
  );
  await consumer.close({ timeout: 1000 });
  await assertRejects(() => consuming, TimeoutError, "The handler did not end within 1000 ms");
  await connection.close({ timeout: 20 });
  proceed.resolve();
  assertEquals(await left(broker, broker.name), [["a", 1]]);
});

testOnBrokers("a wait for the status can be ended", async (broker) => {
  const connection = await broker.connect();
  const controller = new AbortController();
  const reason = new Error("enough");
  const next = connection.status({ signal: controller.signal }).next();
  controller.abort(reason);
  assertEquals(await assertRejects(() => next), reason);
  assertEquals((await connection.status().return!()).done, true);
});

test("acknowledgements are not gathered when the broker may be replaced by another", async () => {
  await using broker = await MemoryBroker.listen();
  const acks: number[] = [];
  await using connection = await connect(broker.url, {
    optimizeAcknowledge: true,
    inspect: (command, direction) => {
      if (direction === "sent" && command.dataType === "MessageAck") {
        acks.push(command.messageCount);
      }
    },
  });
  const consumer = await connection.createConsumer("q");
  for (const text of ["a", "b", "c"]) await connection.send("q", text);
  await received(consumer);
  assertEquals(acks, []);
  broker.sendToClients(createConnectionControl({ faultTolerant: true }));
  await until(() => acks.length === 1);
  await received(consumer);
  await received(
    await connection.createConsumer("q").then(async (other) => {
      await consumer.close();
      return other;
    }),
  );
  assertEquals(acks, [1, 1, 1]);
});

test("consume() ends with the connection, even if its handler doesn't", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url);
  const consumer = await connection.createConsumer("q");
  const started = Promise.withResolvers<void>();
  const consuming = consumer.consume(async () => {
    started.resolve();
    await new Promise<never>(() => {});
  });
  await connection.send("q", "a");
  await started.promise;
  const ended = assertRejects(() => consuming, ConnectionClosedError);
  await broker.disconnectClients();
  await ended;
});

test("a broker in memory without a socket is connected to by its URL", async () => {
  await using broker = new MemoryBroker();
  const transport = broker.connect();
  await using connection = await connect(`${broker.url}?jms.clientID=shop`, { transport });
  assertEquals(connection.clientId, "shop");
});
