/** Which broker it is, and what follows from that. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { OpenWireError, topic } from "../../mod.ts";
import { testOnBrokers } from "./_brokers.ts";
import { received, until } from "./_messages.ts";

testOnBrokers("brokerKind tells ActiveMQ from Artemis", async (broker) => {
  const connection = await broker.connect();
  await until(() => connection.brokerInfo !== undefined);
  const artemis = broker.kind === "artemis";
  assertEquals(connection.brokerKind, artemis ? "artemis" : "activemq");
  for (const has of Object.values(connection.capabilities)) assertEquals(has, !artemis);
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
