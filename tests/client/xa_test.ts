/** Distributed transactions. */

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  ClosedError,
  connect,
  type Connection,
  ConnectionClosedError,
  type ConnectOptions,
  createXid,
  type Message,
  type MessageConsumer,
  type OpenWireError,
  type Session,
  TimeoutError,
  XAError,
  XAErrorCode,
  type XAResource,
  type Xid,
} from "../../mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { test } from "../_harness.ts";
import { type TestBroker, testOnBrokers } from "./_brokers.ts";
import { assertIllegalState, AT_ONCE, left, received, send, take, texts } from "./_messages.ts";

interface Work {
  readonly connection: Connection;
  readonly xa: XAResource;
  readonly session: Session;
  readonly consumer: MessageConsumer;
  readonly xid: Xid;
  /** Where messages are taken from. */
  readonly from: string;
  /** Where messages are sent to. */
  readonly to: string;
}

const transacted = { acknowledgeMode: "transacted" } as const;

async function open(broker: TestBroker, options: ConnectOptions = {}): Promise<Work> {
  const connection = await broker.connect({ redeliveryPolicy: AT_ONCE, ...options });
  const session = await connection.createSession(transacted);
  const from = `${broker.name}.from`;
  return {
    connection,
    xa: connection.xa,
    session,
    consumer: await session.createConsumer(from),
    xid: createXid(),
    from,
    to: `${broker.name}.to`,
  };
}

/** Does work for a branch: takes "a", sends "A". */
async function work(broker: TestBroker, options?: ConnectOptions): Promise<Work> {
  const done = await open(broker, options);
  const { xa, session, consumer, xid, from, to } = done;
  await send(broker, from, "a");
  await xa.start(session, xid);
  assertEquals((await received(consumer)).text, "a");
  assertEquals((await session.send(to, "A")).outcome, "transactional");
  await xa.end(session, xid);
  return done;
}

/** What is in both queues, when nobody has anything. */
async function both(broker: TestBroker, { from, to }: Work): Promise<(string | null)[][]> {
  return [await left(broker, from), await left(broker, to)]
    .map((found) => found.map(([text]) => text));
}

/** Ends a connection without a word, and waits until the broker has noticed. */
async function crash({ connect }: TestBroker, connection: Connection): Promise<void> {
  connection.abort("crash");
  const { clientId } = connection;
  while (true) {
    try {
      return await (await connect({ clientId })).close();
    } catch (error) {
      if ((error as OpenWireError).code !== "INVALID_CLIENT_ID") throw error;
    }
  }
}

async function recovers(xa: XAResource, xid: Xid): Promise<boolean> {
  const found = await xa.recover();
  return found.some(({ formatId, globalTransactionId, branchQualifier }) =>
    formatId === xid.formatId && String(globalTransactionId) === String(xid.globalTransactionId) &&
    String(branchQualifier) === String(xid.branchQualifier)
  );
}

async function assertXA(call: () => Promise<unknown>, errorCode: number): Promise<XAError> {
  const error = await assertRejects(call, XAError);
  assertEquals(error.errorCode, errorCode);
  assertEquals(error.code, "XA");
  return error;
}

testOnBrokers("the work of a branch counts when it is prepared and committed", async (broker) => {
  const done = await work(broker);
  const { xa, xid, connection } = done;
  assertEquals(await xa.prepare(xid), "ok");
  assert(await recovers(xa, xid));
  await xa.commit(xid);
  assert(!await recovers(xa, xid));
  await connection.close();
  assertEquals(await both(broker, done), [[], ["A"]]);
});

testOnBrokers("a branch is committed in one phase", async (broker) => {
  const done = await work(broker);
  await done.xa.commit(done.xid, { onePhase: true });
  await done.connection.close();
  assertEquals(await both(broker, done), [[], ["A"]]);
});

