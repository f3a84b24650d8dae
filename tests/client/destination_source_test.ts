/** Which destinations a broker has. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type ActiveMQDestination,
  type ActiveMQTempQueue,
  AdvisoryConsumer,
  advisoryTopics,
  connect,
  ConnectionClosedError,
  type DestinationChange,
  DestinationSource,
  type Message,
  type MessageConsumer,
  queue,
  TemporaryDestination,
  TimeoutError,
  topic,
} from "../../mod.ts";
import { Deadlines } from "../../client/deadlines.ts";
import { createActiveMQMessage, createDestinationInfo } from "../../codec/mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { test } from "../_harness.ts";
import { StatusFeed } from "../../client/status.ts";
import { FaultProxy } from "../faults/proxy/fault_proxy.ts";
import { freshName, testOnBrokers } from "./_brokers.ts";
import { receivedAs } from "./_messages.ts";

/** What the broker tells of a queue. */
function told(destination: ActiveMQDestination): Message {
  const command = createActiveMQMessage({
    destination: advisoryTopics.temporaryQueues(),
    dataStructure: createDestinationInfo({ destination }),
  });
  return receivedAs(command);
}

test("what the broker tells first is there before watchDestinations() ends", async () => {
  const { readable, writable } = new TransformStream<Message, Message>();
  const writer = writable.getWriter();
  const consumer = {
    messages: () => readable.values({ preventCancel: true }),
    close: () => writer.close().catch(() => {}),
  } as unknown as MessageConsumer;
  const marker = new TemporaryDestination(
    "ActiveMQTempQueue",
    "ID:marker",
    () => Promise.resolve(),
  );
  const deadlines = new Deadlines();
  const source = new DestinationSource({
    connection: {
      advisories: () => Promise.resolve(new AdvisoryConsumer(consumer, undefined)),
      createTemporaryQueue: () => Promise.resolve(marker),
      status: ({ signal } = {}) => new StatusFeed().subscribe(signal),
    },
    deadlines,
    requestTimeout: 5000,
  });
  let open = false;
  const opening = source.open({}).then(() => open = true);
  const before = queue("ID:before");
  await writer.write(told(before));
  assertEquals(open, false);
  await writer.write(told(queue("ID:marker")));
  await opening;
  // The broker has not yet told that the marker is gone.
  assertEquals(source.temporaryQueues, [before as ActiveMQTempQueue]);
  const after = queue("ID:after");
  const change = source.changes().next();
  await writer.write(told(after));
  assertEquals((await change).value, { type: "created", destination: after });
  await source.close();
  deadlines.close();
});

/** The next change of a destination with this name. */
async function changeOf(
  changes: AsyncIterator<DestinationChange>,
  name: string,
): Promise<DestinationChange> {
  while (true) {
    const { done, value } = await changes.next();
    if (done) throw new Error(`Nothing happened to ${name}`);
    if (value.destination.physicalName === name) return value;
  }
}

testOnBrokers("watchDestinations() knows what was there before", async ({ url }) => {
  const name = freshName();
  await using connection = await connect(url);
  await connection.send(name, "x");
  await connection.send(topic(name), "x");
  const temporaryQueue = await connection.createTemporaryQueue();
  const temporaryTopic = await connection.createTemporaryTopic();
  await using watcher = await connect(url);
  await using source = await watcher.watchDestinations();
  for (const there of [name, topic(name), temporaryQueue, temporaryTopic]) {
    assert(source.has(there), `${there}`);
  }
  assert(!source.has(`${name}.other`));
  const namesOf = (found: readonly { physicalName: string }[], own = name): string[] =>
    found.map(({ physicalName }) => physicalName).filter((found) => found.startsWith(own));
  assertEquals(namesOf(source.queues), [name]);
  assertEquals(namesOf(source.topics), [name]);
  assertEquals(namesOf(source.topics, "ActiveMQ.Advisory"), []);
  const own = temporaryQueue.physicalName.slice(0, -2);
  assertEquals(namesOf(source.temporaryQueues, own), [temporaryQueue.physicalName]);
  assertEquals(namesOf(source.temporaryTopics, own), [temporaryTopic.physicalName]);
}, { needs: ["advisories"] });

