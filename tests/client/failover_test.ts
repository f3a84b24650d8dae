/** What becomes of all that is open and under way when a connection is lost and replaced by another. */

import {
  connect,
  type Connection,
  type ConnectOptions,
  createXid,
  DeliveryLostError,
  type FailoverOptions,
  OpenWireError,
  OutcomeUnknownError,
  TimeoutError,
  TransactionInDoubtError,
  TransactionRolledBackError,
} from "../../mod.ts";
import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { FaultProxy } from "../faults/proxy/fault_proxy.ts";
import { type BrokerTestOptions, type TestBroker, testOnBrokers } from "./_brokers.ts";
import { left, received, send, take, texts, until } from "./_messages.ts";

/** A broker with a proxy before it, through which a connection goes that is replaced when it is lost. */
interface Scene {
  readonly broker: TestBroker;
  readonly proxy: FaultProxy;
  readonly connection: Connection;
  /** A name that no other test uses. */
  readonly name: string;
  /** Resolves when the connection was lost and replaced, once more. */
  resumed(): Promise<void>;
  /** Loses the connection, and waits until it was replaced. */
  lose(): Promise<void>;
}

const QUICK: FailoverOptions = { initialReconnectDelay: 1, maxReconnectDelay: 50 };

function testFailover(
  title: string,
  fn: (scene: Scene) => Promise<void>,
  options: ConnectOptions = {},
  testOptions: BrokerTestOptions = {},
): void {
  testOnBrokers(title, async (broker) => {
    await using proxy = await FaultProxy.listen(broker.url);
    const failover = { ...QUICK, ...options.failover };
    await using connection = await connect(proxy.url, { ...options, failover });
    const resumed = async (): Promise<void> => {
      for await (const { type, error } of connection.status()) {
        if (type === "resumed") return;
        if (type === "closed") throw error;
      }
    };
    const lose = async (): Promise<void> => {
      const done = resumed();
      proxy.connection.reset();
      await done;
    };
    await fn({ broker, proxy, connection, name: broker.name, resumed, lose });
  }, testOptions);
}

testFailover("what was open is open again", async ({ connection, name, lose }) => {
  const producer = await connection.createProducer(name);
  const consumer = await connection.createConsumer(name, { prefetchSize: 5 });
  const pulling = await connection.createConsumer(`${name}.pulled`, { prefetchSize: 0 });
  const filtered = await connection.createConsumer(`${name}.filtered`, { selector: "n > 1" });
  const temporary = await connection.createTemporaryQueue();
  const replies = await connection.createConsumer(temporary);
  const pulled = received(pulling);
  const before = connection.stats();

  await lose();

  await producer.send("one");
  assertEquals((await received(consumer)).text, "one");
  // It was waiting all the time.
  await connection.send(`${name}.pulled`, "two");
  assertEquals((await pulled).text, "two");
  await connection.send(`${name}.filtered`, "no", { properties: { n: 1 } });
  await connection.send(`${name}.filtered`, "yes", { properties: { n: 2 } });
  assertEquals((await received(filtered)).text, "yes");
  await connection.send(temporary, "three");
  assertEquals((await received(replies)).text, "three");
  const { sessions, consumers, producers, reconnections } = connection.stats();
  assertEquals([consumers, reconnections], [before.consumers, 1]);
  assertEquals([sessions, producers], [before.sessions, before.producers + 1]);
});

testFailover("requests are answered after a loss", async ({ broker, connection, name, lose }) => {
  await using other = await connect(broker.url);
  await using _responder = await other.respond(name, (message) => `${message.text}!`);
  assertEquals((await connection.request(name, "one")).text, "one!");
  await lose();
  assertEquals((await connection.request(name, "two")).text, "two!");
});

testFailover(
  "a durable subscription goes on",
  async ({ broker, connection, name, lose, proxy, resumed }) => {
    const topic = `topic://${name}`;
    const consumer = await connection.createConsumer(topic, { subscriptionName: name });
    await lose();
    await send(broker, topic, "one");
    assertEquals((await received(consumer)).text, "one");
    // The acknowledgement has no answer; this has, and comes after it.
    await connection.ping();
    proxy.suspend();
    const back = resumed();
    proxy.connection.end();
    await send(broker, topic, "two");
    await proxy.resume();
    await back;
    assertEquals((await received(consumer)).text, "two");
    await consumer.close();
    await connection.unsubscribe(name);
  },
  { clientId: `failover-${crypto.randomUUID()}` },
);

