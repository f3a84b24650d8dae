/** What ends a connection: bytes after which nobody knows where the next frame begins, and a broker that does not stop. */

import { ConnectionClosedError } from "../../mod.ts";
import {
  createActiveMQQueue,
  createBrokerId,
  createBrokerInfo,
  createConnectionInfo,
  createConsumerId,
  createDataResponse,
  createExceptionResponse,
  createKeepAliveInfo,
  createMessageDispatch,
  createProducerInfo,
  type DataStructure,
  ProtocolError,
  type Throwable,
} from "../../codec/mod.ts";
import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { test } from "../_harness.ts";
import {
  dispatchTo,
  emptyMessage,
  endOf,
  find,
  frame,
  int,
  overwrite,
  sized,
  textMessage,
  withVictim,
} from "./_attack.ts";

const named = frame(createBrokerInfo({ brokerName: "MARKER" }));
const name = find(named, "MARKER");
const message = { ...emptyMessage("ActiveMQBytesMessage"), content: ascii("MARKER") };
const dispatch = frame(createMessageDispatch({ message }));
const body = find(dispatch, "MARKER");
const withPath = frame(
  createConnectionInfo({ brokerPath: [createBrokerId({ value: "MARKER" })] }),
);
/** Before the text of the only element: its length, two flags and two codes, and the number of elements. */
const path = find(withPath, "MARKER") - 2 - 1 - 1 - 1 - 2;

/** What no decoder can go on after, in loose encoding without a cache. */
const broken: [what: string, bytes: Uint8Array, says: RegExp][] = [
  ["a frame of -1 bytes", Uint8Array.of(...int(-1), 0), /frame of -1 bytes/],
  ["an empty frame", Uint8Array.of(...int(0), 0), /frame of 0 bytes/],
  ["a frame above the limit", Uint8Array.of(...int(1_048_577), 0), /1 to 1048576 are allowed/],
  ["a frame of 2^31-1 bytes", Uint8Array.of(...int(2 ** 31 - 1), 0), /1 to 1048576 are allowed/],
  ["a frame that ends early", overwrite(named, 0, ...int(20)), /remain/],
  ["bytes left over", overwrite(sized(30, ...new Array(40).fill(0)), 4, 30), /left over/],
  ["an unknown type", sized(222, 0, 0, 0, 0, 0), /a type code of version 12 is expected, got 222/],
  ["a string longer than its frame", overwrite(named, name - 2, 0xff, 0xff), /65535 bytes are/],
  ["a string a little too long", overwrite(named, name - 2, 0x0f, 0xff), /4095 bytes are expected/],
  ["a string that is no modified UTF-8", overwrite(named, name, 0xf0, 0x9f), /no modified UTF-8/],
  ["a body of -1 bytes", overwrite(dispatch, body - 4, ...int(-1)), /byte array length is -1/],
  [
    "a body of 2^31-1 bytes",
    overwrite(dispatch, body - 4, ...int(2 ** 31 - 1)),
    /2147483647 bytes/,
  ],
  [
    "a body longer than its frame",
    overwrite(dispatch, body - 4, ...int(60_000)),
    /60000 bytes are/,
  ],
  ["an array of -1 elements", overwrite(withPath, path, 0xff, 0xff), /array has -1 elements/],
  ["an array of 32,767 elements", overwrite(withPath, path, 0x7f, 0xff), /bytes are expected/],
  ["an element of another type", overwrite(withPath, path + 3, 101), /type code 124/],
];

for (const [what, bytes, says] of broken) {
  test(`ends the connection: ${what}`, async () => {
    await withVictim(async ({ connection, attack }) => {
      const waiting = connection.createConsumer("waits");
      waiting.catch(() => {});
      const consumer = await connection.createConsumer("orders");
      const received = assertRejects(() => consumer.receive(), ConnectionClosedError);
      await attack(bytes);
      const error = await endOf(connection);
      assertInstanceOf(error, ConnectionClosedError);
      assertInstanceOf(error.cause, ProtocolError);
      assert(says.test(error.message), error.message);
      await received;
    });
  });
}

