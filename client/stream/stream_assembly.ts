/** Puts a stream together. It knows no sockets: it looks at chunks alone. */

import { OpenWireError } from "../../errors.ts";
import type { ChunkHeader } from "./chunk_header.ts";
import { crc32 } from "./crc32.ts";

/** What a chunk is: the next one, the last one, or one that came before. */
export type ChunkPlace = "next" | "last" | "duplicate";

/** Checks that the chunks of a stream come one after another and are all there. */
export class StreamAssembly {
  readonly #id: string;
  #next = 0;
  #bytes = 0;
  #crc32 = 0;
  #length: number | undefined;
  #ended = false;

  constructor(id: string) {
    this.#id = id;
  }

  /** Number of the chunk that is expected. */
  get next(): number {
    return this.#next;
  }

  /** Bytes so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether the last chunk has come, or its sender has given it up: there are no more. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Takes a chunk.
   *
   * @throws {OpenWireError} `"STREAM_ABORTED"` when its sender has given the stream up; `"STREAM_BROKEN"` when a chunk is
   *   missing, or length or checksum are not those of what was sent.
   */
  push({ index, end, length, crc32: checksum }: ChunkHeader, content: Uint8Array): ChunkPlace {
    if (this.#ended || index < this.#next) return "duplicate";
    if (end === "aborted") {
      // Whatever its number is: of those before it one may have failed.
      this.#ended = true;
      throw new OpenWireError(
        "STREAM_ABORTED",
        `Cannot read the stream ${this.#id}: its sender has given it up after ${this.#bytes} bytes`,
      );
    }
    if (index > this.#next) {
      throw this.#broken(`chunk ${index} came where chunk ${this.#next} is expected`);
    }
    this.#next++;
    this.#bytes += content.length;
    this.#crc32 = crc32(content, this.#crc32);
    this.#length ??= length;
    if (end === "last") this.#ended = true;
    const known = this.#length ?? length;
    if (known !== undefined && this.#bytes > known) {
      throw this.#broken(`${this.#bytes} bytes have come of ${known}`);
    }
    if (end !== "last") return "next";
    if (length !== this.#bytes || known !== this.#bytes) {
      throw this.#broken(`${this.#bytes} bytes have come of ${length}`);
    }
    if (checksum !== this.#crc32) throw this.#broken("its checksum is not that of what was sent");
    return "last";
  }

  #broken(problem: string): OpenWireError {
    return new OpenWireError("STREAM_BROKEN", `Cannot read the stream ${this.#id}: ${problem}`);
  }
}
