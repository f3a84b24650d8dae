/**
 * Commands to bytes.
 *
 * @module
 */

import { OptionNames } from "../option_names.ts";
import { EncodeError } from "./errors.ts";
import { FrameWriter } from "./frame_writer.ts";
import { sizeData, writeDataLoose, writeDataTight } from "./generated/marshallers.ts";
import { type DataStructure, DataTypeCode } from "./generated/types.ts";
import type { OpenWireFormat, WireFormatSettings } from "./wire_format.ts";
import { WriteCache } from "./write_cache.ts";

/** Largest boolean stream: its length is a signed short. */
const BIT_BYTES = 32767;
const TYPE = "frame";
const FIELD = "type";

/**
 * Options of an {@linkcode OpenWireEncoder}.
 *
 * @example
 * ```ts
 * import { OpenWireEncoder, type OpenWireEncoderOptions, OpenWireFormat } from "./mod.ts";
 *
 * const options: OpenWireEncoderOptions = { maxFrameSize: 1_048_576 };
 * new OpenWireEncoder(OpenWireFormat.fixed(), options);
 * ```
 */
export interface OpenWireEncoderOptions {
  /** Largest frame in bytes that is written, its size prefix not counted; by default what both peers allow. */
  maxFrameSize?: number | undefined;
}

/**
 * Encodes commands one after another (Java: OpenWireFormat.marshal). It keeps the cache of what was sent, so there is one
 * for each connection, and frames must be sent in the order in which they were encoded.
 *
 * @example
 * ```ts
 * import { createKeepAliveInfo, OpenWireEncoder, OpenWireFormat } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const encoder = new OpenWireEncoder(OpenWireFormat.fixed({ version: 12 }));
 * const frame = encoder.encode(createKeepAliveInfo({ commandId: 7, responseRequired: true }));
 * assertEquals(frame, Uint8Array.of(0, 0, 0, 6, 10, 0, 0, 0, 7, 1));
 * ```
 */
export class OpenWireEncoder {
  readonly #format: OpenWireFormat;
  readonly #writer: FrameWriter = new FrameWriter();
  readonly #maxFrameSize: number | undefined;
  #settings: WireFormatSettings | undefined;
  /** Whether our WireFormatInfo may still be written; not when the settings are fixed. */
  #opening: boolean;

  /**
   * Makes an encoder.
   *
   * @param format What to encode by. Until it is negotiated only a WireFormatInfo can be encoded.
   * @param options Another limit.
   */
  constructor(format: OpenWireFormat, options: OpenWireEncoderOptions = {}) {
    ENCODER_OPTIONS.check(options, "Cannot make an encoder");
    this.#format = format;
    this.#maxFrameSize = options.maxFrameSize;
    this.#opening = !format.negotiated;
    if (this.#opening) this.#configure();
  }

  /**
   * Encodes one command.
   *
   * @param command The command; null is the null command, which no peer sends.
   * @returns Its frame. The bytes are the caller's: they are not used again.
   * @throws {EncodeError} When the peer could not take it. Nothing is written then, and the encoder stays usable.
   */
  encode(command: DataStructure | null): Uint8Array<ArrayBuffer> {
    this.write(command);
    return this.take();
  }

  /**
   * Encodes one command behind those that weren't taken yet.
   *
   * @param command The command.
   * @throws {EncodeError} When the peer could not take it. The commands before are kept.
   */
  write(command: DataStructure | null): void {
    // The peer's WireFormatInfo may come before ours is written; ours must not be written by what they agree on.
    const opening = this.#opening && command?.dataType === "WireFormatInfo";
    if (!opening && this.#settings !== this.#format.settings) this.#configure();
    const { negotiated } = this.#format;
    if (!negotiated && command?.dataType !== "WireFormatInfo") {
      throw new EncodeError(
        `Cannot encode ${command?.dataType ?? "null"}: the peer's WireFormatInfo is not known yet`,
        command?.dataType,
      );
    }
    const writer = this.#writer;
    writer.begin();
    writer.cache?.beginFrame();
    try {
      if (command === null) this.#writeNull();
      else if (this.#settings!.tightEncodingEnabled) this.#writeTight(command);
      else this.#writeLoose(command);
    } catch (error) {
      writer.discard();
      writer.cache?.rollBack();
      throw error;
    }
    this.#opening = false;
  }

  /** Number of bytes that were written since the last {@linkcode take}. */
  get pending(): number {
    return this.#writer.pending;
  }

  /**
   * Gives the bytes of all commands that were written since the last call.
   *
   * @returns The frames in one piece.
   */
  take(): Uint8Array<ArrayBuffer> {
    return this.#writer.take();
  }

  #configure(): void {
    const settings = this.#settings = this.#format.settings;
    this.#writer.version = settings.version;
    this.#writer.stackTraceEnabled = settings.stackTraceEnabled;
    this.#writer.limit = this.#maxFrameSize ?? settings.maxFrameSize;
    this.#writer.cache = settings.cacheEnabled ? new WriteCache(settings.cacheSize) : undefined;
  }

  #writeNull(): void {
    if (!this.#settings!.sizePrefixDisabled) this.#writer.rawInt(1);
    this.#writer.rawByte(0);
  }

  #writeLoose(command: DataStructure): void {
    const writer = this.#writer;
    const prefixed = !this.#settings!.sizePrefixDisabled;
    if (prefixed) writer.rawInt(0);
    writeDataLoose(writer, TYPE, FIELD, command);
    const size = prefixed ? writer.length - 4 : writer.length;
    if (size > writer.limit) writer.tooLarge(size);
    if (prefixed) writer.patchInt(0, size);
  }

  #writeTight(command: DataStructure): void {
    const writer = this.#writer;
    writer.bits.clear();
    const dataSize = sizeData(writer, TYPE, FIELD, command, false);
    if (writer.bits.byteLength > BIT_BYTES) {
      writer.refuse(
        command.dataType,
        FIELD,
        `its boolean stream takes ${writer.bits.byteLength} bytes, ${BIT_BYTES} are allowed`,
      );
    }
    const size = 1 + writer.bits.wireLength + dataSize;
    if (size > writer.limit) writer.tooLarge(size);
    writer.ensure(4 + size);
    if (!this.#settings!.sizePrefixDisabled) writer.rawInt(size);
    writer.rawByte(DataTypeCode[command.dataType]);
    writer.writeBits();
    writeDataTight(writer, command, false);
  }
}

/** The names of these options. */
const ENCODER_OPTIONS: OptionNames<OpenWireEncoderOptions> = new OptionNames<
  OpenWireEncoderOptions
>({
  maxFrameSize: true,
});
