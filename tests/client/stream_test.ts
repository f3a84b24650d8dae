/** Large bodies that are sent in chunks. */

import {
  connect,
  type Connection,
  type ConsumerOptions,
  type Message,
  type MessageConsumer,
  OpenWireError,
  PrimitiveMap,
  queue,
  topic,
} from "../../mod.ts";
import { createActiveMQBytesMessage, encodePrimitiveMap } from "../../codec/mod.ts";
import { StreamProperty, toChunkHeaders } from "../../client/stream/chunk_header.ts";
import { crc32 } from "../../client/stream/crc32.ts";
import { type ChunkConsumer, IncomingStream } from "../../client/stream/incoming_stream.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { test } from "../_harness.ts";
import { testOnBrokers } from "./_brokers.ts";
import { AT_ONCE, left, received, receivedAs, take, until } from "./_messages.ts";

/** Bytes that are not the same everywhere. */
function body(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31) ^ (i >> 8));
}

/** A source that gives bytes in odd pieces. */
async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 7) % 613 + 1) {
    yield bytes.subarray(at, at + size);
    await Promise.resolve();
  }
}

/** A source that gives one value. */
async function* only(value: unknown): AsyncGenerator<unknown> {
  yield await Promise.resolve(value);
}

/** All bytes of a message. */
async function bytesOf({ readable }: Message): Promise<Uint8Array> {
  return new Uint8Array(await new Response(readable).arrayBuffer());
}

/** What a handler got, until so many have come. */
async function handled(
  consumer: MessageConsumer,
  handler: (message: Message) => Promise<void>,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  consumer.consume(async (message) => {
    await handler(message);
    resolve();
  });
  await promise;
  await consumer.close();
}

const STREAMS: ConsumerOptions = { streams: { chunkTimeout: 5_000, prefetchSize: 4 } };

testOnBrokers("a stream comes as one message whose readable is the whole body", async (broker) => {
  const connection = await broker.connect();
  const { name } = broker;
  const sent = body(50_000);
  const result = await connection.sendStream(name, inPieces(sent), {
    chunkSize: 999,
    type: "file",
    properties: { file: "report.pdf" },
  });
  assertEquals([result.bytes, result.chunks], [50_000, 51]);
  await connection.send(name, "behind it");
  const consumer = await connection.createConsumer(name, STREAMS);
  const seen: unknown[] = [];
  let text = "";
  consumer.consume(async (message) => {
    if (message.kind === "text") return void (text = await new Response(message.readable).text());
    const { type, properties, id } = message;
    seen.push(type, properties.get("file"), properties.get("openwire_stream"), id);
    assertEquals(message.readable, message.readable);
    assertEquals(await bytesOf(message), sent);
  });
  await until(() => text !== "");
  assertEquals(seen, ["file", "report.pdf", result.streamId, result.messageId]);
  assertEquals(text, "behind it");
  await consumer.close();
  assertEquals(await left(broker, name), []);
});

testOnBrokers(
  "all chunks have the properties as they were when sendStream() was called",
  async (broker) => {
    const connection = await broker.connect();
    for (const properties of [{ file: "a" }, new PrimitiveMap({ file: "a" })]) {
      const sending = connection.sendStream(broker.name, new Blob(["abc"]), {
        chunkSize: 1,
        properties,
      });
      if (properties instanceof PrimitiveMap) properties.set("file", "b");
      else properties.file = "b";
      await sending;
      const consumer = await connection.createConsumer(broker.name);
      const files = (await take(consumer, 3)).map(({ properties }) => properties.get("file"));
      assertEquals(files, ["a", "a", "a"]);
      await consumer.close();
    }
  },
);

testOnBrokers("others get the chunks of a stream as bytes messages, in order", async (broker) => {
  const connection = await broker.connect();
  await connection.sendStream(broker.name, new Blob(["abcdefgh"]), { chunkSize: 3 });
  const consumer = await connection.createConsumer(broker.name);
  const chunks = await take(consumer, 3);
  const id = chunks[0]!.properties.get("openwire_stream");
  assertEquals(
    chunks.map(({ bytes, groupId, groupSequence }) => [
      new TextDecoder().decode(bytes),
      groupId,
      groupSequence,
    ]),
    broker.kind === "artemis"
      ? [["abc", null, 0], ["def", null, 0], ["gh", null, 0]]
      : [["abc", null, 0], ["def", id, 2], ["gh", id, -1]],
  );
});

