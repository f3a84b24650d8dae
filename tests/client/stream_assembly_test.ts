/** How streams are cut and put together, without a broker. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { OpenWireError, ProtocolError } from "../../mod.ts";
import {
  type ChunkHeader,
  readChunkHeader,
  toChunkHeaders,
} from "../../client/stream/chunk_header.ts";
import { chunksOf } from "../../client/stream/chunks.ts";
import { crc32 } from "../../client/stream/crc32.ts";
import { StreamAssembly } from "../../client/stream/stream_assembly.ts";
import { test } from "../_harness.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const ID = "00000000-0000-4000-8000-000000000000";

function header(index: number, rest: Partial<ChunkHeader> = {}): ChunkHeader {
  return { id: ID, index, end: undefined, length: undefined, crc32: undefined, ...rest };
}

function last(index: number, all: string): ChunkHeader {
  return header(index, { end: "last", length: all.length, crc32: crc32(utf8(all)) });
}

async function cut(pieces: readonly string[], size: number): Promise<[string, boolean][]> {
  async function* source(): AsyncGenerator<Uint8Array> {
    for (const piece of pieces) yield await Promise.resolve(utf8(piece));
  }
  const chunks = await Array.fromAsync(chunksOf(source(), size));
  return chunks.map(({ bytes, last }) => [new TextDecoder().decode(bytes), last]);
}

test("crc32() is that of zip, however it is divided", () => {
  assertEquals(crc32(utf8("123456789")), 0xcbf43926);
  assertEquals(crc32(utf8("6789"), crc32(utf8("12345"))), 0xcbf43926);
  assertEquals(crc32(new Uint8Array(0)), 0);
  assertEquals(crc32(new Uint8Array(0), 0xcbf43926), 0xcbf43926);
});

test("chunksOf() gives chunks of one size, and marks the last", async () => {
  assertEquals(await cut([], 3), [["", true]]);
  assertEquals(await cut(["", ""], 3), [["", true]]);
  assertEquals(await cut(["abc"], 3), [["abc", true]]);
  assertEquals(await cut(["abc", ""], 3), [["abc", true]]);
  assertEquals(await cut(["abcd"], 3), [["abc", false], ["d", true]]);
  assertEquals(await cut(["a", "bc", "defgh"], 3), [["abc", false], ["def", false], ["gh", true]]);
});

test("chunksOf() copies what the source may change", async () => {
  const piece = utf8("abcdef");
  async function* source(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(piece);
    piece.fill(0);
  }
  const chunks = await Array.fromAsync(chunksOf(source(), 4));
  assertEquals(chunks.map(({ bytes }) => new TextDecoder().decode(bytes)), ["abcd", "ef"]);
});

test("chunks come one after another, and those that come twice count once", () => {
  const assembly = new StreamAssembly(ID);
  const places = [
    assembly.push(header(0), utf8("ab")),
    assembly.push(header(1), utf8("cd")),
    assembly.push(header(0), utf8("ab")),
    assembly.push(header(1), utf8("cd")),
    assembly.push(last(2, "abcdef"), utf8("ef")),
    assembly.push(last(2, "abcdef"), utf8("ef")),
  ];
  assertEquals(places, ["next", "next", "duplicate", "duplicate", "last", "duplicate"]);
  assertEquals([assembly.bytes, assembly.ended], [6, true]);
});

test("a stream is broken when a chunk is missing or is not what was sent", () => {
  const broken = (chunks: [ChunkHeader, string][], problem: string, code = "STREAM_BROKEN") => {
    const assembly = new StreamAssembly(ID);
    const [bad, text] = chunks.pop()!;
    for (const [given, text] of chunks) assembly.push(given, utf8(text));
    const error = assertThrows(() => assembly.push(bad, utf8(text)), OpenWireError, problem);
    assertEquals(error.code, code);
  };
  broken([[header(1), "b"]], "chunk 1 came where chunk 0 is expected");
  broken([[header(0), "a"], [header(2), "c"]], "chunk 2 came where chunk 1 is expected");
  broken([[header(0), "a"], [last(1, "abc"), "b"]], "2 bytes have come of 3");
  broken([[header(0), "a"], [last(1, "a"), "b"]], "2 bytes have come of 1");
  broken([[header(0, { length: 3 }), "a"], [last(1, "ab"), "b"]], "2 bytes have come of 2");
  broken([[header(0, { length: 1 }), "ab"]], "2 bytes have come of 1");
  broken([[header(0), "a"], [last(1, "ab"), "c"]], "checksum");
  broken([[header(0), "a"], [header(7, { end: "aborted" }), ""]], "given it up", "STREAM_ABORTED");
});

test("the properties of a chunk are read as they were written, and refused when they can't be", () => {
  const written = toChunkHeaders(last(1, "ab"), { file: "a.txt" }, true);
  assertEquals([written.groupId, written.groupSequence], [ID, -1]);
  assertEquals(toChunkHeaders(header(0), {}, true).groupId, undefined);
  assertEquals(toChunkHeaders(header(1), {}, true).groupSequence, 2);
  assertEquals(toChunkHeaders(header(1), {}, false).groupId, undefined);
  const values = new Map<string, unknown>([
    ["openwire_stream", ID],
    ["openwire_stream_index", 1],
    ["openwire_stream_end", "last"],
    ["openwire_stream_length", 2n],
    ["openwire_stream_crc32", BigInt(crc32(utf8("ab")))],
  ]);
  assertEquals(readChunkHeader(values), last(1, "ab"));
  assertEquals(readChunkHeader(new Map([["openwire_stream_index", 1]])), undefined);
  const wrong: [string, unknown][] = [
    ["openwire_stream", null],
    ["openwire_stream", `${ID}'`],
    ["openwire_stream_index", -1],
    ["openwire_stream_index", 1.5],
    ["openwire_stream_index", "1"],
    ["openwire_stream_index", 0x80000000],
    ["openwire_stream_index", NaN],
    ["openwire_stream_end", "maybe"],
    ["openwire_stream_length", -1n],
    ["openwire_stream_length", 2n ** 63n - 1n],
    ["openwire_stream_length", null],
    ["openwire_stream_crc32", 2n ** 32n],
    ["openwire_stream_crc32", null],
  ];
  for (const [name, value] of wrong) {
    assertThrows(
      () => readChunkHeader(new Map([...values, [name, value]])),
      ProtocolError,
      name.slice(0, 15),
    );
  }
});

test("chunksOf() refuses what is no bytes", async () => {
  async function* source(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve("text" as unknown as Uint8Array);
  }
  await assertRejects(
    () => Array.fromAsync(chunksOf(source(), 3)),
    TypeError,
    "a Uint8Array is expected",
  );
});
