/**
 * Compressed message bodies: zlib (RFC 1950), in a bytes message after the length of what was compressed.
 *
 * @module
 */

import { ProtocolError } from "./errors.ts";
import type { Message } from "./generated/types.ts";
import { inflate, type Inflated, InflateError, inflateFlushed } from "./inflate.ts";
import { decodeMapBody, decodeStreamBody } from "./message_body.ts";
import type { DecodeValuesOptions } from "./primitive_map.ts";

/**
 * Options of {@linkcode inflateMessage}.
 *
 * @example
 * ```ts
 * import type { InflateOptions } from "./mod.ts";
 *
 * const options: InflateOptions = { maxInflatedSize: 1_000_000 };
 * ```
 */
export interface InflateOptions extends DecodeValuesOptions {
  /** Largest body in bytes that is accepted. @default {104_857_600} */
  maxInflatedSize?: number | undefined;
}

/** Inflated bytes of a map or a stream that are looked at first: a bomb of tiny values ends here. */
const FIRST_PART = 1_048_576;
const NEXT_PART = 4;
const LENGTH_PREFIX = 4;

/**
 * Gives a message with its body inflated. One that isn't compressed is returned as it is.
 *
 * @param message The message.
 * @param options The limits. Inflating a map or a stream stops as soon as it has more values than allowed.
 * @returns A copy of the message that isn't compressed.
 * @throws {ProtocolError} When the body is no zlib data, is shorter than it says, is larger than the limit (its code is
 *   then `"INFLATED_TOO_LARGE"`), or has too many values (`"TOO_MANY_VALUES"`).
 *
 * @example
 * ```ts
 * import { createActiveMQTextMessage, decodeTextBody, deflateMessage, encodeTextBody, inflateMessage } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const message = createActiveMQTextMessage({ content: encodeTextBody("a".repeat(1000)) });
 * const small = await deflateMessage(message);
 * assertEquals(small.compressed, true);
 * assertEquals(decodeTextBody(inflateMessage(small).content)?.length, 1000);
 * ```
 */
export function inflateMessage<T extends Message>(message: T, options: InflateOptions = {}): T {
  const { maxInflatedSize = 104_857_600 } = options;
  const { content, dataType } = message;
  if (!message.compressed) return message;
  if (content === null || content.length === 0) return { ...message, compressed: false };
  if (dataType === "ActiveMQBytesMessage") {
    return {
      ...message,
      content: inflateBytes(message, content, maxInflatedSize),
      compressed: false,
    };
  }
  checkValues(message, content, options, maxInflatedSize);
  const { bytes, ended } = inflateContent(message, content, maxInflatedSize);
  if (!ended) throw tooLarge(message, maxInflatedSize);
  return { ...message, content: bytes, compressed: false };
}

/** Inflates a body that begins with its length. */
function inflateBytes(message: Message, content: Uint8Array, limit: number): Uint8Array {
  if (content.length < LENGTH_PREFIX) {
    throw wrong(message, `it has ${content.length} bytes, its length alone takes ${LENGTH_PREFIX}`);
  }
  const declared = new DataView(content.buffer, content.byteOffset).getInt32(0);
  if (declared < 0) throw wrong(message, `its length is ${declared}`);
  if (declared > limit) throw tooLarge(message, limit);
  if (declared === 0) return new Uint8Array(0);
  // Java compresses its whole buffer, of which only the declared length counts.
  const { bytes } = inflateContent(message, content.subarray(LENGTH_PREFIX), declared);
  if (bytes.length === declared) return bytes;
  throw wrong(message, `it ends after ${bytes.length} of ${declared} bytes`);
}

function inflateContent(message: Message, content: Uint8Array, limit: number): Inflated {
  try {
    // Artemis flushes text and does not end it; the length of the text tells whether it is whole.
    if (message.dataType === "ActiveMQTextMessage" && endsWithFlush(content)) {
      const inflated = inflateFlushed(content, limit);
      if (inflated.ended && !isWholeText(inflated.bytes)) {
        throw new InflateError("the text is cut off");
      }
      return inflated;
    }
    return inflate(content, limit);
  } catch (cause) {
    if (!(cause instanceof InflateError)) throw cause;
    throw wrong(message, `it is no zlib data: ${cause.message}`, undefined, cause);
  }
}

/** Refuses a map or a stream with too many values, before all of it is inflated. */
function checkValues(
  message: Message,
  content: Uint8Array,
  options: InflateOptions,
  limit: number,
): void {
  const { dataType } = message;
  if (dataType !== "ActiveMQMapMessage" && dataType !== "ActiveMQStreamMessage") return;
  const decode = dataType === "ActiveMQMapMessage" ? decodeMapBody : decodeStreamBody;
  for (let size = FIRST_PART; size < limit; size *= NEXT_PART) {
    const { bytes, ended } = inflateContent(message, content, size);
    if (ended) return;
    try {
      decode(bytes, options);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      if (error.code === "TOO_MANY_VALUES") throw error;
      // Of a part all else is expected.
    }
  }
}

function wrong(
  { dataType }: Message,
  problem: string,
  code?: "INFLATED_TOO_LARGE",
  cause?: unknown,
): ProtocolError {
  return new ProtocolError(
    `Cannot inflate the body of ${dataType}: ${problem}`,
    { dataType, field: "content" },
    code,
    cause === undefined ? undefined : { cause },
  );
}

function tooLarge(message: Message, limit: number): ProtocolError {
  return wrong(message, `it takes more than ${limit} bytes`, "INFLATED_TOO_LARGE");
}

/** What zlib writes for a flush, and bytes that are no checksum: the half of one is less than 65,521. */
const FLUSH = [0, 0, 0xff, 0xff];
const HEADER_LENGTH = 2;

/** Whether the data was flushed but not ended. Java reads all that is there. */
function endsWithFlush(zlib: Uint8Array): boolean {
  return zlib.length > HEADER_LENGTH + FLUSH.length &&
    FLUSH.every((byte, i) => zlib[zlib.length - FLUSH.length + i] === byte);
}

/** Whether a text's body is as long as it says. */
function isWholeText(body: Uint8Array): boolean {
  if (body.length < LENGTH_PREFIX) return false;
  return new DataView(body.buffer, body.byteOffset).getInt32(0) === body.length - LENGTH_PREFIX;
}

/**
 * Gives a message with its body compressed. One that is compressed already, or has no body, is returned as it is.
 *
 * @param message The message.
 * @returns A copy of the message that is compressed.
 *
 * @example
 * ```ts
 * import { createActiveMQBytesMessage, deflateMessage } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const small = await deflateMessage(createActiveMQBytesMessage({ content: new Uint8Array(20) }));
 * assertEquals(small.content?.subarray(0, 4), Uint8Array.of(0, 0, 0, 20));
 * ```
 */
export async function deflateMessage<T extends Message>(message: T): Promise<T> {
  const { content } = message;
  if (message.compressed || content === null || content.length === 0) return message;
  const prefix = message.dataType === "ActiveMQBytesMessage" ? LENGTH_PREFIX : 0;
  // A copy, because the stream may take only buffers that aren't shared.
  const stream = new Blob([new Uint8Array(content)]).stream()
    .pipeThrough(new CompressionStream("deflate"));
  const zlib = new Uint8Array(await new Response(stream).arrayBuffer());
  const packed = new Uint8Array(prefix + zlib.length);
  packed.set(zlib, prefix);
  if (prefix > 0) new DataView(packed.buffer).setInt32(0, content.length);
  return { ...message, content: packed, compressed: true };
}
