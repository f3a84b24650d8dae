/** Messages that can't be read, by a broker that says anything: they are skipped and settled, and the connection lives. */

import { connect, type ConnectionStatus } from "../../mod.ts";
import {
  createKeepAliveInfo,
  createMessageDispatch,
  type DataStructure,
  type Message,
  type MessageAck,
  ProtocolError,
} from "../../codec/mod.ts";
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { test } from "../_harness.ts";
import { fakePeer, Script } from "../client/_fake_broker.ts";
import { until } from "../client/_messages.ts";
import {
  consumerInfo,
  dispatchTo,
  emptyMessage,
  endOf,
  find,
  frame,
  int,
  sized,
  textMessage,
  type Victim,
  withVictim,
} from "./_attack.ts";

const MARK = "MARKER";

/** A dispatch with a data structure of the attacker's choice, in loose encoding. */
function withStructure(consumer: string, structure: number[]): Uint8Array {
  const message = {
    ...emptyMessage("ActiveMQBytesMessage"),
    marshalledProperties: new TextEncoder().encode(MARK),
  } as Message;
  const bytes = frame(dispatchTo(consumer, message));
  const at = find(bytes, MARK) + MARK.length;
  const whole = [...bytes.subarray(0, at), 1, ...structure, ...bytes.subarray(at + 1)];
  return Uint8Array.from([...int(whole.length - 4), ...whole.slice(4)]);
}

const level = [32, ...int(0), 0, ...int(0), 1];
const deep = [...Array(40)].flatMap(() => level).concat(10, ...int(0), 0);

const kinds: [what: string, bytes: (consumer: string) => Uint8Array, says: RegExp][] = [
  ["nested too deep", (id) => withStructure(id, deep), /nested deeper than 32/],
  ["an unknown type in it", (id) => withStructure(id, [222]), /got 222/],
  ["a structure that is cut off", (id) => withStructure(id, [32, 0]), /remain|expected|left over/],
  [
    "too large",
    (id) =>
      frame(dispatchTo(id, { ...textMessage("x"), content: new Uint8Array(1_100_000) } as Message)),
    /1 to 1048576 are allowed/,
  ],
];

/** The poison acknowledgements that the client has sent. */
function poison(commands: readonly DataStructure[]): MessageAck[] {
  return commands.filter((ack) =>
    ack.dataType === "MessageAck" && ack.ackType === 1
  ) as MessageAck[];
}

async function assertSkipped(
  { connection, commands, failures }: Victim,
  says: RegExp,
): Promise<void> {
  await connection.ping();
  const [ack, ...others] = poison(commands);
  assertEquals(others.length, 0);
  assertEquals([ack?.messageCount, ack?.firstMessageId], [1, ack?.lastMessageId]);
  assertEquals(ack?.lastMessageId?.producerId?.connectionId, "evil");
  assert(says.test(String(ack?.poisonCause?.message)), ack?.poisonCause?.message ?? "");
  assertEquals(failures.length, 1);
  assertInstanceOf(failures[0], ProtocolError);
  const { message } = failures[0]!;
  assert(says.test(message) && message.includes("evil:1:1:"), message);
}

for (const [what, bytes, says] of kinds) {
  for (
    const acknowledgeMode of ["auto", "individual", "client", "transacted", "dups-ok"] as const
  ) {
    test(`a message that is ${what} is dead-lettered, and the next one is delivered (${acknowledgeMode})`, async () => {
      await withVictim(async (victim) => {
        const { connection, script, attack } = victim;
        const session = await connection.createSession({ acknowledgeMode });
        const consumer = await session.createConsumer("orders");
        await attack(bytes(consumer.id));
        await script.send(dispatchTo(consumer.id, textMessage("good")));
        assertEquals((await consumer.receive())?.text, "good");
        await assertSkipped(victim, says);
        const { messagesReceived, rejected } = connection.stats();
        assertEquals([messagesReceived, rejected], [2, 1]);
      });
    });
  }
}

test("a consumer that asks for each message asks again when one can't be read", async () => {
  await withVictim(async (victim) => {
    const { connection, script, commands, attack } = victim;
    const consumer = await connection.createConsumer("orders", { prefetchSize: 0 });
    const pulls = () => commands.filter(({ dataType }) => dataType === "MessagePull").length;
    const received = consumer.receive();
    await until(() => pulls() === 1);
    await attack(withStructure(consumer.id, deep));
    await until(() => pulls() === 2);
    await script.send(dispatchTo(consumer.id, textMessage("good")));
    assertEquals((await received)?.text, "good");
    await assertSkipped(victim, /nested/);
  });
});

