import { assertEquals, assertThrows } from "@std/assert";
import {
  createActiveMQQueue,
  createActiveMQTempTopic,
  createActiveMQTextMessage,
  createBrokerId,
  createConnectionInfo,
  createConsumerInfo,
  createDataArrayResponse,
  createDataResponse,
  createExceptionResponse,
  createIntegerResponse,
  createJournalTopicAck,
  createKeepAliveInfo,
  createMessageAck,
  createMessageDispatch,
  createMessagePull,
  createPartialCommand,
  createProducerAck,
  createProducerInfo,
  createReplayCommand,
  createSessionId,
  createSessionInfo,
  createWireFormatInfo,
  createXATransactionId,
  type DataStructure,
  EncodeError,
  OpenWireDecoder,
  OpenWireEncoder,
  OpenWireFormat,
} from "../../codec/mod.ts";
import { test } from "../_harness.ts";
import { seededRandom } from "../_random.ts";
import { toHex } from "../conformance/convert.ts";
import { encode, frame, hex, LOOSE, type Settings, TIGHT, unencodable } from "./_codec.ts";
import { RandomValues } from "./_values.ts";

const CACHED: Settings = { ...LOOSE, cacheEnabled: true };
const CACHED_TIGHT: Settings = { ...TIGHT, cacheEnabled: true };
const ALL = [LOOSE, TIGHT, CACHED, CACHED_TIGHT];

/** Takes any value where a field's type would not allow it. */
// deno-lint-ignore no-explicit-any
const any = (value: unknown): any => value;

const NO_INTEGERS = [0.5, NaN, Infinity, 2 ** 31, -(2 ** 31) - 1, 5n, "5", true, {}, [], Symbol()];

