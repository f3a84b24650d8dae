/** The Java client and this one, through a real broker: what one sends the other receives. */
import {
  byte,
  BytesWriter,
  char,
  double,
  float,
  int,
  long,
  type Message,
  type MessageBody,
  type MessageConsumer,
  PrimitiveList,
  PrimitiveMap,
  type PrimitiveValue,
  queue,
  type SendOptions,
  type Session,
  short,
  TypedValue,
} from "../../mod.ts";
import { assert, assertEquals } from "@std/assert";
import type { JavaMessage, JavaReceive, JavaSend, TypedValue as JavaValue } from "../java/java.ts";
import { type InteropOptions, type JavaInterop, javaInterop } from "./_interop.ts";

/** Both clients, with a queue for one test. */
interface Pair extends Pick<JavaInterop, "java" | "kind" | "has"> {
  readonly session: Session;
  readonly at: { readonly url: string; readonly queue: string };
}

/** Whether Java and we encode tightly; by itself Java does, and we don't. */
const ENCODINGS = [{ java: true, ours: false }, { java: false, ours: true }];

function interop(
  name: string,
  fn: (pair: Pair) => Promise<void>,
  options?: InteropOptions,
): void {
  javaInterop(name, async ({ java, kind, urls, connect, name, has }) => {
    for (const tight of ENCODINGS) {
      const connection = await connect({ wireFormat: { tightEncodingEnabled: tight.ours } });
      const session = await connection.createSession({ acknowledgeMode: "individual" });
      const url = `${urls.openwire}?wireFormat.tightEncodingEnabled=${tight.java}`;
      await fn({ java, session, at: { url, queue: name }, kind, has });
    }
  }, options);
}

/** Receives one message here. */
async function receive({ session, at }: Pair): Promise<Message> {
  await using consumer = await session.createConsumer(at.queue);
  const message = await taken(consumer);
  await message.ack();
  return message;
}

async function taken(consumer: MessageConsumer): Promise<Message> {
  const message = await consumer.receive({ timeout: 10_000 });
  if (message === null) throw new Error("No message came from Java");
  return message;
}

async function send({ session, at }: Pair, body: MessageBody, options: SendOptions = {}) {
  await using producer = await session.createProducer(at.queue);
  const { messageId } = await producer.send(body, { ...options, compressionThreshold: 0 });
  return messageId;
}

async function receiveByJava(
  { java, at }: Pair,
  options: Partial<JavaReceive> = {},
): Promise<JavaMessage> {
  const message = await java.receive({ ...at, ...options });
  if (!message) throw new Error("No message came to Java");
  return message;
}

/**
 * The properties that the sender has set. The client of ActiveMQ 6 lists how often a message was delivered among them, and
 * Artemis adds whose it is.
 */
function propertiesOf({ properties }: JavaMessage): JavaMessage["properties"] {
  return properties.filter(([name]) => name !== "JMSXDeliveryCount" && name !== "__AMQ_CID");
}

/** Sends what was received as it is. */
function forward(pair: Pair, message: Message, compress: boolean): Promise<string> {
  const { properties } = message;
  return send(pair, bodyOf(message), { properties, compress });
}

function bodyOf(message: Message): MessageBody {
  switch (message.kind) {
    case "text":
      return { text: message.text };
    case "bytes":
      return message.bytes;
    case "map":
      return { map: message.map };
    case "stream":
      return { stream: message.stream };
    case "object":
      return { object: message.bytes };
    default:
      return null;
  }
}

/** A value of ours as the Java peer writes it. */
function toJava({ type, value }: TypedValue): JavaValue {
  if (value === null) return { t: "null" };
  if (value instanceof Uint8Array) {
    return { t: "bytes", v: { $bytes: btoa(String.fromCharCode(...value)) } };
  }
  if (value instanceof PrimitiveMap) return { t: "map", v: written(value) };
  if (value instanceof PrimitiveList) {
    return { t: "list", v: [...value.typedValues()].map(toJava) };
  }
  if (type === "float" || type === "double") {
    // Java says the bits too, and NaN, infinities and -0 as text.
    const view = new DataView(new ArrayBuffer(8));
    if (type === "float") view.setFloat32(0, value as number);
    else view.setFloat64(0, value as number);
    const bits = view.getBigUint64(0).toString(16).padStart(16, "0");
    const number = value as number;
    const v = Number.isFinite(number) && !Object.is(number, -0)
      ? number
      : Object.is(number, -0)
      ? "-0"
      : String(number);
    return { t: type, v, bits: type === "float" ? bits.slice(0, 8) : bits };
  }
  return { t: type, v: type === "long" ? String(value) : value } as JavaValue;
}

