import { Buffer } from "node:buffer";
import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { concat } from "@std/bytes";
import {
  createConnectionInfo,
  createDataArrayResponse,
  createKeepAliveInfo,
  createPartialCommand,
  createSessionId,
  createSessionInfo,
  type DataStructure,
  OpenWireDecoder,
  OpenWireEncoder,
  OpenWireFormat,
  type PartialCommand,
  ProtocolError,
} from "../../codec/mod.ts";
import { test } from "../_harness.ts";
import { timesAsLong } from "../_pace.ts";
import { seededRandom } from "../_random.ts";
import {
  bytes,
  decode,
  encode,
  frame,
  hex,
  LOOSE,
  refused,
  refusedBy,
  type Settings,
  TIGHT,
} from "./_codec.ts";
import { RandomValues } from "./_values.ts";

const KEEP_ALIVE = frame("0a 00000007 01");
const keepAlive = createKeepAliveInfo({ commandId: 7, responseRequired: true });
const INFO = frame(`01 "ActiveMQ" 0000000c 00`);

const fixed = (settings: Settings = LOOSE) => new OpenWireDecoder(OpenWireFormat.fixed(settings));
const fresh = () => new OpenWireDecoder(new OpenWireFormat());

// Frames and chunks

test("OpenWireDecoder.push() gives the same commands however the bytes are cut", () => {
  const all = concat([KEEP_ALIVE, frame("79 01 0001 63 0000000000000001"), KEEP_ALIVE]);
  const expected = [keepAlive, createSessionId({ connectionId: "c", value: 1 }), keepAlive];
  for (let first = 0; first <= all.length; first++) {
    for (let second = first; second <= all.length; second++) {
      const decoder = fixed();
      const commands = [
        ...decoder.push(all.subarray(0, first)),
        ...decoder.push(all.subarray(first, second)),
        ...decoder.push(all.subarray(second)),
      ];
      decoder.end();
      assertEquals(commands, expected);
    }
  }
});

test("OpenWireDecoder.push() gives a command with the last byte of its frame", () => {
  const decoder = fixed();
  for (const [i, byte] of KEEP_ALIVE.entries()) {
    const commands = decoder.push(Uint8Array.of(byte));
    assertEquals(commands.length, i === KEEP_ALIVE.length - 1 ? 1 : 0);
  }
  assertEquals(decoder.byteCount, KEEP_ALIVE.length);
});

test("OpenWireDecoder.push() takes empty chunks", () => {
  const decoder = fixed();
  for (const byte of KEEP_ALIVE) {
    assertEquals(decoder.push(new Uint8Array(0)), []);
    decoder.push(Uint8Array.of(byte));
  }
  assertEquals(decoder.push(new Uint8Array(0)), []);
  decoder.end();
});

test("OpenWireDecoder.push() leaves out the null command", () => {
  assertEquals(fixed().push(concat([frame("00"), KEEP_ALIVE, frame("00")])), [keepAlive]);
  assertEquals(fixed(TIGHT).push(frame("00")), []);
});

test("OpenWireDecoder.push() reads views at odd offsets and Buffers, and gives plain views", () => {
  const encoded = encode(createPartialCommand({ data: bytes("010203") }), LOOSE);
  const poisoned = new Uint8Array(encoded.length + 64).fill(0xee);
  poisoned.set(encoded, 13);
  const view = poisoned.subarray(13, 13 + encoded.length);
  for (const chunk of [view, Buffer.from(encoded), Buffer.from(view.buffer, 13, view.length)]) {
    const [command] = fixed().push(chunk) as [PartialCommand];
    assertEquals(hex(command.data!), "01 02 03");
    assertStrictEquals(command.data!.constructor, Uint8Array);
    assertStrictEquals(command.data!.buffer, chunk.buffer);
  }
});

test("OpenWireDecoder.pushTo() hands over the commands before a bad one", () => {
  const decoder = fixed();
  const seen: DataStructure[] = [];
  const error = assertThrows(
    () => decoder.pushTo(concat([KEEP_ALIVE, KEEP_ALIVE, frame("4d")]), (it) => seen.push(it)),
    ProtocolError,
  );
  assertEquals(seen, [keepAlive, keepAlive]);
  assertEquals(error.offset, 25);
});

