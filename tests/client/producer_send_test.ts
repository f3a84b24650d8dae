import {
  BatchError,
  byte,
  createXid,
  EncodeError,
  long,
  type Message,
  type MessageConsumer,
  type MessageHeaders,
  OpenWireError,
  type OutgoingMessage,
  PrimitiveMap,
  ProtocolError,
  queue,
  short,
  topic,
} from "../../mod.ts";
import {
  type ConsumerId,
  createActiveMQTextMessage,
  createBrokerId,
  createConnectionId,
  createLocalTransactionId,
  createMessageDispatch,
  createXATransactionId,
} from "../../codec/mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { connect } from "../../mod.ts";
import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { test } from "../_harness.ts";
import { type TestBroker, testOnBrokers } from "./_brokers.ts";

async function pair({ connect, name }: TestBroker, options = {}) {
  const connection = await connect(options);
  const session = await connection.createSession();
  return {
    connection,
    session,
    producer: await session.createProducer(name),
    consumer: await session.createConsumer(name),
  };
}

async function next(consumer: MessageConsumer): Promise<Message> {
  const message = await consumer.receive({ timeout: 10_000 });
  if (message === null) throw new Error("No message came");
  return message;
}

testOnBrokers("send() tells the message's id and how far it has come", async (broker) => {
  const { session, producer, consumer } = await pair(broker);
  const confirmed = await producer.send("a");
  assertEquals(confirmed.outcome, "confirmed");
  assertEquals((await next(consumer)).id, confirmed.messageId);
  const windowed = await producer.send("b", { persistent: false });
  assertEquals(windowed.outcome, "windowed");
  assertEquals((await next(consumer)).id, windowed.messageId);
  const unlimited = await session.createProducer(broker.name, { windowSize: 0 });
  assertEquals((await unlimited.send("c", { persistent: false })).outcome, "sent");
  const convenient = await session.send(broker.name, "d");
  assertEquals(convenient.outcome, "confirmed");
});

testOnBrokers("what a producer's messages have by default", async (broker) => {
  const { session, consumer } = await pair(broker);
  const headers = ({ persistent, priority, expiration, timestamp }: Message) => [
    persistent,
    priority,
    expiration === 0 ? 0 : expiration - timestamp,
  ];
  const plain = await session.createProducer(broker.name);
  await plain.send("x");
  assertEquals(headers(await next(consumer)), [true, 4, 0]);
  const special = await session.createProducer(broker.name, {
    persistent: false,
    priority: 7,
    timeToLive: 60_000,
  });
  await special.send("x");
  assertEquals(headers(await next(consumer)), [false, 7, 60_000]);
  await special.send("x", { persistent: true, priority: 1, timeToLive: 0 });
  assertEquals(headers(await next(consumer)), [true, 1, 0]);
});

testOnBrokers(
  "disableTimestamp leaves the timestamp out, and keeps the expiration",
  async (broker) => {
    const { session, consumer } = await pair(broker);
    const producer = await session.createProducer(broker.name, { disableTimestamp: true });
    const before = Date.now();
    await producer.send("x", { timeToLive: 60_000 });
    const message = await next(consumer);
    assertEquals(message.timestamp, 0);
    assert(message.expiration >= before + 60_000);

    const quiet = await broker.connect({ disableTimeStampsByDefault: true });
    await quiet.send(broker.name, "y");
    assertEquals((await next(consumer)).timestamp, 0);
  },
);

