/** Advisory messages as typed events: made-up ones, and those of ActiveMQ. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type AdvisoryEvent,
  advisoryTopics,
  connect,
  type Connection,
  type Destination,
  long,
  type Message,
  type MessageAdvisory,
  parseAdvisory,
  ProtocolError,
  queue,
  topic,
} from "../../mod.ts";
import {
  type ActiveMQDestination,
  createActiveMQMessage,
  createActiveMQTextMessage,
  createBrokerInfo,
  createConnectionId,
  createConnectionInfo,
  createConsumerId,
  createConsumerInfo,
  createDestinationInfo,
  createMessageId,
  createProducerId,
  createProducerInfo,
  createRemoveInfo,
  createRemoveSubscriptionInfo,
  type DataStructure,
  encodePrimitiveMap,
  type PrimitiveMapInput,
} from "../../codec/mod.ts";
import { test } from "../_harness.ts";
import type { Capability } from "../broker/differences.ts";
import { freshName, testOnBrokers } from "./_brokers.ts";
import { assertIllegalState, received, receivedAs } from "./_messages.ts";

const connectionId = createConnectionId({ value: "ID:c" });
const consumerId = createConsumerId({ connectionId: "ID:c", sessionId: 1, value: 2 });
const producerId = createProducerId({ connectionId: "ID:c", sessionId: 1, value: 3 });
const original = createActiveMQTextMessage({
  messageId: createMessageId({ producerId, producerSequenceId: 4 }),
  destination: queue("a"),
});

function made(
  destination: ActiveMQDestination | null,
  dataStructure: DataStructure | null,
  properties: PrimitiveMapInput = {},
): Message {
  const command = createActiveMQMessage({
    destination,
    dataStructure,
    type: "Advisory",
    marshalledProperties: encodePrimitiveMap(properties),
  });
  return receivedAs(command);
}

/** Without what all events have. */
function parsed(...parts: Parameters<typeof made>): Record<string, unknown> {
  const event = parseAdvisory(made(...parts));
  const own: Record<string, unknown> = { ...event };
  for (const name of ["topic", "brokerId", "brokerName", "brokerUrl", "replayed", "message"]) {
    assert(name in own, name);
    delete own[name];
  }
  return own;
}

const topics = advisoryTopics;

test("parseAdvisory() says where the event comes from", () => {
  const message = made(topics.connections(), null, {
    originBrokerId: "ID:b",
    originBrokerName: "b",
    originBrokerURL: "tcp://b:61616",
  });
  assertEquals(parseAdvisory(message), {
    type: "unknown",
    topic: "ActiveMQ.Advisory.Connection",
    brokerId: "ID:b",
    brokerName: "b",
    brokerUrl: "tcp://b:61616",
    replayed: false,
    message,
  });
});

test("parseAdvisory() of connections and destinations", () => {
  const connection = createConnectionInfo({ connectionId, clientId: "me" });
  assertEquals(parsed(topics.connections(), connection), {
    type: "connection-opened",
    connection,
    connectionId: "ID:c",
  });
  assertEquals(parsed(topics.connections(), createRemoveInfo({ objectId: connectionId })), {
    type: "connection-closed",
    connectionId: "ID:c",
  });
  const destination = queue("a");
  const info = createDestinationInfo({ destination, connectionId });
  assertEquals(parsed(topics.queues(), info), {
    type: "destination-created",
    destination,
    connectionId: "ID:c",
  });
  const gone = createDestinationInfo({ destination: topic("ID:x"), operationType: 1 });
  assertEquals(parsed(topics.temporaryTopics(), gone), {
    type: "destination-deleted",
    destination: topic("ID:x"),
    connectionId: null,
  });
});

