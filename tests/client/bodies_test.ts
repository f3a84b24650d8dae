/** What can be a body: values are told apart by what they are, and what can't arrive whole is refused. */

import { Buffer } from "node:buffer";
import { Readable } from "node:stream";
import vm from "node:vm";
import { connect, type MessageBody, RemoteError } from "../../mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { test } from "../_harness.ts";
import { testOnBrokers } from "./_brokers.ts";
import { received } from "./_messages.ts";

class Order {
  readonly text = "hi";
}

function* values() {
  yield 1;
}

const detached = new Uint8Array([1, 2]);
structuredClone(detached, { transfer: [detached.buffer] });

const refused: [what: string, body: unknown][] = [
  ["an array of objects", [{ id: 1 }]],
  ["an empty array", []],
  ["a Blob", new Blob(["x"])],
  ["a File", new File(["x"], "x.txt")],
  ["a Response", new Response("x")],
  ["a Node stream", Readable.from(["x"])],
  ["a ReadableStream", new Blob(["x"]).stream()],
  ["a generator", values()],
  ["a Map", new Map([["text", "x"]])],
  ["a Set", new Set(["x"])],
  ["a Date", new Date(0)],
  ["a class with a text", new Order()],
  ["a text beside other names", { from: "ann", text: "hi" }],
  ["two bodies", { text: "hi", json: { a: 1 } }],
  ["two bodies, one of them undefined", { text: "hi", json: undefined }],
  ["a symbol beside a text", { text: "hi", [Symbol("x")]: 1 }],
  ["an object without a name", {}],
  ["an unknown name", { txt: "hi" }],
  ["an inherited name", Object.create({ text: "hi" })],
  ["a text that is a number", { text: 42 }],
  ["a text that is undefined", { text: undefined }],
  ["a text that is an object", { text: { toString: () => "hi" } }],
  ["bytes that are an array", { bytes: [1, 2] }],
  ["bytes that are null", { bytes: null }],
  ["bytes that say they are a buffer", { [Symbol.toStringTag]: "ArrayBuffer", byteLength: 3 }],
  ["transferred bytes", detached],
  ["an object body that is a string", { object: "x" }],
  ["a map that is null", { map: null }],
  ["a map that is an array", { map: [["a", 1]] }],
  ["a map that is a string", { map: "a" }],
  ["a map of Headers", { map: new Headers({ a: "1" }) }],
  ["a stream that is a string", { stream: "abc" }],
  ["a stream that is bytes", { stream: new Uint8Array(3) }],
  ["a stream that is no list", { stream: { length: 1, 0: 1 } }],
  ["json that is undefined", { json: undefined }],
  ["json that is a function", { json: () => 1 }],
  ["a number", 42],
  ["a bigint", 42n],
  ["a boolean", true],
  ["undefined", undefined],
  ["a symbol", Symbol("x")],
  ["a function", () => "x"],
];

test("what is no body is refused with a TypeError, by whatever sends it", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url);
  await using session = await connection.createSession();
  await using producer = await session.createProducer("orders");
  for (const [what, value] of refused) {
    const body = value as MessageBody;
    const sends = [
      () => connection.send("orders", body),
      () => session.send("orders", body),
      () => producer.send(body),
      () => producer.sendBatch([body]),
      () => producer.sendBatch(["good", { body }]),
      () => connection.request("orders", body),
      () => producer.writable.getWriter().write(body),
    ];
    for (const [index, send] of sends.entries()) {
      const error = await assertRejects(async () => void await send(), TypeError);
      assert(error.message.startsWith("Cannot send"), `${what}, ${index}: ${error.message}`);
    }
  }
  const consumer = await connection.createConsumer("orders");
  assertEquals(await consumer.receiveNoWait(), null);
});

test("the error for an object says how to send it", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url);
  for (
    const [body, says] of [[[{ id: 1 }], "an array"], [{ a: 1, b: 2 }, "a, b"], [
      new Order(),
      "Order",
    ]]
  ) {
    const error = await assertRejects(() => connection.send("q", body as MessageBody), TypeError);
    assert(
      error.message.includes(`${says}`) && error.message.includes("{ json: value }"),
      error.message,
    );
  }
});

test("the error for an object shows no control characters of its names", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url);
  class Shown {}
  Object.defineProperty(Shown, "name", { value: "\x1b[31m\r\n" + "x".repeat(1000) });
  for (const body of [{ "\x1b[31m\r\nERROR": 1, "\u202e": 2 }, new Shown(), { map: new Shown() }]) {
    const error = await assertRejects(() => connection.send("q", body as MessageBody), TypeError);
    assert(!/[\p{Cc}\u202e]/u.test(error.message) && error.message.length < 400, error.message);
  }
});

const foreign = vm.runInNewContext(
  "({ view: new Uint8Array([1, 2, 3]), buffer: new Uint8Array([1, 2, 3]).buffer, body: { text: 'hi' } })",
) as { view: Uint8Array; buffer: ArrayBuffer; body: { text: string } };

