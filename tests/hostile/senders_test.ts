/** What a sender may do through an honest broker: no consumer is stopped, and the good messages behind come. */

import type { Connection, ConnectOptions, Message, MessageConsumer } from "../../mod.ts";
import {
  createActiveMQBytesMessage,
  createActiveMQMapMessage,
  createActiveMQStreamMessage,
  createConnectionId,
  createConsumerId,
  createConsumerInfo,
  createTransactionInfo,
  createXATransactionId,
  deflateMessage,
  encodeMapBody,
  encodeStreamBody,
  encodeTextBody,
  type Message as WireMessage,
} from "../../codec/mod.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { testOnBrokers } from "../client/_brokers.ts";
import type { TestBroker } from "../client/_brokers.ts";
import { received } from "../client/_messages.ts";
import { int } from "./_attack.ts";
import { Sender } from "./_sender.ts";

const NARROW: ConnectOptions = {
  failover: { initialReconnectDelay: 1, maxReconnectDelay: 50 },
  wireFormat: { maxFrameSize: 1_048_576 },
};

/** A test whose queues have dead-letter queues of their own: what is left there can't be read by other tests. */
function testHostile(name: string, fn: (broker: TestBroker) => Promise<void>): void {
  testOnBrokers(name, (broker) => fn({ ...broker, name: `hostile.${broker.name}` }));
}

/** Sends what an attack sends and then good messages, which must all come; the connection must live. */
async function survives(
  broker: TestBroker,
  attack: (sender: Sender) => Promise<void>,
  options: ConnectOptions = {},
): Promise<{ connection: Connection; failures: string[] }> {
  const connection = await broker.connect({ ...NARROW, ...options });
  const failures: string[] = [];
  (async () => {
    for await (const status of connection.status()) {
      if (status.error) failures.push(status.error.message);
    }
  })();
  const consumer = await connection.createConsumer(broker.name);
  // What the consumer has before the attack comes behind it, too.
  await good(broker, connection, consumer);
  {
    await using sender = await Sender.open(broker.url, broker.name);
    await attack(sender).catch((error) => {
      // The broker in memory decodes all, and ends the link of whoever sends what it can't read.
      if (broker.real) throw error;
    });
  }
  for (let i = 0; i < 3; i++) await good(broker, connection, consumer);
  assert(await connection.ping() >= 0);
  return { connection, failures };
}

async function good(broker: TestBroker, connection: Connection, consumer: MessageConsumer) {
  await connection.send(broker.name, "good");
  for (;;) {
    const message = await received(consumer);
    if (message.kind === "text" && message.text === "good") return;
  }
}

const level = [32, ...int(0), 0, ...int(0), 1];
const leaf = [10, ...int(0), 0];

for (const cacheEnabled of [false, true]) {
  const how = cacheEnabled ? "with the cache" : "without the cache";
  const options = { wireFormat: { ...NARROW.wireFormat, cacheEnabled } };

  testHostile(
    `a message with 40 structures in each other stops no consumer, ${how}`,
    async (broker) => {
      await survives(broker, async (sender) => {
        await sender.sendStructure(
          sender.message(),
          [...Array(40)].flatMap(() => level).concat(leaf),
        );
        await sender.sendStructure(
          sender.message(),
          [...Array(2000)].flatMap(() => level).concat(leaf),
        );
      }, options);
    },
  );

  testHostile(
    `a message that ActiveMQ fails to write stops no consumer, ${how}`,
    async (broker) => {
      await survives(broker, async (sender) => {
        const consumerId = createConsumerId({ connectionId: null as unknown as string });
        const dataStructure = createConsumerInfo({ consumerId });
        for (let i = 0; i < 3; i++) await sender.send(sender.message({ dataStructure }));
      }, options);
    },
  );

  testHostile(`messages above the limit stop no consumer, ${how}`, async (broker) => {
    await survives(broker, async (sender) => {
      for (const size of [1_100_000, 2_000_000, 8_000_000]) {
        await sender.send(sender.message({ content: encodeTextBody("x".repeat(size)) }));
      }
    }, options);
  });
}

