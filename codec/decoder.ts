/**
 * Bytes to commands.
 *
 * @module
 */

import { ProtocolError } from "./errors.ts";
import { FrameReader } from "./frame_reader.ts";
import { FrameSplitter } from "./frame_splitter.ts";
import { readDataLoose, readDataTight } from "./generated/marshallers.ts";
import { type DataStructure, DataTypeCode, type WireFormatInfo } from "./generated/types.ts";
import type { OpenWireFormat, WireFormatSettings } from "./wire_format.ts";

/** Bytes of a frame without a size that may be read in vain: about half a second's work. */
const AGAIN_LIMIT = 64 * 1024 * 1024;
/** A try that adds this part of the frame is free, so that a large frame in large pieces always passes. */
const AGAIN_FREE = 64;
const TYPE = "frame";
const FIELD = "type";

/**
 * Decodes bytes in chunks of any size (Java: OpenWireFormat.unmarshal). It keeps the cache of what was received, so there
 * is one for each connection.
 *
 * Byte arrays in the commands are views of the chunks: don't change a chunk after it was pushed. The null command, which
 * no peer sends, is left out.
 *
 * @example
 * ```ts
 * import { OpenWireDecoder, OpenWireFormat } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const decoder = new OpenWireDecoder(OpenWireFormat.fixed({ version: 12 }));
 * assertEquals(decoder.push(Uint8Array.of(0, 0, 0, 6, 10, 0)), []);
 * const [command] = decoder.push(Uint8Array.of(0, 0, 7, 1));
 * assertEquals(command, { dataType: "KeepAliveInfo", commandId: 7, responseRequired: true });
 * decoder.end();
 * ```
 */
export class OpenWireDecoder {
  readonly #format: OpenWireFormat;
  readonly #splitter: FrameSplitter = new FrameSplitter();
  readonly #reader: FrameReader = new FrameReader();
  // What the settings in force come to; see #configure().
  #settings: WireFormatSettings | undefined;
  #negotiated = false;
  #limit = 0;
  #failure: unknown;
  #byteCount = 0;
  /** Bytes of a peer that sends no sizes. */
  readonly #rest: ByteQueue = new ByteQueue();
  /** How many bytes there must be before another try. */
  #restNeeded = 1;
  /** How many bytes of the frame the last try read, and how many all tries read in vain. */
  #restRead = 0;
  #restAgain = 0;

  /**
   * Makes a decoder.
   *
   * @param format What to decode by. If it isn't negotiated yet, the first frame must be a WireFormatInfo, which
   *   negotiates it.
   */
  constructor(format: OpenWireFormat) {
    this.#format = format;
  }

  /** Number of bytes that were given to it, whether or not they made whole commands. */
  get byteCount(): number {
    return this.#byteCount;
  }

  /** Number of bytes of a command that isn't complete yet. */
  get pendingByteCount(): number {
    return this.#splitter.pending + this.#rest.length;
  }

  /**
   * Decodes the next bytes.
   *
   * @param chunk The bytes.
   * @returns The commands that are complete now.
   * @throws {ProtocolError} When the bytes break a rule. From then on each call throws it again. Commands before the bad
   *   one in the same chunk are lost: use {@linkcode pushTo} to have them.
   */
  push(chunk: Uint8Array): DataStructure[] {
    const commands: DataStructure[] = [];
    this.pushTo(chunk, (command) => commands.push(command));
    return commands;
  }