testOnBrokers("streams of any size have a last chunk", async (broker) => {
  const connection = await broker.connect();
  const consumer = await connection.createConsumer(broker.name, STREAMS);
  const lengths = [0, 1, 9, 10, 11, 20];
  for (const length of lengths) {
    const { chunks } = await connection.sendStream(broker.name, inPieces(body(length)), {
      chunkSize: 10,
    });
    assertEquals(chunks, Math.max(1, Math.ceil(length / 10)));
  }
  const got: Uint8Array[] = [];
  for await (const message of consumer) {
    got.push(await bytesOf(message));
    if (got.length < lengths.length) continue;
    await message.ack();
    break;
  }
  assertEquals(got, lengths.map(body));
  await consumer.close();
  assertEquals(await left(broker, broker.name), []);
});

testOnBrokers("a stream is longer than what the broker sends ahead", async (broker) => {
  const connection = await broker.connect();
  const sent = body(300_000);
  const consumer = await connection.createConsumer(broker.name, {
    ...STREAMS,
    prefetchSize: 1,
    acknowledgeMode: "individual",
  });
  const sending = connection.sendStream(broker.name, inPieces(sent), { chunkSize: 500 });
  const message = await received(consumer);
  assertEquals(await bytesOf(message), sent);
  await sending;
  await message.ack();
  await consumer.close();
  assertEquals(await left(broker, broker.name), []);
});

testOnBrokers("several consumers share streams, each of which goes to one", async (broker) => {
  const sender = await broker.connect();
  const [one, two] = [await broker.connect(), await broker.connect()];
  const sent = [body(3_000), body(4_000), body(5_000), body(6_000)];
  const got: Uint8Array[] = [];
  const consumers = await Promise.all([one, two].map(async (connection) => {
    const consumer = await connection.createConsumer(broker.name, { ...STREAMS, prefetchSize: 1 });
    consumer.consume(async (message) => void got.push(await bytesOf(message)));
    return consumer;
  }));
  // Their chunks are mixed in the queue.
  await Promise.all(
    sent.map((bytes) => sender.sendStream(broker.name, inPieces(bytes), { chunkSize: 100 })),
  );
  await until(() => got.length === sent.length);
  assertEquals(got.sort((a, b) => a.length - b.length), sent);
  for (const consumer of consumers) await consumer.close();
  assertEquals(await left(broker, broker.name), []);
});

testOnBrokers("a handler that fails gets the whole stream again", async (broker) => {
  const connection = await broker.connect();
  const sent = body(2_000);
  await connection.sendStream(broker.name, inPieces(sent), { chunkSize: 100 });
  const consumer = await connection.createConsumer(broker.name, {
    ...STREAMS,
    redeliveryPolicy: AT_ONCE,
  });
  const counts: number[] = [];
  await handled(consumer, async (message) => {
    counts.push(message.deliveryCount);
    if (counts.length === 1) {
      const reader = message.readable.getReader();
      for (let i = 0; i < 7; i++) await reader.read();
      throw new Error("no space left on device");
    }
    assertEquals(await bytesOf(message), sent);
  });
  assertEquals(counts, [1, 2]);
  assertEquals(await left(broker, broker.name), []);
});

