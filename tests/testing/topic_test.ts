import { assertEquals } from "@std/assert";
import { behaviour, texts } from "./_targets.ts";
import { refusal } from "./_raw_client.ts";

behaviour("A topic sends to all who are there", async (target) => {
  const [a, b] = [await target.open(), await target.open()];
  await a.publish(target.topic(), "nobody");
  await a.consumer(target.topic());
  await b.consumer(target.topic());
  await a.publish(target.topic(), "1", "2");
  assertEquals(texts(await a.dispatches(2)), ["1", "2"]);
  const dispatches = await b.dispatches(2);
  assertEquals(texts(dispatches), ["1", "2"]);
  assertEquals(dispatches[0]!.destination, target.topic());
  assertEquals(Number(dispatches[0]!.message!.messageId!.brokerSequenceId) > 0, true);
});

behaviour("A topic leaves out a noLocal consumer's own messages", async (target) => {
  const [a, b] = [await target.open(), await target.open()];
  await a.consumer(target.topic(), { noLocal: true });
  await a.publish(target.topic(), "own");
  await b.publish(target.topic(), "foreign");
  assertEquals(texts(await a.dispatches(1)), ["foreign"]);
});

behaviour("A topic keeps what does not fit into the window", async (target) => {
  const client = await target.open();
  await client.consumer(target.topic(), { prefetchSize: 2 });
  await client.publish(target.topic(), "1", "2", "3", "4", "5");
  const [one, two] = await client.dispatches(2);
  assertEquals(await target.rest(client), []);
  await client.send(client.ack([one!, two!], 2));
  const [three] = await client.dispatches(2);
  assertEquals(await target.rest(client), []);
  await client.send(client.ack([three!], 0));
  assertEquals(texts(await client.dispatches(1)), ["5"]);
});

behaviour("A topic counts the messages of an acknowledgement by their ids", async (target) => {
  const client = await target.open();
  await client.consumer(target.topic(), { prefetchSize: 2 });
  await client.publish(target.topic(), "1", "2", "3", "4");
  const [one] = await client.dispatches(2);
  await client.send(client.ack([one!], 2, { messageCount: 2 }));
  assertEquals(texts(await client.dispatches(1)), ["3"]);
  assertEquals(await target.rest(client), []);
  await client.send(client.ack([one!], 2));
  assertEquals(await target.rest(client), []);
});

behaviour("A topic refuses acknowledgements of a type that it doesn't know", async (target) => {
  const client = await target.open();
  await client.consumer(target.topic());
  await client.publish(target.topic(), "1");
  const dispatches = await client.dispatches(1);
  for (const ackType of [5, 9]) {
    const [className, message] = refusal(await client.request(client.ack(dispatches, ackType)));
    assertEquals(className, "javax.jms.JMSException");
    assertEquals(message!.startsWith("Invalid acknowledgment: MessageAck {"), true);
  }
  assertEquals((await client.request(client.ack(dispatches, 3))).dataType, "Response");
});
