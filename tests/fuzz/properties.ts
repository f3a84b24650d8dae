/** What must hold of the codec for any bytes. Each function throws a {@linkcode Finding} where it doesn't. */
import { equals } from "@std/bytes";
import {
  BytesReader,
  type DataStructure,
  decodeMapBody,
  decodePrimitiveMap,
  decodeStreamBody,
  decodeTextBody,
  EncodeError,
  encodePrimitiveMap,
  encodeStreamBody,
  encodeTextBody,
  inflateMessage,
  type Message,
  OpenWireDecoder,
  OpenWireEncoder,
  OpenWireFormat,
  PrimitiveList,
  PrimitiveMap,
  ProtocolError,
} from "../../codec/mod.ts";
import type { Settings } from "./inputs.ts";

/** Something that must not be. */
export class Finding extends Error {
  override readonly name: string = "Finding";
  /** The bytes, where a case has several inputs. */
  bytes: Uint8Array | undefined;
}

/** What became of an input. */
export type Outcome = "decoded" | "refused";

interface Decoded {
  readonly commands: DataStructure[];
  readonly error: ProtocolError | undefined;
}

/** Bytes give commands or a ProtocolError, alike however they are cut, and the commands can be encoded again. */
export function checkFrames(
  bytes: Uint8Array,
  chunks: readonly Uint8Array[],
  settings: Settings,
): Outcome {
  const whole = decode(OpenWireFormat.fixed(settings), [bytes]);
  const cut = decode(OpenWireFormat.fixed(settings), chunks);
  same("cut into chunks", whole.commands, cut.commands);
  // Without sizes a decoder may see that it can't go on before or after it sees that bytes are missing.
  if (!settings.sizePrefixDisabled && whole.error?.message !== cut.error?.message) {
    throw new Finding(`cut into chunks: ${cut.error?.message} instead of ${whole.error?.message}`);
  }
  checkWeight(whole.commands, bytes.length);
  checkAgain(whole.commands, settings);
  checkSkips(bytes, chunks, settings, whole);
  return whole.error ? "refused" : "decoded";
}

/** Dispatches that can't be read are skipped alike however the bytes are cut, and nothing else is decoded otherwise. */
function checkSkips(
  bytes: Uint8Array,
  chunks: readonly Uint8Array[],
  settings: Settings,
  { commands, error }: Decoded,
): void {
  // Some frames are above the limit.
  const format = () => OpenWireFormat.fixed({ ...settings, maxFrameSize: 1024 });
  const [whole, cut] = [skipping(format(), [bytes]), skipping(format(), chunks)];
  same("skipped, cut into chunks", whole.commands, cut.commands);
  same("ids, cut into chunks", whole.ids, cut.ids);
  const plain = skipping(OpenWireFormat.fixed(settings), [bytes]);
  same("skipping", plain.commands.slice(0, commands.length), commands);
  if (error === undefined && plain.ids.length > 0) throw new Finding("skipped what can be read");
}

/** What a decoder gives that may skip: commands, and the ids of what it has skipped. */
function skipping(
  format: OpenWireFormat,
  chunks: readonly Uint8Array[],
): { commands: DataStructure[]; ids: DataStructure[] } {
  const commands: DataStructure[] = [];
  const ids: DataStructure[] = [];
  const decoder = new OpenWireDecoder(format, {
    unreadable: ({ consumerId, messageId, error, size }) => {
      expected(error, ProtocolError);
      if (size < 1) throw new Finding(`a frame of ${size} bytes was skipped`);
      ids.push(consumerId, messageId);
    },
  });
  try {
    for (const chunk of chunks) decoder.pushTo(chunk, (command) => commands.push(command));
  } catch (caught) {
    expected(caught, ProtocolError);
  }
  return { commands, ids };
}

/** What {@linkcode checkMutant} tells. */
export interface MutantOutcome {
  readonly outcome: Outcome;
  /** Which way the decoder took, as far as it shows: what it decoded, and what it did not like where. */
  readonly way: string;
}

/** As {@linkcode checkFrames}, but for the cuts and all but one of the encodings: there is time for many more. */
export function checkMutant(
  bytes: Uint8Array,
  settings: Settings,
  tightEncodingEnabled: boolean,
): MutantOutcome {
  const { commands, error } = decode(OpenWireFormat.fixed(settings), [bytes]);
  checkWeight(commands, bytes.length);
  if (commands.length > 0) checkAgainIn(commands, settings, tightEncodingEnabled);
  // The error with all that is of these bytes taken out.
  const way = error
    ? `${error.dataType} ${error.message.replace(/-?\d+/g, "N")}`
    : `${settings.tightEncodingEnabled} ${commands.at(-1)?.dataType}`;
  return { outcome: error ? "refused" : "decoded", way };
}

