/** Nested objects, arrays and throwables, with the bytes that Java writes. */
import { assertEquals } from "@std/assert";
import {
  type BrokerInfo,
  createActiveMQMessage,
  createActiveMQQueue,
  createBrokerId,
  createBrokerInfo,
  createConnectionError,
  createConnectionId,
  createDataArrayResponse,
  createDataResponse,
  createExceptionResponse,
  createKeepAliveInfo,
  createMessageDispatch,
  createProducerId,
  createSessionId,
  createSessionInfo,
  createXATransactionId,
  type DataStructure,
  type ExceptionResponse,
  type Throwable,
} from "../../codec/mod.ts";
import { test } from "../_harness.ts";
import { decode, encode, frame, hex, LOOSE, refused, TIGHT, unencodable } from "./_codec.ts";

const V1 = { version: 1 };
const V1_TIGHT = { version: 1, tightEncodingEnabled: true };
const session = createSessionId({ connectionId: "c", value: 1 });

const CASES: readonly (readonly [name: string, DataStructure, loose: string, tight: string])[] = [
  [
    "KeepAliveInfo with a wanted response",
    createKeepAliveInfo({ commandId: 7, responseRequired: true }),
    "00 00 00 06 0a 00 00 00 07 01",
    "00 00 00 07 0a 01 01 00 00 00 07",
  ],
  ["ConnectionId", createConnectionId({ value: "c" }), "00 00 00 05 78 01 00 01 63", ""],
  ["ConnectionId without text", createConnectionId(), "00 00 00 02 78 00", ""],
  ["BrokerId with empty text", createBrokerId({ value: "" }), "00 00 00 04 7c 01 00 00", ""],
  [
    "SessionId",
    session,
    "00 00 00 0d 79 01 00 01 63 00 00 00 00 00 00 00 01",
    "00 00 00 08 79 01 0b 00 01 63 00 01",
  ],
  [
    "ProducerId, whose value comes before its session",
    createProducerId({ connectionId: "c", sessionId: 1, value: 2 }),
    "00 00 00 15 7b 01 00 01 63 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00 01",
    "00 00 00 0a 7b 01 2b 00 01 63 00 02 00 01",
  ],
  [
    "XATransactionId",
    createXATransactionId({
      formatId: 5,
      globalTransactionId: Uint8Array.of(1, 2),
      branchQualifier: new Uint8Array(0),
    }),
    "",
    "00 00 00 11 70 01 03 00 00 00 05 00 00 00 02 01 02 00 00 00 00",
  ],
  [
    "SessionInfo with a nested id",
    createSessionInfo({ sessionId: session }),
    "00 00 00 14 04 00 00 00 00 00 01 79 01 00 01 63 00 00 00 00 00 00 00 01",
    "00 00 00 0d 04 01 2e 00 00 00 00 79 00 01 63 00 01",
  ],
  [
    "DataArrayResponse with an element and a gap",
    createDataArrayResponse({ correlationId: 9, data: [createBrokerId({ value: "b" }), null] }),
    "00 00 00 14 21 00 00 00 00 00 00 00 00 09 01 00 02 01 7c 01 00 01 62 00",
    "00 00 00 11 21 01 1e 00 00 00 00 00 00 00 09 00 02 7c 00 01 62",
  ],
  [
    "DataArrayResponse without an array",
    createDataArrayResponse({ correlationId: 9 }),
    "00 00 00 0b 21 00 00 00 00 00 00 00 00 09 00",
    "00 00 00 0b 21 01 00 00 00 00 00 00 00 00 09",
  ],
  [
    "DataArrayResponse with an empty array",
    createDataArrayResponse({ correlationId: 9, data: [] }),
    "00 00 00 0d 21 00 00 00 00 00 00 00 00 09 01 00 00",
    "00 00 00 0d 21 01 02 00 00 00 00 00 00 00 09 00 00",
  ],
  ["ActiveMQQueue", createActiveMQQueue({ physicalName: "Q" }), "00 00 00 05 64 01 00 01 51", ""],
];