testOnBrokers(
  "a stream that fails too often is dead-lettered with all its chunks",
  async (broker) => {
    const connection = await broker.connect();
    const { streamId } = await connection.sendStream(broker.name, inPieces(body(1_000)), {
      chunkSize: 100,
    });
    const consumer = await connection.createConsumer(broker.name, {
      ...STREAMS,
      redeliveryPolicy: { ...AT_ONCE, maximumRedeliveries: 1 },
    });
    let attempts = 0;
    consumer.consume(async (message) => {
      attempts++;
      await message.readable.getReader().read();
      throw new Error("cannot read it");
    });
    const dead = await connection.createConsumer("ActiveMQ.DLQ", {
      selector: `openwire_stream = '${streamId}'`,
    });
    const indexes = (await take(dead, 10)).map(({ properties }) =>
      properties.get("openwire_stream_index") as number
    );
    assertEquals(indexes.sort((a, b) => a - b), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assertEquals(attempts, 2);
    await consumer.close();
    assertEquals(await left(broker, broker.name), []);
  },
);

testOnBrokers("a stream that nobody reads is acknowledged with all its chunks", async (broker) => {
  const connection = await broker.connect();
  for (const text of ["unread", "cancelled", "partly read"]) {
    await connection.sendStream(broker.name, new Blob([text.repeat(50)]), {
      chunkSize: 10,
      type: text,
    });
  }
  await connection.send(broker.name, "behind them", { type: "text" });
  const consumer = await connection.createConsumer(broker.name, STREAMS);
  const types: (string | null)[] = [];
  consumer.consume(async ({ type, readable }) => {
    types.push(type);
    if (type === "cancelled") await readable.cancel("not for me");
    if (type === "partly read") await readable.getReader().read();
  });
  await until(() => types.length === 4);
  await consumer.close();
  assertEquals(types, ["unread", "cancelled", "partly read", "text"]);
  assertEquals(await left(broker, broker.name), []);
});

testOnBrokers("a source that fails gives the stream up, and its reader is told", async (broker) => {
  const connection = await broker.connect();
  const consumer = await connection.createConsumer(broker.name, {
    ...STREAMS,
    acknowledgeMode: "individual",
  });
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield body(250);
    await Promise.resolve();
    throw new Error("the disk is gone");
  }
  await assertRejects(
    () => connection.sendStream(broker.name, failing(), { chunkSize: 100 }),
    Error,
    "the disk is gone",
  );
  const message = await received(consumer);
  const error = await assertRejects(() => bytesOf(message), OpenWireError, "given it up after 200");
  assertEquals(error.code, "STREAM_ABORTED");
  await message.ack();
  await consumer.close();
  assertEquals(await left(broker, broker.name), []);
});

testOnBrokers(
  "the signal of sendStream() gives the stream up while its source waits",
  async (broker) => {
    const connection = await broker.connect();
    const abort = new AbortController();
    let returned = false;
    const source: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => {
        let pieces = 0;
        return {
          next: () =>
            pieces++ < 2
              ? Promise.resolve({ done: false, value: body(100) })
              : new Promise(() => abort.abort(new Error("changed my mind"))),
          return: () => {
            returned = true;
            return Promise.resolve({ done: true, value: undefined });
          },
        };
      },
    };
    await assertRejects(
      () => connection.sendStream(broker.name, source, { chunkSize: 100, signal: abort.signal }),
      Error,
      "changed my mind",
    );
    const consumer = await connection.createConsumer(broker.name, {
      ...STREAMS,
      acknowledgeMode: "individual",
    });
    const error = await assertRejects(async () => bytesOf(await received(consumer)), OpenWireError);
    assertEquals([error.code, returned], ["STREAM_ABORTED", true]);
  },
);

testOnBrokers("a stream without an end fails after chunkTimeout", async (broker) => {
  const connection = await broker.connect();
  const { promise, resolve } = Promise.withResolvers<void>();
  async function* waiting(): AsyncGenerator<Uint8Array> {
    yield body(250);
    await promise;
  }
  const sending = connection.sendStream(broker.name, waiting(), { chunkSize: 100 });
  const consumer = await connection.createConsumer(broker.name, {
    streams: { chunkTimeout: 100 },
    acknowledgeMode: "individual",
  });
  const message = await received(consumer);
  const error = await assertRejects(() => bytesOf(message), OpenWireError, "after 200 bytes");
  assertEquals([error.code, error.retryable], ["TIMEOUT", true]);
  // Given again, it is read to its end.
  resolve();
  await sending;
  await message.retry({ delay: 1 });
  assertEquals(await bytesOf(await received(consumer)), body(250));
});