function written(map: PrimitiveMap): [string, JavaValue][] {
  return [...map.typedEntries()].map(([name, value]) => [name, toJava(value)]);
}

const ODD = "emoji 😀, NUL \0, lone \ud800 and \udc00, é, €";
const LONG = "long ".repeat(14_000) + "😀";

const SCALARS: [string, TypedValue][] = [
  ["boolean", new TypedValue("boolean", true)],
  ["byte", byte(-128)],
  ["double", double(-2.5)],
  ["double-whole", double(3)],
  ["double-zero", double(-0)],
  ["float", float(0.1)],
  ["float-nan", float(NaN)],
  ["int", int(-2147483648)],
  ["long", long(-(2n ** 63n))],
  ["long-small", long(1)],
  ["short", short(32767)],
  ["string", new TypedValue("string", "käse €")],
  ["string-empty", new TypedValue("string", "")],
];
const CHAR: [string, TypedValue] = ["char", char("\ud800")];
const BYTES: [string, TypedValue] = ["bytes", new TypedValue("bytes", Uint8Array.of(0, 128, 255))];
const NULL: [string, TypedValue] = ["null", new TypedValue("null", null)];
const NESTED: [string, TypedValue] = [
  "nested",
  new TypedValue(
    "map",
    new PrimitiveMap({ list: [short(1), ODD, null, [LONG.slice(0, -2)]], odd: ODD }),
  ),
];
const ODD_STRING: [string, TypedValue] = ["string-odd", new TypedValue("string", ODD)];
const LONG_STRING: [string, TypedValue] = ["string-long", new TypedValue("string", LONG)];

/**
 * What Java makes of string properties and of strings in map bodies: written as modified UTF-8, as all strings are, but read
 * as standard UTF-8. A NUL has two bytes there that standard UTF-8 does not allow, each half of a surrogate pair three:
 * replacement characters stand for them.
 */
function lossy(value: JavaValue, nested: boolean): JavaValue {
  if (nested && value.t === "map") return { t: "map", v: lossyEntries(value.v, nested) };
  if (nested && value.t === "list") {
    return { t: "list", v: value.v.map((item) => lossy(item, nested)) };
  }
  if (value.t !== "string") return value;
  const v = value.v.replaceAll("\0", "\ufffd\ufffd").replaceAll(/[\ud800-\udfff]/g, "\ufffd");
  return { t: "string", v };
}

function lossyEntries(values: [string, JavaValue][], nested: boolean): [string, JavaValue][] {
  return values.map(([name, value]) => [name, lossy(value, nested)]);
}

/** What both clients can say with a broker between them, and what comes of it. */
class Values {
  readonly #pair: Pick<Pair, "kind" | "has">;

  constructor(pair: Pick<Pair, "kind" | "has">) {
    this.#pair = pair;
  }

  /** For properties and maps. */
  get entries(): [string, TypedValue][] {
    const all = [...SCALARS, CHAR, BYTES, NULL, NESTED, ODD_STRING, LONG_STRING];
    return this.#pair.has("nested properties") ? all : all.filter((entry) => entry !== NESTED);
  }

  /** What comes here. */
  received(values: [string, TypedValue][]): [string, JavaValue][] {
    return this.#pair.has("any text in properties")
      ? named(values)
      : lossyEntries(named(values), false);
  }