for (const [name, command, loose, tight] of CASES) {
  test(`${name} is encoded as Java does`, () => {
    if (loose) assertEquals(hex(encode(command, LOOSE)), loose);
    if (tight) assertEquals(hex(encode(command, TIGHT)), tight);
    assertEquals(decode(encode(command, LOOSE), LOOSE), command);
    assertEquals(decode(encode(command, TIGHT), TIGHT), command);
  });
}

test("the null command is one byte, and no decoder hands it over", () => {
  assertEquals(hex(encode(null, LOOSE)), "00 00 00 01 00");
  assertEquals(hex(encode(null, TIGHT)), "00 00 00 01 00");
});

test("a nested message has one more bit in tight encoding", () => {
  const empty = createMessageDispatch();
  assertEquals(
    hex(encode(empty, V1_TIGHT)),
    "00 00 00 0b 15 01 00 00 00 00 00 00 00 00 00",
  );
  const full = createMessageDispatch({ message: createActiveMQMessage() });
  const bytes = encode(full, V1_TIGHT);
  assertEquals(
    hex(bytes),
    "00 00 00 1c 15 04 08 00 00 00 00 00 00 00 17" + " 00".repeat(13) + " 00 00 00 00",
  );
  assertEquals(decode(bytes, V1_TIGHT), full);
  assertEquals(decode(encode(full, V1), V1), full);
});

test("OpenWireDecoder.push() refuses a cached form of a message, which no peer writes", () => {
  const data = "00 00 00 00 17" + " 00".repeat(13) + " 00 00 00 00";
  refused(frame(`15 04 18 00 00 00 ${data}`), V1_TIGHT, "cached form");
  // The same of a message in a field of any type.
  refused(
    frame(`20 03 06 00 00 00 00 00 00 00 00 00 00 17${" 00".repeat(13)}`),
    V1_TIGHT,
    "cached",
  );
});

test("OpenWireDecoder.push() refuses a type that the field does not allow", () => {
  const wrong = refused(frame("04 00000000 00 01 78 01 0001 63"), LOOSE, "type code 121");
  assertEquals([wrong.dataType, wrong.field, wrong.offset], ["SessionInfo", "sessionId", 12]);
  refused(frame("04 01 02 00000000 78"), TIGHT, "type code 121 (SessionId) is expected, got 120");
  // A queue is no producer id, a consumer id no destination, a session id no message.
  refused(frame("06 00000000 00 01 64"), LOOSE, "type code 123");
  refused(frame("08 00000000 00 00 01 7a"), LOOSE, "a type code of ActiveMQDestination");
  refused(frame("15 00000000 00 00 00 01 79"), LOOSE, "a type code of Message");
  refused(frame("20 00000000 00 00000000 01 4d"), LOOSE, "got 77");
});

test("OpenWireDecoder.push() refuses elements of a type that the array does not allow", () => {
  const brokerPath = "03 00000000 00 00 00 00 00 01 0001 01";
  refused(frame(`${brokerPath} 7c 00`), LOOSE, "remain");
  refused(frame(`${brokerPath} 79 00 0000000000000000`), LOOSE, "type code 124");
});

test("OpenWireDecoder.push() refuses types that the version does not have", () => {
  // MessagePull is of version 2, ProducerAck and blob messages of 3, BrokerSubscriptionInfo of 12.
  for (const [code, since] of [[20, 2], [19, 3], [29, 3], [92, 12]] as const) {
    const type = code.toString(16);
    for (const tightEncodingEnabled of [false, true]) {
      const settings = { version: since - 1, tightEncodingEnabled };
      const bits = tightEncodingEnabled ? "01 00" : "";
      refused(frame(`${type} ${bits} 00000000 00`), settings, `version ${since - 1}`);
    }
    const body = `20 00000000 00 00000000 01 ${type}`;
    refused(frame(body), { version: since - 1 }, `got ${code}`);
  }
  refused(frame("15 00000000 00 00 00 01 1d"), { version: 2 }, "29 is not of version 2");
});

