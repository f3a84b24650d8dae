import { assertEquals, assertStrictEquals } from "@std/assert";
import { type BrokerId, createBrokerId } from "../../codec/mod.ts";
import { modifiedUtf8Length, writeModifiedUtf8 } from "../../codec/modified_utf8.ts";
import { test } from "../_harness.ts";
import { seededRandom } from "../_random.ts";
import { decode, encode, frame, hex, LOOSE, refused, TIGHT, unencodable } from "./_codec.ts";

/** Text, its modified UTF-8, and whether tight encoding calls it ASCII. */
const TEXTS: readonly (readonly [text: string, bytes: string, ascii: boolean])[] = [
  ["", "", true],
  ["a", "61", true],
  ["\x01\x7f", "01 7f", true],
  ["\0", "c0 80", false],
  ["a\0b", "61 c0 80 62", false],
  ["\x80", "c2 80", false],
  ["é", "c3 a9", false],
  ["\u07ff", "df bf", false],
  ["\u0800", "e0 a0 80", false],
  ["€", "e2 82 ac", false],
  ["\ufeff", "ef bb bf", false],
  ["\ufffd", "ef bf bd", false],
  ["\uffff", "ef bf bf", false],
  ["😀", "ed a0 bd ed b8 80", false],
  ["\u{10000}", "ed a0 80 ed b0 80", false],
  ["\u{10ffff}", "ed af bf ed bf bf", false],
  ["\ud800", "ed a0 80", false],
  ["\udfff", "ed bf bf", false],
  ["\ud83dx", "ed a0 bd 78", false],
  ["\ude00\ud83d", "ed b8 80 ed a0 bd", false],
];

