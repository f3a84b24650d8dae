import {
  AuthenticationError,
  BrokerError,
  connect,
  ConnectionClosedError,
  EncodeError,
  HandshakeError,
  OpenWireError,
  TimeoutError,
  TransportError,
} from "../../mod.ts";
import {
  createBrokerInfo,
  createResponse,
  OpenWireEncoder,
  OpenWireFormat,
} from "../../codec/mod.ts";
import { listen, memoryPair, type Transport } from "../../transport/mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { concat } from "@std/bytes";
import { test } from "../_harness.ts";
import { credentials, leakIn, SECRET } from "../_secret.ts";
import { broker, brokers, brokerSkip, skipWithout, wantedBrokers } from "../broker/env.ts";
import { BROKER_TITLES } from "../broker/results.ts";
import { freshName, testOnBrokers } from "./_brokers.ts";
import { fakePeer, Script } from "./_fake_broker.ts";

/** What is said of a broker that closes a connection without a word. */
const SILENT =
  "The broker may have as many connections as it allows (maximumConnections) or be stopping.";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

testOnBrokers(
  "connect() resolves when the broker has accepted the connection",
  async ({ connect, kind }) => {
    const connection = await connect({
      ...credentials,
      clientId: `client-${crypto.randomUUID()}`,
    });
    assertEquals(connection.wireFormat.version, 12);
    assert(connection.clientId.startsWith("client-"));
    if (kind !== "memory") {
      const { version } = brokers[kind]!;
      // Artemis tells the version of the protocol's classes.
      if (kind === "artemis") assertStringIncludes(connection.provider, "ActiveMQ 5.");
      else assertEquals(connection.provider, `ActiveMQ ${version}`);
    }
  },
);

testOnBrokers("connect() rejects wrong credentials", async ({ connect }) => {
  const error = await assertRejects(
    () => connect({ username: "system", password: SECRET, connectTimeout: 5000 }),
    AuthenticationError,
  );
  assertEquals(error.code, "SECURITY");
  assertEquals(error.retryable, false);
  assertStringIncludes(error.exceptionClass, "SecurityException");
  assertEquals(leakIn(JSON.stringify([error.message, error.stack])), undefined);
});

testOnBrokers("connect() rejects a client id that is in use", async ({ connect }) => {
  const clientId = `client-${crypto.randomUUID()}`;
  await connect({ clientId });
  const error = await assertRejects(() => connect({ clientId }), BrokerError);
  assertEquals(error.code, "INVALID_CLIENT_ID");
});

test("connect() names the protocol of a wrong port", async () => {
  const greetings: [string, Uint8Array][] = [
    ["HTTP", bytes("HTTP/1.1 400 Bad Request\r\n\r\n")],
    ["STOMP", bytes("ERROR\nmessage:Unknown action\n\n\0")],
    ["AMQP", bytes("AMQP\0\x01\0\0")],
    ["TLS", Uint8Array.of(0x15, 3, 3, 0, 2, 2, 80)],
  ];
  for (const [name, greeting] of greetings) {
    for (const step of [greeting.length, 1, 3]) {
      await using peer = await fakePeer(async ({ readable, writable }) => {
        await readable.getReader().read();
        const writer = writable.getWriter();
        for (let at = 0; at < greeting.length; at += step) {
          await writer.write(greeting.slice(at, at + step));
        }
        await writer.close();
      });
      const error = await assertRejects(
        () => connect(peer.url, { connectTimeout: 5000 }),
        HandshakeError,
      );
      assertEquals(error.code, "WRONG_PROTOCOL");
      assertStringIncludes(error.message, `the peer speaks ${name}`);
    }
  }
});

test("connect() rejects on the broker's STOMP port", async () => {
  const error = await assertRejects(
    () => connect(broker!.urls.stomp!, { connectTimeout: 3000 }),
    OpenWireError,
  );
  assert(error instanceof HandshakeError || error instanceof TimeoutError, error.message);
}, { skip: broker && !broker.urls.stomp ? "no STOMP connector" : brokerSkip });