testOnBrokers(
  "messages of one producer have rising numbers, in the order of the calls",
  async (broker) => {
    const { producer, consumer } = await pair(broker);
    const failing = assertRejects(
      () => producer.send("x", { type: "t".repeat(70_000) }),
      EncodeError,
    );
    const sends = Array.from(
      { length: 40 },
      (_, i) =>
        producer.send(String(i).padEnd(i % 5 === 0 ? 3000 : 0), {
          persistent: false,
          confirm: i % 2 === 0,
          compress: i % 5 === 0,
        }),
    );
    await failing;
    const ids = (await Promise.all(sends)).map(({ messageId }) => messageId);
    const numbers = ids.map((id) => Number(id.slice(id.lastIndexOf(":") + 1)));
    assert(numbers.every((number, i) => i === 0 || number > numbers[i - 1]!), String(numbers));
    for (let i = 0; i < 40; i++) {
      const message = await next(consumer);
      assertEquals([Number(message.text), message.id], [i, ids[i]]);
    }
  },
);

testOnBrokers("a composite destination gets the message everywhere", async ({ connect, name }) => {
  const session = await (await connect()).createSession();
  const places = [`${name}.a`, `${name}.b`, topic(`${name}.c`)];
  const consumers = [];
  for (const place of places) consumers.push(await session.createConsumer(place));
  await session.send(`${name}.a,${name}.b,topic://${name}.c`, "everywhere");
  for (const consumer of consumers) {
    const message = await next(consumer);
    assertEquals(message.text, "everywhere");
    assertEquals(
      message.originalDestination?.physicalName,
      `${name}.a,${name}.b,topic://${name}.c`,
    );
  }
});

testOnBrokers("a body is compressed from the threshold on", async (broker) => {
  const { connection, consumer } = await pair(broker, {
    useCompression: true,
    compressionThreshold: 500,
  });
  const flags: boolean[] = [];
  const producer = await connection.createProducer(broker.name);
  const other = await connection.createProducer(broker.name, {
    compress: false,
    compressionThreshold: 100,
  });
  const text = "x".repeat(496);
  for (
    const send of [
      () => producer.send(text),
      () => producer.send(text.slice(1)),
      () => producer.send(text, { compress: false }),
      () => producer.send(text, { compressionThreshold: 501 }),
      () => other.send(text),
      () => other.send(text.slice(0, 96), { compress: true }),
      () => other.send(text.slice(0, 95), { compress: true }),
    ]
  ) {
    await send();
    const message = await next(consumer);
    assert(text.startsWith(message.text!));
    flags.push(message.original.compressed);
  }
  assertEquals(flags, [true, false, false, false, false, true, false]);
});

testOnBrokers("properties: which names and values are refused", async (broker) => {
  const { producer, consumer } = await pair(broker);
  const refused = (properties: Record<string, unknown>) =>
    assertRejects(() => producer.send("x", { properties } as MessageHeaders), TypeError);
  for (const name of ["", "JMSType", "JMSXGroupID", "JMSPriority"]) {
    await refused({ [name]: 1 });
  }
  await refused({ bytes: Uint8Array.of(1) });
  await refused({ nothing: undefined });
  await refused({ date: new Date() });
  const properties = { JMS_AMQP_NATIVE: true, "content-type": "a/b", and: 1, "ü.x": null };
  await producer.send("x", { properties });
  assertEquals([...(await next(consumer)).properties], Object.entries(properties));
}, { needs: ["only own properties"] });

testOnBrokers("nestedMapAndListEnabled: false refuses maps and lists within", async (broker) => {
  const { producer, consumer } = await pair(broker, { nestedMapAndListEnabled: false });
  for (const value of [{ a: 1 }, [1], new Map([["a", 1]])]) {
    await assertRejects(
      () => producer.send("x", { properties: { value } }),
      TypeError,
      "nestedMapAndListEnabled",
    );
    await assertRejects(
      () => producer.send({ map: { value } }),
      TypeError,
      "nestedMapAndListEnabled",
    );
  }
  await producer.send({ map: { a: 1 } }, { properties: { b: 2 } });
  const message = await next(consumer);
  assertEquals([message.map.get("a"), message.properties.get("b")], [1, 2]);
});

