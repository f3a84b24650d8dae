/** Messages made by hand, for tests of handlers without a broker. */

import { connect, int, type Message, type MessageBody, OpenWireError, topic } from "../../mod.ts";
import { createMessage, type CreateMessageOptions, MemoryBroker } from "../../testing/mod.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { test } from "../_harness.ts";
import { received } from "../client/_messages.ts";

const bodies: MessageBody[] = [
  "text",
  "",
  null,
  Uint8Array.of(1, 2),
  new Uint16Array([7]),
  { json: { id: 7, tags: ["new"] } },
  { map: { id: int(7), name: "x", nested: { a: 1n } } },
  { stream: [1, "two", 3n] },
  { object: Uint8Array.of(172, 237) },
];

/** What a handler sees of a message, ids and times left out. */
function seen(message: Message): unknown {
  const { id: _, timestamp: _t, ...shown } = message.toJSON();
  return shown;
}

test("a created message is what a consumer receives of the same body and options", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url);
  const consumer = await connection.createConsumer("orders");
  const options = {
    correlationId: "c",
    type: "t",
    priority: 7,
    persistent: false,
    groupId: "g",
    groupSequence: 2,
    replyTo: topic("replies"),
    properties: { region: "eu", attempt: int(1), big: 2n ** 60n },
  };
  for (const body of bodies) {
    for (const given of [{}, options]) {
      await connection.send("orders", body, given);
      const expected = await received(consumer);
      const message = createMessage(body, { ...given, destination: "orders" });
      assertEquals(seen(message), seen(expected));
      assertEquals(message.kind, expected.kind);
      if (body !== null) assertEquals(message.getBody<unknown>(), expected.getBody<unknown>());
    }
  }
});

test("a created message has the headers that it is given", () => {
  const options: CreateMessageOptions = {
    messageId: "ID:mine-1",
    destination: "topic://prices",
    originalDestination: "orders",
    timestamp: 1000,
    redeliveryCount: 2,
    userId: "ann",
    brokerInTime: 1001,
    brokerOutTime: 1002,
  };
  const message = createMessage("x", options);
  assertEquals(message.id, "ID:mine-1");
  assertEquals(message.destination, topic("prices"));
  assertEquals(message.originalDestination?.physicalName, "orders");
  assertEquals([message.redeliveryCount, message.deliveryCount, message.redelivered], [2, 3, true]);
  assertEquals([message.userId, message.timestamp], ["ann", 1000]);
  assertEquals([message.brokerInTime, message.brokerOutTime], [1001, 1002]);
  assertEquals(createMessage("x").destination?.physicalName, "test");
  assert(createMessage("x").id !== createMessage("x").id);
});

test("a created message remembers how it was settled, once", async () => {
  const reason = new Error("no");
  const ways: [settle: (message: Message) => Promise<void>, expected: unknown][] = [
    [(message) => message.ack(), { type: "acknowledged" }],
    [(message) => message.reject(reason), { type: "rejected", reason }],
    [(message) => message.retry(), { type: "retried", delay: undefined }],
    [(message) => message.retry({ delay: 5 }), { type: "retried", delay: 5 }],
  ];
  for (const [settle, expected] of ways) {
    const message = createMessage("x");
    assertEquals(message.settlement, undefined);
    await settle(message);
    assertEquals(message.settlement, expected);
    for (const [again] of ways) {
      const error = await assertRejects(() => again(message), OpenWireError, "settled before");
      assertEquals(error.code, "ILLEGAL_STATE");
    }
    assertEquals(message.settlement, expected);
  }
});

test("wrong calls leave a created message unsettled", async () => {
  const message = createMessage("x");
  await assertRejects(() => message.ack({ timeout: -1 }), RangeError);
  await assertRejects(() => message.reject("x", { timeout: -1 }), RangeError);
  await assertRejects(() => message.retry({ delay: -1 }), RangeError);
  await assertRejects(() => message.ack({ wait: 1 } as object), TypeError, "wait");
  assertEquals(message.settlement, undefined);
});

test("createMessage() refuses what send() refuses, and wrong options", () => {
  const cases: [body: unknown, options: unknown][] = [
    [[{ id: 1 }], {}],
    [{ text: "a", from: "b" }, {}],
    [undefined, {}],
    ["x", { properties: { when: new Date() } }],
    ["x", { properties: { JMSType: "x" } }],
    ["x", { destination: "" }],
    ["x", { messageId: "" }],
    ["x", { userId: 5 }],
    ["x", { ttl: 5 }],
    ["x", null],
  ];
  for (const [body, options] of cases) {
    assertThrows(
      () => createMessage(body as MessageBody, options as CreateMessageOptions),
      TypeError,
    );
  }
  for (
    const options of [
      { priority: 10 },
      { redeliveryCount: -1 },
      { redeliveryCount: 2 ** 31 },
      { timestamp: NaN },
      { brokerInTime: 1.5 },
    ]
  ) assertThrows(() => createMessage("x", options), RangeError);
});

test("a created message reads its body by a codec, and can be sent on", async () => {
  const codec = { encode: () => "", decode: ({ text }: Message) => text!.length };
  assertEquals(createMessage("four", { codec }).getBody(), 4);
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url);
  await connection.send("q", createMessage("four", { properties: { a: 1 } }));
  const message = await received(await connection.createConsumer("q"));
  assertEquals([message.text, message.properties.get("a")], ["four", 1]);
});
