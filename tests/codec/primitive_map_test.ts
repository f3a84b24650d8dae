import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  byte,
  char,
  decodePrimitiveMap,
  decodeStreamBody,
  double,
  EncodeError,
  encodePrimitiveMap,
  float,
  int,
  long,
  type PrimitiveInput,
  PrimitiveList,
  PrimitiveMap,
  type PrimitiveType,
  type PrimitiveValue,
  ProtocolError,
  short,
} from "../../codec/mod.ts";
import { test } from "../_harness.ts";
import { bytes, hex } from "./_codec.ts";

/** A map with the one entry `k`. */
const MAP_OF_ONE = "00 00 00 01 00 01 6b";

/** One value for each tag: what is written, its bytes, its type and what is read. */
const TAGS: readonly (readonly [PrimitiveInput, string, PrimitiveType, PrimitiveValue])[] = [
  [null, "00", "null", null],
  [true, "01 01", "boolean", true],
  [false, "01 00", "boolean", false],
  [byte(5), "02 05", "byte", 5],
  [byte(-128), "02 80", "byte", -128],
  [char("A"), "03 00 41", "char", "A"],
  [char("\uffff"), "03 ff ff", "char", "\uffff"],
  [short(-2), "04 ff fe", "short", -2],
  [int(7), "05 00 00 00 07", "int", 7],
  [7, "05 00 00 00 07", "int", 7],
  [-(2 ** 31), "05 80 00 00 00", "int", -(2 ** 31)],
  [long(8), "06 00 00 00 00 00 00 00 08", "long", 8n],
  [8n, "06 00 00 00 00 00 00 00 08", "long", 8n],
  [2 ** 31, "06 00 00 00 00 80 00 00 00", "long", 2147483648n],
  [-(2n ** 63n), "06 80 00 00 00 00 00 00 00", "long", -(2n ** 63n)],
  [1.5, "07 3f f8 00 00 00 00 00 00", "double", 1.5],
  [double(1), "07 3f f0 00 00 00 00 00 00", "double", 1],
  [-0, "07 80 00 00 00 00 00 00 00", "double", -0],
  [NaN, "07 7f f8 00 00 00 00 00 00", "double", NaN],
  [Infinity, "07 7f f0 00 00 00 00 00 00", "double", Infinity],
  [2 ** 53, "07 43 40 00 00 00 00 00 00", "double", 2 ** 53],
  [float(1.5), "08 3f c0 00 00", "float", 1.5],
  [float(0.1), "08 3d cc cc cd", "float", Math.fround(0.1)],
  ["hi", "09 00 02 68 69", "string", "hi"],
  ["", "09 00 00", "string", ""],
  ["\0😀", "09 00 08 c0 80 ed a0 bd ed b8 80", "string", "\0😀"],
  [Uint8Array.of(1, 2), "0a 00 00 00 02 01 02", "bytes", Uint8Array.of(1, 2)],
  [new Uint8Array(0), "0a 00 00 00 00", "bytes", new Uint8Array(0)],
  [{ k: true }, "0b 00 00 00 01 00 01 6b 01 01", "map", new PrimitiveMap({ k: true })],
  [{}, "0b 00 00 00 00", "map", new PrimitiveMap()],
  [[1, "x"], "0c 00 00 00 02 05 00 00 00 01 09 00 01 78", "list", new PrimitiveList([1, "x"])],
  [[], "0c 00 00 00 00", "list", new PrimitiveList()],
];

for (const [input, data, type, value] of TAGS) {
  test(`a ${type} in a map is ${data}`, () => {
    assertEquals(hex(encodePrimitiveMap({ k: input })), `${MAP_OF_ONE} ${data}`);
    const map = decodePrimitiveMap(bytes(`${MAP_OF_ONE} ${data}`));
    assertEquals([...map.keys()], ["k"]);
    assertEquals(map.typed("k")?.type, type);
    const got = map.get("k")!;
    if (value instanceof PrimitiveMap) {
      assertEquals((got as PrimitiveMap).toObject(), value.toObject());
    } else if (value instanceof PrimitiveList) {
      assertEquals((got as PrimitiveList).toArray(), value.toArray());
    } else assertEquals(got, value);
    if (typeof value === "number") assert(Object.is(got, value));
    // What was read is written back as the same.
    assertEquals(hex(encodePrimitiveMap(map)), `${MAP_OF_ONE} ${data}`);
  });
}