test("a handler is given the messages behind one that can't be read", async () => {
  await withVictim(async (victim) => {
    const { connection, script, attack } = victim;
    const consumer = await connection.createConsumer("orders");
    const { promise, resolve } = Promise.withResolvers<string | null>();
    consumer.consume((message) => resolve(message.text));
    await attack(withStructure(consumer.id, deep));
    await script.send(dispatchTo(consumer.id, textMessage("good")));
    assertEquals(await promise, "good");
    await assertSkipped(victim, /nested/);
  });
});

test("a browser leaves a message that can't be read where it is, and reports it", async () => {
  await withVictim(async ({ connection, script, commands, failures, attack }) => {
    const browser = await connection.createBrowser("orders");
    const { consumerId } = consumerInfo(commands);
    const id = `${consumerId!.sessionId}:${consumerId!.value}`;
    await attack(withStructure(id, deep));
    await script.send(dispatchTo(id, textMessage("good")));
    await script.send(createMessageDispatch({ consumerId }));
    const texts: (string | null)[] = [];
    for await (const message of browser) texts.push(message.text);
    assertEquals(texts, ["good"]);
    assertEquals([poison(commands).length, failures.length], [0, 1]);
  });
});

test("a message that was dead-lettered and comes again is left unacknowledged", async () => {
  await withVictim(async ({ connection, script, commands, failures, attack }) => {
    const consumer = await connection.createConsumer("ActiveMQ.DLQ");
    const bytes = withStructure(consumer.id, deep);
    for (let i = 0; i < 5; i++) await attack(bytes);
    await attack(withStructure(consumer.id, deep));
    await script.send(dispatchTo(consumer.id, textMessage("good")));
    assertEquals((await consumer.receive())?.text, "good");
    await connection.ping();
    assertEquals([poison(commands).length, failures.length], [2, 6]);
    assert(failures[1]!.message.includes("is left unacknowledged"), failures[1]!.message);
  });
});

test("a message that can't be read and is for nobody is ignored", async () => {
  await withVictim(async ({ connection, commands, failures, attack }) => {
    await attack(withStructure("7:77", deep));
    await connection.ping();
    assertEquals([poison(commands).length, failures.length], [0, 0]);
  });
});

test("messages that can't be read are logged with what happened", async () => {
  const lines: string[] = [];
  const note = (_: string, fields: { error?: unknown }): void => {
    if (fields.error instanceof Error) lines.push(fields.error.message);
  };
  await withVictim(async ({ connection, attack }) => {
    const consumer = await connection.createConsumer("orders");
    await attack(withStructure(consumer.id, deep));
    await connection.ping();
    assert(
      lines.some((line) => /Cannot read the message evil:1:1:\d+ from queue:\/\/orders/.test(line)),
      lines.join(),
    );
  }, { logger: { debug: note, info: note, warn: note, error: note } });
});

test("ends the connection: a flood of messages that can't be read, and acknowledgements that nobody takes", async () => {
  await using peer = await fakePeer(async (transport) => {
    const script = new Script(transport, { tightEncodingEnabled: true });
    await script.accept();
    const announced = async (): Promise<string> => {
      for (;;) {
        const command = (await script.next())!;
        await script.answer(command);
        if (command.dataType === "ConsumerInfo") {
          return `${command.consumerId!.sessionId}:${command.consumerId!.value}`;
        }
      }
    };
    const flood = withStructure(await announced(), deep);
    // It reads nothing any more.
    for (let i = 0; i < 100_000; i++) await script.sendBytes(flood);
  });
  const connection = await connect(peer.url, { requestTimeout: 60_000, closeTimeout: 100 });
  await connection.createConsumer("orders", { prefetchSize: 10 });
  const error = await endOf(connection);
  assertInstanceOf(error.cause, ProtocolError);
  assert(error.message.includes("ahead, 10 are expected"), error.message);
});

/** A broker whose connections each begin with the same bytes for the consumer that comes back. */
async function served(
  bytes: (consumer: string, cached: boolean) => Uint8Array,
): Promise<AsyncDisposable & { url: string; cached: boolean[] }> {
  const cached: boolean[] = [];
  const peer = await fakePeer(async (transport) => {
    const script = new Script(transport, { tightEncodingEnabled: true });
    await script.accept();
    const hasCache = script.format.settings.cacheEnabled;
    cached.push(hasCache);
    await script.answerAll(async (command) => {
      if (command.dataType !== "ConsumerInfo") return;
      const id = `${command.consumerId!.sessionId}:${command.consumerId!.value}`;
      await script.sendBytes(bytes(id, hasCache));
      await script.send(dispatchTo(id, textMessage("good")));
    });
  });
  return { url: peer.url, cached, [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose]() };
}

