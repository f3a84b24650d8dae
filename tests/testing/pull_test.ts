import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  type ActiveMQDestination,
  type ConsumerId,
  createConsumerControl,
  createConsumerId,
  createMessagePull,
} from "../../codec/mod.ts";
import { type RawClient, refusal, text } from "./_raw_client.ts";
import { behaviour, texts } from "./_targets.ts";

function pull(consumerId: ConsumerId, destination: ActiveMQDestination, timeout: number) {
  return createMessagePull({ consumerId, destination, timeout });
}

async function next(client: RawClient): Promise<string | null> {
  const [dispatch] = await client.dispatches(1);
  if (dispatch!.message === null) assertEquals(dispatch!.destination, null);
  return text(dispatch!);
}

for (const kind of ["queue", "topic"] as const) {
  behaviour(`A ${kind} consumer that pulls gets one message for each pull`, async (target) => {
    const client = await target.open();
    const place = target[kind]();
    const consumer = await client.consumer(place, { prefetchSize: 0 });
    await client.publish(place, "1", "2", "3");
    await client.send(pull(consumer, place, 0));
    assertEquals(await next(client), "1");
    assertEquals(await target.rest(client), []);
    await client.send(pull(consumer, place, -1));
    assertEquals(await next(client), "2");
    await client.send(pull(consumer, place, 10_000));
    assertEquals(await next(client), "3");
    assertEquals(await target.rest(client), []);
  });

  behaviour(
    `A pull from an empty ${kind} waits for ever, for a time or not at all`,
    async (target) => {
      const client = await target.open();
      const place = target[kind]();
      const consumer = await client.consumer(place, { prefetchSize: 0 });
      await client.send(pull(consumer, place, -1));
      assertEquals(await next(client), null);
      await client.send(pull(consumer, place, 20));
      assertEquals(await next(client), null);
      await client.publish(place, "1");
      assertEquals(await target.rest(client), []); // both are over
      await client.send(pull(consumer, place, -1));
      assertEquals(await next(client), "1");
      await client.send(pull(consumer, place, 0));
      assertEquals(await target.rest(client), []);
      await client.publish(place, "2", "3");
      assertEquals(await next(client), "2");
      assertEquals(await target.rest(client), []);
    },
  );
}

behaviour("A pull that got a message is not told later that there was none", async (target) => {
  const client = await target.open();
  const consumer = await client.consumer(target.queue(), { prefetchSize: 0 });
  await client.send(pull(consumer, target.queue(), 60));
  await client.publish(target.queue(), "1");
  assertEquals(await next(client), "1");
  await client.send(pull(consumer, target.queue(), 80));
  assertEquals(await next(client), null);
  assertEquals(await target.rest(client), []);
});

behaviour("A pull of a consumer with a window does nothing", async (target) => {
  const client = await target.open();
  const consumer = await client.consumer(target.queue(), { prefetchSize: 1 });
  await client.publish(target.queue(), "1", "2");
  assertEquals(await next(client), "1");
  const answer = await client.request(pull(consumer, target.queue(), -1));
  assertEquals(answer.dataType, "Response");
  assertEquals(await target.rest(client), []);
});

behaviour("A pull of an unknown consumer is refused", async (target) => {
  const client = await target.open();
  const { connectionId } = client;
  const consumer = createConsumerId({ connectionId, sessionId: 1, value: 99 });
  const [className, message] = refusal(await client.request(pull(consumer, target.queue(), -1)));
  assertEquals(className, "java.lang.IllegalArgumentException");
  assertStringIncludes(message!, `The subscription does not exist: ${connectionId}:1:99`);
});

behaviour("What was pulled and not acknowledged comes again", async (target) => {
  const client = await target.open();
  const first = await client.consumer(target.queue(), { prefetchSize: 0 });
  await client.publish(target.queue(), "1", "2");
  await client.send(pull(first, target.queue(), 0));
  const [one] = await client.dispatches(1);
  await client.remove(first, Number(one!.message!.messageId!.brokerSequenceId));
  await client.consumer(target.queue());
  const again = await client.dispatches(2);
  assertEquals(again.map((d) => [text(d), d.redeliveryCounter]), [["1", 1], ["2", 0]]);
});

behaviour("A DELIVERED acknowledgement does not pull", async (target) => {
  const client = await target.open();
  const consumer = await client.consumer(target.queue(), { prefetchSize: 0 });
  await client.publish(target.queue(), "1", "2");
  await client.send(pull(consumer, target.queue(), 0));
  const sent = await client.dispatches(1);
  await client.send(client.ack(sent, 0));
  assertEquals(await target.rest(client), []);
  await client.send(client.ack(sent, 2));
  assertEquals(await target.rest(client), []);
});

behaviour("A client changes the window of its consumer, to pull and back", async (target) => {
  const client = await target.open();
  const destination = target.queue();
  const consumerId = await client.consumer(destination, { prefetchSize: 1 });
  await client.publish(destination, "1", "2", "3", "4");
  const sent = await client.dispatches(1);
  await client.send(createConsumerControl({ consumerId, destination, prefetch: 0 }));
  await client.send(client.ack(sent, 2));
  assertEquals(await target.rest(client), []);
  await client.send(pull(consumerId, destination, 0));
  assertEquals(await next(client), "2");
  await client.send(createConsumerControl({ consumerId, destination, prefetch: 2 }));
  assertEquals(texts(await client.dispatches(1)), ["3"]);
  assertEquals(await target.rest(client), []);
});