testOnBrokers("what watchDestinations() makes for itself is not told", async ({ url }) => {
  await using connection = await connect(url);
  const first = await connection.createTemporaryQueue();
  const prefix = first.physicalName.slice(0, -1);
  await using source = await connection.watchDestinations();
  const ownNames = (): string[] =>
    source.temporaryQueues.map(({ physicalName }) => physicalName)
      .filter((name) => name.startsWith(prefix));
  assertEquals(ownNames(), [first.physicalName]);
  const changes = source.changes();
  const second = await connection.createTemporaryQueue();
  const seen: string[] = [];
  for await (const { type, destination } of changes) {
    if (destination.physicalName.startsWith(prefix)) {
      seen.push(`${type} ${destination.physicalName}`);
    }
    if (seen.length === 1) await second.delete();
    if (seen.length === 2) break;
  }
  assertEquals(seen, [`created ${second.physicalName}`, `deleted ${second.physicalName}`]);
  assertEquals(ownNames(), [first.physicalName]);
}, { needs: ["advisories"] });

testOnBrokers("changes are told to all who wait, until the source is closed", async ({ url }) => {
  const name = freshName();
  await using connection = await connect(url);
  const source = await connection.watchDestinations();
  const readers = [source.changes(), source[Symbol.asyncIterator]()];
  const waiting = readers.map((changes) => changeOf(changes, name));
  await connection.send(name, "x");
  for (const change of await Promise.all(waiting)) {
    assertEquals(change, { type: "created", destination: queue(name) });
  }
  assert(source.has(name));
  await source.close();
  await source.close();
  for (const changes of readers) {
    // Other tests make destinations, too.
    while (!(await changes.next()).done);
  }
  assert(source.has(name));
}, { needs: ["advisories"] });

testOnBrokers("whoever is slow is told the difference", async ({ url }) => {
  await using connection = await connect(url);
  await using source = await connection.watchDestinations();
  const [slow, fast] = [source.changes(), source.changes()];
  const gone = await connection.createTemporaryTopic();
  await gone.delete();
  const there = await connection.createTemporaryTopic();
  await changeOf(fast, there.physicalName);
  const seen: string[] = [];
  for await (const { destination } of slow) {
    seen.push(destination.physicalName);
    if (destination.physicalName === there.physicalName) break;
  }
  assert(!seen.includes(gone.physicalName));
}, { needs: ["advisories"] });

testOnBrokers("a signal ends one loop, the end of the connection all", async ({ url }) => {
  const connection = await connect(url);
  const source = await connection.watchDestinations();
  const controller = new AbortController();
  const name = freshName();
  const first = changeOf(source.changes({ signal: controller.signal }), name);
  const second = changeOf(source.changes(), name);
  const ended = Promise.all([
    assertRejects(() => first, Error, "enough"),
    assertRejects(() => second, ConnectionClosedError),
  ]);
  controller.abort(new Error("enough"));
  await first.catch(() => {});
  connection.abort();
  await ended;
}, { needs: ["advisories"] });

test("watchDestinations() of a broker without advisories says so", async () => {
  await using memory = await MemoryBroker.listen({ advisorySupport: false });
  await using connection = await connect(memory.url);
  await assertRejects(
    () => connection.watchDestinations({ timeout: 50 }),
    TimeoutError,
    "advisorySupport",
  );
  const controller = new AbortController();
  const waiting = connection.watchDestinations({ signal: controller.signal });
  controller.abort(new Error("no time"));
  await assertRejects(() => waiting, Error, "no time");
  // Nothing is left behind.
  assertEquals(memory.topic("ActiveMQ.Advisory.Queue").consumers, 0);
});

testOnBrokers(
  "watchDestinations() forgets what has gone while there was no connection",
  async (broker) => {
    await using proxy = await FaultProxy.listen(broker.url);
    await using other = await connect(broker.url);
    const [stays, goes, comes] = [freshName(), freshName(), freshName()];
    await other.createDestination(stays);
    await other.createDestination(goes);
    await using connection = await connect([proxy.url], { failover: { initialReconnectDelay: 1 } });
    await using source = await connection.watchDestinations();
    assert(source.has(stays) && source.has(goes));
    const names = [stays, goes, comes];
    const changes: [string, string][] = [];
    const seen = (async () => {
      for await (const { type, destination: { physicalName } } of source.changes()) {
        if (names.includes(physicalName)) changes.push([type, physicalName]);
        if (changes.length === 2) return;
      }
    })();
    proxy.suspend();
    proxy.connection.end();
    await other.deleteDestination(goes);
    await other.createDestination(comes);
    await proxy.resume();
    await seen;
    assertEquals(changes.sort(), [["created", comes], ["deleted", goes]]);
    assert(source.has(stays) && source.has(comes) && !source.has(goes));
  },
  { needs: ["advisories"] },
);
