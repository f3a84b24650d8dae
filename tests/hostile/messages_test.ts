/** What a sender may do through an honest broker: each bad message fails alone. */

import { BrokerError, type Message, RemoteError } from "../../mod.ts";
import {
  createActiveMQQueue,
  deflateMessage,
  encodeMapBody,
  encodePrimitiveMap,
  encodeStreamBody,
  type Message as WireMessage,
  PrimitiveList,
  PrimitiveMap,
  ProtocolError,
} from "../../codec/mod.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { test } from "../_harness.ts";
import { received, until } from "../client/_messages.ts";
import { consumerInfo, dispatchTo, emptyMessage, int, textMessage, withVictim } from "./_attack.ts";

type Kind = WireMessage["dataType"];

function withBody(dataType: Kind, ...content: number[]): WireMessage {
  return { ...emptyMessage(dataType), content: Uint8Array.from(content) };
}

function withProperties(...bytes: number[]): WireMessage {
  return { ...textMessage("body"), marshalledProperties: Uint8Array.from(bytes) };
}

/** Maps within maps, by hand. */
function nested(levels: number): number[] {
  const level = [...int(1), 0, 1, 0x6b, 11];
  return [...[...Array(levels)].flatMap(() => level), ...int(0)];
}

const badBodies: [what: string, message: WireMessage, read: (message: Message) => unknown][] = [
  ["a text of -1 bytes", withBody("ActiveMQTextMessage", ...int(-2)), (m) => m.text],
  ["a text of 2^31-1 bytes", withBody("ActiveMQTextMessage", ...int(2 ** 31 - 1)), (m) => m.text],
  ["half a length", withBody("ActiveMQTextMessage", 0, 0), (m) => m.text],
  ["no UTF-8", withBody("ActiveMQTextMessage", ...int(2), 0xff, 0xff), (m) => m.text],
  ["a map of 2^31-1 entries", withBody("ActiveMQMapMessage", ...int(2 ** 31 - 1)), (m) => m.map],
  ["a map that is too deep", withBody("ActiveMQMapMessage", ...nested(200)), (m) => m.map],
  ["a value of no type", withBody("ActiveMQMapMessage", ...int(1), 0, 1, 65, 99), (m) => m.map],
  ["a stream of no type", withBody("ActiveMQStreamMessage", 99), (m) => m.stream],
  [
    "bytes longer than the stream",
    withBody("ActiveMQStreamMessage", 10, ...int(2 ** 31 - 1)),
    (m) => m.stream,
  ],
  [
    "a text of -1 bytes in a stream",
    withBody("ActiveMQStreamMessage", 9, 0xff, 0xff),
    (m) => m.stream,
  ],
  ["properties that are cut off", withProperties(...int(5), 0, 1), (m) => m.properties],
  ["2^31-1 properties", withProperties(...int(2 ** 31 - 1)), (m) => m.properties],
  ["properties that are too deep", withProperties(...nested(200)), (m) => m.properties],
  [
    "a list of 2^31-1 values",
    withProperties(...int(1), 0, 1, 65, 12, ...int(2 ** 31 - 1)),
    (m) => m.properties,
  ],
  ["a body that isn't compressed", { ...textMessage("x"), compressed: true }, (m) => m.text],
];

for (const [what, bad, read] of badBodies) {
  test(`fails alone: ${what}`, async () => {
    await withVictim(async ({ connection, script, failures }) => {
      const consumer = await connection.createConsumer("orders");
      await script.send(dispatchTo(consumer.id, bad));
      await script.send(dispatchTo(consumer.id, textMessage("good")));
      const message = await received(consumer);
      const error = assertThrows(() => read(message), ProtocolError);
      assert(error.message.length < 300, error.message);
      assertThrows(() => read(message), ProtocolError);
      assertEquals((await consumer.receive())?.text, "good");
      assertEquals(failures, []);
    });
  });
}

