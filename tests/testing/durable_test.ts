import { assertEquals } from "@std/assert";
import { createConnectionId, encodePrimitiveMap } from "../../codec/mod.ts";
import { durable, named, unsubscribe } from "./_durable.ts";
import { refusal, text } from "./_raw_client.ts";
import { behaviour, texts } from "./_targets.ts";

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
      assertEquals(again.map(({ redeliveryCounter }) => redeliveryCounter), [...counters]);
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