  /** What Java reads: sorted by name. ActiveMQ 6 has a client that does to nested strings what others do to outer ones. */
  readByJava(values: [string, TypedValue][]): [string, JavaValue][] {
    return lossyEntries(named(values), this.#pair.kind === "activemq6")
      .sort(([a], [b]) => a < b ? -1 : 1);
  }
}

/** A body, as each of the two sends it and as each of the two reads it. */
interface Case {
  readonly name: string;
  readonly type: JavaSend["type"];
  readonly javaType: string;
  /** What Java sends. */
  readonly java: JavaSend["body"];
  /** What we send. */
  readonly ours: MessageBody;
  /** What Java reads of what we send or forward. */
  readonly readByJava: JavaMessage["body"];
  readonly reads?: JavaReceive["reads"];
  /** Checks what we receive. */
  check(message: Message): void;
}

function typed(values: [string, TypedValue][]): JavaValue[] {
  return values.map(([, value]) => toJava(value));
}

function named(values: [string, TypedValue][]): [string, JavaValue][] {
  return values.map(([name, value]) => [name, toJava(value)]);
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function unhex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g)!, (pair) => parseInt(pair, 16));
}

/** Values of the types that a bytes message has methods for. */
const WRITTEN = [...SCALARS, CHAR, ODD_STRING];

function writtenBytes(): Uint8Array {
  const writer = new BytesWriter().writeBytes(Uint8Array.of(0xff, 0));
  for (const [, { type, value }] of WRITTEN) {
    if (type === "boolean") writer.writeBoolean(value as boolean);
    else if (type === "byte") writer.writeByte(value as number);
    else if (type === "short") writer.writeShort(value as number);
    else if (type === "char") writer.writeChar(value as string);
    else if (type === "int") writer.writeInt(value as number);
    else if (type === "long") writer.writeLong(value as bigint);
    else if (type === "float") writer.writeFloat(value as number);
    else if (type === "double") writer.writeDouble(value as number);
    else writer.writeUtf(value as string);
  }
  return writer.finish();
}

function checkRead(message: Message): void {
  const reader = message.reader();
  assertEquals(reader.readBytes(2), Uint8Array.of(0xff, 0));
  const read = WRITTEN.map(([name, { type }]): [string, PrimitiveValue] => {
    if (type === "boolean") return [name, reader.readBoolean()];
    if (type === "byte") return [name, reader.readByte()];
    if (type === "short") return [name, reader.readShort()];
    if (type === "char") return [name, reader.readChar()];
    if (type === "int") return [name, reader.readInt()];
    if (type === "long") return [name, reader.readLong()];
    if (type === "float") return [name, reader.readFloat()];
    if (type === "double") return [name, reader.readDouble()];
    return [name, reader.readUtf()];
  });
  assertEquals(read, WRITTEN.map(([name, { value }]) => [name, value]));
  assertEquals(reader.remaining, 0);
}

const ITEMS = [...SCALARS, CHAR, BYTES, NULL, ODD_STRING, LONG_STRING];
/** What Java's client writes: a head, then a string with its length, or the class and the elements of a list; a reset. */
const SERIALIZED_STRING = new BytesWriter().writeBytes(unhex("aced000574")).writeUtf(ODD)
  .writeByte(0x79).finish();
const SERIALIZED_LIST = unhex(
  "aced0005737200136a6176612e7574696c2e41727261794c6973747881d21d99c7619d03000149000473697a65" +
    "78700000000277040000000274000161740001627879",
);

