/** Names of advisory topics, and that ActiveMQ uses them. */

import { assertEquals, assertThrows } from "@std/assert";
import {
  advisoryTopics,
  connect,
  type Connection,
  type Destination,
  queue,
  topic,
} from "../../mod.ts";
import { broker, brokerSkip } from "../broker/env.ts";
import { test } from "../_harness.ts";
import { freshName } from "./_brokers.ts";
import { received, until } from "./_messages.ts";

test("advisory topics that are about no destination", () => {
  const { connections, queues, topics, temporaryQueues, temporaryTopics } = advisoryTopics;
  const { anonymousProducers, masterBroker, networkBridges, networkBridgeFailures } =
    advisoryTopics;
  const found = [
    ...[connections, queues, topics, temporaryQueues, temporaryTopics],
    ...[anonymousProducers, masterBroker, networkBridges, networkBridgeFailures],
  ].map((make) => make());
  assertEquals(new Set(found.map(({ dataType }) => dataType)), new Set(["ActiveMQTopic" as const]));
  assertEquals(found.map(({ physicalName }) => physicalName), [
    "ActiveMQ.Advisory.Connection",
    "ActiveMQ.Advisory.Queue",
    "ActiveMQ.Advisory.Topic",
    "ActiveMQ.Advisory.TempQueue",
    "ActiveMQ.Advisory.TempTopic",
    "ActiveMQ.Advisory.Producer.Anonymous",
    "ActiveMQ.Advisory.MasterBroker",
    "ActiveMQ.Advisory.NetworkBridge",
    "ActiveMQ.Advisory.NetworkBridge.ForwardFailure",
  ]);
  assertEquals(
    advisoryTopics.destinations().physicalName,
    "ActiveMQ.Advisory.Queue,ActiveMQ.Advisory.Topic,ActiveMQ.Advisory.TempQueue,ActiveMQ.Advisory.TempTopic",
  );
});

const KINDS = [
  ["consumers", "Consumer", "plain"],
  ["virtualConsumers", "VirtualDestination.Consumer", "plain"],
  ["producers", "Producer", "plain"],
  ["expired", "Expired", "plain"],
  ["noConsumer", "NoConsumer", "plain"],
  ["discarded", "MessageDiscarded", "own"],
  ["delivered", "MessageDelivered", "own"],
  ["dispatched", "MessageDispatched", "own"],
  ["consumed", "MessageConsumed", "own"],
  ["deadLettered", "MessageDLQd", "own"],
  ["slowConsumers", "SlowConsumer", "own"],
  ["fastProducers", "FastProducer", "own"],
  ["full", "FULL", "own"],
] as const;

for (const [member, kind, temporary] of KINDS) {
  test(`advisoryTopics.${member}() of each kind of destination`, () => {
    const name = (destination: Destination): string => {
      const made = advisoryTopics[member](destination);
      assertEquals(made.dataType, "ActiveMQTopic");
      return made.physicalName.replace("ActiveMQ.Advisory.", "");
    };
    const temp = temporary === "own" ? "Temp" : "";
    assertEquals(name("a.b"), `${kind}.Queue.a.b`);
    assertEquals(name(topic("a.*")), `${kind}.Topic.a.*`);
    assertEquals(name(queue("ID:x:1")), `${kind}.${temp}Queue.ID:x:1`);
    assertEquals(name("temp-topic://ID:x:2"), `${kind}.${temp}Topic.ID:x:2`);
  });
}

test("composite destinations: commas are escaped for consumers, messages have topics by part", () => {
  assertEquals(
    advisoryTopics.consumers("a,topic://b").physicalName,
    "ActiveMQ.Advisory.Consumer.Queue.a&sbquo;topic://b",
  );
  assertEquals(
    advisoryTopics.producers(topic("a,b")).physicalName,
    "ActiveMQ.Advisory.Producer.Topic.a&sbquo;b",
  );
  assertEquals(
    advisoryTopics.expired("a, topic://b").physicalName,
    "ActiveMQ.Advisory.Expired.Queue.a,ActiveMQ.Advisory.Expired.Topic.b",
  );
});

test("what is no destination has no advisory topics", () => {
  assertThrows(() => advisoryTopics.consumers(""), TypeError);
  assertThrows(() => advisoryTopics.consumers(7 as unknown as string), TypeError);
});

/** Provokes something that ActiveMQ tells of on one of the topics. */
type Provoke = (connection: Connection, name: string) => Promise<unknown>;

