import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  createActiveMQQueue,
  createConnectionId,
  createKeepAliveInfo,
  createLocalTransactionId,
  createTransactionInfo,
} from "../../codec/mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { dial } from "../../transport/mod.ts";
import { test } from "../_harness.ts";
import { RawClient, refusal, text } from "./_raw_client.ts";
import { texts } from "./_targets.ts";

const Q = createActiveMQQueue({ physicalName: "Q" });

test("MemoryBroker.fault() refuses the n-th command of a type", async () => {
  await using broker = new MemoryBroker();
  const fault = broker.fault({ command: "Message", nth: 2, times: 2, action: { refuse: "no" } });
  await using client = await RawClient.open(broker.connect());
  const producer = await client.producer();
  const answers = [];
  for (const body of ["1", "2", "3", "4"]) {
    answers.push((await client.request(client.message(producer, Q, body))).dataType);
  }
  assertEquals(answers, ["Response", "ExceptionResponse", "ExceptionResponse", "Response"]);
  assertEquals([fault.hits, broker.queue("Q").enqueued], [2, 2]);
});

test("A refused command is answered as the broker answers, or makes a ConnectionError", async () => {
  await using broker = new MemoryBroker();
  const refuse = { className: "javax.jms.ResourceAllocationException", message: "full" };
  using _fault = broker.fault({ command: "ActiveMQTextMessage", times: 2, action: { refuse } });
  await using client = await RawClient.open(broker.connect());
  const producer = await client.producer();
  const expected: [string, string] = [refuse.className, refuse.message];
  assertEquals(refusal(await client.request(client.message(producer, Q, "1"))), expected);
  await client.send(client.message(producer, Q, "2"));
  assertEquals(refusal(await client.next("ConnectionError")), expected);
  await client.publish(Q, "3");
});

test("An answer may be replaced by an exception although the command was handled", async () => {
  await using broker = new MemoryBroker();
  broker.fault({
    direction: "to-client",
    where: (_command, { request }) => request?.dataType === "ActiveMQTextMessage",
    action: { refuse: "lost" },
  });
  await using client = await RawClient.open(broker.connect());
  const producer = await client.producer();
  assertEquals(refusal(await client.request(client.message(producer, Q, "1"))), [
    "javax.jms.JMSException",
    "lost",
  ]);
  assertEquals(broker.queue("Q").size, 1);
});

test("A dropped command never was", async () => {
  await using broker = new MemoryBroker();
  using fault = broker.fault({ command: ["ActiveMQTextMessage", "MessageAck"], action: "drop" });
  await using client = await RawClient.open(broker.connect());
  const producer = await client.producer();
  await client.send(client.message(producer, Q, "1"), client.message(producer, Q, "2"));
  await client.settle();
  assertEquals([fault.hits, broker.queue("Q").size], [1, 1]);
});

test("A dropped dispatch stays with the consumer who never got it", async () => {
  await using broker = new MemoryBroker();
  broker.fault({ command: "MessageDispatch", direction: "to-client", action: "drop" });
  await using client = await RawClient.open(broker.connect());
  await client.consumer(Q);
  await client.publish(Q, "1", "2");
  assertEquals(await client.texts(), ["2"]);
  assertEquals(broker.queue("Q").inFlight, 2);
});

for (const listens of [false, true]) {
  test(`A connection is closed before a command, what came before counts ${listens ? "over TCP" : ""}`, async () => {
    await using broker = listens ? await MemoryBroker.listen() : new MemoryBroker();
    broker.fault({ command: "Message", nth: 2, action: "close" });
    const link = listens ? await dial(broker.url) : broker.connect();
    await using client = await RawClient.open(link);
    const producer = await client.producer();
    await client.request(client.message(producer, Q, "1"));
    await assertRejects(() => client.request(client.message(producer, Q, "2")));
    await client.ended;
    await broker.until(() => broker.connections === 0);
    assertEquals(broker.queue("Q").size, 1);
    await using again = await RawClient.open(broker.connect());
    await again.publish(Q, "2");
  });
}

test("A connection is closed after a commit, before its answer", async () => {
  await using broker = new MemoryBroker();
  using _ = broker.intercept((_command, { request }) =>
    request?.dataType === "TransactionInfo" && request.type === 2 ? "close" : undefined
  );
  await using client = await RawClient.open(broker.connect());
  const connectionId = createConnectionId({ value: client.connectionId });
  const transactionId = createLocalTransactionId({ connectionId, value: 1 });
  await client.send(createTransactionInfo({ connectionId, transactionId, type: 0 }));
  const producer = await client.producer();
  await client.send(client.message(producer, Q, "1", { transactionId }));
  await assertRejects(() =>
    client.request(createTransactionInfo({ connectionId, transactionId, type: 2 }))
  );
  assertEquals(broker.queue("Q").size, 1);
});

test("A delayed command holds what the client sent after it, and nobody else", async () => {
  await using broker = new MemoryBroker();
  const gate = Promise.withResolvers<void>();
  const fault = broker.fault({ command: "ProducerInfo", action: { delay: gate.promise } });
  await using client = await RawClient.open(broker.connect());
  await using other = await RawClient.open(broker.connect());
  let opened = false;
  const opening = client.producer().then((id) => {
    opened = true;
    return id;
  });
  const settled = client.settle();
  await broker.until(() => fault.hits === 1);
  await other.publish(Q, "1");
  assertEquals(opened, false);
  gate.resolve();
  await opening;
  await settled;
});

