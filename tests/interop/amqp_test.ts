/** An AMQP 1.0 client and this one, through the brokers that speak both: what one sends the other receives. */
import {
  byte,
  double,
  float,
  int,
  long,
  type Message,
  type MessageBody,
  PrimitiveMap,
  queue,
  short,
  topic,
} from "../../mod.ts";
import { Buffer } from "node:buffer";
import { assert, assertEquals, assertMatch } from "@std/assert";
import rhea from "rhea";
import { received } from "../client/_messages.ts";
import { AmqpPeer } from "./_amqp.ts";
import { interop } from "./_interop.ts";

const { types, message: section } = rhea;

const BINARY = Uint8Array.of(0, 1, 127, 128, 255);
const ODD = "emoji 😀, NUL \0, é";

interop("amqp", "bodies of an AMQP client are received here", async (pair) => {
  const { urls, name, connect, has } = pair;
  const consumer = await (await connect()).createConsumer(name);
  await using amqp = await AmqpPeer.connect(urls.amqp!);
  const sent = async (body: unknown): Promise<Message> => {
    await amqp.send(`queue://${name}`, { body });
    return await received(consumer);
  };
  for (const text of [ODD, "", "long ".repeat(20_000) + "😀"]) {
    const message = await sent(text);
    assertEquals([message.kind, message.text], ["text", text]);
  }
  for (const bytes of [BINARY, new Uint8Array(100_000)]) {
    const data = await sent(section.data_section(Buffer.from(bytes)));
    assertEquals([data.kind, data.bytes], ["bytes", bytes]);
    const value = await sent(types.wrap_binary(Buffer.from(bytes)));
    assertEquals([value.kind, value.bytes], ["bytes", bytes]);
  }
  const none = await sent(null);
  assertEquals([none.kind, none.text], ["text", null]);

  const map = await sent({ a: types.wrap_int(1), b: "x" });
  assertEquals(map.kind, "map");
  assertEquals(new Map(map.map), new Map<string, unknown>([["a", 1], ["b", "x"]]));
  const list = await sent([types.wrap_int(1), "x"]);
  assertEquals(list.kind, "stream");
  assertEquals([...list.stream], [1, "x"]);

  // Of its own accord rhea makes unsigned numbers.
  const unsigned = await sent({ a: 1 });
  if (has("unsigned numbers of AMQP")) {
    assertEquals([unsigned.kind, unsigned.map.get("a")], ["map", 1]);
  } else {
    const { kind, properties } = unsigned;
    assertEquals([kind, properties.get("JMS_AMQP_NATIVE")], ["bytes", true]);
  }
});

interop("amqp", "bodies of ours are received by an AMQP client", async (pair) => {
  const { urls, name, connect } = pair;
  const connection = await connect();
  await using amqp = await AmqpPeer.connect(urls.amqp!);
  const receiver = await amqp.receiver(`queue://${name}`);
  const cases: [MessageBody, unknown][] = [
    [ODD, ODD],
    ["", ""],
    ["x".repeat(100_000), "x".repeat(100_000)],
    [BINARY, Buffer.from(BINARY)],
    [{ map: { a: 1, b: "x", c: long(5) } }, { a: 1, b: "x", c: 5 }],
    [{ stream: [1, "x", true] }, [1, "x", true]],
    [null, undefined],
  ];
  for (const compress of [false, true]) {
    for (const [body, expected] of cases) {
      await connection.send(name, body, { compress, compressionThreshold: 0 });
      const { message, delivery } = await receiver.receive();
      const content = (message.body as { content?: unknown } | undefined)?.content;
      assertEquals(content ?? message.body, expected);
      delivery.accept();
    }
  }
  await receiver.close();
});

interop("amqp", "headers and properties of an AMQP client are received here", async (pair) => {
  const { urls, name, connect, has } = pair;
  const consumer = await (await connect()).createConsumer(name);
  await using amqp = await AmqpPeer.connect(urls.amqp!);
  const before = Date.now();
  await amqp.send(`queue://${name}`, {
    body: "x",
    message_id: "my-id",
    correlation_id: "c-1",
    subject: "kind",
    reply_to: "answers",
    priority: 7,
    durable: true,
    ttl: 60_000,
    creation_time: new Date(before),
    group_id: "g",
    group_sequence: 3,
    content_type: "text/plain",
    application_properties: {
      text: ODD,
      yes: true,
      byte: types.wrap_byte(-5),
      short: types.wrap_short(300),
      int: types.wrap_int(7),
      long: types.wrap_long(Number.MAX_SAFE_INTEGER),
      float: types.wrap_float(0.5),
      double: types.wrap_double(1.5),
      none: null,
      ubyte: types.wrap_ubyte(200),
      ushort: types.wrap_ushort(60_000),
      uint: types.wrap_uint(4_000_000_000),
      symbol: types.wrap_symbol("symbol"),
    },
  });
  const message = await received(consumer);
  if (has("message ids of AMQP")) {
    assertEquals(message.id, "ID:my-id");
  } else {
    assertMatch(message.id, /^ID:/);
    assertEquals(message.properties.get("NATIVE_MESSAGE_ID"), "ID:AMQP_NO_PREFIX:my-id");
  }
  assertEquals([message.correlationId, message.type], ["c-1", "kind"]);
  assertEquals([message.replyTo, message.destination], [queue("answers"), queue(name)]);
  assertEquals([message.priority, message.persistent], [7, true]);
  assertEquals([message.groupId, message.groupSequence], ["g", 3]);
  assertEquals(message.timestamp, before);
  assert(message.expiration >= before + 60_000, `expires at ${message.expiration}`);
  const expected = new PrimitiveMap({
    text: ODD,
    yes: true,
    byte: byte(-5),
    short: short(300),
    int: int(7),
    long: long(Number.MAX_SAFE_INTEGER),
    float: float(0.5),
    double: double(1.5),
    none: null,
    ubyte: short(200),
    ushort: int(60_000),
    uint: long(4_000_000_000),
    symbol: "symbol",
  });
  const came = new Map(message.properties.typedEntries());
  for (const [name, value] of expected.typedEntries()) assertEquals(came.get(name), value, name);
});

