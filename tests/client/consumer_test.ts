/** Kinds of consumers, and ways to take messages from them. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  BrokerError,
  ClosedError,
  type Message,
  queue,
  TimeoutError,
  topic,
  virtualTopicQueue,
} from "../../mod.ts";
import { credentials } from "../_secret.ts";
import { testOnBrokers } from "./_brokers.ts";
import { left, outdated, received, send, take, texts, until } from "./_messages.ts";

testOnBrokers("prefetch size 0: the broker keeps what was not asked for", async (broker) => {
  const connection = await broker.connect();
  const consumer = await connection.createConsumer(broker.name, { prefetchSize: 0 });
  assertEquals(await consumer.receive({ timeout: 50 }), null);
  assertEquals(await consumer.receiveNoWait(), null);
  await send(broker, broker.name, "a", "b", "c", "d", "e");
  assertEquals((await received(consumer)).text, "a");
  assertEquals((await consumer.receiveNoWait())?.text, "b");
  assertEquals(consumer.buffered, 0);
  const other = await connection.createConsumer(broker.name);
  assertEquals(texts(await take(other, 3)), ["c", "d", "e"]);
});

testOnBrokers("prefetch size 0: whoever waits gets what comes later", async (broker) => {
  const connection = await broker.connect();
  const consumer = await connection.createConsumer(broker.name, { prefetchSize: 0 });
  const waiting = consumer.receive({ timeout: 0 });
  await send(broker, broker.name, "later");
  assertEquals((await waiting)?.text, "later");
});

testOnBrokers("prefetch size 0: loops, streams and handlers ask for messages", async (broker) => {
  const connection = await broker.connect();
  await send(broker, broker.name, "1", "2", "3", "4", "5", "6");
  const consumer = await connection.createConsumer(broker.name, { prefetchSize: 0 });
  const seen: (string | null)[] = [];
  for await (const message of consumer) {
    seen.push(message.text);
    await message.ack();
    if (seen.length === 2) break;
  }
  const reader = consumer.readable.getReader();
  for (let i = 0; i < 2; i++) {
    const { value } = await reader.read();
    seen.push(value!.text);
    await value!.ack();
  }
  await reader.cancel();
  const all = Promise.withResolvers<void>();
  consumer.consume((message) => {
    seen.push(message.text);
    if (seen.length === 6) all.resolve();
  }, { concurrency: 2 });
  await all.promise;
  assertEquals(seen, ["1", "2", "3", "4", "5", "6"]);
  await connection.close();
  assertEquals(await left(broker, broker.name), []);
});

testOnBrokers("setPrefetchSize() changes what is sent ahead", async (broker) => {
  const connection = await broker.connect();
  const consumer = await connection.createConsumer(broker.name, { prefetchSize: 1 });
  await send(broker, broker.name, "1", "2", "3", "4", "5");
  await until(() => consumer.buffered === 1);
  await consumer.setPrefetchSize(4);
  assertEquals(consumer.prefetchSize, 4);
  await until(() => consumer.buffered === 4);
  const other = await connection.createConsumer(broker.name);
  assertEquals((await received(other)).text, "5");
  await assertRejects(() => consumer.setPrefetchSize(-1), RangeError);
}, { needs: ["changed prefetch size"] });

testOnBrokers("prefetchPolicy is for all consumers of a kind", async (broker) => {
  const asked: number[] = [];
  const connection = await broker.connect({
    clientId: broker.name,
    prefetchPolicy: { all: 7, topicPrefetch: 8, durableTopicPrefetch: 9 },
    inspect: (command) => {
      if (command.dataType === "ConsumerInfo") asked.push(command.prefetchSize);
    },
  });
  await connection.createConsumer(broker.name);
  await connection.createConsumer(topic(broker.name));
  await connection.createConsumer(topic(broker.name), { subscriptionName: "s" });
  await connection.createConsumer(broker.name, { prefetchSize: 3 });
  await (await connection.createBrowser(broker.name)).close();
  assertEquals(asked, [7, 8, 9, 3, 7]);
});

testOnBrokers(
  "maxBufferedBytes: the broker is asked to wait, and goes on later",
  async (broker) => {
    const connection = await broker.connect();
    const sent = Array.from({ length: 200 }, (_, i) => `${i} ${"x".repeat(10_000)}`);
    const producer = await connection.createProducer(broker.name, { persistent: false });
    const consumer = await connection.createConsumer(broker.name, { maxBufferedBytes: 50_000 });
    for (const text of sent.slice(0, 50)) await producer.send(text, { confirm: true });
    await until(() => consumer.bufferedBytes > 50_000);
    // What was sent before the broker read that it should wait has come too.
    const held = consumer.buffered;
    for (const text of sent.slice(50)) await producer.send(text, { confirm: true });
    assert(consumer.buffered < 150, `${consumer.buffered} messages wait, ${held} before`);
    assertEquals(texts(await take(consumer, 200)), sent);
    assertEquals(consumer.bufferedBytes, 0);
  },
);

testOnBrokers("pause() holds messages back, resume() gives them out", async (broker) => {
  const connection = await broker.connect();
  const consumer = await connection.createConsumer(broker.name);
  consumer.pause();
  consumer.pause();
  await send(broker, broker.name, "a");
  await until(() => consumer.buffered === 1);
  assertEquals(await consumer.receive({ timeout: 20 }), null);
  assertEquals(await consumer.receiveNoWait(), null);
  assert(consumer.paused);
  const waiting = consumer.receive();
  consumer.resume();
  assertEquals((await waiting)?.text, "a");
});

testOnBrokers("start() and stop() are for all consumers of the connection", async (broker) => {
  const connection = await broker.connect({ autoStart: false });
  await connection.send(broker.name, "a");
  const consumer = await connection.createConsumer(broker.name);
  await until(() => consumer.buffered === 1);
  assertEquals(await consumer.receiveNoWait(), null);
  connection.start();
  assertEquals((await received(consumer)).text, "a");
  const started = Promise.withResolvers<void>();
  const proceed = Promise.withResolvers<void>();
  let ended = false;
  consumer.consume(async () => {
    started.resolve();
    await proceed.promise;
    ended = true;
  });
  await connection.send(broker.name, "b");
  await started.promise;
  const stopped = connection.stop();
  proceed.resolve();
  await stopped;
  assert(ended, "stop() waits for handlers");
  await connection.send(broker.name, "c");
  await until(() => consumer.buffered === 1);
});

testOnBrokers("a wait can be ended without losing a message", async (broker) => {
  const connection = await broker.connect();
  const consumer = await connection.createConsumer(broker.name);
  const controller = new AbortController();
  const reason = new Error("no time");
  const waits = [
    consumer.receive({ signal: controller.signal }),
    consumer.messages({ signal: controller.signal }).next(),
  ];
  controller.abort(reason);
  for (const wait of waits) assertEquals(await assertRejects(() => wait), reason);
  await send(broker, broker.name, "a", "b");
  const loop = new AbortController();
  const seen: (string | null)[] = [];
  const ended = await assertRejects(async () => {
    for await (const message of consumer.messages({ signal: loop.signal })) {
      seen.push(message.text);
      await message.ack();
      loop.abort(reason);
    }
  });
  assertEquals([ended, seen], [reason, ["a"]]);
  assertEquals((await received(consumer)).text, "b");
});

testOnBrokers("consume() ends with its signal, and the consumer goes on", async (broker) => {
  const connection = await broker.connect();
  const consumer = await connection.createConsumer(broker.name);
  const controller = new AbortController();
  const seen: (string | null)[] = [];
  const ended = consumer.consume((message) => {
    seen.push(message.text);
    controller.abort();
  }, { signal: controller.signal });
  await send(broker, broker.name, "a", "b");
  await ended;
  assertEquals(seen, ["a"]);
  assertEquals((await received(consumer)).text, "b");
  await assertRejects(
    async () => await consumer.consume(() => {}, { concurrency: 0 }),
    RangeError,
  );
});

testOnBrokers("readable gives what is read, and ends with the consumer", async (broker) => {
  const connection = await broker.connect();
  const consumer = await connection.createConsumer(broker.name);
  await send(broker, broker.name, "a", "b", "c");
  await until(() => consumer.buffered === 3);
  const seen: string[] = [];
  const done = consumer.readable
    .pipeThrough(
      new TransformStream<Message, string>(
        {
          transform: (message, controller) => controller.enqueue(message.text!),
        },
        undefined,
        { highWaterMark: 0 },
      ),
    )
    .pipeTo(
      new WritableStream({
        write: async (text) => {
          seen.push(text);
          if (seen.length === 2) await consumer.close();
        },
      }),
    );
  await done;
  assertEquals(seen, ["a", "b"]);
  await connection.close();
  const rest = (await left(broker, broker.name)).map(([text]) => text);
  assert(rest.includes("c") && !rest.includes("a"), rest.join());
});

testOnBrokers("drain() ends when all that has come is done", async (broker) => {
  const connection = await broker.connect();
  const consumer = await connection.createConsumer(broker.name, {
    acknowledgeMode: "individual",
    prefetchSize: 10,
  });
  await send(broker, broker.name, ...Array.from({ length: 30 }, (_, i) => String(i)));
  await until(() => consumer.buffered === 10);
  const seen: (string | null)[] = [];
  const ended = consumer.consume(async (message) => {
    // Long enough for the broker to send more if it were not asked to stop.
    await new Promise((wake) => setTimeout(wake, 5));
    seen.push(message.text);
    await message.ack();
  }, { concurrency: 3 });
  const draining = consumer.drain();
  await draining;
  await ended;
  assertEquals(consumer.unsettled, 0);
  await connection.close();
  const rest = await left(broker, broker.name);
  assertEquals(rest.length + seen.length, 30);
  assert(rest.length > 0);
  assert(rest.every(([, redeliveries]) => redeliveries === 0));
});

testOnBrokers("drain() tells what was not taken in time, and closes", async (broker) => {
  const connection = await broker.connect();
  const consumer = await connection.createConsumer(broker.name);
  await send(broker, broker.name, "a");
  await until(() => consumer.buffered === 1);
  await assertRejects(() => consumer.drain({ timeout: 20 }), TimeoutError, "1 messages");
  assertEquals(await consumer.receive(), null);
  assertEquals(await left(broker, broker.name), [["a", 0]]);
});

testOnBrokers("connection.drain() drains all consumers and closes", async (broker) => {
  const connection = await broker.connect();
  const consumer = await connection.createConsumer(broker.name);
  await send(broker, broker.name, "a", "b");
  await until(() => consumer.buffered === 2);
  const seen: (string | null)[] = [];
  const loop = (async () => {
    for await (const message of consumer) seen.push(message.text);
  })();
  await connection.drain();
  await loop;
  assertEquals(seen, ["a", "b"]);
  assertEquals(await connection.closed, undefined);
  assertEquals(await left(broker, broker.name), []);
});

testOnBrokers("a browser shows the queue and ends", async (broker) => {
  const connection = await broker.connect();
  for (let i = 0; i < 5; i++) {
    await connection.send(broker.name, String(i), { properties: { even: i % 2 === 0 } });
  }
  const show = async (selector?: string): Promise<(string | null)[]> => {
    const seen = [];
    const options = selector === undefined ? {} : { selector };
    for await (const message of await connection.createBrowser(broker.name, options)) {
      seen.push(message.text);
    }
    return seen;
  };
  assertEquals(await show(), ["0", "1", "2", "3", "4"]);
  assertEquals(await show("even"), ["0", "2", "4"]);
  for await (const message of await connection.createBrowser(broker.name)) {
    await assertRejects(() => message.ack(), Error, "browsed");
    break;
  }
  await assertRejects(() => connection.createBrowser(topic(broker.name)), TypeError, "queues");
  assertEquals((await left(broker, broker.name)).length, 5);
  assertEquals(await show(), []);
});

testOnBrokers("a browser shows more than its prefetch size", async (broker) => {
  const connection = await broker.connect();
  const producer = await connection.createProducer(broker.name, { persistent: false });
  for (let i = 0; i < 300; i++) await producer.send(String(i), { confirm: i === 299 });
  let count = 0;
  for await (const _ of await connection.createBrowser(broker.name, { prefetchSize: 10 })) count++;
  assertEquals(count, 300);
});

testOnBrokers("a durable subscription keeps messages while nobody consumes", async (broker) => {
  const destination = topic(broker.name);
  const subscriber = (): Promise<Awaited<ReturnType<typeof broker.connect>>> =>
    broker.connect({ clientId: `client-${broker.name}` });
  let connection = await subscriber();
  let consumer = await connection.createConsumer(destination, { subscriptionName: "news" });
  const publisher = await broker.connect();
  await publisher.send(destination, "1");
  assertEquals((await received(consumer)).text, "1");
  const second = await assertRejects(
    () => connection.createConsumer(destination, { subscriptionName: "news" }),
    BrokerError,
  );
  assertEquals([second.code, second.retryable], ["SUBSCRIPTION_IN_USE", true]);
  await consumer.close();
  await publisher.send(destination, "2");
  await connection.close();
  await publisher.send(destination, "3");
  connection = await subscriber();
  consumer = await connection.createConsumer(destination, { subscriptionName: "news" });
  assertEquals(texts(await take(consumer, 2)), ["2", "3"]);
  await assertRejects(() => connection.unsubscribe("news"), BrokerError);
  await consumer.close();
  await connection.unsubscribe("news");
  const none = await assertRejects(() => connection.unsubscribe("news"), BrokerError);
  assertEquals(none.code, "INVALID_DESTINATION");
  await publisher.send(destination, "4");
  consumer = await connection.createConsumer(destination, { subscriptionName: "news" });
  await publisher.send(destination, "5");
  assertEquals((await received(consumer)).text, "5");
  await consumer.close();
  await connection.unsubscribe("news");
});

testOnBrokers("a durable subscription needs a client id and a topic", async (broker) => {
  const connection = await broker.connect();
  const durable = { subscriptionName: "s" };
  await assertRejects(
    () => connection.createConsumer(topic(broker.name), durable),
    TypeError,
    "clientId",
  );
  await assertRejects(() => connection.createConsumer(broker.name, durable), TypeError, "topics");
});

testOnBrokers("an exclusive consumer gets all messages", async (broker) => {
  const connection = await broker.connect();
  const first = await connection.createConsumer(broker.name, { exclusive: true });
  const second = await connection.createConsumer(broker.name, { exclusive: true });
  await send(broker, broker.name, "1", "2", "3", "4");
  assertEquals(texts(await take(first, 4)), ["1", "2", "3", "4"]);
  assertEquals(second.buffered, 0);
  await first.close();
  await send(broker, broker.name, "5");
  assertEquals((await received(second)).text, "5");
}, { needs: ["exclusive consumers"] });

testOnBrokers("consumers of a higher priority are served first", async (broker) => {
  const connection = await broker.connect();
  const low = await connection.createConsumer(broker.name);
  const high = await connection.createConsumer(broker.name, { priority: 5, prefetchSize: 2 });
  await send(broker, broker.name, "1", "2", "3");
  await until(() => low.buffered + high.buffered === 3);
  assertEquals([high.buffered, low.buffered], [2, 1]);
  await assertRejects(() => connection.createConsumer("x", { priority: 128 }), RangeError);
});

testOnBrokers("wildcards and composite destinations", async (broker) => {
  const connection = await broker.connect();
  const { name } = broker;
  const a = `${name}.x.a`;
  const b = `${name}.x.b`;
  const one = await connection.createConsumer(`${name}.*.a`);
  const all = await connection.createConsumer(topic(`${name}.>`));
  await connection.send(`${a},${b}`, "both");
  assertEquals((await received(one)).text, "both");
  const other = await connection.createConsumer(b);
  assertEquals((await received(other)).text, "both");
  await one.close();
  await other.close();
  await connection.send(`topic://${a}`, "t");
  const message = await received(all);
  assertEquals([message.text, message.destination?.physicalName], ["t", a]);
  const several = await connection.createConsumer(queue(`${a},${b}`));
  await connection.send(a, "1");
  await connection.send(b, "2");
  assertEquals(texts(await take(several, 2)).length, 2);
});

testOnBrokers(
  "virtual topics: each group of consumers gets a copy in its queue",
  async (broker) => {
    const connection = await broker.connect();
    const name = `VirtualTopic.${broker.name}`;
    const a = await connection.createConsumer(`Consumer.A.${name}`);
    const b = await connection.createConsumer(`Consumer.B.${name}`);
    const again = await connection.createConsumer(`Consumer.B.${name}`);
    await send(broker, `topic://${name}`, "1", "2");
    assertEquals(texts(await take(a, 2)), ["1", "2"]);
    const shared = [await received(b), await received(again)];
    assertEquals(texts(shared).sort(), ["1", "2"]);
    assertThrows(() => virtualTopicQueue("A", name), TypeError, "a topic whose name begins");
    assertThrows(() => virtualTopicQueue("A", topic("prices")), TypeError, "VirtualTopic.");
    assertThrows(() => virtualTopicQueue("a.b", topic(name)), TypeError, "without dots");
  },
);

testOnBrokers("a bad selector is refused", async (broker) => {
  const connection = await broker.connect();
  const error = await assertRejects(
    () =>
      connection.createConsumer(broker.name, { selector: "convert_string_expressions:a = = b" }),
    BrokerError,
  );
  assertEquals(error.code, "INVALID_SELECTOR");
  assert(error.message.includes("can't parse the selector: "), error.message);
});

testOnBrokers("inspect shows the commands, and no password", async (broker) => {
  const seen: string[] = [];
  let password: unknown;
  const connection = await broker.connect({
    ...credentials,
    inspect: (command, direction) => {
      seen.push(`${direction} ${command.dataType}`);
      if (command.dataType === "ConnectionInfo") password = command.password;
    },
  });
  await connection.send(broker.name, "x");
  assertEquals(password, "***");
  // The broker may introduce itself after its answers.
  await until(() => seen.includes("received BrokerInfo"));
  for (
    const expected of [
      "sent WireFormatInfo",
      "received WireFormatInfo",
      "sent ConnectionInfo",
      "sent ActiveMQTextMessage",
      "received Response",
    ]
  ) assert(seen.includes(expected), `${expected} is missing of ${seen}`);
});

testOnBrokers("what an inspector throws is reported, and harms nothing", async (broker) => {
  const failure = new Error("not today");
  let fail = false;
  const connection = await broker.connect({
    inspect: () => {
      if (fail) throw failure;
    },
  });
  const status = connection.status().next();
  fail = true;
  await connection.send(broker.name, "x");
  assertEquals((await status).value, { type: "error", error: failure });
});

testOnBrokers("ping() measures the way to the broker and back", async (broker) => {
  const connection = await broker.connect();
  const times = await Promise.all([connection.ping(), connection.ping({ timeout: 5000 })]);
  for (const time of times) assert(time >= 0 && time < 5000, `${time} ms`);
  await connection.close();
  await assertRejects(() => connection.ping(), Error, "closed");
});

testOnBrokers("ping() does not get into the way of messages", async (broker) => {
  const [from, to] = [await broker.connect(), await broker.connect()];
  const producer = await from.createProducer(broker.name, { persistent: false });
  const consumer = await to.createConsumer(broker.name);
  const COUNT = 10_000;
  let count = 0;
  const received = new Promise<void>((resolve, reject) => {
    consumer.consume(() => {
      if (++count === COUNT) resolve();
    }).catch(reject);
  });
  const ping = async () => {
    while (count < COUNT) await to.ping();
  };
  const all = Promise.all([received, ...Array.from({ length: 8 }, ping)]);
  for (let sent = 0; sent < COUNT; sent += 50) {
    await Promise.race([all, Promise.all(Array.from({ length: 50 }, () => producer.send("x")))]);
  }
  await all;
});

testOnBrokers(
  "a consumer of the connection can't share a session in the modes client and transacted",
  async (broker) => {
    const connection = await broker.connect();
    for (const acknowledgeMode of ["client", "transacted"] as const) {
      await assertRejects(
        () => connection.createConsumer(broker.name, { acknowledgeMode }),
        TypeError,
        "createSession",
      );
    }
    const wrong = { acknowledgeMode: "later" as "auto" };
    await assertRejects(() => connection.createSession(wrong), TypeError, '"dups-ok"');
    const session = await connection.createSession();
    await session.close();
    await assertRejects(() => session.createConsumer(broker.name), ClosedError);
  },
);

testOnBrokers("a browser shows messages that are too old by now", async (broker) => {
  const connection = await broker.connect({ autoStart: false });
  let browser = await connection.createBrowser(broker.name);
  await outdated(() => connection.stats().bufferedMessages, async (timeToLive) => {
    // It shows what is there when it opens.
    await browser.close();
    await connection.send(broker.name, "old", { timeToLive });
    browser = await connection.createBrowser(broker.name);
  });
  connection.start();
  const seen: (string | null)[] = [];
  for await (const message of browser) seen.push(message.text);
  assertEquals(seen, ["old"]);
});

testOnBrokers(
  "prefetch size 0: what comes for a wait that was ended is for the next one",
  async (broker) => {
    const connection = await broker.connect();
    const consumer = await connection.createConsumer(broker.name, { prefetchSize: 0 });
    const controller = new AbortController();
    const waiting = consumer.receive({ signal: controller.signal });
    // The broker has the request when it has answered to what was sent after it.
    await connection.ping();
    controller.abort(new Error("no time"));
    await assertRejects(() => waiting, Error, "no time");
    await send(broker, broker.name, "a", "b");
    await until(() => consumer.buffered === 1);
    assertEquals((await received(consumer)).text, "a");
    await consumer.close();
    assertEquals(await left(broker, broker.name), [["b", 0]]);
  },
);

testOnBrokers(
  "a durable subscription can leave out what its own connection sends",
  async (broker) => {
    const connection = await broker.connect({ clientId: `client-${broker.name}` });
    const consumer = await connection.createConsumer(topic(broker.name), {
      subscriptionName: "others",
      noLocal: true,
    });
    await connection.send(topic(broker.name), "mine");
    await send(broker, `topic://${broker.name}`, "theirs");
    assertEquals((await received(consumer)).text, "theirs");
    await consumer.close();
    await connection.unsubscribe("others");
  },
);

testOnBrokers(
  "a retroactive consumer gets what the broker has kept of a topic",
  async ({ connect, name }) => {
    const destination = topic(`kept.${name}`);
    const connection = await connect();
    for (let n = 0; n < 12; n++) await connection.send(destination, `before ${n}`);
    const plain = await connection.createConsumer(destination);
    const retroactive = await connection.createConsumer(destination, { retroactive: true });
    const selecting = await connection.createConsumer(destination, {
      retroactive: true,
      selector: "JMSPriority = 9",
    });
    await connection.send(destination, "after", { priority: 9 });
    // Ten are kept.
    const kept = Array.from({ length: 10 }, (_, n) => `before ${n + 2}`);
    assertEquals(texts(await take(retroactive, 11)), [...kept, "after"]);
    for (const consumer of [plain, selecting]) {
      assertEquals((await received(consumer)).text, "after");
    }
  },
  { needs: ["retroactive consumers"] },
);
