import {
  type BodyCodec,
  long,
  type Message,
  type MessageConsumer,
  PrimitiveList,
  PrimitiveMap,
  short,
} from "../../mod.ts";
import { assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { type TestBroker, testOnBrokers } from "./_brokers.ts";

async function pair({ connect, name }: TestBroker) {
  const connection = await connect();
  return {
    connection,
    producer: await connection.createProducer(name),
    consumer: await connection.createConsumer(name),
  };
}

async function next(consumer: MessageConsumer): Promise<Message> {
  const message = await consumer.receive({ timeout: 10_000 });
  if (message === null) throw new Error("No message came");
  return message;
}

testOnBrokers("{ json } sends JSON as text, and says so", async (broker) => {
  const { producer, consumer } = await pair(broker);
  for (const value of [{ id: 7, tags: ["ü", null] }, [1, "two"], "text", 0, false, null]) {
    await producer.send({ json: value }, { properties: { region: "eu" } });
    const message = await next(consumer);
    assertEquals([message.kind, message.contentType], ["text", "application/json"]);
    assertEquals(message.text, JSON.stringify(value));
    assertEquals([message.json(), message.getBody()], [value, value]);
    assertEquals(message.properties.get("region"), "eu");
  }
  await producer.send({ json: 1 }, { properties: { contentType: "application/vnd.count+json" } });
  const own = await next(consumer);
  assertEquals([own.contentType, own.getBody(), own.json()], [
    "application/vnd.count+json",
    "1",
    1,
  ]);
  for (const value of [undefined, () => {}, Symbol()]) {
    await assertRejects(() => producer.send({ json: value }), TypeError, "JSON");
  }
  const loop: { self?: unknown } = {};
  loop.self = loop;
  await assertRejects(() => producer.send({ json: loop }), TypeError);
});

testOnBrokers("json() reads text and bytes of others", async (broker) => {
  const { producer, consumer } = await pair(broker);
  await producer.send(`{"id":7}`);
  const { id } = (await next(consumer)).json<{ id: number }>();
  assertEquals(id, 7);
  await producer.send(new TextEncoder().encode(`{"name":"ü😀"}`), {
    properties: { contentType: "application/json" },
  });
  const bytes = await next(consumer);
  assertEquals([bytes.json(), bytes.getBody()], [{ name: "ü😀" }, { name: "ü😀" }]);
  await producer.send(Uint8Array.of(0xff));
  const noText = await next(consumer);
  assertThrows(() => noText.json(), TypeError);
  await producer.send("{");
  const noJson = await next(consumer);
  assertThrows(() => noJson.json(), SyntaxError);
  for (const body of [{ text: null }, null, { map: {} }]) {
    await producer.send(body);
    const message = await next(consumer);
    assertThrows(() => message.json(), TypeError);
  }
});

testOnBrokers("getBody() gives the body by its kind", async (broker) => {
  const { producer, consumer } = await pair(broker);
  const body = async (sent: Parameters<typeof producer.send>[0]) => {
    await producer.send(sent);
    return (await next(consumer)).getBody();
  };
  assertEquals(await body("text"), "text");
  assertEquals(await body({ text: null }), null);
  assertEquals(await body(null), null);
  assertEquals(await body(Uint8Array.of(1)), Uint8Array.of(1));
  assertEquals(await body({ object: Uint8Array.of(2) }), Uint8Array.of(2));
  const map = await body({ map: { s: short(1) } });
  assertInstanceOf(map, PrimitiveMap);
  assertEquals((map as PrimitiveMap).typed("s")?.type, "short");
  const stream = await body({ stream: [1, "two"] });
  assertInstanceOf(stream, PrimitiveList);
  assertEquals([...stream as PrimitiveList], [1, "two"]);
});

const dates: BodyCodec<Date> = {
  encode(date) {
    if (Number.isNaN(date.getTime())) throw new RangeError("no date");
    return { map: { ms: long(date.getTime()) } };
  },
  decode(message) {
    const ms = message.map.get("ms");
    if (typeof ms !== "bigint") throw new TypeError("no date came");
    return new Date(Number(ms));
  },
};

testOnBrokers(
  "a codec makes bodies of what is sent, and values of what is received",
  async (broker) => {
    const { connection, producer: plain, consumer } = await pair(broker);
    const date = new Date(1_700_000_000_000);
    const producer = await connection.createProducer(broker.name, { codec: dates });
    await producer.send(date, { priority: 9 });
    const message = await next(consumer);
    assertEquals([message.kind, message.priority], ["map", 9]);
    assertEquals(message.getBody(dates), date);
    await producer.sendBatch([date, { body: date, priority: 1 }]);
    assertEquals((await next(consumer)).getBody(dates), date);
    assertEquals((await next(consumer)).priority, 1);
    const writer = producer.writable.getWriter();
    await writer.write(date);
    await writer.close();
    assertEquals((await next(consumer)).getBody(dates), date);

    // What was received is forwarded, and not encoded.
    await producer.send(message);
    assertEquals((await next(consumer)).getBody(dates), date);
    await assertRejects(() => producer.send(new Date(NaN)), RangeError, "no date");
    await plain.send({ map: {} });
    const other = await next(consumer);
    assertThrows(() => other.getBody(dates), TypeError, "no date came");
  },
);

testOnBrokers("the codec of a consumer is the default of getBody()", async (broker) => {
  const { connection } = await pair(broker);
  const name = `${broker.name}.dates`;
  const consumer = await connection.createConsumer(name, { codec: dates });
  const producer = await connection.createProducer(name, { codec: dates });
  await producer.send(new Date(7));
  const message = await next(consumer);
  assertEquals(message.getBody<Date>(), new Date(7));
  assertEquals(message.getBody({ encode: () => null, decode: ({ kind }) => kind }), "map");
});
