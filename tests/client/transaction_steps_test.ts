/** Hooks, log and counters of transactions. */
import {
  connect,
  type Connection,
  type ConnectionStats,
  type ConnectOptions,
  createXid,
  type Logger,
  type MessagingHooks,
  type MessagingOperation,
  TimeoutError,
  TransactionInDoubtError,
  type TransactionOperation,
  XAError,
} from "../../mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { FaultProxy } from "../faults/proxy/fault_proxy.ts";
import { test } from "../_harness.ts";
import { testOnBrokers } from "./_brokers.ts";
import { AT_ONCE, received, take, until } from "./_messages.ts";

/** Hooks and a logger that write down what they are told. */
function watching() {
  const operations: MessagingOperation[] = [];
  const steps: TransactionOperation[] = [];
  /** What has begun and ended, in that order. */
  const order: string[] = [];
  const lines: string[] = [];
  const fields: Readonly<Record<string, unknown>>[] = [];
  const around = async (operation: MessagingOperation, next: () => Promise<void>) => {
    operations.push(operation);
    order.push(operation.name);
    await next().catch(() => {});
    order.push(`/${operation.name}`);
  };
  const hooks: MessagingHooks = {
    send: around,
    process: around,
    settle: around,
    receive: (operation) => void operations.push(operation),
    transact: (operation, next) => {
      steps.push(operation);
      return around(operation, next);
    },
  };
  const level = (level: string) => (message: string, given: Readonly<Record<string, unknown>>) => {
    if (!message.startsWith("A transaction")) return;
    lines.push(`${level} ${message}`);
    fields.push(given);
  };
  const logger: Logger = {
    debug: level("debug"),
    info: level("info"),
    warn: level("warn"),
    error: level("error"),
  };
  return {
    options: { hooks, logger } satisfies ConnectOptions,
    operations,
    order,
    lines,
    fields,
    /** Names and statuses of the steps. */
    steps: () => steps.map(({ name, status }) => [name, status]),
    all: steps,
  };
}

/** How many were begun, committed, rolled back and in doubt. */
function counts(connection: Connection): number[] {
  const {
    transactionsBegun,
    transactionsCommitted,
    transactionsRolledBack,
    transactionsInDoubt,
  }: ConnectionStats = connection.stats();
  return [transactionsBegun, transactionsCommitted, transactionsRolledBack, transactionsInDoubt];
}

const named = (operations: readonly MessagingOperation[], name: string) =>
  operations.filter((operation) => operation.name === name);

testOnBrokers("a commit is seen by hooks, log and counters", async ({ connect, name }) => {
  const seen = watching();
  const connection = await connect(seen.options);
  const session = await connection.createSession({ acknowledgeMode: "transacted" });
  await session.commit(); // there is nothing
  assertEquals([seen.steps(), counts(connection)], [[], [0, 0, 0, 0]]);
  const consumer = await session.createConsumer(name);
  await connection.send(name, "one");
  await connection.send(name, "two");
  await take(consumer, 2);
  await session.send(`${name}.out`, "three");
  assertEquals(counts(connection), [1, 0, 0, 0]);
  await session.commit();
  assertEquals(counts(connection), [1, 1, 0, 0]);
  assertEquals(seen.steps(), [["begin", "active"], ["commit", "committed"]]);

  const [begin, commit] = seen.all;
  const id = begin!.transactionId!;
  assertMatch(id, /^TX:ID:.+:1$/);
  const { attributes } = commit!;
  assertEquals(attributes, {
    "messaging.system": "activemq",
    "messaging.operation.name": "commit",
    "messaging.operation.type": "transact",
    "messaging.client.id": connection.clientId,
    "server.address": attributes["server.address"]!,
    "server.port": attributes["server.port"]!,
    "messaging.activemq.transaction.id": id,
    "messaging.activemq.transaction.status": "committed",
    "messaging.batch.message_count": 2,
  });
  assertEquals([commit!.type, commit!.spanName, commit!.getProperty("a")], [
    "transact",
    "commit",
    undefined,
  ]);
  assertEquals(seen.lines, ["debug A transaction has begun", "debug A transaction was committed"]);
  assertEquals(seen.fields, [{ transactionId: id }, { transactionId: id, received: 2 }]);
  // The next one has another id.
  await session.send(`${name}.out`, "four");
  await session.commit();
  assertEquals(seen.all[2]!.transactionId, id.replace(/1$/, "2"));
});