test("What happens after a delay is seen at once, although the connection waits again", async () => {
  await using broker = new MemoryBroker();
  broker.limitQueue("Q", { messages: 1 });
  broker.fault({ command: "Message", action: { delay: 1 } });
  await using client = await RawClient.open(broker.connect());
  const producer = await client.producer();
  await client.send(client.message(producer, Q, "1"), client.message(producer, Q, "2"));
  await broker.until(() => broker.queue("Q").blocked === 1);
  broker.limitQueue("Q", { messages: 2 });
  await client.settle();
});

test("A delay of some milliseconds ends by itself", async () => {
  await using broker = new MemoryBroker();
  broker.fault({ command: "Message", action: { delay: 5 } });
  await using client = await RawClient.open(broker.connect());
  await client.publish(Q, "1", "2");
  assertEquals(broker.queue("Q").size, 2);
});

test("A delayed command to a client holds what comes after it", async () => {
  await using broker = new MemoryBroker();
  const gate = Promise.withResolvers<void>();
  const direction = "to-client";
  broker.fault({ command: "MessageDispatch", direction, action: { delay: gate.promise } });
  await using client = await RawClient.open(broker.connect());
  await using other = await RawClient.open(broker.connect());
  await client.consumer(Q);
  await other.publish(Q, "1", "2");
  await other.settle();
  assertEquals(client.inbox, []);
  gate.resolve();
  assertEquals(texts(await client.dispatches(2)), ["1", "2"]);
});

test("A delay that fails ends the connection", async () => {
  await using broker = new MemoryBroker();
  broker.fault({ command: "Message", action: { delay: Promise.reject(new Error("no")) } });
  await using client = await RawClient.open(broker.connect());
  await client.send(client.message(await client.producer(), Q, "1"));
  await client.ended;
  assertEquals(broker.queue("Q").size, 0);
});

test("A broker closes although a command is delayed for ever", async () => {
  for (const direction of ["from-client", "to-client"] as const) {
    const broker = new MemoryBroker();
    const never = new Promise(() => {});
    const fault = broker.fault({
      command: ["ProducerInfo", "Response"],
      direction,
      nth: 2,
      action: { delay: never },
    });
    const other = broker.fault({ command: "ProducerInfo", action: { delay: 3_600_000 } });
    await using client = new RawClient(broker.connect());
    await client.format.agreement;
    void client.connect().catch(() => {});
    void client.settle().catch(() => {});
    void client.producer().catch(() => {});
    await broker.until(() => fault.hits + other.hits > 0);
    await broker.close();
    await client.ended;
  }
});

test("Those who interfere are asked in their order, until they are removed", async () => {
  await using broker = new MemoryBroker();
  const asked: string[] = [];
  const first = broker.intercept((command) => {
    if (command.dataType !== "KeepAliveInfo") return undefined;
    asked.push("first");
    return "drop";
  });
  broker.intercept((command, { direction }) => {
    if (command.dataType === "KeepAliveInfo") asked.push(`second ${direction}`);
    return undefined;
  });
  await using client = await RawClient.open(broker.connect());
  await client.send(createKeepAliveInfo({ responseRequired: true }));
  await client.settle();
  first[Symbol.dispose]();
  await client.send(createKeepAliveInfo({ responseRequired: true }));
  await client.next("KeepAliveInfo");
  assertEquals(asked, ["first", "second from-client", "second to-client"]);
  assertEquals(client.inbox, []);
});

test("A fault concerns the connections that it is told", async () => {
  await using broker = new MemoryBroker();
  await using client = await RawClient.open(broker.connect());
  await using other = await RawClient.open(broker.connect());
  broker.fault({
    command: "Message",
    where: (_command, { connection }) => {
      assertEquals(connection.remoteAddress, "memory");
      return connection.clientId === other.connectionId;
    },
    action: { refuse: "not you" },
  });
  await client.publish(Q, "1");
  const producer = await other.producer();
  assertEquals(refusal(await other.request(other.message(producer, Q, "2")))[1], "not you");
});

test("One who interferes and throws ends the connection, and no other", async () => {
  for (const wanted of ["from-client", "to-client"]) {
    await using broker = new MemoryBroker();
    await using client = await RawClient.open(broker.connect());
    await using other = await RawClient.open(broker.connect());
    await client.consumer(Q);
    using _interception = broker.intercept((_command, { direction, connection }) => {
      if (direction !== wanted || connection.clientId !== client.connectionId) return undefined;
      throw new Error("a test's mistake");
    });
    if (wanted === "from-client") await client.send(createKeepAliveInfo());
    await other.publish(Q, "1");
    await client.ended;
    await broker.until(() => broker.connections === 1);
  }
});

test("MemoryBroker.fault() refuses counts that are none", () => {
  const broker = new MemoryBroker();
  assertThrows(() => broker.fault({ nth: 0, action: "drop" }), RangeError, "nth must be 1");
  assertThrows(() => broker.fault({ times: 0, action: "drop" }), RangeError, "times must be 1");
});

test("MemoryBroker.disconnectClients() ends all connections; they may come again", async () => {
  await using broker = await MemoryBroker.listen();
  await using first = await RawClient.open(await dial(broker.url));
  await using second = await RawClient.open(broker.connect());
  await first.consumer(Q);
  await first.publish(Q, "1");
  await first.dispatches(1);
  await broker.disconnectClients();
  await Promise.all([first.ended, second.ended]);
  assertEquals([broker.connections, broker.queue("Q").inFlight], [0, 0]);
  await using again = await RawClient.open(await dial(broker.url));
  await again.consumer(Q);
  const [dispatch] = await again.dispatches(1);
  assertEquals([text(dispatch!), dispatch!.redeliveryCounter], ["1", 1]);
  assert(broker.connections === 1);
});
