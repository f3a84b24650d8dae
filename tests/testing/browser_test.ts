import { assertEquals } from "@std/assert";
import {
  createActiveMQQueue,
  createConnectionId,
  createLocalTransactionId,
  createTransactionInfo,
  encodePrimitiveMap,
  type MessageDispatch,
} from "../../codec/mod.ts";
import { type RawClient, text } from "./_raw_client.ts";
import { behaviour, texts } from "./_targets.ts";

/** What a browser shows, up to its end. */
async function all(client: RawClient, acknowledge = true): Promise<MessageDispatch[]> {
  const found: MessageDispatch[] = [];
  for (;;) {
    const [dispatch] = await client.dispatches(1);
    if (dispatch!.message === null) {
      assertEquals(dispatch!.destination, null);
      return found;
    }
    found.push(dispatch!);
    if (acknowledge) await client.send(client.ack([dispatch!], 2));
  }
}

behaviour(
  "A browser shows what is there, says when that was all, and takes nothing",
  async (target) => {
    const client = await target.open();
    await client.publish(target.queue(), "1", "2", "3");
    await client.consumer(target.queue(), { browser: true, prefetchSize: 500 });
    assertEquals(texts(await all(client)), ["1", "2", "3"]);
    await client.publish(target.queue(), "4");
    assertEquals(await target.rest(client), []); // it is over
    await client.consumer(target.queue());
    const got = await client.dispatches(4);
    assertEquals(got.map((d) => [text(d), d.redeliveryCounter]), [["1", 0], ["2", 0], ["3", 0], [
      "4",
      0,
    ]]);
  },
);

behaviour("A browser of an empty queue says so", async (target) => {
  const client = await target.open();
  await client.consumer(target.queue(), { browser: true, prefetchSize: 500 });
  assertEquals(await all(client), []);
});

behaviour("A browser shows what consumers have and did not acknowledge", async (target) => {
  const client = await target.open();
  await client.consumer(target.queue(), { prefetchSize: 2 });
  await client.publish(target.queue(), "1", "2", "3");
  const [one] = await client.dispatches(2);
  await client.request(client.ack([one!], 2));
  assertEquals(texts(await client.dispatches(1)), ["3"]);
  const browser = await target.open();
  await browser.consumer(target.queue(), { browser: true, prefetchSize: 500 });
  assertEquals(texts(await all(browser)), ["2", "3"]);
});

behaviour("A browser shows what its selector wants", async (target) => {
  const client = await target.open();
  const producer = await client.producer();
  for (const n of [1, 2, 3, 4]) {
    const marshalledProperties = encodePrimitiveMap({ n });
    await client.request(
      client.message(producer, target.queue(), `${n}`, { marshalledProperties }),
    );
  }
  await client.consumer(target.queue(), { browser: true, prefetchSize: 500, selector: "n > 2" });
  assertEquals(texts(await all(client)), ["3", "4"]);
});

behaviour("A browser's window counts, also for the end", async (target) => {
  const client = await target.open();
  await client.publish(target.queue(), "1", "2", "3", "4");
  await client.consumer(target.queue(), { browser: true, prefetchSize: 2 });
  const sent = await client.dispatches(2);
  assertEquals(await target.rest(client), []);
  await client.send(client.ack(sent, 2));
  const more = await client.dispatches(2);
  assertEquals(texts(more), ["3", "4"]);
  assertEquals(await target.rest(client), []);
  await client.send(client.ack(more, 0));
  assertEquals(texts(await client.dispatches(1)), [null]);
});

behaviour("A browser that takes all at once shows all of a long queue", async (target) => {
  const client = await target.open();
  const producer = await client.producer();
  const bodies = Array.from({ length: 1000 }, (_, n) => `${n}`);
  await client.send(...bodies.map((body) => client.message(producer, target.queue(), body)));
  await client.settle();
  await client.consumer(target.queue(), { browser: true, prefetchSize: 2000 });
  assertEquals(texts(await all(client, false)), bodies);
});

behaviour("A browser of several queues shows them all", async (target) => {
  const client = await target.open();
  await client.publish(target.queue("A"), "A");
  await client.publish(target.queue("B"), "B");
  const physicalName = `${target.name("A")},${target.name("B")}`;
  await client.consumer(createActiveMQQueue({ physicalName }), { browser: true });
  assertEquals(texts(await all(client)).toSorted(), ["A", "B"]);
  await client.consumer(target.queue("*"), { browser: true });
  assertEquals(texts(await all(client)).toSorted(), ["A", "B"]);
});

behaviour(
  "A browser does not show what is too old, and does not take it from consumers",
  async (target) => {
    const client = await target.open();
    const producer = await client.producer();
    const expiration = Date.now() + 30;
    await client.request(client.message(producer, target.queue(), "late", { expiration }));
    await client.request(client.message(producer, target.queue(), "good"));
    while (Date.now() <= expiration) await new Promise((resolve) => setTimeout(resolve, 10));
    await client.consumer(target.queue(), { browser: true });
    assertEquals(texts(await all(client)), ["good"]);
    assertEquals(text(await target.deadLetter(client)), "late");
  },
);

behaviour("A closed browser gives nothing back", async (target) => {
  const client = await target.open();
  await client.publish(target.queue(), "1", "2");
  const browser = await client.consumer(target.queue(), { browser: true });
  await all(client, false);
  await client.remove(browser, -2);
  await client.consumer(target.queue());
  const got = await client.dispatches(2);
  assertEquals(got.map((d) => [text(d), d.redeliveryCounter]), [["1", 0], ["2", 0]]);
  assertEquals(await target.rest(client), []);
});

behaviour("A browser does not show what is acknowledged in an open transaction", async (target) => {
  const client = await target.open();
  const connectionId = createConnectionId({ value: client.connectionId });
  const transactionId = createLocalTransactionId({ connectionId, value: 1 });
  await client.send(createTransactionInfo({ connectionId, transactionId, type: 0 }));
  await client.consumer(target.queue());
  await client.publish(target.queue(), "1", "2");
  const [one] = await client.dispatches(2);
  await client.request(client.ack([one!], 2, { transactionId }));
  const browser = await target.open();
  await browser.consumer(target.queue(), { browser: true });
  assertEquals(texts(await all(browser)), ["2"]);
  await client.request(createTransactionInfo({ connectionId, transactionId, type: 4 }));
  await browser.consumer(target.queue(), { browser: true });
  assertEquals(texts(await all(browser)), ["1", "2"]);
});

behaviour("A browser does not show what is consumed before it comes to it", async (target) => {
  const client = await target.open();
  await client.consumer(target.queue());
  await client.publish(target.queue(), "1", "2", "3");
  const sent = await client.dispatches(3);
  const browser = await target.open();
  await browser.consumer(target.queue(), { browser: true, prefetchSize: 1 });
  const shown = await browser.dispatches(1);
  assertEquals(texts(shown), ["1"]);
  await client.request(client.ack([sent[1]!], 4));
  await browser.send(browser.ack(shown, 2));
  assertEquals(texts(await all(browser)), ["3"]);
});