for (const when of ["before", "after"] as const) {
  testFailover(
    `a message whose answer is lost ${when} the broker has it is there once`,
    async ({ broker, proxy, connection, name }) => {
      const producer = await connection.createProducer(name);
      await producer.send("0");
      const fault = when === "before"
        ? { command: "Message", when: "before", nth: 2, action: "reset" } as const
        : {
          command: "Response",
          direction: "to-client",
          where: (_: unknown, { request }: { request: unknown }) =>
            (request as { dataType?: string } | undefined)?.dataType === "ActiveMQTextMessage",
          when: "before",
          action: "reset",
        } as const;
      proxy.fault(fault);
      const sends = ["1", "2", "3"].map((text) => producer.send(text));
      for (const { outcome } of await Promise.all(sends)) assertEquals(outcome, "confirmed");
      assertEquals(connection.stats().reconnections, 1);
      await producer.send("4");
      assertEquals((await left(broker, name)).map(([text]) => text), ["0", "1", "2", "3", "4"]);
    },
  );
}

testFailover(
  "messages in doubt are not sent again if that is not wanted",
  async ({ broker, proxy, connection, name, resumed }) => {
    const producer = await connection.createProducer(name);
    proxy.fault({ command: "Message", when: "before", action: "reset" });
    const back = resumed();
    await assertRejects(() => producer.send("lost"), OutcomeUnknownError);
    // What was given after the loss was noticed is in no doubt.
    await producer.send("after");
    await back;
    assertEquals((await left(broker, name)).map(([text]) => text), ["after"]);
  },
  { failover: { replaySends: false } },
);

const ASYNC = { confirm: false } as const;
/** Bytes as which each of the messages below counts for `maxCacheSize`: its text and 1024 more. */
const COUNTED = 1024 + "1".length + 4;

for (
  const [title, failover, found] of [
    ["are lost with it", {}, ["4"]],
    ["are sent again with trackMessages", { trackMessages: true }, ["1", "2", "3", "4"]],
    [
      "are sent again with trackMessages, as far as maxCacheSize goes",
      { trackMessages: true, maxCacheSize: 2 * COUNTED },
      ["2", "3", "4"],
    ],
    [
      "are not sent again with trackMessages and replaySends false",
      { trackMessages: true, maxCacheSize: COUNTED, replaySends: false },
      ["4"],
    ],
  ] as const
) {
  testFailover(
    `messages without an answer that a connection has swallowed ${title}`,
    async ({ broker, proxy, connection, name, lose }) => {
      const producer = await connection.createProducer(name);
      proxy.connection.apply("silence");
      for (const text of ["1", "2", "3"]) {
        assertEquals((await producer.send(text, ASYNC)).outcome, "windowed");
      }
      await lose();
      await producer.send("4", ASYNC);
      await connection.ping();
      assertEquals((await left(broker, name)).map(([text]) => text), [...found]);
    },
    { failover },
  );
}

testFailover(
  "a message that can't be sent takes nothing of maxCacheSize",
  async ({ broker, proxy, connection, name, lose }) => {
    const producer = await connection.createProducer(name);
    proxy.connection.apply("silence");
    await producer.send("1", ASYNC);
    await assertRejects(
      () => producer.send("2", { ...ASYNC, type: "x".repeat(70_000) }),
      OpenWireError,
    );
    for (const text of ["3", "4"]) await producer.send(text, ASYNC);
    await lose();
    await connection.ping();
    assertEquals((await left(broker, name)).map(([text]) => text), ["3", "4"]);
  },
  { failover: { trackMessages: true, maxCacheSize: 2 * COUNTED } },
);

