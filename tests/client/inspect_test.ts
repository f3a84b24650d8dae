/** What `console.log()` and JSON show of the objects that a user gets. */
import {
  BytesReader,
  BytesWriter,
  connect,
  createXid,
  type Message,
  PrimitiveList,
  PrimitiveMap,
  type SendOptions,
  short,
} from "../../mod.ts";
import type { MessageBody } from "../../mod.ts";
import { createActiveMQTextMessage } from "../../codec/mod.ts";
import type { Message as WireMessage } from "../../codec/mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { inspect } from "node:util";
import { runtime, test } from "../_harness.ts";
import { testOnBrokers } from "./_brokers.ts";
import { received } from "./_messages.ts";

interface InspectOptions {
  depth?: number | null;
  colors?: boolean;
}

type Show = (value: unknown, options?: InspectOptions) => string;

/** How the runtime's own console shows a value. */
const show: Show = runtime === "node"
  ? inspect
  : (globalThis as unknown as { Deno: { inspect: Show }; Bun: { inspect: Show } })[
    runtime === "deno" ? "Deno" : "Bun"
  ].inspect;

/** The same on one line and without quotes, which differ between the runtimes. */
function shown(value: unknown, options?: InspectOptions): string {
  return show(value, options).replaceAll(/['"]/g, "").replaceAll(/\s+/g, " ")
    .replaceAll(/, ([}\]])/g, " $1");
}

// deno-lint-ignore no-control-regex
const CONTROLS = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u2066]/;

/** A message as a consumer of a broker in memory gets it. */
async function arrived(body: MessageBody, options: SendOptions = {}): Promise<Message> {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url);
  await connection.send("orders", body, options);
  await using session = await connection.createSession({ acknowledgeMode: "individual" });
  return await received(await session.createConsumer("orders"));
}

/** A message as any sender may make it. */
async function hostile(change: Partial<WireMessage>): Promise<Message> {
  await using broker = await MemoryBroker.listen();
  using _ = broker.intercept((command, { direction }) => {
    if (direction === "from-client" && "marshalledProperties" in command) {
      Object.assign(command, change);
    }
    return undefined;
  });
  await using connection = await connect(broker.url);
  await connection.send("orders", "x");
  await using session = await connection.createSession({ acknowledgeMode: "individual" });
  return await received(await session.createConsumer("orders"));
}

test("a PrimitiveMap and a PrimitiveList show their values", () => {
  const map = new PrimitiveMap({ region: "eu", attempt: short(2), total: 5n, none: null });
  assertEquals(shown(map), "PrimitiveMap { region: eu, attempt: 2, total: 5n, none: null }");
  const nested = new PrimitiveMap({ list: [1, { a: true }], bytes: Uint8Array.of(1, 171) });
  assertEquals(shown(nested), "PrimitiveMap { list: [ 1, { a: true } ], bytes: <2 bytes: 01 ab> }");
  assertEquals(shown(new PrimitiveList([1, "two", [3n]])), "PrimitiveList [ 1, two, [ 3n ] ]");
  assertEquals(shown(new PrimitiveMap()), "PrimitiveMap {}");
});

test("a PrimitiveMap with any names shows them", () => {
  const map = new PrimitiveMap(new Map([["__proto__", 1], ["constructor", 2], ["a\x1b[31mb", 3]]));
  const text = shown(map);
  for (const part of ["__proto__", ": 1", "constructor: 2", "a [31mb: 3"]) {
    assertStringIncludes(text, part);
  }
});

test("depth and colours of the console are those of what is shown", () => {
  const map = new PrimitiveMap({ a: { b: { c: { d: 1 } } } });
  assertEquals(shown(map, { depth: 0 }), "PrimitiveMap { a: [Object] }");
  // Bun's own console counts depths in another way.
  assertEquals(inspect({ x: { map } }, { depth: 1 }), "{ x: { map: [PrimitiveMap] } }");
  const within = inspect({ x: { map } }, { depth: 3 });
  assertEquals(within, "{ x: { map: PrimitiveMap { a: { b: [Object] } } } }");
  assertStringIncludes(shown(map, { depth: 10 }), "{ d: 1 }");
  assertStringIncludes(show(map, { colors: true, depth: 10 }), "\x1b[33m1");
  assertEquals(show(map, { depth: null }).includes("[Object]"), false);
});