testOnBrokers(
  "what is sent, received and settled in a transaction says in which",
  async ({ connect, name }) => {
    const seen = watching();
    const connection = await connect(seen.options);
    const session = await connection.createSession({ acknowledgeMode: "transacted" });
    const [one, other] = [
      await session.createConsumer(name),
      await session.createConsumer(`${name}.other`),
    ];
    for (const text of ["1", "2"]) await connection.send(name, text);
    const { messageId } = await connection.send(`${name}.other`, "3");
    seen.operations.length = 0;
    await take(one, 2);
    await received(other);
    await session.send(`${name}.out`, "x".repeat(1000), {
      compress: true,
      compressionThreshold: 0,
    });
    await until(() => seen.order.at(-1) === "/send");
    seen.order.length = 0;
    await session.commit();
    await until(() => seen.order.includes("/commit"));

    const id = seen.all[0]!.transactionId!;
    const inIt = ["begin", "receive", "receive", "receive", "send", "commit", "ack", "ack"];
    assertEquals(seen.operations.map(({ name }) => name), inIt);
    for (const { name, transactionId, attributes } of seen.operations) {
      assertEquals(transactionId, id, name);
      assertEquals(attributes["messaging.activemq.transaction.id"], id);
    }
    // One for each consumer; a single message is named.
    const acks = named(seen.operations, "ack").map(({ attributes }) => [
      attributes["messaging.destination.name"],
      attributes["messaging.batch.message_count"] ?? attributes["messaging.message.id"],
    ]);
    assertEquals(acks, [[name, 2], [`${name}.other`, messageId]]);
    // They are within the commit.
    assertEquals(seen.order.slice(0, 3), ["commit", "ack", "ack"]);
    assertEquals(seen.order.toSorted(), ["/ack", "/ack", "/commit", "ack", "ack", "commit"]);
    // What is sent and received outside is in none.
    await connection.send(name, "4");
    assertEquals(seen.operations.at(-1)!.transactionId, undefined);
    assertEquals("messaging.activemq.transaction.id" in seen.operations.at(-1)!.attributes, false);
  },
);

testOnBrokers("a rollback is seen, with what is given again", async ({ connect, name }) => {
  const seen = watching();
  const connection = await connect({ ...seen.options, redeliveryPolicy: AT_ONCE });
  const session = await connection.createSession({ acknowledgeMode: "transacted" });
  const consumer = await session.createConsumer(name);
  await connection.send(name, "one");
  await received(consumer);
  await session.rollback();
  assertEquals(seen.steps(), [["begin", "active"], ["rollback", "rolled-back"]]);
  assertEquals(counts(connection), [1, 0, 1, 0]);
  assertEquals(seen.lines, [
    "debug A transaction has begun",
    "debug A transaction was rolled back",
  ]);
  assertEquals(seen.all[1]!.attributes["messaging.batch.message_count"], 1);
  const [retry] = named(seen.operations, "retry");
  assertEquals(retry!.transactionId, seen.all[0]!.transactionId);
  assertEquals(named(seen.operations, "ack"), []);

  await received(consumer);
  await session.close();
  assertEquals(seen.steps().slice(2), [["begin", "active"], ["rollback", "rolled-back"]]);
  assertEquals(counts(connection), [2, 0, 2, 0]);
});

