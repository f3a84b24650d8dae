/** A stream that a consumer reads: its first chunk is a message of the consumer, the others it takes from the same queue. */

import type { Message as WireMessage } from "../../codec/mod.ts";
import { ClosedError, TimeoutError } from "../errors.ts";
import type { Message } from "../message/message.ts";
import { type ChunkHeader, otherChunks, readChunkHeader } from "./chunk_header.ts";
import { type ChunkPlace, StreamAssembly } from "./stream_assembly.ts";

/** A consumer of the other chunks, which acknowledges each on its own. */
export interface ChunkConsumer {
  receive(options: { timeout: number }): Promise<Message | null>;
  /** Acknowledges all that it has received. */
  acknowledgeDelivered(): Promise<void>;
  close(): Promise<void>;
  end(reason: Error): void;
}

/** A chunk and its body. */
interface ReceivedChunk {
  readonly header: ChunkHeader;
  readonly bytes: Uint8Array;
}

/** Chunks at most that come before one that is expected. */
const MOST_EARLY = 16;

/** What an {@linkcode IncomingStream} needs. */
export interface IncomingStreamParts {
  readonly header: ChunkHeader;
  /** Body of the first chunk. */
  readonly first: () => Uint8Array;
  /** Milliseconds to wait for the next chunk. */
  readonly chunkTimeout: number;
  /** Opens a consumer of messages that a selector selects. */
  readonly open: (selector: string) => Promise<ChunkConsumer>;
}

/**
 * Reads the chunks of a stream. They stay with the broker until the message of the stream is settled, and go back if it is to
 * be delivered again.
 */
export class IncomingStream {
  /** The body of the whole stream. */
  readonly readable: ReadableStream<Uint8Array>;
  readonly #parts: IncomingStreamParts;
  readonly #assembly: StreamAssembly;
  /** Chunks that were received and are not settled. */
  readonly #others: Message[] = [];
  /** Chunks that came before one that is expected. */
  readonly #early: Map<number, ReceivedChunk> = new Map();
  /** Numbers of the chunks that were received, without the first. */
  readonly #received: Set<number> = new Set();
  /** Number of the last chunk, once that is known; 0 if no others are to be waited for. */
  #last: number | undefined;
  #consumer: Promise<ChunkConsumer> | undefined;
  #reading: Promise<unknown> = Promise.resolve();
  #begun = false;
  /** Whether the message was settled: nobody reads any more. */
  #settled = false;
  #closed: Error | undefined;

  constructor(parts: IncomingStreamParts) {
    this.#parts = parts;
    this.#assembly = new StreamAssembly(parts.header.id);
    if (parts.header.end) this.#last = 0;
    this.readable = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        const pulled = this.#pull(controller);
        this.#reading = pulled.catch(() => {});
        return pulled;
      },
    }, { highWaterMark: 0 });
  }

  /** Whether the whole stream was read, or there are no more chunks. */
  get ended(): boolean {
    return this.#assembly.ended;
  }

  /** Acknowledges all chunks, those that were not read and are still to come included, and reads no more. */
  async acknowledge(): Promise<void> {
    await this.#finish((consumer) => consumer.acknowledgeDelivered());
  }

  /** Has all chunks dead-lettered, those that were not read and are still to come included, and reads no more. */
  async reject(reason: unknown): Promise<void> {
    await this.#finish(async (_, chunks) => {
      for (const chunk of chunks) await chunk.reject(reason);
    });
  }

  /** Reads no more: the broker has all chunks but the first again. */
  async close(reason: Error = new ClosedError("The message was settled")): Promise<void> {
    this.#closed ??= reason;
    const consumer = await this.#consumer?.catch(() => undefined);
    await consumer?.close();
  }

  /** The connection has ended. */
  end(reason: Error): void {
    this.#closed ??= reason;
    this.#consumer?.then((consumer) => consumer.end(reason), () => {});
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    for (;;) {
      if (this.#settled) throw new ClosedError("Cannot read the stream: its message was settled");
      const [place, bytes] = this.#begun ? await this.#next() : this.#first();
      if (place !== "duplicate" && bytes.length > 0) controller.enqueue(bytes);
      if (place === "last") return controller.close();
      if (place !== "duplicate" && bytes.length > 0) return;
    }
  }

  #first(): [ChunkPlace, Uint8Array] {
    this.#begun = true;
    const bytes = this.#parts.first();
    return [this.#assembly.push(this.#parts.header, bytes), bytes];
  }

  /** The next chunk. Those that come too early are kept: brokers keep the order, but for what is delivered again. */
  async #next(): Promise<[ChunkPlace, Uint8Array]> {
    for (;;) {
      const early = this.#early.get(this.#assembly.next);
      this.#early.delete(this.#assembly.next);
      const { header, bytes } = early ?? await this.#receiveChunk();
      const tooEarly = header.index > this.#assembly.next && header.end !== "aborted";
      if (!tooEarly || this.#early.size === MOST_EARLY) {
        return [this.#assembly.push(header, bytes), bytes];
      }
      this.#early.set(header.index, { header, bytes });
    }
  }

  async #receiveChunk(): Promise<ReceivedChunk> {
    const message = await this.#receive().catch((error) => {
      const [early] = this.#early.values();
      // Says which one is missing.
      if (early && error instanceof TimeoutError) this.#assembly.push(early.header, early.bytes);
      throw error;
    });
    try {
      const { bytes } = message;
      return { header: readChunkHeader(message.properties)!, bytes };
    } finally {
      forgetContent(message.original);
    }
  }

  async #receive(): Promise<Message> {
    if (this.#closed) throw this.#closed;
    const { chunkTimeout, open, header: { id } } = this.#parts;
    this.#consumer ??= open(otherChunks(id));
    const consumer = await this.#consumer;
    const message = await consumer.receive({ timeout: chunkTimeout });
    if (this.#closed) throw this.#closed;
    if (message === null) {
      throw new TimeoutError(
        `Cannot read the stream ${id}: after ${this.#assembly.bytes} bytes no chunk came within ${chunkTimeout} ms`,
      );
    }
    this.#others.push(message);
    this.#count(message);
    return message;
  }

  /** Counts each chunk once. One that can't be read does not count. */
  #count(message: Message): void {
    try {
      const header = readChunkHeader(message.properties);
      if (header) this.#received.add(header.index);
      if (header?.end) this.#last = header.end === "aborted" ? 0 : header.index;
    } catch {
      // Who reads it is told.
    }
  }

  /** Whether all chunks have come. */
  get #complete(): boolean {
    return this.#last !== undefined && this.#received.size >= this.#last;
  }

  /**
   * Settles the chunks that were read, and then one after another those that are still to come: a broker may send no more
   * before its memory has room.
   */
  async #finish(
    settle: (consumer: ChunkConsumer, chunks: Message[]) => Promise<void>,
  ): Promise<void> {
    this.#settled = true;
    // Whoever reads has what he has asked for.
    await this.#reading;
    try {
      while (!this.#complete) {
        if (this.#others.length > 0) await settle(await this.#consumer!, this.#others.splice(0));
        await this.#receive();
      }
    } finally {
      const consumer = await this.#consumer?.catch(() => undefined);
      if (consumer) await settle(consumer, this.#others.splice(0));
      await this.close();
    }
  }
}

/** A chunk that was read is kept for its acknowledgement only. */
function forgetContent(message: WireMessage): void {
  Object.assign(message, { content: null, marshalledProperties: null });
}
