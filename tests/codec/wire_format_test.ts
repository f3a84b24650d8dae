import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { concat } from "@std/bytes";
import {
  createKeepAliveInfo,
  createWireFormatInfo,
  decodePrimitiveMap,
  encodePrimitiveMap,
  int,
  long,
  OpenWireDecoder,
  OpenWireEncoder,
  OpenWireFormat,
  type PrimitiveMapInput,
  ProtocolError,
  VERSION,
  type WireFormatInfo,
  type WireFormatOptions,
  type WireFormatSettings,
} from "../../codec/mod.ts";
import { test } from "../_harness.ts";
import { bytes, frame, hex, refusedBy } from "./_codec.ts";

function infoOf(properties: PrimitiveMapInput | null, version = 12): WireFormatInfo {
  return createWireFormatInfo({
    version,
    marshalledProperties: properties && encodePrimitiveMap(properties),
  });
}

function negotiated(
  options: WireFormatOptions,
  properties: PrimitiveMapInput | null,
  version = 12,
): WireFormatSettings {
  return new OpenWireFormat(options).negotiate(infoOf(properties, version));
}

function refusal(properties: PrimitiveMapInput | null, text: string, version = 12): ProtocolError {
  const format = new OpenWireFormat({ tightEncodingEnabled: true });
  const error = assertThrows(
    () => format.negotiate(infoOf(properties, version)),
    ProtocolError,
    text,
  );
  assertEquals([format.negotiated, error.dataType], [false, "WireFormatInfo"]);
  assertEquals(format.peerProperties, undefined);
  return error;
}

const ALL = {
  StackTraceEnabled: true,
  TcpNoDelayEnabled: true,
  CacheEnabled: true,
  TightEncodingEnabled: true,
  SizePrefixDisabled: true,
};

test("OpenWireFormat.info() begins with type, magic, version and properties", () => {
  const info = new OpenWireEncoder(new OpenWireFormat()).encode(new OpenWireFormat().info());
  assertEquals(hex(info.subarray(4, 5)), "01");
  assertEquals(hex(info.subarray(5, 18)), hex(bytes(`"ActiveMQ" 00 00 00 0c | 01`)));
  const size = new DataView(info.buffer, info.byteOffset).getInt32(18);
  assertEquals(size, info.length - 22);
});

test("OpenWireFormat.info() has no byte array when there are no properties", () => {
  const bare = createWireFormatInfo({ version: 12 });
  assertEquals(
    hex(new OpenWireEncoder(new OpenWireFormat()).encode(bare)),
    hex(bytes(`00 00 00 0e | 01 | "ActiveMQ" | 00 00 00 0c | 00`)),
  );
});

test("OpenWireFormat.info() offers the options with the types that Java expects", () => {
  const map = decodePrimitiveMap(
    new OpenWireFormat({ host: "broker-1", cacheSize: 2000 }).info().marshalledProperties,
  );
  const types = Object.fromEntries(
    [...map.typedEntries()].map(([name, { type, value }]) => [name, [type, value]]),
  );
  assertEquals(types, {
    StackTraceEnabled: ["boolean", false],
    TcpNoDelayEnabled: ["boolean", true],
    CacheEnabled: ["boolean", false],
    CacheSize: ["int", 2000],
    TightEncodingEnabled: ["boolean", false],
    SizePrefixDisabled: ["boolean", false],
    MaxInactivityDuration: ["long", 30_000n],
    MaxInactivityDurationInitalDelay: ["long", 10_000n],
    MaxFrameSize: ["long", 104_857_600n],
    MaxFrameSizeEnabled: ["boolean", true],
    ProviderName: ["string", "openwire"],
    ProviderVersion: ["string", VERSION],
    PlatformDetails: ["string", "JavaScript"],
    Host: ["string", "broker-1"],
  });
  assert(!decodePrimitiveMap(new OpenWireFormat().info().marshalledProperties).has("Host"));
});

test("OpenWireFormat.negotiate() uses the lower version", () => {
  const version = (ours: number, theirs: number) =>
    negotiated({ version: ours }, null, theirs).version;
  assertEquals(version(12, 99), 12);
  assertEquals(version(12, 3), 3);
  assertEquals(version(5, 12), 5);
  assertEquals(version(12, 0), 12);
  assertEquals(version(7, -1), 7);
  assertEquals(version(12, 1), 1);
});

test("OpenWireFormat.negotiate() refuses a version below the minimum", () => {
  const format = new OpenWireFormat({ minimumVersion: 6 });
  assertThrows(() => format.negotiate(infoOf(null, 5)), ProtocolError, "version 5, at least 6");
  assertEquals(new OpenWireFormat({ minimumVersion: 6 }).negotiate(infoOf(null, 6)).version, 6);
});

test("OpenWireFormat.negotiate() refuses another magic", () => {
  const info = { ...infoOf(null), magic: bytes(`"ActiveMX"`) };
  assertThrows(() => new OpenWireFormat().negotiate(info), ProtocolError, "magic");
});