const bytes: [what: string, body: MessageBody, expected: Uint8Array][] = [
  ["a Uint8Array", Uint8Array.of(1, 2, 3), Uint8Array.of(1, 2, 3)],
  ["a part of one", Uint8Array.of(0, 1, 2, 3, 4).subarray(1, 4), Uint8Array.of(1, 2, 3)],
  ["an ArrayBuffer", Uint8Array.of(1, 2, 3).buffer, Uint8Array.of(1, 2, 3)],
  ["a DataView", new DataView(Uint8Array.of(0, 1, 2, 3).buffer, 1), Uint8Array.of(1, 2, 3)],
  ["a Float64Array", new Float64Array([1.5]), new Uint8Array(new Float64Array([1.5]).buffer)],
  ["an Int16Array", new Int16Array([-2]), new Uint8Array(new Int16Array([-2]).buffer)],
  ["a Buffer", Buffer.from([1, 2, 3]), Uint8Array.of(1, 2, 3)],
  ["shared bytes", new Uint8Array(new SharedArrayBuffer(2)), new Uint8Array(2)],
  ["bytes of another realm", foreign.view, Uint8Array.of(1, 2, 3)],
  ["a buffer of another realm", foreign.buffer, Uint8Array.of(1, 2, 3)],
  ["named bytes", { bytes: new Uint16Array([1]) }, new Uint8Array(new Uint16Array([1]).buffer)],
];

testOnBrokers("bytes arrive whole, whatever view of them is sent", async (broker) => {
  const connection = await broker.connect();
  const consumer = await connection.createConsumer(broker.name);
  for (const [what, body, expected] of bytes) {
    await connection.send(broker.name, body);
    const message = await received(consumer);
    assertEquals([message.kind, [...message.bytes]], ["bytes", [...expected]], what);
  }
  await connection.send(broker.name, { object: new Float32Array([1]) });
  assertEquals((await received(consumer)).bytes.length, 4);
});

testOnBrokers(
  "a named body may be an object of another realm, or without a prototype",
  async (broker) => {
    const connection = await broker.connect();
    const consumer = await connection.createConsumer(broker.name);
    const bare = Object.assign(Object.create(null), { text: "bare" });
    for (const body of [foreign.body, bare as { text: string }]) {
      await connection.send(broker.name, body);
      assertEquals((await received(consumer)).text, body.text);
    }
  },
);

test("send() refuses JSON of an object whose content would be lost", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url);
  class Hidden {
    #total = 1;
    get total() {
      return this.#total;
    }
  }
  const lost: [value: unknown, says: string][] = [
    [new Map([["a", 1]]), "class Map as JSON: it would arrive as {}"],
    [{ ids: new Set([1]) }, "class Set as JSON (the property ids)"],
    [[{ order: new Hidden() }], "class Hidden as JSON (the property order)"],
    [Promise.resolve(1), "class Promise as JSON"],
  ];
  for (const [json, says] of lost) {
    await assertRejects(() => connection.send("q", { json }), TypeError, says);
  }
  assertEquals(broker.queue("q").size, 0);
  const kept = [{}, { a: {} }, [{}], { "{}": new Date(0) }, { a: new Number(1), b: {} }, "{}"];
  const consumer = await connection.createConsumer("q");
  for (const json of kept) {
    await connection.send("q", { json });
    assertEquals((await received(consumer)).text, JSON.stringify(json));
  }
  await connection.send("q", "x");
  const message = await received(consumer);
  await assertRejects(
    () => connection.send("q", { json: message }),
    TypeError,
    "the message itself",
  );
});

test("what a sender changes after the call does not change the message", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url);
  await using session = await connection.createSession();
  await using producer = await session.createProducer("q");
  await using _ = await connection.respond("ask", (request) => request.bytes);
  const consumer = await connection.createConsumer("q");
  // The first calls open what the later ones have.
  for (let round = 0; round < 2; round++) {
    for (const sender of [connection, session]) {
      const buffer = new ArrayBuffer(2);
      const map: Record<string, number> = { a: 1 };
      const json = { tags: ["a"] };
      const sent = [
        sender.send("q", buffer),
        sender.send("q", { map }),
        sender.send("q", { json }),
        producer.send({ bytes: buffer }),
      ];
      new Uint8Array(buffer).fill(9);
      map["a"] = 2;
      json.tags.push("b");
      await Promise.all(sent);
      const seen = [];
      for (let i = 0; i < 4; i++) {
        const message = await received(consumer);
        const { kind } = message;
        seen.push(kind === "bytes" ? [...message.bytes] : message.getBody<object>());
      }
      const shown = seen.map((body) => JSON.stringify(body)).sort();
      assertEquals(shown, ["[0,0]", "[0,0]", '{"a":1}', '{"tags":["a"]}'].sort());
    }
    const asked = new Uint8Array(2);
    const reply = connection.request("ask", asked);
    asked.fill(9);
    assertEquals([...(await reply).bytes], [0, 0]);
  }
});

test("a handler's result that is neither body nor reply fails the request", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url);
  const results: unknown[] = [[{ id: 1 }], { subject: "s", body: "b", to: "t" }, {
    body: "b",
    x: 1,
  }];
  for (const [index, result] of results.entries()) {
    await using _ = await connection.respond(`ask${index}`, () => result as MessageBody);
    await assertRejects(() => connection.request(`ask${index}`, null), RemoteError, "Cannot send");
  }
  await using _ = await connection.respond("ok", () => ({ body: "b", type: "t" }));
  const reply = await connection.request("ok", null);
  assertEquals([reply.text, reply.type], ["b", "t"]);
});

test("a codec's values may have a body of their own", async () => {
  interface Mail {
    subject: string;
    body: string;
  }
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url);
  const codec = {
    encode: (mail: Mail) => ({ json: mail }),
    decode: (message: { json(): unknown }) => message.json() as Mail,
  };
  const producer = await connection.createProducer("mails", { codec });
  const mail: Mail = { subject: "s", body: "b" };
  await producer.sendBatch([mail, { body: mail, priority: 7 }]);
  const consumer = await connection.createConsumer("mails");
  const [second, first] = [await received(consumer), await received(consumer)];
  assertEquals([first.getBody(codec), second.getBody(codec)], [mail, mail]);
  assertEquals([first.priority, second.priority].sort(), [4, 7]);
});