testOnBrokers("a consumer that is closed gives a stream back as a whole", async (broker) => {
  const connection = await broker.connect();
  const sent = body(3_000);
  await connection.sendStream(broker.name, inPieces(sent), { chunkSize: 100 });
  const open = async (connection: Connection) =>
    await connection.createConsumer(broker.name, { ...STREAMS, acknowledgeMode: "individual" });
  const one = await open(connection);
  const reader = (await received(one)).readable.getReader();
  for (let i = 0; i < 5; i++) await reader.read();
  const pending = (async () => {
    for (;;) await reader.read();
  })();
  const failed = assertRejects(() => pending, OpenWireError);
  await one.close();
  assertEquals((await failed).code, "CLOSED");
  const two = await open(await broker.connect());
  const message = await received(two);
  assertEquals(await bytesOf(message), sent);
  await message.ack();
});

testOnBrokers(
  "a handler may read a stream to its end while its consumer is closed",
  async (broker) => {
    const connection = await broker.connect();
    const sent = body(3_000);
    await connection.sendStream(broker.name, inPieces(sent), { chunkSize: 100 });
    for (const close of [true, false]) {
      if (!close) await connection.sendStream(broker.name, inPieces(sent), { chunkSize: 100 });
      const session = await connection.createSession();
      const consumer = await session.createConsumer(broker.name, STREAMS);
      const begun = Promise.withResolvers<void>();
      let length = 0;
      const done = consumer.consume(async ({ readable }) => {
        for await (const bytes of readable) {
          length += bytes.length;
          begun.resolve();
        }
      });
      await begun.promise;
      await (close ? session.close() : session.drain());
      await done;
      assertEquals(length, sent.length);
    }
    assertEquals(await left(broker, broker.name), []);
  },
);

testOnBrokers(
  "a selector selects streams by the properties of their first chunks",
  async (broker) => {
    const connection = await broker.connect();
    for (const region of ["us", "eu"]) {
      await connection.sendStream(broker.name, new Blob([`for the ${region}`]), {
        chunkSize: 4,
        properties: { region },
      });
    }
    const consumer = await connection.createConsumer(broker.name, {
      ...STREAMS,
      acknowledgeMode: "individual",
      selector: "region = 'eu' OR region = 'asia'",
    });
    const message = await received(consumer);
    assertEquals(await new Response(message.readable).text(), "for the eu");
    await message.ack();
  },
);

testOnBrokers("compressed and temporary, a stream is read all the same", async (broker) => {
  const connection = await broker.connect();
  const place = await connection.createTemporaryQueue();
  const producer = await connection.createProducer(place, { compressionThreshold: 1 });
  const sent = new Uint8Array(10_000);
  await producer.sendStream(new Blob([sent]), {
    chunkSize: 3_000,
    compress: true,
    persistent: false,
  });
  const consumer = await connection.createConsumer(place, STREAMS);
  await handled(consumer, async (message) => assertEquals(await bytesOf(message), sent));
});

testOnBrokers("readable of an ordinary message is its body", async (broker) => {
  const connection = await broker.connect();
  await connection.send(broker.name, "Grüße");
  await connection.send(broker.name, body(10));
  await connection.send(broker.name, null);
  await connection.send(broker.name, { map: { a: 1 } });
  const consumer = await connection.createConsumer(broker.name);
  const [text, bytes, plain, map] = await take(consumer, 4);
  assertEquals(await new Response(text!.readable).text(), "Grüße");
  assertEquals(await bytesOf(bytes!), body(10));
  for (const message of [plain!, map!]) {
    await assertRejects(() => bytesOf(message), TypeError, `from a ${message.kind} message`);
  }
});

