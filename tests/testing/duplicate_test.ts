import { assertEquals } from "@std/assert";
import { behaviour, texts } from "./_targets.ts";

behaviour("A queue takes a persistent message once, consumed or not", async (target) => {
  const client = await target.open();
  const producer = await client.producer();
  const message = client.message(producer, target.queue(), "1");
  await client.request(message);
  assertEquals((await client.request(message)).dataType, "Response");
  await client.consumer(target.queue());
  const sent = await client.dispatches(1);
  assertEquals(texts(sent), ["1"]);
  await client.request(client.ack(sent, 2));
  assertEquals((await client.request(message)).dataType, "Response");
  assertEquals(await target.rest(client), []);
});

behaviour(
  "A queue takes a message that isn't persistent again once it is consumed",
  async (target) => {
    const client = await target.open();
    const producer = await client.producer();
    await client.consumer(target.queue());
    const message = client.message(producer, target.queue(), "1", { persistent: false });
    await client.request(message);
    const sent = await client.dispatches(1);
    await client.request(message);
    assertEquals(await target.rest(client), []);
    await client.request(client.ack(sent, 2));
    await client.request({ ...message, messageId: { ...message.messageId! } });
    assertEquals(texts(await client.dispatches(1)), ["1"]);
  },
);

behaviour("A queue takes a message again that went to the dead letter queue", async (target) => {
  const client = await target.open();
  const producer = await client.producer();
  const message = client.message(producer, target.queue(), "1");
  await client.consumer(target.queue());
  await client.request(message);
  await client.request(client.ack(await client.dispatches(1), 1));
  await client.request(message);
  assertEquals(texts(await client.dispatches(1)), ["1"]);
});

behaviour("A queue takes a message again that got too old there", async (target) => {
  const client = await target.open();
  const producer = await client.producer();
  const expiration = Date.now() + 30;
  const message = client.message(producer, target.queue(), "1", { expiration });
  await client.request(message);
  while (Date.now() <= expiration) await new Promise((resolve) => setTimeout(resolve, 10));
  await client.consumer(target.queue());
  await target.deadLetter(client);
  await client.request({ ...message, expiration: 0 });
  assertEquals(texts(await client.dispatches(1)), ["1"]);
});

behaviour("A topic takes a message as often as it is sent", async (target) => {
  const client = await target.open();
  const producer = await client.producer();
  const message = client.message(producer, target.topic(), "1");
  await client.consumer(target.topic());
  await client.request(message);
  await client.request(message);
  assertEquals(texts(await client.dispatches(2)), ["1", "1"]);
});

behaviour("Messages of several destinations are no duplicates of each other", async (target) => {
  const client = await target.open();
  const producer = await client.producer();
  const message = client.message(producer, target.queue("A"), "1");
  await client.request(message);
  await client.request({ ...message, destination: target.queue("B") });
  await client.consumer(target.queue("*"));
  assertEquals(texts(await client.dispatches(2)), ["1", "1"]);
});
