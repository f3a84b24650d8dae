/** When messages count as done, and what is given out again. */

import {
  type AcknowledgeMode,
  BrokerError,
  connect,
  type Connection,
  type ConnectOptions,
  type MessageConsumer,
  OpenWireError,
  type Session,
} from "../../mod.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { MemoryBroker } from "../../testing/mod.ts";
import { test } from "../_harness.ts";
import { type TestBroker, testOnBrokers } from "./_brokers.ts";
import {
  assertIllegalState,
  AT_ONCE,
  deadLetter,
  left,
  outdated,
  received,
  send,
  take,
  texts,
  until,
} from "./_messages.ts";

async function open(
  { connect, name }: TestBroker,
  acknowledgeMode: AcknowledgeMode,
  options: ConnectOptions = {},
): Promise<{ connection: Connection; session: Session; consumer: MessageConsumer }> {
  const connection = await connect({ redeliveryPolicy: AT_ONCE, ...options });
  const session = await connection.createSession({ acknowledgeMode });
  return { connection, session, consumer: await session.createConsumer(name) };
}

testOnBrokers("mode client: ack() is for all that the session has given out", async (broker) => {
  const { session, consumer } = await open(broker, "client");
  const other = await session.createConsumer(`${broker.name}.other`);
  await send(broker, broker.name, "a", "b", "c", "d");
  await send(broker, `${broker.name}.other`, "x");
  const [a, b] = await take(consumer, 2);
  const x = await received(other);
  const c = await received(consumer);
  await b!.ack();
  await assertIllegalState(() => a!.ack());
  await assertIllegalState(() => x.ack());
  await assertIllegalState(() => c.ack());
  await received(consumer);
  await session.close();
  assertEquals(await left(broker, broker.name), [["d", 1]]);
  assertEquals(await left(broker, `${broker.name}.other`), []);
});

for (const mode of ["client", "individual", "transacted"] as const) {
  testOnBrokers(`mode ${mode}: more than the prefetch size can be held`, async (broker) => {
    const { session } = await open(broker, mode);
    await session.close();
    const connection = await broker.connect();
    const holder = await connection.createSession({ acknowledgeMode: mode });
    const consumer = await holder.createConsumer(broker.name, { prefetchSize: 10 });
    const sent = Array.from({ length: 100 }, (_, i) => String(i));
    await send(broker, broker.name, ...sent);
    const messages = await take(consumer, 100);
    assertEquals(texts(messages), sent);
    if (mode === "transacted") await holder.commit();
    else if (mode === "client") await messages.at(-1)!.ack();
    else for (const message of messages.reverse()) await message.ack();
    await connection.close();
    assertEquals(await left(broker, broker.name), []);
  });
}

testOnBrokers(
  "mode dups-ok: acknowledgements are gathered, and sent at the latest at the end",
  async (broker) => {
    const acks: number[] = [];
    const { session, consumer } = await open(broker, "dups-ok", {
      inspect: (command, direction) => {
        if (direction === "sent" && command.dataType === "MessageAck") {
          acks.push(command.messageCount);
        }
      },
      optimizeAcknowledgeTimeout: 0,
    });
    await send(broker, broker.name, "a", "b", "c");
    assertEquals(texts(await take(consumer, 3)), ["a", "b", "c"]);
    assertEquals(acks, []);
    await session.close();
    assertEquals(acks, [3]);
    assertEquals(await left(broker, broker.name), []);
  },
);

testOnBrokers(
  "optimizeAcknowledge gathers acknowledgements, up to a part of the prefetch size or the end",
  async (broker) => {
    const acks: number[] = [];
    const connection = await broker.connect({
      optimizeAcknowledge: true,
      optimizeAcknowledgeTimeout: 0,
      inspect: (command, direction) => {
        if (direction === "sent" && command.dataType === "MessageAck") {
          acks.push(command.messageCount);
        }
      },
    });
    const consumer = await connection.createConsumer(broker.name, { prefetchSize: 10 });
    await send(broker, broker.name, "1", "2", "3", "4", "5", "6", "7", "8");
    await take(consumer, 8);
    assertEquals(acks, [7]);
    await connection.close();
    assertEquals(acks, [7, 1]);
    assertEquals(await left(broker, broker.name), []);
  },
);