for (const settings of ALL) {
  const how = `${settings.tightEncodingEnabled ? "tight" : "loose"}${
    settings.cacheEnabled ? ", cached" : ""
  }`;

  test(`OpenWireEncoder.encode() refuses values of the wrong type (${how})`, () => {
    const wrong: [DataStructure, type: string, field: string][] = [
      ...NO_INTEGERS.map((value) =>
        [createKeepAliveInfo({ commandId: any(value) }), "KeepAliveInfo", "commandId"] as [
          DataStructure,
          string,
          string,
        ]
      ),
      ...[-129, 128, 1n, "1", {}].map((value) =>
        [createMessageAck({ ackType: any(value) }), "MessageAck", "ackType"] as [
          DataStructure,
          string,
          string,
        ]
      ),
      [createKeepAliveInfo({ responseRequired: any(1) }), "KeepAliveInfo", "responseRequired"],
      [createKeepAliveInfo({ responseRequired: any("") }), "KeepAliveInfo", "responseRequired"],
      [createBrokerId({ value: any(5) }), "BrokerId", "value"],
      [createBrokerId({ value: any(new Uint8Array(1)) }), "BrokerId", "value"],
      [createSessionId({ value: any("1") }), "SessionId", "value"],
      [createSessionId({ value: any({}) }), "SessionId", "value"],
      [createPartialCommand({ data: any([1, 2]) }), "PartialCommand", "data"],
      [createPartialCommand({ data: any("text") }), "PartialCommand", "data"],
      [createPartialCommand({ data: any(new ArrayBuffer(2)) }), "PartialCommand", "data"],
      [createPartialCommand({ data: any(new Int8Array(2)) }), "PartialCommand", "data"],
      [createWireFormatInfo({ magic: new Uint8Array(7) }), "WireFormatInfo", "magic"],
      [createWireFormatInfo({ magic: any("ActiveMQ") }), "WireFormatInfo", "magic"],
      [createSessionInfo({ sessionId: any("c:1") }), "SessionInfo", "sessionId"],
      [createSessionInfo({ sessionId: any(5) }), "SessionInfo", "sessionId"],
      [createSessionInfo({ sessionId: any(true) }), "SessionInfo", "sessionId"],
      [createSessionInfo({ sessionId: any({}) }), "SessionInfo", "sessionId"],
      [createSessionInfo({ sessionId: any(createBrokerId()) }), "SessionInfo", "sessionId"],
      [createConsumerInfo({ destination: any("queue://Q") }), "ConsumerInfo", "destination"],
      [createConsumerInfo({ destination: any(createBrokerId()) }), "ConsumerInfo", "destination"],
      [createDataResponse({ data: any("text") }), "DataResponse", "data"],
      [createDataResponse({ data: any({ dataType: "Nothing" }) }), "DataResponse", "data"],
      [createDataArrayResponse({ data: any({}) }), "DataArrayResponse", "data"],
      [createDataArrayResponse({ data: any("ab") }), "DataArrayResponse", "data"],
      [createDataArrayResponse({ data: any(new Set()) }), "DataArrayResponse", "data"],
      [createDataArrayResponse({ data: any({ length: 2 }) }), "DataArrayResponse", "data"],
      [createDataArrayResponse({ data: [any(7)] }), "DataArrayResponse", "data"],
      [
        createConnectionInfo({ brokerPath: [any(createKeepAliveInfo())] }),
        "ConnectionInfo",
        "brokerPath",
      ],
      [createExceptionResponse({ exception: any("boom") }), "ExceptionResponse", "exception"],
      [createExceptionResponse({ exception: any({}) }), "ExceptionResponse", "exception"],
      [
        createExceptionResponse({ exception: any(new Error("x")) }),
        "ExceptionResponse",
        "exception",
      ],
      [
        createExceptionResponse({ exception: any({ stackTrace: [null], cause: null }) }),
        "ExceptionResponse",
        "exception",
      ],
      ...[1n, "1", 0.5, null].map((lineNumber) =>
        [
          createExceptionResponse({ exception: any({ stackTrace: [{ lineNumber }] }) }),
          "ExceptionResponse",
          "exception",
        ] as [DataStructure, string, string]
      ),
      [
        createExceptionResponse({ exception: any({ stackTrace: [], cause: "deep" }) }),
        "ExceptionResponse",
        "exception",
      ],
    ];
    for (const [command, dataType, field] of wrong) {
      const error = unencodable(command, { ...settings, stackTraceEnabled: true });
      assertEquals([error.code, error.dataType, error.field], ["ENCODE", dataType, field]);
    }
  });

  test(`OpenWireEncoder.encode() refuses what is no command (${how})`, () => {
    for (const value of [{}, "KeepAliveInfo", 5, true, [], { dataType: "__proto__" }, () => 1]) {
      unencodable(value, settings);
    }
  });

  test(`OpenWireEncoder.encode() refuses destinations without a name (${how})`, () => {
    for (const physicalName of ["", any(null), any(undefined)]) {
      const nameless = createActiveMQQueue({ physicalName });
      for (
        const command of [
          nameless,
          createActiveMQTempTopic({ physicalName }),
          createProducerInfo({ destination: nameless }),
          createActiveMQTextMessage({ replyTo: nameless }),
          createConsumerInfo({ additionalPredicate: null, destination: nameless }),
        ]
      ) {
        const error = unencodable(command, settings, "a name is expected");
        assertEquals(error.field, "physicalName");
      }
    }
  });

  test(`OpenWireEncoder.encode() refuses arrays of more than 32,767 elements (${how})`, () => {
    const most = new Array(32767).fill(null);
    encode(createDataArrayResponse({ data: most }), settings);
    const error = unencodable(
      createDataArrayResponse({ data: [...most, null] }),
      settings,
      "array has 32768 elements",
    );
    assertEquals(error.field, "data");
  });

  test(`OpenWireEncoder.encode() refuses types and nested types that the version lacks (${how})`, () => {
    unencodable(createMessagePull(), { ...settings, version: 1 }, "version 1");
    unencodable(createProducerAck(), { ...settings, version: 2 }, "version 2");
    const blob = { ...createActiveMQTextMessage(), dataType: "ActiveMQBlobMessage" };
    unencodable(blob, { ...settings, version: 2 }, "version 2");
    unencodable(createMessageDispatch({ message: any(blob) }), { ...settings, version: 2 });
    unencodable(createDataResponse({ data: createProducerAck() }), { ...settings, version: 2 });
  });

  test(`OpenWireEncoder.encode() refuses frames that are larger than agreed (${how})`, () => {
    const of = (size: number) => createPartialCommand({ data: new Uint8Array(size) });
    const overhead = encode(of(0), settings).length - 4;
    for (const maxFrameSize of [1024, 70_000]) {
      const limited = { ...settings, maxFrameSize };
      assertEquals(encode(of(maxFrameSize - overhead), limited).length, maxFrameSize + 4);
      for (const more of [1, 100_000]) {
        const error = unencodable(of(maxFrameSize - overhead + more), limited);
        assertEquals(error.code, "FRAME_TOO_LARGE");
      }
    }
  });

  test(`OpenWireEncoder.write() keeps the commands before one that is refused (${how})`, () => {
    const format = OpenWireFormat.fixed({ ...settings, maxFrameSize: 100_000 });
    const encoder = new OpenWireEncoder(format);
    const good: DataStructure[] = [];
    for (let i = 0; i < 300; i++) {
      const command = createSessionInfo({
        commandId: i,
        sessionId: createSessionId({ connectionId: `c${i}`, value: i }),
      });
      encoder.write(command);
      good.push(command);
      const sizes = i % 2 === 0 ? 70_000 : 200_000;
      assertThrows(
        () =>
          encoder.write(createDataArrayResponse({
            data: [createPartialCommand({ data: new Uint8Array(sizes) }), any(1)],
          })),
        EncodeError,
      );
    }
    assertEquals(new OpenWireDecoder(format).push(encoder.take()), good);
    assertEquals(encoder.take().length, 0);
  });
}

