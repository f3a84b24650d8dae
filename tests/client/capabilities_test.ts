/** Which broker it is, and what follows from that. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { type AdvisoryEvent, advisoryTopics, OpenWireError, queue, topic } from "../../mod.ts";
import { testOnBrokers } from "./_brokers.ts";
import { received, until } from "./_messages.ts";

testOnBrokers("brokerKind tells ActiveMQ from Artemis", async (broker) => {
  const connection = await broker.connect();
  await until(() => connection.brokerInfo !== undefined);
  const artemis = broker.kind === "artemis";
  assertEquals(connection.brokerKind, artemis ? "artemis" : "activemq");
  for (const [name, has] of Object.entries(connection.capabilities)) {
    assertEquals(has, name === "duplicateDetection" ? artemis : !artemis, name);
  }
});

testOnBrokers(
  "what the broker would ignore is refused, and the connection goes on",
  async (broker) => {
    const connection = await broker.connect();
    const options = { period: 1, repeat: 1, delay: 3_600_000 };
    const calls = [
      () => connection.createConsumer(broker.name, { exclusive: true }),
      () => connection.createConsumer(topic(broker.name), { retroactive: true }),
      () => connection.createConsumer(topic(broker.name), { maximumPendingMessageLimit: 5 }),
      () => connection.send(`${broker.name}.later`, "again and again", options),
      () => connection.send(`${broker.name}.later`, "each year", { cron: "0 0 1 1 *" }),
      () => Array.fromAsync(connection.scheduledJobs.browse()),
      () => connection.advisories(advisoryTopics.consumers(broker.name)),
      () => connection.advisories([advisoryTopics.queues(), advisoryTopics.masterBroker()]),
    ];
    for (const call of calls) {
      if (broker.kind === "artemis") {
        const error = await assertRejects(call, OpenWireError, "the broker is Artemis, and it ");
        assertEquals([error.code, error.retryable], ["UNSUPPORTED", false]);
      } else {
        await call();
      }
    }
    const consumer = await connection.createConsumer(`${broker.name}.now`);
    await connection.send(`${broker.name}.now`, "still here");
    assertEquals((await received(consumer)).text, "still here");
  },
);

testOnBrokers("ping() is answered at once, and again", async (broker) => {
  const connection = await broker.connect();
  for (let i = 0; i < 3; i++) assert(await connection.ping({ timeout: 5_000 }) < 5_000);
});

testOnBrokers("what there is and how much is told, or refused", async (broker) => {
  const connection = await broker.connect();
  const calls = [() => connection.watchDestinations(), () => connection.statistics.broker()];
  for (const call of calls) {
    if (broker.kind === "artemis") {
      const error = await assertRejects(call, OpenWireError, "the broker is Artemis, and it ");
      assertEquals(error.code, "UNSUPPORTED");
    } else if (broker.real) {
      await call();
    }
  }
});

testOnBrokers(
  "Artemis tells of connections that are opened and queues that are deleted",
  async (broker) => {
    if (broker.kind !== "artemis") return;
    const watcher = await broker.connect();
    const { queues, connections } = advisoryTopics;
    const events = (await watcher.advisories([connections(), queues()])).events();
    const connection = await broker.connect();
    const next = async <Type extends AdvisoryEvent["type"]>(type: Type) => {
      const { value } = await events.next();
      assertEquals(value?.type, type);
      return value as AdvisoryEvent & { type: Type };
    };
    const opened = await next("connection-opened");
    assertEquals(opened.connection.clientId, connection.clientId);
    const producer = await connection.createProducer(broker.name);
    const created = await next("destination-created");
    assertEquals(created.destination, queue(broker.name));
    await producer.close();
    await connection.deleteDestination(broker.name);
    const deleted = await next("destination-deleted");
    assertEquals(deleted.destination, queue(broker.name));
  },
);