test("OpenWireDecoder.push() refuses unknown types", () => {
  for (const code of ["0d", "23", "33", "4d", "80", "ff"]) {
    const error = refused(frame(code), LOOSE, `got ${parseInt(code, 16)}`);
    assertEquals([error.dataType, error.field, error.offset], ["frame", "type", 5]);
  }
});

test("OpenWireDecoder.push() refuses bad numbers of elements", () => {
  const start = "21 00000000 00 00000000 01";
  refused(frame(`${start} ffff`), LOOSE, "array has -1 elements");
  refused(frame(`${start} 8000`), LOOSE, "array has -32768 elements");
  refused(frame(`${start} 0002 00`), LOOSE, "2 bytes are expected, 1 remain");
  refused(frame("21 01 02 00000000 00000000 ffff"), TIGHT, "array has -1 elements");
  refused(frame("21 01 02 00000000 00000000 0007"), TIGHT, "7 elements, 6 bits remain");
});

test("OpenWireDecoder.push() refuses bad lengths of byte arrays", () => {
  const message = "3c 00000000 01";
  refused(frame(`${message} ffffffff`), LOOSE, "byte array length is -1");
  refused(frame(`${message} 80000000`), LOOSE, "byte array length is -2147483648");
  refused(frame(`${message} 7fffffff`), LOOSE, "2147483647 bytes are expected");
  refused(frame(`${message} 00000002 00`), LOOSE, "2 bytes are expected, 1 remain");
  refused(frame("3c 01 01 00000000 7fffffff"), TIGHT, "2147483647 bytes are expected");
});

test("OpenWireDecoder.push() takes any byte but 0 as true in loose encoding, as Java does", () => {
  assertEquals(decode(frame("0a 00000007 02"), LOOSE), {
    dataType: "KeepAliveInfo",
    commandId: 7,
    responseRequired: true,
  });
});

test("OpenWireDecoder.push() refuses bytes left over", () => {
  const loose = refused(frame("0a 00000007 00 00"), LOOSE, "1 bytes are left over");
  assertEquals(loose.dataType, "KeepAliveInfo");
  refused(frame("0a 01 00 00000007 00 00"), TIGHT, "2 bytes are left over");
  refused(frame("00 00"), LOOSE, "left over");
});

// Depth

function peers(depth: number): BrokerInfo {
  let info = createBrokerInfo();
  for (let i = 1; i < depth; i++) info = createBrokerInfo({ peerBrokerInfos: [info] });
  return info;
}

function causes(depth: number): ExceptionResponse {
  let cause: Throwable | null = null;
  for (let i = 0; i < depth; i++) {
    cause = { className: "E", message: String(i), stackTrace: [], cause };
  }
  return createExceptionResponse({ exception: cause });
}

for (const settings of [LOOSE, TIGHT]) {
  const how = settings === TIGHT ? "tight" : "loose";
  const traced = { ...settings, stackTraceEnabled: true };

  test(`objects may be nested 32 deep, not deeper (${how})`, () => {
    const deepest = peers(33);
    assertEquals(decode(encode(deepest, settings), settings), deepest);
    unencodable(peers(34), settings, "nested deeper than 32");
    const response = createDataResponse({ data: createDataResponse({ data: peers(31) }) });
    assertEquals(decode(encode(response, settings), settings), response);
    unencodable(createDataResponse({ data: response }), settings, "nested deeper than 32");
  });

  test(`throwables may have 31 causes, not more (${how})`, () => {
    const deepest = causes(32);
    assertEquals(decode(encode(deepest, traced), traced), deepest);
    unencodable(causes(33), traced, "nested deeper than 32");
  });

  test(`objects that hold themselves are refused (${how})`, () => {
    const info = createBrokerInfo();
    info.peerBrokerInfos = [info];
    unencodable(info, settings, "nested deeper than 32");
    const response = createDataResponse();
    response.data = response;
    unencodable(response, settings, "nested deeper than 32");
    const cause: Throwable = { className: "E", message: null, stackTrace: [], cause: null };
    cause.cause = cause;
    unencodable(createConnectionError({ exception: cause }), traced, "nested deeper than 32");
  });
}