testOnBrokers(
  "a handler that fails rolls back, and its operation says what failed in which",
  async ({ connect, name }) => {
    const seen = watching();
    const connection = await connect({ ...seen.options, redeliveryPolicy: AT_ONCE });
    const session = await connection.createSession({ acknowledgeMode: "transacted" });
    const consumer = await session.createConsumer(name);
    await connection.send(name, "one");
    let attempts = 0;
    consumer.consume(async () => {
      if (++attempts === 1) throw new RangeError("no room");
      await session.commit();
    });
    await until(() => counts(connection)[1] === 1);
    assertEquals(seen.steps(), [
      ["begin", "active"],
      ["rollback", "rolled-back"],
      ["begin", "active"],
      ["commit", "committed"],
    ]);
    const processed = named(seen.operations, "process").map(({ transactionId }) => transactionId);
    const begun = named(seen.operations, "begin").map(({ transactionId }) => transactionId);
    assertEquals(processed, begun);
    assertEquals(counts(connection), [2, 1, 1, 0]);
  },
);

test("a commit that the broker refuses is a rollback", async () => {
  await using broker = await MemoryBroker.listen();
  const seen = watching();
  await using connection = await connect(broker.url, seen.options);
  const session = await connection.createSession({ acknowledgeMode: "transacted" });
  broker.fault({ command: "TransactionInfo", nth: 2, action: { refuse: "no" } });
  await session.send("orders", "one");
  await assertRejects(() => session.commit(), Error, "no");
  assertEquals(seen.steps(), [["begin", "active"], ["commit", "rolled-back"]]);
  assertEquals(seen.all[1]!.attributes["error.type"], "BROKER");
  assertEquals(counts(connection), [1, 0, 1, 0]);
  assertEquals(seen.lines[1], "warn A transaction was rolled back");
  assertEquals((seen.fields[1]!["error"] as Error).message, "Cannot commit: no");
});

testOnBrokers("a commit without an answer is in doubt", async (broker) => {
  const seen = watching();
  await using proxy = await FaultProxy.listen(broker.url);
  const failover = { initialReconnectDelay: 1, maxReconnectDelay: 50 };
  await using connection = await connect(proxy.url, { ...seen.options, failover });
  const session = await connection.createSession({ acknowledgeMode: "transacted" });
  const consumer = await session.createConsumer(broker.name);
  await connection.send(broker.name, "one");
  await received(consumer);
  proxy.fault({
    command: "Response",
    direction: "to-client",
    where: (_, { request }) =>
      request?.dataType === "TransactionInfo" && (request as { type?: number }).type === 2,
    when: "before",
    action: "reset",
  });
  await assertRejects(() => session.commit(), TransactionInDoubtError);
  assertEquals(seen.steps(), [["begin", "active"], ["commit", "in-doubt"]]);
  assertEquals(seen.all[1]!.attributes["error.type"], "TRANSACTION_IN_DOUBT");
  assertEquals(counts(connection), [1, 0, 0, 1]);
  assertEquals(seen.lines[1], "warn A transaction is in doubt");
  const [ack] = named(seen.operations, "ack");
  await until(() => ack!.attributes["error.type"] === "TRANSACTION_IN_DOUBT");
});

test("a commit that takes too long is in doubt, one that was aborted before goes on", async () => {
  await using broker = await MemoryBroker.listen();
  const seen = watching();
  await using connection = await connect(broker.url, seen.options);
  const session = await connection.createSession({ acknowledgeMode: "transacted" });
  broker.fault({ command: "TransactionInfo", nth: 2, action: "drop" });
  await session.send("orders", "one");
  const aborted = AbortSignal.abort(new Error("too late"));
  await assertRejects(() => session.commit({ signal: aborted }), Error, "too late");
  assertEquals(counts(connection), [1, 0, 0, 0]);
  await assertRejects(() => session.commit({ timeout: 20 }), TimeoutError);
  assertEquals(seen.steps(), [["begin", "active"], ["commit", "in-doubt"]]);
  assertEquals(counts(connection), [1, 0, 0, 1]);
});

