import { assertEquals } from "@std/assert";
import {
  type ActiveMQDestination,
  type ConsumerId,
  type ConsumerInfo,
  createActiveMQTempTopic,
  createConnectionId,
  createDestinationInfo,
  createLocalTransactionId,
  createMessagePull,
  createRemoveSubscriptionInfo,
  createSessionInfo,
  createTransactionInfo,
  createXATransactionId,
  encodePrimitiveMap,
} from "../../codec/mod.ts";
import { type RawClient, refusal, text } from "./_raw_client.ts";
import { behaviour, type Target, texts } from "./_targets.ts";

/** A client with a name that it may come back with. */
async function named(target: Target, name = "C"): Promise<RawClient> {
  const client = await target.link();
  const answer = await client.connect({ clientId: target.name(name) });
  assertEquals(answer.dataType, "Response");
  await client.request(createSessionInfo({ sessionId: client.sessionId }));
  return client;
}

function durable(
  client: RawClient,
  topic: ActiveMQDestination,
  init: Partial<Omit<ConsumerInfo, "dataType">> = {},
): Promise<ConsumerId> {
  return client.consumer(topic, { subscriptionName: "S", ...init });
}

function unsubscribe(client: RawClient, clientId: string, subscriptionName = "S") {
  const connectionId = createConnectionId({ value: client.connectionId });
  return client.request(createRemoveSubscriptionInfo({ connectionId, clientId, subscriptionName }));
}

behaviour("A durable subscriber gets what came while it was away", async (target) => {
  const client = await named(target);
  const publisher = await target.open();
  await publisher.publish(target.topic(), "before");
  const consumer = await durable(client, target.topic());
  await publisher.publish(target.topic(), "1");
  const sent = await client.dispatches(1);
  assertEquals(texts(sent), ["1"]);
  await client.request(client.ack(sent, 2));
  await client.remove(consumer, -1);
  await publisher.publish(target.topic(), "2", "3");
  assertEquals(await target.rest(client), []);
  await durable(client, target.topic());
  assertEquals(texts(await client.dispatches(2)), ["2", "3"]);
});

behaviour("A durable subscription outlives the connection of its subscriber", async (target) => {
  const first = await named(target);
  await durable(first, target.topic());
  const publisher = await target.open();
  await publisher.publish(target.topic(), "1", "2");
  const [one] = await first.dispatches(2);
  await first.request(first.ack([one!], 2));
  await first.remove(createConnectionId({ value: first.connectionId }), -1);
  await publisher.publish(target.topic(), "3");
  const second = await named(target);
  await durable(second, target.topic());
  assertEquals((await second.dispatches(2)).map((d) => [text(d), d.redeliveryCounter]), [
    ["2", 0],
    ["3", 0],
  ]);
});

behaviour("A durable subscription keeps messages that aren't persistent, too", async (target) => {
  const client = await named(target);
  const consumer = await durable(client, target.topic());
  await client.remove(consumer, -1);
  const producer = await client.producer();
  await client.request(client.message(producer, target.topic(), "1", { persistent: false }));
  await durable(client, target.topic());
  assertEquals(texts(await client.dispatches(1)), ["1"]);
});

for (
  const [what, last, counters] of [
    ["unknown", () => -2, [1, 1, 1]],
    ["none", () => -1, [0, 0, 0]],
    ["zero", () => 0, [1, 1, 1]],
    ["the second", (sequence: number) => sequence, [1, 1, 0]],
  ] as const
) {
  behaviour(
    `A durable subscriber's messages come again, the last delivered being ${what}`,
    async (target) => {
      const client = await named(target);
      const consumer = await durable(client, target.topic());
      await client.publish(target.topic(), "1", "2", "3");
      const sent = await client.dispatches(3);
      await client.remove(consumer, last(Number(sent[1]!.message!.messageId!.brokerSequenceId)));
      await durable(client, target.topic());
      const again = await client.dispatches(3);
      assertEquals(texts(again), ["1", "2", "3"]);
      assertEquals(again.map(({ redeliveryCounter }) => redeliveryCounter), counters);
      assertEquals(again.map(({ message }) => message!.redeliveryCounter), [0, 0, 0]);
    },
  );
}

behaviour(
  "A durable subscriber's acknowledgements are checked, and open its window",
  async (target) => {
    const client = await named(target);
    await durable(client, target.topic(), { prefetchSize: 2 });
    await client.publish(target.topic(), "1", "2", "3", "4", "5");
    const sent = await client.dispatches(2);
    const refused = await client.request(client.ack(sent, 2, { messageCount: 7 }));
    assertEquals(refusal(refused)[0], "javax.jms.JMSException");
    assertEquals(await target.rest(client), []);
    await client.send(client.ack([sent[1]!], 4));
    assertEquals(texts(await client.dispatches(1)), ["3"]);
    await client.send(client.ack([sent[0]!], 0));
    assertEquals(texts(await client.dispatches(1)), ["4"]);
  },
);