test("OpenWireDecoder.pushTo() is at its end when its receiver throws", () => {
  const decoder = fixed();
  const mistake = new TypeError("mine");
  const push = () =>
    decoder.pushTo(concat([KEEP_ALIVE, KEEP_ALIVE]), () => {
      throw mistake;
    });
  assertStrictEquals(assertThrows(push), mistake);
  assertStrictEquals(assertThrows(() => decoder.push(KEEP_ALIVE)), mistake);
  assertStrictEquals(assertThrows(() => decoder.end()), mistake);
});

test("OpenWireDecoder.end() refuses an end within a frame, at each byte of it", () => {
  for (let length = 0; length <= KEEP_ALIVE.length; length++) {
    const decoder = fixed();
    decoder.push(KEEP_ALIVE.subarray(0, length));
    if (length === 0 || length === KEEP_ALIVE.length) {
      decoder.end();
    } else {
      const error = assertThrows(() => decoder.end(), ProtocolError, "the bytes end after");
      assertStrictEquals(assertThrows(() => decoder.push(KEEP_ALIVE)), error);
    }
  }
});

// Sizes

test("OpenWireDecoder.push() refuses a negative frame size", () => {
  for (const size of ["ffffffff", "80000000", "fffffffe"]) {
    const error = refused(bytes(size), LOOSE, "1 to 104857600 are allowed");
    assertEquals([error.code, error.offset], ["PROTOCOL", 0]);
  }
});

test("OpenWireDecoder.push() refuses an empty frame", () => {
  assertEquals(refused(bytes("00000000"), LOOSE, "0 bytes").code, "PROTOCOL");
  const later = refused(concat([KEEP_ALIVE, bytes("00000000 0a")]), LOOSE, "at offset 10");
  assertEquals(later.offset, 10);
});

test("OpenWireDecoder.push() refuses a frame over the limit, as soon as its size is there", () => {
  const settings = { ...LOOSE, maxFrameSize: 1024 };
  const error = refused(bytes("00000401"), settings, "a frame of 1025 bytes");
  assertEquals(error.code, "FRAME_TOO_LARGE");
  const decoder = fixed(settings);
  decoder.push(bytes("000004"));
  assertEquals(refusedBy(decoder, bytes("01")).code, "FRAME_TOO_LARGE");
  const whole = encode(createPartialCommand({ data: new Uint8Array(1024 - 10) }), settings);
  assertEquals(whole.length, 1028);
  decode(whole, settings);
});

test("OpenWireDecoder.push() takes frames up to what it offered, whatever the peer's limit", () => {
  const format = new OpenWireFormat({ maxFrameSize: 100_000 });
  const decoder = new OpenWireDecoder(format);
  decoder.push(encode(new OpenWireFormat({ maxFrameSize: 1024 }).info(), LOOSE));
  assertEquals(format.settings.maxFrameSize, 1024);
  const large = encode(createPartialCommand({ data: new Uint8Array(50_000) }), LOOSE);
  assertEquals(decoder.push(large).length, 1);
});

/** The largest buffer that is made while something runs. */
function largestBuffer(run: () => void): number {
  let largest = 0;
  const Original = globalThis.Uint8Array;
  globalThis.Uint8Array = new Proxy(Original, {
    construct(target, args) {
      if (typeof args[0] === "number") largest = Math.max(largest, args[0]);
      return Reflect.construct(target, args);
    },
  });
  try {
    run();
  } finally {
    globalThis.Uint8Array = Original;
  }
  return largest;
}

test("OpenWireDecoder.push() allocates by what arrives, not by what a frame claims", () => {
  assertEquals(largestBuffer(() => new Uint8Array(77)), 77);
  for (
    const start of ["05 f5 e1 00", "05 f5 e1 00 3c", "05 f5 e1 00 3c 00 00 00 00 01 05 f5 e0 00"]
  ) {
    const decoder = fixed();
    const largest = largestBuffer(() => {
      for (const byte of bytes(start)) decoder.push(Uint8Array.of(byte));
      decoder.push(bytes(start).fill(0));
      for (let i = 0; i < 10; i++) decoder.push(new Uint8Array(100));
    });
    assert(largest < 20_000, `${largest} bytes`);
    assertThrows(() => decoder.end(), ProtocolError, "the bytes end");
  }
  // The same of lengths within a frame.
  for (
    const [claim, settings] of [
      ["3c 00000000 01 05f5e100 00", LOOSE],
      ["21 00000000 00 00000000 01 7fff 00", LOOSE],
      ["3c 01 01 00000000 05f5e100", TIGHT],
      ["3c 00000000 01 05f5e100 00", { version: 12, sizePrefixDisabled: true }],
    ] as const
  ) {
    const chunk = "sizePrefixDisabled" in settings ? bytes(claim) : frame(claim);
    const largest = largestBuffer(() => {
      try {
        fixed(settings).push(chunk);
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
      }
    });
    assert(largest < 20_000, `${largest} bytes`);
  }
});