testOnBrokers(
  "a transaction that is lost with what it received is rolled back once",
  async (broker) => {
    const seen = watching();
    await using proxy = await FaultProxy.listen(broker.url);
    const failover = { initialReconnectDelay: 1, maxReconnectDelay: 50 };
    await using connection = await connect(proxy.url, { ...seen.options, failover });
    const session = await connection.createSession({ acknowledgeMode: "transacted" });
    const consumer = await session.createConsumer(broker.name);
    await connection.send(broker.name, "one");
    await received(consumer);
    const statuses = connection.status();
    const next = statuses.next();
    proxy.connection.reset();
    await next;
    await assertRejects(() => session.commit(), Error, "rolled back");
    assertEquals(seen.steps(), [["begin", "active"], ["commit", "rolled-back"]]);
    assertEquals(counts(connection), [1, 0, 1, 0]);
    assertEquals(seen.lines[1], "warn A transaction was rolled back");
    while ((await statuses.next()).value?.type !== "resumed");
  },
);

test("transactions and branches that go on are rolled back with the connection", async () => {
  await using broker = await MemoryBroker.listen();
  const seen = watching();
  const connection = await connect(broker.url, seen.options);
  const session = await connection.createSession({ acknowledgeMode: "transacted" });
  await session.send("orders", "one");
  const [working, prepared] = [
    await connection.createSession({ acknowledgeMode: "transacted" }),
    await connection.createSession({ acknowledgeMode: "transacted" }),
  ];
  const { xa } = connection;
  const [xid, kept] = [createXid(), createXid()];
  await xa.start(working, xid);
  await xa.start(prepared, kept);
  await prepared.send("orders", "two");
  await xa.end(prepared, kept);
  await xa.prepare(kept);
  await broker.disconnectClients();
  await connection.closed;
  assertEquals(seen.steps().filter(([name]) => name === "rollback"), [
    ["rollback", "rolled-back"],
    ["rollback", "rolled-back"],
  ]);
  assertEquals(counts(connection), [3, 0, 2, 0]);
  const [rollback] = named(seen.operations, "rollback");
  await until(() => rollback!.attributes["error.type"] === "CONNECTION_CLOSED");
  // Nothing is asked any more, so nothing is in doubt.
  await assertRejects(() => xa.commit(kept), Error, "closed");
  assertEquals(counts(connection), [3, 0, 2, 0]);
});

testOnBrokers("branches are seen by hooks, log and counters", async ({ connect, name }) => {
  const seen = watching();
  const connection = await connect(seen.options);
  const { xa } = connection;
  const session = await connection.createSession({ acknowledgeMode: "transacted" });
  const consumer = await session.createConsumer(name);
  const work = async (receive = false) => {
    const xid = createXid();
    await xa.start(session, xid);
    await session.send(`${name}.out`, "one");
    if (receive) await received(consumer);
    await xa.end(session, xid);
    return xid;
  };
  await connection.send(name, "in");
  const two = await work(true);
  await xa.prepare(two);
  await xa.commit(two);
  assertEquals(seen.steps(), [
    ["begin", "active"],
    ["end", undefined],
    ["prepare", "prepared"],
    ["commit", "committed"],
  ]);
  assertEquals(seen.lines.map((line) => line.replace("A transaction ", "")), [
    "debug has begun",
    "debug was prepared",
    "debug was committed",
  ]);
  const { transactionId, attributes } = seen.all[3]!;
  assertMatch(transactionId!, /^XID:\[\d+,globalId=\w+,branchId=\w+\]$/);
  assertEquals(attributes["messaging.batch.message_count"], 1);
  const [receive, ack] = [named(seen.operations, "receive"), named(seen.operations, "ack")];
  assertEquals([receive[0]!.transactionId, ack.length, ack[0]!.transactionId], [
    transactionId,
    1,
    transactionId,
  ]);
  assertEquals(counts(connection), [1, 1, 0, 0]);

  await xa.commit(await work(), { onePhase: true });
  assertEquals(counts(connection), [2, 2, 0, 0]);
  await xa.rollback(await work());
  assertEquals(counts(connection), [3, 2, 1, 0]);
  assertEquals(seen.steps().at(-1), ["rollback", "rolled-back"]);

  const failed = createXid();
  await xa.start(session, failed);
  await session.send(`${name}.out`, "one");
  await xa.end(session, failed, "fail");
  const error = await assertRejects(() => xa.commit(failed, { onePhase: true }), XAError);
  assert(error.rolledBack);
  assertEquals(seen.steps().at(-1), ["commit", "rolled-back"]);
  assertEquals(counts(connection), [4, 2, 2, 0]);

  // What the broker does not know changes nothing.
  await assertRejects(() => xa.commit(createXid()), XAError);
  assertEquals(seen.steps().at(-1), ["commit", undefined]);
  await xa.recover();
  assertEquals(seen.all.at(-1)!.transactionId, undefined);
  assertEquals(seen.steps().at(-1), ["recover", undefined]);
  assertEquals(counts(connection), [4, 2, 2, 0]);
});

