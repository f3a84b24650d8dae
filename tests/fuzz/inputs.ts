/** Inputs of the fuzzer: good bytes from vectors and from random values, and what mutations make of them. */
import { concat } from "@std/bytes";
import {
  DataTypeCode,
  deflateMessage,
  encodePrimitiveMap,
  encodeStreamBody,
  encodeTextBody,
  type Message,
  OpenWireEncoder,
  OpenWireFormat,
  type WireFormatSettings,
} from "../../codec/mod.ts";
import { RandomValues } from "../codec/_values.ts";
import { fromFields, fromHex } from "../conformance/convert.ts";
import { ownVectors, readVectors, type Vector } from "../conformance/vectors.ts";

/** How bytes are to be decoded. */
export type Settings = Pick<
  WireFormatSettings,
  | "version"
  | "tightEncodingEnabled"
  | "cacheEnabled"
  | "cacheSize"
  | "stackTraceEnabled"
  | "sizePrefixDisabled"
>;

/** Good frames of one connection. */
export interface Frames {
  readonly settings: Settings;
  readonly bytes: Uint8Array;
}

/** Good bytes of all kinds. */
export interface Corpus {
  readonly frames: readonly Frames[];
  /** First frames of peers. */
  readonly openings: readonly Uint8Array[];
  readonly maps: readonly Uint8Array[];
  readonly bodies: readonly Message[];
  readonly compressed: readonly Message[];
  /** What `finder.ts` has found. */
  readonly found: readonly Frames[];
}

/** Longest piece of a recorded connection. */
const STREAM_LIMIT = 3000;

/** Folder with inputs that took the decoder where no vector does. */
export const foundInputs: URL = new URL("../testdata/fuzz/", import.meta.url);

/** Reads the vectors and what was found. */
export async function readCorpus(): Promise<Corpus> {
  const frames: Frames[] = [];
  const openings: Uint8Array[] = [];
  const maps: Uint8Array[] = [];
  const bodies: Message[] = [];
  const compressed: Message[] = [];
  for await (const vector of readVectors(ownVectors)) {
    if (vector["kind"] === "frame") {
      openings.push(fromHex(vector["hex"] as string));
    } else if ("hexTight" in vector) {
      type Fields = Parameters<typeof fromFields>[1];
      const message = fromFields(vector["type"] as string, vector["fields"] as Fields) as Message;
      (message.compressed ? compressed : bodies).push(message);
      if (!message.compressed) compressed.push(await deflateMessage(message));
      if (message.marshalledProperties) maps.push(message.marshalledProperties);
    } else {
      const settings = settingsOf(vector);
      const bytes = fromHex(vector["hex"] as string);
      frames.push({ settings, bytes: bytes.subarray(0, wholeFrames(bytes)) });
    }
  }
  const found: Frames[] = [];
  for await (const vector of readVectors(foundInputs)) {
    found.push({ settings: settingsOf(vector), bytes: fromHex(vector["hex"] as string) });
  }
  return { frames, openings, maps, bodies, compressed, found };
}

function settingsOf(vector: Vector): Settings {
  return {
    version: vector["version"] as number,
    tightEncodingEnabled: vector["tight"] as boolean,
    cacheEnabled: vector["cache"] as boolean,
    cacheSize: (vector["cacheSize"] as number | undefined) ?? 128,
    stackTraceEnabled: vector["stackTrace"] as boolean,
    sizePrefixDisabled: vector["sizePrefixDisabled"] as boolean,
  };
}

/** End of the frames that lie within the limit. */
function wholeFrames(bytes: Uint8Array): number {
  if (bytes.length <= STREAM_LIMIT) return bytes.length;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  let end = 0;
  while (end + 4 <= bytes.length) {
    const next = end + 4 + view.getInt32(end);
    if (next > STREAM_LIMIT && end > 0) break;
    end = next;
  }
  return Math.min(end, bytes.length);
}

const CODES: readonly number[] = Object.values(DataTypeCode);
const IS_CODE: readonly boolean[] = Array.from({ length: 256 }, (_, i) => CODES.includes(i));
const INTERESTING = [
  0n,
  1n,
  -1n,
  2n,
  0x7fn,
  0x80n,
  0xffn,
  0x7fffn,
  0x8000n,
  0xffffn,
  0x10000n,
  100_000_000n,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  2n ** 63n - 1n,
  -(2n ** 63n),
];

/** Makes inputs from numbers of one generator. */
export class Inputs {
  readonly #corpus: Corpus;
  readonly #random: () => number;

  /** Makes inputs out of a corpus. */
  constructor(corpus: Corpus, random: () => number) {
    this.#corpus = corpus;
    this.#random = random;
  }