test("parseAdvisory() of consumers and producers", () => {
  const destination = queue("a,b");
  const consumer = createConsumerInfo({ consumerId, destination });
  assertEquals(parsed(topics.consumers(destination), consumer, { consumerCount: 7 }), {
    type: "consumer-opened",
    destination,
    consumer,
    consumerId: "ID:c:1:2",
    consumerCount: 7,
  });
  const closed = createRemoveInfo({ objectId: consumerId });
  assertEquals(parsed(topics.consumers(destination), closed), {
    type: "consumer-closed",
    destination,
    consumerId: "ID:c:1:2",
    consumerCount: null,
  });
  assertEquals(parsed(topics.virtualConsumers("a"), closed).type, "virtual-consumer-closed");
  const removed = createRemoveSubscriptionInfo({ clientId: "me", subscriptionName: "s" });
  assertEquals(parsed(topics.consumers(topic("a")), removed, { consumerCount: 0 }), {
    type: "subscription-removed",
    destination: topic("a"),
    clientId: "me",
    subscriptionName: "s",
    consumerCount: 0,
  });
  const producer = createProducerInfo({ producerId });
  assertEquals(parsed(topics.anonymousProducers(), producer, { producerCount: 0 }), {
    type: "producer-opened",
    destination: null,
    producer,
    producerId: "ID:c:1:3",
    producerCount: 0,
  });
  const ended = createRemoveInfo({ objectId: producerId });
  assertEquals(parsed(topics.producers("a"), ended, { producerCount: long(1) }), {
    type: "producer-closed",
    destination: queue("a"),
    producerId: "ID:c:1:3",
    producerCount: 1,
  });
  assertEquals(parsed(topics.slowConsumers("a"), consumer), {
    type: "slow-consumer",
    destination: queue("a"),
    consumer,
    consumerId: "ID:c:1:2",
  });
  assertEquals(parsed(topics.fastProducers("a"), producer), {
    type: "fast-producer",
    destination: queue("a"),
    producer,
    producerId: "ID:c:1:3",
  });
});

test("parseAdvisory() of messages", async () => {
  const types = {
    "message-expired": topics.expired,
    "message-delivered": topics.delivered,
    "message-dispatched": topics.dispatched,
    "message-consumed": topics.consumed,
    "message-dead-lettered": topics.deadLettered,
    "message-discarded": topics.discarded,
    "no-consumer": topics.noConsumer,
  };
  for (const [type, topicOf] of Object.entries(types)) {
    const properties = { consumerId: "ID:c:1:2", discardedCount: 3 };
    const event = parseAdvisory(made(topicOf(topic("a")), original, properties)) as MessageAdvisory;
    assertEquals(event.type, type);
    assertEquals(event.destination, topic("a"));
    assertEquals(event.messageId, "ID:c:1:3:4");
    assertEquals([event.consumerId, event.discardedCount], ["ID:c:1:2", 3]);
    assertEquals(event.original.destination, queue("a"));
    await assertIllegalState(() => event.original.ack());
  }
  const failed = parsed(topics.networkBridgeFailures(), original);
  assertEquals([failed.type, failed.messageId], ["network-bridge-failure", "ID:c:1:3:4"]);
});

test("parseAdvisory() of brokers and what is full", () => {
  const info = createBrokerInfo({ brokerName: "other" });
  assertEquals(parsed(topics.masterBroker(), null), { type: "master-broker", broker: null });
  assertEquals(parsed(topics.networkBridges(), info, { started: true }), {
    type: "network-bridge-started",
    broker: info,
  });
  assertEquals(parsed(topics.networkBridges(), info, { started: false }), {
    type: "network-bridge-stopped",
    broker: info,
  });
  assertEquals(parsed(topics.full("a"), null, { usageName: "memory", usageCount: long(5) }), {
    type: "full",
    destination: queue("a"),
    usageName: "memory",
    usageCount: 5,
  });
});

test("what parseAdvisory() can't tell is unknown", () => {
  const unknown: [ActiveMQDestination | null, DataStructure | null][] = [
    [null, null],
    [queue("ActiveMQ.Advisory.Queue"), createDestinationInfo({ destination: queue("a") })],
    [topic("prices"), null],
    [topic("ActiveMQ.Advisory.Tomorrow.Queue.a"), null],
    [topic("ActiveMQ.Advisory.Consumer.Queue. "), createConsumerInfo({ consumerId })],
    [topics.queues(), createDestinationInfo({ destination: queue("a"), operationType: 9 })],
    [topics.queues(), createDestinationInfo({ destination: null })],
    [topics.queues(), consumerId],
    [topics.connections(), createRemoveInfo({ objectId: consumerId })],
    [topics.networkBridges(), null],
    ...[topics.consumers, topics.producers, topics.expired, topics.slowConsumers]
      .map((topicOf): [ActiveMQDestination, DataStructure] => [topicOf("a"), connectionId]),
  ];
  for (const [destination, payload] of unknown) {
    assertEquals(parsed(destination, payload), { type: "unknown" });
  }
});