const casesOf = (values: Values): Case[] => [
  ...([["text", ODD], ["a long text", LONG], ["an empty text", ""], ["no text", null]] as const)
    .map(([name, text]): Case => ({
      name,
      type: "text",
      javaType: "ActiveMQTextMessage",
      java: { text },
      ours: { text },
      readByJava: { text },
      check: (message) => assertEquals(message.text, text),
    })),
  {
    name: "bytes",
    type: "bytes",
    javaType: "ActiveMQBytesMessage",
    java: { bytes: { $bytes: "/wA=" }, writes: typed(WRITTEN) },
    ours: writtenBytes(),
    readByJava: {
      hex: hex(writtenBytes()),
      length: writtenBytes().length,
      reads: [{ t: "bytes", v: { $bytes: "/wA=" } }, ...typed(WRITTEN)],
    },
    reads: [2, ...WRITTEN.map(([, { type }]) => type)] as NonNullable<JavaReceive["reads"]>,
    check: (message) => {
      assertEquals(message.bytes, writtenBytes());
      checkRead(message);
    },
  },
  {
    name: "no bytes",
    type: "bytes",
    javaType: "ActiveMQBytesMessage",
    java: {},
    ours: new Uint8Array(0),
    readByJava: { hex: "", length: 0 },
    check: (message) => assertEquals(message.bytes, new Uint8Array(0)),
  },
  ...([["a map", values.entries], ["an empty map", []]] as [string, typeof ITEMS][])
    .map(([name, entries]): Case => ({
      name,
      type: "map",
      javaType: "ActiveMQMapMessage",
      java: { map: named(entries) },
      ours: { map: new Map(entries) },
      readByJava: { map: values.readByJava(entries) },
      check: ({ map }) => assertEquals(new Map(written(map)), new Map(values.received(entries))),
    })),
  ...([["a stream", ITEMS], ["an empty stream", []]] as [string, typeof ITEMS][])
    .map(([name, values]): Case => ({
      name,
      type: "stream",
      javaType: "ActiveMQStreamMessage",
      java: { stream: typed(values) },
      ours: { stream: values.map(([, value]) => value) },
      readByJava: { stream: typed(values) },
      check: ({ stream }) => assertEquals([...stream.typedValues()].map(toJava), typed(values)),
    })),
  {
    name: "a serialized string",
    type: "object",
    javaType: "ActiveMQObjectMessage",
    java: { object: ODD },
    ours: { object: SERIALIZED_STRING },
    readByJava: { object: ODD, className: "java.lang.String" },
    check: ({ bytes }) => assertEquals(bytes, SERIALIZED_STRING),
  },
  {
    name: "a serialized list",
    type: "object",
    javaType: "ActiveMQObjectMessage",
    java: { object: ["a", "b"] },
    ours: { object: SERIALIZED_LIST },
    readByJava: { object: "[a, b]", className: "java.util.ArrayList" },
    check: ({ bytes }) => assertEquals(bytes, SERIALIZED_LIST),
  },
  {
    name: "no body",
    type: "message",
    javaType: "ActiveMQMessage",
    java: {},
    ours: null,
    readByJava: {},
    check: () => {},
  },
];

for (const type of ["text", "bytes", "map", "stream", "object", "message"] as const) {
  const kind = type === "message" ? "plain" : type;
  const cases = (pair: Pair) => casesOf(new Values(pair)).filter((each) => each.type === type);

  interop(`a ${kind} message of Java is received here, and comes back to Java`, async (pair) => {
    const { java, at } = pair;
    for (const { name, javaType, java: body, readByJava, reads, check } of cases(pair)) {
      for (const compressed of [false, true]) {
        const what = `${name}, ${compressed ? "" : "not "}compressed`;
        const id = await java.send({
          ...at,
          type,
          compressed,
          ...(body ? { body } : {}),
          properties: [["what", { t: "string", v: what }]],
        });
        const message = await receive(pair);
        assertEquals([message.kind, message.id], [kind, id]);
        assertEquals(message.properties.get("what"), what);
        check(message);

        // What we make of the values is, byte for byte, what Java made of them. An empty body may have content or not.
        await forward(pair, message, compressed);
        const { content } = (await receive(pair)).command;
        if (message.command.content?.length) assertEquals(content, message.command.content, what);

        await forward(pair, message, compressed);
        const back = await receiveByJava(pair, reads ? { reads } : {});
        assertEquals(back.type, javaType);
        assertEquals(back.body, readByJava, what);
        assertEquals(propertiesOf(back), [["what", { t: "string", v: what }]]);
      }
    }
  });

  interop(`a ${kind} message of ours is received by Java`, async (pair) => {
    for (const { name, javaType, ours, readByJava, reads } of cases(pair)) {
      for (const compress of [false, true]) {
        const what = `${name}, ${compress ? "" : "not "}compressed`;
        const id = await send(pair, ours, { compress, properties: { what } });
        const message = await receiveByJava(pair, reads ? { reads } : {});
        assertEquals([message.type, message.headers.JMSMessageID], [javaType, id], what);
        assertEquals(message.body, readByJava, what);
        assertEquals(propertiesOf(message), [["what", { t: "string", v: what }]]);
      }
    }
  });
}