testOnBrokers("what can't be a stream is refused at once", async (broker) => {
  const connection = await broker.connect();
  const send = (
    destination: Parameters<Connection["sendStream"]>[0],
    source: unknown,
    options = {},
  ) => connection.sendStream(destination, source as Blob, options);
  const blob = new Blob(["x"]);
  for (const wrong of [topic(broker.name), "a,b", "a.>", "topic://x"]) {
    await assertRejects(() => send(wrong, blob), TypeError, "a single queue is expected");
  }
  for (const wrong of [null, undefined, "text", 7, {}, [body(1)]]) {
    await assertRejects(() => send(broker.name, wrong), TypeError, "as a stream");
  }
  for (const wrong of ["text", 7, null, [1]]) {
    const source = only(wrong);
    await assertRejects(() => send(broker.name, source), TypeError, "a Uint8Array is expected");
  }
  for (const chunkSize of [0, -1, 1.5, NaN, 104_857_601]) {
    await assertRejects(() => send(broker.name, blob, { chunkSize }), RangeError, "chunkSize");
  }
  await assertRejects(
    () => send(broker.name, blob, { deduplicationId: "x" }),
    TypeError,
    "deduplicationId",
  );
  const signal = AbortSignal.abort(new Error("too late"));
  await assertRejects(() => send(broker.name, blob, { signal }), Error, "too late");
  const open = (options: Record<string, unknown>, destination = queue(broker.name)) =>
    connection.createConsumer(destination, options as ConsumerOptions);
  await assertRejects(() => open({ streams: "yes" }), TypeError, "a boolean or an object");
  await assertRejects(() => open({ streams: null }), TypeError, "a boolean or an object");
  await assertRejects(() => open({ streams: { chunkTimeout: 0 } }), RangeError);
  await assertRejects(() => open({ streams: { prefetchSize: 0 } }), RangeError);
  await assertRejects(() => open({ streams: true, prefetchSize: 0 }), TypeError, "prefetchSize");
  await assertRejects(() => open({ streams: true }, queue("a,b")), TypeError, "a single queue");
  for (const acknowledgeMode of ["client", "transacted"] as const) {
    const session = await connection.createSession({ acknowledgeMode });
    await assertRejects(
      () => session.createConsumer(broker.name, { streams: true }),
      TypeError,
      `in mode "${acknowledgeMode}"`,
    );
  }
  const consumer = await open({ streams: true });
  await assertRejects(() => consumer.receive(), TypeError, "before they are read");
  await assertRejects(() => consumer.receiveNoWait(), TypeError, "before they are read");
  // Nothing was sent.
  await consumer.close();
  assertEquals(await left(broker, broker.name), []);
});

test("a stream goes on after its reader's connection was lost, and is not read twice", async () => {
  await using broker = await MemoryBroker.listen();
  const url = `failover:(${broker.url})?initialReconnectDelay=1`;
  await using connection = await connect(url);
  const sent = body(3_000);
  await connection.sendStream("files", inPieces(sent), { chunkSize: 100 });
  const consumer = await connection.createConsumer("files", STREAMS);
  const got: number[] = [];
  let handlings = 0;
  consumer.consume(async ({ kind, readable }) => {
    handlings++;
    if (kind === "text") return;
    for await (const bytes of readable) {
      got.push(...bytes);
      if (got.length === 1_000) await broker.disconnectClients();
    }
  });
  await until(() => got.length >= sent.length);
  await connection.send("files", "behind it");
  await until(() => handlings === 2);
  await broker.until(() => broker.queue("files").size === 0);
  assertEquals(Uint8Array.from(got), sent);
});

test("sendStream() ends with the connection while its source waits", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url);
  await connection.send("other", "so that there is a session");
  const sending = connection.sendStream("files", new ReadableStream<Uint8Array>());
  const failed = assertRejects(() => sending, OpenWireError);
  await broker.disconnectClients();
  assertEquals((await failed).code, "CONNECTION_CLOSED");
});

test("a signal that comes after the last chunk leaves no message behind the stream", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url);
  const abort = new AbortController();
  broker.intercept((_command, { direction, request }) => {
    const last = request && "groupSequence" in request && request.groupSequence === -1;
    if (direction === "to-client" && last) abort.abort(new Error("too late"));
    return undefined;
  });
  const source = new Blob(["abc"]);
  await assertRejects(
    () => connection.sendStream("files", source, { chunkSize: 1, signal: abort.signal }),
    Error,
    "too late",
  );
  await connection.ping();
  assertEquals(broker.queue("files").size, 3);
});

test("a stream goes on after its sender's connection was lost", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(`failover:(${broker.url})?initialReconnectDelay=1`);
  const sent = body(3_000);
  async function* source(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < sent.length; at += 500) {
      if (at === 1_500) await broker.disconnectClients();
      yield sent.subarray(at, at + 500);
    }
  }
  await connection.sendStream("files", source(), { chunkSize: 100 });
  const consumer = await connection.createConsumer("files", STREAMS);
  await handled(consumer, async (message) => assertEquals(await bytesOf(message), sent));
  await broker.until(() => broker.queue("files").size === 0);
});