testFailover(
  "what is sent while there is no connection arrives in order",
  async ({ broker, proxy, connection, name, resumed }) => {
    const producer = await connection.createProducer(name);
    proxy.suspend();
    const back = resumed();
    const interrupted = statusOf(connection, "interrupted");
    proxy.connection.end();
    await interrupted;
    assertEquals(connection.connected, false);
    const sends = Array.from(
      { length: 20 },
      (_, n) => producer.send(`${n}`, { confirm: n % 2 > 0 }),
    );
    const consumer = connection.createConsumer(`${name}.other`);
    await proxy.resume();
    await back;
    await Promise.all(sends);
    await consumer;
    assertEquals(connection.connected, true);
    const expected = Array.from({ length: 20 }, (_, n) => `${n}`);
    assertEquals((await left(broker, name)).map(([text]) => text), expected);
  },
);

testFailover(
  "messages that were received can't be settled any more, and come again",
  async ({ connection, name, lose }) => {
    const session = await connection.createSession({ acknowledgeMode: "individual" });
    const consumer = await session.createConsumer(name);
    for (const text of ["one", "two", "three"]) await session.send(name, text);
    const [one, two] = await take(consumer, 2);
    await one!.ack();
    // The acknowledgement has no answer; this has, and comes after it.
    await connection.ping();

    await lose();

    for (const settle of [() => two!.ack(), () => two!.reject(), () => two!.retry()]) {
      await assertRejects(settle, DeliveryLostError);
    }
    const again = await take(consumer, 2);
    assertEquals(texts(again), ["two", "three"]);
    assertEquals(again[0]!.redelivered, true);
    for (const message of again) await message.ack();
    assertEquals(connection.stats().unsettledMessages, 0);
  },
);

testFailover(
  "what was not given out before its connection was lost is not given up for that",
  async ({ broker, connection, name, lose }) => {
    await send(broker, name, "one", "two");
    const session = await connection.createSession({ acknowledgeMode: "transacted" });
    const consumer = await session.createConsumer(name, {
      redeliveryPolicy: { maximumRedeliveries: 2, initialRedeliveryDelay: 0, redeliveryDelay: 0 },
    });
    for (let i = 0; i < 5; i++) {
      await until(() => consumer.buffered === 2);
      await lose();
    }
    const messages = await take(consumer, 2);
    assertEquals(messages.map(({ text, redeliveryCount }) => [text, redeliveryCount]), [
      ["one", 0],
      ["two", 0],
    ]);
    await session.rollback();
    assertEquals((await take(consumer, 2)).map(({ redeliveryCount }) => redeliveryCount), [1, 1]);
    await session.commit();
  },
);

testFailover(
  "a handler whose message was lost gets it again when it has ended",
  async ({ connection, name, lose }) => {
    const consumer = await connection.createConsumer(name);
    const seen: [text: string | null, redelivered: boolean][] = [];
    const done = Promise.withResolvers<void>();
    let atWork = 0;
    const consuming = consumer.consume(async (message) => {
      assertEquals(++atWork, 1);
      seen.push([message.text, message.redelivered]);
      if (seen.length === 1) await lose();
      atWork--;
      if (message.text === "two") done.resolve();
    });
    await connection.send(name, "one");
    await connection.send(name, "two");
    await done.promise;
    await consumer.close();
    await consuming;
    // Which of those that were not given out count as redelivered is the broker's business.
    assertEquals(seen.map(([text]) => text), ["one", "one", "two"]);
    assertEquals(seen[1], ["one", true]);
  },
);

testFailover(
  "a transaction in which was only sent goes on",
  async ({ broker, connection, name, lose }) => {
    const session = await connection.createSession({ acknowledgeMode: "transacted" });
    await session.send(name, "one");
    const producer = await session.createProducer(name);
    await producer.send("two");
    // Another broker takes its messages only from a producer that it knows.
    await producer.close();
    await lose();
    await session.send(name, "three");
    await lose();
    await session.commit();
    await session.send(name, "four");
    await session.rollback();
    assertEquals((await left(broker, name)).map(([text]) => text), ["one", "two", "three"]);
    assertEquals(connection.stats().producers, 1);
  },
);