test("OpenWireFormat.negotiate() turns on what both want", () => {
  const flags = [
    ["stackTraceEnabled", "StackTraceEnabled"],
    ["tcpNoDelayEnabled", "TcpNoDelayEnabled"],
    ["cacheEnabled", "CacheEnabled"],
    ["tightEncodingEnabled", "TightEncodingEnabled"],
    ["sizePrefixDisabled", "SizePrefixDisabled"],
  ] as const;
  for (const [option, name] of flags) {
    for (const ours of [false, true]) {
      for (const theirs of [false, true]) {
        const settings = negotiated({ [option]: ours }, { ...ALL, [name]: theirs });
        assertEquals(settings[option], ours && theirs, `${option}: ${ours} and ${theirs}`);
      }
    }
  }
});

test("OpenWireFormat.negotiate() takes a missing option as false or none", () => {
  const wants = {
    stackTraceEnabled: true,
    cacheEnabled: true,
    tightEncodingEnabled: true,
    sizePrefixDisabled: true,
    maxFrameSize: 5000,
  };
  for (const properties of [null, {}, { Foo: "bar" }, { CacheEnabled: null, CacheSize: null }]) {
    assertEquals(negotiated(wants, properties), {
      version: 12,
      stackTraceEnabled: false,
      tcpNoDelayEnabled: false,
      cacheEnabled: false,
      cacheSize: 16383,
      tightEncodingEnabled: false,
      sizePrefixDisabled: false,
      maxInactivityDuration: 0,
      maxInactivityDurationInitialDelay: 0,
      maxFrameSize: 5000,
    });
  }
});

test("OpenWireFormat.negotiate() uses the smaller cache, and Java's when one side says none", () => {
  const size = (theirs: number) =>
    negotiated({ cacheSize: 1024 }, { ...ALL, CacheSize: int(theirs) }).cacheSize;
  assertEquals([size(1024), size(100), size(5000), size(1), size(0)], [1024, 100, 1024, 1, 16383]);
  refusal({ ...ALL, CacheSize: int(-1) }, "CacheSize is -1");
});

test("OpenWireFormat.negotiate() uses the shorter inactivity, and 0 for never", () => {
  const durations = (theirs: number | bigint) => {
    const settings = negotiated(
      { maxInactivityDuration: 30_000, maxInactivityDurationInitialDelay: 10_000 },
      {
        MaxInactivityDuration: long(theirs),
        MaxInactivityDurationInitalDelay: long(theirs),
      },
    );
    return [settings.maxInactivityDuration, settings.maxInactivityDurationInitialDelay];
  };
  assertEquals(durations(5000), [5000, 5000]);
  assertEquals(durations(15_000), [15_000, 10_000]);
  assertEquals(durations(2n ** 63n - 1n), [30_000, 10_000]);
  assertEquals(durations(0), [0, 0]);
  assertEquals(durations(-5), [0, 0]);
});

test("OpenWireFormat.negotiate() uses the smaller frame size of those that say one", () => {
  const size = (theirs: number | bigint) =>
    negotiated({ maxFrameSize: 10_000 }, { MaxFrameSize: long(theirs) }).maxFrameSize;
  assertEquals([size(5000), size(20_000), size(2n ** 63n - 1n)], [5000, 10_000, 10_000]);
  assertEquals([size(0), size(-1)], [10_000, 10_000]);
});

test("OpenWireFormat.negotiate() refuses options of the wrong type", () => {
  const wrong: [string, PrimitiveMapInput][] = [
    ["CacheSize is of type long, int is expected", { CacheSize: 1024n }],
    ["MaxInactivityDuration is of type int", { MaxInactivityDuration: 30_000 }],
    ["MaxInactivityDurationInitalDelay is of type string", {
      MaxInactivityDurationInitalDelay: "1",
    }],
    ["MaxFrameSize is of type double", { MaxFrameSize: 0.5 }],
    ["CacheEnabled is of type int", { CacheEnabled: 1 }],
    ["TightEncodingEnabled is of type string", { TightEncodingEnabled: "true" }],
  ];
  for (const [text, properties] of wrong) refusal(properties, text);
});

