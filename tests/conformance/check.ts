/** Checks a codec against one vector: decoding, encoding, cut input, bodies. */

import {
  BytesReader,
  BytesWriter,
  type DataStructure,
  decodeMapBody,
  decodePrimitiveMap,
  decodeStreamBody,
  decodeTextBody,
  deflateMessage,
  encodeMapBody,
  encodePrimitiveMap,
  encodeStreamBody,
  encodeTextBody,
  inflateMessage,
  type Message,
  OpenWireDecoder,
  OpenWireEncoder,
  OpenWireFormat,
} from "../../codec/mod.ts";
import { fromBase64, fromFields, fromHex, toBase64, toFields, toHex } from "./convert.ts";
import {
  canonical,
  mapToJson,
  readTyped,
  sorted,
  type TypedJson,
  typedToJson,
  writeTyped,
} from "./typed_json.ts";
import type { Vector } from "./vectors.ts";

type Fields = Parameters<typeof fromFields>[1];

interface Command {
  readonly type: string | null;
  readonly fields: Fields;
}

/** What a vector says of its bytes. */
interface Recording {
  readonly format: () => OpenWireFormat;
  readonly version: number;
  readonly stackTrace: boolean;
  readonly commands: readonly Command[];
  readonly hex: string;
}

const COMMON = "id version cache sizePrefixDisabled stackTrace";
/** Members that say where bytes are from, or what the Java client makes of them: nothing to check. */
const REMARKS = "note from options javaDecodes javaNote javaProperties javaBody emulated";

/** Members that each form of a vector must have, and those that it may have. */
const forms = {
  command: form("type fields hex tight", ""),
  stream: form("commands hex tight", "stream cacheSize count kind"),
  body: form("type fields properties body compressed hexTight hexLoose", "writes"),
  frame: form("kind type fields properties hex tight", ""),
};

function form(required: string, optional: string): { required: string[]; known: Set<string> } {
  const names = `${COMMON} ${required}`.split(" ");
  return { required: names, known: new Set([...names, ...`${optional} ${REMARKS}`.split(" ")]) };
}

/** Throws an error that says what differs. */
export async function checkVector(vector: Vector, random: () => number): Promise<void> {
  const { file: _file, line: _line, unreadable, ...members } = vector;
  if (unreadable) throw new Error(`no JSON object: ${unreadable}`);
  const kind = formOf(members);
  const { required, known } = forms[kind];
  // What a reader does not know may change what the bytes mean.
  for (const name of Object.keys(members)) {
    if (!known.has(name)) throw new Error(`unknown member ${name}`);
  }
  for (const name of required) {
    if (members[name] === undefined) throw new Error(`no member ${name}`);
  }
  switch (kind) {
    case "stream":
      return checkStream(vector, random);
    case "body":
      return await checkBody(vector, random);
    default:
      checkRecording(recordingOf(vector, [vector as unknown as Command], vector["hex"]), random);
      if (kind === "frame") checkProperties(vector);
  }
}

function formOf(members: Record<string, unknown>): keyof typeof forms {
  const { kind } = members;
  if (kind !== undefined && kind !== "frame" && kind !== "session") {
    throw new Error(`unknown kind ${kind}`);
  }
  if (kind === "frame") return "frame";
  if (kind === "session" || "commands" in members || "stream" in members) return "stream";
  if ("hexTight" in members || "hexLoose" in members) return "body";
  if ("fields" in members || "hex" in members) return "command";
  throw new Error("a line of an unknown form");
}

function checkStream(vector: Vector, random: () => number): void {
  const { commands, stream, kind, count } = vector;
  if (stream !== true && kind !== "session") throw new Error("commands without stream");
  if (!Array.isArray(commands)) throw new Error("commands is no array");
  if (count !== undefined && count !== commands.length) {
    throw new Error(`count is ${count}, there are ${commands.length} commands`);
  }
  checkRecording(recordingOf(vector, commands, vector["hex"]), random);
}

