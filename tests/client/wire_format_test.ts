import { assertEquals } from "@std/assert";
import { PrimitiveList, PrimitiveMap } from "../../codec/mod.ts";
import { testOnBrokers } from "./_brokers.ts";
import { received } from "./_messages.ts";

for (const version of [1, 2, 3, 5, 6, 9, 10, 11, 12]) {
  testOnBrokers(
    `version ${version}: messages go and come, loose and tight, with and without cache`,
    async (broker) => {
      for (const tightEncodingEnabled of [false, true]) {
        for (const cacheEnabled of [false, true]) {
          const connection = await broker.connect({
            wireFormat: { version, tightEncodingEnabled, cacheEnabled },
          });
          const { wireFormat } = connection;
          assertEquals(
            [wireFormat.version, wireFormat.tightEncodingEnabled, wireFormat.cacheEnabled],
            [version, tightEncodingEnabled, cacheEnabled],
          );
          const session = await connection.createSession({ acknowledgeMode: "individual" });
          const name = `${broker.name}.${tightEncodingEnabled}.${cacheEnabled}`;
          const producer = await session.createProducer(name);
          const consumer = await session.createConsumer(name);
          for (let i = 0; i < 3; i++) {
            await producer.send(`text ${i} 😀\0`, {
              properties: { i, text: "é" },
              correlationId: "ü",
              groupId: `g${i}`,
            });
            await producer.send(new Uint8Array(i));
            await producer.send({ map: { i, nested: [1, { deep: true }] } }, {
              replyTo: "topic://answers",
            });
            const text = await consumer.receive();
            assertEquals(text?.text, `text ${i} 😀\0`);
            assertEquals([text?.properties.get("i"), text?.properties.get("text")], [i, "é"]);
            assertEquals([text?.correlationId, text?.groupId], ["ü", `g${i}`]);
            const bytes = await consumer.receive();
            assertEquals(bytes?.bytes.length, i);
            const map = await consumer.receive();
            assertEquals(map?.map.get("i"), i);
            assertEquals(map?.replyTo?.physicalName, "answers");
            for (const message of [map, text, bytes]) await message?.ack();
          }
          await connection.close();
        }
      }
    },
    { needs: ["all versions"] },
  );
}

testOnBrokers("more destinations than the cache has room for", async ({ connect, name }) => {
  const connection = await connect({ wireFormat: { cacheSize: 100 } });
  assertEquals(connection.wireFormat.cacheSize, 100);
  const session = await connection.createSession();
  const producer = await session.createProducer();
  const consumer = await session.createConsumer(`${name}.>`, { prefetchSize: 50 });
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 250; i++) {
      await producer.send(String(i), { destination: `${name}.${i % 125}`, persistent: false });
      const message = await consumer.receive();
      assertEquals([message?.text, message?.destination?.physicalName], [
        String(i),
        `${name}.${i % 125}`,
      ]);
    }
  }
});

testOnBrokers("what is sent in one encoding is received in each other one", async (broker) => {
  const encodings = [false, true].flatMap((tightEncodingEnabled) =>
    [false, true].map((cacheEnabled) => ({ tightEncodingEnabled, cacheEnabled }))
  );
  const connections = [];
  for (const wireFormat of encodings) connections.push(await broker.connect({ wireFormat }));
  const bodies = [
    "text 😀\0",
    Uint8Array.of(1, 2, 3),
    { map: { a: 1, b: "two" } },
    { stream: ["one", 2] },
    { object: Uint8Array.of(0xac, 0xed, 0, 5) },
    null,
  ];
  for (const [from, sender] of connections.entries()) {
    for (const [to, receiver] of connections.entries()) {
      const name = `${broker.name}.${from}.${to}`;
      await using consumer = await receiver.createConsumer(name);
      for (const body of bodies) {
        for (const compress of [false, true]) {
          await sender.send(name, body, {
            compress,
            compressionThreshold: 0,
            properties: { region: "ü" },
            replyTo: "topic://answers",
          });
          const message = await received(consumer);
          const expected = typeof body === "object" && body !== null && !("length" in body)
            ? Object.values(body)[0]
            : body;
          const value = message.getBody();
          const plain = value instanceof PrimitiveMap || value instanceof PrimitiveList
            ? JSON.parse(JSON.stringify(value))
            : value;
          assertEquals(plain, expected, `${JSON.stringify(encodings[from])} to ${to}`);
          assertEquals(message.properties.get("region"), "ü");
          assertEquals(message.replyTo?.physicalName, "answers");
        }
      }
    }
  }
});
