import { concat } from "@std/bytes";
import { dial, listen, memoryPair, type Transport, TransportError } from "../../transport/mod.ts";

/** All ways to get two connected transports: what holds for one must hold for the others. */
export const pairs: { [kind: string]: () => Promise<[Transport, Transport]> } = {
  socket: socketPair,
  memory: () => Promise.resolve(memoryPair()),
};

/** A dialed and an accepted transport. */
export async function socketPair(): Promise<[Transport, Transport]> {
  await using listener = await listen();
  const client = await dial(`tcp://127.0.0.1:${listener.port}`);
  return [client, await accept(listener)];
}

/** The next connection. */
export async function accept(listener: AsyncIterable<Transport>): Promise<Transport> {
  for await (const transport of listener) return transport;
  throw new Error("The listener is closed");
}

/** Bytes that look random but are known: the byte at any position. */
export function byteAt(position: number, seed = 0): number {
  return (Math.imul(position + seed, 2654435761) >>> 13) & 0xff;
}

/** `length` known bytes. */
export function pattern(length: number, start = 0, seed = 0): Uint8Array {
  return new Uint8Array(length).map((_, i) => byteAt(start + i, seed));
}

/** Reads to the end, keeping the chunks as they came. */
export async function readAll(readable: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const reader = readable.getReader();
  for (let next; !(next = await reader.read()).done;) chunks.push(next.value!);
  return concat(chunks);
}

/** Writes all and ends the stream. */
export async function writeAll(
  writable: WritableStream<Uint8Array>,
  bytes: Uint8Array,
  chunkSize: number,
): Promise<void> {
  const writer = writable.getWriter();
  for (let start = 0; start < bytes.length; start += chunkSize) {
    await writer.write(bytes.slice(start, start + chunkSize));
  }
  await writer.close();
}

/** Fails with the first difference, without printing megabytes. */
export function assertSameBytes(actual: Uint8Array, expected: Uint8Array): void {
  if (actual.length !== expected.length) {
    throw new Error(`Got ${actual.length} bytes, expected ${expected.length}`);
  }
  const difference = actual.findIndex((byte, i) => byte !== expected[i]);
  if (difference >= 0) throw new Error(`Bytes differ at ${difference}`);
}

/** Writes into a transport that nobody reads from, until no write is accepted any more. */
export class StalledWriter {
  readonly writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly limit: number;
  readonly chunkSize: number = 64 * 1024;
  /** Bytes of the writes that resolved. */
  accepted = 0;
  /** Code of the error of the write that failed, or `undefined` when `limit` was written. */
  readonly failure: Promise<string | undefined>;

  constructor(transport: Transport, limit: number) {
    this.limit = limit;
    this.writer = transport.writable.getWriter();
    this.failure = this.#write().then(() => undefined, (error) => {
      if (error instanceof TransportError) return error.code;
      throw error;
    });
  }

  async #write(): Promise<void> {
    while (this.accepted < this.limit) {
      await this.writer.write(pattern(this.chunkSize, this.accepted));
      this.accepted += this.chunkSize;
    }
  }

  /** Resolves when nothing has been accepted for a while. Too early does no harm to the tests here. */
  async stalled(): Promise<void> {
    for (let before = -1; before !== this.accepted;) {
      before = this.accepted;
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
  }
}