/** The first bytes of a peer negotiate or don't, and nothing else. */
export function checkOpening(bytes: Uint8Array, chunks: readonly Uint8Array[]): Outcome {
  const make = () => new OpenWireFormat({ tightEncodingEnabled: true, stackTraceEnabled: true });
  const format = make();
  const whole = decode(format, [bytes]);
  const cut = decode(make(), chunks);
  same("cut into chunks", whole.commands, cut.commands);
  if (format.negotiated !== whole.commands.length > 0) throw new Finding("negotiated by nothing");
  checkWeight(whole.commands, bytes.length);
  return whole.error ? "refused" : "decoded";
}

function decode(format: OpenWireFormat, chunks: readonly Uint8Array[]): Decoded {
  const decoder = new OpenWireDecoder(format);
  const commands: DataStructure[] = [];
  let error: ProtocolError | undefined;
  try {
    for (const chunk of chunks) decoder.pushTo(chunk, (command) => commands.push(command));
    decoder.end();
  } catch (caught) {
    error = expected(caught, ProtocolError);
    for (const again of [() => decoder.push(new Uint8Array(5)), () => decoder.end()]) {
      try {
        again();
      } catch (second) {
        if (second === error) continue;
      }
      throw new Finding(`after ${error.message} the decoder goes on`);
    }
  }
  return { commands, error };
}

function expected<T extends Error>(error: unknown, type: abstract new (...args: never[]) => T): T {
  if (error instanceof type) return error;
  if (error instanceof Finding) throw error;
  throw new Finding(error instanceof Error ? error.stack ?? String(error) : String(error));
}

/** What was decoded is encoded and decoded once more, in the other encodings too. */
function checkAgain(commands: readonly DataStructure[], settings: Settings): void {
  for (const tightEncodingEnabled of [false, true]) {
    checkAgainIn(commands, settings, tightEncodingEnabled);
  }
}

function checkAgainIn(
  commands: readonly DataStructure[],
  settings: Settings,
  tightEncodingEnabled: boolean,
): void {
  const { version, stackTraceEnabled } = settings;
  const format = OpenWireFormat.fixed({
    version,
    stackTraceEnabled,
    tightEncodingEnabled,
    cacheEnabled: settings.cacheEnabled !== tightEncodingEnabled,
    cacheSize: settings.cacheSize,
  });
  const encoder = new OpenWireEncoder(format);
  const encoded: DataStructure[] = [];
  for (const command of commands) {
    try {
      encoder.write(command);
      encoded.push(command);
    } catch (error) {
      expected(error, EncodeError);
    }
  }
  const again = decode(format, [encoder.take()]);
  if (again.error) throw new Finding(`encoded again: ${again.error.message}`);
  same("encoded again", encoded, again.commands);
}

/** A map is read or refused, and written back as the same. */
export function checkMap(bytes: Uint8Array): Outcome {
  let map: PrimitiveMap;
  try {
    map = decodePrimitiveMap(bytes);
  } catch (error) {
    expected(error, ProtocolError);
    return "refused";
  }
  checkValues(map, bytes.length);
  checkBudget(map, (maxDecodedValues) => decodePrimitiveMap(bytes, { maxDecodedValues }));
  const encoded = attempt(() => encodePrimitiveMap(map));
  if (encoded) sameBytes(encoded, encodePrimitiveMap(decodePrimitiveMap(encoded)));
  return "decoded";
}

/** With fewer values allowed than there are, a map is refused, and for no other reason. */
function checkBudget(map: PrimitiveMap, decode: (most: number) => unknown): void {
  if (map.size === 0) return;
  try {
    decode(map.size - 1);
  } catch (error) {
    if (expected(error, ProtocolError).code !== "TOO_MANY_VALUES") throw error;
    return;
  }
  throw new Finding(`${map.size} values were decoded, ${map.size - 1} are allowed`);
}