test("OpenWireDecoder.push() takes a large frame in small pieces, in linear time", () => {
  const data = new Uint8Array(5_000_000).fill(7);
  const whole = encode(createPartialCommand({ data }), LOOSE);
  const decoder = fixed();
  let count = 0;
  for (let at = 0; at < whole.length; at += 1000) {
    count += decoder.push(whole.subarray(at, at + 1000)).length;
  }
  assertEquals(count, 1);
});

// Errors

test("ProtocolError says where: offset in the whole input, type and field", () => {
  const decoder = fixed();
  decoder.push(KEEP_ALIVE);
  decoder.push(KEEP_ALIVE.subarray(0, 5));
  decoder.push(KEEP_ALIVE.subarray(5));
  // The nested session id's type code stands at 20 + 4 + 1 + 4 + 1 + 1.
  const error = refusedBy(decoder, frame("04 00000000 00 01 78"));
  assertEquals([error.offset, error.dataType, error.field], [32, "SessionInfo", "sessionId"]);
  assertEquals([error.name, error.code], ["ProtocolError", "PROTOCOL"]);
  assert(error.message.includes("SessionInfo.sessionId at offset 32"));
});

test("ProtocolError is right about the offset when a frame comes in pieces", () => {
  for (let cut = 1; cut < 12; cut++) {
    const decoder = fixed();
    const all = concat([KEEP_ALIVE, frame("04 00000000 00 01 78")]);
    decoder.push(all.subarray(0, 10));
    decoder.push(all.subarray(10, 10 + cut));
    const rest = all.subarray(10 + cut);
    assertEquals(assertThrows(() => decoder.push(rest), ProtocolError).offset, 22);
  }
});

test("ProtocolError does not repeat what fields hold", () => {
  const secret = encode(createConnectionInfo({ password: "s3cret", userName: "me" }), LOOSE);
  for (let at = 4; at < secret.length; at++) {
    for (const value of [0, 1, 0x7f, 0xff]) {
      const copy = secret.slice();
      copy[at] = value;
      try {
        fixed().push(copy);
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        assert(!/s3cret|cret/.test(error.message), error.message);
      }
    }
  }
});

test("OpenWireDecoder.push() refuses each frame that is cut short", () => {
  const command = createConnectionInfo({ clientId: "é", password: "p", brokerPath: [null] });
  for (const settings of [LOOSE, TIGHT]) {
    const whole = encode(command, settings);
    for (let length = 5; length < whole.length; length++) {
      const cut = whole.slice(0, length);
      new DataView(cut.buffer).setInt32(0, length - 4);
      refused(cut, settings);
    }
  }
});

test("OpenWireDecoder.push() refuses a boolean stream that is a byte short", () => {
  const values = new RandomValues(seededRandom(4), 12);
  let count = 0;
  for (let i = 0; i < 4000; i++) {
    const whole = encode(values.any(), TIGHT);
    const bits = whole[5]!;
    if (bits === 0 || bits > 63) continue;
    const cut = concat([whole.subarray(0, 5 + bits), whole.subarray(6 + bits)]);
    new DataView(cut.buffer).setInt32(0, cut.length - 4);
    cut[5] = bits - 1;
    refused(cut, TIGHT);
    count++;
  }
  assert(count > 2000);
});

// Before negotiation

test("OpenWireDecoder.push() expects a WireFormatInfo first", () => {
  const decoder = fresh();
  const error = refusedBy(
    decoder,
    KEEP_ALIVE,
    "a WireFormatInfo is expected first, got type code 10",
  );
  assertEquals([error.code, error.offset], ["PROTOCOL", 5]);
  refusedBy(fresh(), frame("00"), "expected first");
});

test("OpenWireDecoder.push() takes 64 KiB before it knows its peer", () => {
  const error = refusedBy(fresh(), bytes("00 01 00 01"), "1 to 65536 are allowed");
  assertEquals(error.code, "FRAME_TOO_LARGE");
  fresh().push(bytes("00 01 00 00 01"));
});

