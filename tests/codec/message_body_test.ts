import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  byte,
  BytesReader,
  BytesWriter,
  char,
  decodeMapBody,
  decodeStreamBody,
  decodeTextBody,
  double,
  EncodeError,
  encodeMapBody,
  encodeStreamBody,
  encodeTextBody,
  float,
  long,
  ProtocolError,
  short,
} from "../../codec/mod.ts";
import { test } from "../_harness.ts";
import { bytes, hex } from "./_codec.ts";

test("encodeTextBody() writes a length of 32 bits and modified UTF-8", () => {
  assertEquals(hex(encodeTextBody("hé")!), "00 00 00 03 68 c3 a9");
  assertEquals(hex(encodeTextBody("")!), "00 00 00 00");
  assertEquals(hex(encodeTextBody("\0😀")!), "00 00 00 08 c0 80 ed a0 bd ed b8 80");
  assertEquals(encodeTextBody(null), null);
});

test("decodeTextBody() reads what encodeTextBody() writes, of any length", () => {
  for (const text of ["", "hé", "\0", "😀", "\ud800", "x".repeat(70_000), "€".repeat(30_000)]) {
    assertStrictEquals(decodeTextBody(encodeTextBody(text)), text);
  }
  assertEquals(decodeTextBody(null), null);
  assertEquals(decodeTextBody(bytes("ff ff ff ff")), null);
});

test("decodeTextBody() takes 4-byte UTF-8, which other writers send", () => {
  assertEquals(decodeTextBody(bytes("00 00 00 04 | f0 9f 98 80")), "😀");
});

test("decodeTextBody() refuses bad lengths and bad bytes", () => {
  for (const body of ["", "00 00 00", "00 00 00 01", "ff ff ff fe", "7f ff ff ff", "00000001 80"]) {
    const error = assertThrows(() => decodeTextBody(bytes(body)), ProtocolError);
    assertEquals([error.dataType, error.field], ["ActiveMQTextMessage", "content"], body);
  }
});

test("encodeMapBody() and decodeMapBody() agree with the bytes of Java", () => {
  assertEquals(hex(encodeMapBody({ a: 1 })), "00 00 00 01 00 01 61 05 00 00 00 01");
  assertEquals([...decodeMapBody(bytes("00000001 0001 61 05 00000001"))], [["a", 1]]);
  assertEquals(decodeMapBody(null).size, 0);
});

test("encodeStreamBody() and decodeStreamBody() agree with the bytes of Java", () => {
  const body = "05 00 00 00 01 09 00 01 73 00 0a 00 00 00 01 09 01 01";
  const values = [1, "s", null, Uint8Array.of(9), true];
  assertEquals(hex(encodeStreamBody(values)), body);
  assertEquals([...decodeStreamBody(bytes(body))], values);
  assertEquals(decodeStreamBody(null).length, 0);
  assertEquals(decodeStreamBody(bytes("")).length, 0);
});

test("encodeStreamBody() refuses maps and lists", () => {
  assertThrows(() => encodeStreamBody([{ a: 1 }]), EncodeError, "map");
  assertThrows(() => encodeStreamBody([[1]]), EncodeError, "list");
});

test("decodeStreamBody() refuses a value that is cut off", () => {
  assertThrows(() => decodeStreamBody(bytes("05 00 00 00")), ProtocolError);
  assertThrows(() => decodeStreamBody(bytes("01 01 0e")), ProtocolError, "got 14");
});

test("BytesWriter writes what Java's DataOutput writes", () => {
  const body = new BytesWriter().writeByte(1).writeInt(2).writeUtf("a").writeBoolean(true).finish();
  assertEquals(hex(body), "01 00 00 00 02 00 01 61 01");
  const all = new BytesWriter().writeShort(-2).writeChar("€").writeLong(-2n).writeFloat(1.5)
    .writeDouble(1.5).writeBytes(Uint8Array.of(9)).writeBoolean(false).writeByte(255);
  assertEquals(
    hex(all.finish()),
    "ff fe 20 ac ff ff ff ff ff ff ff fe 3f c0 00 00 3f f8 00 00 00 00 00 00 09 00 ff",
  );
  assertEquals(all.length, 27);
});

test("BytesWriter grows, whatever is written over the end of its buffer", () => {
  const writes: ((w: BytesWriter) => BytesWriter)[] = [
    (w) => w.writeBoolean(true),
    (w) => w.writeByte(-1),
    (w) => w.writeShort(-2),
    (w) => w.writeChar("x"),
    (w) => w.writeInt(-3),
    (w) => w.writeLong(-4),
    (w) => w.writeFloat(0.5),
    (w) => w.writeDouble(-0.5),
    (w) => w.writeUtf("käse 😀"),
    (w) => w.writeBytes(new Uint8Array(3).fill(7)),
  ];
  for (const write of writes) {
    const once = write(new BytesWriter()).finish();
    const writer = new BytesWriter();
    for (let i = 0; i < 300; i++) write(writer);
    const many = writer.finish();
    assertEquals(many.length, once.length * 300);
    assertEquals(hex(many), Array(300).fill(hex(once)).join(" "));
  }
  assertEquals(new BytesWriter().writeBytes(new Uint8Array(100_000)).finish().length, 100_000);
});

