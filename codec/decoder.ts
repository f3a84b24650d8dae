/**
 * Bytes to commands.
 *
 * @module
 */

import { OptionNames } from "../option_names.ts";
import { ProtocolError } from "./errors.ts";
import { FrameReader } from "./frame_reader.ts";
import { FrameSplitter } from "./frame_splitter.ts";
import { readDataLoose, readDataTight } from "./generated/marshallers.ts";
import { type DataStructure, DataTypeCode, type WireFormatInfo } from "./generated/types.ts";
import { OversizedFrame } from "./oversized_frame.ts";
import { readDispatchIds, type UnreadableDispatch } from "./unreadable_dispatch.ts";
import type { OpenWireFormat, WireFormatSettings } from "./wire_format.ts";

/** Bytes of a frame without a size that may be read in vain: about half a second's work. */
const AGAIN_LIMIT = 64 * 1024 * 1024;
/** A try that adds this part of the frame is free, so that a large frame in large pieces always passes. */
const AGAIN_FREE = 64;
/**
 * Bytes above the limit that a dispatch may have. A message of the largest size that may be sent comes back with the fields
 * of the dispatch and of the broker: about 100 bytes, and the name of the destination once more.
 */
const SLACK = 16_384;
/** Bytes of a dispatch that hold its ids: the longest fields before them are six texts of 64 KiB. */
const HEAD = 524_288;
/** Bytes that each part of an XA transaction's id may have (X/Open's XID: MAXGTRIDSIZE, MAXBQUALSIZE). */
const MAX_XID_PART = 64;
const TYPE = "frame";
const FIELD = "type";

/**
 * Options of an {@linkcode OpenWireDecoder}.
 *
 * @example
 * ```ts
 * import { OpenWireDecoder, type OpenWireDecoderOptions, OpenWireFormat } from "./mod.ts";
 *
 * const options: OpenWireDecoderOptions = {
 *   unreadable: ({ messageId, error }) => console.error(messageId.producerSequenceId, error.message),
 * };
 * new OpenWireDecoder(OpenWireFormat.fixed(), options);
 * ```
 */
