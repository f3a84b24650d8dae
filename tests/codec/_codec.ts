/** What the tests of the codec share: bytes as they stand in descriptions of the protocol, and one-line codecs. */
import { assert, assertInstanceOf, assertThrows } from "@std/assert";
import {
  type DataStructure,
  EncodeError,
  OpenWireDecoder,
  OpenWireEncoder,
  OpenWireFormat,
  ProtocolError,
  type WireFormatSettings,
} from "../../codec/mod.ts";
import { fromHex, toHex } from "../conformance/convert.ts";

export type Settings = Partial<WireFormatSettings>;

export const LOOSE: Settings = { version: 12 };
export const TIGHT: Settings = { version: 12, tightEncodingEnabled: true };

/** Bytes from hex with spaces, bars and quoted ASCII: `00 05 | "hello"`. */
export function bytes(text: string): Uint8Array<ArrayBuffer> {
  const hex = text.replace(/"([^"]*)"/g, (_, ascii: string) => toHex(ascii_(ascii)));
  return fromHex(hex.replace(/[\s|]/g, ""));
}

function ascii_(text: string): Uint8Array {
  return Uint8Array.from(text, (unit) => unit.charCodeAt(0));
}

/** Hex with a space between bytes. */
export function hex(value: Uint8Array): string {
  return toHex(value).replace(/..(?=.)/g, "$& ");
}

/** The same with its size in front. */
export function frame(text: string): Uint8Array<ArrayBuffer> {
  const body = bytes(text);
  const whole = new Uint8Array(4 + body.length);
  new DataView(whole.buffer).setInt32(0, body.length);
  whole.set(body, 4);
  return whole;
}

/** Encodes one command with a codec of its own. */
export function encode(command: DataStructure | null, settings: Settings): Uint8Array {
  return new OpenWireEncoder(OpenWireFormat.fixed(settings)).encode(command);
}

/** Decodes one command with a codec of its own. */
export function decode<T extends DataStructure>(value: Uint8Array, settings: Settings): T {
  const decoder = new OpenWireDecoder(OpenWireFormat.fixed(settings));
  const commands = decoder.push(value);
  decoder.end();
  assert(commands.length === 1, `${commands.length} commands instead of one`);
  return commands[0] as T;
}

/** Asserts that a decoder refuses the bytes with one and the same error, whenever it is asked. */
export function refused(value: Uint8Array, settings: Settings, text = ""): ProtocolError {
  const decoder = new OpenWireDecoder(OpenWireFormat.fixed(settings));
  return refusedBy(decoder, value, text);
}

/** The same of a given decoder. */
export function refusedBy(decoder: OpenWireDecoder, value: Uint8Array, text = ""): ProtocolError {
  const error = assertThrows(() => decoder.push(value), ProtocolError, text);
  for (const again of [() => decoder.push(new Uint8Array(1)), () => decoder.end()]) {
    assert(assertThrows(again) === error, "another error the second time");
  }
  return error;
}

/** Asserts that an encoder refuses the command and stays usable. */
export function unencodable(command: unknown, settings: Settings, text = ""): EncodeError {
  const format = OpenWireFormat.fixed(settings);
  const encoder = new OpenWireEncoder(format);
  const error = assertThrows(() => encoder.encode(command as DataStructure), EncodeError, text);
  assertInstanceOf(error, EncodeError);
  const alive: DataStructure = { dataType: "KeepAliveInfo", commandId: 1, responseRequired: false };
  const [answer] = new OpenWireDecoder(format).push(encoder.encode(alive));
  assert(JSON.stringify(answer) === JSON.stringify(alive), "the next command is broken");
  return error;
}
