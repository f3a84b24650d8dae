/** Subscriptions that several consumers have in common. */

import {
  BrokerError,
  connect,
  type ConsumerOptions,
  OpenWireError,
  queue,
  topic,
  virtualTopicQueue,
} from "../../mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { startActiveMq } from "../broker/launcher.ts";
import { brokers, brokerSkip, skipWithout } from "../broker/env.ts";
import { test } from "../_harness.ts";
import { freshName, type TestBroker, testOnBrokers } from "./_brokers.ts";
import { received, take, texts, until } from "./_messages.ts";

/** A topic that all brokers can share. */
function sharable({ name }: TestBroker): string {
  return `topic://VirtualTopic.${name}`;
}

testOnBrokers(
  "consumers with the same shared name get each message once, those of another name all again",
  async (broker) => {
    const prices = sharable(broker);
    const options: ConsumerOptions = { shared: "web", prefetchSize: 1 };
    const [first, second, sender] = [
      await broker.connect(),
      await broker.connect(),
      await broker.connect(),
    ];
    const one = await first.createConsumer(prices, options);
    const two = await second.createConsumer(prices, options);
    const audit = await second.createConsumer(prices, { shared: "audit" });
    await sender.send(prices, "apple");
    await sender.send(prices, "melon");
    const shared = [(await received(one)).text, (await received(two)).text].sort();
    assertEquals(shared, ["apple", "melon"]);
    assertEquals(texts(await take(audit, 2)), ["apple", "melon"]);
    for (const consumer of [one, two, audit]) {
      assertEquals(await consumer.receive({ timeout: 50 }), null);
    }
  },
);

testOnBrokers("the same shared name is another subscription for each topic", async (broker) => {
  const connection = await broker.connect();
  const [apples, melons] = [`${sharable(broker)}.apples`, `${sharable(broker)}.melons`];
  for (const durable of [true, false]) {
    const shared = durable ? "kept" : "passing";
    const one = await connection.createConsumer(apples, { shared, durable });
    const two = await connection.createConsumer(melons, { shared, durable });
    await connection.send(apples, "apple");
    await connection.send(melons, "melon");
    assertEquals((await received(one)).text, "apple");
    assertEquals((await received(two)).text, "melon");
    assertEquals(await one.receive({ timeout: 20 }), null);
    await one.close();
    await two.close();
    if (!durable) continue;
    await connection.unsubscribe(shared, { topic: apples });
    await connection.unsubscribe(shared, { topic: melons });
  }
});

testOnBrokers(
  "a message tells the topic it was sent to, by its destination or originalDestination",
  async (broker) => {
    const connection = await broker.connect();
    for (const durable of [true, false]) {
      const consumer = await connection.createConsumer(sharable(broker), {
        shared: durable ? "kept" : "passing",
        durable,
      });
      await connection.send(sharable(broker), "apple");
      const { destination, originalDestination } = await received(consumer);
      const { dataType, physicalName } = originalDestination ?? destination!;
      assertEquals([dataType, physicalName], ["ActiveMQTopic", `VirtualTopic.${broker.name}`]);
      assertEquals(originalDestination === null, broker.kind === "artemis");
    }
  },
);

testOnBrokers("a durable shared subscription keeps messages without a consumer", async (broker) => {
  const connection = await broker.connect();
  const options: ConsumerOptions = { shared: "web", durable: true };
  const before = await connection.createConsumer(sharable(broker), options);
  await before.close();
  await connection.send(sharable(broker), "while away");
  const other = await broker.connect();
  const after = await other.createConsumer(sharable(broker), options);
  assertEquals((await received(after)).text, "while away");
});

