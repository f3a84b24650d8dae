import { assertEquals, assertStringIncludes } from "@std/assert";
import { createConsumerControl } from "../../codec/mod.ts";
import { refusal, text } from "./_raw_client.ts";
import { behaviour, texts } from "./_targets.ts";
import { begin, COMMIT, consumer, end, ROLLBACK } from "./_transactions.ts";

behaviour("Acknowledgements of a transaction count when it is committed", async (target) => {
  const { client, id, sent } = await consumer(target, 2, "1", "2", "3", "4");
  const transactionId = await begin(client);
  await client.request(client.ack(sent, 2, { transactionId }));
  assertEquals(await target.rest(client), []); // the window is as full as before
  await end(client, transactionId, COMMIT);
  assertEquals(texts(await client.dispatches(2)), ["3", "4"]);
  await client.remove(id, -1);
  await client.consumer(target.queue());
  assertEquals(texts(await client.dispatches(2)), ["3", "4"]);
});

behaviour("The count of an acknowledgement in a transaction is not checked", async (target) => {
  const { client, sent } = await consumer(target, 2, "1", "2", "3");
  const transactionId = await begin(client);
  const ack = client.ack(sent, 2, { transactionId, messageCount: 7 });
  assertEquals((await client.request(ack)).dataType, "Response");
  await end(client, transactionId, COMMIT);
  assertEquals(texts(await client.dispatches(1)), ["3"]);
});

behaviour(
  "Messages whose acknowledgement is rolled back stay with their consumer",
  async (target) => {
    const { client, id, sent } = await consumer(target, 2, "1", "2", "3");
    const transactionId = await begin(client);
    await client.request(client.ack(sent, 2, { transactionId }));
    await end(client, transactionId, ROLLBACK);
    const other = await target.open();
    await other.consumer(target.queue());
    assertEquals(texts(await other.dispatches(1)), ["3"]);
    assertEquals(await target.rest(other), []);
    assertEquals(await target.rest(client), []);
    // They can be acknowledged again, and come again when the consumer goes.
    await client.request(client.ack([sent[0]!], 2));
    await client.remove(id, -2);
    const [again] = await other.dispatches(1);
    assertEquals([text(again!), again!.redeliveryCounter], ["2", 1]);
  },
);

behaviour("DELIVERED in a transaction widens the window until its end", async (target) => {
  const { client, sent } = await consumer(target, 2, ...Array.from("12345678"));
  const transactionId = await begin(client);
  await client.send(client.ack(sent, 0, { transactionId }));
  const more = await client.dispatches(2);
  assertEquals(texts(more), ["3", "4"]);
  await client.send(client.ack([...sent, ...more], 2, { transactionId }));
  assertEquals(await target.rest(client), []);
  await end(client, transactionId, COMMIT);
  assertEquals(texts(await client.dispatches(2)), ["5", "6"]);
  assertEquals(await target.rest(client), []);
});

behaviour("INDIVIDUAL in a transaction widens the window by itself", async (target) => {
  const { client, id, sent } = await consumer(target, 2, "1", "2", "3", "4");
  const transactionId = await begin(client);
  await client.send(client.ack([sent[1]!], 4, { transactionId, firstMessageId: null }));
  assertEquals(texts(await client.dispatches(1)), ["3"]);
  assertEquals(await target.rest(client), []);
  await end(client, transactionId, ROLLBACK);
  assertEquals(await target.rest(client), []);
  const control = { consumerId: id, destination: target.queue() };
  await client.send(createConsumerControl({ ...control, prefetch: 3 }));
  assertEquals(await target.rest(client), []);
  await client.send(createConsumerControl({ ...control, prefetch: 2 }));
  await client.send(client.ack([sent[0]!], 2));
  assertEquals(await target.rest(client), []);
  await client.send(client.ack([sent[1]!], 2));
  assertEquals(texts(await client.dispatches(1)), ["4"]);
});