test("OpenWireEncoder.encode() takes absent fields as null, which plain JavaScript has", () => {
  for (const settings of ALL) {
    const bare = { dataType: "SessionInfo", commandId: 1, responseRequired: false };
    assertEquals(
      hex(encode(any(bare), settings)),
      hex(encode(createSessionInfo({ commandId: 1 }), settings)),
    );
  }
});

test("OpenWireEncoder.encode() writes numbers at the ends of their ranges", () => {
  const integers = [0, 1, -1, 127, -128, 2147483647, -2147483648];
  for (const result of integers) {
    for (const settings of ALL) {
      const decoder = new OpenWireDecoder(OpenWireFormat.fixed(settings));
      const [response] = decoder.push(encode(createIntegerResponse({ result }), settings));
      assertEquals(response, createIntegerResponse({ result }));
    }
  }
  assertEquals(
    hex(encode(createIntegerResponse({ result: -0 }), LOOSE).subarray(-4)),
    "00 00 00 00",
  );
});

test("OpenWireEncoder.encode() gives bytes that are never written again", () => {
  const encoder = new OpenWireEncoder(OpenWireFormat.fixed(LOOSE));
  const frames = Array.from(
    { length: 20_000 },
    (_, commandId) => encoder.encode(createKeepAliveInfo({ commandId })),
  );
  for (const [commandId, bytes] of frames.entries()) {
    assertEquals(hex(bytes), hex(encode(createKeepAliveInfo({ commandId }), LOOSE)));
  }
});

test("OpenWireEncoder.encode() writes only a WireFormatInfo before it knows its peer", () => {
  const format = new OpenWireFormat();
  const encoder = new OpenWireEncoder(format);
  const early = assertThrows(() => encoder.encode(createKeepAliveInfo()), EncodeError, "not known");
  assertEquals(early.dataType, "KeepAliveInfo");
  assertThrows(() => encoder.encode(null), EncodeError, "not known");
  const info = encoder.encode(format.info());
  assertEquals(hex(info.subarray(4, 13)), hex(frame(`01 "ActiveMQ"`).subarray(4)));
  format.negotiate(new OpenWireFormat().info());
  encoder.encode(createKeepAliveInfo());
});

