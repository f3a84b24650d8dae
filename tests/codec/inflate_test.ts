/** Our inflater beside zlib's own. */

import zlib from "node:zlib";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { equals } from "@std/bytes";
import { inflate, InflateError, inflateFlushed } from "../../codec/inflate.ts";
import { test } from "../_harness.ts";
import { seededRandom } from "../_random.ts";

const LIMIT = 1_000_000;

/** Integers below a number, the same for each seed. */
class Random {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = seededRandom(seed);
  }

  below(end: number): number {
    return Math.floor(this.#next() * end);
  }
}

/** Bytes of many kinds: noise, few symbols, runs, repetitions at all distances. */
function sample(random: Random): Uint8Array<ArrayBuffer> {
  const kind = random.below(5);
  const bytes = new Uint8Array(random.below(kind === 4 ? 100_000 : 3000));
  for (let i = 0; i < bytes.length; i++) {
    if (kind === 0) bytes[i] = random.below(256);
    else if (kind === 1) bytes[i] = random.below(3);
    else if (kind === 2) {
      bytes[i] = i > 7 && random.below(4) > 0 ? bytes[i - 1 - random.below(7)]! : i;
    } else if (kind === 3) bytes[i] = i >> 9;
    else bytes[i] = i > 40_000 ? bytes[i - 32_768]! : (i * i) >> 7;
  }
  return bytes;
}

/** Data with all that an encoder may choose. */
function deflated(bytes: Uint8Array, random: Random): Uint8Array<ArrayBuffer> {
  return new Uint8Array(zlib.deflateSync(bytes, {
    level: random.below(10),
    memLevel: 1 + random.below(9),
    strategy: random.below(5),
    windowBits: 9 + random.below(7),
  }));
}

test("inflate() gives what zlib deflated, whatever level, strategy and window", () => {
  const random = new Random(11);
  for (let i = 0; i < 500; i++) {
    const bytes = sample(random);
    const data = deflated(bytes, random);
    const { bytes: found, ended } = inflate(data, LIMIT);
    assert(ended && equals(found, bytes), `sample ${i}`);
  }
});

test("inflate() takes and refuses the same damaged data as zlib", () => {
  const random = new Random(12);
  let taken = 0;
  for (let i = 0; i < 2000; i++) {
    const data = deflated(sample(random).subarray(0, 3000), random);
    for (let n = random.below(4); n > 0; n--) data[random.below(data.length)] = random.below(256);
    const cut = random.below(3) === 0 ? data.subarray(0, random.below(data.length)) : data;
    let ours: Uint8Array | undefined;
    try {
      const { bytes, ended } = inflate(cut, LIMIT);
      if (ended) ours = bytes;
    } catch (error) {
      if (!(error instanceof InflateError)) throw error;
    }
    let theirs: Uint8Array | undefined;
    try {
      theirs = zlib.inflateSync(cut, { maxOutputLength: LIMIT });
    } catch {
      // It is refused.
    }
    if (ours === undefined && theirs !== undefined) {
      // Bytes behind the end are all that may be the difference.
      const end = inflateEnd(cut);
      assert(end !== undefined && end < cut.length, `sample ${i}: only zlib takes it`);
    } else if (ours !== undefined) {
      taken++;
      assert(theirs !== undefined && equals(ours, theirs), `sample ${i}: zlib differs`);
    }
  }
  assert(taken > 100, `${taken} were taken`);
});

/** Length of the shortest start of data that we take. */
function inflateEnd(data: Uint8Array): number | undefined {
  for (let length = data.length; length > 0; length--) {
    try {
      if (inflate(data.subarray(0, length), LIMIT).ended) return length;
    } catch {
      // Not yet.
    }
  }
  return undefined;
}

test("inflate() stops at the limit and gives what there is to it", () => {
  const bytes = new Uint8Array(100_000).map((_, i) => i % 251);
  for (const level of [0, 1, 9]) {
    const data = new Uint8Array(zlib.deflateSync(bytes, { level }));
    for (const limit of [0, 1, 257, 99_999, 100_000, 100_001]) {
      const found = inflate(data, limit);
      assertEquals(found.ended, limit >= 100_000, `${limit}`);
      assert(equals(found.bytes, bytes.subarray(0, limit)), `${limit}`);
    }
  }
});

