import { assertEquals } from "@std/assert";
import { BitStream } from "../../codec/bit_stream.ts";
import { createDataArrayResponse, type DataArrayResponse } from "../../codec/mod.ts";
import { test } from "../_harness.ts";
import { decode, encode, frame, hex, refused, TIGHT } from "./_codec.ts";

function written(bits: readonly boolean[]): Uint8Array {
  const stream = new BitStream();
  for (const bit of bits) stream.write(bit);
  const target = new Uint8Array(stream.wireLength);
  assertEquals(stream.writeTo(target, 0), target.length);
  return target;
}

test("BitStream fills bytes from the least significant bit", () => {
  const bits = [1, 0, 1, 1, 0, 0, 0, 0, 1].map(Boolean);
  assertEquals(hex(written(bits)), "02 0d 01");
  assertEquals(hex(written([])), "00");
});

test("BitStream has three forms of its length", () => {
  const start = (count: number) => hex(written(new Array(count).fill(true)).subarray(0, 3));
  assertEquals(start(504), "3f ff ff");
  assertEquals(start(505), "c0 40 ff");
  assertEquals(start(512), "c0 40 ff");
  assertEquals(start(2040), "c0 ff ff");
  assertEquals(start(2041), "80 01 00");
  assertEquals(start(2048), "80 01 00");
});

test("BitStream replays what was written, and forgets it when cleared", () => {
  const bits = Array.from({ length: 3000 }, (_, i) => i % 3 === 0 || i % 7 === 0);
  const stream = new BitStream();
  for (let turn = 0; turn < 2; turn++) {
    for (const bit of bits) stream.write(bit);
    assertEquals([stream.length, stream.byteLength], [3000, 375]);
    assertEquals(bits.map(() => stream.read()), bits);
    stream.clear();
    assertEquals(stream.byteLength, 0);
  }
  stream.write(false);
  assertEquals(stream.read(), false);
});

// A DataArrayResponse with n absent elements has n + 2 bits.
for (const bytes of [1, 62, 63, 64, 65, 255, 256, 257, 4095]) {
  test(`a boolean stream of ${bytes} bytes passes`, () => {
    const data = new Array(bytes * 8 - 2).fill(null);
    const encoded = encode(createDataArrayResponse({ data }), TIGHT);
    assertEquals(decode<DataArrayResponse>(encoded, TIGHT).data?.length, data.length);
  });
}

test("OpenWireDecoder.push() refuses lengths of the boolean stream that no peer writes", () => {
  for (const first of ["40", "7f", "81", "bf", "c1", "ff"]) {
    const error = refused(frame(`0a | ${first} | 00 00 00 07`), TIGHT, "boolean stream length");
    assertEquals([error.offset, error.field], [6, "booleanStream"]);
  }
  refused(frame("0a | 80 ff ff | 00 00 00 07"), TIGHT, "boolean stream length is -1");
});

test("OpenWireDecoder.push() refuses a boolean stream that is longer than the frame", () => {
  refused(frame("0a | 3f 00"), TIGHT, "63 bytes are expected, 1 remain");
  refused(frame("0a | c0 ff 00"), TIGHT, "255 bytes are expected");
  refused(frame("0a | 80 7f ff 00"), TIGHT, "32767 bytes are expected");
  for (const cut of ["0a", "0a c0", "0a 80", "0a 80 00"]) refused(frame(cut), TIGHT, "remain");
});

test("OpenWireDecoder.push() takes the longer forms of a short boolean stream", () => {
  for (const bits of ["01 01", "c0 01 01", "80 00 01 01"]) {
    assertEquals(decode(frame(`0a | ${bits} | 00 00 00 07`), TIGHT), {
      dataType: "KeepAliveInfo",
      commandId: 7,
      responseRequired: true,
    });
  }
});

test("OpenWireDecoder.push() refuses too few bits", () => {
  refused(frame("0a | 00 | 00 00 00 07"), TIGHT, "no more bits");
  refused(frame("79 | 00 | 00 01 63 | 00 01"), TIGHT, "no more bits");
});

test("OpenWireDecoder.push() refuses bits left over and padding that isn't zero", () => {
  refused(frame("0a | 01 03 | 00 00 00 07"), TIGHT, "7 bits are left over");
  refused(frame("0a | 01 81 | 00 00 00 07"), TIGHT, "7 bits are left over");
  refused(frame("0a | 02 01 00 | 00 00 00 07"), TIGHT, "15 bits are left over");
});