test("OpenWireDecoder.push() refuses objects that are nested deeper than 32", () => {
  const nested = (depth: number) => frame("20 00000000 00 00000000 01".repeat(depth) + "7c 00");
  assertEquals(decode(nested(32), LOOSE).dataType, "DataResponse");
  refused(nested(33), LOOSE, "nested deeper than 32");
  refused(nested(100_000), LOOSE, "nested deeper than 32");
  const cause = "01 00 00 0000";
  const traced = { ...LOOSE, stackTraceEnabled: true };
  const thrown = (depth: number) => frame(`1f 00000000 00 00000000 ${cause.repeat(depth)} 00`);
  assertEquals(decode(thrown(32), traced).dataType, "ExceptionResponse");
  refused(thrown(33), traced, "nested deeper than 32");
  refused(thrown(100_000), traced, "nested deeper than 32");
});

// Throwables

const thrown: Throwable = {
  className: "java.io.IOException",
  message: "x",
  stackTrace: [{ className: "C", methodName: "m", fileName: "F", lineNumber: 3 }],
  cause: null,
};
const TRACED_BYTES = `1f 00000000 00 00000000 01 01 0013 "java.io.IOException" 01 0001 78
  0001 01 0001 43 01 0001 6d 01 0001 46 00000003 00`.replaceAll(/\s+/g, " ");

test("a throwable with its stack trace is encoded as Java does", () => {
  const traced = { ...LOOSE, stackTraceEnabled: true };
  const response = createExceptionResponse({ exception: thrown });
  assertEquals(hex(encode(response, traced)), hex(frame(TRACED_BYTES)));
  assertEquals(decode(frame(TRACED_BYTES), traced), response);
});

test("a throwable without stack traces has neither trace nor cause on the wire", () => {
  const response = createExceptionResponse({ exception: { ...thrown, cause: thrown } });
  const bytes = frame(`1f 00000000 00 00000000 01 01 0013 "java.io.IOException" 01 0001 78`);
  assertEquals(hex(encode(response, LOOSE)), hex(bytes));
  assertEquals(
    decode<ExceptionResponse>(bytes, LOOSE).exception,
    { ...thrown, stackTrace: [], cause: null },
  );
});

test("throwables pass with causes, without a message and without a file", () => {
  const exception: Throwable = {
    className: "a.B",
    message: null,
    stackTrace: [
      { className: "C", methodName: "m", fileName: null, lineNumber: -2 },
      { className: null, methodName: null, fileName: "", lineNumber: 2147483647 },
    ],
    cause: { className: null, message: "é😀\0", stackTrace: [], cause: thrown },
  };
  for (const settings of [LOOSE, TIGHT]) {
    const traced = { ...settings, stackTraceEnabled: true };
    for (const version of [1, 9, 10, 12]) {
      const response = createExceptionResponse({ exception });
      const all = { ...traced, version };
      assertEquals(decode(encode(response, all), all), response);
      const none = createExceptionResponse();
      assertEquals(decode(encode(none, all), all), none);
    }
  }
});

test("a class named by a throwable is text and nothing else", () => {
  const exception = { className: "__proto__", message: "m", stackTrace: [], cause: null };
  const response = decode<ExceptionResponse>(
    encode(createExceptionResponse({ exception }), LOOSE),
    LOOSE,
  );
  assertEquals(response.exception?.className, "__proto__");
  assertEquals(Object.getPrototypeOf(response.exception), Object.prototype);
});

test("OpenWireDecoder.push() refuses bad lengths of a stack trace", () => {
  const traced = { ...LOOSE, stackTraceEnabled: true };
  const start = "1f 00000000 00 00000000 01 00 00";
  refused(frame(`${start} ffff 00`), traced, "array has -1 elements");
  refused(frame(`${start} 7fff 00`), traced, "bytes are expected, 1 remain");
  refused(frame(`${start} 0001 00 00 00 00 00 00`), traced, "7 bytes are expected");
  const tight = { ...traced, tightEncodingEnabled: true };
  refused(frame("1f 01 02 00000000 00000000 7fff"), tight, "131068 bytes are expected");
});