interop("properties keep their types, from Java and to Java", async (pair) => {
  const { java, at } = pair;
  const values = new Values(pair);
  const properties = values.entries.filter((entry) => entry !== CHAR && entry !== BYTES);
  await java.send({ ...at, type: "message", properties: named(properties) });
  const message = await receive(pair);
  const received = new Map(written(message.properties));
  received.delete("__AMQ_CID");
  assertEquals(received, new Map(values.received(properties)));
  assertEquals(message.properties.get("long"), -(2n ** 63n));
  assertEquals(message.properties.get("double-zero"), -0);

  await forward(pair, message, false);
  assertEquals(propertiesOf(await receiveByJava(pair)), values.readByJava(properties));

  await send(pair, null, { properties: new Map(properties) });
  assertEquals(propertiesOf(await receiveByJava(pair)), values.readByJava(properties));
});

interop("headers of Java are received here", async (pair) => {
  const { java, at } = pair;
  const before = Date.now();
  const id = await java.send({
    ...at,
    type: "text",
    body: { text: "x" },
    correlationId: ODD,
    jmsType: ODD,
    priority: 9,
    persistent: false,
    timeToLive: 60_000,
    replyTo: `${at.queue}.reply`,
    properties: [["JMSXGroupID", { t: "string", v: ODD }], ["JMSXGroupSeq", { t: "int", v: 3 }]],
  });
  const message = await receive(pair);
  assertEquals(message.id, id);
  assertEquals([message.correlationId, message.type], [ODD, ODD]);
  assertEquals([message.priority, message.persistent], [9, false]);
  assertEquals([message.redelivered, message.deliveryCount], [false, 1]);
  assertEquals([message.groupId, message.groupSequence], [ODD, 3]);
  assertEquals(message.destination, queue(at.queue));
  assertEquals(message.replyTo, queue(`${at.queue}.reply`));
  assert(message.timestamp >= before && message.timestamp <= Date.now());
  assertEquals(message.expiration, message.timestamp + 60_000);

  await java.send({ ...at, type: "message" });
  const plain = await receive(pair);
  assertEquals([plain.correlationId, plain.type, plain.replyTo], [null, null, null]);
  assertEquals([plain.priority, plain.persistent, plain.expiration], [4, true, 0]);
  assertEquals(plain.groupId, null);
  if (pair.has("only own properties")) assertEquals(plain.properties.size, 0);
});

interop("headers of ours are received by Java", async (pair) => {
  const { at } = pair;
  const before = Date.now();
  const id = await send(pair, "x", {
    correlationId: ODD,
    type: ODD,
    priority: 9,
    persistent: false,
    timeToLive: 60_000,
    replyTo: "topic://answers",
    groupId: ODD,
    groupSequence: 3,
  });
  const { JMSTimestamp, JMSExpiration, ...headers } = (await receiveByJava(pair)).headers;
  assertEquals(headers, {
    JMSMessageID: id,
    JMSDestination: `queue://${at.queue}`,
    JMSCorrelationID: ODD,
    JMSReplyTo: "topic://answers",
    JMSType: ODD,
    JMSPriority: 9,
    JMSDeliveryMode: 1,
    JMSRedelivered: false,
    JMSXGroupID: ODD,
    JMSXGroupSeq: 3,
  });
  assert(Number(JMSTimestamp) >= before && Number(JMSTimestamp) <= Date.now());
  assertEquals(Number(JMSExpiration), Number(JMSTimestamp) + 60_000);

  await send(pair, "x");
  const plain = (await receiveByJava(pair)).headers;
  assertEquals([plain.JMSCorrelationID, plain.JMSType, plain.JMSReplyTo], [null, null, null]);
  assertEquals([plain.JMSPriority, plain.JMSDeliveryMode, plain.JMSExpiration], [4, 2, "0"]);
});

interop("a message that one gave back is redelivered to the other", async (pair) => {
  const { java, session, at } = pair;
  await java.send({ ...at, type: "text", body: { text: "x" } });
  assertEquals((await receiveByJava(pair, { leave: true })).headers.JMSRedelivered, false);
  const consumer = await session.createConsumer(at.queue);
  const second = await taken(consumer);
  assertEquals([second.text, second.redelivered, second.deliveryCount], ["x", true, 2]);
  await consumer.close();
  const third = await receiveByJava(pair, { leave: true });
  assertEquals([third.body.text, third.headers.JMSRedelivered], ["x", true]);
  const fourth = await receive(pair);
  assertEquals([fourth.text, fourth.redelivered, fourth.deliveryCount], ["x", true, 4]);
  assertEquals(await java.receive({ ...at, timeout: 100 }), undefined);
});