test("decodePrimitiveMap() takes no bytes, no map and an empty map as an empty one", () => {
  for (const absent of [null, bytes("ff ff ff ff"), bytes("00 00 00 00")]) {
    assertEquals(decodePrimitiveMap(absent).size, 0);
  }
  assertEquals(hex(encodePrimitiveMap({})), "00 00 00 00");
});

test("decodePrimitiveMap() ignores bytes after the last entry, as Java does", () => {
  assertEquals(decodePrimitiveMap(bytes(`${MAP_OF_ONE} 02 05 ff ff`)).get("k"), 5);
});

test("decodePrimitiveMap() takes what is null to Java in nested values as null", () => {
  assertEquals(decodePrimitiveMap(bytes(`${MAP_OF_ONE} 0d ff ff ff ff`)).get("k"), null);
  assertEquals(decodePrimitiveMap(bytes(`${MAP_OF_ONE} 0b ff ff ff ff`)).get("k"), null);
});

test("strings of 8,191 UTF-16 units and more have a length of 32 bits", () => {
  const start = (text: string) => hex(encodePrimitiveMap({ k: text }).subarray(7, 12));
  assertEquals(start("s".repeat(8190)), "09 1f fe 73 73");
  assertEquals(start("s".repeat(8191)), "0d 00 00 1f ff");
  assertEquals(start("€".repeat(8190)), "09 5f fa e2 82");
  assertEquals(start("€".repeat(8191)), "0d 00 00 5f fd");
  for (const length of [8190, 8191, 65536, 300_000]) {
    for (const unit of ["s", "€", "\0"]) {
      const text = unit.repeat(length);
      assertStrictEquals(decodePrimitiveMap(encodePrimitiveMap({ k: text })).get("k"), text);
    }
  }
});

test("decodePrimitiveMap() takes a short string with a length of 32 bits, and 4-byte UTF-8", () => {
  assertEquals(decodePrimitiveMap(bytes(`${MAP_OF_ONE} 0d 00000002 6869`)).get("k"), "hi");
  assertEquals(decodePrimitiveMap(bytes(`${MAP_OF_ONE} 09 0004 f09f9880`)).get("k"), "😀");
});

test("decodePrimitiveMap() refuses bad counts, lengths, tags and strings", () => {
  const wrong: [data: string, text: string][] = [
    ["", "4 bytes are expected"],
    ["00 00 00", "4 bytes are expected"],
    ["ff ff ff fe", "map has -2 entries"],
    ["80 00 00 00", "map has -2147483648 entries"],
    ["00 00 00 01", "map has 1 entries, 0 bytes remain"],
    ["7f ff ff ff 00 00 00", "map has 2147483647 entries"],
    ["00 00 00 02 00 00 00 00 00", "map has 2 entries, 5 bytes remain"],
    ["00 00 00 01 00 05 6b 00 00", "5 bytes are expected"],
    ["00 00 00 01 ff ff 6b 00 00", "65535 bytes are expected"],
    ["00 00 00 01 00 01 80 00", "no modified UTF-8"],
    [`${MAP_OF_ONE} 0e`, "got 14"],
    [`${MAP_OF_ONE} ff`, "got -1"],
    [`${MAP_OF_ONE} 01`, "1 bytes are expected"],
    [`${MAP_OF_ONE} 03 00`, "2 bytes are expected"],
    [`${MAP_OF_ONE} 05 00 00 00`, "4 bytes are expected"],
    [`${MAP_OF_ONE} 06 00`, "8 bytes are expected"],
    [`${MAP_OF_ONE} 07 00`, "8 bytes are expected"],
    [`${MAP_OF_ONE} 08 00`, "4 bytes are expected"],
    [`${MAP_OF_ONE} 09 00 02 61`, "2 bytes are expected"],
    [`${MAP_OF_ONE} 0a ff ff ff ff`, "byte array length is -1"],
    [`${MAP_OF_ONE} 0a 7f ff ff ff 00`, "2147483647 bytes are expected"],
    [`${MAP_OF_ONE} 0d ff ff ff fe`, "string length is -2"],
    [`${MAP_OF_ONE} 0d 7f ff ff ff 00`, "2147483647 bytes are expected"],
    [`${MAP_OF_ONE} 0c ff ff ff ff`, "list has -1 values"],
    [`${MAP_OF_ONE} 0c 00 00 00 02 00`, "list has 2 values, 1 bytes remain"],
    [`${MAP_OF_ONE} 0b 00 00 00 01 00`, "map has 1 entries, 1 bytes remain"],
  ];
  for (const [data, text] of wrong) {
    const error = assertThrows(() => decodePrimitiveMap(bytes(data)), ProtocolError, text);
    assert(/^Primitive(Map|List)$/.test(error.dataType!), error.dataType);
    assert(error.offset >= 0);
  }
});