test("the prototypes of classes can be shown", () => {
  for (const { prototype } of [PrimitiveMap, PrimitiveList, BytesReader]) {
    assertEquals(typeof show(prototype), "string");
  }
});

test("BytesReader and BytesWriter show how far they are", () => {
  const reader = new BytesReader(new Uint8Array(5));
  reader.readInt();
  assertEquals(shown(reader), "BytesReader { length: 5, remaining: 1 }");
  assertEquals(shown(new BytesWriter().writeInt(1)), "BytesWriter { length: 4 }");
});

testOnBrokers("a message shows what a person wants to know of it", async (broker) => {
  const connection = await broker.connect();
  await using session = await connection.createSession({ acknowledgeMode: "individual" });
  const consumer = await session.createConsumer(broker.name);
  const { messageId } = await connection.send(broker.name, "hello", {
    correlationId: "order-7",
    properties: { region: "eu", total: 5n, huge: 2n ** 60n },
  });
  const message = await received(consumer);
  const time = new Date(message.timestamp).toISOString();
  // Artemis puts its own property among them, in an order of its own.
  const { properties } = message;
  const entries = [...properties].map(([name, value]) =>
    `${name}: ${value}${typeof value === "bigint" ? "n" : ""}`
  );
  assertEquals(
    shown(message),
    `Message { id: ${messageId}, kind: text, destination: queue://${broker.name}, correlationId: order-7, ` +
      `timestamp: ${time}, persistent: true, properties: { ${entries.join(", ")} }, body: hello }`,
  );
  assertEquals(message.toJSON(), {
    id: messageId,
    kind: "text",
    destination: `queue://${broker.name}`,
    correlationId: "order-7",
    timestamp: time,
    persistent: true,
    properties: { ...properties.toObject() },
    body: "hello",
  });
  const { region, total, huge } = properties.toObject();
  assertEquals([region, total, huge], ["eu", 5, String(2n ** 60n)]);
  assertEquals(JSON.parse(JSON.stringify(message)), message.toJSON());
  assertStringIncludes(shown(message.properties), "region: eu");
});

test("headers that are set are shown, those by default are not", async () => {
  const message = await arrived("x", {
    priority: 9,
    timeToLive: 60_000,
    replyTo: "topic://answers",
    type: "order",
    groupId: "g",
    groupSequence: 3,
    persistent: false,
  });
  const { priority, expiration, replyTo, type, groupId, groupSequence, persistent } = message
    .toJSON();
  assertEquals(
    [priority, expiration, replyTo, type, groupId, groupSequence, persistent],
    [9, new Date(message.expiration).toISOString(), "topic://answers", "order", "g", 3, false],
  );
  const names = Object.keys((await arrived("x")).toJSON());
  assertEquals(names, ["id", "kind", "destination", "timestamp", "persistent", "body"]);
});

test("each kind of body has a preview", async () => {
  const bodyOf = async (body: MessageBody, options?: SendOptions) => {
    const message = await arrived(body, options);
    assertEquals(typeof show(message), "string");
    return message.toJSON()["body"];
  };
  assertEquals(await bodyOf("two\nlines"), "two lines");
  assertEquals(await bodyOf(null), null);
  const bytes = Uint8Array.from({ length: 300 }, (_, i) => i);
  assertEquals(
    await bodyOf(bytes),
    "<300 bytes: 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f …>",
  );
  assertEquals(await bodyOf(new Uint8Array()), "<0 bytes>");
  assertEquals(await bodyOf({ map: { id: 7n, at: [1, 2] } }), { id: 7, at: [1, 2] });
  assertEquals(await bodyOf({ stream: [1, "two"] }), [1, "two"]);
  assertEquals(await bodyOf({ object: Uint8Array.of(172, 237) }), "<2 bytes: ac ed>");
  assertEquals(await bodyOf({ json: { a: 1 } }), `{"a":1}`);
});

