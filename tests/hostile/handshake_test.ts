/** What a hostile peer may do before it has accepted the connection. */

import { connect, HandshakeError, OpenWireError, TimeoutError } from "../../mod.ts";
import { ProtocolError } from "../../codec/mod.ts";
import {
  createBrokerInfo,
  createConnectionControl,
  createExceptionResponse,
  createKeepAliveInfo,
  createMessageDispatch,
  createResponse,
  createWireFormatInfo,
  encodePrimitiveMap,
  int as javaInt,
  long,
  OpenWireFormat,
  type PrimitiveMapInput,
} from "../../codec/mod.ts";
import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { test } from "../_harness.ts";
import { fakePeer, Script } from "../client/_fake_broker.ts";
import { frame, int, overwrite, sized } from "./_attack.ts";

const hello = frame(new OpenWireFormat({ cacheEnabled: false }).info());

/** A WireFormatInfo with options of its own. */
function helloWith(options: PrimitiveMapInput, version = 12): Uint8Array {
  return frame(
    createWireFormatInfo({ version, marshalledProperties: encodePrimitiveMap(options) }),
  );
}

/** Where the length of the options stands: behind size, type, magic, version and a flag. */
const LENGTH_AT = 4 + 1 + 8 + 4 + 1;

/** First bytes that no peer may send, and what the error says of them. */
const openings: [what: string, bytes: Uint8Array, says: RegExp][] = [
  ["a frame of -1 bytes", Uint8Array.of(...int(-1), 1, 2, 3), /frame of -1 bytes/],
  ["a frame of -2^31 bytes", Uint8Array.of(...int(-(2 ** 31)), 1), /frame of -2147483648 bytes/],
  ["an empty frame", Uint8Array.of(...int(0), 1), /frame of 0 bytes/],
  ["a frame of 2^31-1 bytes", Uint8Array.of(...int(2 ** 31 - 1), 1), /1 to 65536 are allowed/],
  ["a frame of 65,537 bytes", Uint8Array.of(...int(65_537), 1), /1 to 65536 are allowed/],
  ["another command", frame(createKeepAliveInfo()), /a WireFormatInfo is expected first/],
  ["a message", frame(createMessageDispatch()), /a WireFormatInfo is expected first/],
  ["an unknown type", sized(222, 0, 0), /a WireFormatInfo is expected first/],
  ["other magic", overwrite(hello, 5, 0x61), /its magic isn't/],
  ["options of -1 bytes", overwrite(hello, LENGTH_AT, ...int(-1)), /length is -1/],
  ["options of 2^31-1 bytes", overwrite(hello, LENGTH_AT, ...int(2 ** 31 - 1)), /2147483647 bytes/],
  ["no options that fit", overwrite(hello, LENGTH_AT, ...int(3)), /bytes are left over/],
  ["2^31-1 options", overwrite(hello, LENGTH_AT + 4, ...int(2 ** 31 - 1)), /2147483647/],
  [
    "65 options",
    helloWith(Object.fromEntries([...Array(65).keys()].map((i) => [`option${i}`, true]))),
    /65 properties, 64 are allowed/,
  ],
  ["an option of 513 characters", helloWith({ ProviderName: "x".repeat(513) }), /longer than 512/],
  ["an option that is a map", helloWith({ Options: new Map([["a", 1]]) }), /is a map/],
  ["a number that is a text", helloWith({ CacheSize: "many" }), /of type string, int is expected/],
  ["a cache of -5 slots", helloWith({ CacheSize: javaInt(-5), CacheEnabled: true }), /-5/],
  ["an HTTP answer", new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n"), /speaks HTTP/],
];

for (const [what, bytes, says] of openings) {
  test(`before the handshake: ${what}`, async () => {
    await using peer = await fakePeer(async (transport) => {
      const script = new Script(transport);
      await script.sendBytes(bytes);
      await transport.closed;
    });
    const error = await assertRejects(() => connect(peer.url), HandshakeError);
    assertInstanceOf(error.cause, ProtocolError);
    assert(says.test(error.message), error.message);
  });
}

test("before the handshake: names of options that steer a terminal or are those of objects", async () => {
  const name = "\x1b[31m\r\nERROR\u202e" + "x".repeat(10_000);
  await using peer = await fakePeer(async (transport) => {
    const script = new Script(transport);
    await script.sendBytes(helloWith({ [name]: new Map() }));
    await transport.closed;
  });
  const error = await assertRejects(() => connect(peer.url), HandshakeError);
  // deno-lint-ignore no-control-regex
  assert(!/[\x00-\x1f\u202e]/.test(error.message), JSON.stringify(error.message));
  assert(error.message.length < 500);

  await using polite = await fakePeer(async (transport) => {
    const script = new Script(transport, { cacheEnabled: false });
    const options = { ["__proto__"]: "x", constructor: "y", MaxInactivityDuration: long(0) };
    await script.sendBytes(helloWith(options));
    while (true) {
      const command = await script.next();
      if (command?.dataType === "ConnectionInfo") {
        await script.sendBytes(frame(createResponse({ correlationId: command.commandId })));
      }
      if (command === undefined) return;
    }
  });
  const connection = await connect(polite.url, { closeTimeout: 50 });
  assertEquals((({}) as Record<string, unknown>)["x"], undefined);
  assertEquals(connection.provider, "");
  await connection.close();
});

test("before the handshake: versions that don't exist", () => {
  for (const [version, agreed] of [[0, 12], [-1, 12], [2 ** 31 - 1, 12], [-(2 ** 31), 12]]) {
    const format = new OpenWireFormat();
    assertEquals(format.negotiate(createWireFormatInfo({ version: version! })).version, agreed);
  }
});

/** What a peer may do for ever, so that only the time ends it. */
const endless: [what: string, attack: (script: Script) => Promise<void>][] = [
  ["half a frame and nothing else", (script) => script.sendBytes(hello.subarray(0, 20))],
  ["a byte now and then", async (script) => {
    for (let i = 0;; i = (i + 1) % (hello.length - 1)) {
      await script.sendBytes(hello.subarray(i, i + 1));
      await new Promise((wake) => setTimeout(wake, 3));
    }
  }],
  ["WireFormatInfos", (script) => endlessly(script, hello)],
  [
    "BrokerInfos",
    async (script) => {
      await script.sendBytes(hello);
      await endlessly(script, frame(createBrokerInfo({ brokerName: "x".repeat(1000) })));
    },
  ],
  [
    "keep-alives that want answers",
    async (script) => {
      await script.sendBytes(hello);
      await endlessly(script, frame(createKeepAliveInfo({ responseRequired: true })));
    },
  ],
  [
    "answers to other commands",
    async (script) => {
      await script.sendBytes(hello);
      await endlessly(script, frame(createResponse({ correlationId: 999 })));
    },
  ],
  [
    "redirections",
    async (script) => {
      await script.sendBytes(hello);
      const elsewhere = createConnectionControl({ reconnectTo: "tcp://127.0.0.1:1" });
      await endlessly(script, frame(elsewhere));
    },
  ],
];

/** Sends the same until the client leaves, in pieces that let others have their turn. */
async function endlessly(script: Script, bytes: Uint8Array): Promise<never> {
  const many = new Uint8Array(bytes.length * 50);
  for (let i = 0; i < 50; i++) many.set(bytes, i * bytes.length);
  while (true) {
    await script.sendBytes(many);
    await new Promise((wake) => setTimeout(wake, 1));
  }
}

for (const [what, attack] of endless) {
  test(`before the handshake: ${what}, until the time is over`, async () => {
    await using peer = await fakePeer(async (transport) => {
      await attack(new Script(transport));
      await transport.closed;
    });
    const error = await assertRejects(() => connect(peer.url, { connectTimeout: 100 }));
    assertInstanceOf(error, TimeoutError);
    assert(error.message.includes("100 ms"), error.message);
  });
}

test("before the handshake: an exception with texts and classes of the attacker's choice", async () => {
  for (
    const className of ["__proto__", "constructor", "toString", "java.lang.__proto__", "", null]
  ) {
    await using peer = await fakePeer(async (transport) => {
      const script = new Script(transport);
      await script.send(script.format.info());
      for (let command; (command = await script.next()) !== undefined;) {
        if (command.dataType !== "ConnectionInfo") continue;
        const message = "no\x1b]0;title\x07\r\n2026-01-01 INFO all is well " + "x".repeat(60_000);
        const exception = { className, message, stackTrace: [], cause: null };
        await script.send(createExceptionResponse({ correlationId: command.commandId, exception }));
      }
    });
    const error = await assertRejects(() => connect(peer.url), OpenWireError);
    assertEquals(error.code, "BROKER");
    assertEquals(error.constructor.name, "BrokerError");
    // deno-lint-ignore no-control-regex
    assert(!/[\x00-\x1f]/.test(error.message), JSON.stringify(error.message.slice(0, 100)));
    assert(error.message.length < 1100, `${error.message.length}`);
  }
});