test("chunks that someone has forged, changed or taken away are no part of a body", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url);
  const id = "00000000-0000-4000-8000-000000000000";
  const read = async (...chunks: [string, Record<string, unknown>][]) => {
    for (const [text, properties] of chunks) {
      await connection.send("files", new TextEncoder().encode(text), {
        properties: { [StreamProperty.id]: id, ...properties } as Record<string, string>,
      });
    }
    await using consumer = await connection.createConsumer("files", {
      streams: { chunkTimeout: 50 },
      acknowledgeMode: "individual",
    });
    const message = await received(consumer);
    try {
      return await new Response(message.readable).text();
    } catch (error) {
      return (error as OpenWireError).code;
    } finally {
      await consumer.close();
      await connection.deleteDestination("files");
    }
  };
  const first = { [StreamProperty.index]: 0 };
  const last = {
    [StreamProperty.index]: 1,
    [StreamProperty.end]: "last",
    [StreamProperty.length]: 2,
    [StreamProperty.crc32]: 0x9e83486d,
  };
  assertEquals(await read(["a", first], ["b", last]), "ab");
  assertEquals(
    await read(["a", first], ["b", { ...last, [StreamProperty.index]: 2 }]),
    "STREAM_BROKEN",
  );
  assertEquals(await read(["a", first], ["c", last]), "STREAM_BROKEN");
  assertEquals(await read(["a", first], ["bb", last]), "STREAM_BROKEN");
  assertEquals(
    await read(["aaaaa", { ...first, [StreamProperty.length]: 4 }], ["", last]),
    "STREAM_BROKEN",
  );
  assertEquals(await read(["a", first], ["b", { [StreamProperty.index]: 1 }]), "TIMEOUT");
  assertEquals(
    await read(["a", first], ["b", { ...last, [StreamProperty.end]: "maybe" }]),
    "PROTOCOL",
  );
  assertEquals(
    await read(["a", first], ["b", { ...last, [StreamProperty.length]: -1 }]),
    "PROTOCOL",
  );
  assertEquals(
    await read(["a", first], ["b", { ...last, [StreamProperty.crc32]: "x" }]),
    "PROTOCOL",
  );
  assertEquals(await read(["a", { ...first, [StreamProperty.id]: "' OR 1=1" }]), "PROTOCOL");
  assertEquals(await read(["a", { ...first, [StreamProperty.id]: 7 }]), "PROTOCOL");
  // In another order they are the same.
  assertEquals(
    await read(["a", first], ["", { ...last, [StreamProperty.index]: 2 }], ["b", {
      [StreamProperty.index]: 1,
    }]),
    "ab",
  );
  // Twice the same is once.
  assertEquals(
    await read(["a", first], ["b", { [StreamProperty.index]: 1 }], ["b", {
      [StreamProperty.index]: 1,
    }], ["", { ...last, [StreamProperty.index]: 2 }]),
    "ab",
  );
});

testOnBrokers(
  "reject() dead-letters all chunks, those that were not read included",
  async (broker) => {
    const connection = await broker.connect();
    const { streamId } = await connection.sendStream(broker.name, inPieces(body(500)), {
      chunkSize: 100,
    });
    const consumer = await connection.createConsumer(broker.name, {
      ...STREAMS,
      acknowledgeMode: "individual",
    });
    const message = await received(consumer);
    const reader = message.readable.getReader();
    for (let i = 0; i < 3; i++) await reader.read();
    await message.reject("no report");
    const error = await assertRejects(() => reader.read(), OpenWireError);
    assertEquals(error.code, "CLOSED");
    const dead = await connection.createConsumer("ActiveMQ.DLQ", {
      selector: `openwire_stream = '${streamId}'`,
    });
    assertEquals((await take(dead, 5)).length, 5);
    await consumer.close();
    assertEquals(await left(broker, broker.name), []);
  },
);

