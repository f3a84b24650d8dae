/** Properties that an application gives: all arrive, or a TypeError says which does not. */

import vm from "node:vm";
import { connect, int, type PrimitiveMapInput } from "../../mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { test } from "../_harness.ts";
import { testOnBrokers } from "./_brokers.ts";
import { received } from "./_messages.ts";

const refused: [what: string, properties: unknown, says: string][] = [
  ["Headers", new Headers({ a: "1" }), "Headers as named values"],
  ["URLSearchParams", new URLSearchParams("a=1"), "URLSearchParams as named values"],
  ["FormData", new FormData(), "FormData as named values"],
  ["an array", ["a"], "Array as named values"],
  ["a Set", new Set(["a"]), "Set as named values"],
  ["a string", "abc", "string as named values"],
  ["null", null, "null as named values"],
  ["a number", 1, "number as named values"],
  ["undefined in it", { when: undefined }, "undefined as when"],
  ["a Date in it", { when: new Date(0) }, "Date as when"],
  ["a Set in it", { all: new Set() }, "Set as all"],
  ["a function in it", { call: () => 1 }, "function as call"],
  ["a symbol in it", { mark: Symbol("x") }, "symbol as mark"],
  ["a Date deep in it", { a: { b: [new Date(0)] } }, "Date"],
  ["bytes in it", { raw: new Uint8Array(1) }, "property raw"],
  ["no name", { "": 1 }, "without a name"],
  ["JMSXGroupID", { JMSXGroupID: "g" }, "`groupId`"],
  ["JMSXGroupSeq", { JMSXGroupSeq: 1 }, "`groupSequence`"],
  ["JMSType", { JMSType: "t" }, "`type`"],
  ["JMSReplyTo", { JMSReplyTo: "q" }, "`replyTo`"],
  ["JMSCorrelationID", { JMSCorrelationID: "c" }, "`correlationId`"],
  ["JMSMessageID", { JMSMessageID: "m" }, "client sets it"],
  ["JMSXDeliveryCount", { JMSXDeliveryCount: 1 }, "broker sets it"],
];

test("properties and options that change after the call do not change the message", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url);
  await using session = await connection.createSession();
  await using producer = await session.createProducer("q");
  const seen: unknown[] = [];
  await using _ = await connection.respond("ask", ({ properties, type }) => {
    seen.push([properties.get("n"), type]);
    return null;
  });
  const consumer = await connection.createConsumer("q");
  // The first calls open what the later ones have.
  for (let round = 0; round < 2; round++) {
    const options = { properties: { n: 1 }, type: "one" };
    const sent = [
      connection.send("q", "a", options),
      session.send("q", "b", options),
      producer.send("c", options),
      producer.sendBatch(["d"], options),
    ];
    const asked = connection.request("ask", null, options);
    const many = connection.requestMany("ask", null, { ...options, maxReplies: 1 });
    options.properties.n = 2;
    options.type = "two";
    await Promise.all(sent);
    for (let i = 0; i < 4; i++) {
      const message = await received(consumer);
      assertEquals([message.properties.get("n"), message.type], [1, "one"]);
    }
    await asked;
    for await (const _ of many);
    assertEquals(seen.splice(0), [[1, "one"], [1, "one"]]);
  }
});

test("properties that can't be sent are refused with their names", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url);
  for (const [what, given, says] of refused) {
    const properties = given as PrimitiveMapInput;
    const error = await assertRejects(() => connection.send("q", "x", { properties }), TypeError);
    assert(
      error.message.startsWith("Cannot send") && error.message.includes(says),
      `${what}: ${error.message}`,
    );
  }
});

testOnBrokers(
  "names of Java's standard that are no headers here are properties",
  async (broker) => {
    const connection = await broker.connect();
    const consumer = await connection.createConsumer(broker.name);
    const given = { JMSFoo: "a", JMSXUserID: "ann", JMSXAppID: "app", JMS_VENDOR: 1 };
    await connection.send(broker.name, "x", { properties: given });
    const message = await received(consumer);
    for (const name of ["JMSFoo", "JMSXAppID", "JMS_VENDOR"] as const) {
      assertEquals(message.properties.get(name), given[name], name);
    }
    // What was received can be sent on.
    await connection.send(broker.name, "y", { properties: message.properties });
    assertEquals((await received(consumer)).properties.get("JMSFoo"), "a");
  },
);

test("a Map or an object of another realm, and names of prototypes, are as any other", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url);
  const consumer = await connection.createConsumer("q");
  const foreign = vm.runInNewContext("[new Map([['a', 1]]), { a: 1 }]") as PrimitiveMapInput[];
  const names = ["__proto__", "constructor", "toString"];
  const own = JSON.parse('{"__proto__": 1, "constructor": 1, "toString": 1}') as PrimitiveMapInput;
  for (const properties of [...foreign, own]) {
    await connection.send("q", { map: properties }, { properties });
    const message = await received(consumer);
    const expected = properties === own ? names : ["a"];
    for (const map of [message.properties, message.map]) {
      assertEquals([...map], expected.map((name) => [name, 1]));
    }
  }
});

testOnBrokers("properties of a schedule have the types that brokers expect", async (broker) => {
  const connection = await broker.connect();
  const consumer = await connection.createConsumer(broker.name);
  const start = Date.now();
  await connection.send(broker.name, "later", { properties: { AMQ_SCHEDULED_DELAY: 1500 } });
  await connection.send(broker.name, "later", { properties: { AMQ_SCHEDULED_DELAY: int(1500) } });
  for (let i = 0; i < 2; i++) await received(consumer);
  assert(Date.now() - start >= 1400, `${Date.now() - start}`);
});