test("decodePrimitiveMap() refuses each map that is cut short", () => {
  const all = Object.fromEntries(TAGS.map(([input], i) => [`k${i}`, input]));
  const whole = encodePrimitiveMap(all);
  for (let length = 0; length < whole.length; length++) {
    assertThrows(() => decodePrimitiveMap(whole.subarray(0, length)), ProtocolError);
  }
});

test("decodePrimitiveMap() refuses more entries than a map of the engine can hold", () => {
  const large = new Uint8Array(4 + 3 * 8_388_609);
  new DataView(large.buffer).setInt32(0, 8_388_609);
  assertThrows(
    () => decodePrimitiveMap(large, { maxDecodedValues: 2 ** 31 - 1 }),
    ProtocolError,
    "8388608 are allowed",
  );
});

test("ProtocolError does not carry a name of the peer's choice into a log", () => {
  const name = `\n2026 [admin] logged in\x1b[2J${"x".repeat(300)}`;
  const good = encodePrimitiveMap({ [name]: 1 });
  const error = assertThrows(
    () => decodePrimitiveMap(good.subarray(0, good.length - 1)),
    ProtocolError,
  );
  // deno-lint-ignore no-control-regex
  assert(!/[\x00-\x1f]/.test(error.message));
  assert(error.message.length < 200);
});

// Depth

test("maps and lists may be nested 127 deep, not deeper, read and written alike", () => {
  const map = (levels: number) => bytes(`${"00 00 00 01 00 01 6b 0b".repeat(levels)} 00 00 00 00`);
  const list = (levels: number) =>
    bytes(`00 00 00 01 00 01 6b 0c ${"00 00 00 01 0c".repeat(levels - 1)} 00 00 00 00`);
  for (const nested of [map, list]) {
    const deepest = nested(127);
    const read = decodePrimitiveMap(deepest);
    assertEquals(hex(encodePrimitiveMap(read)), hex(deepest));
    assertThrows(() => decodePrimitiveMap(nested(128)), ProtocolError, "deeper than 127");
    assertThrows(() => decodePrimitiveMap(nested(100_000)), ProtocolError, "deeper than 127");
    // One level more, and the writer refuses it too.
    assertThrows(() => encodePrimitiveMap({ k: read }), EncodeError, "deeper than 127");
    assertThrows(
      () => encodePrimitiveMap(new PrimitiveMap({ k: new PrimitiveList([read]) })),
      EncodeError,
    );
  }
});

test("plain values may be nested 127 deep, not deeper", () => {
  const nested = (levels: number): PrimitiveInput => {
    let value: PrimitiveInput = {};
    for (let i = 1; i < levels; i++) value = i % 2 === 0 ? { k: value } : [value];
    return value;
  };
  const encoded = encodePrimitiveMap({ k: nested(127) });
  assertEquals(hex(encodePrimitiveMap(decodePrimitiveMap(encoded))), hex(encoded));
  assertThrows(() => encodePrimitiveMap({ k: nested(128) }), TypeError, "nested deeper than 127");
});