test("a handler that fails after a lost connection gets the whole stream again", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(`failover:(${broker.url})?initialReconnectDelay=1`);
  const sent = body(3_000);
  await connection.sendStream("files", inPieces(sent), { chunkSize: 100 });
  const consumer = await connection.createConsumer("files", STREAMS);
  let attempts = 0;
  await handled(consumer, async (message) => {
    if (++attempts === 2) return assertEquals(await bytesOf(message), sent);
    const reader = message.readable.getReader();
    for (let i = 0; i < 3; i++) await reader.read();
    await broker.disconnectClients();
    for (let i = 0; i < 3; i++) await reader.read();
    throw new Error("no space left on device");
  });
  assertEquals(attempts, 2);
  await broker.until(() => broker.queue("files").size === 0);
});

test("a stream may have more chunks than messages may be unacknowledged", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url);
  // The default of maxUnacknowledged is 10,000.
  const sent = body(10_100);
  await connection.sendStream("files", inPieces(sent), { chunkSize: 1, persistent: false });
  const consumer = await connection.createConsumer("files", { streams: { prefetchSize: 500 } });
  await handled(consumer, async (message) => assertEquals(await bytesOf(message), sent));
  assertEquals(broker.queue("files").size, 0);
});

test("the source is not asked for more than a window is on its way", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url);
  const { promise, resolve } = Promise.withResolvers<void>();
  broker.fault({ command: "Message", nth: 2, action: { delay: promise } });
  let given = 0;
  async function* source(): AsyncGenerator<Uint8Array> {
    for (; given < 20; given++) yield await Promise.resolve(new Uint8Array(1_048_576));
  }
  const sending = connection.sendStream("files", source(), { chunkSize: 1_048_576 });
  await until(() => given >= 3);
  for (let turn = 0; turn < 20; turn++) await new Promise((wake) => setTimeout(wake));
  assert(given <= 5, `${given} pieces`);
  resolve();
  assertEquals((await sending).chunks, 20);
});

/** A stream of the texts, whose chunks are given by hand; tells what was done. */
function byHand(texts: readonly string[]): {
  readonly stream: IncomingStream;
  readonly chunks: readonly Message[];
  readonly done: string[];
} {
  const done: string[] = [];
  const content = texts.map((text) => new TextEncoder().encode(text));
  const all = texts.join("");
  const headers = texts.map((_, index) => ({
    id: "00000000-0000-4000-8000-000000000000",
    index,
    end: index === texts.length - 1 ? "last" as const : undefined,
    length: index === texts.length - 1 ? all.length : undefined,
    crc32: index === texts.length - 1 ? crc32(new TextEncoder().encode(all)) : undefined,
  }));
  const chunks = headers.map((header, index) =>
    receivedAs(
      createActiveMQBytesMessage({
        content: content[index]!,
        marshalledProperties: encodePrimitiveMap(
          toChunkHeaders(header, undefined, true).properties!,
        ),
      }),
    )
  );
  let next = 1;
  const consumer: ChunkConsumer = {
    receive: () => {
      done.push(`receive ${next}`);
      return Promise.resolve(chunks[next++] ?? null);
    },
    acknowledgeDelivered: () => Promise.resolve(void done.push("acknowledge")),
    close: () => Promise.resolve(void done.push("close")),
    end: () => {},
  };
  const stream = new IncomingStream({
    header: headers[0]!,
    first: () => content[0]!,
    chunkTimeout: 1,
    open: () => Promise.resolve(consumer),
  });
  return { stream, chunks, done };
}

test("content of chunks that were read is not kept", async () => {
  const { stream, chunks, done } = byHand(["a", "b", "c"]);
  assertEquals(await new Response(stream.readable).text(), "abc");
  assertEquals(chunks.slice(1).map(({ original: { content } }) => content), [null, null]);
  await stream.acknowledge();
  assertEquals(done, ["receive 1", "receive 2", "acknowledge", "close"]);
});

test("chunks that were read are acknowledged before the rest is taken", async () => {
  const { stream, done } = byHand(["a", "b", "c", "d"]);
  const reader = stream.readable.getReader();
  await reader.read();
  await reader.read();
  await stream.acknowledge();
  assertEquals(done, [
    "receive 1",
    "acknowledge",
    "receive 2",
    "acknowledge",
    "receive 3",
    "acknowledge",
    "close",
  ]);
});