testFailover(
  "a transaction that has become too large is rolled back",
  async ({ broker, connection, name, lose }) => {
    const session = await connection.createSession({ acknowledgeMode: "transacted" });
    await session.send(name, new Uint8Array(2000));
    await session.send(name, "two");
    await lose();
    await assertRejects(() => session.send(name, "three"), TransactionRolledBackError);
    await assertRejects(() => session.commit(), TransactionRolledBackError, "too large");
    await session.send(name, "again");
    await session.commit();
    assertEquals((await left(broker, name)).map(([text]) => text), ["again"]);
  },
  { failover: { maxTransactionSize: 3000 } },
);

testFailover(
  "a transaction that has lost what it received is rolled back, and says so",
  async ({ broker, connection, name, lose }) => {
    await send(broker, name, "in");
    const session = await connection.createSession({ acknowledgeMode: "transacted" });
    const consumer = await session.createConsumer(name);
    assertEquals((await received(consumer)).text, "in");
    await session.send(`${name}.out`, "out");

    await lose();

    await assertRejects(() => session.send(`${name}.out`, "more"), TransactionRolledBackError);
    // What comes meanwhile is part of it, too.
    assertEquals((await received(consumer)).text, "in");
    const error = await assertRejects(() => session.commit(), TransactionRolledBackError);
    assertEquals([error.code, error.retryable], ["TRANSACTION_ROLLED_BACK", true]);

    const again = await received(consumer);
    assertEquals([again.text, again.redelivered], ["in", true]);
    await session.send(`${name}.out`, "out");
    await session.commit();
    await session.close();
    assertEquals((await left(broker, `${name}.out`)).map(([text]) => text), ["out"]);
    assertEquals(await left(broker, name), []);
  },
  { redeliveryPolicy: { initialRedeliveryDelay: 0, redeliveryDelay: 0 } },
);

for (const when of ["before", "after"] as const) {
  testFailover(
    `a commit is in doubt when the connection is lost ${when} the broker has it`,
    async ({ broker, proxy, connection, name, resumed }) => {
      const session = await connection.createSession({ acknowledgeMode: "transacted" });
      await session.send(name, "one");
      const direction = when === "before" ? "from-client" : "to-client";
      proxy.fault({
        command: when === "before" ? "TransactionInfo" : "Response",
        direction,
        where: (command, { request }) => {
          const info = when === "before" ? command : request;
          return info?.dataType === "TransactionInfo" && (info as { type?: number }).type === 2;
        },
        when: "before",
        action: "reset",
      });
      const back = resumed();
      const error = await assertRejects(() => session.commit(), TransactionInDoubtError);
      assertEquals([error.code, error.retryable], ["TRANSACTION_IN_DOUBT", false]);
      await back;
      // The session is as good as new.
      await session.send(name, "two");
      await session.commit();
      const expected = when === "before" ? ["two"] : ["one", "two"];
      assertEquals((await left(broker, name)).map(([text]) => text), expected);
    },
  );
}

testFailover(
  "a commit that was not sent yet is sent with its transaction",
  async ({ broker, proxy, connection, name, resumed }) => {
    const session = await connection.createSession({ acknowledgeMode: "transacted" });
    await session.send(name, "one");
    proxy.suspend();
    const interrupted = statusOf(connection, "interrupted");
    proxy.connection.end();
    await interrupted;
    const back = resumed();
    const commit = session.commit();
    const other = await connection.createSession({ acknowledgeMode: "transacted", timeout: 50 })
      .catch((error) => error);
    assert(other instanceof TimeoutError);
    await proxy.resume();
    await back;
    await commit;
    assertEquals((await left(broker, name)).map(([text]) => text), ["one"]);
  },
);

testFailover(
  "a rollback and a close while there is no connection are done",
  async ({ broker, proxy, connection, name, resumed }) => {
    const session = await connection.createSession({ acknowledgeMode: "transacted" });
    await session.send(name, "one");
    const consumer = await connection.createConsumer(name);
    const producer = await connection.createProducer(name);
    const temporary = await connection.createTemporaryQueue();
    proxy.suspend();
    const interrupted = statusOf(connection, "interrupted");
    proxy.connection.end();
    await interrupted;
    const back = resumed();
    await session.rollback();
    await session.close();
    await consumer.close();
    await producer.close();
    await temporary.delete();
    await proxy.resume();
    await back;
    await send(broker, name, "two");
    const { sessions, consumers, producers } = connection.stats();
    assertEquals([sessions, consumers, producers], [1, 0, 0]);
    assertEquals((await left(broker, name)).map(([text]) => text), ["two"]);
  },
);