test("OpenWireDecoder.push() uses what was negotiated from the next frame on", () => {
  const ours = new OpenWireFormat({ tightEncodingEnabled: true, version: 9 });
  const theirs = encode(new OpenWireFormat({ tightEncodingEnabled: true }).info(), LOOSE);
  const decoder = new OpenWireDecoder(ours);
  const tight = encode(keepAlive, TIGHT);
  const [info, command] = decoder.push(concat([theirs, tight]));
  assertEquals([info!.dataType, command], ["WireFormatInfo", keepAlive]);
  assertEquals([ours.settings.version, ours.settings.tightEncodingEnabled], [9, true]);
});

test("OpenWireDecoder.push() negotiates nothing by a bad WireFormatInfo", async () => {
  for (
    const bad of [
      frame(`01 "ActiveMQ" 0000000c 00 00`),
      frame(`01 "ActiveMX" 0000000c 00`),
      frame(`01 "ActiveMQ" 0000000c 01 00000004 00000001`),
      frame(`01 "ActiveMQ" 0000000c 01 7fffffff 00000001`),
    ]
  ) {
    const format = new OpenWireFormat();
    const error = refusedBy(new OpenWireDecoder(format), bad);
    assertEquals(format.negotiated, false);
    assertStrictEquals(await assertRejects(() => format.agreement), error);
  }
});

test("OpenWireDecoder.end() tells who waits for the peer that it will not come", async () => {
  const format = new OpenWireFormat();
  new OpenWireDecoder(format).end();
  await assertRejects(() => format.agreement, ProtocolError, "ended before its WireFormatInfo");
  const late = new OpenWireFormat();
  const decoder = new OpenWireDecoder(late);
  decoder.push(INFO);
  decoder.end();
  assertEquals((await late.agreement).version, 12);
});

test("OpenWireDecoder.push() names the protocol of a peer that is no OpenWire peer", () => {
  const openings: [string, string | Uint8Array][] = [
    ["HTTP", "HTTP/1.1 400 Bad Request\r\n"],
    ["HTTP", "<!DOCTYPE html>"],
    ["HTTP", "<html><body>"],
    ["AMQP", bytes(`"AMQP" 00 01 00 00`)],
    ["AMQP", bytes(`"AMQP" 03 01 00 00`)],
    ["STOMP", "ERROR\nmessage:Unknown command"],
    ["STOMP", "CONNECTED\nversion:1.2"],
    ["TLS", bytes("15 03 03 00 02 02 28")],
    ["TLS", bytes("16 03 01 00 f1 01 00")],
    ["SSH", "SSH-2.0-OpenSSH_9.6\r\n"],
    ["Redis", "-ERR unknown command"],
    ["SMTP or FTP", "220 mail.example.org ESMTP"],
  ];
  for (const [name, opening] of openings) {
    const chunk = typeof opening === "string" ? new TextEncoder().encode(opening) : opening;
    for (const make of [fresh, fixed]) {
      const error = refusedBy(make(), chunk, `the peer speaks ${name}`);
      assertEquals([error.code, error.offset], ["WRONG_PROTOCOL", 0]);
    }
    const slow = fresh();
    for (const byte of chunk.subarray(0, 3)) slow.push(Uint8Array.of(byte));
    assertEquals(refusedBy(slow, chunk.subarray(3)).code, "WRONG_PROTOCOL");
  }
  // Later in the input such bytes are just a bad size.
  assertEquals(refused(concat([KEEP_ALIVE, bytes(`"HTTP"`)]), LOOSE).code, "FRAME_TOO_LARGE");
});

// Frames without sizes