for (const prepared of [false, true]) {
  testOnBrokers(
    `what was received in a branch comes again when it is rolled back${
      prepared ? ", prepared" : ""
    }`,
    async (broker) => {
      const done = await work(broker);
      const { xa, xid, session, consumer } = done;
      if (prepared) assertEquals(await xa.prepare(xid), "ok");
      await xa.rollback(xid);
      assert(!await recovers(xa, xid));
      const again = await received(consumer);
      assertEquals([again.text, again.deliveryCount], ["a", 2]);
      await session.commit();
      await done.connection.close();
      assertEquals(await both(broker, done), [[], []]);
    },
  );
}

testOnBrokers("a committed consumer goes on with what comes next", async (broker) => {
  const { xa, session, consumer, from } = await open(broker);
  await send(broker, from, "a", "b", "c", "d");
  for (const expected of [["a", "b"], ["c", "d"]]) {
    const xid = createXid();
    await xa.start(session, xid);
    assertEquals(texts(await take(consumer, 2)), expected);
    await xa.end(session, xid);
    assertEquals(await xa.prepare(xid), "ok");
    await xa.commit(xid);
  }
  await session.close();
  assertEquals(await left(broker, from), []);
});

testOnBrokers(
  "what was sent before the end belongs to the branch, awaited or not",
  async (broker) => {
    const { xa, session, xid, to } = await open(broker);
    const producer = await session.createProducer(to);
    await xa.start(session, xid);
    const sent = producer.send("x".repeat(10_000), { compress: true });
    await xa.end(session, xid);
    await session.rollback();
    await sent;
    await xa.commit(xid, { onePhase: true });
    assertEquals((await left(broker, to)).length, 1);
  },
);

testOnBrokers("a branch in which nothing was done is read-only", async (broker) => {
  const { xa, session, xid } = await open(broker);
  await xa.start(session, xid);
  await xa.end(session, xid);
  assertEquals(await xa.prepare(xid), "read-only");
  assert(!await recovers(xa, xid));
  await assertXA(() => xa.commit(xid), XAErrorCode.notFound);
  // The session is free.
  await xa.start(session, createXid());
}, { needs: ["read-only branches"] });

testOnBrokers("while a session works for a branch it can't end it by itself", async (broker) => {
  const { xa, session, xid } = await open(broker);
  await xa.start(session, xid);
  await assertIllegalState(() => session.commit());
  await assertIllegalState(() => session.rollback());
  await assertIllegalState(() => xa.prepare(xid));
  await assertIllegalState(() => xa.commit(xid));
  await assertIllegalState(() => xa.rollback(xid));
  await assertIllegalState(() => xa.forget(xid));
  await assertIllegalState(() => xa.start(session, createXid()));
  await xa.end(session, xid);
  await assertIllegalState(() => xa.end(session, xid));
  await assertIllegalState(() => xa.forget(xid));
  await xa.rollback(xid);
});

testOnBrokers("a session with a transaction in progress can't start a branch", async (broker) => {
  const { xa, session, xid, to } = await open(broker);
  const producer = await session.createProducer(to);
  // Compressing takes a moment: it is not part of the branch nevertheless.
  const sent = producer.send("x".repeat(10_000), { compress: true });
  await assertIllegalState(() => xa.start(session, xid));
  await sent;
  await session.rollback();
  await xa.start(session, xid);
});

testOnBrokers("only a transacted session of the same connection can start", async (broker) => {
  const { xa, connection, xid } = await open(broker);
  const plain = await connection.createSession();
  await assertIllegalState(() => xa.start(plain, xid));
  const foreign = await (await broker.connect()).createSession(transacted);
  await assertRejects(() => xa.start(foreign, xid), TypeError, "another connection's");
  const closed = await connection.createSession(transacted);
  await closed.close();
  await assertRejects(() => xa.start(closed, xid), ClosedError);
});

testOnBrokers("between branches a session has transactions of its own", async (broker) => {
  const done = await work(broker);
  const { xa, xid, session, to } = done;
  await session.send(to, "own");
  await session.commit();
  await session.send(to, "undone");
  await session.rollback();
  await xa.commit(xid, { onePhase: true });
  await done.connection.close();
  assertEquals(await both(broker, done), [[], ["own", "A"]]);
});