testOnBrokers(
  "the queue of a shared subscription that is not durable goes with its last consumer",
  async (broker) => {
    const [first, second] = [await broker.connect(), await broker.connect()];
    const prices = sharable(broker);
    const open = (connection = first) => connection.createConsumer(prices, { shared: "web" });
    const one = await open();
    const two = await open(second);
    const failures: unknown[] = [];
    void (async () => {
      for await (const status of first.status()) failures.push(status);
    })();
    await one.close();
    // It has tried to delete the queue, which is still in use.
    assertEquals(failures, []);
    await first.send(prices, "for the other");
    assertEquals((await received(two)).text, "for the other");
    await two.close();
    await first.send(prices, "for nobody");
    const three = await open();
    await first.send(prices, "for the third");
    assertEquals((await received(three)).text, "for the third");
    // The end of a connection closes its consumers, too.
    await first.close();
    await second.send(prices, "for nobody, either");
    const four = await open(second);
    await second.send(prices, "for the fourth");
    assertEquals((await received(four)).text, "for the fourth");
  },
);

testOnBrokers(
  "unsubscribe() with a topic ends a shared subscription that has no consumer",
  async (broker) => {
    const connection = await broker.connect();
    const prices = sharable(broker);
    const options: ConsumerOptions = { shared: "web", durable: true };
    const consumer = await connection.createConsumer(prices, options);
    const error = await assertRejects(
      () => connection.unsubscribe("web", { topic: prices }),
      BrokerError,
    );
    assertEquals(error.code, "DESTINATION_IN_USE");
    await consumer.close();
    await connection.send(prices, "dropped");
    await connection.unsubscribe("web", { topic: prices });
    const later = await connection.createConsumer(prices, options);
    await connection.send(prices, "kept");
    assertEquals((await received(later)).text, "kept");
    // There is none of that name: nothing is left to be done.
    await connection.unsubscribe("nobody", { topic: prices });
    await later.close();
    await connection.unsubscribe("web", { topic: topic(`VirtualTopic.${broker.name}`) });
  },
);

testOnBrokers(
  "a failed message of a shared subscription goes to another consumer",
  async (broker) => {
    const prices = sharable(broker);
    const options = { shared: "web", durable: true, acknowledgeMode: "individual" } as const;
    const [first, second] = [await broker.connect(), await broker.connect()];
    const one = await first.createConsumer(prices, options);
    await second.send(prices, "apple");
    assertEquals((await received(one)).text, "apple");
    const two = await second.createConsumer(prices, options);
    await one.close();
    const again = await received(two);
    assertEquals([again.text, again.deliveryCount], ["apple", 2]);
    await again.ack();
  },
);

testOnBrokers(
  "a selector leaves other messages of a shared subscription waiting",
  async (broker) => {
    const prices = sharable(broker);
    const connection = await broker.connect();
    const options: ConsumerOptions = { shared: "web", durable: true };
    const fruit = await connection.createConsumer(prices, { ...options, selector: "kind='fruit'" });
    await connection.send(prices, "leek", { properties: { kind: "vegetable" } });
    await connection.send(prices, "apple", { properties: { kind: "fruit" } });
    assertEquals((await received(fruit)).text, "apple");
    await fruit.close();
    const all = await connection.createConsumer(prices, options);
    assertEquals((await received(all)).text, "leek");
  },
);

testOnBrokers("any topic can be shared", async (broker) => {
  const connection = await broker.connect();
  const consumer = await connection.createConsumer(topic(broker.name), { shared: "web" });
  await connection.send(topic(broker.name), "apple");
  assertEquals((await received(consumer)).text, "apple");
}, { needs: ["shared topics of any name"] });

testOnBrokers("sharing a topic that is not virtual names the one that is", async (broker) => {
  // Artemis shares any topic.
  if (broker.kind === "artemis") return;
  const connection = await broker.connect();
  const prices = topic(broker.name);
  for (
    const call of [
      () => connection.createConsumer(prices, { shared: "web" }),
      () => connection.unsubscribe("web", { topic: prices }),
    ]
  ) {
    const error = await assertRejects(call, OpenWireError);
    assertEquals(error.code, "UNSUPPORTED");
    assertStringIncludes(error.message, `Send to topic://VirtualTopic.${broker.name}`);
  }
});