const QUICK = { initialReconnectDelay: 1, maxReconnectDelay: 10 };
/** A dispatch for the consumer that is said to be cached under the key 77. */
const NOTHING_CACHED = sized(21, ...int(0), 0, 0, 0, 77, 0, 0, 0, 0, ...int(0));

test("after bytes that the cache makes unreadable the next connection does without it", async () => {
  await using peer = await served((_, cached) => cached ? NOTHING_CACHED : new Uint8Array(0));
  const statuses: ConnectionStatus[] = [];
  const warnings: string[] = [];
  const note = (message: string): void => void warnings.push(message);
  await using connection = await connect([peer.url], {
    failover: QUICK,
    wireFormat: { cacheEnabled: true },
    closeTimeout: 100,
    logger: { debug() {}, info() {}, warn: note, error: note },
  });
  const watching = (async () => {
    for await (const status of connection.status()) statuses.push(status);
  })();
  const consumer = await connection.createConsumer("orders");
  assertEquals((await consumer.receive())?.text, "good");
  assertEquals(peer.cached, [true, false]);
  assertEquals(connection.wireFormat.cacheEnabled, false);
  await connection.close();
  await watching;
  const [lost] = statuses;
  assertEquals(lost?.type, "interrupted");
  assert(lost?.error?.message.includes("nothing is cached under key 77"), lost?.error?.message);
  assert(warnings.some((line) => line.includes("without the cache")), warnings.join());
});

test("with the cache any message that can't be read makes the next connection do without it", async () => {
  await using peer = await served((id, cached) => {
    const message = { ...textMessage("x"), content: new Uint8Array(1_100_000) } as Message;
    const settings = cached ? { cacheEnabled: true, cacheSize: 1024 } : {};
    return frame(dispatchTo(id, message), settings);
  });
  await using connection = await connect([peer.url], {
    failover: QUICK,
    wireFormat: { cacheEnabled: true, maxFrameSize: 1_048_576 },
    closeTimeout: 100,
  });
  const consumer = await connection.createConsumer("orders");
  assertEquals((await consumer.receive())?.text, "good");
  assertEquals(peer.cached, [true, false]);
});

test("a message whose ids can't be read ends the connection when it comes a second time", async () => {
  const nobody = createMessageDispatch({ message: textMessage("for nobody") });
  let connections = 0;
  await using peer = await served(() => {
    const bytes = frame(nobody);
    // A string longer than its frame.
    bytes.set([0x7f, 0xff], find(bytes, "evil") - 2);
    // Each time at another place.
    const before = frame(createKeepAliveInfo());
    connections++;
    return new Uint8Array([...Array(connections)].flatMap(() => [...before]).concat([...bytes]));
  });
  const connection = await connect([peer.url], { failover: QUICK, closeTimeout: 100 });
  const consumer = await connection.createConsumer("orders").catch(() => undefined);
  const error = await endOf(connection);
  assertEquals([error.retryable, peer.cached.length], [false, 2]);
  assertInstanceOf(error.cause, ProtocolError);
  await consumer?.close();
});

test("without failover the end that unreadable bytes bring can be tried again", async () => {
  await withVictim(async ({ connection, attack }) => {
    await attack(Uint8Array.of(...int(2), 222, 0));
    const error = await endOf(connection);
    assertEquals(error.retryable, true);
    assertInstanceOf(error.cause, ProtocolError);
  });
});

test("after three connections that were lost at once the next offers plain frames", async () => {
  const offers: boolean[] = [];
  await using peer = await fakePeer(async (transport) => {
    const script = new Script(transport, { tightEncodingEnabled: true });
    await script.accept();
    const { cacheEnabled, tightEncodingEnabled } = script.format.settings;
    offers.push(cacheEnabled || tightEncodingEnabled);
    // As ActiveMQ when it fails to write a message.
    if (offers.at(-1)) return;
    await script.answerAll();
  });
  await using connection = await connect([peer.url], {
    failover: QUICK,
    wireFormat: { tightEncodingEnabled: true },
    closeTimeout: 100,
  });
  await until(() => offers.at(-1) === false);
  assert(await connection.ping() >= 0);
  assertEquals(offers.filter((offered) => offered).length, 3);
});