testOnBrokers("work that was suspended goes on, and is part of the same branch", async (broker) => {
  const done = await open(broker);
  const { xa, session, consumer, xid, from, to } = done;
  await send(broker, from, "a", "b", "c");
  await xa.start(session, xid);
  assertEquals(texts(await take(consumer, 2)), ["a", "b"]);
  await xa.end(session, xid, "suspend");
  await session.send(to, "meanwhile");
  await session.commit();
  await assertIllegalState(() => xa.prepare(xid));
  await xa.start(session, xid);
  assertEquals((await received(consumer)).text, "c");
  await session.send(to, "later");
  await xa.end(session, xid);
  await xa.rollback(xid);

  const again = await take(consumer, 3);
  assertEquals(again.map(({ text, deliveryCount }) => [text, deliveryCount]), [
    ["a", 2],
    ["b", 2],
    ["c", 2],
  ]);
  await session.commit();
  await done.connection.close();
  assertEquals(await both(broker, done), [[], ["meanwhile"]]);
});

testOnBrokers("work that was suspended can be ended without going on", async (broker) => {
  const { xa, session, xid, to } = await open(broker);
  await xa.start(session, xid);
  await session.send(to, "A");
  await xa.end(session, xid, "suspend");
  await xa.end(session, xid);
  assertEquals(await xa.prepare(xid), "ok");
  await xa.commit(xid);
  assertEquals(await left(broker, to), [["A", 0]]);
});

testOnBrokers("several sessions work for one branch", async (broker) => {
  const done = await open(broker);
  const { xa, session, consumer, xid, from, to } = done;
  const second = await done.connection.createSession(transacted);
  await send(broker, from, "a");
  await xa.start(session, xid);
  await xa.start(second, xid);
  await received(consumer);
  await second.send(to, "A");
  await xa.end(session, xid);
  await assertIllegalState(() => xa.prepare(xid));
  await xa.end(second, xid);
  assertEquals(await xa.prepare(xid), "ok");
  await xa.rollback(xid);
  assertEquals((await received(consumer)).deliveryCount, 2);
  await session.rollback();
  await done.connection.close();
  assertEquals(await both(broker, done), [["a"], []]);
});

for (const end of ["prepare", "commit"] as const) {
  testOnBrokers(`a branch whose work has failed is rolled back by ${end}()`, async (broker) => {
    const { xa, session, consumer, xid, from, to, connection } = await open(broker);
    await send(broker, from, "a");
    await xa.start(session, xid);
    await received(consumer);
    await session.send(to, "A");
    await xa.end(session, xid, "fail");
    await assertIllegalState(() => xa.start(session, xid));
    const error = await assertXA(() => xa[end](xid), XAErrorCode.rollback);
    assert(error.rolledBack);
    assertEquals((await received(consumer)).deliveryCount, 2);
    await session.commit();
    await connection.close();
    assertEquals(await left(broker, to), []);
    assertEquals(await left(broker, from), []);
  });
}

testOnBrokers("a session that is closed in the middle of its work has failed", async (broker) => {
  const done = await open(broker);
  const { xa, session, consumer, xid, from, to } = done;
  await send(broker, from, "a");
  await xa.start(session, xid);
  await received(consumer);
  await session.send(to, "A");
  await session.close();
  await assertIllegalState(() => xa.end(session, xid));
  const error = await assertXA(() => xa.commit(xid, { onePhase: true }), XAErrorCode.rollback);
  assert(error.rolledBack);
  assertEquals(await both(broker, done), [["a"], []]);
});