/** Frames in tight encoding: a type, the length of the flags, flags. */
const brokenTight: [what: string, bytes: Uint8Array, says: RegExp][] = [
  ["no flags", sized(10, 0, 0, 0, 0, 1), /the boolean stream has no more bits/],
  ["flags of -1 bytes", sized(10, 0x80, 0xff, 0xff, 0, 0, 0, 1), /boolean stream length is -1/],
  ["flags of 32,767 bytes", sized(10, 0x80, 0x7f, 0xff, 0, 0, 0, 1), /32767 bytes are expected/],
  ["a size of flags that doesn't exist", sized(10, 0x70, 0, 0, 0), /a boolean stream length/],
  ["flags left over", sized(10, 3, 0, 0, 0, 0, 0, 0, 1), /bits are left over/],
];

for (const [what, bytes, says] of brokenTight) {
  test(`ends the connection, tight: ${what}`, async () => {
    await withVictim(async ({ connection, attack }) => {
      assertEquals(connection.wireFormat.tightEncodingEnabled, true);
      await attack(bytes);
      const error = await endOf(connection);
      assert(says.test(error.message), error.message);
    }, { wireFormat: { tightEncodingEnabled: true } });
  });
}

/** Where the consumer id of a dispatch stands: behind size, type, command id and a flag. */
const CONSUMER = 4 + 1 + 4 + 1;
const withCache = { cacheEnabled: true, cacheSize: 1024 };
const cachedDispatch = frame(createMessageDispatch({ consumerId: createConsumerId() }), withCache);

/** A dispatch to the consumer that is said to be kept under a key. */
function dispatchFor(key: number): Uint8Array {
  return sized(21, ...int(0), 0, 0, key >> 8 & 0xff, key & 0xff, 0, 0, 0, 0, ...int(0));
}

const abusesOfCache: [what: string, bytes: Uint8Array[], says: RegExp][] = [
  ["a key beyond the cache", [overwrite(cachedDispatch, CONSUMER + 1, 4, 0)], /cache key is 1024/],
  ["a key of -2", [overwrite(cachedDispatch, CONSUMER + 1, 0xff, 0xfe)], /cache key is -2/],
  ["an empty slot", [dispatchFor(77)], /nothing is cached under key 77/],
  ["an empty slot beyond the cache", [dispatchFor(30_000)], /nothing is cached under key 30000/],
  ["an empty slot of -1", [dispatchFor(-1)], /nothing is cached under key -1/],
  [
    "a destination for a consumer",
    [frame(keepQueue(), withCache), dispatchFor(1)],
    /ConsumerId.*is expected|consumerId/,
  ],
];

/** A command that has a destination kept under the key 1, after its id. */
function keepQueue(): DataStructure {
  return createProducerInfo({ destination: createActiveMQQueue({ physicalName: "kept" }) });
}

for (const [what, frames, says] of abusesOfCache) {
  test(`ends the connection, cache: ${what}`, async () => {
    await withVictim(async ({ connection, attack }) => {
      assertEquals(connection.wireFormat.cacheEnabled, true);
      for (const bytes of frames) await attack(bytes);
      const error = await endOf(connection);
      assert(says.test(error.message), error.message);
    }, { wireFormat: { cacheEnabled: true } });
  });
}

test("ends the connection: objects, messages and causes that are nested too deep", async () => {
  // By hand, because the encoder refuses it, too.
  const level = [1, 32, ...int(0), 0, ...int(0)];
  const many = [...Array(40)].flatMap(() => level);
  await withVictim(async ({ connection, attack }) => {
    await attack(sized(32, ...int(0), 0, ...int(0), ...many, 0));
    assert((await endOf(connection)).message.includes("nested deeper than 32"));
  });
  const throwable = [1, 0, 0, 0, 0];
  await withVictim(async ({ connection, attack }) => {
    assertEquals(connection.wireFormat.stackTraceEnabled, true);
    const causes = [...Array(100)].flatMap(() => throwable);
    await attack(sized(31, ...int(0), 0, ...int(0), ...causes, 0));
    assert((await endOf(connection)).message.includes("nested deeper than 32"));
  }, { wireFormat: { stackTraceEnabled: true } });
  await withVictim(async ({ connection, attack }) => {
    const dispatches = [...Array(40)].flatMap(() => [1, 32, ...int(0), 0, ...int(0), 1, 21]);
    await attack(sized(32, ...int(0), 0, ...int(0), ...dispatches, 0));
    await endOf(connection);
  });
});

test("what is nested as deep as is allowed passes", async () => {
  let cause: Throwable | null = null;
  for (let i = 0; i < 31; i++) cause = { className: "E", message: `${i}`, stackTrace: [], cause };
  let data: DataStructure = createKeepAliveInfo();
  for (let i = 0; i < 31; i++) data = createDataResponse({ data });
  await withVictim(async ({ connection, attack, failures }) => {
    await attack(frame(createExceptionResponse({ exception: cause }), { stackTraceEnabled: true }));
    await attack(frame(data));
    assert(await connection.ping() >= 0);
    assertEquals(failures.length, 1);
  }, { wireFormat: { stackTraceEnabled: true } });
});

