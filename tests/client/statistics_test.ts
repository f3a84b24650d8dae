/** What the broker counts. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { connect, OpenWireError, queue, TimeoutError, topic } from "../../mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { test } from "../_harness.ts";
import { freshName, testOnBrokers } from "./_brokers.ts";
import { received } from "./_messages.ts";

testOnBrokers("statistics of the broker", async ({ url }) => {
  await using connection = await connect(url);
  await connection.send(freshName(), "x");
  const found = await connection.statistics.broker();
  assertEquals(found.brokerName, "openwire-test");
  assertEquals(found.brokerId, connection.brokerInfo?.brokerId?.value);
  assert(found.size >= 1 && found.enqueueCount >= 1);
  assertEquals([found.memoryLimit, found.tempLimit], [256 * 2 ** 20, 256 * 2 ** 20]);
  assertEquals(found.values.get("brokerName"), "openwire-test");
  assert(found.connectors.openwire?.startsWith("tcp://"), JSON.stringify(found.connectors));
  assert(!("dataDirectory" in found.connectors) && found.dataDirectory !== "");
  for (const [name, value] of Object.entries(found)) {
    assert(!Number.isNaN(value), `${name} is missing`);
  }
}, { needs: ["statistics"] });

testOnBrokers("statistics of the broker can begin at 0 again", async ({ url }) => {
  await using connection = await connect(url);
  for (let i = 0; i < 10; i++) await connection.send(freshName(), "x", { persistent: false });
  const { enqueueCount } = await connection.statistics.broker();
  const reset = await connection.statistics.broker({ reset: true });
  assert(reset.enqueueCount < enqueueCount, `${reset.enqueueCount}`);
}, { needs: ["statistics"] });

testOnBrokers("statistics of a queue and of a topic", async ({ url }) => {
  const name = freshName();
  await using connection = await connect(url);
  const before = Date.now();
  for (const text of ["a", "b", "c"]) await connection.send(name, text);
  await using consumer = await connection.createConsumer(name, { prefetchSize: 1 });
  await received(consumer);
  const found = await connection.statistics.destination(name, { firstMessageTimestamp: true });
  assertEquals(found?.destination, queue(name));
  assertEquals([found?.enqueueCount, found?.consumerCount], [3, 1]);
  assertEquals(found?.brokerName, "openwire-test");
  // The clock of the broker is ours.
  assert(found!.firstMessageTimestamp! >= before, `${found?.firstMessageTimestamp}`);
  for (const [key, value] of Object.entries(found!)) assert(!Number.isNaN(value), key);

  assertEquals(await connection.statistics.destination(topic(name)), null);
  await connection.send(topic(name), "x");
  const other = await connection.statistics.destination(topic(name));
  assertEquals(other?.destination, topic(name));
  assertEquals([other?.enqueueCount, other?.firstMessageTimestamp], [1, null]);
}, { needs: ["statistics"] });

testOnBrokers("statistics of all destinations that a name stands for", async ({ url }) => {
  const name = freshName();
  await using connection = await connect(url);
  await connection.send(`${name}.a`, "x");
  await connection.send(`${name}.b`, "x");
  await connection.send(topic(`${name}.c`), "x");
  const names = async (pattern: string): Promise<string[]> =>
    (await connection.statistics.destinations(pattern))
      .map(({ destination }) => `${destination.dataType} ${destination.physicalName}`).sort();
  assertEquals(await names(`${name}.*`), [
    `ActiveMQQueue ${name}.a`,
    `ActiveMQQueue ${name}.b`,
  ]);
  assertEquals(await names(`topic://${name}.>`), [`ActiveMQTopic ${name}.c`]);
  assertEquals(await names(`${name}.b, topic://${name}.c`), [
    `ActiveMQQueue ${name}.b`,
    `ActiveMQTopic ${name}.c`,
  ]);
  assertEquals(await names(`${name}.none.>`), []);
  // Asking has made no destinations.
  assertEquals(await names(`${name}.>`), [`ActiveMQQueue ${name}.a`, `ActiveMQQueue ${name}.b`]);
}, { needs: ["statistics"] });

testOnBrokers("statistics of consumers", async ({ url }) => {
  const name = freshName();
  await using connection = await connect(url, { clientId: `client-${name}` });
  const options = { selector: "a = 1", prefetchSize: 7, exclusive: true };
  await using _queue = await connection.createConsumer(name, options);
  await using _topic = await connection.createConsumer(topic(`${name}.t`));
  const found = (await connection.statistics.subscriptions())
    .filter(({ destinationName }) => destinationName.startsWith(name))
    .sort((a, b) => a.destinationName.localeCompare(b.destinationName));
  assertEquals(found.map(({ clientId }) => clientId), Array(2).fill(`client-${name}`));
  const [one, two] = found;
  assertEquals([one?.destinationName, two?.destinationName], [name, `${name}.t`]);
  assertEquals([one?.selector, two?.selector], ["a = 1", null]);
  assertEquals([one?.prefetchSize, one?.exclusive, two?.exclusive], [7, true, false]);
  for (const [key, value] of Object.entries(one!)) assert(!Number.isNaN(value), key);
}, { needs: ["statistics"] });

testOnBrokers("statistics count what was dispatched and acknowledged", async ({ url }) => {
  const name = freshName();
  await using connection = await connect(url);
  await using consumer = await connection.createConsumer(name, { acknowledgeMode: "individual" });
  for (const text of ["a", "bcd"]) await connection.send(name, text);
  await (await received(consumer)).ack();
  await received(consumer);
  const found = await connection.statistics.destination(name);
  const counts = (
    { size, enqueueCount, dequeueCount, dispatchCount, inflightCount, producerCount }: NonNullable<
      typeof found
    >,
  ) => [size, enqueueCount, dequeueCount, dispatchCount, inflightCount, producerCount];
  assertEquals(counts(found!), [1, 2, 1, 2, 1, 0]);
  // 1024 bytes are taken for what is not the body: 5 and 7 bytes with the length.
  assertEquals([found?.averageMessageSize, found?.memoryUsage], [1030, 1031]);
  assertEquals(found?.memoryPercentUsage, 0);
  await using _ = await connection.createProducer(`${name}.p`);
  const other = await connection.statistics.destination(`${name}.p`);
  assertEquals(counts(other!), [0, 0, 0, 0, 0, 1]);
}, { needs: ["statistics"] });

test("a broker without the plugin: statistics say so, and leave nothing behind", async () => {
  await using memory = await MemoryBroker.listen();
  await using connection = await connect(memory.url);
  const { statistics } = connection;
  for (
    const ask of [
      () => statistics.broker(),
      () => statistics.destination("orders"),
      () => statistics.destinations(">"),
      () => statistics.subscriptions(),
    ]
  ) {
    const error = await assertRejects(ask, OpenWireError, "<statisticsBrokerPlugin/>");
    assertEquals([error.code, error.retryable], ["UNSUPPORTED", false]);
  }
  assertEquals(memory.queue("ActiveMQ.Statistics.Destination.orders").size, 0);
});

test("a broker with the plugin and without JMX has no statistics of consumers", async () => {
  await using memory = await MemoryBroker.listen();
  await using connection = await connect(memory.url);
  const className = "java.lang.reflect.UndeclaredThrowableException";
  memory.fault({ command: "Message", action: { refuse: { className, message: "" } } });
  const error = await assertRejects(
    () => connection.statistics.subscriptions(),
    OpenWireError,
    "useJmx",
  );
  assertEquals(error.code, "UNSUPPORTED");
});

test("statistics end in time, and with the signal", async () => {
  await using memory = await MemoryBroker.listen();
  await using connection = await connect(memory.url, { autoStart: false });
  await assertRejects(() => connection.statistics.broker({ timeout: 50 }), TimeoutError);
  const controller = new AbortController();
  const waiting = connection.statistics.broker({ signal: controller.signal });
  controller.abort(new Error("no time"));
  await assertRejects(() => waiting, Error, "no time");
});

test("statistics of one destination are not of several, nor of a temporary one", async () => {
  await using memory = await MemoryBroker.listen();
  await using connection = await connect(memory.url);
  for (const several of ["a,b", "a.*", "topic://>", "temp-queue://ID:a"]) {
    await assertRejects(() => connection.statistics.destination(several), TypeError);
  }
});
