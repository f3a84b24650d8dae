/** What the properties of a message say of a stream that it is a part of. It knows no sockets: it looks at values alone. */

import { int, long, PrimitiveMap, ProtocolError } from "../../codec/mod.ts";
import type { MessageHeaders } from "../message/outgoing_message.ts";

/** Names of the properties; they can be used in selectors. */
export const StreamProperty = {
  id: "openwire_stream",
  index: "openwire_stream_index",
  end: "openwire_stream_end",
  length: "openwire_stream_length",
  crc32: "openwire_stream_crc32",
} as const;

/** How a stream ends with a chunk: all was sent, or its sender has given it up. */
export type StreamEnd = "last" | "aborted";

/** Which part of which stream a message is. */
export interface ChunkHeader {
  /** A UUID. */
  readonly id: string;
  /** Its number, from 0. */
  readonly index: number;
  /** Whether there are no more. */
  readonly end: StreamEnd | undefined;
  /** Bytes of the whole stream, if that is known: of the last chunk it is, of the first it may be. */
  readonly length: number | undefined;
  /** Checksum of the whole stream, with the last chunk. */
  readonly crc32: number | undefined;
}

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

/** Chunks of a stream at most, so that each has a number of 32 bits. */
export const MAX_CHUNKS = 0x7fffffff;

/**
 * What the properties of a message say.
 *
 * @returns Undefined when it is no part of a stream.
 * @throws {ProtocolError} When what they say can't be true.
 */
export function readChunkHeader(
  properties: { get(name: string): unknown; has(name: string): boolean },
): ChunkHeader | undefined {
  if (!properties.has(StreamProperty.id)) return undefined;
  const id = properties.get(StreamProperty.id);
  if (typeof id !== "string" || !UUID.test(id)) throw wrong(StreamProperty.id, "a UUID");
  const index = integer(properties.get(StreamProperty.index), MAX_CHUNKS);
  if (index === undefined) throw wrong(StreamProperty.index, "a number from 0");
  const end = properties.get(StreamProperty.end) ?? undefined;
  if (end !== undefined && end !== "last" && end !== "aborted") {
    throw wrong(StreamProperty.end, '"last" or "aborted"');
  }
  const optional = (name: string, most: number): number | undefined => {
    const given = properties.get(name) ?? undefined;
    const value = integer(given, most);
    if (given !== undefined && value === undefined) throw wrong(name, "a number from 0");
    return value;
  };
  const length = optional(StreamProperty.length, Number.MAX_SAFE_INTEGER);
  const crc32 = optional(StreamProperty.crc32, 0xffffffff);
  if (end === "last" && (length === undefined || crc32 === undefined)) {
    throw wrong(StreamProperty.length, "a length and a checksum with the last chunk");
  }
  return { id, index, end, length, crc32 };
}

/**
 * The headers for a chunk.
 *
 * @param header Which part of the stream it is.
 * @param properties Those of the application.
 * @param grouped Whether all but the first are one message group, so that who knows nothing of streams gets them in order. The
 *   first one is not: the group would belong to the consumer that gets it, and the others are for another one.
 */
export function toChunkHeaders(
  { id, index, end, length, crc32 }: ChunkHeader,
  properties: MessageHeaders["properties"],
  grouped: boolean,
): Pick<MessageHeaders, "groupId" | "groupSequence" | "properties"> {
  const all = new PrimitiveMap(properties ?? {});
  all.set(StreamProperty.id, id);
  all.set(StreamProperty.index, int(index));
  if (end) all.set(StreamProperty.end, end);
  if (length !== undefined) all.set(StreamProperty.length, long(length));
  if (crc32 !== undefined) all.set(StreamProperty.crc32, long(crc32));
  return {
    ...(grouped && index > 0 && { groupId: id, groupSequence: end ? -1 : index + 1 }),
    properties: all,
  };
}

/** Selects messages that are no part of a stream, and the first chunks of streams. */
export const FIRST_CHUNKS: string =
  `(${StreamProperty.index} IS NULL OR ${StreamProperty.index} = 0)`;

/** Selects the other chunks of a stream. */
export function otherChunks(id: string): string {
  return `${StreamProperty.id} = '${id}' AND ${StreamProperty.index} > 0`;
}

function integer(value: unknown, most: number): number | undefined {
  if (typeof value !== "number" && typeof value !== "bigint") return undefined;
  const number = Number(value);
  return Number.isInteger(number) && number >= 0 && number <= most ? number : undefined;
}

function wrong(name: string, expected: string): ProtocolError {
  return new ProtocolError(
    `Cannot read a chunk of a stream: ${expected} is expected as its property ${name}`,
    { dataType: "ActiveMQBytesMessage", field: name },
  );
}