testFailover(
  "a branch that was not prepared has failed, one that was prepared can be committed",
  async ({ broker, connection, name, lose, proxy }) => {
    const { xa } = connection;
    const session = await connection.createSession({ acknowledgeMode: "transacted" });
    const [lost, prepared, doubtful] = [createXid(), createXid(), createXid()];
    await xa.start(session, prepared);
    await session.send(name, "prepared");
    await xa.end(session, prepared);
    assertEquals(await xa.prepare(prepared), "ok");
    await xa.start(session, lost);
    await session.send(name, "lost");
    await lose();
    await assertRejects(() => session.send(name, "more"), TransactionRolledBackError);
    await xa.end(session, lost);
    await assertRejects(() => xa.prepare(lost), OpenWireError, "work for it has failed");
    await xa.commit(prepared);

    await xa.start(session, doubtful);
    await session.send(name, "doubtful");
    await xa.end(session, doubtful);
    proxy.fault({
      command: "TransactionInfo",
      where: (command) => (command as { type?: number }).type === 1,
      when: "before",
      action: "reset",
    });
    await assertRejects(() => xa.prepare(doubtful), TransactionInDoubtError);
    assertEquals((await left(broker, name)).map(([text]) => text), ["prepared"]);
  },
);

testFailover(
  "a message may wait for a connection no longer than the option says",
  async ({ broker, proxy, connection, name, resumed }) => {
    const producer = await connection.createProducer(name);
    proxy.suspend();
    const interrupted = statusOf(connection, "interrupted");
    proxy.connection.end();
    await interrupted;
    const error = await assertRejects(() => producer.send("late"), TimeoutError);
    assert(error.message.includes("no connection within 20 ms"), error.message);
    await assertRejects(
      () => producer.send("late", { confirm: false }),
      TimeoutError,
      "was not sent",
    );
    const back = resumed();
    await proxy.resume();
    await back;
    await producer.send("one");
    assertEquals((await left(broker, name)).map(([text]) => text), ["one"]);
  },
  { failover: { timeout: 20 } },
);

testFailover(
  "close() while a connection is looked for ends that",
  async ({ proxy, connection, name }) => {
    const consumer = await connection.createConsumer(name);
    const waiting = consumer.receive();
    proxy.suspend();
    const interrupted = statusOf(connection, "interrupted");
    proxy.connection.end();
    await interrupted;
    const sending = connection.send(name, "one").catch((error) => error);
    await connection.close();
    assertEquals(await waiting, null);
    assertEquals((await sending as OpenWireError).code, "CONNECTION_CLOSED");
    assertEquals(await connection.closed, undefined);
    await proxy.resume();
    assertEquals(proxy.accepted, 1);
  },
);

testFailover(
  "a connection is given up after as many rounds as it may have",
  async ({ proxy, connection, name }) => {
    const rounds: number[] = [];
    const waiting = connection.createConsumer(name).then((consumer) => consumer.receive());
    waiting.catch(() => {});
    await connection.ping();
    const ended = (async () => {
      for await (const status of connection.status()) {
        if (status.type === "reconnecting") rounds.push(status.attempts);
        if (status.type === "closed") return status.error;
      }
    })();
    proxy.suspend();
    proxy.connection.reset();
    const error = await ended as OpenWireError;
    assertEquals(rounds, [1, 2, 3]);
    assertInstanceOf(error, OpenWireError);
    assertEquals([error.code, error.retryable], ["CONNECTION_CLOSED", true]);
    assertEquals((error.cause as OpenWireError).code, "CONNECT_FAILED");
    assertEquals(await connection.closed, error);
    assertEquals(await waiting.catch((reason) => reason), error);
  },
  { failover: { maxReconnectAttempts: 3 } },
);

/** Resolves when something has happened to a connection. */
async function statusOf(connection: Connection, type: string): Promise<void> {
  for await (const status of connection.status()) if (status.type === type) return;
}