test("optimizeAcknowledgeTimeout says after how long gathered acknowledgements are sent", async () => {
  await using broker = await MemoryBroker.listen();
  const first = Promise.withResolvers<string | null>();
  broker.intercept((command, { connection }) => {
    if (command.dataType === "MessageAck") first.resolve(connection.clientId);
    return undefined;
  });
  // The patient one begins to wait before the other one.
  const timeouts = [["never", 0], ["patient", 3_600_000], ["quick", 20]] as const;
  await using connections = new AsyncDisposableStack();
  for (const [clientId, timeout] of timeouts) {
    const connection = await connect(broker.url, {
      clientId,
      optimizeAcknowledge: true,
      optimizeAcknowledgeTimeout: timeout,
    });
    connections.use(connection);
    const consumer = await connection.createConsumer(clientId);
    await connection.send(clientId, "a");
    await received(consumer);
  }
  assertEquals(await first.promise, "quick");
});

for (const sendAcksAsync of [true, false]) {
  const when = sendAcksAsync ? "does not wait for the broker" : "waits for the broker's answer";
  testOnBrokers(`sendAcksAsync ${sendAcksAsync}: ack() ${when}`, async (broker) => {
    const asked: boolean[] = [];
    const numbers = new Set<number>();
    let answered = 0;
    const { consumer, connection } = await open(broker, "individual", {
      sendAcksAsync,
      inspect: (command, direction) => {
        if (direction === "sent" && command.dataType === "MessageAck") {
          asked.push(command.responseRequired);
          numbers.add(command.commandId);
        } else if (command.dataType === "Response" && numbers.has(command.correlationId)) {
          answered++;
        }
      },
    });
    await send(broker, broker.name, "a");
    await (await received(consumer)).ack();
    assertEquals(answered, sendAcksAsync ? 0 : 1);
    await connection.close();
    assertEquals(asked, [!sendAcksAsync]);
    assertEquals(await left(broker, broker.name), []);
  });
}

test("sendAcksAsync false: ack() rejects when the broker refuses the acknowledgement", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url, { sendAcksAsync: false });
  await connection.send("q", "a");
  const consumer = await connection.createConsumer("q", { acknowledgeMode: "individual" });
  const message = await received(consumer);
  broker.fault({ command: "MessageAck", action: { refuse: "not yours" } });
  const error = await assertRejects(() => message.ack(), BrokerError);
  assertEquals(error.message, "Cannot acknowledge: not yours");
  assertEquals(broker.queue("q").size, 1);
});

test("sendAcksAsync true: the status reports that the broker refuses an acknowledgement", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url);
  await connection.send("q", "a");
  const consumer = await connection.createConsumer("q", { acknowledgeMode: "individual" });
  const message = await received(consumer);
  broker.fault({ command: "MessageAck", action: { refuse: "not yours" } });
  const reported = connection.status().next();
  await message.ack();
  const { value } = await reported;
  assertEquals([value.type, value.error?.message], [
    "error",
    "The broker reports a failure: not yours",
  ]);
  assertEquals(broker.queue("q").size, 1);
});

testOnBrokers(
  "recover() gives out again what is not done, in order, and counts",
  async (broker) => {
    const { session, consumer } = await open(broker, "individual");
    await send(broker, broker.name, "a", "b", "c", "d");
    const [a, b] = await take(consumer, 3);
    await b!.ack();
    session.recover();
    await assertIllegalState(() => a!.ack());
    const again = await take(consumer, 3);
    assertEquals(again.map(({ text, deliveryCount }) => [text, deliveryCount]), [
      ["a", 2],
      ["c", 2],
      ["d", 1],
    ]);
    for (const message of again) await message.ack();
    await session.close();
    assertEquals(await left(broker, broker.name), []);
  },
);

testOnBrokers(
  "reject() moves a message to the dead letter queue with its cause",
  async (broker) => {
    const { session, consumer } = await open(broker, "individual");
    const bad = `bad ${broker.name}`;
    await send(broker, broker.name, "a", bad, "c");
    const [a, b, c] = await take(consumer, 3);
    await b!.reject(new RangeError("no such customer"));
    await assertIllegalState(() => b!.ack());
    await c!.ack();
    await a!.ack();
    await session.close();
    assertEquals(await left(broker, broker.name), []);
    const dead = await deadLetter(broker, bad);
    const cause = dead.properties.get("dlqDeliveryFailureCause");
    assert(typeof cause === "string");
    assertStringIncludes(cause, "RangeError: no such customer");
  },
);

testOnBrokers("retry() gives a message out again later, and others meanwhile", async (broker) => {
  const { session, consumer } = await open(broker, "individual");
  await send(broker, broker.name, "a", "b");
  const a = await received(consumer);
  await a.retry({ delay: 50 });
  await assertIllegalState(() => a.retry());
  const [b, again] = await take(consumer, 2);
  assertEquals([b!.text, again!.text, again!.deliveryCount], ["b", "a", 2]);
  await b!.ack();
  await again!.ack();
  await session.close();
  assertEquals(await left(broker, broker.name), []);
});