test("a bad message blocks no queue: its handler fails, and it is given up", async () => {
  await withVictim(async ({ connection, script, commands }) => {
    const consumer = await connection.createConsumer("orders", {
      redeliveryPolicy: { maximumRedeliveries: 1, initialRedeliveryDelay: 1 },
    });
    const texts: (string | null)[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    consumer.consume((message) => {
      message.properties;
      texts.push(message.text);
      if (message.text === "good") resolve();
    });
    await script.send(dispatchTo(consumer.id, withProperties(...int(9))));
    await script.send(dispatchTo(consumer.id, withBody("ActiveMQTextMessage", 1)));
    await script.send(dispatchTo(consumer.id, textMessage("good")));
    await promise;
    assertEquals(texts, ["good"]);
    await connection.ping();
    const poison = commands.filter((ack) => ack.dataType === "MessageAck" && ack.ackType === 1);
    assertEquals(poison.length, 2);
  });
});

test("hooks see a message with bad properties as one without", async () => {
  const seen: (string | undefined)[] = [];
  await withVictim(async ({ connection, script, failures }) => {
    const consumer = await connection.createConsumer("orders");
    await script.send(dispatchTo(consumer.id, withProperties(...int(9))));
    const bare = { ...textMessage("bare"), destination: null };
    await script.send(dispatchTo(consumer.id, bare));
    await consumer.receive();
    assertEquals((await consumer.receive())?.text, "bare");
    assertEquals([seen, failures], [[undefined, undefined], []]);
  }, {
    hooks: {
      receive: (operation) => void seen.push(operation.getProperty("traceparent")),
    },
  });
});

const HUGE = 20_000_000;

/** Some hundred kilobytes that become twenty megabytes. */
async function bombs(): Promise<
  [what: string, bomb: WireMessage, read: (m: Message) => unknown][]
> {
  const zeros = new Uint8Array(HUGE);
  const make = (dataType: Kind, content: Uint8Array): Promise<WireMessage> =>
    deflateMessage({ ...emptyMessage(dataType), content } as WireMessage);
  const bytes = await make("ActiveMQBytesMessage", zeros);
  const lying = { ...bytes, content: bytes.content!.slice() };
  new DataView(lying.content.buffer).setInt32(0, 2 ** 31 - 1);
  return [
    ["text", await make("ActiveMQTextMessage", zeros), (m) => m.text],
    ["bytes", bytes, (m) => m.bytes],
    ["bytes that claim to be 2^31-1", lying, (m) => m.bytes],
    ["map", await make("ActiveMQMapMessage", zeros), (m) => m.map],
    ["stream", await make("ActiveMQStreamMessage", zeros), (m) => m.stream],
    ["object", await make("ActiveMQObjectMessage", zeros), (m) => m.bytes],
  ];
}

test("compressed bodies that would be too large fail alone, and are not inflated beyond the limit", async () => {
  await withVictim(async ({ connection, script }) => {
    const consumer = await connection.createConsumer("orders");
    for (const [what, bomb, read] of await bombs()) {
      assert(bomb.content!.length < HUGE / 100, `${what}: ${bomb.content!.length}`);
      await script.send(dispatchTo(consumer.id, bomb));
      await script.send(dispatchTo(consumer.id, textMessage("good")));
      const message = await consumer.receive();
      const error = assertThrows(() => read(message!), ProtocolError);
      assertEquals(error.code, "INFLATED_TOO_LARGE", what);
      assertEquals((await consumer.receive())?.text, "good");
    }
  }, { maxInflatedSize: 1_000_000 });
});

test("an inflated body with too many values is not kept", async () => {
  const many = new PrimitiveMap();
  for (let i = 0; i < 100; i++) many.set(`${i}`, i);
  const small = await deflateMessage(
    { ...emptyMessage("ActiveMQMapMessage"), content: encodeMapBody(many) } as WireMessage,
  );
  await withVictim(async ({ connection, script }) => {
    const consumer = await connection.createConsumer("orders");
    await script.send(dispatchTo(consumer.id, small));
    const message = await received(consumer);
    const error = assertThrows(() => message.map, ProtocolError);
    assertEquals([error.code, consumer.inflatedBytes], ["TOO_MANY_VALUES", 0]);
  }, { maxDecodedValues: 99 });
  await withVictim(async ({ connection, script }) => {
    const consumer = await connection.createConsumer("orders");
    await script.send(dispatchTo(consumer.id, small));
    assertEquals((await received(consumer)).map.size, 100);
  }, { maxDecodedValues: 100 });
});

test("a compressed body inflates to what it says, and no further", async () => {
  const [, lying] = (await bombs())[2]!;
  new DataView(lying.content!.buffer).setInt32(0, 1000);
  await withVictim(async ({ connection, script }) => {
    const consumer = await connection.createConsumer("orders");
    await script.send(dispatchTo(consumer.id, lying));
    assertEquals((await consumer.receive())?.bytes.length, 1000);
  });
});

test("names of properties and entries are names, and nothing else", async () => {
  const names = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", ""];
  const entries = new PrimitiveMap();
  for (const name of names) entries.set(name, name);
  const bad = new PrimitiveMap();
  bad.set("__proto__", new PrimitiveMap({ polluted: true }));
  await withVictim(async ({ connection, script }) => {
    const consumer = await connection.createConsumer("orders");
    await script.send(dispatchTo(consumer.id, {
      ...emptyMessage("ActiveMQMapMessage"),
      marshalledProperties: encodePrimitiveMap(entries),
      content: encodeMapBody(entries),
    }));
    await script.send(dispatchTo(consumer.id, {
      ...emptyMessage("ActiveMQMapMessage"),
      marshalledProperties: encodePrimitiveMap(bad),
      content: encodeStreamBody(new PrimitiveList()),
    }));
    const message = await received(consumer);
    for (const map of [message.properties, message.map]) {
      assertEquals([...map.keys()], names);
      for (const name of names) assertEquals(map.get(name), name);
      assertEquals(map.get("valueOf"), undefined);
      const plain = JSON.parse(JSON.stringify(map)) as object;
      assertEquals(Object.keys(plain), names);
    }
    const second = await consumer.receive();
    JSON.stringify(second?.properties);
    assertEquals(({} as Record<string, unknown>)["polluted"], undefined);
  });
});

test("a serialized Java object is bytes, and a blob stays where it is", async () => {
  const java = Uint8Array.of(0xac, 0xed, 0, 5, 0x73, 0x72, 0, 4, 101, 118, 105, 108);
  const fetched: unknown[] = [];
  const realFetch = globalThis.fetch;
  globalThis.fetch = ((input: unknown) => {
    fetched.push(input);
    return Promise.reject(new Error("not here"));
  }) as typeof fetch;
  try {
    await withVictim(async ({ connection, script }) => {
      const consumer = await connection.createConsumer("orders");
      await script.send(dispatchTo(consumer.id, withBody("ActiveMQObjectMessage", ...java)));
      const object = await consumer.receive();
      assertEquals(object?.getBody(), java);
      await script.send(dispatchTo(consumer.id, {
        ...emptyMessage("ActiveMQBlobMessage"),
        remoteBlobUrl: "http://127.0.0.1:1/secret",
        mimeType: "text/plain",
        deletedByBroker: false,
      } as WireMessage));
      const blob = await consumer.receive();
      assertThrows(() => blob?.getBody(), TypeError, "kept elsewhere");
    });
  } finally {
    globalThis.fetch = realFetch;
  }
  assertEquals(fetched, []);
});

test("texts of a replier don't steer terminals, and replies to others' requests are dropped", async () => {
  await withVictim(async ({ connection, script, commands }) => {
    const replying = connection.request("orders", "question", { timeout: 5000 });
    let asked: WireMessage | undefined;
    while (asked === undefined) {
      await connection.ping();
      asked = commands.find(({ dataType }) => dataType === "ActiveMQTextMessage") as WireMessage;
    }
    const { sessionId, value } = consumerInfo(commands).consumerId!;
    const reply = (correlationId: string | null, text: string): WireMessage => ({
      ...textMessage("no"),
      correlationId,
      marshalledProperties: encodePrimitiveMap({ OpenWireErrorCode: text }),
    });
    const evil = "\x1b[31m\r\n" + "x".repeat(20_000);
    for (const id of [null, "", "__proto__", "of another"]) {
      await script.send(dispatchTo(`${sessionId}:${value}`, reply(id, evil)));
    }
    await script.send(dispatchTo(`${sessionId}:${value}`, reply(asked.correlationId, evil)));
    const error = await assertRejects(() => replying, RemoteError);
    // deno-lint-ignore no-control-regex
    assert(!/[\x00-\x1f]/.test(error.message + error.remoteCode));
    assert(error.message.length < 1100 && error.remoteCode.length < 1100);
    assertEquals(connection.lateReplies, 4);
  });
});

test("a request is answered to one address, not to all that its sender likes to name", async () => {
  await withVictim(async ({ connection, script, commands, failures }) => {
    const answered: (string | null)[] = [];
    await connection.respond("orders", ({ text }) => {
      answered.push(text);
      return "reply";
    });
    const { sessionId, value } = consumerInfo(commands).consumerId!;
    for (const physicalName of ["a,b", "queue://a,topic://b", "a.>", "*", ">", "good"]) {
      const replyTo = createActiveMQQueue({ physicalName });
      await script.send(
        dispatchTo(`${sessionId}:${value}`, { ...textMessage(physicalName), replyTo }),
      );
    }
    const replies = () =>
      commands.flatMap((command) => "marshalledProperties" in command ? [command] : []);
    await until(() => replies().length === 1);
    assertEquals(answered.length, 6);
    const [reply] = replies() as WireMessage[];
    assertEquals(reply?.destination?.physicalName, "good");
    assertEquals(
      failures.map((error) => (error as Error & { code?: string }).code),
      new Array(5).fill("NO_REPLY_TO"),
    );
  });
});

test("names of destinations in errors and logs are on one line", async () => {
  const lines: string[] = [];
  const note = (message: string, fields: object): void => {
    lines.push(message, ...Object.values(fields).filter((value) => typeof value === "string"));
  };
  const name = "orders\x1b[31m\r\nERROR all is lost\u202e" + "x".repeat(20_000);
  await withVictim(async ({ connection, script }) => {
    const acknowledgeMode = "individual";
    const consumer = await connection.createConsumer("orders", { acknowledgeMode });
    const destination = createActiveMQQueue({ physicalName: name });
    const message = { ...textMessage("old"), destination, replyTo: destination, expiration: 1 };
    await script.send(dispatchTo(consumer.id, message));
    await script.send(dispatchTo(consumer.id, { ...message, expiration: 0 }));
    const bad = await received(consumer);
    await bad.reject(new Error("no"));
    const error = new BrokerError(`Cannot open a consumer for ${name}`, null);
    lines.push(error.message.slice(0, 1999));
    assert(error.message.length < 11_000);
    assert(lines.length > 3);
    for (const line of lines) {
      // deno-lint-ignore no-control-regex
      assert(!/[\x00-\x1f\u202e]/.test(line) && line.length < 2000, JSON.stringify(line));
    }
  }, { logger: { debug: note, info: note, warn: note, error: note } });
});