test("OpenWireFormat.negotiate() limits number, size and kind of the options", () => {
  const many = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${i}`, i]));
  negotiated({}, many(64));
  refusal(many(65), "65 properties, 64 are allowed");
  negotiated({}, { a: "x".repeat(512), b: new Uint8Array(512) });
  refusal({ a: "x".repeat(513) }, "longer than 512");
  refusal({ a: new Uint8Array(513) }, "longer than 512");
  refusal({ a: {} }, "is a map");
  refusal({ a: [] }, "is a list");
  const error = refusal({ ["a\nb" + "x".repeat(500)]: [] }, "is a list");
  assert(!error.message.includes("\n") && error.message.length < 200);
  const bad = createWireFormatInfo({ version: 12, marshalledProperties: bytes("00 00 00 05") });
  assertThrows(() => new OpenWireFormat().negotiate(bad), ProtocolError, "map has 5 entries");
});

test("OpenWireFormat.negotiate() keeps what the peer says of itself", () => {
  const format = new OpenWireFormat();
  assertEquals([format.negotiated, format.peerProperties], [false, undefined]);
  format.negotiate(infoOf({ ProviderName: "ActiveMQ", ProviderVersion: "5.17.2", Other: 1 }));
  assertEquals(format.negotiated, true);
  assertEquals(format.peerProperties?.get("ProviderVersion"), "5.17.2");
  assertEquals(format.peerProperties?.get("Other"), 1);
  assert(Object.isFrozen(format.settings));
});

test("OpenWireFormat.agreement resolves with the settings, also for who asks late", async () => {
  const format = new OpenWireFormat();
  const early = format.agreement;
  const settings = format.negotiate(infoOf(null));
  assertStrictEquals(await early, settings);
  assertStrictEquals(await format.agreement, settings);
  format.fail(new Error("too late"));
  assertStrictEquals(await format.agreement, settings);
  assertEquals((await OpenWireFormat.fixed({ version: 3 }).agreement).version, 3);
});

test("OpenWireFormat.agreement rejects when it fails, and nobody needs to wait", async () => {
  const format = new OpenWireFormat();
  const reason = new Error("gone");
  format.fail(reason);
  assertStrictEquals(await assertRejects(() => format.agreement), reason);
});

test("new OpenWireFormat() has the documented defaults", () => {
  assertEquals(new OpenWireFormat().offer, {
    version: 12,
    minimumVersion: 1,
    tightEncodingEnabled: false,
    cacheEnabled: false,
    cacheSize: 1024,
    stackTraceEnabled: false,
    sizePrefixDisabled: false,
    tcpNoDelayEnabled: true,
    maxInactivityDuration: 30_000,
    maxInactivityDurationInitialDelay: 10_000,
    maxFrameSize: 104_857_600,
    host: undefined,
  });
  // An option that is there without a value is as good as absent.
  assertEquals(new OpenWireFormat({ version: undefined, cacheSize: undefined }).offer.version, 12);
});

test("new OpenWireFormat() refuses options out of range", () => {
  const wrong: WireFormatOptions[] = [
    { version: 0 },
    { version: 13 },
    { version: 1.5 },
    { version: NaN },
    { version: "12" as unknown as number },
    { minimumVersion: 0 },
    { minimumVersion: 13 },
    // A Java peer hangs with 1 to 99.
    { cacheSize: 99 },
    { cacheSize: 0 },
    { cacheSize: 32768 },
    { maxInactivityDuration: -1 },
    { maxInactivityDuration: 2 ** 31 },
    { maxInactivityDurationInitialDelay: -1 },
    { maxFrameSize: 1023 },
    { maxFrameSize: Infinity },
  ];
  for (const options of wrong) {
    const [name] = Object.keys(options) as [string];
    const error = assertThrows(() => new OpenWireFormat(options), RangeError);
    assert(error.message.includes(name), error.message);
  }
  assertThrows(() => OpenWireFormat.fixed({ version: 13 }), RangeError);
  assertThrows(() => OpenWireFormat.fixed({ cacheSize: 0 }), RangeError);
  assertThrows(() => OpenWireFormat.fixed({ cacheSize: 32768 }), RangeError);
});

test("two peers that negotiate understand each other, whatever each offers", () => {
  const offers: WireFormatOptions[] = [];
  for (const tightEncodingEnabled of [false, true]) {
    for (const cacheEnabled of [false, true]) {
      for (const sizePrefixDisabled of [false, true]) {
        for (const [version, cacheSize] of [[1, 100], [9, 1024], [12, 32767]] as const) {
          offers.push({
            tightEncodingEnabled,
            cacheEnabled,
            sizePrefixDisabled,
            version,
            cacheSize,
          });
        }
      }
    }
  }
  for (const a of offers) {
    for (const b of offers) {
      const [here, there] = [new OpenWireFormat(a), new OpenWireFormat(b)];
      const [writer, reader] = [new OpenWireEncoder(here), new OpenWireDecoder(there)];
      const [backWriter, backReader] = [new OpenWireEncoder(there), new OpenWireDecoder(here)];
      // Both send first and read then.
      const [toThere, toHere] = [writer.encode(here.info()), backWriter.encode(there.info())];
      reader.push(toThere);
      backReader.push(toHere);
      assertEquals(here.settings, there.settings);
      const command = createKeepAliveInfo({ commandId: 5 });
      assertEquals(reader.push(concat([writer.encode(command), writer.encode(command)])).length, 2);
      assertEquals(backReader.push(backWriter.encode(command)), [command]);
    }
  }
});

test("a decoder whose peer offers a cache of one slot refuses keys beyond it", () => {
  const format = new OpenWireFormat({ cacheEnabled: true });
  const decoder = new OpenWireDecoder(format);
  decoder.push(
    new OpenWireEncoder(new OpenWireFormat()).encode(infoOf({ ...ALL, CacheSize: int(1) })),
  );
  refusedBy(decoder, frame("04 00000000 00 01 0001 00"), "the cache has 1 slots");
});