for (const outcome of ["commit", "rollback"] as const) {
  testOnBrokers(`${outcome} of a branch whose session was closed after its end`, async (broker) => {
    const done = await work(broker);
    const { xa, xid, session } = done;
    assertEquals(await xa.prepare(xid), "ok");
    await session.close();
    // Others don't get what was received as long as it isn't decided.
    assertEquals(await both(broker, done), [[], []]);
    await xa[outcome](xid);
    assertEquals(await both(broker, done), outcome === "commit" ? [[], ["A"]] : [["a"], []]);
  });

  testOnBrokers(
    `${outcome} of a prepared branch from another connection, after a crash`,
    async (broker) => {
      const done = await work(broker);
      const { xa, xid, connection } = done;
      assertEquals(await xa.prepare(xid), "ok");
      await crash(broker, connection);
      const other = await broker.connect();
      assert(await recovers(other.xa, xid));
      assertEquals(await both(broker, done), [[], []]);
      const found = (await other.xa.recover()).find(({ globalTransactionId }) =>
        String(globalTransactionId) === String(xid.globalTransactionId)
      )!;
      await other.xa[outcome](found);
      assert(!await recovers(other.xa, xid));
      assertEquals(await both(broker, done), outcome === "commit" ? [[], ["A"]] : [["a"], []]);
    },
  );
}

testOnBrokers("a branch that was not prepared is lost in a crash", async (broker) => {
  const done = await work(broker);
  await crash(broker, done.connection);
  assertEquals(await both(broker, done), [["a"], []]);
  const other = await broker.connect();
  await assertXA(() => other.xa.commit(done.xid), XAErrorCode.notFound);
}, { needs: ["XA undone at once"] });

testOnBrokers(
  "a branch is committed from another connection while its own one goes on",
  async (broker) => {
    const done = await work(broker);
    const { xa, xid, session, consumer, from, connection } = done;
    assertEquals(await xa.prepare(xid), "ok");
    const other = await broker.connect();
    await other.xa.commit(xid);
    // Committing again tells that it was done, and the consumer goes on.
    await assertXA(() => xa.commit(xid), XAErrorCode.notFound);
    await send(broker, from, "b");
    assertEquals((await received(consumer)).text, "b");
    await session.commit();
    await connection.close();
    assertEquals(await both(broker, done), [[], ["A"]]);
  },
  { needs: ["XA error codes"] },
);

testOnBrokers("the broker says what is wrong by a code", async (broker) => {
  const { xa, session, to } = await open(broker);
  const unknown = createXid();
  await assertXA(() => xa.commit(unknown), XAErrorCode.notFound);
  await assertXA(() => xa.commit(unknown, { onePhase: true }), XAErrorCode.notFound);
  await assertXA(() => xa.rollback(unknown), XAErrorCode.notFound);
  await assertXA(() => xa.forget(unknown), XAErrorCode.notFound);
  // It doesn't say it with a code of its own here.
  const error = await assertXA(() => xa.prepare(unknown), XAErrorCode.protocol);
  assert(!error.rolledBack);
  assertStringIncludes(error.message, `Cannot prepare ${unknown.formatId}:`);

  const xid = createXid();
  await xa.start(session, xid);
  await session.send(to, "A");
  await xa.end(session, xid);
  await assertXA(() => xa.commit(xid), XAErrorCode.protocol);
  // It is still there.
  await xa.commit(xid, { onePhase: true });
  assertEquals(await left(broker, to), [["A", 0]]);
}, { needs: ["XA error codes"] });

testOnBrokers("a prepared branch takes no more work", async (broker) => {
  const { xa, xid, session } = await work(broker);
  assertEquals(await xa.prepare(xid), "ok");
  await assertIllegalState(() => xa.start(session, xid));
  await xa.rollback(xid);
});