testHostile("a message above the limit is dead-lettered, and reported", async (broker) => {
  const { connection, failures } = await survives(broker, async (sender) => {
    await sender.send(sender.message({ content: encodeTextBody("x".repeat(2_000_000)) }));
  });
  await connection.close();
  assertEquals(failures.length, 1);
  assert(
    /Cannot read the message ID:raw-.*1 to 1048576 are allowed/.test(failures[0]!),
    failures[0],
  );
  // It is in the way of nobody any more.
  const other = await broker.connect();
  const consumer = await other.createConsumer(broker.name);
  await other.send(broker.name, "last");
  assertEquals((await received(consumer)).text, "last");
});

testHostile("the largest message that send() takes comes back", async (broker) => {
  const connection = await broker.connect(NARROW);
  const consumer = await connection.createConsumer(broker.name);
  let [fits, tooLarge] = [1_000_000, 1_048_576];
  while (tooLarge - fits > 1) {
    const size = (fits + tooLarge) >> 1;
    const sent = await connection.send(broker.name, new Uint8Array(size)).then(
      () => true,
      () => false,
    );
    if (sent) {
      fits = size;
      assertEquals((await received(consumer)).bytes.length, size);
    } else {
      tooLarge = size;
    }
  }
  assert(fits > 1_048_000, `${fits}`);
});

testHostile("ids of transactions of megabytes stop no consumer", async (broker) => {
  await survives(broker, async (sender) => {
    const connectionId = createConnectionId({ value: sender.connectionId });
    const xid = createXATransactionId({
      formatId: 1,
      globalTransactionId: new Uint8Array(1_500_000),
      branchQualifier: new Uint8Array(900_000),
    });
    await sender.send(sender.message({ originalTransactionId: xid }));
    for (const step of [0, "message", 7, 2] as const) {
      if (step === "message") await sender.send(sender.message({ transactionId: xid }));
      else {await sender.request(
          createTransactionInfo({ connectionId, transactionId: xid, type: step }),
        );}
    }
  });
});

/** 100 MB of values of one byte each, which take 100 KB on the wire. */
function tiny(): WireMessage[] {
  const many = 100_000_000;
  const map = new Uint8Array(many);
  new DataView(map.buffer).setInt32(0, 1);
  map.set([0, 1, 107, 12], 4);
  new DataView(map.buffer).setInt32(8, many - 12);
  return [
    createActiveMQMapMessage({ content: map }),
    createActiveMQStreamMessage({ content: new Uint8Array(many) }),
  ];
}

/** Artemis reads bodies itself. */
function readable(): WireMessage[] {
  const values = Array.from({ length: 200_000 }, (_, i) => i);
  return [
    createActiveMQMapMessage({
      content: encodeMapBody(new Map(values.map((value) => [`${value}`, value]))),
    }),
    createActiveMQStreamMessage({ content: encodeStreamBody(values) }),
  ];
}

testHostile("bodies of very many values fail alone, in bounded memory", async (broker) => {
  const bombs = await Promise.all(
    (broker.kind === "artemis" ? readable() : tiny()).map((message) => deflateMessage(message)),
  );
  const connection = await broker.connect();
  const consumer = await connection.createConsumer(broker.name);
  await using sender = await Sender.open(broker.url, broker.name);
  for (const { dataType, content } of bombs) {
    assert(content!.length < 1_000_000);
    await sender.send(
      sender.message({ dataType, content, compressed: true } as Partial<WireMessage>),
    );
    const message = await received(consumer);
    const read = (): unknown => message.kind === "map" ? message.map : message.stream;
    const error = assertThrows(read) as Error & { code?: string };
    assertEquals(error.code, "TOO_MANY_VALUES");
    assertEquals(connection.stats().inflatedBytes, 0);
  }
  const properties = new Uint8Array(4 + 4 * 1_000_000);
  new DataView(properties.buffer).setInt32(0, 1_000_000);
  if (broker.kind !== "artemis" && broker.real) {
    await sender.send(sender.message({ marshalledProperties: properties }));
    const message = await received(consumer);
    const error = assertThrows(() => message.properties) as Error & { code?: string };
    assertEquals(error.code, "TOO_MANY_VALUES");
  }
  await good(broker, connection, consumer);
});