for (const kind of wantedBrokers) {
  const options = { skip: skipWithout(kind) };
  const title = BROKER_TITLES[kind];

  test(`connect() says that a broker may have its maximumConnections (${title})`, async () => {
    const { single } = brokers[kind]!.urls;
    // What has looked whether the broker is there may not be gone yet.
    const failover = { startupMaxReconnectAttempts: -1 };
    await using _ = await connect(single, { ...credentials, failover });
    const error = await assertRejects(() => connect(single, credentials), HandshakeError);
    assertEquals([error.code, error.retryable], ["HANDSHAKE", true]);
    assertStringIncludes(error.message, SILENT);
  }, options);
}

test("connect() says what a peer may be that leaves without a word", async () => {
  const leaves: [how: string, leave: (transport: Transport) => Promise<void>][] = [
    ["the peer closed the connection without sending anything", async ({ readable, writable }) => {
      await readable.getReader().read();
      await writable.close();
    }],
    // deno-lint-ignore require-await -- what was not read makes it a reset
    ["", async (transport) => transport.close()],
  ];
  for (const [how, leave] of leaves) {
    await using peer = await fakePeer(leave);
    const error = await assertRejects(() => connect(peer.url), HandshakeError);
    assertEquals([error.code, error.retryable], ["HANDSHAKE", true]);
    assertStringIncludes(error.message, how);
    assertStringIncludes(error.message, `${SILENT} Or is it no port for OpenWire?`);
  }
  // With TLS it is one that has been found.
  const [transport, peer] = memoryPair();
  peer.close();
  const error = await assertRejects(() => connect("ssl://memory", { transport }), HandshakeError);
  assert(error.message.endsWith(SILENT), error.message);
});

test("connect() says that a broker may be stopping which leaves before it has accepted", async () => {
  await using peer = await fakePeer(async (transport) => {
    const script = new Script(transport);
    await script.send(script.format.info());
    while ((await script.next())?.dataType !== "ConnectionInfo");
    await script.end();
  });
  const error = await assertRejects(() => connect(peer.url), HandshakeError);
  assertStringIncludes(
    error.message,
    "the peer closed the connection before it had accepted it; it may be stopping",
  );
  assert(!error.message.includes("TLS"));
});

test("the broker's smaller frame size counts", async () => {
  await using connection = await connect(broker!.urls.smallFrame!);
  assertEquals(connection.wireFormat.maxFrameSize, 65_536);
  const session = await connection.createSession();
  const producer = await session.createProducer(freshName());
  const error = await assertRejects(() => producer.send("x".repeat(70_000)), EncodeError);
  assertEquals(error.code, "FRAME_TOO_LARGE");
  await producer.send("x".repeat(60_000));
}, { skip: brokerSkip });

test("a connector without tight encoding and cache is obeyed", async () => {
  const wireFormat = { tightEncodingEnabled: true, cacheEnabled: true };
  await using connection = await connect(broker!.urls.plain!, { wireFormat });
  assertEquals([connection.wireFormat.tightEncodingEnabled, connection.wireFormat.cacheEnabled], [
    false,
    false,
  ]);
  const session = await connection.createSession();
  const name = freshName();
  await (await session.createProducer(name)).send("x");
  assertEquals((await (await session.createConsumer(name)).receive())?.text, "x");
}, { skip: brokerSkip });

test("a peer that offers OpenWire 13 or more is spoken to in 12", async () => {
  for (const version of [13, 14, 0x7fffffff]) {
    const seen: string[] = [];
    await using peer = await fakePeer(async (transport) => {
      const script = new Script(transport);
      await script.send({ ...script.format.info(), version });
      for (let command; (command = await script.next()) !== undefined;) {
        seen.push(command.dataType);
        if (command.dataType === "WireFormatInfo") {
          assertEquals(command.version, 12);
          await script.send(createBrokerInfo());
        } else {
          await script.answer(command);
        }
      }
    });
    await using connection = await connect(peer.url);
    assertEquals(connection.wireFormat.version, 12);
    await connection.send("orders", "hello");
    assert(seen.includes("ActiveMQTextMessage"), seen.join());
  }
});

test("connect() rejects garbage", async () => {
  await using peer = await fakePeer(async ({ writable }) => {
    await writable.getWriter().write(new Uint8Array(100).fill(0xee));
  });
  const error = await assertRejects(
    () => connect(peer.url, { connectTimeout: 5000 }),
    HandshakeError,
  );
  assertEquals(error.code, "HANDSHAKE");
  assertStringIncludes(error.message, "frame");
});

