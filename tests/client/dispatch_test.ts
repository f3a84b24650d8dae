/** What a consumer makes of what a broker dispatches, one by one. */

import { createMessageDispatch, type DataStructure, type MessageAck } from "../../codec/mod.ts";
import { assertEquals } from "@std/assert";
import { test } from "../_harness.ts";
import { consumerInfo, dispatchTo, textMessage, withVictim } from "../hostile/_attack.ts";
import { received, texts, until } from "./_messages.ts";

function acks(commands: readonly DataStructure[]): MessageAck[] {
  return commands.filter((command) => command.dataType === "MessageAck");
}

function pulls(commands: readonly DataStructure[]): number {
  return commands.filter(({ dataType }) => dataType === "MessagePull").length;
}

test("messages are given out and acknowledged as they come, whatever their priorities", async () => {
  await withVictim(async ({ connection, script, commands }) => {
    const consumer = await connection.createConsumer("orders");
    const sent = [4, 0, 9, 4, 9].map((priority) => ({ ...textMessage(`${priority}`), priority }));
    for (const message of sent) await script.send(dispatchTo(consumer.id, message));
    await connection.ping();
    assertEquals(consumer.buffered, 5);
    const messages = [];
    for (let i = 0; i < 5; i++) messages.push(await received(consumer));
    assertEquals(texts(messages), ["4", "0", "9", "4", "9"]);
    await connection.ping();
    assertEquals(
      acks(commands).map(({ lastMessageId }) => lastMessageId?.producerSequenceId),
      sent.map(({ messageId }) => messageId?.producerSequenceId),
    );
  });
});

test("a message that comes twice is given out twice: only its application can tell whether it is the same", async () => {
  await withVictim(async ({ connection, script, commands }) => {
    const consumer = await connection.createConsumer("orders", { acknowledgeMode: "individual" });
    const message = textMessage("again");
    await script.send(dispatchTo(consumer.id, message));
    const redelivered = { ...dispatchTo(consumer.id, message), redeliveryCounter: 1 };
    await script.send(redelivered as DataStructure);
    const [first, second] = [await received(consumer), await received(consumer)];
    assertEquals([first.id, first.redelivered], [second.id, false]);
    assertEquals(second.redelivered, true);
    await first.ack();
    await second.ack();
    await connection.ping();
    assertEquals(acks(commands).map(({ ackType }) => ackType), [4, 4]);
  });
});

test("prefetch size 0: another is asked for when the one that came was too old", async () => {
  await withVictim(async ({ connection, script, commands }) => {
    const consumer = await connection.createConsumer("orders", { prefetchSize: 0 });
    const waiting = consumer.receive({ timeout: 20_000 });
    for (let i = 1; i <= 3; i++) {
      await until(() => pulls(commands) === i);
      await script.send(dispatchTo(consumer.id, { ...textMessage("old"), expiration: i }));
    }
    await until(() => pulls(commands) === 4);
    await script.send(dispatchTo(consumer.id, textMessage("new")));
    assertEquals((await waiting)?.text, "new");
    await connection.ping();
    assertEquals(acks(commands).map(({ ackType }) => ackType), [6, 6, 6, 2]);
  });
});

test("prefetch size 0: another is asked for when the one that came was delivered too often", async () => {
  await withVictim(async ({ connection, script, commands }) => {
    const session = await connection.createSession({ acknowledgeMode: "transacted" });
    const consumer = await session.createConsumer("orders", { prefetchSize: 0 });
    const waiting = consumer.receive({ timeout: 20_000 });
    await until(() => pulls(commands) === 1);
    const { consumerId } = consumerInfo(commands);
    const message = textMessage("bad");
    const { destination } = message;
    await script.send(
      createMessageDispatch({ consumerId, destination, message, redeliveryCounter: 99 }),
    );
    await until(() => pulls(commands) === 2);
    await script.send(dispatchTo(consumer.id, textMessage("good")));
    assertEquals((await waiting)?.text, "good");
    await session.commit();
    assertEquals(acks(commands).map(({ ackType }) => ackType), [1, 2]);
  });
});