testOnBrokers("shared subscriptions work before the connection is started", async (broker) => {
  const connection = await broker.connect({ autoStart: false });
  const consumer = await connection.createConsumer(sharable(broker), { shared: "web" });
  await connection.send(sharable(broker), "apple");
  assertEquals(await consumer.receive({ timeout: 20 }), null);
  connection.start();
  assertEquals((await received(consumer)).text, "apple");
});

testOnBrokers("responders share requests to a topic", async (broker) => {
  const connection = await broker.connect();
  const prices = sharable(broker);
  const options = { shared: "responders", prefetchSize: 1 };
  await using _one = await connection.respond(prices, () => "30", options);
  await using _two = await connection.respond(prices, () => "30", options);
  const replies = connection.requestMany(prices, "apple?", { timeout: 2000 });
  assertEquals((await Array.fromAsync(replies)).length, 1);
});

testOnBrokers("wrong options of a shared subscription are refused at once", async (broker) => {
  const connection = await broker.connect({ clientId: `client-${broker.name}` });
  const prices = sharable(broker);
  const wrong: [string | ReturnType<typeof queue>, Record<string, unknown>, string][] = [
    [prices, { shared: "" }, "without dots"],
    [prices, { shared: "a.b" }, "without dots"],
    [prices, { shared: "a b" }, "without dots"],
    [prices, { shared: "*" }, "without dots"],
    [prices, { shared: 7 }, "a string is expected"],
    [prices, { shared: null }, "a string is expected"],
    [prices, { shared: "web", durable: "yes" }, "a boolean is expected"],
    [prices, { durable: true }, "without shared"],
    [prices, { shared: "web", subscriptionName: "mine" }, "subscriptionName together with shared"],
    [prices, { shared: "web", noLocal: true }, "noLocal together with shared"],
    [prices, { shared: "web", retroactive: true }, "retroactive together with shared"],
    [queue("orders"), { shared: "web" }, "a single topic is expected"],
    ["topic://VirtualTopic.>", { shared: "web" }, "a single topic is expected"],
    ["topic://VirtualTopic.a,VirtualTopic.b", { shared: "web" }, "a single topic is expected"],
    ["topic://VirtualTopic.a::b", { shared: "web" }, "a single topic is expected"],
    ["temp-topic://ID:x", { shared: "web" }, ""],
  ];
  for (const [destination, options, message] of wrong) {
    await assertRejects(
      () => connection.createConsumer(destination, options as ConsumerOptions),
      // A temporary topic of nobody can't be consumed from in any way.
      message === "" ? OpenWireError : TypeError,
      message,
    );
  }
  await assertRejects(() => connection.unsubscribe("a.b", { topic: prices }), TypeError);
  await assertRejects(() => connection.unsubscribe("web", { topic: "orders" }), TypeError);
  for (const options of [{ priority: 1000 }, { prefetchSize: -1 }]) {
    await assertRejects(
      () => connection.createConsumer(prices, { shared: "web", ...options }),
      RangeError,
    );
  }
  assertEquals(connection.stats().consumers, 0);
});

test("on ActiveMQ a shared subscription is the queue that virtualTopicQueue() gives", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url);
  const prices = topic("VirtualTopic.prices");
  const shared = await connection.createConsumer(prices, {
    shared: "web",
    durable: true,
    prefetchSize: 1,
  });
  const plain = await connection.createConsumer(virtualTopicQueue("web", prices), {
    prefetchSize: 1,
  });
  assertEquals(shared.destination.physicalName, "Consumer.web.VirtualTopic.prices");
  assertEquals(broker.queue("Consumer.web.VirtualTopic.prices").consumers, 2);
  await connection.send(prices, "apple");
  await connection.send(prices, "melon");
  assertEquals([(await received(shared)).text, (await received(plain)).text].sort(), [
    "apple",
    "melon",
  ]);
});

