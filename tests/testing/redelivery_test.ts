import { assertEquals } from "@std/assert";
import { createConnectionId } from "../../codec/mod.ts";
import { text } from "./_raw_client.ts";
import { behaviour, texts } from "./_targets.ts";

const UNKNOWN = -2;
const NONE = -1;

for (
  const [what, lastDelivered, counters] of [
    ["unknown", () => UNKNOWN, [1, 1, 1]],
    ["none", () => NONE, [0, 0, 0]],
    ["the second", (sequence: number) => sequence, [1, 1, 0]],
    ["a message that isn't there", () => 2 ** 40, [0, 0, 0]],
  ] as const
) {
  behaviour(
    `A closed consumer's messages come again, the last delivered being ${what}`,
    async (target) => {
      const client = await target.open();
      const consumer = await client.consumer(target.queue());
      await client.publish(target.queue(), "1", "2", "3");
      const sent = await client.dispatches(3);
      await client.remove(
        consumer,
        lastDelivered(Number(sent[1]!.message!.messageId!.brokerSequenceId)),
      );
      await client.publish(target.queue(), "4");
      await client.consumer(target.queue());
      const again = await client.dispatches(4);
      assertEquals(texts(again), ["1", "2", "3", "4"]);
      assertEquals(again.map(({ redeliveryCounter }) => redeliveryCounter), [...counters, 0]);
      assertEquals(again.map(({ message }) => message!.redeliveryCounter), [...counters, 0]);
    },
  );
}

behaviour("The last delivered message counts only while it is not acknowledged", async (target) => {
  const client = await target.open();
  const consumer = await client.consumer(target.queue());
  await client.publish(target.queue(), "1", "2", "3");
  const sent = await client.dispatches(3);
  await client.request(client.ack([sent[1]!], 4));
  await client.remove(consumer, Number(sent[1]!.message!.messageId!.brokerSequenceId));
  await client.consumer(target.queue());
  assertEquals((await client.dispatches(2)).map((d) => [text(d), d.redeliveryCounter]), [
    ["1", 0],
    ["3", 0],
  ]);
});

behaviour("Closing a session or a connection counts for its consumers", async (target) => {
  const reader = await target.open();
  for (const close of ["session", "connection"]) {
    const client = await target.open();
    await client.consumer(target.queue(close));
    await client.publish(target.queue(close), "1", "2");
    const [one] = await client.dispatches(2);
    await client.remove(
      close === "session" ? client.sessionId : createConnectionId({ value: client.connectionId }),
      Number(one!.message!.messageId!.brokerSequenceId),
    );
    await reader.consumer(target.queue(close));
    assertEquals((await reader.dispatches(2)).map((d) => [text(d), d.redeliveryCounter]), [
      ["1", 1],
      ["2", 0],
    ]);
  }
});

behaviour("A lost link counts for all that was not acknowledged", async (target) => {
  const [lost, reader] = [await target.open(), await target.open()];
  await lost.consumer(target.queue());
  await lost.publish(target.queue(), "1", "2", "3");
  const [one] = await lost.dispatches(3);
  await lost.request(lost.ack([one!], 2));
  await reader.consumer(target.queue());
  await lost.drop();
  assertEquals((await reader.dispatches(2)).map((d) => [text(d), d.redeliveryCounter]), [
    ["2", 1],
    ["3", 1],
  ]);
});

behaviour(
  "What comes back stands before what was never sent, in the order of coming back",
  async (target) => {
    const client = await target.open();
    const first = await client.consumer(target.queue(), { prefetchSize: 2 });
    const second = await client.consumer(target.queue(), { prefetchSize: 2 });
    await client.publish(target.queue(), "1", "2", "3", "4", "5", "6");
    await client.dispatches(4);
    await client.remove(first, NONE);
    assertEquals(await target.rest(client), []);
    await client.remove(second, NONE);
    await client.consumer(target.queue());
    assertEquals(texts(await client.dispatches(6)), ["1", "3", "2", "4", "5", "6"]);
  },
);
