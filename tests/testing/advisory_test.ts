/** Advisories of the broker in memory: the same as those of ActiveMQ. */
import { assertEquals, assertThrows } from "@std/assert";
import {
  type ActiveMQDestination,
  createActiveMQQueue,
  createActiveMQTopic,
  decodePrimitiveMap,
  type MessageDispatch,
  type WireFormatOptions,
} from "../../codec/mod.ts";
import { advisoryTopics, connect, parseAdvisory, queue, topic } from "../../mod.ts";
import { type AdvisoryPolicy, MemoryBroker } from "../../testing/mod.ts";
import { test } from "../_harness.ts";
import type { RawClient } from "./_raw_client.ts";
import { behaviour } from "./_targets.ts";

const TIGHT: WireFormatOptions = { tightEncodingEnabled: true };

/** What one advisory says: what it is about, its payload, and its own properties. */
function described({ message }: MessageDispatch): unknown[] {
  const properties = Object.fromEntries(decodePrimitiveMap(message!.marshalledProperties));
  for (const name of ["originBrokerId", "originBrokerName", "originBrokerURL"]) {
    assertEquals(typeof properties[name], "string", name);
    delete properties[name];
  }
  const { type, persistent, targetConsumerId, dataStructure } = message!;
  assertEquals([type, persistent], ["Advisory", false]);
  return [
    message!.destination!.physicalName.split(".").slice(2, 4).join("."),
    dataStructure?.dataType,
    targetConsumerId === null ? "now" : "replayed",
    properties,
  ];
}

/** The next advisories. */
async function advised(client: RawClient, count: number): Promise<unknown[][]> {
  const found: unknown[][] = [];
  while (found.length < count) found.push(described(await client.next("MessageDispatch")));
  return found;
}

/** A topic of advisories. */
function about(kind: string, { physicalName }: ActiveMQDestination): ActiveMQDestination {
  return createActiveMQTopic({ physicalName: `ActiveMQ.Advisory.${kind}.${physicalName}` });
}

behaviour(
  "a consumer of advisories gets what there is, then what comes and goes",
  async (target) => {
    const there = target.queue();
    const client = await target.open(TIGHT);
    await client.consumer(there);
    const watcher = await target.open(TIGHT);
    await watcher.consumer(about("Consumer.Queue", there), { prefetchSize: 100 });
    assertEquals(await advised(watcher, 1), [
      ["Consumer.Queue", "ConsumerInfo", "replayed", { consumerCount: 1 }],
    ]);
    const second = await client.consumer(there);
    await client.remove(second, 0);
    assertEquals(await advised(watcher, 2), [
      ["Consumer.Queue", "ConsumerInfo", "now", { consumerCount: 2 }],
      ["Consumer.Queue", "RemoveInfo", "now", { consumerCount: 1 }],
    ]);
  },
);

behaviour("a producer of a composite destination is reported for each part", async (target) => {
  const [a, b] = [target.queue("A"), target.queue("B")];
  const watcher = await target.open(TIGHT);
  for (const part of [a, b]) {
    await watcher.consumer(about("Producer.Queue", part), { prefetchSize: 100 });
  }
  const client = await target.open(TIGHT);
  const composite = createActiveMQQueue({ physicalName: `${a.physicalName},${b.physicalName}` });
  await client.producer({ destination: composite });
  const row = ["Producer.Queue", "ProducerInfo", "now", { producerCount: 1 }];
  assertEquals(await advised(watcher, 2), [row, row]);
});

behaviour("all that a lost client had open is reported as closed", async (target) => {
  const there = target.queue();
  const client = await target.open(TIGHT);
  await client.consumer(there);
  await client.producer({ destination: there });
  const watcher = await target.open(TIGHT);
  for (const kind of ["Consumer.Queue", "Producer.Queue"]) {
    await watcher.consumer(about(kind, there), { prefetchSize: 100 });
  }
  await advised(watcher, 2);
  await client.drop();
  assertEquals((await advised(watcher, 2)).sort(), [
    ["Consumer.Queue", "RemoveInfo", "now", { consumerCount: 0 }],
    ["Producer.Queue", "RemoveInfo", "now", { producerCount: 0 }],
  ]);
});

test("advisories of messages have the body only if a policy says so", async () => {
  await using broker = await MemoryBroker.listen({
    advisoryPolicies: [
      { destination: "full", advisoryForDelivery: true, includeBodyForAdvisory: true },
      { destination: "queue://*", advisoryForDelivery: true },
    ],
  });
  await using connection = await connect(broker.url);
  const topics = ["full", "other"].map((name) => advisoryTopics.delivered(name));
  await using advisories = await connection.advisories(topics);
  const events = advisories.events();
  const bodies: unknown[] = [];
  for (const name of ["full", "other"]) {
    await connection.send(name, "body");
    const { value } = await events.next();
    bodies.push(value?.type === "message-delivered" && value.original.command.content?.length);
  }
  assertEquals(bodies, [8, undefined]);
});

test("without a policy nothing is reported of messages that were delivered", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url);
  const all = topic("ActiveMQ.Advisory.>");
  await using consumer = await connection.createConsumer(all);
  await connection.send("orders", "x");
  await (await connection.createTemporaryQueue()).delete();
  const seen: string[] = [];
  for await (const message of consumer.messages()) {
    const { type } = parseAdvisory(message);
    if (type === "destination-deleted") break;
    seen.push(type);
  }
  // Nothing of what was before, for consumers of all advisories, as in ActiveMQ.
  assertEquals(seen, ["master-broker", "destination-created", "destination-created"]);
});

test("a broker without advisories has no topics of them either", async () => {
  await using broker = await MemoryBroker.listen({ advisorySupport: false });
  await using connection = await connect(broker.url);
  await using _ = await connection.createConsumer(advisoryTopics.queues());
  await connection.send("orders", "x");
  assertEquals(broker.topic("ActiveMQ.Advisory.Queue").enqueued, 0);
  assertEquals(broker.queue("orders").enqueued, 1);
});

test("producers without a destination are reported if the broker is so configured", async () => {
  for (const anonymousProducerAdvisorySupport of [true, false]) {
    await using broker = await MemoryBroker.listen({ anonymousProducerAdvisorySupport });
    await using connection = await connect(broker.url);
    await using _ = await connection.createConsumer(advisoryTopics.anonymousProducers());
    await connection.send(queue("orders"), "x");
    const { enqueued } = broker.topic("ActiveMQ.Advisory.Producer.Anonymous");
    assertEquals(enqueued, anonymousProducerAdvisorySupport ? 1 : 0);
  }
});

test("advisoryPolicies with wrong values are refused", () => {
  const wrong: [unknown, string][] = [
    [{}, "an array"],
    [[{ advisoryForDelivery: true }], "destination"],
    [[{ destination: "a,b" }], "destination"],
    [[{ destination: 5 }], "destination"],
    [[{ destination: "a", advisoryForDelivery: 1 }], "advisoryForDelivery must be true or false"],
    [[{ destination: "a", advisoryForDelivry: true }], "advisoryForDelivery"],
  ];
  for (const [policies, text] of wrong) {
    const advisoryPolicies = policies as AdvisoryPolicy[];
    assertThrows(() => new MemoryBroker({ advisoryPolicies }), TypeError, text);
  }
});