testOnBrokers("a shared consumer prefetches as consumers of queues do", async (broker) => {
  const connection = await broker.connect({
    prefetchPolicy: { queuePrefetch: 7 },
    useRetroactiveConsumer: true,
  });
  const prices = `${sharable(broker)}?consumer.priority=3`;
  const one = await connection.createConsumer(prices, { shared: "web" });
  assertEquals([one.prefetchSize, one.info.priority, one.info.retroactive], [7, 3, false]);
  const two = await connection.createConsumer(prices, { shared: "web", prefetchSize: 2 });
  assertEquals(two.prefetchSize, 2);
});

testOnBrokers(
  "a shared consumer with too much buffered asks the broker for less",
  async (broker) => {
    const controls: number[] = [];
    const connection = await broker.connect({
      inspect: (command) => {
        if (command.dataType === "ConsumerControl") controls.push(command.prefetch);
      },
    });
    const consumer = await connection.createConsumer(sharable(broker), {
      shared: "web",
      maxBufferedBytes: 1,
    });
    assertEquals(consumer.prefetchSize, 1000);
    await connection.send(sharable(broker), "apple");
    await until(() => controls.includes(0));
    assertEquals(connection.stats().pausingConsumers, 0);
    assertEquals((await consumer.receive())?.text, "apple");
    await until(() => controls.includes(1000));
    // It is a mere default, so it is raised.
    consumer.consume(() => {}, { concurrency: 1001 });
    await until(() => consumer.prefetchSize === 1001);
  },
);

test("what tries for virtual topics is done once and leaves nothing", async () => {
  await using broker = await MemoryBroker.listen();
  const probes = broker.fault({
    command: "Message",
    where: (command) =>
      "destination" in command &&
      command.destination?.physicalName.startsWith("VirtualTopic.openwire.probe.") === true,
    times: Infinity,
    action: { delay: 0 },
  });
  const deletions = broker.fault({
    command: "DestinationInfo",
    where: (command) =>
      command.dataType === "DestinationInfo" && command.operationType === 1 &&
      command.destination?.physicalName.includes("VirtualTopic.openwire.probe.") === true,
    times: Infinity,
    action: { delay: 0 },
  });
  await using connection = await connect(broker.url);
  const options: ConsumerOptions = { shared: "web" };
  await Promise.all([
    connection.createConsumer("topic://VirtualTopic.a", options),
    connection.createConsumer("topic://VirtualTopic.b", options),
  ]);
  await connection.createConsumer("topic://VirtualTopic.c", options);
  // The queue and the topic of the trial.
  assertEquals([probes.hits, deletions.hits, connection.stats().consumers], [1, 2, 3]);
});

test("a user who may not use the topic of the trial can share all the same", async () => {
  await using broker = await MemoryBroker.listen();
  const refusal = broker.fault({
    command: "ConsumerInfo",
    where: (command) =>
      command.dataType === "ConsumerInfo" &&
      command.destination?.physicalName.startsWith("Consumer.openwire.") === true,
    action: { refuse: { className: "java.lang.SecurityException", message: "not authorized" } },
  });
  await using connection = await connect(broker.url);
  const consumer = await connection.createConsumer("topic://VirtualTopic.a", { shared: "web" });
  await connection.send("topic://VirtualTopic.a", "apple");
  assertEquals([(await received(consumer)).text, refusal.hits], ["apple", 1]);
});

test("a broker that copies nothing has virtual topics switched off, until it has them", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url);
  // What is sent to topics goes elsewhere.
  const off = broker.intercept((command) => {
    if (!("content" in command) || command.destination?.dataType !== "ActiveMQTopic") {
      return undefined;
    }
    Object.assign(command.destination, { physicalName: "elsewhere" });
  });
  const open = () => connection.createConsumer("topic://VirtualTopic.a", { shared: "web" });
  const error = await assertRejects(open, OpenWireError, 'Set useVirtualTopics="true"');
  assertEquals([error.code, error.retryable], ["UNSUPPORTED", false]);
  assertEquals(connection.stats().consumers, 0);
  off.remove();
  await open();
});