test("OpenWireEncoder.encode() writes our WireFormatInfo alike before and after the peer's came", () => {
  const offer = { tightEncodingEnabled: true };
  const ours = new OpenWireFormat(offer);
  const before = new OpenWireEncoder(ours).encode(ours.info());
  const encoder = new OpenWireEncoder(ours);
  new OpenWireDecoder(ours).push(before);
  assertEquals(ours.settings.tightEncodingEnabled, true);
  assertEquals(encoder.encode(ours.info()), before);
  const tight = new OpenWireEncoder(OpenWireFormat.fixed({ version: 12, ...offer }));
  assertEquals(encoder.encode(createKeepAliveInfo()), tight.encode(createKeepAliveInfo()));
});

test("OpenWireEncoder.encode() refuses what a frame's boolean stream cannot hold", () => {
  // 32,767 bytes of bits are allowed: 262,136 bits, of which each of these arrays takes 32,768.
  const nulls = new Array(32767).fill(null);
  const nested = (count: number) =>
    createDataArrayResponse({
      data: new Array(count).fill(createDataArrayResponse({ data: nulls })),
    });
  encode(nested(7), TIGHT);
  unencodable(nested(8), TIGHT, "boolean stream");
  encode(nested(8), LOOSE);
});

test("EncodeError says neither what a string holds nor what bytes hold", () => {
  const secret = "s3cret-".repeat(10_000);
  for (const settings of ALL) {
    const error = unencodable(createConnectionInfo({ password: secret }), settings);
    assertEquals([error.field, error.message.includes("s3cret")], ["password", false]);
    const other = unencodable(createConnectionInfo({ password: any([secret]) }), settings);
    assertEquals(other.message.includes("s3cret"), false);
  }
});

test("ids and destinations are frozen once they went through the cache, and only then", () => {
  const command = () =>
    createConsumerInfo({ destination: createActiveMQQueue({ physicalName: "Q" }) });
  for (const settings of ALL) {
    const consumer = command();
    encode(consumer, settings);
    assertEquals(Object.isFrozen(consumer.destination), settings.cacheEnabled === true);
    assertEquals(Object.isFrozen(consumer), false);
  }
});

test("a refused transaction id with bytes of the wrong type leaves nothing in the cache", () => {
  for (const settings of [CACHED, CACHED_TIGHT]) {
    const format = OpenWireFormat.fixed(settings);
    const [encoder, decoder] = [new OpenWireEncoder(format), new OpenWireDecoder(format)];
    const of = (globalTransactionId: Uint8Array) =>
      createMessageAck({
        transactionId: createXATransactionId({ formatId: 1, globalTransactionId }),
      });
    assertThrows(() => encoder.encode(of(any([1, 2]))), EncodeError, "globalTransactionId");
    const good = of(Uint8Array.of(1, 2));
    assertEquals(decoder.push(encoder.encode(good)), [good]);
    assertThrows(() => encoder.encode(of(any([1, 2]))), EncodeError, "globalTransactionId");
  }
});

test("records of a store and commands of datagram peers are written like any other", () => {
  for (const settings of ALL) {
    const decoder = new OpenWireDecoder(OpenWireFormat.fixed(settings));
    for (const command of [createJournalTopicAck({ clientId: "c" }), createReplayCommand()]) {
      assertEquals(decoder.push(encode(command, settings)), [command]);
    }
  }
});

test("OpenWireEncoder.write() writes the same wherever in its buffer a frame lies", () => {
  for (const settings of [LOOSE, TIGHT]) {
    const all = { ...settings, stackTraceEnabled: true };
    const values = new RandomValues(seededRandom(11), 12);
    const format = OpenWireFormat.fixed(all);
    const [encoder, decoder] = [new OpenWireEncoder(format), new OpenWireDecoder(format)];
    let pending: DataStructure[] = [];
    let expected = "";
    for (let i = 0; i < 3000; i++) {
      const command = values.any();
      encoder.write(command);
      pending.push(command);
      expected += toHex(encode(command, all));
      if (values.chance(0.7)) continue;
      const bytes = encoder.take();
      assertEquals(toHex(bytes), expected);
      assertEquals(decoder.push(bytes).length, pending.length);
      [pending, expected] = [[], ""];
    }
  }
});