testOnBrokers("a received message is forwarded as it is", async (broker) => {
  const { session, producer, consumer } = await pair(broker);
  const elsewhere = `${broker.name}.elsewhere`;
  const sink = await session.createConsumer(elsewhere);
  const properties = { s: short(1), l: long(5), b: byte(2), nested: { deep: [1] }, t: "ü" };
  const bodies = [
    "text",
    Uint8Array.of(1, 2),
    { map: { s: short(3) } },
    { stream: [byte(1)] },
    { object: Uint8Array.of(0xac, 0xed) },
    { text: null },
    null,
  ] as const;
  for (const body of bodies) {
    for (const compress of [false, true]) {
      const { messageId } = await producer.send(body, {
        compress,
        compressionThreshold: 0,
        properties,
        type: "order",
        correlationId: "c",
        replyTo: topic("answers"),
        groupId: "g",
        groupSequence: 3,
        priority: 9,
        persistent: false,
        timeToLive: 60_000,
      });
      const received = await next(consumer);
      const result = await session.send(elsewhere, received);
      const forwarded = await next(sink);
      const seen = ({ original }: Message) => [
        original.dataType,
        original.content,
        original.compressed,
        original.marshalledProperties,
        original.type,
        original.correlationId,
        original.replyTo?.physicalName,
        original.groupID,
        original.groupSequence,
      ];
      assertEquals(seen(forwarded), seen(received));
      assertEquals(forwarded.original.compressed, compress && received.original.content !== null);
      // As in Java the producer says how it is delivered.
      assertEquals([forwarded.priority, forwarded.persistent, forwarded.expiration], [4, true, 0]);
      assertEquals(forwarded.id, result.messageId);
      assert(forwarded.id !== messageId);
      assertEquals(forwarded.destination, queue(elsewhere));
    }
  }
}, { needs: ["same compression"] });

testOnBrokers("a message that is forwarded takes what the options say", async (broker) => {
  const { session, producer, consumer } = await pair(broker);
  await producer.send("x", { type: "old", correlationId: "c", properties: { a: 1, b: 2 } });
  const received = await next(consumer);
  const properties = new PrimitiveMap(received.properties).set("b", 3);
  await producer.send(received, { type: "new", priority: 9, properties });
  const forwarded = await next(consumer);
  assertEquals([forwarded.type, forwarded.correlationId, forwarded.priority], ["new", "c", 9]);
  assertEquals([...forwarded.properties], [["a", 1], ["b", 3]]);
  assertEquals([received.type, received.properties.get("b")], ["old", 2]);
  await session.close();
}, { needs: ["only own properties"] });

test("a message whose body can't be read can still be forwarded", async () => {
  await using broker = await MemoryBroker.listen();
  await using sender = await connect(broker.url);
  await sender.send("q", "x".repeat(5000), { compress: true });
  await using connection = await connect(broker.url, { maxInflatedSize: 100 });
  const bomb = await next(await connection.createConsumer("q"));
  assertThrows(() => bomb.text, ProtocolError);
  await connection.send("r", bomb);
  const message = await next(await sender.createConsumer("r"));
  assertEquals(message.text, "x".repeat(5000));
});

testOnBrokers("what the broker says of a message", async (broker) => {
  const before = Date.now();
  const { session, producer, consumer } = await pair(broker);
  await producer.send("x");
  const message = await next(consumer);
  assert(message.brokerInTime >= before && message.brokerInTime <= Date.now());
  assert(message.brokerOutTime >= message.brokerInTime);
  assertEquals(
    [message.userId, message.brokerPath, message.originalDestination, message.contentType],
    [null, [], null, null],
  );
  assertEquals([message.producerTransactionId, message.scheduledJobId], [null, null]);

  const transacted = await (await broker.connect()).createSession({
    acknowledgeMode: "transacted",
  });
  await transacted.send(broker.name, "y");
  await transacted.commit();
  const inTransaction = await next(consumer);
  const connectionId = inTransaction.id.split(":").slice(0, 3).join(":");
  assertEquals(inTransaction.producerTransactionId, `TX:${connectionId}:1`);
  await session.close();
}, { needs: ["transaction ids of messages"] });