behaviour("A durable subscriber has one consumer at a time", async (target) => {
  const client = await named(target);
  const clientId = target.name("C");
  const consumer = await durable(client, target.topic());
  const again = client.consumerInfo(target.topic(), { subscriptionName: "S" });
  assertEquals(refusal(await client.request(again)), [
    "javax.jms.JMSException",
    `Durable consumer is in use for client: ${clientId} and subscriptionName: S`,
  ]);
  await durable(client, target.topic(), { subscriptionName: "other" });
  await durable(await named(target, "D"), target.topic());
  await client.remove(consumer, -1);
  await durable(client, target.topic());
});

for (
  const [what, change] of [
    ["selector", { selector: "a = 1" }],
    ["noLocal", { noLocal: true }],
  ] as const
) {
  behaviour(`A durable subscriber with another ${what} begins anew`, async (target) => {
    const [client, publisher] = [await named(target), await target.open()];
    const consumer = await durable(client, target.topic());
    await client.remove(consumer, -1);
    await publisher.publish(target.topic(), "1");
    const changed = await durable(client, target.topic(), change);
    assertEquals(await target.rest(client), []);
    await client.remove(changed, -1);
    await durable(client, target.topic());
    assertEquals(await target.rest(client), []);
  });
}

behaviour("A durable subscriber of another topic begins anew", async (target) => {
  const client = await named(target);
  await client.remove(await durable(client, target.topic("A")), -1);
  await client.publish(target.topic("A"), "1");
  await durable(client, target.topic("B"));
  await client.publish(target.topic("A"), "2");
  await client.publish(target.topic("B"), "3");
  assertEquals(texts(await client.dispatches(1)), ["3"]);
  assertEquals(await target.rest(client), []);
});

behaviour("A durable subscriber's selector works while it is away", async (target) => {
  const client = await named(target);
  const selector = "n > 1";
  const consumer = await durable(client, target.topic(), { selector });
  await client.remove(consumer, -1);
  const producer = await client.producer();
  for (const n of [1, 2, 3]) {
    const marshalledProperties = encodePrimitiveMap({ n });
    await client.request(
      client.message(producer, target.topic(), `${n}`, { marshalledProperties }),
    );
  }
  await durable(client, target.topic(), { selector });
  assertEquals(texts(await client.dispatches(2)), ["2", "3"]);
  assertEquals(await target.rest(client), []);
});

behaviour(
  "A durable noLocal subscriber doesn't get its own messages, away or not",
  async (target) => {
    const [client, other] = [await named(target), await target.open()];
    const consumer = await durable(client, target.topic(), { noLocal: true });
    await client.publish(target.topic(), "own");
    await other.publish(target.topic(), "foreign");
    const sent = await client.dispatches(1);
    assertEquals(texts(sent), ["foreign"]);
    await client.request(client.ack(sent, 2));
    await client.remove(consumer, -1);
    await client.publish(target.topic(), "own");
    await other.publish(target.topic(), "later");
    await durable(client, target.topic(), { noLocal: true });
    assertEquals(texts(await client.dispatches(1)), ["later"]);
    assertEquals(await target.rest(client), []);
  },
);

behaviour("A durable subscription is removed when nobody uses it", async (target) => {
  const client = await named(target);
  const clientId = target.name("C");
  const consumer = await durable(client, target.topic());
  assertEquals(refusal(await unsubscribe(client, clientId)), [
    "javax.jms.JMSException",
    "Durable consumer is in use",
  ]);
  await client.remove(consumer, -1);
  await client.publish(target.topic(), "1");
  assertEquals((await unsubscribe(client, clientId)).dataType, "Response");
  assertEquals(refusal(await unsubscribe(client, clientId)), [
    "javax.jms.InvalidDestinationException",
    `No durable subscription exists for clientID: ${clientId} and subscriptionName: S`,
  ]);
  await durable(client, target.topic());
  assertEquals(await target.rest(client), []);
});

behaviour(
  "A durable subscriber of a pattern gets topics that are new while it is away",
  async (target) => {
    const client = await named(target);
    await client.publish(target.topic("A"), "0");
    const consumer = await durable(client, target.topic(">"));
    await client.remove(consumer, -1);
    await client.publish(target.topic("A"), "1");
    await client.publish(target.topic("B"), "2");
    await durable(client, target.topic(">"));
    assertEquals(texts(await client.dispatches(2)).toSorted(), ["1", "2"]);
  },
);

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