testHostile("inflated bodies are kept one at a time, whatever is unsettled", async (broker) => {
  const connection = await broker.connect();
  const session = await connection.createSession({ acknowledgeMode: "individual" });
  const consumer = await session.createConsumer(broker.name);
  const size = broker.kind === "artemis" ? 1_000_000 : 10_000_000;
  const { content } = await deflateMessage(
    createActiveMQBytesMessage({ content: new Uint8Array(size) }),
  );
  await using sender = await Sender.open(broker.url, broker.name);
  const messages: Message[] = [];
  for (let i = 0; i < 30; i++) {
    await sender.send(
      sender.message(
        { dataType: "ActiveMQBytesMessage", content, compressed: true } as Partial<WireMessage>,
      ),
    );
  }
  for (let i = 0; i < 30; i++) messages.push(await received(consumer));
  assertEquals(consumer.inflatedBytes, 0);
  for (const message of messages) {
    assertEquals(message.bytes.length, size);
    assertEquals(consumer.inflatedBytes, size);
    assertEquals(connection.stats().inflatedBytes, size);
  }
  await messages[0]!.ack();
  assertEquals(consumer.inflatedBytes, size);
  await messages[29]!.ack();
  assertEquals(consumer.inflatedBytes, 0);
  assertEquals(messages[3]!.bytes.length, size);
  for (const message of messages.slice(1, 29)) await message.ack();
  assertEquals(consumer.inflatedBytes, 0);
});

testHostile("a handler's inflated body is let go when it has ended", async (broker) => {
  const connection = await broker.connect();
  const session = await connection.createSession({ acknowledgeMode: "individual" });
  const consumer = await session.createConsumer(broker.name);
  const handled = Promise.withResolvers<number>();
  consumer.consume((message) => {
    if (message.text === "end") handled.resolve(consumer.inflatedBytes);
  });
  await connection.send(broker.name, "x".repeat(100_000), { compress: true });
  await connection.send(broker.name, "end");
  assertEquals(await handled.promise, 0);
});

testHostile(
  "a message that claims any number of redeliveries is handled as often as any other",
  async (broker) => {
    const connection = await broker.connect();
    const consumer = await connection.createConsumer(broker.name, {
      redeliveryPolicy: { maximumRedeliveries: 2, initialRedeliveryDelay: 1, redeliveryDelay: 1 },
    });
    const counts: number[] = [];
    const done = Promise.withResolvers<void>();
    consumer.consume((message) => {
      if (message.text === "good") return done.resolve();
      counts.push(message.deliveryCount);
      throw new Error("bad");
    });
    await using sender = await Sender.open(broker.url, broker.name);
    await sender.send(sender.message({ redeliveryCounter: -(2 ** 31) }));
    await connection.send(broker.name, "good");
    await done.promise;
    assertEquals(counts, [1, 2, 3]);
  },
);

testHostile(
  "a message that claims very many redeliveries reaches a transacted consumer",
  async (broker) => {
    const connection = await broker.connect();
    const session = await connection.createSession({ acknowledgeMode: "transacted" });
    const consumer = await session.createConsumer(broker.name);
    await using sender = await Sender.open(broker.url, broker.name);
    await sender.send(sender.message({ redeliveryCounter: 2 ** 31 - 1 }));
    const message = await received(consumer);
    assertEquals(message.text, "bad");
    assert(message.deliveryCount >= 1 && message.deliveryCount <= 7, `${message.deliveryCount}`);
    await session.commit();
  },
);