test("BytesWriter refuses values out of range and stays as it was", () => {
  const writer = new BytesWriter().writeByte(1);
  const wrong: (() => unknown)[] = [
    () => writer.writeByte(-129),
    () => writer.writeByte(256),
    () => writer.writeShort(-32769),
    () => writer.writeShort(65536),
    () => writer.writeInt(2 ** 31),
    () => writer.writeInt(1.5),
    () => writer.writeLong(2 ** 53),
    () => writer.writeLong(2n ** 63n),
    () => writer.writeChar(""),
    () => writer.writeChar("😀"),
    () => writer.writeUtf("x".repeat(65536)),
    () => writer.writeUtf("€".repeat(21846)),
  ];
  for (const write of wrong) assertThrows(write, RangeError);
  assertEquals(hex(writer.finish()), "01");
});

test("BytesWriter.writeUtf() takes 65,535 bytes", () => {
  const text = "€".repeat(21845);
  assertEquals(new BytesReader(new BytesWriter().writeUtf(text).finish()).readUtf(), text);
});

test("BytesReader reads what Java's DataOutput writes", () => {
  const reader = new BytesReader(bytes(
    "01 | fe | fe | ff fe | ff fe | 20 ac | ff ff ff fe | ff ff ff ff ff ff ff fe | 3f c0 00 00 | " +
      "3f f8 00 00 00 00 00 00 | 00 03 e2 82 ac | 07 08 09",
  ));
  assertEquals(reader.readBoolean(), true);
  assertEquals([reader.readByte(), reader.readUnsignedByte()], [-2, 254]);
  assertEquals([reader.readShort(), reader.readUnsignedShort()], [-2, 65534]);
  assertEquals([reader.readChar(), reader.readInt(), reader.readLong()], ["€", -2, -2n]);
  assertEquals([reader.readFloat(), reader.readDouble(), reader.readUtf()], [1.5, 1.5, "€"]);
  assertEquals([hex(reader.readBytes(1)), reader.remaining], ["07", 2]);
  assertEquals([hex(reader.readBytes()), reader.remaining], ["08 09", 0]);
});

test("BytesReader stays where it is when too few bytes remain", () => {
  const wrong: ((r: BytesReader) => unknown)[] = [
    (r) => r.readInt(),
    (r) => r.readLong(),
    (r) => r.readFloat(),
    (r) => r.readDouble(),
    (r) => r.readUtf(),
    (r) => r.readBytes(4),
    (r) => r.readBytes(-1),
    (r) => r.readBytes(NaN),
  ];
  for (const read of wrong) {
    const reader = new BytesReader(bytes("aa 00 02 78").subarray(1));
    const error = assertThrows(() => read(reader), ProtocolError);
    assertEquals([error.dataType, error.field], ["ActiveMQBytesMessage", "content"]);
    assertEquals(reader.remaining, 3);
  }
  const empty = new BytesReader(null);
  assertThrows(() => empty.readBoolean(), ProtocolError);
  assertEquals(empty.readBytes().length, 0);
});

test("BytesReader.readUtf() refuses bad bytes, says where, and stays where it is", () => {
  const reader = new BytesReader(bytes("01 | 00 02 61 80"));
  reader.readByte();
  const error = assertThrows(() => reader.readUtf(), ProtocolError);
  assertEquals(error.offset, 4);
  assertEquals(reader.readUnsignedShort(), 2);
});

test("BytesReader reads a view at any offset of its buffer", () => {
  const larger = bytes("ff ff ff | 00 00 00 07 | 00 01 61 | ff ff");
  const reader = new BytesReader(larger.subarray(3, 10));
  assertEquals([reader.readInt(), reader.readUtf(), reader.remaining], [7, "a", 0]);
});

test("map and stream bodies keep the Java types", () => {
  const typed = [byte(-1), short(-2), long(3), float(0.1), double(1), char("x")];
  const types = ["byte", "short", "long", "float", "double", "char"];
  const stream = decodeStreamBody(encodeStreamBody(typed));
  assertEquals([...stream.typedValues()].map(({ type }) => type), types);
  const map = decodeMapBody(encodeMapBody(Object.fromEntries(typed.map((v) => [v.type, v]))));
  for (const type of types) assertEquals(map.typed(type)?.type, type);
});

test("encodeTextBody() takes as much for long texts as for their parts, whatever they hold", () => {
  const decoded = new TextDecoder();
  for (const length of [8191, 8192, 8193, 70_000]) {
    for (const last of ["x", "\u00e9", "\0", "\u20ac", "\ud83d\ude00", "\ud800"]) {
      const text = "x".repeat(length - last.length) + last;
      const body = encodeTextBody(text)!;
      const part = encodeTextBody(last)!;
      assertEquals(body.length, 4 + length - last.length + part.length - 4, `${length}`);
      assertEquals(body.subarray(-(part.length - 4)), part.subarray(4));
      assertEquals(
        decoded.decode(body.subarray(4, 4 + length - last.length)),
        text.slice(0, -last.length),
      );
      assertEquals(decodeTextBody(body), text);
    }
  }
});