test("inflate() refuses data that is cut off at any byte, and bytes behind it", () => {
  const random = new Random(13);
  for (const level of [0, 1, 9]) {
    const bytes = sample(random).subarray(0, 700);
    const data = new Uint8Array(zlib.deflateSync(bytes, { level }));
    for (let length = 0; length < data.length; length++) {
      assertThrows(() => inflate(data.subarray(0, length), LIMIT), InflateError, "cut off");
    }
    const longer = new Uint8Array(data.length + 1);
    longer.set(data);
    assertThrows(() => inflate(longer, LIMIT), InflateError, "bytes behind it");
  }
});

/** Bits, the first of a byte last, as deflate has them. */
function bits(text: string): number[] {
  const all = text.replaceAll(/\s/g, "");
  const bytes: number[] = [];
  for (let i = 0; i < all.length; i += 8) {
    bytes.push(parseInt([...all.slice(i, i + 8).padEnd(8, "0")].reverse().join(""), 2));
  }
  return bytes;
}

/** A number's lowest bit first. */
function low(value: number, count: number): string {
  return [...value.toString(2).padStart(count, "0")].reverse().join("");
}

const wrong: [what: string, body: number[], says: string][] = [
  ["a block of type 3", bits("1 11"), "of no type"],
  ["a stored block whose check differs", [1, 1, 0, 1, 0, 65], "check"],
  ["a distance before the start", bits("1 10 0000001 00001 0000000"), "before the start"],
  ["a length code of no meaning", bits("1 10 11000110"), "no meaning"],
  ["a distance code of no meaning", bits("1 10 00110000 0000001 11110"), "no meaning"],
  ["287 literal codes", bits(`1 01 ${low(30, 5)} ${low(0, 5)} ${low(0, 4)}`), "too many codes"],
  ["31 distance codes", bits(`1 01 ${low(0, 5)} ${low(30, 5)} ${low(0, 4)}`), "too many codes"],
  [
    "more codes for lengths than bits",
    bits(`1 01 ${low(0, 5)} ${low(0, 5)} ${low(0, 4)} ${low(1, 3).repeat(4)}`),
    "more codes than bits",
  ],
  [
    "a code for lengths that isn't complete",
    bits(`1 01 ${low(0, 5)} ${low(0, 5)} ${low(0, 4)} ${low(2, 3)} ${low(0, 3).repeat(3)}`),
    "not complete",
  ],
];

for (const [what, body, says] of wrong) {
  test(`inflate() refuses ${what}`, () => {
    const data = Uint8Array.of(0x78, 0x9c, ...body, ...new Array(20).fill(0));
    const error = assertThrows(() => inflate(data, LIMIT), InflateError);
    assert(error.message.includes(says), error.message);
    assertThrows(() => zlib.inflateSync(data));
  });
}

test("inflate() refuses other headers, dictionaries and wrong checksums", () => {
  const data = new Uint8Array(zlib.deflateSync(new Uint8Array(1000).fill(7)));
  const damaged = data.slice();
  damaged[damaged.length - 1]! ^= 1;
  assertThrows(() => inflate(damaged, LIMIT), InflateError, "checksum");
  const dictionary = Uint8Array.of(0x78, 0xbb, 0, 0, 0, 0);
  assertThrows(() => inflate(dictionary, LIMIT), InflateError, "dictionary");
  const gzip = new Uint8Array(zlib.gzipSync(new Uint8Array(9)));
  for (
    const bad of [
      gzip,
      Uint8Array.of(0x79, 0x9c),
      Uint8Array.of(0x78, 0x9d),
      Uint8Array.of(0x88, 0x1c),
    ]
  ) {
    assertThrows(() => inflate(bad, LIMIT), InflateError, "header");
  }
});

test("inflateFlushed() ends with any block, and not within one", () => {
  const text = "flushed and not ended ".repeat(20);
  const whole = new Uint8Array(
    zlib.deflateSync(text, { finishFlush: zlib.constants.Z_SYNC_FLUSH }),
  );
  const { bytes, ended } = inflateFlushed(whole, LIMIT);
  assertEquals([new TextDecoder().decode(bytes), ended], [text, true]);
  for (let length = 0; length < whole.length - 5; length++) {
    if (length !== 2) {
      assertThrows(() => inflateFlushed(whole.subarray(0, length), LIMIT), InflateError);
    }
  }
});