interop("amqp", "headers and properties of ours are received by an AMQP client", async (pair) => {
  const { urls, name, connect, has } = pair;
  const connection = await connect();
  await using amqp = await AmqpPeer.connect(urls.amqp!);
  const receiver = await amqp.receiver(`queue://${name}`);
  const { messageId } = await connection.send(name, "x", {
    correlationId: "c-2",
    type: "kind",
    priority: 7,
    timeToLive: 60_000,
    replyTo: "queue://answers",
    groupId: "g",
    groupSequence: 2,
    properties: {
      text: "käse €",
      yes: true,
      byte: byte(-5),
      short: short(300),
      int: int(7),
      long: long(8),
      float: float(0.5),
      double: double(1.5),
      none: null,
    },
  });
  const { message, delivery } = await receiver.receive();
  delivery.accept();
  if (has("message ids of AMQP")) assertEquals(message.message_id, messageId);
  assertEquals([message.correlation_id, message.subject], ["c-2", "kind"]);
  assertEquals(message.reply_to?.replace("queue://", ""), "answers");
  assertEquals([message.priority, message.durable], [7, true]);
  assertEquals([message.group_id, message.group_sequence], ["g", 2]);
  assert(message.ttl! > 0 && message.ttl! <= 60_000, `lives for ${message.ttl}`);
  const { text, yes, byte: b, short: s, int: i, long: l, float: f, double: d, none } = message
    .application_properties!;
  assertEquals([text, yes, b, s, i, l, f, d, none], [
    "käse €",
    true,
    -5,
    300,
    7,
    8,
    0.5,
    1.5,
    null,
  ]);

  await connection.send(name, "x", { persistent: false });
  const plain = await receiver.receive();
  plain.delivery.accept();
  assertEquals([plain.message.durable ?? false, plain.message.priority ?? 4], [false, 4]);
  assertEquals([plain.message.correlation_id, plain.message.reply_to], [undefined, undefined]);
  await receiver.close();
});

interop(
  "amqp",
  "what an AMQP client does not accept comes here",
  async ({ urls, name, connect }) => {
    const connection = await connect();
    await using amqp = await AmqpPeer.connect(urls.amqp!);
    const receiver = await amqp.receiver(`queue://${name}`);
    for (const text of ["a", "b"]) await connection.send(name, text);
    const a = await receiver.receive();
    const b = await receiver.receive();
    assertEquals([a.message.body, b.message.body], ["a", "b"]);
    b.delivery.accept();
    await receiver.close();
    const consumer = await connection.createConsumer(name);
    assertEquals((await received(consumer)).text, "a");
    await connection.send(name, "the last");
    assertEquals((await received(consumer)).text, "the last");
  },
);

interop("amqp", "an AMQP client answers requests of ours", async ({ urls, name, connect }) => {
  const connection = await connect();
  await using amqp = await AmqpPeer.connect(urls.amqp!);
  const requests = await amqp.receiver(`queue://${name}`);
  const answer = connection.request(name, "apple", { timeout: 10_000 });
  const { message, delivery } = await requests.receive();
  assertEquals(message.body, "apple");
  await amqp.send(message.reply_to!, { body: "30", correlation_id: message.correlation_id! });
  delivery.accept();
  assertEquals((await answer).text, "30");
  await requests.close();
});

interop("amqp", "requests of an AMQP client are answered here", async (pair) => {
  const { urls, name, connect } = pair;
  const connection = await connect();
  await using _responder = await connection.respond(name, ({ text }) => `${text}!`);
  await using amqp = await AmqpPeer.connect(urls.amqp!);
  const replies = await amqp.receiver();
  await amqp.send(`queue://${name}`, {
    body: "apple",
    reply_to: replies.address,
    correlation_id: "c-3",
  });
  const { message, delivery } = await replies.receive();
  delivery.accept();
  assertEquals([message.body, message.correlation_id], ["apple!", "c-3"]);
  await replies.close();
});

interop("amqp", "topics are the same for an AMQP client and here", async (pair) => {
  const { urls, name, connect } = pair;
  const connection = await connect();
  const consumer = await connection.createConsumer(topic(name));
  await using amqp = await AmqpPeer.connect(urls.amqp!);
  const receiver = await amqp.receiver(`topic://${name}`);
  const receivedByAmqp = async () => {
    const { message, delivery } = await receiver.receive();
    delivery.accept();
    return message.body;
  };
  await amqp.send(`topic://${name}`, { body: "theirs" });
  assertEquals((await received(consumer)).text, "theirs");
  assertEquals(await receivedByAmqp(), "theirs");
  await connection.send(topic(name), "ours");
  assertEquals((await received(consumer)).text, "ours");
  assertEquals(await receivedByAmqp(), "ours");
  await receiver.close();
});