test("connect() rejects a peer whose version is too low", async () => {
  await using peer = await fakePeer((transport) => new Script(transport, { version: 3 }).accept());
  const error = await assertRejects(
    () => connect(peer.url, { wireFormat: { minimumVersion: 9 }, connectTimeout: 5000 }),
    HandshakeError,
  );
  assertStringIncludes(error.message, "version 3");
});

test("connect() gives up on a peer that says nothing", async () => {
  await using peer = await fakePeer(async ({ readable }) => {
    for await (const _ of readable);
  });
  const error = await assertRejects(() => connect(peer.url, { connectTimeout: 100 }), TimeoutError);
  assertStringIncludes(error.message, "100 ms");
});

test("connect() gives up on a broker that never answers", async () => {
  await using peer = await fakePeer(async (transport) => {
    const script = new Script(transport);
    await script.send(script.format.info());
    while (await script.next());
  });
  await assertRejects(() => connect(peer.url, { connectTimeout: 100 }), TimeoutError);
});

test("connect() rejects when the signal is aborted", async () => {
  await using peer = await fakePeer(async ({ readable }) => {
    for await (const _ of readable);
  });
  const controller = new AbortController();
  const connecting = connect(peer.url, { signal: controller.signal });
  controller.abort(new Error("changed my mind"));
  await assertRejects(() => connecting, Error, "changed my mind");
  await assertRejects(
    () => connect(peer.url, { signal: AbortSignal.abort(new Error("before")) }),
    Error,
    "before",
  );

  const later = new AbortController();
  await using waiting = await fakePeer(async (transport) => {
    const script = new Script(transport);
    await script.send(script.format.info());
    await script.next();
    later.abort(new Error("in the handshake"));
    while (await script.next());
  });
  await assertRejects(
    () => connect(waiting.url, { signal: later.signal }),
    Error,
    "in the handshake",
  );
});

test("connect() rejects when the socket dies after any byte of the handshake", async () => {
  // What a broker sends until the connection stands.
  const theirs = new OpenWireFormat();
  const handshake = [new OpenWireEncoder(theirs).encode(theirs.info())];
  const negotiated = new OpenWireFormat();
  negotiated.negotiate(new OpenWireFormat().info());
  const encoder = new OpenWireEncoder(negotiated);
  handshake.push(
    encoder.encode(createBrokerInfo()),
    encoder.encode(createResponse({ correlationId: 1 })),
  );
  const all = concat(handshake);

  for (const how of ["end", "reset"] as const) {
    for (let length = 0; length < all.length; length++) {
      const [ours, peer] = memoryPair();
      const cut = all.slice(0, length);
      const script = new Script(peer);
      const serve = async (): Promise<void> => {
        const first = Math.min(length, handshake[0]!.length);
        await script.sendBytes(cut.subarray(0, first));
        await script.next();
        // The client introduces itself only after the broker's WireFormatInfo.
        if (length >= handshake[0]!.length) {
          await script.next();
          await script.sendBytes(cut.subarray(first));
        }
        if (how === "reset") peer.close();
        else await script.end();
      };
      const served = serve().catch(() => {});
      const error = await assertRejects(
        () => connect("tcp://memory", { transport: ours, connectTimeout: 5000 }),
        HandshakeError,
        undefined,
        `${how} after ${length} bytes`,
      );
      assertEquals(error.code, "HANDSHAKE");
      await served;
      peer.close();
      await Promise.all([ours.closed, peer.closed]);
    }
  }
});

test("connect() tells of a refused port, and of options that can't be used", async () => {
  const listener = await listen();
  const url = `tcp://127.0.0.1:${listener.port}`;
  await listener.close();
  const refused = await assertRejects(() => connect(url), TransportError);
  assertEquals(refused.code, "CONNECTION_REFUSED");
  await assertRejects(
    () => connect("tcp://localhost?jms.useCompresion=true"),
    TransportError,
    "the nearest is jms.useCompression",
  );
  const secret = await assertRejects(() => connect("tcp://user:hunter2@localhost"), TransportError);
  assert(!secret.message.includes("hunter2"));
  await assertRejects(() => connect(url, { connectTimeout: -1 }), RangeError);
  await assertRejects(() => connect(url, { wireFormat: { version: 13 } }), RangeError);
  await assertRejects(() => connect(url, { wireFormat: { cacheSize: 50 } }), RangeError);
});

