/**
 * Compressed message bodies: zlib (RFC 1950), in a bytes message after the length of what was compressed.
 *
 * @module
 */

import { ProtocolError } from "./errors.ts";
import type { Message } from "./generated/types.ts";

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
export interface InflateOptions {
  /** Largest body in bytes that is accepted. @default {104_857_600} */
  maxInflatedSize?: number;
}

/** Bytes given to the inflater at a time: it may make a thousand times as many of them before we can stop it. */
const PIECE = 4096;
const LENGTH_PREFIX = 4;

/**
 * Gives a message with its body inflated. One that isn't compressed is returned as it is.
 *
 * @param message The message.
 * @param options The limit.
 * @returns A copy of the message that isn't compressed.
 * @throws {ProtocolError} When the body is no zlib data, is shorter than it says, or is larger than the limit (its code
 *   is then `"INFLATED_TOO_LARGE"`).
 *
 * @example
 * ```ts
 * import { createActiveMQTextMessage, decodeTextBody, deflateMessage, encodeTextBody, inflateMessage } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const message = createActiveMQTextMessage({ content: encodeTextBody("a".repeat(1000)) });
 * const small = await deflateMessage(message);
 * assertEquals(small.compressed, true);
 * assertEquals(decodeTextBody((await inflateMessage(small)).content)?.length, 1000);
 * ```
 */
export async function inflateMessage<T extends Message>(
  message: T,
  { maxInflatedSize = 104_857_600 }: InflateOptions = {},
): Promise<T> {
  const { content, dataType } = message;
  if (!message.compressed) return message;
  if (content === null || content.length === 0) return { ...message, compressed: false };

  const fail = (problem: string, code?: "INFLATED_TOO_LARGE", cause?: unknown): never => {
    throw new ProtocolError(
      `Cannot inflate the body of ${dataType}: ${problem}`,
      { dataType, field: "content" },
      code,
      cause === undefined ? undefined : { cause },
    );
  };
  const tooLarge = (): never =>
    fail(`it takes more than ${maxInflatedSize} bytes`, "INFLATED_TOO_LARGE");

  let zlib = content;
  let declared: number | undefined;
  if (dataType === "ActiveMQBytesMessage") {
    if (content.length < LENGTH_PREFIX) {
      fail(`it has ${content.length} bytes, its length alone takes ${LENGTH_PREFIX}`);
    }
    declared = new DataView(content.buffer, content.byteOffset).getInt32(0);
    if (declared < 0) fail(`its length is ${declared}`);
    if (declared > maxInflatedSize) tooLarge();
    if (declared === 0) return { ...message, content: new Uint8Array(0), compressed: false };
    zlib = content.subarray(LENGTH_PREFIX);
  }

  // Java compresses its whole buffer, of which only the declared length counts.
  const limit = declared ?? maxInflatedSize;
  // Artemis flushes text and does not end it; the length of the text tells whether it is whole.
  const flushed = dataType === "ActiveMQTextMessage" && endsWithFlush(zlib);
  const { bytes, ended } = await inflate(
    flushed ? withEnd(zlib) : zlib,
    flushed ? "deflate-raw" : "deflate",
    limit,
    (cause) => fail("it is no zlib data", undefined, cause),
  );
  if (declared === undefined && !ended) tooLarge();
  // Not every runtime notices when the data is cut off.
  if (ended && !(flushed ? isWholeText(bytes) : endsWithChecksumOf(zlib, bytes))) {
    fail("it is no zlib data");
  }
  if (declared !== undefined && bytes.length < declared) {
    fail(`it ends after ${bytes.length} of ${declared} bytes`);
  }
  return { ...message, content: bytes, compressed: false };
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
  const stream = new CompressionStream("deflate");
  const prefix = message.dataType === "ActiveMQBytesMessage" ? LENGTH_PREFIX : 0;
  const [zlib] = await Promise.all([
    collect(stream.readable, Infinity),
    writeAll(stream.writable, content),
  ]);
  const packed = new Uint8Array(prefix + zlib.bytes.length);
  packed.set(zlib.bytes, prefix);
  if (prefix > 0) new DataView(packed.buffer).setInt32(0, content.length);
  return { ...message, content: packed, compressed: true };
}