test("values that hold themselves are refused", () => {
  const object: Record<string, PrimitiveInput> = {};
  object["self"] = object;
  assertThrows(() => encodePrimitiveMap(object), TypeError, "nested deeper");
  const array: PrimitiveInput[] = [];
  array.push(array, array);
  assertThrows(() => encodePrimitiveMap({ array }), TypeError, "nested deeper");
  const map = new PrimitiveMap();
  map.set("self", map).set("again", map);
  assertThrows(() => encodePrimitiveMap(map), EncodeError, "nested deeper");
  const list = new PrimitiveList();
  list.push(list).push(list);
  assertThrows(() => encodePrimitiveMap({ list }), EncodeError, "nested deeper");
  // The shared buffer is as good as new.
  assertEquals(hex(encodePrimitiveMap({})), "00 00 00 00");
});

// Names

test("any name is just a name", () => {
  const names = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "", "0"];
  const map = new PrimitiveMap(new Map(names.map((name, i) => [name, i])));
  const read = decodePrimitiveMap(encodePrimitiveMap(map));
  assertEquals([...read.keys()], names);
  for (const [i, name] of names.entries()) assertEquals(read.get(name), i);
  assertEquals(({} as { polluted?: unknown }).polluted, undefined);

  const object = read.toObject();
  assertStrictEquals(Object.getPrototypeOf(object), null);
  assertEquals(Object.keys(object).sort(), [...names].sort());
  assertEquals(object["__proto__"], 0);
  const json = JSON.stringify(read);
  assert(json.includes(`"__proto__":0`), json);
});

test("the last value of a name that comes twice wins", () => {
  const map = decodePrimitiveMap(bytes("00000002 0001 61 02 01 0001 61 02 02"));
  assertEquals([...map], [["a", 2]]);
});

test("encodePrimitiveMap() refuses names over 65,535 bytes", () => {
  for (const name of ["x".repeat(65536), "€".repeat(21846)]) {
    const error = assertThrows(() => encodePrimitiveMap({ [name]: 1 }), EncodeError, "65535");
    assertEquals([error.dataType, error.field], ["PrimitiveMap", "name"]);
  }
  const longest = "€".repeat(21845);
  assertEquals([...decodePrimitiveMap(encodePrimitiveMap({ [longest]: 1 })).keys()], [longest]);
});

// Plain values

test("plain values get the type that fits", () => {
  const typeOf = (value: PrimitiveInput) => new PrimitiveMap({ value }).typed("value")!.type;
  const cases: [PrimitiveInput, PrimitiveType][] = [
    [0, "int"],
    [2147483647, "int"],
    [-2147483648, "int"],
    [2147483648, "long"],
    [-2147483649, "long"],
    [Number.MAX_SAFE_INTEGER, "long"],
    [Number.MIN_SAFE_INTEGER, "long"],
    [2 ** 53, "double"],
    [0.1, "double"],
    [0n, "long"],
    ["", "string"],
    [false, "boolean"],
    [null, "null"],
    [new Uint8Array(1), "bytes"],
    [[], "list"],
    [{}, "map"],
    [Object.create(null), "map"],
    [new Map([["a", 1]]), "map"],
  ];
  for (const [value, type] of cases) assertEquals(typeOf(value), type);
});

test("values of other types are refused, with their type's name", () => {
  const wrong: [unknown, string][] = [
    [undefined, "undefined"],
    [() => 1, "function"],
    [Symbol("s"), "symbol"],
    [new Date(), "Date"],
    [/x/, "RegExp"],
    [new Set([1]), "Set"],
    [new Error("x"), "Error"],
    [new ArrayBuffer(2), "ArrayBuffer"],
    [new Int32Array(2), "Int32Array"],
    [[undefined], "undefined"],
    [{ deep: { deeper: new Date() } }, "Date"],
  ];
  for (const [value, type] of wrong) {
    const error = assertThrows(() => encodePrimitiveMap({ k: value as null }), TypeError);
    assert(error.message.includes(`type ${type}`), error.message);
  }
  assertThrows(() => new PrimitiveMap(new Map([[5 as unknown as string, 1]])), TypeError, "name");
  assertThrows(() => new PrimitiveMap().set(5 as unknown as string, 1), TypeError, "number");
  assertThrows(() => encodePrimitiveMap({ k: 2n ** 63n }), RangeError);
});