const slow: Provoke = async (connection, name) => {
  await using consumer = await connection.createConsumer(topic(name), { prefetchSize: 2 });
  for (let i = 0; i < 8; i++) await connection.send(topic(name), "x", { persistent: false });
  await consumer.receive();
};
const fill: Provoke = async (connection, name) => {
  const body = new Uint8Array(8000);
  await using producer = await connection.createProducer(name, { windowSize: 0 });
  const sends = [1, 2, 3, 4].map(() => producer.send(body, { persistent: false, confirm: true }));
  const failed = Promise.allSettled(sends);
  // The broker takes the last one when there is room again.
  await using consumer = await connection.createConsumer(name);
  for (let i = 0; i < 4; i++) await (await received(consumer)).ack().catch(() => {});
  await failed;
};
const sent: Provoke = (connection, name) => connection.send(name, "x");
const taken: Provoke = async (connection, name) => {
  await connection.send(name, "x");
  await using consumer = await connection.createConsumer(name);
  await received(consumer);
};
const rejected: Provoke = async (connection, name) => {
  await connection.send(name, "x");
  await using consumer = await connection.createConsumer(name, { acknowledgeMode: "individual" });
  await (await received(consumer)).reject("no");
};
const expired: Provoke = async (connection, name) => {
  await connection.send(name, "x", { timeToLive: 1 });
  const sent = Date.now();
  await until(() => Date.now() > sent + 2);
  await using consumer = await connection.createConsumer(name);
  await connection.send(name, "y");
  await received(consumer);
};
const consumed: Provoke = async (connection, name) => {
  await using _ = await connection.createConsumer(name);
};
const produced: Provoke = async (connection, name) => {
  await using _ = await connection.createProducer(name);
};

const EVENTS: [string, (name: string) => Destination, Provoke][] = [
  ["connections", () => advisoryTopics.connections(), sent],
  ["queues", () => advisoryTopics.queues(), sent],
  ["topics", () => advisoryTopics.topics(), (c, name) => c.send(topic(name), "x")],
  ["temporaryQueues", () => advisoryTopics.temporaryQueues(), (c) => c.createTemporaryQueue()],
  ["temporaryTopics", () => advisoryTopics.temporaryTopics(), (c) => c.createTemporaryTopic()],
  ["consumers", (name) => advisoryTopics.consumers(name), consumed],
  [
    "consumers, composite",
    (name) => advisoryTopics.consumers(`${name}.a,${name}.b`),
    (c, name) => consumed(c, `${name}.a,${name}.b`),
  ],
  ["producers", (name) => advisoryTopics.producers(name), produced],
  ["anonymousProducers", () => advisoryTopics.anonymousProducers(), sent],
  ["expired", (name) => advisoryTopics.expired(name), expired],
  ["discarded", (name) => advisoryTopics.discarded(topic(name)), slow],
  ["slowConsumers", (name) => advisoryTopics.slowConsumers(topic(name)), slow],
  ["delivered", (name) => advisoryTopics.delivered(name), sent],
  ["consumed", (name) => advisoryTopics.consumed(name), taken],
  ["deadLettered", (name) => advisoryTopics.deadLettered(name), rejected],
  [
    "noConsumer, topic",
    (name) => advisoryTopics.noConsumer(topic(name)),
    (c, name) => c.send(topic(name), "x", { persistent: false }),
  ],
  [
    "noConsumer, queue",
    (name) => advisoryTopics.noConsumer(name),
    (c, name) => c.send(name, "x", { persistent: false }),
  ],
  ["full", (name) => advisoryTopics.full(name), fill],
  ["fastProducers", (name) => advisoryTopics.fastProducers(name), fill],
];

for (const [title, destination, provoke] of EVENTS) {
  test(`ActiveMQ tells on this topic: ${title}`, async () => {
    const name = `advised.${freshName()}`;
    await using watcher = await connect(broker!.urls.openwire);
    await using advisories = await watcher.createConsumer(destination(name));
    await using connection = await connect(broker!.urls.openwire);
    const [message] = await Promise.all([received(advisories), provoke(connection, name)]);
    const { physicalName } = message.destination!;
    assertEquals(physicalName.startsWith("ActiveMQ.Advisory."), true);
  }, { skip: brokerSkip });
}

test(
  "consumers of a temporary queue are told of as those of a queue (ActiveMQ)",
  async () => {
    await using connection = await connect(broker!.urls.openwire);
    const replies = await connection.createTemporaryQueue();
    await using consumers = await connection.createConsumer(advisoryTopics.consumers(replies));
    await using _ = await connection.createConsumer(replies);
    assertEquals((await received(consumers)).type, "Advisory");
  },
  { skip: brokerSkip },
);