test("a session that works for a branch twice begins it once", async () => {
  await using broker = await MemoryBroker.listen();
  const seen = watching();
  await using connection = await connect(broker.url, seen.options);
  const { xa } = connection;
  const session = await connection.createSession({ acknowledgeMode: "transacted" });
  const xid = createXid();
  await xa.start(session, xid);
  await xa.end(session, xid, "suspend");
  await xa.start(session, xid);
  await xa.end(session, xid);
  assertEquals(await xa.prepare(xid), "read-only");
  assertEquals(seen.steps().filter(([name]) => name !== "end"), [
    ["begin", "active"],
    ["prepare", "committed"],
  ]);
  assertEquals(counts(connection), [1, 1, 0, 0]);
});

test("a branch that has failed is rolled back even if the broker does not know it", async () => {
  for (const name of ["commit", "prepare"] as const) {
    await using broker = await MemoryBroker.listen();
    const seen = watching();
    await using connection = await connect(broker.url, seen.options);
    const { xa } = connection;
    const session = await connection.createSession({ acknowledgeMode: "transacted" });
    const xid = createXid();
    await xa.start(session, xid);
    await xa.end(session, xid, "fail");
    const className = "javax.transaction.xa.XAException";
    const refuse = { className, message: "unknown xaErrorCode:-4" };
    broker.fault({ command: "TransactionInfo", nth: 1, action: { refuse } });
    await assertRejects(() => xa[name](xid), XAError);
    assertEquals(seen.steps().at(-1), [name, "rolled-back"]);
    assertEquals(counts(connection), [1, 0, 1, 0]);
  }
});

test("a prepare without an answer is in doubt", async () => {
  await using broker = await MemoryBroker.listen();
  const seen = watching();
  await using connection = await connect(broker.url, seen.options);
  const { xa } = connection;
  const session = await connection.createSession({ acknowledgeMode: "transacted" });
  const xid = createXid();
  await xa.start(session, xid);
  await session.send("orders", "x");
  await xa.end(session, xid);
  broker.fault({ command: "TransactionInfo", nth: 1, action: "drop" });
  await assertRejects(() => xa.prepare(xid, { timeout: 20 }), TimeoutError);
  assertEquals(seen.steps().at(-1), ["prepare", "in-doubt"]);
  await xa.rollback(xid);
  assertEquals(counts(connection), [1, 0, 1, 1]);
});

test("a hook of transactions that fails disturbs nothing, and is reported", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url, {
    hooks: {
      transact: () => {
        throw new Error("bad hook");
      },
    },
  });
  const session = await connection.createSession({ acknowledgeMode: "transacted" });
  const statuses = connection.status();
  const next = statuses.next();
  await session.send("orders", "one");
  await session.commit();
  assertEquals(broker.queue("orders").size, 1);
  assertEquals((await next).value.error.message, "bad hook");
  await assertRejects(() => connect(broker.url, { hooks: { transact: 1 as never } }), TypeError);
});