test("byte(), short(), int() and long() refuse what is out of range or no integer", () => {
  for (const [make, bits] of [[byte, 8], [short, 16], [int, 32]] as const) {
    const limit = 2 ** (bits - 1);
    assertEquals([make(-limit).value, make(limit - 1).value], [-limit, limit - 1]);
    for (const wrong of [-limit - 1, limit, 0.5, NaN, Infinity]) {
      assertThrows(() => make(wrong), RangeError);
    }
    assert(Object.is(make(-0).value, 0));
  }
  assertEquals(long(-(2n ** 63n)).value, -(2n ** 63n));
  for (const wrong of [2n ** 63n, -(2n ** 63n) - 1n, 2 ** 53, 0.5, NaN]) {
    assertThrows(() => long(wrong), RangeError);
  }
  for (const wrong of ["", "ab", "😀"]) assertThrows(() => char(wrong), RangeError);
});

test("PrimitiveMap reads like a Map", () => {
  const map = new PrimitiveMap({ a: 1, b: "two" });
  assertEquals([map.size, map.has("a"), map.has("c"), map.get("c")], [2, true, false, undefined]);
  assertEquals([...map], [["a", 1], ["b", "two"]]);
  assertEquals([map.delete("a"), map.delete("a"), map.size], [true, false, 1]);
  const copy = new PrimitiveMap(map);
  copy.set("b", 2);
  assertEquals([map.get("b"), copy.get("b")], ["two", 2]);
});

test("PrimitiveMap.toObject() and toJSON() make nested values plain", () => {
  const map = new PrimitiveMap({ a: { b: [1n, { c: "x" }] } });
  assertEquals(JSON.stringify(map), `{"a":{"b":[1,{"c":"x"}]}}`);
  const { b } = map.toObject()["a"] as { b: unknown[] };
  assertEquals(b[0], 1);
  assertEquals(JSON.stringify(new PrimitiveList([1n, [null]])), `[1,[null]]`);
});

test("toObject(), toArray() and JSON make the same of a long", () => {
  const largest = 2n ** 63n - 1n;
  const safe = BigInt(Number.MAX_SAFE_INTEGER);
  for (
    const [value, expected] of [
      [0n, 0],
      [-7n, -7],
      [safe, Number.MAX_SAFE_INTEGER],
      [-safe, -Number.MAX_SAFE_INTEGER],
      [safe + 1n, "9007199254740992"],
      [-safe - 1n, "-9007199254740992"],
      [largest, "9223372036854775807"],
    ] as const
  ) {
    const map = new PrimitiveMap({ value, list: [value] });
    assertEquals({ ...map.toObject() }, { value: expected, list: [expected] });
    assertEquals(JSON.stringify(map.toObject()), JSON.stringify(map));
    assertEquals(map.get("value"), value);
    const list = new PrimitiveList([value]);
    assertEquals(list.toArray(), [expected]);
    assertEquals(JSON.stringify(list.toArray()), JSON.stringify(list));
    assertEquals(JSON.stringify(long(value)), JSON.stringify({ type: "long", value: expected }));
  }
});

test("JSON has an array of bytes as base64, toObject() as it is", () => {
  const bytes = Uint8Array.from({ length: 20_000 }, (_, i) => i);
  const map = new PrimitiveMap({ bytes: Uint8Array.of(0, 255, 16), large: bytes });
  assertEquals(map.toObject()["bytes"], Uint8Array.of(0, 255, 16));
  const json = JSON.parse(JSON.stringify(map));
  assertEquals(json.bytes, "AP8Q");
  assertEquals(Uint8Array.from(atob(json.large), (unit) => unit.charCodeAt(0)), bytes);
});