testOnBrokers("a message tells the distributed transaction that sent it", async (broker) => {
  const { consumer } = await pair(broker);
  const connection = await broker.connect();
  const { xa } = connection;
  const session = await connection.createSession({ acknowledgeMode: "transacted" });
  const xid = createXid({
    formatId: 7,
    globalTransactionId: Uint8Array.of(1, 0xab),
    branchQualifier: Uint8Array.of(0x7f),
  });
  await xa.start(session, xid);
  await session.send(broker.name, "x");
  await xa.end(session, xid);
  await xa.commit(xid, { onePhase: true });
  // As Java writes it: each byte as an int.
  assertEquals(
    (await next(consumer)).producerTransactionId,
    "XID:[7,globalId=1ffffffab,branchId=7f]",
  );
}, { needs: ["transaction ids of messages"] });

test("a message tells its user, its brokers and where it began", async () => {
  await using broker = await MemoryBroker.listen();
  const ids: ConsumerId[] = [];
  broker.intercept((command) => {
    if (command.dataType === "ConsumerInfo") ids.push(command.consumerId!);
    return undefined;
  });
  await using connection = await connect(broker.url);
  const consumer = await connection.createConsumer("q");
  const local = createLocalTransactionId({
    connectionId: createConnectionId({ value: "ID:other" }),
    value: 5,
  });
  const message = createActiveMQTextMessage({
    userID: "maria",
    brokerPath: [createBrokerId({ value: "a" }), null, createBrokerId({ value: "b" })],
    originalTransactionId: createXATransactionId({
      formatId: 1,
      globalTransactionId: Uint8Array.of(0x10),
      branchQualifier: null,
    }),
    transactionId: local,
    originalDestination: topic("t"),
  });
  const [consumerId] = ids;
  broker.sendToClients(createMessageDispatch({ consumerId: consumerId!, message }));
  const whole = await next(consumer);
  assertEquals([whole.userId, whole.brokerPath], ["maria", ["a", "", "b"]]);
  assertEquals(whole.producerTransactionId, "XID:[1,globalId=10,branchId=]");
  assertEquals(whole.originalDestination, topic("t"));

  const plain = { ...message, originalTransactionId: null, brokerPath: null, userID: null };
  broker.sendToClients(createMessageDispatch({ consumerId: consumerId!, message: plain }));
  const bare = await next(consumer);
  assertEquals(
    [bare.userId, bare.brokerPath, bare.producerTransactionId],
    [null, [], "TX:ID:other:5"],
  );
});

testOnBrokers("message groups keep to a consumer until they are closed", async (broker) => {
  const connection = await broker.connect();
  const session = await connection.createSession();
  const consumers = [
    await session.createConsumer(broker.name),
    await session.createConsumer(broker.name),
  ];
  const producer = await session.createProducer(broker.name);
  /** Which consumer gets the next message. */
  const owner = async (): Promise<[number, Message]> => {
    const controller = new AbortController();
    const { signal } = controller;
    const found = await Promise.any(
      consumers.map(async (consumer, i): Promise<[number, Message]> => {
        const message = await consumer.receive({ timeout: 10_000, signal });
        if (!message) throw new Error("No message came");
        return [i, message];
      }),
    );
    controller.abort();
    return found;
  };
  const owners = new Set<number>();
  for (let i = 0; i < 6; i++) {
    await producer.send(String(i), { groupId: "g" });
    const [which, message] = await owner();
    owners.add(which);
    assertEquals([message.text, message.groupId, message.groupSequence], [String(i), "g", 0]);
    assertEquals(message.groupFirstForConsumer, i === 0);
  }
  assertEquals(owners.size, 1);

  await producer.closeGroup("g", { properties: { reason: "done" } });
  const [which, last] = await owner();
  assert(owners.has(which));
  assertEquals([last.kind, last.groupId, last.groupSequence], ["plain", "g", -1]);
  assertEquals(last.properties.get("reason"), "done");

  await producer.send("next", { groupId: "g" });
  const [after, first] = await owner();
  assert(!owners.has(after));
  assertEquals(first.groupFirstForConsumer, true);
  await assertRejects(() => producer.send("x", { groupSequence: 2 ** 31 }), RangeError);
}, { needs: ["first of a group"] });

