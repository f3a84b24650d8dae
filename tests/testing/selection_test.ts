import { assertEquals } from "@std/assert";
import { type ActiveMQDestination, encodePrimitiveMap } from "../../codec/mod.ts";
import { type RawClient, refusal, text } from "./_raw_client.ts";
import { behaviour, texts } from "./_targets.ts";

/** Sends numbers as texts with a property that says the same. */
async function count(client: RawClient, place: ActiveMQDestination, from: number, to: number) {
  const producer = await client.producer();
  for (let n = from; n <= to; n++) {
    const marshalledProperties = encodePrimitiveMap({ n });
    await client.request(client.message(producer, place, `${n}`, { marshalledProperties }));
  }
}

behaviour("A queue holds what the selector of its consumer does not want", async (target) => {
  const client = await target.open();
  await count(client, target.queue(), 1, 4);
  await client.consumer(target.queue(), { selector: "n > 2" });
  assertEquals(texts(await client.dispatches(2)), ["3", "4"]);
  await count(client, target.queue(), 2, 3);
  assertEquals(texts(await client.dispatches(1)), ["3"]);
  await client.consumer(target.queue());
  assertEquals(texts(await client.dispatches(3)), ["1", "2", "2"]);
});

behaviour("Consumers of a queue get what their selectors want", async (target) => {
  const client = await target.open();
  const odd = await client.consumer(target.queue(), { selector: "n % 2 = 1", prefetchSize: 2 });
  await client.consumer(target.queue(), { selector: "n % 2 = 0", prefetchSize: 2 });
  await count(client, target.queue(), 1, 8);
  const sent = await client.dispatches(4);
  const places = sent.map((d) => [text(d), d.consumerId!.value === odd.value]);
  assertEquals(places, [["1", true], ["2", false], ["3", true], ["4", false]]);
  await client.send(client.ack([sent[1]!, sent[3]!], 2));
  assertEquals(texts(await client.dispatches(2)), ["6", "8"]);
  await client.send(client.ack([sent[0]!], 2));
  assertEquals(texts(await client.dispatches(1)), ["5"]);
});

behaviour("What comes back goes to a consumer that wants it", async (target) => {
  const client = await target.open();
  const first = await client.consumer(target.queue());
  await client.consumer(target.queue(), { selector: "n = 3" });
  await count(client, target.queue(), 1, 2);
  assertEquals(texts(await client.dispatches(2)), ["1", "2"]);
  await client.remove(first, -1);
  await client.consumer(target.queue(), { selector: "n = 2" });
  assertEquals(texts(await client.dispatches(1)), ["2"]);
  assertEquals(await target.rest(client), []);
});

behaviour("A topic leaves out what a selector does not want", async (target) => {
  const client = await target.open();
  await client.consumer(target.topic(), { selector: "n BETWEEN 2 AND 3" });
  await count(client, target.topic(), 1, 4);
  assertEquals(texts(await client.dispatches(2)), ["2", "3"]);
  assertEquals(await target.rest(client), []);
});

for (const init of [{}, { browser: true }, { subscriptionName: "S" }]) {
  behaviour(
    `A selector that makes no sense is refused ${JSON.stringify(init)}`,
    async (target) => {
      const client = await target.open();
      const place = "subscriptionName" in init ? target.topic() : target.queue();
      const info = client.consumerInfo(place, { selector: "n = = 1", ...init });
      assertEquals(refusal(await client.request(info))[0], "javax.jms.InvalidSelectorException");
      // The id may be used again.
      assertEquals((await client.request({ ...info, selector: "n = 1" })).dataType, "Response");
    },
  );
}

behaviour(
  "A second exclusive consumer takes over only with a higher priority, or the highest",
  async (target) => {
    const client = await target.open();
    const places = new Map<number, string>();
    const open = async (name: string, priority: number) => {
      const id = await client.consumer(target.queue(), { exclusive: true, priority });
      places.set(Number(id.value), name);
      return id;
    };
    const next = async () => {
      await client.publish(target.queue(), "x");
      const [dispatch] = await client.dispatches(1);
      await client.request(client.ack([dispatch!], 4));
      return places.get(Number(dispatch!.consumerId!.value));
    };
    await open("first", 0);
    await open("second", 0);
    assertEquals(await next(), "first");
    await open("higher", 5);
    assertEquals(await next(), "higher");
    await open("lower", 3);
    assertEquals(await next(), "higher");
    await open("highest", 127);
    assertEquals(await next(), "highest");
    const last = await open("highest again", 127);
    assertEquals(await next(), "highest again");
    await client.remove(last, -1);
    assertEquals(await next(), "highest");
  },
);

