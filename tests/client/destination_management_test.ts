/** Queues and topics that are created and deleted. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  BrokerError,
  connect,
  type Connection,
  ConnectionClosedError,
  type Destination,
  topic,
} from "../../mod.ts";
import { broker as activeMQ, brokerSkip } from "../broker/env.ts";
import { test } from "../_harness.ts";
import { freshName, testOnBrokers } from "./_brokers.ts";
import { left, send } from "./_messages.ts";

testOnBrokers("a queue is deleted with its messages", async (broker) => {
  const connection = await broker.connect();
  await send(broker, broker.name, "a", "b");
  await connection.deleteDestination(broker.name);
  assertEquals(await left(broker, broker.name), []);
});

testOnBrokers("what is there can be created again, what is gone deleted", async (broker) => {
  const connection = await broker.connect();
  for (const destination of [broker.name, topic(broker.name)]) {
    await connection.createDestination(destination);
    await connection.createDestination(destination);
    await connection.deleteDestination(destination);
    await connection.deleteDestination(destination);
  }
  await connection.createDestination(broker.name);
  await send(broker, broker.name, "kept");
  await connection.createDestination(broker.name);
  assertEquals(await left(broker, broker.name), [["kept", 0]]);
});

async function assertInUse(connection: Connection, destination: Destination): Promise<void> {
  const error = await assertRejects(
    () => connection.deleteDestination(destination),
    BrokerError,
    `Cannot delete ${typeof destination === "string" ? `queue://${destination}` : "topic://"}`,
  );
  assertEquals([error.code, error.retryable], ["DESTINATION_IN_USE", true]);
}

testOnBrokers("a queue that has consumers is not deleted", async (broker) => {
  const connection = await broker.connect();
  const consumer = await connection.createConsumer(broker.name);
  await assertInUse(connection, broker.name);
  await consumer.close();
  await connection.deleteDestination(broker.name);
});

testOnBrokers(
  "a topic that has consumers or durable subscriptions is not deleted",
  async (broker) => {
    const connection = await broker.connect({ clientId: `client-${broker.name}` });
    const options = { subscriptionName: "s" };
    const durable = await connection.createConsumer(topic(broker.name), options);
    await assertInUse(connection, topic(broker.name));
    await durable.close();
    await assertInUse(connection, topic(broker.name));
    await connection.unsubscribe("s");
    await connection.deleteDestination(topic(broker.name));
  },
  { needs: ["topics kept while in use"] },
);

testOnBrokers("only single destinations that last are created and deleted", async (broker) => {
  const connection = await broker.connect();
  const temporary = await connection.createTemporaryQueue();
  for (const wrong of ["a,b", "a.>", topic("*"), temporary, "temp-topic://ID:x", ""]) {
    await assertRejects(() => connection.createDestination(wrong), TypeError);
    await assertRejects(() => connection.deleteDestination(wrong), TypeError);
  }
  await temporary.delete();
});

testOnBrokers("creating and deleting end with the connection and the signal", async (broker) => {
  const connection = await broker.connect();
  const signal = AbortSignal.abort(new Error("no time"));
  await assertRejects(() => connection.createDestination("a", { signal }), Error, "no time");
  await connection.close();
  await assertRejects(() => connection.deleteDestination(broker.name), ConnectionClosedError);
});

test("those who watch see what is created and deleted (ActiveMQ)", async () => {
  const name = freshName();
  await using connection = await connect(activeMQ!.urls.openwire);
  await using source = await connection.watchDestinations();
  const changes = source.changes();
  const seen: string[] = [];
  await connection.createDestination(name);
  for await (const { type, destination } of changes) {
    if (destination.physicalName !== name) continue;
    seen.push(type);
    if (type === "deleted") break;
    assert(source.has(name));
    await connection.deleteDestination(name);
  }
  assertEquals(seen, ["created", "deleted"]);
}, { skip: brokerSkip });