  /** An integer from 0 to below a limit. */
  below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  /** True with a probability. */
  chance(probability: number): boolean {
    return this.#random() < probability;
  }

  /** One of some values. */
  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }

  /** Random settings. */
  settings(): Settings {
    return {
      version: 1 + this.below(12),
      tightEncodingEnabled: this.chance(0.5),
      cacheEnabled: this.chance(0.5),
      cacheSize: this.pick([1, 2, 16, 100, 128, 1024]),
      stackTraceEnabled: this.chance(0.5),
      sizePrefixDisabled: this.chance(0.15),
    };
  }

  /** Good frames, of a vector or of random values. */
  goodFrames(): Frames {
    return this.chance(0.6) ? this.pick(this.#corpus.frames) : this.#written();
  }

  #written(): Frames {
    const settings = this.settings();
    const encoder = new OpenWireEncoder(OpenWireFormat.fixed(settings));
    const values = new RandomValues(this.#random, settings.version);
    for (let n = this.chance(0.7) ? 1 : 1 + this.below(6); n > 0; n--) encoder.write(values.any());
    return { settings, bytes: encoder.take() };
  }

  /** Frames of which something may be wrong. */
  frames(): Frames {
    const kind = this.#random();
    if (kind < 0.04) return { settings: this.settings(), bytes: this.#noise() };
    if (kind < 0.06) return this.#deep();
    const good = this.goodFrames();
    const settings = this.chance(0.08) ? this.settings() : good.settings;
    return { settings, bytes: this.#mutateFrames(good.bytes, settings) };
  }

  /** Frames to make mutants of. */
  ancestor(): Frames {
    const { found } = this.#corpus;
    return found.length > 0 && this.chance(0.35) ? this.pick(found) : this.goodFrames();
  }

  /** The same frames, of which something may be wrong. */
  mutant({ settings, bytes }: Frames): Uint8Array {
    return this.#mutateFrames(bytes, settings);
  }

  /** What a peer may say first, and something after it. */
  opening(): Uint8Array {
    const first = this.pick(this.#corpus.openings);
    const bytes = this.chance(0.3) ? first : this.#fixSize(this.mutate(first), 0);
    return this.chance(0.5) ? bytes : concat([bytes, this.goodFrames().bytes]);
  }

  /** A primitive map of which something may be wrong. */
  map(): Uint8Array {
    if (this.chance(0.02)) return this.#deepMap();
    const values = new RandomValues(this.#random, 12);
    const good = this.chance(0.5)
      ? this.pick(this.#corpus.maps)
      : encodePrimitiveMap(values.primitives());
    return this.mutate(good);
  }

  /** A message whose content may be wrong. */
  body(): Message {
    const message = this.pick(this.#corpus.bodies);
    const values = new RandomValues(this.#random, 12);
    let content = message.content ?? new Uint8Array(0);
    if (this.chance(0.4)) {
      content = this.chance(0.5) ? encodeTextBody(values.text())! : encodeStreamBody(
        [...Array(this.below(5))].map(() => values.primitive(9)),
      );
    }
    return { ...message, content: this.mutate(content) };
  }

  /** A compressed message whose content may be wrong. */
  compressed(): Message {
    const message = this.pick(this.#corpus.compressed);
    return { ...message, compressed: true, content: this.mutate(message.content ?? this.#noise()) };
  }

  /** The bytes in pieces, of which there are a few thousand at most. */
  chunks(bytes: Uint8Array, pieces = 2000): Uint8Array[] {
    const least = Math.ceil(bytes.length / pieces);
    const most = Math.max(2 * least, this.pick([1, 2, 5, 20, 100, 1 + bytes.length]));
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < bytes.length;) {
      const size = 1 + this.below(most);
      chunks.push(bytes.subarray(at, at + size));
      at += size;
    }
    return chunks;
  }

  /** The same bytes with zero to a few changes. */
  mutate(bytes: Uint8Array): Uint8Array {
    let result = bytes;
    for (let n = this.pick([0, 1, 1, 1, 1, 2, 2, 3, 8]); n > 0; n--) result = this.#change(result);
    return result;
  }

  #mutateFrames(bytes: Uint8Array, { tightEncodingEnabled, sizePrefixDisabled }: Settings) {
    const start = sizePrefixDisabled ? 0 : 4;
    if (bytes.length <= start + 1) return bytes;
    let result = bytes;
    if (this.chance(0.15)) {
      // Another type for the same bytes.
      result = result.slice();
      result[start] = this.chance(0.8) ? this.pick(CODES) : this.below(256);
    }
    if (tightEncodingEnabled && this.chance(0.4)) {
      result = result.slice();
      const bits = Math.min(result[start + 1]! & 0x3f, result.length - start - 2);
      for (let n = 1 + this.below(3); n > 0; n--) {
        result[start + 1 + this.below(bits + 1)]! ^= 1 << this.below(8);
      }
    }
    if (this.chance(0.1)) {
      // The end of other frames behind a part of these.
      const other = this.goodFrames().bytes;
      result = concat([
        result.subarray(0, this.below(result.length)),
        other.subarray(this.below(other.length)),
      ]);
    }
    result = this.mutate(result);
    return sizePrefixDisabled || this.chance(0.1) ? result : this.#fixSize(result, bytes.length);
  }

  /** Makes the first frame's size right: as it must be for what changed behind it to be seen. */
  #fixSize(bytes: Uint8Array, original: number): Uint8Array {
    if (bytes.length < 5) return bytes;
    const result = bytes.slice();
    const view = new DataView(result.buffer);
    const size = view.getInt32(0) + (original > 0 ? bytes.length - original : 0);
    const whole = size > 0 && size <= bytes.length - 4 && this.chance(0.5);
    view.setInt32(0, whole ? size : bytes.length - 4);
    return result;
  }

  #change(bytes: Uint8Array): Uint8Array {
    if (bytes.length === 0) return this.#noise();
    const at = this.below(bytes.length);
    const result = bytes.slice();
    switch (this.below(11)) {
      case 0:
        result[at]! ^= 1 << this.below(8);
        return result;
      case 1:
        result[at] = this.below(256);
        return result;
      case 2:
        return this.#writeNumber(result, at);
      case 3: {
        // A length, count or offset that is almost right.
        const width = this.pick([1, 2, 4]);
        if (at + width > result.length) return result;
        return put(result, at, BigInt(result.length - at - width + this.below(9) - 4), width);
      }
      case 4:
        return concat([bytes.subarray(0, at), bytes.subarray(at + 1 + this.below(16))]);
      case 5:
        return concat([bytes.subarray(0, at), this.#noise(), bytes.subarray(at)]);
      case 6: {
        const part = bytes.subarray(at, at + 1 + this.below(24));
        const times = this.pick([1, 1, 2, 10, 100]);
        return concat([bytes.subarray(0, at), ...new Array(times).fill(part), bytes.subarray(at)]);
      }
      case 7:
        return result.subarray(0, at);
      case 8: {
        // A nested type for another one.
        const places = [...result.keys()].filter((i) => IS_CODE[result[i]!]);
        if (places.length > 0) result[this.pick(places)] = this.pick(CODES);
        return result;
      }
      case 9: {
        const other = this.below(bytes.length);
        const size = 1 + this.below(8);
        result.set(bytes.subarray(other, Math.min(other + size, other + bytes.length - at)), at);
        return result;
      }
      default: {
        // A small short, such as a key of the cache.
        return at + 2 > result.length
          ? result
          : put(result, at, BigInt(this.pick([-1, 0, 1, 2, 15, 16, 99, 100, 127, 128])), 2);
      }
    }
  }

  #writeNumber(bytes: Uint8Array, at: number): Uint8Array {
    const width = this.pick([1, 2, 4, 8]);
    return at + width > bytes.length ? bytes : put(bytes, at, this.pick(INTERESTING), width);
  }

  #noise(): Uint8Array {
    const bytes = new Uint8Array(this.chance(0.05) ? this.below(5000) : this.below(40));
    const fill = this.pick([-1, -1, 0, 1, 0xff]);
    for (let i = 0; i < bytes.length; i++) bytes[i] = fill < 0 ? this.below(256) : fill;
    return bytes;
  }

  /** Objects within objects. */
  #deep(): Frames {
    const settings = { ...this.settings(), tightEncodingEnabled: false, sizePrefixDisabled: false };
    const level = this.pick(["20000000000000000000 01", "1f00000000000000000001", "0100000000"]);
    const part = fromHex(level.replace(" ", ""));
    const times = this.pick([5, 31, 32, 33, 34, 1000, 20_000]);
    const bytes = concat([
      new Uint8Array(4),
      ...new Array(times).fill(part),
      Uint8Array.of(120, 0),
    ]);
    return { settings, bytes: this.#fixSize(bytes, 0) };
  }

  #deepMap(): Uint8Array {
    const part = fromHex(this.pick(["0000000100016b0b", "000000010c", "0000000100000b"]));
    const times = this.pick([5, 126, 127, 128, 129, 10_000]);
    return concat([fromHex("0000000100016b0b"), ...new Array(times).fill(part), new Uint8Array(4)]);
  }
}

function put(bytes: Uint8Array, at: number, value: bigint, width: number): Uint8Array {
  for (let i = 0; i < width; i++) {
    bytes[at + i] = Number((value >> BigInt(8 * (width - 1 - i))) & 0xffn);
  }
  return bytes;
}