test("parseAdvisory() refuses properties that make no sense", () => {
  const message = made(topics.queues(), null);
  message.command.marshalledProperties = new Uint8Array([0, 0, 0, 9, 1]);
  assertThrows(() => parseAdvisory(message), ProtocolError);
});

type EventOf<Type, Event = AdvisoryEvent> = Event extends { readonly type: infer Types }
  ? Type extends Types ? Event : never
  : never;

/** The next event of a type. */
async function next<Type extends AdvisoryEvent["type"]>(
  events: AsyncIterator<AdvisoryEvent>,
  type: Type,
): Promise<EventOf<Type>> {
  while (true) {
    const { done, value } = await events.next();
    if (done) throw new Error(`There was no ${type}`);
    if (value.type === type) return value as EventOf<Type>;
  }
}

interface Watched {
  readonly connection: Connection;
  readonly events: AsyncIterator<AdvisoryEvent>;
  readonly name: string;
}

/** Tests what ActiveMQ tells of a new destination. */
function watched(
  title: string,
  topicsOf: (name: string) => Destination | Destination[],
  fn: (watched: Watched) => Promise<void>,
  needs: readonly Capability[] = ["advisories"],
): void {
  testOnBrokers(title, async ({ url }) => {
    const name = `advised.${freshName()}`;
    await using watcher = await connect(url);
    await using advisories = await watcher.advisories(topicsOf(name));
    await using connection = await connect(url, {
      username: "system",
      password: "manager",
    });
    await fn({ connection, events: advisories[Symbol.asyncIterator](), name });
  }, { needs });
}

watched("connections come and go, without passwords", () => topics.connections(), async (
  { connection, events },
) => {
  while (true) {
    const opened = await next(events, "connection-opened");
    if (opened.connection.clientId !== connection.clientId) continue;
    assertEquals([opened.connection.userName, opened.connection.password], ["system", ""]);
    assertEquals(opened.brokerName, "openwire-test");
    await connection.close();
    while ((await next(events, "connection-closed")).connectionId !== opened.connectionId);
    return;
  }
});

watched(
  "consumers and producers come and go",
  (name) => [topics.consumers(name), topics.producers(name)],
  async ({ connection, events, name }) => {
    const consumer = await connection.createConsumer(name, { selector: "a = 1" });
    const opened = await next(events, "consumer-opened");
    assertEquals(opened.destination, queue(name));
    assertEquals([opened.consumerCount, opened.replayed], [1, false]);
    assertEquals(opened.consumer.selector, "a = 1");
    const producer = await connection.createProducer(name);
    const ready = await next(events, "producer-opened");
    assertEquals([ready.producerCount, ready.destination], [1, queue(name)]);
    await consumer.close();
    const closed = await next(events, "consumer-closed");
    assertEquals([closed.consumerCount, closed.consumerId], [0, opened.consumerId]);
    await producer.close();
    const gone = await next(events, "producer-closed");
    assertEquals([gone.producerCount, gone.producerId], [0, ready.producerId]);
  },
);

watched(
  "a consumer of a composite queue has all of it",
  (name) => topics.consumers(`${name}.a,${name}.b`),
  async ({ connection, events, name }) => {
    await using _ = await connection.createConsumer(`${name}.a,${name}.b`);
    const { destination } = await next(events, "consumer-opened");
    assertEquals(destination, queue(`${name}.a,${name}.b`));
  },
);

watched(
  "consumers that were there before are told first",
  () => topics.queues(),
  async ({ connection, name }) => {
    await using first = await connection.createConsumer(name);
    await using advisories = await connection.advisories(topics.consumers(name));
    const events = advisories.events();
    assertEquals((await next(events, "consumer-opened")).replayed, true);
    await first.close();
    assertEquals((await next(events, "consumer-closed")).replayed, false);
  },
);

testOnBrokers("the end of a durable subscription", async ({ url }) => {
  const name = freshName();
  await using connection = await connect(url, { clientId: `client-${name}` });
  const consumer = await connection.createConsumer(topic(name), { subscriptionName: "s" });
  await consumer.close();
  await using advisories = await connection.advisories(topics.consumers(topic(name)));
  await connection.unsubscribe("s");
  const event = await next(advisories.events(), "subscription-removed");
  assertEquals([event.clientId, event.subscriptionName], [`client-${name}`, "s"]);
}, { needs: ["advisories"] });