test("a long text is cut and says how long it is", async () => {
  const short = (await arrived("😀".repeat(1000))).toJSON()["body"] as string;
  assertEquals(short, `${"😀".repeat(100)}… (2000 characters)`);
  const odd = (await arrived(`a${"😀".repeat(1000)}`)).toJSON()["body"] as string;
  assertEquals(odd, `a${"😀".repeat(99)}… (2001 characters)`);
  for (const unit of ["x", "é", "€", "😀", "a\u0000"]) {
    const message = await arrived(unit.repeat(200_000));
    const body = message.toJSON()["body"] as string;
    for (const before of ["a", "ab"]) {
      const { body } = (await arrived(before + unit.repeat(100_000))).toJSON();
      assert((body as string).startsWith(`${before}${unit.replace("\u0000", " ")}`), `${body}`);
    }
    assert(body.length <= 200, `${body.length}`);
    assertMatch(body, /… \(\d+ bytes\)$/);
    assert(body.startsWith(unit.replace("\u0000", " ")));
    assert(!/[\ud800-\udbff](?![\udc00-\udfff])/.test(body));
    assert(show(message).length < 1000);
  }
});

test("a compressed body is not inflated to be shown", async () => {
  const message = await arrived("x".repeat(100_000), { compress: true, compressionThreshold: 0 });
  assertEquals(message.original.compressed, true);
  assertMatch(message.toJSON()["body"] as string, /^<\d+ bytes, compressed>$/);
  assertMatch(shown(message), /body: <\d+ bytes, compressed> }/);
});

test("unreadable properties and bodies are shown with the reason", async () => {
  const message = await hostile({
    content: Uint8Array.of(0, 0, 0, 9, 1),
    marshalledProperties: Uint8Array.of(0, 0, 0, 1, 0, 1, 97, 99),
  });
  const { properties, body } = message.toJSON();
  assertMatch(properties as string, /^<unreadable: .*tag from 0 to 13/);
  assertMatch(body as string, /^<unreadable: .*>$/);
  assertStringIncludes(shown(message), "unreadable");
});

test("hostile messages are shown in few characters, without control characters", async () => {
  const nasty = "\x1b[2J\x07\u202e\u2066\x9b".repeat(5000);
  const wide = new PrimitiveMap();
  for (let i = 0; i < 5000; i++) wide.set(`${nasty.slice(0, 50)}${i}`, nasty.slice(0, 100));
  const lists = new PrimitiveList();
  for (let i = 0; i < 60_000; i++) lists.push(i);
  for (
    const body of [
      nasty,
      { map: { [nasty.slice(0, 60_000)]: nasty } },
      { map: wide },
      { stream: lists },
      { map: { wide: Array.from({ length: 90 }, () => Array(90).fill("x".repeat(99))) } },
      { map: { wide: [1, 2, 3].map(() => Array(90).fill("x".repeat(199))) } },
    ]
  ) {
    const message = await arrived(body as MessageBody, {
      correlationId: nasty.slice(0, 30_000),
      type: nasty.slice(0, 30_000),
    });
    for (const text of [show(message), show(message, { depth: null }), JSON.stringify(message)]) {
      assert(text.length < 45_000, `${text.length}`);
      assertEquals(CONTROLS.exec(text)?.[0], undefined);
    }
  }
  const numbers = { map: { wide: Array.from({ length: 90 }, () => Array(90).fill(1)) } };
  assert(JSON.stringify(await arrived(numbers)).length < 2000);
  const message = await hostile({
    timestamp: 2n ** 62n,
    expiration: -(2n ** 62n),
    userID: nasty.slice(0, 30_000),
    content: new Uint8Array(100_000).fill(0x80),
    marshalledProperties: new Uint8Array(1_000_000),
  });
  assert(show(message).length < 3000);
  assertEquals(message.toJSON()["properties"], "<1000000 bytes>");
  assertEquals(CONTROLS.exec(show(message))?.[0], undefined);
});

test("values that are nested deep are shown", () => {
  let value: unknown[] = [];
  for (let i = 0; i < 120; i++) value = [value, value.length === 0 ? 1 : 2];
  const list = new PrimitiveList([value as never]);
  assert(show(list, { depth: null }).length < 10_000);
  assertStringIncludes(show(list, { depth: null }), "<…>");
  assertStringIncludes(show(new PrimitiveList(Array(65_536).fill(0))), "65437 more");
});