interface Collected {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whether the stream ended within the limit. */
  readonly ended: boolean;
}

async function inflate(
  data: Uint8Array,
  format: "deflate" | "deflate-raw",
  limit: number,
  fail: (cause: unknown) => never,
): Promise<Collected> {
  const stream = new DecompressionStream(format);
  // When the limit is reached or the data is bad, the reader tells; the writer's failure adds nothing.
  const written = writeAll(stream.writable, data).catch(() => {});
  try {
    return await collect(stream.readable, limit);
  } catch (cause) {
    fail(cause);
  } finally {
    await written;
  }
}

/** What zlib writes for a flush, and bytes that are no checksum: the half of one is less than 65,521. */
const FLUSH = [0, 0, 0xff, 0xff];
const HEADER_LENGTH = 2;
/** An empty last block. */
const END = [3, 0];

/** Whether the data was flushed but not ended. Java reads all that is there. */
function endsWithFlush(zlib: Uint8Array): boolean {
  return zlib.length > HEADER_LENGTH + FLUSH.length &&
    FLUSH.every((byte, i) => zlib[zlib.length - FLUSH.length + i] === byte);
}

/** The blocks alone, and an end. */
function withEnd(zlib: Uint8Array): Uint8Array {
  const blocks = zlib.subarray(HEADER_LENGTH);
  const whole = new Uint8Array(blocks.length + END.length);
  whole.set(blocks);
  whole.set(END, blocks.length);
  return whole;
}

/** Whether a text's body is as long as it says. */
function isWholeText(body: Uint8Array): boolean {
  if (body.length < LENGTH_PREFIX) return false;
  return new DataView(body.buffer, body.byteOffset).getInt32(0) === body.length - LENGTH_PREFIX;
}

/** What both runtimes' types of the two streams agree on. */
interface ByteSink {
  getWriter(): {
    readonly ready: Promise<unknown>;
    write(chunk: Uint8Array<ArrayBuffer>): Promise<void>;
    close(): Promise<void>;
  };
}

async function writeAll(sink: ByteSink, bytes: Uint8Array): Promise<void> {
  const writer = sink.getWriter();
  for (let at = 0; at < bytes.length; at += PIECE) {
    await writer.ready;
    // A copy, because the stream may take only buffers that aren't shared.
    await writer.write(new Uint8Array(bytes.subarray(at, at + PIECE)));
  }
  await writer.close();
}

interface ByteSource {
  getReader(): {
    read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>;
    cancel(): Promise<void>;
  };
}

/** Reads until the end, or until there are more than `limit` bytes, of which it then keeps the first `limit`. */
async function collect(source: ByteSource, limit: number): Promise<Collected> {
  const reader = source.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  let ended = false;
  while (size <= limit) {
    const { done, value } = await reader.read();
    if (done || value === undefined) {
      ended = true;
      break;
    }
    chunks.push(value);
    size += value.length;
  }
  if (!ended) await reader.cancel();
  const bytes = new Uint8Array(Math.min(size, limit));
  let at = 0;
  for (const chunk of chunks) {
    const part = chunk.subarray(0, bytes.length - at);
    bytes.set(part, at);
    at += part.length;
  }
  return { bytes, ended };
}

/** Longest run of bytes whose sums stay below 2^53, with much to spare. */
const ADLER_RUN = 65536;
const ADLER_MODULUS = 65521;

/** Whether the data ends with the Adler-32 checksum of what was inflated. */
function endsWithChecksumOf(zlib: Uint8Array, inflated: Uint8Array): boolean {
  let a = 1;
  let b = 0;
  for (let at = 0; at < inflated.length;) {
    const end = Math.min(at + ADLER_RUN, inflated.length);
    for (; at < end; at++) b += a += inflated[at]!;
    a %= ADLER_MODULUS;
    b %= ADLER_MODULUS;
  }
  const [b1, b0, a1, a0] = zlib.subarray(-4);
  return zlib.length >= 4 && b === (b1! << 8 | b0!) && a === (a1! << 8 | a0!);
}
