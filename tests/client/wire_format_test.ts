import { assertEquals } from "@std/assert";
import { testOnBrokers } from "./_brokers.ts";

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