  /**
   * Decodes the next bytes and hands over each command as soon as it is known.
   *
   * @param chunk The bytes.
   * @param receive Takes a command. When it throws, that ends the decoder, because the rest of the chunk is lost.
   * @throws {ProtocolError} When the bytes break a rule. From then on each call throws it again.
   */
  pushTo(chunk: Uint8Array, receive: (command: DataStructure) => void): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.#byteCount += chunk.length;
    try {
      this.#splitter.push(asPlainBytes(chunk));
      while (true) {
        if (this.#settings !== this.#format.settings) this.#configure();
        if (this.#settings!.sizePrefixDisabled) return this.#pushRest(receive);
        if (!this.#splitter.next(this.#limit)) return;
        const command = this.#decodeFrame();
        if (command !== null) receive(command);
      }
    } catch (error) {
      this.#failure = error ?? new Error("The receiver of commands failed");
      this.#format.fail(this.#failure);
      throw this.#failure;
    } finally {
      this.#reader.releaseChunk();
    }
  }

  /**
   * Says that there are no more bytes.
   *
   * @throws {ProtocolError} When they ended within a frame.
   */
  end(): void {
    if (this.#failure !== undefined) throw this.#failure;
    const pending = this.pendingByteCount;
    if (pending > 0) {
      const error = endedEarly(
        `Cannot decode the last frame: the bytes end after ${pending} bytes of it`,
      );
      this.#format.fail(error);
      throw this.#failure = error;
    }
    this.#format.fail(
      endedEarly("Cannot negotiate with the peer: its bytes ended before its WireFormatInfo"),
    );
  }

  #configure(): void {
    const settings = this.#settings = this.#format.settings;
    const reader = this.#reader;
    reader.version = settings.version;
    reader.cacheEnabled = settings.cacheEnabled;
    reader.stackTraceEnabled = settings.stackTraceEnabled;
    this.#negotiated = this.#format.negotiated;
    // What we take ourselves; the peer's limit concerns only what we send.
    this.#limit = this.#negotiated ? this.#format.offer.maxFrameSize : settings.maxFrameSize;
    if (settings.cacheEnabled) reader.resetCache(settings.cacheSize);
  }

  #decodeFrame(): DataStructure | null {
    const { bytes, start, end, base } = this.#splitter;
    const reader = this.#reader;
    reader.setChunk(bytes, base);
    reader.setFrame(start, end);
    const command = this.#read();
    if (reader.remaining > 0) {
      reader.fail(command?.dataType ?? TYPE, FIELD, `${reader.remaining} bytes are left over`);
    }
    if (!this.#negotiated) this.#format.negotiate(command as WireFormatInfo);
    return command;
  }

  /** Reads what stands at the cursor. */
  #read(): DataStructure | null {
    const reader = this.#reader;
    const code = reader.code(TYPE, FIELD);
    if (!this.#negotiated) return this.#readFirst(code);
    if (code === 0) return null;
    if (!this.#settings!.tightEncodingEnabled) {
      return readDataLoose(reader, TYPE, FIELD, code, false);
    }
    reader.beginBits(TYPE, "booleanStream");
    const command = readDataTight(reader, TYPE, FIELD, code, false);
    reader.endBits(command.dataType, "booleanStream");
    return command;
  }

  #readFirst(code: number): DataStructure {
    if (code !== DataTypeCode.WireFormatInfo) {
      this.#reader.fail(TYPE, FIELD, `a WireFormatInfo is expected first, got type code ${code}`);
    }
    return readDataLoose(this.#reader, TYPE, FIELD, code, false);
  }

  #checkSize(size: number, offset: number): void {
    const limit = this.#limit;
    if (size <= limit) return;
    throw new ProtocolError(
      `Cannot take a frame of ${size} bytes or more at offset ${offset}: ${limit} are allowed`,
      { offset },
      "FRAME_TOO_LARGE",
    );
  }

  /** A frame that comes in very small pieces would be read from its start very often. */
  #countAgain(length: number, offset: number): void {
    const fresh = length - this.#restRead;
    this.#restRead = length;
    if (fresh * AGAIN_FREE >= length) return;
    this.#restAgain += length;
    if (this.#restAgain <= AGAIN_LIMIT) return;
    throw new ProtocolError(
      `Cannot take a frame of ${length} bytes or more at offset ${offset}: it has no size and comes in too small pieces`,
      { offset },
    );
  }

  /** Without sizes a command is complete when it can be read to its end. */
  #pushRest(receive: (command: DataStructure) => void): void {
    const rest = this.#rest;
    const { bytes, base } = this.#splitter.takeRest();
    rest.push(bytes, base);
    const reader = this.#reader;
    while (rest.length >= this.#restNeeded) {
      reader.setChunk(rest.bytes, rest.base);
      reader.setFrame(0, rest.length);
      reader.begin();
      let command: DataStructure | null;
      try {
        command = this.#read();
      } catch (error) {
        if (reader.missing === 0) throw error;
        this.#checkSize(rest.length + reader.missing, rest.base);
        this.#countAgain(rest.length, rest.base);
        reader.rollBack();
        this.#restNeeded = rest.length + reader.missing;
        return;
      }
      this.#restRead = this.#restAgain = 0;
      this.#checkSize(reader.chunkPosition, rest.base);
      rest.skip(reader.chunkPosition);
      this.#restNeeded = 1;
      if (command !== null) receive(command);
    }
  }
}

/** The same bytes as a plain Uint8Array, of which each view is one too: a Buffer has other methods of the same names. */
function asPlainBytes(chunk: Uint8Array): Uint8Array {
  if (chunk.constructor === Uint8Array) return chunk;
  return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}

/** Bytes in the order in which they came. What was seen of them stays as it is. */
class ByteQueue {
  /** Offset in the whole input of the first byte. */
  base = 0;
  #buffer: Uint8Array = new Uint8Array(0);
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  get bytes(): Uint8Array {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  push(chunk: Uint8Array, base: number): void {
    if (this.length === 0) this.base = base;
    if (this.#end + chunk.length > this.#buffer.length) {
      const grown = new Uint8Array((this.length + chunk.length) * 2);
      grown.set(this.bytes);
      this.#end = this.length;
      this.#start = 0;
      this.#buffer = grown;
    }
    this.#buffer.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  skip(count: number): void {
    this.#start += count;
    this.base += count;
  }
}

/** The peer left, which says nothing of the next time. */
function endedEarly(message: string): ProtocolError {
  return new ProtocolError(message, {}, "PROTOCOL", { retryable: true });
}