testOnBrokers("connections and what belongs to them show where they are", async (broker) => {
  const clientId = `client.${broker.name}`;
  const connection = await broker.connect({ clientId });
  const session = await connection.createSession({ acknowledgeMode: "transacted" });
  const producer = await session.createProducer(broker.name);
  const consumer = await session.createConsumer(broker.name, { selector: "a = 1" });
  const browser = await session.createBrowser(broker.name);
  const responder = await connection.respond(`${broker.name}.requests`, () => null);
  const { remoteAddress } = connection;

  const text = shown(connection);
  for (const part of [`clientId: ${clientId}`, `remoteAddress: ${remoteAddress}`]) {
    assertStringIncludes(text, part);
  }
  const json = JSON.parse(JSON.stringify(connection));
  assertEquals([json.clientId, json.state, json.version], [
    clientId,
    "connected",
    connection.wireFormat.version,
  ]);
  assertEquals([json.sessions, json.consumers, json.producers], [2, 3, 1]);
  assertEquals(json.provider, connection.provider || undefined);

  await producer.send("x");
  const { transactionId } = session.toJSON();
  assertMatch(transactionId as string, /^TX:ID:.*:\d+$/);
  assertEquals(
    shown(session),
    `Session { acknowledgeMode: transacted, state: open, transactionId: ${transactionId}, consumers: 2, producers: 1 }`,
  );
  assertMatch(
    shown(producer),
    /^MessageProducer \{ id: \S+, destination: queue:\/\/.*, state: open/,
  );
  assertStringIncludes(shown(consumer), "selector: a = 1, state: open, prefetchSize: 1000");
  assertStringIncludes(shown(browser), `QueueBrowser { destination: queue://${broker.name}`);
  assertStringIncludes(shown(responder), "state: open");

  await connection.close();
  for (const closed of [connection, session, producer, consumer, browser, responder]) {
    assertStringIncludes(shown(closed), "state: closed");
    assertEquals(JSON.parse(JSON.stringify(closed)).state, "closed");
  }
});

test("a paused consumer, a lost connection and branches say so", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(`failover:(${broker.url})?initialReconnectDelay=1`);
  const consumer = await connection.createConsumer("orders");
  consumer.pause();
  assertEquals(consumer.toJSON()["state"], "paused");
  const session = await connection.createSession({ acknowledgeMode: "transacted" });
  const xid = createXid({
    globalTransactionId: Uint8Array.of(1),
    branchQualifier: Uint8Array.of(2),
  });
  const { xa } = connection;
  await xa.start(session, xid);
  assertEquals(shown(xa), `XAResource { branches: { ${xid.formatId}:01:02: working } }`);
  await session.send("orders", "x");
  await xa.end(session, xid);
  await xa.prepare(xid);
  assertEquals(xa.toJSON(), { branches: { [`${xid.formatId}:01:02`]: "prepared" } });
  const statuses = connection.status();
  const lost = statuses.next();
  await broker.suspend();
  await lost;
  assertEquals(connection.toJSON()["state"], "reconnecting");
  await broker.resume();
  while ((await statuses.next()).value?.type !== "resumed");
  assertEquals([connection.toJSON()["state"], connection.toJSON()["reconnections"]], [
    "connected",
    1,
  ]);
});

test("a broker in memory shows its destinations and no passwords", async () => {
  await using broker = await MemoryBroker.listen({ users: { app: "hunter2" } });
  const [scheme, rest] = broker.url.split("://");
  await using connection = await connect(`${scheme}://${rest}`, {
    username: "app",
    password: "hunter2",
  });
  await connection.send("orders", "x");
  assertEquals(
    shown(broker, { depth: 4 }),
    `MemoryBroker { url: ${broker.url}, state: open, connections: 1, ` +
      "destinations: { queue://orders: { size: 1, consumers: 0, inFlight: 0 } } }",
  );
  for (const one of [broker, connection]) {
    for (const text of [show(one, { depth: 20 }), JSON.stringify(one)]) {
      assertEquals(text.includes("hunter2"), false);
    }
  }
});

test("a message made of a command shows no fields of the wire", async () => {
  const message = await arrived("x", { properties: { a: 1 } });
  for (const text of [show(message, { depth: 20 }), JSON.stringify(message)]) {
    for (const field of ["marshalledProperties", "brokerInTime", "producerId", "commandId"]) {
      assertEquals(text.includes(field), false, field);
    }
  }
  assert("marshalledProperties" in createActiveMQTextMessage());
});