test("ActiveMQ with virtual topics switched off is told by an error", async () => {
  await using broker = await startActiveMq({ virtualTopics: false });
  await using connection = await connect(broker.urls.openwire);
  const error = await assertRejects(
    () => connection.createConsumer("topic://VirtualTopic.prices", { shared: "web" }),
    OpenWireError,
    "the broker has virtual topics switched off",
  );
  assertEquals(error.code, "UNSUPPORTED");
  // The queue of the subscription was not made, and the one of the trial is gone.
  await using source = await connection.watchDestinations();
  assertEquals([...source.queues].map(({ physicalName }) => physicalName), []);
}, { skip: brokerSkip });

test("a shared subscription goes on after a lost connection, under the same name", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(`failover:(${broker.url})?initialReconnectDelay=1`);
  await using sender = await connect(`failover:(${broker.url})?initialReconnectDelay=1`);
  const prices = "topic://VirtualTopic.prices";
  const consumer = await connection.createConsumer(prices, { shared: "web" });
  const resumed = (async () => {
    for await (const { type } of connection.status()) if (type === "resumed") return;
  })();
  await broker.disconnectClients();
  await sender.send(prices, "apple");
  await resumed;
  assertEquals((await received(consumer)).text, "apple");
  assertEquals(broker.queue("Consumer.web.VirtualTopic.prices").enqueued, 1);
  await consumer.close();
  assertEquals(broker.queue("Consumer.web.VirtualTopic.prices").enqueued, 0);
});

test("close() waits until the queue of the last consumer is deleted", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url);
  const consumer = await connection.createConsumer("topic://VirtualTopic.a", { shared: "web" });
  await connection.ping();
  broker.fault({ command: "DestinationInfo", action: "drop" });
  const codes: unknown[] = [];
  void (async () => {
    for await (const status of connection.status()) {
      if (status.type === "error") codes.push((status.error as OpenWireError).code);
    }
  })();
  await consumer.close({ timeout: 50 });
  assertEquals(codes, ["TIMEOUT"]);
});

test("a failure to delete the queue of the last consumer is reported", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url);
  const consumer = await connection.createConsumer("topic://VirtualTopic.a", { shared: "web" });
  const refusal = { className: "java.lang.SecurityException", message: "not authorized" };
  broker.fault({ command: "DestinationInfo", action: { refuse: refusal } });
  const reported = connection.status().next();
  await consumer.close();
  const { value } = await reported;
  assert(value.type === "error");
  assertStringIncludes(value.error.message, "Cannot delete queue://Consumer.web.VirtualTopic.a");
});

test(
  "Artemis keeps a durable shared subscription that has neither messages nor consumers",
  async () => {
    const name = `passing.${freshName()}`;
    await using connection = await connect(brokers.artemis!.urls.openwire);
    const open = (durable: boolean) =>
      connection.createConsumer(topic(name), { shared: "web", durable });
    const kept = await open(true);
    await kept.close();
    // Deleted by the broker when nobody has it, at the latest with its next scan but one: there is no event for that.
    const passing = await connection.createConsumer(queue(`${name}::passing.${name}`));
    await passing.close();
    for (;;) {
      await new Promise((wake) => setTimeout(wake, 1_500));
      await connection.send(topic(name), "while away");
      await using again = await connection.createConsumer(queue(`${name}::passing.${name}`));
      if (await again.receive({ timeout: 100 }) === null) break;
    }
    const consumer = await open(true);
    assertEquals((await received(consumer)).text, "while away");
  },
  { skip: skipWithout("artemis") },
);