testOnBrokers(
  "a message that is retried too often goes to the dead letter queue",
  async (broker) => {
    const { session, consumer } = await open(broker, "individual", {
      redeliveryPolicy: { ...AT_ONCE, maximumRedeliveries: 2 },
    });
    const bad = `bad ${broker.name}`;
    await send(broker, broker.name, bad);
    for (let count = 1; count <= 3; count++) {
      const message = await received(consumer);
      assertEquals([message.text, message.deliveryCount], [bad, count]);
      await message.retry({ delay: 0 });
    }
    await send(broker, broker.name, "next");
    const next = await received(consumer);
    assertEquals(next.text, "next");
    await next.ack();
    await session.close();
    await deadLetter(broker, bad);
    assertEquals(await left(broker, broker.name), []);
  },
);

testOnBrokers("a handler that fails gets the message again, before all others", async (broker) => {
  const { connection, consumer } = await open(broker, "auto", {
    redeliveryPolicy: {
      default: { maximumRedeliveries: 0 },
      destinations: [{
        destination: broker.name,
        policy: { ...AT_ONCE, maximumRedeliveries: 3 },
      }],
    },
  });
  const bad = `bad ${broker.name}`;
  const seen: string[] = [];
  const done = Promise.withResolvers<void>();
  consumer.consume(async (message) => {
    seen.push(`${message.text} ${message.deliveryCount}`);
    await Promise.resolve();
    if (message.text === bad) throw new Error("cannot do that");
    done.resolve();
  });
  await send(broker, broker.name, bad, "next");
  await done.promise;
  await connection.close();
  assertEquals(seen, [1, 2, 3, 4].map((count) => `${bad} ${count}`).concat("next 1"));
  const dead = await deadLetter(broker, bad);
  assertStringIncludes(
    String(dead.properties.get("dlqDeliveryFailureCause")),
    "Delivered 4 times: cannot do that",
  );
  assertEquals(await left(broker, broker.name), []);
});

testOnBrokers("a handler can settle a message itself", async (broker) => {
  const { connection, consumer } = await open(broker, "auto");
  const bad = `bad ${broker.name}`;
  const seen: string[] = [];
  const done = Promise.withResolvers<void>();
  consumer.consume(async (message) => {
    seen.push(`${message.text} ${message.deliveryCount}`);
    if (message.text === bad) await message.reject("not for us");
    else if (message.deliveryCount === 1) await message.retry({ delay: 0 });
    else await message.ack();
    if (message.deliveryCount === 2) done.resolve();
  });
  await send(broker, broker.name, bad, "again");
  await done.promise;
  await connection.close();
  assertEquals(seen, [`${bad} 1`, "again 1", "again 2"]);
  await deadLetter(broker, bad);
  assertEquals(await left(broker, broker.name), []);
});

testOnBrokers(
  "concurrency: messages are handled at the same time, those of a group in order",
  async (broker) => {
    const connection = await broker.connect();
    const groups = ["g1", "g2", null] as const;
    for (let i = 0; i < 30; i++) {
      const groupId = groups[i % 3];
      await connection.send(broker.name, String(i), groupId ? { groupId } : {});
    }
    const consumer = await connection.createConsumer(broker.name);
    let active = 0;
    let most = 0;
    const perGroup = new Map<string | null, number[]>();
    const activeGroups = new Set<string>();
    const all = Promise.withResolvers<void>();
    let count = 0;
    consumer.consume(async (message) => {
      most = Math.max(most, ++active);
      const group = message.groupId;
      if (group) {
        assert(!activeGroups.has(group), "two messages of a group at the same time");
        activeGroups.add(group);
      }
      // Some take longer, so that they end in another order.
      for (let turn = 0; turn < count % 4; turn++) await new Promise((wake) => setTimeout(wake, 1));
      perGroup.set(group, [...perGroup.get(group) ?? [], Number(message.text)]);
      if (group) activeGroups.delete(group);
      active--;
      if (++count === 30) all.resolve();
    }, { concurrency: 5 });
    await all.promise;
    await connection.close();
    assert(most > 1 && most <= 5, `${most} at a time`);
    for (const group of ["g1", "g2"]) {
      const numbers = perGroup.get(group)!;
      assertEquals(numbers, numbers.toSorted((a, b) => a - b));
    }
    assertEquals(await left(broker, broker.name), []);
  },
);

