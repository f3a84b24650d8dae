/**
 * The codec as a pair of TransformStreams.
 *
 * @module
 */

import { OpenWireDecoder } from "./decoder.ts";
import { OpenWireEncoder } from "./encoder.ts";
import { EncodeError } from "./errors.ts";
import type { DataStructure } from "./generated/types.ts";
import type { OpenWireFormat } from "./wire_format.ts";

/**
 * Turns bytes, in chunks of any size, into commands.
 *
 * It negotiates the format that it shares with an {@linkcode OpenWireEncoderStream}: the peer's WireFormatInfo comes out
 * as the first command. Bad bytes error the stream with a {@linkcode ProtocolError}, after the commands before them.
 *
 * @example
 * ```ts
 * import { OpenWireDecoderStream, OpenWireFormat } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = ReadableStream.from([Uint8Array.of(0, 0, 0, 6, 10), Uint8Array.of(0, 0, 0, 7, 1)]);
 * const commands = bytes.pipeThrough(new OpenWireDecoderStream(OpenWireFormat.fixed({ version: 12 })));
 * for await (const command of commands) assertEquals(command.dataType, "KeepAliveInfo");
 * ```
 */
export class OpenWireDecoderStream extends TransformStream<Uint8Array, DataStructure> {
  readonly #decoder: OpenWireDecoder;

  /**
   * Makes a stream.
   *
   * @param format What to decode by.
   */
  constructor(format: OpenWireFormat) {
    const decoder = new OpenWireDecoder(format);
    super({
      transform: (chunk, controller) =>
        decoder.pushTo(chunk, (command) => controller.enqueue(command)),
      flush: () => decoder.end(),
    });
    this.#decoder = decoder;
  }

  /** Number of bytes that came in, whether or not they made whole commands. */
  get byteCount(): number {
    return this.#decoder.byteCount;
  }
}

/**
 * Options of an {@linkcode OpenWireEncoderStream}.
 *
 * @example
 * ```ts
 * import { type EncoderStreamOptions, OpenWireEncoderStream, OpenWireFormat } from "./mod.ts";
 *
 * const options: EncoderStreamOptions = { refused: (command, error) => console.error(command.dataType, error.message) };
 * new OpenWireEncoderStream(OpenWireFormat.fixed(), options);
 * ```
 */
export interface EncoderStreamOptions {
  /**
   * Is told of each command that can't be encoded; the others go on. Without it the first such command errors the
   * stream.
   */
  refused?: (command: DataStructure, error: EncodeError) => void;
}

/**
 * Turns commands into bytes: each command, or each array of commands, into one chunk.
 *
 * Until the format is negotiated only a WireFormatInfo passes; what comes after it waits. The format is negotiated by the
 * {@linkcode OpenWireDecoderStream} that shares it.
 *
 * @example The two ends of a connection
 * ```ts
 * import { createKeepAliveInfo, OpenWireDecoderStream, OpenWireEncoderStream, OpenWireFormat } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const format = OpenWireFormat.fixed({ version: 12 });
 * const bytes = ReadableStream.from([createKeepAliveInfo(), [createKeepAliveInfo(), createKeepAliveInfo()]])
 *   .pipeThrough(new OpenWireEncoderStream(format));
 * const commands = await Array.fromAsync(bytes.pipeThrough(new OpenWireDecoderStream(format)));
 * assertEquals(commands.length, 3);
 * ```
 */
export class OpenWireEncoderStream
  extends TransformStream<DataStructure | readonly DataStructure[], Uint8Array> {
  /**
   * Makes a stream.
   *
   * @param format What to encode by.
   * @param options What to do with commands that can't be encoded.
   */
  constructor(format: OpenWireFormat, { refused }: EncoderStreamOptions = {}) {
    const encoder = new OpenWireEncoder(format);

    const write = (command: DataStructure): void => {
      try {
        encoder.write(command);
      } catch (error) {
        if (refused === undefined || !(error instanceof EncodeError)) throw error;
        refused(command, error);
      }
    };
    const flush = (controller: TransformStreamDefaultController<Uint8Array>): void => {
      const bytes = encoder.take();
      if (bytes.length > 0) controller.enqueue(bytes);
    };

    super({
      async transform(chunk, controller) {
        for (const command of isBatch(chunk) ? chunk : [chunk]) {
          if (!format.negotiated && command.dataType !== "WireFormatInfo") {
            flush(controller);
            await format.agreement;
          }
          write(command);
        }
        flush(controller);
      },
    });
  }
}

function isBatch(
  chunk: DataStructure | readonly DataStructure[],
): chunk is readonly DataStructure[] {
  return Array.isArray(chunk);
}