function recordingOf(
  vector: Vector,
  commands: readonly Command[],
  hex: unknown,
  tight?: boolean,
): Recording {
  const member = <T>(name: string, type: string): T => {
    const got: string = typeof vector[name];
    if (got !== type) throw new Error(`${name} is no ${type}`);
    return vector[name] as T;
  };
  if (typeof hex !== "string" || hex === "") throw new Error("no hex");
  for (const { type, fields } of commands) {
    if (type !== null && typeof type !== "string") throw new Error("a command without type");
    if (typeof fields !== "object" || fields === null) throw new Error("a command without fields");
  }
  const settings = {
    version: member<number>("version", "number"),
    tightEncodingEnabled: tight ?? member<boolean>("tight", "boolean"),
    cacheEnabled: member<boolean>("cache", "boolean"),
    sizePrefixDisabled: member<boolean>("sizePrefixDisabled", "boolean"),
    stackTraceEnabled: member<boolean>("stackTrace", "boolean"),
    ...("cacheSize" in vector ? { cacheSize: member<number>("cacheSize", "number") } : {}),
  };
  return {
    format: () => OpenWireFormat.fixed(settings),
    version: settings.version,
    stackTrace: settings.stackTraceEnabled,
    commands,
    hex,
  };
}

function checkRecording(recording: Recording, random: () => number): void {
  const bytes = fromHex(recording.hex);
  const expected = recording.commands
    .filter(({ type }) => type !== null)
    .map(({ type, fields }) => JSON.stringify([type, fields]));

  checkDecoding(recording, "whole", [bytes], expected);
  checkDecoding(
    recording,
    "byte by byte",
    Array.from(bytes, (_, i) => bytes.subarray(i, i + 1)),
    expected,
  );
  checkDecoding(recording, "cut at random", cutAtRandom(bytes, random), expected);
  checkDecoding(
    recording,
    "inside a larger buffer",
    cutAtRandom(embedded(bytes, random), random),
    expected,
  );

  const encoder = new OpenWireEncoder(recording.format());
  for (const { type, fields } of recording.commands) {
    encoder.write(type === null ? null : fromFields(type, fields));
  }
  const hex = toHex(encoder.take());
  if (hex !== recording.hex) throw new Error(`encoding differs ${difference(recording.hex, hex)}`);
}

function checkDecoding(
  { format, version, stackTrace }: Recording,
  how: string,
  chunks: readonly Uint8Array[],
  expected: readonly string[],
): void {
  const decoder = new OpenWireDecoder(format());
  let index = 0;
  for (const chunk of chunks) {
    decoder.pushTo(chunk, (command) => {
      const got = JSON.stringify([command.dataType, toFields(command, version, stackTrace)]);
      if (got !== expected[index]) {
        throw new Error(
          `decoding ${how}, command ${index} differs ${
            difference(expected[index] ?? "nothing", got)
          }`,
        );
      }
      index++;
    });
  }
  decoder.end();
  if (index !== expected.length) {
    throw new Error(`decoding ${how} gives ${index} of ${expected.length} commands`);
  }
}