behaviour("What a dead client acknowledged in a transaction comes again", async (target) => {
  const { client, sent } = await consumer(target, 2, "1", "2");
  const transactionId = await begin(client);
  await client.request(client.ack(sent, 2, { transactionId }));
  const other = await target.open();
  await other.consumer(target.queue());
  await client.drop();
  const again = await other.dispatches(2);
  // ActiveMQ gives them back one by one, the last first, and may send the first before it has the second.
  const found = again.map((d) => [text(d), d.redeliveryCounter]);
  assertEquals(found.toSorted(), [["1", 1], ["2", 1]]);
});

behaviour(
  "A consumer may close before the transaction in which it acknowledged ends",
  async (target) => {
    for (const type of [COMMIT, ROLLBACK]) {
      const client = await target.open();
      const queue = target.queue(String(type));
      const id = await client.consumer(queue);
      await client.publish(queue, "1", "2");
      const [one, two] = await client.dispatches(2);
      const transactionId = await begin(client);
      await client.request(client.ack([one!, two!], 2, { transactionId }));
      await client.remove(id, -1);
      await client.consumer(queue);
      assertEquals(await target.rest(client), []);
      await end(client, transactionId, type);
      const again = await target.rest(client);
      // ActiveMQ gives them back one by one, the last first.
      assertEquals(again.toSorted(), type === COMMIT ? [] : ["1", "2"]);
    }
  },
);

behaviour("Acknowledgements of a topic consumer count when they are committed", async (target) => {
  const client = await target.open();
  await client.consumer(target.topic(), { prefetchSize: 2 });
  await client.publish(target.topic(), "1", "2", "3", "4");
  const sent = await client.dispatches(2);
  const lost = await begin(client);
  await client.request(client.ack(sent, 2, { transactionId: lost }));
  await end(client, lost, ROLLBACK);
  assertEquals(await target.rest(client), []);
  const transactionId = await begin(client);
  await client.request(client.ack(sent, 2, { transactionId }));
  assertEquals(await target.rest(client), []);
  await end(client, transactionId, COMMIT);
  assertEquals(texts(await client.dispatches(2)), ["3", "4"]);
});

for (const type of [COMMIT, ROLLBACK]) {
  behaviour(
    `A topic consumer's window after ${type === COMMIT ? "commit" : "rollback"}`,
    async (target) => {
      const client = await target.open();
      await client.consumer(target.topic(), { prefetchSize: 2 });
      await client.publish(target.topic(), ...Array.from("123456789"));
      const sent = await client.dispatches(2);
      const transactionId = await begin(client);
      // DELIVERED widens by its count, INDIVIDUAL by one.
      await client.send(client.ack([sent[0]!], 0, { transactionId }));
      assertEquals(texts(await client.dispatches(1)), ["3"]);
      await client.send(client.ack([sent[1]!], 4, { transactionId, firstMessageId: null }));
      assertEquals(texts(await client.dispatches(1)), ["4"]);
      await client.send(client.ack([sent[0]!], 2, { transactionId, firstMessageId: null }));
      assertEquals(await target.rest(client), []);
      await end(client, transactionId, type);
      if (type === COMMIT) {
        // Three of the four are gone, and the widened window is as it was.
        assertEquals(await target.rest(client), ["5", "6", "7"]);
        return;
      }
      assertEquals(await target.rest(client), []);
      await client.send(client.ack(sent, 0, { messageCount: 1 }));
      assertEquals(await target.rest(client), []);
      await client.send(client.ack(sent, 0, { messageCount: 2 }));
      assertEquals(await target.rest(client), ["5"]);
    },
  );
}

behaviour("A POISON acknowledgement can't be in a transaction", async (target) => {
  const { client, sent } = await consumer(target, 1, "1");
  const transactionId = await begin(client);
  const [className, message] = refusal(
    await client.request(client.ack(sent, 1, { transactionId })),
  );
  assertEquals(className, "javax.jms.JMSException");
  assertStringIncludes(message!, "Poison ack cannot be transacted: MessageAck {");
});