for (const tightEncodingEnabled of [false, true]) {
  const settings = { version: 12, tightEncodingEnabled, sizePrefixDisabled: true };
  const how = tightEncodingEnabled ? "tight" : "loose";

  test(`OpenWireDecoder.push() reads frames without sizes, however they are cut (${how})`, () => {
    for (const cacheEnabled of [false, true]) {
      const commands: DataStructure[] = [];
      for (let i = 0; i < 60; i++) {
        const connectionId = "c".repeat(i % 3);
        commands.push(
          createSessionInfo({
            commandId: i,
            sessionId: createSessionId({ connectionId, value: i % 7 }),
          }),
          createKeepAliveInfo({ commandId: i }),
          createPartialCommand({ data: new Uint8Array(i * 10) }),
          createConnectionInfo({ clientId: "é".repeat(i), brokerPath: new Array(i).fill(null) }),
        );
      }
      const all = { ...settings, cacheEnabled };
      const encoder = new OpenWireEncoder(OpenWireFormat.fixed(all));
      for (const command of commands) encoder.write(command);
      const stream = encoder.take();
      for (const size of [1, 2, 3, 7, 64, 1000, stream.length]) {
        const decoder = fixed(all);
        const seen: DataStructure[] = [];
        for (let at = 0; at < stream.length; at += size) {
          seen.push(...decoder.push(stream.subarray(at, at + size)));
        }
        decoder.end();
        assertEquals(seen, commands);
        assertEquals(decoder.byteCount, stream.length);
      }
    }
  });

  test(`OpenWireDecoder.end() refuses an end within a frame without a size (${how})`, () => {
    const whole = encode(keepAlive, settings);
    for (let length = 1; length < whole.length; length++) {
      const decoder = fixed(settings);
      assertEquals(decoder.push(whole.subarray(0, length)), []);
      assertThrows(() => decoder.end(), ProtocolError, `after ${length} bytes`);
    }
  });

  test(`OpenWireDecoder.push() limits frames without sizes (${how})`, () => {
    const limited = { ...settings, maxFrameSize: 1024 };
    const large = encode(createPartialCommand({ data: new Uint8Array(2000) }), settings);
    for (const chunk of [large, large.subarray(0, 20)]) {
      assertEquals(refused(chunk, limited).code, "FRAME_TOO_LARGE");
    }
    const fits = encode(createPartialCommand({ data: new Uint8Array(1000) }), settings);
    assertEquals(decode<PartialCommand>(fits, limited).data!.length, 1000);
  });

  test(`OpenWireDecoder.push() refuses bad bytes in frames without sizes, where they are (${how})`, () => {
    const decoder = fixed(settings);
    const whole = encode(keepAlive, settings);
    for (const byte of whole) decoder.push(Uint8Array.of(byte));
    const error = refusedBy(decoder, bytes("4d 00"), "type code");
    assertEquals(error.offset, whole.length + (tightEncodingEnabled ? 2 : 1));
  });
}

test("OpenWireDecoder.push() gives up a frame without a size that comes in too small pieces", async () => {
  const settings = { version: 12, sizePrefixDisabled: true };
  const data = new Array(32_000).fill(createKeepAliveInfo());
  const large = encode(createDataArrayResponse({ data }), settings);
  const push = (size: number): DataStructure[] => {
    const decoder = fixed(settings);
    const seen: DataStructure[] = [];
    for (let at = 0; at < large.length; at += size) {
      seen.push(...decoder.push(large.subarray(at, at + size)));
    }
    return seen;
  };
  assertEquals(push(1000).length, 1);
  const refused = () => assertThrows(() => push(1), ProtocolError, "too small pieces");
  // To try again with each of 320,000 bytes would take thousands of times as long.
  const times = await timesAsLong(refused, () => push(1000), 50);
  assert(times < 50, `${times} times`);
});

test("a frame without a size begins with its type", () => {
  const settings = { version: 12, sizePrefixDisabled: true };
  assertEquals(hex(encode(keepAlive, settings)), "0a 00 00 00 07 01");
  assertEquals(hex(encode(null, settings)), "00");
  assertEquals(fixed(settings).push(bytes("00 0a 00000007 01 00")), [keepAlive]);
});

test("frames without sizes begin after the two WireFormatInfos", () => {
  const ours = new OpenWireFormat({ sizePrefixDisabled: true });
  const theirs = new OpenWireFormat({ sizePrefixDisabled: true, cacheEnabled: false });
  const info = encode(theirs.info(), LOOSE);
  const all = concat([info, bytes("0a 00000007 01"), bytes("0a 00000007 01")]);
  for (const size of [1, 5, all.length]) {
    const decoder = new OpenWireDecoder(new OpenWireFormat({ sizePrefixDisabled: true }));
    const seen: DataStructure[] = [];
    for (let at = 0; at < all.length; at += size) {
      seen.push(...decoder.push(all.subarray(at, at + size)));
    }
    decoder.end();
    assertEquals(seen.slice(1), [keepAlive, keepAlive]);
  }
  assertEquals(ours.negotiated, false);
});
