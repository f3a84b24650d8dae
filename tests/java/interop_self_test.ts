/** The Java peers against each other, so that a failure of a test between Java and us is about us. */
import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { test } from "../_harness.ts";
import { broker } from "../broker/env.ts";
import {
  checkWithJava,
  JavaClient,
  type JavaMessage,
  type JavaSend,
  javaSkip,
  type TypedValue,
} from "./java.ts";

const options = { skip: javaSkip, timeout: 60_000 };

const PRIMITIVES: [string, TypedValue][] = [
  ["boolean", { t: "boolean", v: true }],
  ["byte", { t: "byte", v: -128 }],
  ["double", { t: "double", v: -2.5, bits: "c004000000000000" }],
  ["float", { t: "float", v: "NaN", bits: "7fc00000" }],
  ["int", { t: "int", v: -2147483648 }],
  ["long", { t: "long", v: "-9223372036854775808" }],
  ["short", { t: "short", v: 32767 }],
  ["string", { t: "string", v: "käse" }],
];

/** Sends with Java, receives with Java. */
async function roundTrip(
  java: JavaClient,
  message: Partial<JavaSend> & Pick<JavaSend, "type">,
  reads: (string | number)[] = [],
): Promise<JavaMessage> {
  const at = { url: broker!.urls.openwire, queue: `java.self.${crypto.randomUUID()}` };
  await java.send({ ...at, ...message });
  const received = await java.receive({
    ...at,
    ...(reads.length > 0 ? { reads: reads as [] } : {}),
  });
  if (!received) throw new Error("Nothing came");
  return received;
}

test("JavaClient sends and receives a text message with its headers and properties", async () => {
  await using java = await JavaClient.start();
  for (const compressed of [false, true]) {
    const text = 'quote " backslash \\ newline \n NUL \0 emoji 😀 lone \ud800';
    const message = await roundTrip(java, {
      type: "text",
      body: { text },
      properties: PRIMITIVES,
      compressed,
      correlationId: "c-1",
      jmsType: "kind",
      priority: 7,
      persistent: false,
      timeToLive: 60_000,
      replyTo: "java.self.reply",
    });
    assertEquals(message.type, "ActiveMQTextMessage");
    assertEquals(message.body, { text });
    assertEquals(message.properties, PRIMITIVES);
    const { JMSMessageID, JMSDestination, JMSTimestamp, JMSExpiration, ...headers } =
      message.headers;
    assertMatch(JMSMessageID, /^ID:/);
    assertMatch(JMSDestination, /^queue:\/\/java\.self\./);
    assertEquals(Number(JMSExpiration) - Number(JMSTimestamp), 60_000);
    assertEquals(headers, {
      JMSCorrelationID: "c-1",
      JMSReplyTo: "queue://java.self.reply",
      JMSType: "kind",
      JMSPriority: 7,
      JMSDeliveryMode: 1,
      JMSRedelivered: false,
      JMSXGroupID: null,
      JMSXGroupSeq: 0,
    });
  }
}, options);

test("JavaClient sends and receives every other type of message", async () => {
  await using java = await JavaClient.start();
  const char: TypedValue = { t: "char", v: "\u20ac" };
  const bytes: TypedValue = { t: "bytes", v: { $bytes: "AAH/" } };
  const list: TypedValue = { t: "list", v: [{ t: "int", v: 1 }, { t: "null" }] };
  const nested: TypedValue = { t: "map", v: [["a", { t: "string", v: "😀" }], ["l", list]] };

  const writes = [...PRIMITIVES.map(([, value]) => value), char, bytes];
  const read = await roundTrip(
    java,
    { type: "bytes", body: { bytes: { $bytes: "/w==" }, writes } },
    [1, ...PRIMITIVES.map(([name]) => name), "char", 3],
  );
  assertEquals(read.body.reads, [{ t: "bytes", v: { $bytes: "/w==" } }, ...writes]);
  assertStringIncludes(read.body.hex!, "ff0180c004000000000000");
  assertEquals(read.body.length, read.body.hex!.length / 2);

  const map: [string, TypedValue][] = [
    ...PRIMITIVES,
    ["a-char", char],
    ["a-list", list],
    ["a-map", nested],
    ["b-bytes", bytes],
    ["b-null", { t: "null" }],
  ];
  map.sort(([a], [b]) => a < b ? -1 : 1);
  assertEquals((await roundTrip(java, { type: "map", body: { map } })).body, { map });

  const stream = [...writes, { t: "null" } as const, { t: "string", v: "\0😀" } as const];
  assertEquals((await roundTrip(java, { type: "stream", body: { stream } })).body, { stream });

  const object = await roundTrip(java, { type: "object", body: { object: ["a", "b"] } });
  assertEquals(object.body, { object: "[a, b]", className: "java.util.ArrayList" });
  const string = await roundTrip(java, { type: "object", body: { object: "one" } });
  assertEquals(string.body, { object: "one", className: "java.lang.String" });

  const plain = await roundTrip(java, { type: "message", properties: [["m", nested]] });
  assertEquals([plain.type, plain.body, plain.properties], ["ActiveMQMessage", {}, [[
    "m",
    nested,
  ]]]);
}, options);

test("JavaClient takes one message and leaves the others alone", async () => {
  await using java = await JavaClient.start();
  const at = { url: broker!.urls.plain!, queue: `java.self.${crypto.randomUUID()}` };
  const waiting = java.receive(at);
  for (const text of ["1", "2", "3"]) await java.send({ ...at, type: "text", body: { text } });
  const seen = [await waiting, await java.receive(at), await java.receive(at)];
  assertEquals(seen.map((message) => message?.body.text), ["1", "2", "3"]);
  assertEquals(seen.map((message) => message?.headers.JMSRedelivered), [false, false, false]);
  assertEquals(await java.receive({ ...at, timeout: 50 }), undefined);
}, options);

test("JavaClient rejects with what Java says", async () => {
  const java = await JavaClient.start();
  const at = { url: broker!.urls.openwire, queue: "java.self.refused" };
  await assertRejects(
    () => java.send({ ...at, user: "system", password: "wrong", type: "message" }),
    Error,
    "User name [system] or password is invalid",
  );
  await java.close();
  await assertRejects(() => java.send({ ...at, type: "message" }), Error, "Java ended with 0");
}, options);

test("checkWithJava() answers each line, with errors where they are", async () => {
  const line = {
    version: 12,
    tight: false,
    cache: false,
    sizePrefixDisabled: false,
    stackTrace: false,
  };
  const answers = await checkWithJava([
    { ...line, id: "left over", hex: "0000000a0a000000070000000000" },
    { ...line, id: "good", hex: "000000060a0000000700" },
    { ...line, id: "null", hex: "0000000100" },
  ]);
  assertEquals(answers.map(({ id, error }) => [id, error !== undefined]), [
    ["left over", true],
    ["good", false],
    ["null", false],
  ]);
  assertEquals(answers[1]!.type, "KeepAliveInfo");
  assertEquals(answers[1]!.fields, { commandId: 7, responseRequired: false });
}, options);
