/** Sends a stream in chunks. */

import { EncodeError } from "../../codec/mod.ts";
import type { MessageBody } from "../message/outgoing_message.ts";
import type { Deadlines } from "../deadlines.ts";
import { TimeoutError } from "../errors.ts";
import { inTime } from "../in_time.ts";
import { limitsOf } from "../options.ts";
import type { SendOptions, SendResult } from "../producer/send_options.ts";
import { type ChunkHeader, MAX_CHUNKS, toChunkHeaders } from "./chunk_header.ts";
import { chunksOf, openSource, type StreamSource } from "./chunks.ts";
import { crc32 } from "./crc32.ts";
import { checkChunkSize, type SendStreamOptions, type SendStreamResult } from "./stream_options.ts";

/** Bytes of chunks that may be on their way, unless two chunks have more. */
const WINDOW = 2_097_152;

/** Sends one message. */
type Send = (body: MessageBody, options: SendOptions) => Promise<SendResult>;

/** What it needs of the connection. */
export interface SendStreamParts {
  readonly deadlines: Deadlines;
  /** Whether the chunks are a message group. */
  readonly grouped: boolean;
}

/**
 * Sends what a source gives, chunk by chunk. The source is asked for more while no more than a window is on its way.
 *
 * If that can't be done, a message tells consumers that the stream is given up.
 */
export async function sendStream(
  send: Send,
  source: StreamSource,
  { deadlines, grouped }: SendStreamParts,
  { chunkSize, signal, properties, ...options }: SendStreamOptions,
): Promise<SendStreamResult> {
  const size = checkChunkSize(chunkSize);
  limitsOf({ timeout: options.timeout, signal });
  signal?.throwIfAborted();
  const { pieces, length } = openSource(source);
  // The source may take as long as it likes, while there is a connection.
  const waiting = { deadlines, signal, timeout: 0, late: () => new TimeoutError("") };
  const id = crypto.randomUUID();
  const onTheirWay: Promise<SendResult>[] = [];
  const most = Math.max(2, Math.floor(WINDOW / size));
  let first: Promise<SendResult> | undefined;
  /** Whether the broker has chunks, but not the last one. */
  let unfinished = false;
  let index = 0;
  let bytes = 0;
  let checksum = 0;
  const sendChunk = (
    body: Uint8Array,
    rest: Pick<ChunkHeader, "end" | "length" | "crc32">,
    limits: SendOptions,
  ): Promise<SendResult> => {
    const header = { id, index, ...rest };
    const sent = send({ bytes: body }, {
      ...limits,
      ...toChunkHeaders(header, properties, grouped),
    });
    // Whoever waits for one of them is told.
    sent.catch(() => {});
    index++;
    return sent;
  };
  try {
    const chunks = chunksOf(pieces, size);
    for (;;) {
      const { done, value: chunk } = await inTime(chunks.next(), waiting);
      if (done) break;
      if (index === MAX_CHUNKS) throw new EncodeError("Cannot send the stream: too many chunks");
      bytes += chunk.bytes.length;
      checksum = crc32(chunk.bytes, checksum);
      const rest = chunk.last
        ? { end: "last" as const, length: bytes, crc32: checksum }
        : { end: undefined, length: index === 0 ? length : undefined, crc32: undefined };
      const sent = sendChunk(chunk.bytes, rest, { ...options, signal });
      // Without the first one nobody would take the others out of the queue.
      if (index === 1) {
        first = sent;
        await sent;
      }
      unfinished = !chunk.last;
      onTheirWay.push(sent);
      if (onTheirWay.length >= most) await onTheirWay.shift();
    }
    await Promise.all(onTheirWay);
    const { messageId } = await first!;
    return { streamId: id, messageId, chunks: index, bytes };
  } catch (error) {
    // The source may never answer.
    void Promise.resolve().then(() => pieces.return?.()).catch(() => {});
    const rest = { end: "aborted" as const, length: undefined, crc32: undefined };
    // Without the signal. If it fails, consumers have waited long enough at some time.
    if (unfinished) await sendChunk(new Uint8Array(0), rest, options).catch(() => {});
    throw error;
  }
}