watched(
  "what becomes of a message",
  (name) => [topics.delivered(name), topics.consumed(name), topics.deadLettered(name)],
  async ({ connection, events, name }) => {
    const { messageId } = await connection.send(name, "x", { properties: { region: "eu" } });
    const delivered = await next(events, "message-delivered");
    assertEquals([delivered.messageId, delivered.destination], [messageId, queue(name)]);
    assertEquals(delivered.original.properties.get("region"), "eu");
    await using consumer = await connection.createConsumer(name, {
      acknowledgeMode: "individual",
    });
    await (await received(consumer)).reject("no");
    assertEquals((await next(events, "message-dead-lettered")).messageId, messageId);
    assertEquals((await next(events, "message-consumed")).messageId, messageId);
  },
);

watched(
  "slow consumers, and what is thrown away because of them",
  (name) => [topics.slowConsumers(topic(name)), topics.discarded(topic(name))],
  async ({ connection, events, name }) => {
    await using _ = await connection.createConsumer(topic(name), { prefetchSize: 2 });
    for (let i = 0; i < 8; i++) await connection.send(topic(name), "x", { persistent: false });
    const slow = await next(events, "slow-consumer");
    assertEquals(slow.consumer.prefetchSize, 2);
    const discarded = await next(events, "message-discarded");
    assertEquals([discarded.consumerId, discarded.discardedCount], [slow.consumerId, 1]);
    assertEquals(discarded.destination, topic(name));
  },
);

watched(
  "fast producers and full queues",
  (name) => [topics.full(name), topics.fastProducers(name)],
  async ({ connection, events, name }) => {
    const body = new Uint8Array(8000);
    await using producer = await connection.createProducer(name);
    const sends = [1, 2, 3, 4].map(() => producer.send(body, { confirm: true }));
    const sent = Promise.all(sends);
    const full = await next(events, "full");
    assertEquals(full.destination, queue(name));
    assert(full.usageName?.includes(name), `${full.usageName}`);
    assert(full.usageCount! > 16_000, `${full.usageCount}`);
    const fast = await next(events, "fast-producer");
    assertEquals(fast.producer.destination, queue(name));
    await using consumer = await connection.createConsumer(name);
    for (let i = 0; i < 4; i++) await received(consumer);
    await sent;
  },
  ["advisories of full queues"],
);

watched(
  "messages that nobody consumes",
  (name) => topics.noConsumer(topic(name)),
  async ({ connection, events, name }) => {
    const { messageId } = await connection.send(topic(name), "lost", { persistent: false });
    const event = await next(events, "no-consumer");
    assertEquals([event.messageId, event.original.text], [messageId, "lost"]);
    assertEquals(event.destination, topic(name));
  },
);

testOnBrokers("advisories() wants advisory topics", async (target) => {
  const connection = await target.connect();
  const refused = ["ActiveMQ.Advisory.Queue", topic("prices"), []];
  for (const topics of refused) {
    await assertRejects(() => connection.advisories(topics), TypeError, "advisories");
  }
});

testOnBrokers("a broker says at once that it is the master", async (target) => {
  const connection = await target.connect();
  await using advisories = await connection.advisories(topics.masterBroker());
  assertEquals((await advisories.events().next()).value?.type, "master-broker");
}, { needs: ["advisories"] });

testOnBrokers("advisories() ends as its signal and its connection do", async (target) => {
  const connection = await target.connect();
  const controller = new AbortController();
  const { signal } = controller;
  // Of which there are none, so that nothing is told.
  const quiet = topics.temporaryTopics();
  const loop = (await connection.advisories(quiet, { signal })).events();
  const waiting = loop.next();
  controller.abort(new Error("enough"));
  await assertRejects(() => waiting, Error, "enough");
  const other = (await connection.advisories(quiet)).events().next();
  await connection.close();
  assertEquals(await other, { done: true, value: undefined });
});

testOnBrokers("leaving the loop closes the consumer of the advisories", async (target) => {
  const connection = await target.connect();
  const sent: string[] = [];
  const watcher = await target.connect({
    inspect: ({ dataType }, direction) => void (direction === "sent" && sent.push(dataType)),
  });
  // Whoever sends there is believed.
  const advisories = await watcher.advisories(topics.temporaryTopics());
  const message: Message[] = [];
  await connection.send(topics.temporaryTopics(), null);
  for await (const event of advisories) {
    assertEquals(event.type, "unknown");
    message.push(event.message);
    break;
  }
  assertEquals(message.length, 1);
  assert(sent.includes("RemoveInfo"));
});