test("ends the connection: a frame that is never finished, and comes byte by byte", async () => {
  await withVictim(async ({ connection, script, failures }) => {
    const consumer = await connection.createConsumer("orders");
    const received = assertRejects(() => consumer.receive({ timeout: 0 }), ConnectionClosedError);
    const bytes = frame(dispatchTo(consumer.id, textMessage("x".repeat(100_000))));
    const sending = (async () => {
      for (let i = 0; i < bytes.length - 1; i++) {
        await script.sendBytes(bytes.subarray(i, i + 1));
        await new Promise((wake) => setTimeout(wake, 5));
      }
    })().catch(() => {});
    const error = await endOf(connection);
    assert(/came too slowly: \d+ bytes in \d+ ms/.test(error.message), error.message);
    await received;
    await sending;
    assertEquals(failures, []);
  }, { wireFormat: { maxInactivityDuration: 500, maxInactivityDurationInitialDelay: 0 } });
});

test("ends the connection: far more messages than the consumer wants", async () => {
  await withVictim(async ({ connection, script }) => {
    const consumer = await connection.createConsumer("orders", { prefetchSize: 10 });
    consumer.pause();
    const flood = frame(dispatchTo(consumer.id, textMessage("x")));
    const sending = (async () => {
      for (let i = 0; i < 100_000; i++) {
        await script.sendBytes(flood);
        if (i % 100 === 0) await new Promise((wake) => setTimeout(wake));
      }
    })().catch(() => {});
    const error = await endOf(connection);
    assertInstanceOf(error.cause, ProtocolError);
    assert(error.message.includes("1020 ahead, 10 are expected"), error.message);
    assertEquals(connection.stats().messagesReceived, 1020);
    assertEquals(consumer.buffered, 0);
    await sending;
  });
});

test("what a transaction has given out and gives again does not count as a flood", async () => {
  await withVictim(async ({ connection, script }) => {
    const session = await connection.createSession({ acknowledgeMode: "transacted" });
    const consumer = await session.createConsumer("orders", {
      prefetchSize: 10,
      redeliveryPolicy: { initialRedeliveryDelay: 1 },
    });
    for (let i = 0; i < 1500; i++) {
      await script.send(dispatchTo(consumer.id, textMessage(`${i}`)));
      assert(await consumer.receive() !== null);
    }
    await session.rollback();
    assertEquals(consumer.buffered, 1500);
    await script.send(dispatchTo(consumer.id, textMessage("more")));
    assert(await connection.ping() >= 0);
    await session.close();
  }, { wireFormat: { tightEncodingEnabled: true } });
});

test("a broker that leaves in the midst of a frame ends the connection", async () => {
  await withVictim(async ({ connection, script }) => {
    await script.sendBytes(named.subarray(0, 20));
    await script.end();
    const error = await endOf(connection);
    assertInstanceOf(error.cause, ProtocolError);
    assertEquals(error.retryable, true);
  });
});

test("a broker that asks for answers and does not read them is answered no more", async () => {
  await withVictim(async ({ connection, attack }) => {
    const flood = frame(createKeepAliveInfo({ responseRequired: true }));
    const many = new Uint8Array(flood.length * 1000);
    for (let i = 0; i < 1000; i++) many.set(flood, i * flood.length);
    const before = connection.stats();
    // One chunk is read in one turn, in which nothing can be written.
    for (let i = 0; i < 100; i++) await attack(many);
    await connection.ping();
    const { commandsReceived, commandsSent } = connection.stats();
    assert(commandsReceived - before.commandsReceived > 100_000);
    assert(commandsSent - before.commandsSent < 100_000, `${commandsSent}`);
  });
});

test("answers of the wrong kind are refused where another kind is needed", async () => {
  await withVictim(async ({ connection }) => {
    for (const call of [() => connection.xa.recover(), () => connection.xa.prepare(XID)]) {
      const error = await assertRejects(call) as { code?: string };
      assertEquals(error.code, "PROTOCOL");
    }
    // Where none is needed, any answer is one.
    await connection.createConsumer("orders");
  });
});

const XID = { formatId: 1, globalTransactionId: ascii("g"), branchQualifier: ascii("b") };

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
