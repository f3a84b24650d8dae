/** The streams that a consumer reads. */

import {
  decodePrimitiveMap,
  type DecodeValuesOptions,
  type Message as WireMessage,
} from "../../codec/mod.ts";
import { OpenWireError, toError } from "../../errors.ts";
import type { Deadlines } from "../deadlines.ts";
import { TimeoutError } from "../errors.ts";
import { inTime } from "../in_time.ts";
import type { Limits } from "../options.ts";
import { type ChunkHeader, readChunkHeader } from "./chunk_header.ts";
import { type ChunkConsumer, IncomingStream } from "./incoming_stream.ts";

/** What {@linkcode IncomingStreams} need. */
export interface IncomingStreamsParts {
  readonly chunkTimeout: number;
  readonly limits: DecodeValuesOptions;
  readonly deadlines: Deadlines;
  readonly open: (selector: string) => Promise<ChunkConsumer>;
  /** Tells of a failure that nobody waits for. */
  readonly report: (error: Error) => void;
}

/** Streams that were read to their ends, whose first chunks may come again. */
const MOST_COMPLETED = 1_000;

/** What becomes of the message of a stream. */
export type StreamOutcome =
  /** It is done. */
  | "done"
  /** It is given up, for a reason. */
  | { readonly rejected: unknown }
  /** It is to be delivered again. */
  | "again";

/** The streams that a consumer reads, by the messages that they begin with. */
export class IncomingStreams {
  readonly #parts: IncomingStreamsParts;
  readonly #streams: Map<WireMessage, IncomingStream> = new Map();
  readonly #headers: WeakMap<WireMessage, ChunkHeader> = new WeakMap();
  /** Ids of streams that were read, and whose message can't be acknowledged because its connection was lost. */
  readonly #completed: Set<string> = new Set();
  /** What takes the rest of streams that nobody reads any more. */
  readonly #finishing: Set<Promise<void>> = new Set();
  readonly #open: Set<IncomingStream> = new Set();

  constructor(parts: IncomingStreamsParts) {
    this.#parts = parts;
  }

  /**
   * The body of the stream that a message begins; undefined when it begins none.
   *
   * @param message The message.
   * @param content Its body.
   */
  begin(
    message: WireMessage,
    content: () => Uint8Array,
  ): (() => ReadableStream<Uint8Array>) | undefined {
    let header: ChunkHeader | undefined;
    try {
      header = this.#headerOf(message);
    } catch (error) {
      return () => {
        throw error;
      };
    }
    if (!header) return undefined;
    const { chunkTimeout, open } = this.#parts;
    const stream = new IncomingStream({ header, first: content, chunkTimeout, open });
    this.#streams.set(message, stream);
    this.#open.add(stream);
    return () => stream.readable;
  }

  /** Whether a message begins a stream that was read to its end before its connection was lost. */
  isCompleted(message: WireMessage): boolean {
    if (this.#completed.size === 0) return false;
    try {
      const header = this.#headerOf(message);
      return header !== undefined && this.#completed.delete(header.id);
    } catch {
      // Who reads it is told.
      return false;
    }
  }

  /** A message is about to be settled. What is left to do is done at once as far as it can be. */
  settled(message: WireMessage, outcome: StreamOutcome): void {
    const stream = this.#take(message);
    if (!stream) return;
    if (outcome === "again") this.#finish(stream, stream.close());
    else if (outcome === "done") this.#finish(stream, stream.acknowledge());
    else this.#finish(stream, stream.reject(outcome.rejected));
  }

  /** A message was handled that can't be settled any more: the connection over which it came was lost. */
  handledLate(message: WireMessage): void {
    const stream = this.#streams.get(message);
    if (!stream?.ended) return this.settled(message, "again");
    const { id } = this.#headers.get(message)!;
    if (this.#completed.size >= MOST_COMPLETED) this.#completed.clear();
    this.#completed.add(id);
    this.settled(message, "done");
  }

  /**
   * The consumer is closed: waits for what takes the rest of streams, then gives the chunks back.
   *
   * @param limits How long to wait.
   * @param reason What is told to those who read.
   * @returns Never rejects.
   */
  async close({ timeout, signal }: Limits, reason: Error): Promise<void> {
    const { deadlines, report } = this.#parts;
    const late = (): Error =>
      new TimeoutError(`The rest of streams did not come within ${timeout} ms`);
    try {
      const finished = Promise.all(this.#finishing);
      if (this.#finishing.size > 0) await inTime(finished, { deadlines, timeout, signal, late });
    } catch (error) {
      if (!signal?.aborted) report(toError(error));
    }
    for (const stream of this.#open) void stream.close(reason).catch(() => {});
    this.#clear();
  }

  /** The connection has ended. */
  end(reason: Error): void {
    for (const stream of this.#open) stream.end(reason);
    this.#clear();
  }

  #clear(): void {
    this.#streams.clear();
    this.#open.clear();
  }

  #take(message: WireMessage): IncomingStream | undefined {
    const stream = this.#streams.get(message);
    this.#streams.delete(message);
    return stream;
  }

  #finish(stream: IncomingStream, work: Promise<void>): void {
    const finishing = work.catch((error) => {
      // That its sender has given it up is no failure of whoever does not read it any more.
      if (error instanceof OpenWireError && IGNORED.has(error.code)) return;
      this.#parts.report(toError(error));
    }).finally(() => {
      this.#finishing.delete(finishing);
      this.#open.delete(stream);
    });
    this.#finishing.add(finishing);
  }

  #headerOf(message: WireMessage): ChunkHeader | undefined {
    const known = this.#headers.get(message);
    if (known) return known;
    const { marshalledProperties, content } = message;
    if (marshalledProperties === null && content === null) return undefined;
    const properties = decodePrimitiveMap(marshalledProperties, this.#parts.limits);
    const header = readChunkHeader(properties);
    if (header) this.#headers.set(message, header);
    return header;
  }
}

const IGNORED: ReadonlySet<string> = new Set(["STREAM_ABORTED", "CLOSED", "CONNECTION_CLOSED"]);