testOnBrokers("ids of all kinds come back as they were", async (broker) => {
  const { xa, session, to } = await open(broker);
  const byte = crypto.getRandomValues(new Uint8Array(4));
  const xids = [
    createXid(),
    createXid({ formatId: 0, globalTransactionId: byte, branchQualifier: new Uint8Array() }),
    createXid({ formatId: -2, branchQualifier: Uint8Array.of(0) }),
    createXid({
      formatId: 0x7fffffff,
      globalTransactionId: new Uint8Array(64).fill(255).fill(byte[0]!, 0, 1),
      branchQualifier: crypto.getRandomValues(new Uint8Array(64)),
    }),
  ];
  for (const xid of xids) {
    await xa.start(session, xid);
    await session.send(to, "A");
    await xa.end(session, xid);
    assertEquals(await xa.prepare(xid), "ok");
    assert(await recovers(xa, xid));
    await xa.commit(xid);
  }
  assertEquals((await left(broker, to)).length, xids.length);
});

testOnBrokers("an id that can't be one is refused", async (broker) => {
  const { xa, session } = await open(broker);
  const good = createXid();
  const bad: [Partial<Xid>, typeof RangeError | typeof TypeError][] = [
    [{ formatId: -1 }, RangeError],
    [{ formatId: 1.5 }, RangeError],
    [{ formatId: 0x80000000 }, RangeError],
    [{ globalTransactionId: new Uint8Array() }, RangeError],
    [{ globalTransactionId: new Uint8Array(65) }, RangeError],
    [{ branchQualifier: new Uint8Array(65) }, RangeError],
    [{ branchQualifier: "1" as unknown as Uint8Array }, TypeError],
  ];
  for (const [part, kind] of bad) {
    assertThrows(() => createXid(part), kind);
    await assertRejects(() => xa.start(session, { ...good, ...part }), kind);
    await assertRejects(() => xa.prepare({ ...good, ...part }), kind);
  }
  await assertRejects(
    () => xa.end(session, good, "over" as unknown as "fail"),
    TypeError,
    '"success"',
  );
});

testOnBrokers("connections to one broker are one resource manager", async (broker) => {
  const [one, two] = [await broker.connect(), await broker.connect()];
  assert(await one.xa.isSameResourceManager(two.xa));
  assert(await one.xa.isSameResourceManager(one.xa));
});

test("connections to different brokers are different resource managers", async () => {
  await using first = await MemoryBroker.listen();
  await using second = await MemoryBroker.listen();
  await using one = await connect(first.url);
  await using two = await connect(second.url);
  assert(!await one.xa.isSameResourceManager(two.xa));
});

test("a broker that does not say who it is keeps nobody waiting for ever", async () => {
  await using broker = await MemoryBroker.listen();
  using _ = broker.fault({
    command: "BrokerInfo",
    direction: "to-client",
    times: 2,
    action: "drop",
  });
  await using one = await connect(broker.url);
  await using two = await connect(broker.url);
  await assertRejects(() => one.xa.isSameResourceManager(two.xa, { timeout: 50 }), TimeoutError);
  const waiting = assertRejects(() => one.xa.isSameResourceManager(two.xa), ConnectionClosedError);
  await two.close();
  await waiting;
});

testOnBrokers("when the connection has ended every call says so", async (broker) => {
  const { xa, session, connection, xid } = await open(broker);
  await connection.close();
  const calls = [
    () => xa.start(session, xid),
    () => xa.prepare(xid),
    () => xa.commit(xid),
    () => xa.rollback(xid),
    () => xa.recover(),
  ];
  for (const call of calls) {
    const error = await assertRejects(call) as OpenWireError;
    assert(["CONNECTION_CLOSED", "CLOSED"].includes(error.code), error.code);
  }
});

testOnBrokers("messages of a handler are part of the branch", async (broker) => {
  const { xa, session, consumer, xid, from, to, connection } = await open(broker);
  await xa.start(session, xid);
  const { promise: handled, resolve } = Promise.withResolvers<Message>();
  consumer.consume(async (message) => {
    await session.send(to, message.text!.toUpperCase());
    resolve(message);
  });
  await send(broker, from, "a");
  await handled;
  await xa.end(session, xid);
  assertEquals(await xa.prepare(xid), "ok");
  await xa.commit(xid);
  await connection.close();
  assertEquals(await left(broker, from), []);
  assertEquals(await left(broker, to), [["A", 0]]);
});