test("PrimitiveList reads like an array", () => {
  const list = new PrimitiveList([1, short(2)]);
  assertEquals([list.length, list.at(0), list.at(-1), list.at(2)], [2, 1, 2, undefined]);
  assertEquals([list.typed(1)?.type, list.typed(5)], ["short", undefined]);
  assertEquals([...list.push("x")], [1, 2, "x"]);
});

test("decodePrimitiveMap() decodes as many values as it is allowed, nested ones included", () => {
  const numbers = [1, 2, 3];
  const cases: [map: Record<string, PrimitiveInput>, cost: number][] = [
    [{ a: 1, b: null, c: true }, 3],
    [{ list: numbers }, 8 + 3],
    [{ map: { a: 1, b: { c: 2 } } }, 8 + 1 + 8 + 1],
    [{ map: new Map() }, 8],
    [{ text: "x".repeat(1023) }, 1],
    [{ text: "x".repeat(1024) }, 2],
    [{ text: "x".repeat(10_240) }, 11],
    [{ ["n".repeat(2048)]: 1 }, 3],
    [{ bytes: new Uint8Array(100_000) }, 1],
  ];
  for (const [map, cost] of cases) {
    const bytes = encodePrimitiveMap(map);
    assertEquals(
      decodePrimitiveMap(bytes, { maxDecodedValues: cost }).size,
      Object.keys(map).length,
    );
    const error = assertThrows(
      () => decodePrimitiveMap(bytes, { maxDecodedValues: cost - 1 }),
      ProtocolError,
      `more than ${cost - 1} values`,
    );
    assertEquals(error.code, "TOO_MANY_VALUES");
  }
});

test("maps, lists and streams of very many values are refused after 65,536 of them", () => {
  const many = 10_000_000;
  const map = new Uint8Array(4 + 4 * many);
  new DataView(map.buffer).setInt32(0, many);
  const list = new Uint8Array(many);
  // One entry "k", a list of that many nulls.
  list.set([0, 0, 0, 1, 0, 1, 107, 12]);
  new DataView(list.buffer).setInt32(8, many - 12);
  const maps = new Uint8Array(many);
  // A stream of empty maps.
  for (let i = 0; i + 5 <= many; i += 5) maps[i] = 11;
  for (
    const decode of [
      () => decodePrimitiveMap(map),
      () => decodePrimitiveMap(list),
      () => decodeStreamBody(new Uint8Array(many)),
      () => decodeStreamBody(maps),
    ]
  ) {
    const error = assertThrows(decode, ProtocolError, "more than 65536 values");
    assertEquals(error.code, "TOO_MANY_VALUES");
    assert(error.offset < 600_000, `it stopped at ${error.offset}`);
  }
  const most = new PrimitiveMap();
  for (let i = 0; i < 65_536; i++) most.set(`${i}`, i);
  assertEquals(decodePrimitiveMap(encodePrimitiveMap(most)).size, 65_536);
});

test("a count that cannot be true says whether it is above the limit or the bytes are missing", () => {
  const cases: [hex: string, tooMany: boolean][] = [
    // Of a map, and of a list in a map.
    ["00 01 00 01", true],
    ["00 00 00 64", false],
    ["ff ff ff fe", false],
    [`${MAP_OF_ONE} 0c 00 01 00 01`, true],
    [`${MAP_OF_ONE} 0c 00 00 00 64`, false],
    [`${MAP_OF_ONE} 0c ff ff ff ff`, false],
  ];
  for (const [given, tooMany] of cases) {
    const error = assertThrows(() => decodePrimitiveMap(bytes(given)), ProtocolError);
    assertEquals([error.code === "TOO_MANY_VALUES", error.field], [tooMany, "size"], given);
  }
});

test("a long string that is empty is a string", () => {
  const map = decodePrimitiveMap(bytes(`${MAP_OF_ONE} 0d 00 00 00 00`));
  assertEquals([map.get("k"), map.typed("k")?.type], ["", "string"]);
});