export interface OpenWireDecoderOptions {
  /**
   * Takes each MessageDispatch that is skipped because it cannot be decoded or is too large; decoding goes on behind it.
   * Without this callback such a frame ends the decoder.
   *
   * A frame ends the decoder in any case if its consumer or its message id cannot be read, and if the object cache is in
   * use: nobody knows what a skipped frame has put into the cache.
   */
  unreadable?: ((dispatch: UnreadableDispatch) => void) | undefined;
}

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
  readonly #unreadable: OpenWireDecoderOptions["unreadable"];
  /** Whether a dispatch may be a little larger than the limit. */
  #expects = false;
  /** Whether a dispatch may be skipped. */
  #skips = false;
  /** The frame above the limit whose bytes come next. */
  #oversized: OversizedFrame | undefined;
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
   * @param options What to do with dispatches that cannot be read.
   */
  constructor(format: OpenWireFormat, options: OpenWireDecoderOptions = {}) {
    DECODER_OPTIONS.check(options, "Cannot make a decoder");
    this.#format = format;
    this.#unreadable = options.unreadable;
  }

  /** Number of bytes that were given to it, whether or not they made whole commands. */
  get byteCount(): number {
    return this.#byteCount;
  }

  /** Number of bytes of a command that isn't complete yet. */
  get pendingByteCount(): number {
    return this.#splitter.pending + this.#rest.length + (this.#oversized?.taken ?? 0);
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
        if (this.#oversized) {
          if (!this.#takeOversized(this.#oversized, receive)) return;
        } else if (this.#splitter.next(this.#limit, this.#expects)) {
          const { bytes, start, end, base } = this.#splitter;
          const command = this.#decodeFrame(bytes, start, end, base);
          if (command !== null) receive(command);
        } else if (this.#splitter.oversize > 0) {
          this.#beginOversized(this.#splitter.oversize);
        } else {
          return;
        }
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
    this.#expects = this.#unreadable !== undefined && this.#negotiated;
    this.#skips = this.#expects && !settings.cacheEnabled;
    // Recorded bytes of Java's own tests have longer ones.
    reader.maxXidPart = this.#format.peerProperties === undefined ? Infinity : MAX_XID_PART;
    if (settings.cacheEnabled) reader.resetCache(settings.cacheSize);
  }

  #decodeFrame(bytes: Uint8Array, start: number, end: number, base: number): DataStructure | null {
    const reader = this.#reader;
    reader.setChunk(bytes, base);
    reader.setFrame(start, end);
    let command: DataStructure | null;
    try {
      command = this.#read();
      if (reader.remaining > 0) {
        reader.fail(command?.dataType ?? TYPE, FIELD, `${reader.remaining} bytes are left over`);
      }
    } catch (error) {
      if (!this.#skips || !(error instanceof ProtocolError)) throw error;
      reader.setFrame(start, end);
      const ids = this.#readIds();
      if (ids === undefined || ids instanceof ProtocolError) throw error;
      this.#unreadable!({ error, size: end - start, ...ids });
      return null;
    }
    if (!this.#negotiated) this.#format.negotiate(command as WireFormatInfo);
    return command;
  }

  /** The ids of the dispatch at the cursor, or what is wrong with them; undefined when it is no dispatch of a message. */
  #readIds(): ReturnType<typeof readDispatchIds> | ProtocolError {
    try {
      return readDispatchIds(this.#reader, this.#settings!.tightEncodingEnabled);
    } catch (error) {
      if (error instanceof ProtocolError) return error;
      throw error;
    }
  }

  #beginOversized(size: number): void {
    const isLittle = size <= this.#limit + SLACK;
    if (!isLittle && !this.#skips) throw this.#tooLarge(size, this.#splitter.offset);
    this.#oversized = new OversizedFrame(size, isLittle ? size : HEAD);
  }

  /** Takes bytes of a frame above the limit; false when more must come. */
  #takeOversized(frame: OversizedFrame, receive: (command: DataStructure) => void): boolean {
    const { size } = frame;
    while (frame.missing > 0) {
      const bytes = this.#splitter.take(frame.wanted);
      if (bytes.length === 0) return false;
      const wasComplete = frame.headComplete;
      frame.push(bytes);
      const base = this.#splitter.offset - frame.taken;
      if (frame.head.length > 0 && frame.head[0] !== DataTypeCode.MessageDispatch) {
        throw this.#tooLarge(size, base);
      }
      if (size > this.#limit + SLACK && !wasComplete && frame.headComplete) {
        this.#skipOversized(frame, base);
      }
    }
    this.#oversized = undefined;
    if (size > this.#limit + SLACK) return true;
    const command = this.#decodeFrame(frame.head, 0, size, this.#splitter.offset - size);
    if (command !== null) receive(command);
    return true;
  }

  /** Hands over the ids of a frame above the limit, and keeps nothing of it. */
  #skipOversized(frame: OversizedFrame, base: number): void {
    const reader = this.#reader;
    const { size, head } = frame;
    reader.setChunk(head, base);
    reader.setFrame(0, head.length);
    const ids = this.#readIds();
    if (ids instanceof ProtocolError && ids.dataType === "XATransactionId" && reader.missing > 0) {
      // The id of a transaction may be longer than what is kept.
      const at = reader.chunkPosition;
      if (frame.leaveOut(at, reader.missing + head.length - at)) return;
    }
    const error = this.#tooLarge(size, base);
    if (ids === undefined || ids instanceof ProtocolError) throw error;
    this.#unreadable!({ error, size, ...ids });
    frame.release();
  }

  #tooLarge(size: number, offset: number): ProtocolError {
    return new ProtocolError(
      `Cannot take a frame of ${size} bytes at offset ${offset}: 1 to ${this.#limit} are allowed`,
      { offset },
      "FRAME_TOO_LARGE",
    );
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

/** The names of these options. */
const DECODER_OPTIONS: OptionNames<OpenWireDecoderOptions> = new OptionNames<
  OpenWireDecoderOptions
>({
  unreadable: true,
});
