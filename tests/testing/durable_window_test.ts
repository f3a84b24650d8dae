import { assertEquals } from "@std/assert";
import {
  createActiveMQTempTopic,
  createConnectionId,
  createDestinationInfo,
  createLocalTransactionId,
  createMessagePull,
  createTransactionInfo,
  createXATransactionId,
} from "../../codec/mod.ts";
import { durable, named } from "./_durable.ts";
import { refusal, text } from "./_raw_client.ts";
import { behaviour, texts } from "./_targets.ts";

behaviour("A durable subscriber's acknowledgement counts when it is committed", async (target) => {
  const client = await named(target);
  const connectionId = createConnectionId({ value: client.connectionId });
  let consumer = await durable(client, target.topic());
  await client.publish(target.topic(), "1", "2");
  for (const type of [4, 2]) {
    const transactionId = createLocalTransactionId({ connectionId, value: type });
    const sent = await client.dispatches(2);
    assertEquals(texts(sent), ["1", "2"]);
    await client.send(createTransactionInfo({ connectionId, transactionId, type: 0 }));
    await client.request(client.ack(sent, 2, { transactionId }));
    await client.request(createTransactionInfo({ connectionId, transactionId, type }));
    await client.remove(consumer, -1);
    consumer = await durable(client, target.topic());
  }
  assertEquals(await target.rest(client), []);
});

behaviour("A durable subscriber may pull", async (target) => {
  const client = await named(target);
  const consumerId = await durable(client, target.topic(), { prefetchSize: 0 });
  await client.publish(target.topic(), "1", "2");
  assertEquals(await target.rest(client), []);
  const destination = target.topic();
  await client.send(createMessagePull({ consumerId, destination, timeout: 0 }));
  assertEquals(texts(await client.dispatches(1)), ["1"]);
  await client.send(createMessagePull({ consumerId, destination, timeout: -1 }));
  await client.send(createMessagePull({ consumerId, destination, timeout: -1 }));
  assertEquals(texts(await client.dispatches(2)), ["2", null]);
});

behaviour("A durable subscriber's poison goes to the dead letter queue", async (target) => {
  const client = await named(target);
  const consumer = await durable(client, target.topic());
  await client.publish(target.topic(), "1");
  await client.request(client.ack(await client.dispatches(1), 1));
  const dead = await target.deadLetter(client);
  assertEquals([text(dead), dead.message!.originalDestination], ["1", target.topic()]);
  await client.remove(consumer, -1);
  await durable(client, target.topic());
  assertEquals(await target.rest(client), []);
});

behaviour(
  "What gets too old for a durable subscriber goes to the dead letter queue",
  async (target) => {
    const client = await named(target);
    const consumer = await durable(client, target.topic());
    await client.remove(consumer, -1);
    const producer = await client.producer();
    const expiration = Date.now() + 30;
    await client.request(client.message(producer, target.topic(), "late", { expiration }));
    await client.request(client.message(producer, target.topic(), "good"));
    while (Date.now() <= expiration) await new Promise((resolve) => setTimeout(resolve, 10));
    await durable(client, target.topic());
    assertEquals(texts(await client.dispatches(1)), ["good"]);
    assertEquals(text(await target.deadLetter(client)), "late");
  },
);

behaviour("A temporary topic has no durable subscribers", async (target) => {
  const client = await named(target);
  const temporary = createActiveMQTempTopic({ physicalName: `${client.connectionId}:1` });
  const connectionId = createConnectionId({ value: client.connectionId });
  await client.request(createDestinationInfo({ connectionId, destination: temporary }));
  const info = client.consumerInfo(temporary, { subscriptionName: "S" });
  assertEquals(refusal(await client.request(info)), [
    "javax.jms.JMSException",
    "A durable subscription cannot be created for a temporary topic.",
  ]);
});

behaviour(
  "A durable subscriber's window is as small as before when it comes back",
  async (target) => {
    const client = await named(target);
    const consumer = await durable(client, target.topic(), { prefetchSize: 1 });
    await client.publish(target.topic(), "1", "2", "3");
    await client.send(client.ack(await client.dispatches(1), 0));
    assertEquals(texts(await client.dispatches(1)), ["2"]);
    await client.remove(consumer, -1);
    await durable(client, target.topic(), { prefetchSize: 1 });
    assertEquals(texts(await client.dispatches(1)), ["1"]);
    assertEquals(await target.rest(client), []);
  },
);

for (const type of [2, 4]) {
  behaviour(
    `A durable subscriber comes back before its transaction ends with ${type}`,
    async (target) => {
      const client = await named(target);
      const connectionId = createConnectionId({ value: client.connectionId });
      const transactionId = createLocalTransactionId({ connectionId, value: 1 });
      const consumer = await durable(client, target.topic());
      await client.publish(target.topic(), "1", "2");
      const [one] = await client.dispatches(2);
      await client.send(createTransactionInfo({ connectionId, transactionId, type: 0 }));
      await client.request(client.ack([one!], 2, { transactionId }));
      await client.remove(consumer, -1);
      await durable(client, target.topic());
      // Only what a prepared transaction took stays with it.
      assertEquals(await target.rest(client), ["1", "2"]);
      await client.request(createTransactionInfo({ connectionId, transactionId, type }));
      assertEquals(await target.rest(client), []);
    },
  );
}

behaviour(
  "What a prepared transaction took from a durable subscription comes with its rollback",
  async (target) => {
    const first = await named(target);
    const transactionId = createXATransactionId({
      formatId: 1,
      globalTransactionId: crypto.getRandomValues(new Uint8Array(8)),
      branchQualifier: Uint8Array.of(1),
    });
    await durable(first, target.topic());
    await first.publish(target.topic(), "1", "2");
    const [one] = await first.dispatches(2);
    const connectionId = createConnectionId({ value: first.connectionId });
    await first.send(createTransactionInfo({ connectionId, transactionId, type: 0 }));
    await first.request(first.ack([one!], 2, { transactionId }));
    await first.request(createTransactionInfo({ connectionId, transactionId, type: 1 }));
    await first.remove(connectionId, -1);
    const second = await named(target);
    await durable(second, target.topic());
    assertEquals(await target.rest(second), ["2"]);
    await second.request(createTransactionInfo({
      connectionId: createConnectionId({ value: second.connectionId }),
      transactionId,
      type: 4,
    }));
    assertEquals(await target.rest(second), ["1"]);
  },
);