for (const [text, bytes, ascii] of TEXTS) {
  const name = JSON.stringify(text).replaceAll(
    /[^ -~]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  test(`the string ${name} is ${bytes || "empty"} on the wire`, () => {
    const size = `00 0${bytes === "" ? 0 : (bytes.length + 1) / 3}`;
    const tight = ["7c 01", ascii ? "03" : "01", size, bytes].filter(Boolean).join(" ");
    const loose = ["7c 01", size, bytes].filter(Boolean).join(" ");
    for (const [settings, expected] of [[TIGHT, tight], [LOOSE, loose]] as const) {
      const encoded = encode(createBrokerId({ value: text }), settings);
      assertEquals(hex(encoded.subarray(4)), expected);
      assertStrictEquals(decode<BrokerId>(encoded, settings).value, text);
    }
  });
}

test("a null string is one bit, or one byte", () => {
  assertEquals(hex(encode(createBrokerId(), TIGHT)), "00 00 00 03 7c 01 00");
  assertEquals(hex(encode(createBrokerId(), LOOSE)), "00 00 00 02 7c 00");
  assertEquals(decode<BrokerId>(frame("7c 01 00"), TIGHT).value, null);
  assertEquals(decode<BrokerId>(frame("7c 00"), LOOSE).value, null);
});

test("a text is the same at each length around those where the codec changes its way", () => {
  const random = seededRandom(3);
  const alphabets = ["a", "az\0", "aé€", "a😀\ud800\ufffd"];
  for (const alphabet of alphabets) {
    for (const length of [1, 3, 4, 5, 7, 47, 48, 49, 63, 64, 65, 66, 4095, 4096, 4097, 9000]) {
      let text = "";
      while (text.length < length) text += alphabet[Math.floor(random() * alphabet.length)];
      const target = new Uint8Array(length * 3);
      assertEquals(writeModifiedUtf8(text, target, 0), modifiedUtf8Length(text));
      for (const settings of [LOOSE, TIGHT]) {
        assertStrictEquals(
          decode<BrokerId>(encode(createBrokerId({ value: text }), settings), settings).value,
          text,
        );
      }
    }
  }
});

test("OpenWireDecoder.push() takes an ASCII string whose flag is off", () => {
  assertEquals(decode<BrokerId>(frame('7c 01 01 00 05 | "hello"'), TIGHT).value, "hello");
});

test("OpenWireDecoder.push() reads bytes that are flagged as ASCII as Latin-1", () => {
  assertEquals(decode<BrokerId>(frame("7c 01 03 00 01 e9"), TIGHT).value, "é");
  assertEquals(decode<BrokerId>(frame("7c 01 03 00 02 c3 a9"), TIGHT).value, "Ã©");
  assertEquals(decode<BrokerId>(frame("7c 01 03 00 03 ef bf bd"), TIGHT).value, "ï¿½");
  assertEquals(decode<BrokerId>(frame("7c 01 03 00 01 00"), TIGHT).value, "\0");
  const all = Array.from({ length: 256 }, (_, i) => i);
  const bytes = all.map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const long = `${bytes}`.repeat(32);
  assertEquals(
    decode<BrokerId>(frame(`7c 01 03 20 00 ${long}`), TIGHT).value,
    String.fromCharCode(...all).repeat(32),
  );
});

test("OpenWireDecoder.push() tolerates what Java's reader does, and 4-byte UTF-8", () => {
  const read = (bytes: string): string | null =>
    decode<BrokerId>(frame(`7c 01 00 0${bytes.split(" ").length} ${bytes}`), LOOSE).value;
  assertEquals(read("f0 9f 98 80"), "😀");
  assertEquals(read("78 f4 8f bf bf"), "x\u{10ffff}");
  assertEquals(read("f0 9f 98 80 ed a0 80"), "😀\ud800");
  assertEquals(read("00"), "\0");
  assertEquals(read("61 00 62"), "a\0b");
  // Overlong forms of `a`.
  assertEquals(read("c1 a1"), "a");
  assertEquals(read("e0 81 a1"), "a");
  assertEquals(read("f0 80 81 a1"), "a");
});

test("OpenWireDecoder.push() refuses what is no modified UTF-8, at the bad byte", () => {
  const cases: [bytes: string, bad: number][] = [
    ["80", 0],
    ["61 bf", 1],
    ["c3", 0],
    ["c3 28", 0],
    ["61 e2 82", 1],
    ["e2 28 ac", 0],
    ["e2 82 28", 0],
    ["f0 9f 98", 0],
    ["f0 9f 98 28", 0],
    ["f4 90 80 80", 0],
    ["f8 88 80 80 80", 0],
    ["ff", 0],
    ["fe", 0],
    ["ef bf bd ff", 3],
  ];
  for (const [bytes, bad] of cases) {
    const size = `00 0${bytes.split(" ").length}`;
    const loose = refused(frame(`7c 01 ${size} ${bytes}`), LOOSE, "no modified UTF-8");
    assertEquals([loose.offset, loose.dataType, loose.field], [8 + bad, "BrokerId", "value"]);
    const tight = refused(frame(`7c 01 01 ${size} ${bytes}`), TIGHT, "no modified UTF-8");
    assertEquals(tight.offset, 9 + bad);
  }
});

test("OpenWireDecoder.push() refuses strings that are longer than the frame", () => {
  refused(frame("7c 01 00 02 61"), LOOSE, "2 bytes are expected, 1 remain");
  refused(frame("7c 01 ff ff 61"), LOOSE, "65535 bytes are expected");
  refused(frame("7c 01 01 ff ff 61"), TIGHT, "65535 bytes are expected");
  refused(frame("7c 01 03 00 02 61"), TIGHT, "2 bytes are expected");
  refused(frame("7c 01 03 80 00 61"), TIGHT, "string length is -32768");
  refused(frame("7c 01 00"), LOOSE, "2 bytes are expected");
});

test("OpenWireEncoder.encode() limits strings to what Java's readers take", () => {
  const of = (value: string) => createBrokerId({ value });
  for (const long of ["x".repeat(32766), "€".repeat(10922), "\0".repeat(16383)]) {
    assertStrictEquals(decode<BrokerId>(encode(of(long), TIGHT), TIGHT).value, long);
  }
  for (const long of ["x".repeat(65535), "€".repeat(21845)]) {
    assertStrictEquals(decode<BrokerId>(encode(of(long), LOOSE), LOOSE).value, long);
    unencodable(of(long), TIGHT, "32766 are allowed");
  }
  for (const long of ["x".repeat(32767), "€".repeat(10923), "\0".repeat(16384)]) {
    const error = unencodable(of(long), TIGHT, "32766 are allowed");
    assertEquals([error.code, error.dataType, error.field], ["ENCODE", "BrokerId", "value"]);
  }
  for (const long of ["x".repeat(65536), "€".repeat(21846), "x".repeat(1e6)]) {
    unencodable(of(long), LOOSE, "65535 are allowed");
  }
});

test("texts that hash to the same slot are told apart", () => {
  // Far more texts than slots, each seen twice.
  for (let turn = 0; turn < 2; turn++) {
    for (let i = 0; i < 5000; i++) {
      const value = `ID:host-${i}-${"x".repeat(i % 60)}`;
      assertStrictEquals(
        decode<BrokerId>(encode(createBrokerId({ value }), LOOSE), LOOSE).value,
        value,
      );
    }
  }
});

test("texts of one character are told apart by their lengths", () => {
  // Their words are the same.
  for (let turn = 0; turn < 2; turn++) {
    for (let unit = 0x20; unit < 0x7f; unit++) {
      for (let length = 4; length <= 64; length++) {
        const value = String.fromCharCode(unit).repeat(length);
        const size = length.toString(16).padStart(4, "0");
        const bytes = frame(`7c 01 ${size} ${unit.toString(16).repeat(length)}`);
        if (decode<BrokerId>(bytes, LOOSE).value !== value) throw new Error(`not ${value}`);
      }
    }
  }
});