behaviour(
  "A group goes to another consumer when its owner is gone, and waits for a full one",
  async (target) => {
    const client = await target.open();
    const producer = await client.producer();
    const send = (body: string, groupID: string | null, groupSequence = 0) =>
      client.request(client.message(producer, target.queue(), body, { groupID, groupSequence }));
    const first = await client.consumer(target.queue(), { prefetchSize: 1 });
    await send("A1", "A");
    assertEquals(texts(await client.dispatches(1)), ["A1"]);
    await client.consumer(target.queue(), { prefetchSize: 10 });
    await send("A2", "A");
    await send("none", null);
    assertEquals(texts(await client.dispatches(1)), ["none"]);
    assertEquals(await target.rest(client), []);
    await client.remove(first, -1);
    const sent = await client.dispatches(2);
    assertEquals(sent.map((d) => [text(d), d.message!.jmsxGroupFirstForConsumer]), [
      ["A1", true],
      ["A2", false],
    ]);
  },
);

behaviour(
  "A group that was closed may go to a consumer that could not have it before",
  async (target) => {
    const client = await target.open();
    const producer = await client.producer();
    const first = await client.consumer(target.queue(), { prefetchSize: 1 });
    const send = (groupSequence: number) => {
      const init = { groupID: "G", groupSequence };
      return client.request(client.message(producer, target.queue(), `${groupSequence}`, init));
    };
    await send(0);
    let sent = await client.dispatches(1);
    await client.consumer(target.queue(), { prefetchSize: 10 });
    await send(2);
    await send(-1);
    await send(4);
    assertEquals(await target.rest(client), []);
    for (const expected of ["2", "-1"]) {
      await client.send(client.ack(sent, 2));
      sent = await client.dispatches(1);
      assertEquals([text(sent[0]!), sent[0]!.consumerId!.value === first.value], [expected, true]);
    }
    const [other] = await client.dispatches(1);
    assertEquals([text(other!), other!.consumerId!.value === first.value], ["4", false]);
    assertEquals(other!.message!.jmsxGroupFirstForConsumer, true);
  },
);

behaviour("EXPIRED is believed, whatever the time", async (target) => {
  const client = await target.open();
  const consumer = await client.consumer(target.queue(), { prefetchSize: 1 });
  await client.publish(target.queue(), "1", "2");
  await client.send(client.ack(await client.dispatches(1), 6));
  assertEquals(texts(await client.dispatches(1)), ["2"]);
  await client.remove(consumer, -1);
  await client.consumer(target.queue());
  assertEquals(texts(await client.dispatches(1)), ["2"]);
  assertEquals(await target.rest(client), []);
  const dead = await target.deadLetter(client);
  assertEquals([text(dead), dead.message!.originalDestination], ["1", target.queue()]);
});

behaviour(
  "Retroactive consumers get nothing from before, without a policy for it",
  async (target) => {
    const client = await target.open();
    await client.publish(target.topic(), "before");
    await client.consumer(target.topic(), { retroactive: true });
    await client.publish(target.topic(), "after");
    assertEquals(texts(await client.dispatches(1)), ["after"]);
  },
);

behaviour("A limit of pending messages means nothing, without a policy for it", async (target) => {
  const client = await target.open();
  await client.consumer(target.topic(), { prefetchSize: 1, maximumPendingMessageLimit: 1 });
  await client.publish(target.topic(), "1", "2", "3", "4");
  const sent = await client.dispatches(1);
  await client.send(client.ack(sent, 0, { messageCount: 10 }));
  assertEquals(texts(await client.dispatches(3)), ["2", "3", "4"]);
});

behaviour(
  "A composite consumer acknowledges the copies of a composite message one by one",
  async (target) => {
    const client = await target.open();
    const physicalName = `${target.name("A")},${target.name("B")}`;
    const composite = { ...target.queue(), physicalName };
    const consumer = await client.consumer(composite);
    await client.publish(composite, "1");
    const sent = await client.dispatches(2);
    await client.request(client.ack([sent[0]!], 4));
    await client.remove(consumer, -1);
    const again = await client.consumer(composite);
    assertEquals(texts(await client.dispatches(1)), ["1"]);
    await client.publish(composite, "2");
    for (const dispatch of await client.dispatches(2)) {
      await client.request(client.ack([dispatch], 4));
    }
    await client.remove(again, -1);
    await client.consumer(composite);
    assertEquals(texts(await client.dispatches(1)), ["1"]);
    assertEquals(await target.rest(client), []);
  },
);