/** A body is read or refused, and written back as the same. */
export function checkBody({ dataType, content }: Message, reads: () => number): Outcome {
  const bytes = content!;
  try {
    switch (dataType) {
      case "ActiveMQTextMessage": {
        const text = decodeTextBody(bytes);
        if ((text?.length ?? 0) > bytes.length) throw new Finding("more text than bytes");
        const encoded = encodeTextBody(text);
        if (decodeTextBody(encoded) !== text) throw new Finding("another text");
        break;
      }
      case "ActiveMQMapMessage":
        checkValues(decodeMapBody(bytes), bytes.length);
        break;
      case "ActiveMQStreamMessage": {
        const values = decodeStreamBody(bytes);
        checkValues(values, bytes.length);
        const encoded = attempt(() => encodeStreamBody(values));
        if (encoded) sameBytes(encoded, encodeStreamBody(decodeStreamBody(encoded)));
        break;
      }
      default:
        readAll(new BytesReader(bytes), reads);
    }
    return "decoded";
  } catch (error) {
    expected(error, ProtocolError);
    return "refused";
  }
}

function readAll(reader: BytesReader, reads: () => number): void {
  const steps: (() => unknown)[] = [
    () => reader.readBoolean(),
    () => reader.readByte(),
    () => reader.readUnsignedByte(),
    () => reader.readShort(),
    () => reader.readUnsignedShort(),
    () => reader.readChar(),
    () => reader.readInt(),
    () => reader.readLong(),
    () => reader.readFloat(),
    () => reader.readDouble(),
    () => reader.readUtf(),
    () => reader.readBytes(3),
  ];
  while (reader.remaining > 0) {
    const before = reader.remaining;
    try {
      steps[Math.floor(reads() * steps.length)]!();
    } catch (error) {
      if (reader.remaining !== before) throw new Finding("a failed read took bytes");
      throw error;
    }
    if (reader.remaining >= before) throw new Finding("a read took nothing");
  }
}

/** Largest body that is inflated. */
export const INFLATE_LIMIT = 200_000;

/** A compressed body is inflated within the limit, or refused. */
export async function checkCompressed(message: Message): Promise<Outcome> {
  try {
    const { content } = await inflateMessage(message, { maxInflatedSize: INFLATE_LIMIT });
    if ((content?.length ?? 0) > INFLATE_LIMIT) throw new Finding("inflated beyond the limit");
    return "decoded";
  } catch (error) {
    expected(error, ProtocolError);
    return "refused";
  }
}

function attempt<T>(encode: () => T): T | undefined {
  try {
    return encode();
  } catch (error) {
    expected(error, EncodeError);
    return undefined;
  }
}

/** Maps and lists turn into plain values, and are no larger than their bytes allow. */
function checkValues(values: PrimitiveMap | PrimitiveList, size: number): void {
  checkWeight(values, size);
  JSON.stringify(values);
}

/**
 * What was decoded is no larger than a small multiple of its bytes: an absent element takes a bit of tight encoding, an
 * object more than a byte, a character of a string a byte.
 */
function checkWeight(values: unknown, size: number): void {
  const seen = new Set<object>();
  let objects = 0;
  let elements = 0;
  let units = 0;
  const weigh = (value: unknown): void => {
    if (typeof value === "string") {
      units += value.length;
    } else if (value instanceof Uint8Array) {
      units += value.length;
    } else if (value instanceof PrimitiveMap) {
      objects++;
      for (const [name, item] of value) {
        units += name.length;
        elements++;
        weigh(item);
      }
    } else if (value instanceof PrimitiveList) {
      objects++;
      elements += value.length;
      for (const item of value) weigh(item);
    } else if (Array.isArray(value)) {
      objects++;
      elements += value.length;
      for (const item of value) weigh(item);
    } else if (typeof value === "object" && value !== null && !seen.has(value)) {
      seen.add(value);
      objects++;
      for (const [name, item] of Object.entries(value)) if (name !== "dataType") weigh(item);
    }
  };
  weigh(values);
  // Some values are there by default: a mime type, the magic.
  const ok = objects <= size + 2 && elements <= size * 8 && units <= size;
  if (!ok) {
    throw new Finding(`${objects} objects, ${elements} elements, ${units} units of ${size} bytes`);
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): void {
  if (!equals(a, b)) throw new Finding("encoded twice, the bytes differ");
}

function same(what: string, a: unknown, b: unknown): void {
  if (!equal(a, b)) throw new Finding(`${what}: another value`);
}

function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (a instanceof Uint8Array) {
    return b instanceof Uint8Array && equals(a, b);
  }
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, i) => equal(item, b[i]));
  }
  const names = Object.keys(a);
  return names.length === Object.keys(b).length &&
    names.every((name) =>
      equal((a as Record<string, unknown>)[name], (b as Record<string, unknown>)[name])
    );
}