testOnBrokers(
  "concurrency: the rest of a group waits for a message that failed",
  async (broker) => {
    const connection = await broker.connect({ redeliveryPolicy: { initialRedeliveryDelay: 20 } });
    for (const text of ["a", "b", "c"]) await connection.send(broker.name, text, { groupId: "g" });
    await connection.send(broker.name, "free");
    const consumer = await connection.createConsumer(broker.name);
    const seen: string[] = [];
    const all = Promise.withResolvers<void>();
    consumer.consume((message) => {
      seen.push(`${message.text}${message.deliveryCount}`);
      if (message.text === "c") all.resolve();
      if (message.text === "a" && message.deliveryCount === 1) throw new Error("not yet");
    }, { concurrency: 4 });
    await all.promise;
    await connection.close();
    assertEquals(seen.filter((text) => text !== "free1"), ["a1", "a2", "b1", "c1"]);
    assert(seen.includes("free1"));
  },
);

testOnBrokers(
  "what was prefetched and not given out counts as no attempt, however it ends",
  async (broker) => {
    const { connection, session, consumer } = await open(broker, "individual");
    await send(broker, broker.name, "a", "b", "c");
    const a = await received(consumer);
    await consumer.close();
    await assertRejects(() => a.ack(), OpenWireError, "closed");
    assertEquals(
      (await open(broker, "auto").then(async ({ connection, consumer }) => {
        const messages = await take(consumer, 1);
        await connection.close();
        return messages;
      })).map(({ text, redeliveryCount }) => [text, redeliveryCount]),
      [["a", 1]],
    );
    await session.close();
    await connection.close();
    assertEquals(await left(broker, broker.name), [["b", 0], ["c", 0]]);
  },
);

testOnBrokers(
  "messages that are too old are dropped when they would be given out",
  async (broker) => {
    const acks: [number, number][] = [];
    const connection = await broker.connect({
      inspect: (command) => {
        if (command.dataType !== "MessageAck") return;
        acks.push([command.ackType, command.messageCount]);
      },
    });
    const consumer = await connection.createConsumer(broker.name);
    consumer.pause();
    await outdated(
      () => consumer.buffered,
      (timeToLive) => connection.send(broker.name, "old", { timeToLive, persistent: false }),
    );
    await connection.send(broker.name, "new", { persistent: false });
    consumer.resume();
    assertEquals((await received(consumer)).text, "new");
    await connection.close();
    // Expired, then consumed.
    assertEquals(acks, [[6, 1], [2, 1]]);
  },
);

testOnBrokers("consumerExpiryCheckEnabled false: they are given out", async (broker) => {
  const connection = await broker.connect({ consumerExpiryCheckEnabled: false });
  const consumer = await connection.createConsumer(broker.name);
  consumer.pause();
  await outdated(
    () => consumer.buffered,
    (timeToLive) => connection.send(broker.name, "old", { timeToLive, persistent: false }),
  );
  consumer.resume();
  assertEquals((await received(consumer)).text, "old");
  await connection.close();
});

testOnBrokers(
  "a failed message is given again after its delay, and the others wait",
  async (broker) => {
    const connection = await broker.connect({ redeliveryPolicy: { initialRedeliveryDelay: 60 } });
    const consumer = await connection.createConsumer(broker.name);
    await send(broker, broker.name, "a", "b");
    const seen: { what: string; at: number }[] = [];
    const done = Promise.withResolvers<void>();
    consumer.consume((message) => {
      seen.push({ what: `${message.text}${message.deliveryCount}`, at: performance.now() });
      if (seen.length === 1) throw new Error("not yet");
      if (seen.length === 3) done.resolve();
    });
    await done.promise;
    assertEquals(seen.map(({ what }) => what), ["a1", "a2", "b1"]);
    // Timers of some runtimes are early by a part of a millisecond.
    assert(seen[1]!.at - seen[0]!.at >= 59);
  },
);

testOnBrokers("concurrency: others don't wait for a failed message", async (broker) => {
  const connection = await broker.connect({
    redeliveryPolicy: { initialRedeliveryDelay: 3_600_000 },
  });
  const consumer = await connection.createConsumer(broker.name);
  await send(broker, broker.name, "a", "b", "c");
  const seen: string[] = [];
  const done = Promise.withResolvers<void>();
  consumer.consume((message) => {
    seen.push(message.text!);
    if (seen.length === 1) throw new Error("not today");
    if (seen.length === 3) done.resolve();
  }, { concurrency: 2 });
  await done.promise;
  await connection.close();
  assertEquals(seen, ["a", "b", "c"]);
  assertEquals(await left(broker, broker.name), [["a", 1]]);
});

testOnBrokers(
  "a handler that fails without end and without delay leaves room for all else",
  async (broker) => {
    const connection = await broker.connect({
      redeliveryPolicy: { ...AT_ONCE, maximumRedeliveries: -1 },
    });
    const consumer = await connection.createConsumer(broker.name);
    let attempts = 0;
    consumer.consume(() => {
      attempts++;
      throw new Error("never");
    });
    await connection.send(broker.name, "a");
    await until(() => attempts > 10);
    await connection.ping();
    await connection.close();
  },
);
