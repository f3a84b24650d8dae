import { assertEquals } from "@std/assert";
import { createConsumerControl } from "../../codec/mod.ts";
import { behaviour, texts } from "./_targets.ts";
import { text } from "./_raw_client.ts";

behaviour("A queue keeps messages in order until a consumer comes", async (target) => {
  const client = await target.open();
  const queue = target.queue();
  await client.publish(queue, "1", "2", "3");
  const consumerId = await client.consumer(queue);
  const dispatches = await client.dispatches(3);
  assertEquals(texts(dispatches), ["1", "2", "3"]);
  const [{ message, ...dispatch }] = dispatches as [typeof dispatches[0]];
  assertEquals(dispatch, {
    dataType: "MessageDispatch",
    commandId: 0,
    responseRequired: false,
    consumerId,
    destination: queue,
    redeliveryCounter: 0,
  });
  const sequences = dispatches.map(({ message }) => Number(message!.messageId!.brokerSequenceId));
  assertEquals(sequences.map((n) => n > 0), [true, true, true]);
  assertEquals(sequences.toSorted((a, b) => a - b), sequences);
  assertEquals([message!.brokerInTime > 0, message!.brokerOutTime > 0], [true, true]);
  assertEquals([message!.arrival, message!.originalDestination, message!.persistent], [
    0,
    null,
    true,
  ]);
});

behaviour("A queue does not look at the priority of messages", async (target) => {
  const client = await target.open();
  const producer = await client.producer();
  for (const priority of [1, 9, 4]) {
    await client.request(client.message(producer, target.queue(), `${priority}`, { priority }));
  }
  await client.consumer(target.queue());
  assertEquals(texts(await client.dispatches(3)), ["1", "9", "4"]);
});

behaviour("A queue serves its consumers in turn", async (target) => {
  const client = await target.open();
  const first = await client.consumer(target.queue());
  await client.consumer(target.queue());
  await client.publish(target.queue(), "1", "2", "3", "4");
  const dispatches = await client.dispatches(4);
  assertEquals(
    dispatches.map((dispatch) => [text(dispatch), dispatch.consumerId!.value === first.value]),
    [["1", true], ["2", false], ["3", true], ["4", false]],
  );
});

behaviour("A queue serves consumers of higher priority first", async (target) => {
  const client = await target.open();
  const low = await client.consumer(target.queue(), { prefetchSize: 1 });
  await client.consumer(target.queue(), { prefetchSize: 2, priority: 5 });
  await client.consumer(target.queue(), { prefetchSize: 2, priority: 5 });
  await client.publish(target.queue(), "1", "2", "3", "4", "5");
  const places = (await client.dispatches(5)).map(({ consumerId }) =>
    Number(consumerId!.value) - Number(low.value)
  );
  assertEquals(places, [1, 2, 1, 2, 0]);
});

behaviour("A queue serves its exclusive consumer only", async (target) => {
  const client = await target.open();
  await client.consumer(target.queue());
  const exclusive = await client.consumer(target.queue(), { exclusive: true });
  await client.publish(target.queue(), "1", "2");
  const dispatches = await client.dispatches(2);
  assertEquals(
    dispatches.map(({ consumerId }) => consumerId!.value),
    [exclusive.value, exclusive.value],
  );
});

behaviour("A queue gives the messages of a group to one consumer", async (target) => {
  const client = await target.open();
  const producer = await client.producer();
  const first = await client.consumer(target.queue());
  await client.consumer(target.queue());
  const messages = [["A", 0], ["B", 0], ["A", 0], ["B", 2], ["A", 1], ["A", 2], ["A", -1], [
    "A",
    5,
  ]];
  for (const [groupID, groupSequence] of messages as [string, number][]) {
    const body = `${groupID}${groupSequence}`;
    await client.request(
      client.message(producer, target.queue(), body, { groupID, groupSequence }),
    );
  }
  const dispatches = await client.dispatches(8);
  assertEquals(
    dispatches.map((dispatch) => [
      text(dispatch),
      Number(dispatch.consumerId!.value) - Number(first.value),
      dispatch.message!.jmsxGroupFirstForConsumer,
    ]),
    [
      ["A0", 0, true],
      ["B0", 1, true],
      ["A0", 0, false],
      ["B2", 1, false],
      ["A1", 0, true],
      ["A2", 0, false],
      ["A-1", 0, false],
      ["A5", 1, true],
    ],
  );
});

behaviour("A queue sends no more than the prefetch size", async (target) => {
  const client = await target.open();
  const consumerId = await client.consumer(target.queue(), { prefetchSize: 1 });
  await client.publish(target.queue(), "1", "2", "3", "4");
  assertEquals(texts(await client.dispatches(1)), ["1"]);
  assertEquals(await target.rest(client), []);
  const destination = target.queue();
  await client.send(createConsumerControl({ consumerId, destination, prefetch: 3 }));
  assertEquals(texts(await client.dispatches(2)), ["2", "3"]);
  assertEquals(await target.rest(client), []);
});

behaviour("A queue sends nothing to a consumer with prefetch size 0", async (target) => {
  const client = await target.open();
  await client.consumer(target.queue(), { prefetchSize: 0 });
  await client.publish(target.queue(), "1");
  assertEquals(await target.rest(client), []);
});

behaviour(
  "A queue holds messages of its own connection from a noLocal consumer",
  async (target) => {
    const client = await target.open();
    await client.consumer(target.queue(), { noLocal: true });
    await client.publish(target.queue(), "own");
    assertEquals(await target.rest(client), []);
    const other = await target.open();
    await other.publish(target.queue(), "foreign");
    assertEquals(texts(await client.dispatches(1)), ["foreign"]);
    await other.consumer(target.queue());
    assertEquals(texts(await other.dispatches(1)), ["own"]);
  },
);
