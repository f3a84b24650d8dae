import { assertEquals, assertStrictEquals } from "@std/assert";
import { createSessionId, type Long, type SessionId } from "../../codec/mod.ts";
import { test } from "../_harness.ts";
import { decode, encode, hex, LOOSE, TIGHT, unencodable } from "./_codec.ts";

/** Value, bits of tight encoding after those of the null connection id, data of tight encoding. */
const CASES: readonly (readonly [value: Long, bits: string, data: string])[] = [
  [0, "00", ""],
  [1, "04", "00 01"],
  [0x7fff, "04", "7f ff"],
  [0x8000, "04", "80 00"],
  [0xffff, "04", "ff ff"],
  [0x10000, "02", "00 01 00 00"],
  [0x7fffffff, "02", "7f ff ff ff"],
  [0x80000000, "02", "80 00 00 00"],
  [0xffffffff, "02", "ff ff ff ff"],
  [2 ** 32, "06", "00 00 00 01 00 00 00 00"],
  [2 ** 53 - 1, "06", "00 1f ff ff ff ff ff ff"],
  [2n ** 53n, "06", "00 20 00 00 00 00 00 00"],
  [2n ** 53n + 1n, "06", "00 20 00 00 00 00 00 01"],
  [2n ** 63n - 1n, "06", "7f ff ff ff ff ff ff ff"],
  [-1, "06", "ff ff ff ff ff ff ff ff"],
  [-0x8000, "06", "ff ff ff ff ff ff 80 00"],
  [-(2 ** 31), "06", "ff ff ff ff 80 00 00 00"],
  [-(2 ** 32), "06", "ff ff ff ff 00 00 00 00"],
  [-(2 ** 32) - 1, "06", "ff ff ff fe ff ff ff ff"],
  [-(2 ** 53) + 1, "06", "ff e0 00 00 00 00 00 01"],
  [-(2n ** 53n), "06", "ff e0 00 00 00 00 00 00"],
  [-(2n ** 63n), "06", "80 00 00 00 00 00 00 00"],
];

for (const [value, bits, data] of CASES) {
  test(`a tight long of ${value} takes ${data === "" ? 0 : (data.length + 1) / 3} bytes`, () => {
    const bytes = encode(createSessionId({ value }), TIGHT);
    assertEquals(hex(bytes.subarray(4)), ["79 01", bits, data].filter(Boolean).join(" "));
    assertStrictEquals(decode<SessionId>(bytes, TIGHT).value, value);
  });

  test(`a loose long of ${value} takes 8 bytes`, () => {
    const bytes = encode(createSessionId({ value }), LOOSE);
    const all = new DataView(new ArrayBuffer(8));
    all.setBigInt64(0, BigInt(value));
    assertEquals(hex(bytes.subarray(4)), `79 00 ${hex(new Uint8Array(all.buffer))}`);
    assertStrictEquals(decode<SessionId>(bytes, LOOSE).value, value);
  });
}

test("a long is written alike from a number and from a bigint", () => {
  for (const [value] of CASES) {
    for (const settings of [LOOSE, TIGHT]) {
      const expected = hex(encode(createSessionId({ value }), settings));
      assertEquals(hex(encode(createSessionId({ value: BigInt(value) }), settings)), expected);
    }
  }
});

test("a long that is no integer of 64 bits, or not exact, is refused", () => {
  const wrong = [2 ** 53, -(2 ** 53), 1.5, NaN, Infinity, 2n ** 63n, -(2n ** 63n) - 1n];
  for (const value of wrong) {
    for (const settings of [LOOSE, TIGHT]) {
      const error = unencodable(createSessionId({ value }), settings, "64-bit integer");
      assertEquals([error.dataType, error.field], ["SessionId", "value"]);
    }
  }
});