function cutAtRandom(bytes: Uint8Array, random: () => number): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  // Small and large pieces alike.
  const most = 1 + Math.floor(random() ** 3 * bytes.length);
  for (let at = 0; at < bytes.length;) {
    const size = 1 + Math.floor(random() * most);
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

/** The same bytes at an odd offset of a larger buffer full of others. */
function embedded(bytes: Uint8Array, random: () => number): Uint8Array {
  const start = 1 + 2 * Math.floor(random() * 16);
  const larger = new Uint8Array(start + bytes.length + 33).fill(0xa5);
  larger.set(bytes, start);
  return larger.subarray(start, start + bytes.length);
}

function checkProperties(vector: Vector): void {
  const { $bytes } = (vector["fields"] as { marshalledProperties: { $bytes: string } | null })
    .marshalledProperties ??
    { $bytes: undefined };
  const bytes = $bytes === undefined ? null : fromBase64($bytes);
  const map = decodePrimitiveMap(bytes);
  same("properties", canonicalMap(vector["properties"]), mapToJson(map));
  if (bytes !== null) same("encoded properties", $bytes, toBase64(encodePrimitiveMap(map)));
}

async function checkBody(vector: Vector, random: () => number): Promise<void> {
  const type = vector["type"] as string;
  const fields = vector["fields"] as Fields;
  for (const [hex, tight] of [[vector["hexTight"], true], [vector["hexLoose"], false]] as const) {
    checkRecording(recordingOf(vector, [{ type, fields }], hex, tight), random);
  }
  checkProperties(vector);

  const message = fromFields(type, fields) as Message;
  if (message.compressed !== vector["compressed"]) throw new Error("compressed differs");
  const plain = await inflateMessage(message);
  checkContent(vector, plain);
  if (message.compressed) {
    const again = await inflateMessage(await deflateMessage(plain));
    same(
      "body compressed again",
      toBase64(plain.content ?? empty),
      toBase64(again.content ?? empty),
    );
  }
}

const empty = new Uint8Array(0);

/** The logical value of the body, and the same bytes from it. */
function checkContent(vector: Vector, message: Message): void {
  const body = vector["body"] as Record<string, unknown>;
  const { content } = message;
  switch (message.dataType) {
    case "ActiveMQTextMessage": {
      const text = decodeTextBody(content);
      same("text", body["text"], text);
      return sameBytes(content, encodeTextBody(text));
    }
    case "ActiveMQBytesMessage": {
      same("bytes", body["bytes"], { $bytes: toBase64(content ?? empty) });
      const writes = vector["writes"] as TypedJson[] | undefined;
      if (!writes) return;
      const reader = new BytesReader(content);
      same("typed reads", writes.map(canonical), writes.map((value) => readTyped(reader, value)));
      same("bytes after the reads", 0, reader.remaining);
      const writer = new BytesWriter();
      for (const value of writes) writeTyped(writer, value);
      return sameBytes(content, writer.finish());
    }
    case "ActiveMQMapMessage": {
      const map = decodeMapBody(content);
      same("map", canonicalMap(body["map"]), mapToJson(map));
      return sameBytes(content, content && encodeMapBody(map));
    }
    case "ActiveMQStreamMessage": {
      const values = decodeStreamBody(content);
      const json = [...values.typedValues()].map(typedToJson);
      same("stream", (body["stream"] as TypedJson[]).map(canonical), json);
      return sameBytes(content, content && encodeStreamBody(values));
    }
    case "ActiveMQObjectMessage": {
      // Carried, never deserialized: only that it is there, and that it is a Java stream.
      if ((body["object"] === null) !== (content === null)) throw new Error("object differs");
      if (content && toHex(content.subarray(0, 4)) !== "aced0005") {
        throw new Error("object is no Java stream");
      }
      return;
    }
    case "ActiveMQMessage":
      return same("body", body, {});
    default:
      throw new Error(`no body is known for ${message.dataType}`);
  }
}

function canonicalMap(json: unknown): [string, TypedJson][] {
  return sorted((json as [string, TypedJson][]).map(([name, value]) => [name, canonical(value)]));
}

function sameBytes(expected: Uint8Array | null, got: Uint8Array | null): void {
  same("encoded body", expected && toHex(expected), got && toHex(got));
}

function same(what: string, expected: unknown, got: unknown): void {
  const [a, b] = [JSON.stringify(expected), JSON.stringify(got)];
  if (a !== b) throw new Error(`${what} differs ${difference(a, b)}`);
}

function difference(expected: string, got: string): string {
  let at = 0;
  while (at < expected.length && expected[at] === got[at]) at++;
  const from = Math.max(0, at - 30);
  return `at ${at}: expected …${expected.slice(from, at + 60)}, got …${got.slice(from, at + 60)}`;
}

/** Decodes one frame of a vector; for other tests. */
export function decodeOne(format: OpenWireFormat, bytes: Uint8Array): DataStructure {
  const commands = new OpenWireDecoder(format).push(bytes);
  if (commands.length !== 1) throw new Error(`${commands.length} commands instead of one`);
  return commands[0]!;
}