test("the client says its WireFormatInfo at once, and nothing else before the broker's", async () => {
  const [ours, peer] = memoryPair();
  const connecting = connect("tcp://memory", { transport: ours });
  const script = new Script(peer);
  assertEquals((await script.next())?.dataType, "WireFormatInfo");
  await script.accept();
  const connection = await connecting;
  const answered = script.answerAll().then(() => peer.close());
  await connection.close();
  await answered;
});

test("a broker that goes away ends what waits, and says so", async () => {
  const memory = new MemoryBroker();
  const connection = await connect("tcp://memory", { transport: memory.connect() });
  const session = await connection.createSession();
  const consumer = await session.createConsumer("orders");
  const statuses = (async () => {
    const seen = [];
    for await (const status of connection.status()) seen.push(status);
    return seen;
  })();
  const waiting = consumer.receive({ timeout: 0 });
  const loop = (async () => {
    for await (const _ of await session.createConsumer("other"));
  })();
  loop.catch(() => {});
  await session.createProducer("orders");
  await memory.close();
  const error = await assertRejects(() => waiting, ConnectionClosedError);
  assertEquals(error.retryable, true);
  await assertRejects(() => loop, ConnectionClosedError);
  assertEquals(await connection.closed, error);
  assertEquals(await statuses, [{ type: "closed", error }]);
  await assertRejects(() => connection.createSession(), ConnectionClosedError);
  await connection.close();
  assertInstanceOf(await connection.closed, ConnectionClosedError);
});

test("a request that is not answered in time fails alone", async () => {
  await using peer = await fakePeer(async (transport) => {
    const script = new Script(transport);
    await script.accept();
    for (let command; (command = await script.next()) !== undefined;) {
      if (command.dataType === "ShutdownInfo") return;
      if (command.dataType !== "ProducerInfo") await script.answer(command);
    }
  });
  const connection = await connect(peer.url, { requestTimeout: 50 });
  const session = await connection.createSession({ timeout: 0 });
  const error = await assertRejects(() => session.createProducer("orders"), TimeoutError);
  assertStringIncludes(
    error.message,
    "Cannot open a producer for queue://orders: no answer within 50 ms",
  );
  await session.createConsumer("orders", { timeout: 0 });
  const controller = new AbortController();
  const aborted = session.createProducer("orders", { signal: controller.signal });
  controller.abort(new Error("stop"));
  await assertRejects(() => aborted, Error, "stop");
  await connection.close();
});

test("a broker that reads no more stops neither send() nor close() for ever", async () => {
  const { promise: stalled, resolve: leave } = Promise.withResolvers<void>();
  await using peer = await fakePeer(async (transport) => {
    const script = new Script(transport);
    await script.accept();
    // Answers what opens session and producers, then reads no more.
    for (let i = 0; i < 3; i++) {
      const command = await script.next();
      if (command) await script.answer(command);
    }
    await stalled;
  });
  const connection = await connect(peer.url, { closeTimeout: 100 });
  const session = await connection.createSession();
  const producer = await session.createProducer("orders", { windowSize: 0 });
  const other = await session.createProducer("returns", { windowSize: 0 });
  const body = new Uint8Array(4_000_000);
  // The sockets take some megabytes before they are full.
  const error = await assertRejects(async () => {
    for (let i = 0; i < 20; i++) await producer.send(body, { persistent: false, timeout: 500 });
  }, TimeoutError);
  assertStringIncludes(error.message, "took nothing for 500 ms");
  // What waits together is told apart.
  await Promise.all(
    [[producer, "orders"], [other, "returns"]].map(([from, name]) =>
      assertRejects(
        () => (from as typeof producer).send("x", { persistent: false, timeout: 50 }),
        TimeoutError,
        `Cannot send to queue://${name}: the broker took nothing for 50 ms`,
      )
    ),
  );
  const controller = new AbortController();
  const aborted = producer.send(body, { persistent: false, signal: controller.signal });
  controller.abort(new Error("enough"));
  await assertRejects(() => aborted, Error, "enough");
  await connection.close();
  assertEquals(await connection.closed, undefined);
  leave();
});