testOnBrokers("sendBatch() sends in order and tells of each message", async (broker) => {
  const { producer, consumer } = await pair(broker);
  const results = await producer.sendBatch(
    ["a", { body: "b", priority: 9 }, { body: Uint8Array.of(1), confirm: false }, { text: "c" }],
    { priority: 2 },
  );
  assertEquals(results.map(({ outcome }) => outcome), [
    "confirmed",
    "confirmed",
    "windowed",
    "confirmed",
  ]);
  const seen = [];
  for (const { messageId } of results) {
    const message = await next(consumer);
    assertEquals(message.id, messageId);
    seen.push(message.priority);
  }
  assertEquals(seen, [2, 9, 2, 2]);
  assertEquals(await producer.sendBatch([]), []);
}, { needs: ["no order by priority"] });

testOnBrokers("sendBatch() sends nothing if one message can't be sent at all", async (broker) => {
  const { connection, producer, consumer } = await pair(broker, {
    wireFormat: { maxFrameSize: 10_000 },
  });
  const refused = async (message: string | OutgoingMessage, name: string) => {
    const error = await assertRejects(() => producer.sendBatch(["before", message, "after"]));
    assertEquals((error as Error).name, name);
  };
  await refused({ body: "x", correlationId: "c".repeat(70_000) }, "EncodeError");
  await refused("x".repeat(20_000), "EncodeError");
  await refused(5 as unknown as string, "TypeError");
  await refused({ body: "x", priority: 10 }, "RangeError");
  await refused({ body: "x", destination: "elsewhere" }, "TypeError");
  await producer.send("marker");
  assertEquals((await next(consumer)).text, "marker");
  await connection.close();
  const error = await assertRejects(() => producer.sendBatch(["x"]), OpenWireError);
  assertEquals(error.code, "CONNECTION_CLOSED");
});

test("sendBatch() tells which messages failed", async () => {
  await using broker = await MemoryBroker.listen();
  broker.fault({ command: "Message", nth: 2, action: { refuse: "no space left" } });
  await using connection = await connect(broker.url);
  const producer = await connection.createProducer("q");
  const error = await assertRejects(() => producer.sendBatch(["a", "b", "c"]), BatchError);
  assertEquals(error.code, "BATCH");
  assertEquals(
    error.message,
    "1 of 3 messages failed, the first: Cannot send to queue://q: no space left",
  );
  assertEquals(error.results.map((result: { status: string }) => result.status), [
    "fulfilled",
    "rejected",
    "fulfilled",
  ]);
  assertInstanceOf(error.cause, OpenWireError);
  assertEquals(broker.queue("q").size, 2);
});

test("sendBatch() leaves in one write", async () => {
  await using broker = await MemoryBroker.listen();
  const transport = broker.connect();
  let writes = 0;
  const counting = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      writes++;
      controller.enqueue(chunk);
    },
  });
  const piping = counting.readable.pipeTo(transport.writable).catch(() => {});
  const connection = await connect(broker.url, {
    transport: {
      readable: transport.readable,
      writable: counting.writable,
      closed: transport.closed,
      remoteAddress: transport.remoteAddress,
      close: (reason) => transport.close(reason),
    },
  });
  const producer = await connection.createProducer("q");
  writes = 0;
  await producer.sendBatch(Array.from({ length: 50 }, (_, i) => String(i)));
  assertEquals([writes, broker.queue("q").size], [1, 50]);
  await connection.close();
  await piping;
});
