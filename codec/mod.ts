/**
 * OpenWire, the protocol of ActiveMQ, as bytes and commands: versions 1 to 12, loose and tight.
 *
 * It knows no sockets, timers or runtimes. For streams use {@linkcode OpenWireDecoderStream} and
 * {@linkcode OpenWireEncoderStream}; beneath them {@linkcode OpenWireDecoder} and {@linkcode OpenWireEncoder} turn bytes
 * into commands and back without waiting.
 *
 * @example
 * ```ts
 * import { createConnectionId, createSessionId, createSessionInfo, OpenWireDecoder, OpenWireEncoder, OpenWireFormat } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const format = OpenWireFormat.fixed({ version: 12, tightEncodingEnabled: true });
 * const command = createSessionInfo({ commandId: 1, sessionId: createSessionId({ connectionId: "c", value: 1 }) });
 * const frame = new OpenWireEncoder(format).encode(command);
 * assertEquals(new OpenWireDecoder(format).push(frame), [command]);
 * ```
 *
 * @module
 */

export * from "./command_streams.ts";
export * from "./compression.ts";
export * from "./decoder.ts";
export * from "./encoder.ts";
export { OpenWireError, type OpenWireErrorOptions } from "../errors.ts";
export { EncodeError, ProtocolError, type ProtocolErrorPosition } from "./errors.ts";
export * from "./generated/factories.ts";
export * from "./generated/types.ts";
export { bytesRemark, inspectAs, jsonView, Remark } from "./inspect.ts";
export type { Long } from "./long.ts";
export type { StackTraceElement, Throwable } from "./throwable.ts";
export * from "./partial_command.ts";
export {
  decodePrimitiveMap,
  type DecodeValuesOptions,
  encodePrimitiveMap,
} from "./primitive_map.ts";
export {
  byte,
  char,
  double,
  float,
  int,
  long,
  type PrimitiveInput,
  PrimitiveList,
  PrimitiveMap,
  type PrimitiveMapInput,
  type PrimitiveType,
  type PrimitiveValue,
  short,
  TypedValue,
} from "./primitive_value.ts";
export * from "./message_body.ts";
export type { UnreadableDispatch } from "./unreadable_dispatch.ts";
export { PROVIDER, VERSION } from "./version.ts";
export * from "./wire_format.ts";
