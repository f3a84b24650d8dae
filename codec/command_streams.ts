/**
 * The codec as a pair of streams, to pipe through.
 *
 * @module
 */

import { OptionNames } from "../option_names.ts";
import { OpenWireDecoder, type OpenWireDecoderOptions } from "./decoder.ts";
import { OpenWireEncoder } from "./encoder.ts";
import { EncodeError } from "./errors.ts";
import type { DataStructure } from "./generated/types.ts";
import type { OpenWireFormat } from "./wire_format.ts";

/**
 * Turns bytes, in chunks of any size, into commands: a TransformStream, in the way in which `DecompressionStream` is one.
 * It doesn't extend the class, whose queue is dropped at the first error, with the good commands that wait in it.
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
export class OpenWireDecoderStream implements TransformStream<Uint8Array, DataStructure> {
  /** The commands. */
  readonly readable: ReadableStream<DataStructure>;
  /** Takes the bytes. */
  readonly writable: WritableStream<Uint8Array>;
  readonly #decoder: OpenWireDecoder;

  /**
   * Makes a stream.
   *
   * @param format What to decode by.
   * @param options What to do with dispatches that cannot be read.
   */
  constructor(format: OpenWireFormat, options: OpenWireDecoderOptions = {}) {
    const decoder = this.#decoder = new OpenWireDecoder(format, options);
    let input!: WritableStreamDefaultController;
    let output!: ReadableStreamDefaultController<DataStructure>;
    /** Resolves when all commands were read and more are wanted. */
    let demand = Promise.withResolvers<void>();
    let ended: { readonly reason: unknown } | undefined;

    const end = (reason: unknown): void => {
      ended ??= { reason };
      format.fail(reason);
      demand.resolve();
    };
    const wanted = async (): Promise<void> => {
      await demand.promise;
      if (ended) throw ended.reason;
    };
    /** Fails after the commands that wait: a TransformStream would drop them. */
    const fail = async (error: unknown): Promise<never> => {
      await wanted();
      output.error(error);
      throw error;
    };

    this.readable = new ReadableStream<DataStructure>({
      start: (controller) => void (output = controller),
      pull: () => demand.resolve(),
      cancel(reason) {
        end(reason);
        input.error(reason);
      },
    }, { highWaterMark: 0 });
    this.writable = new WritableStream<Uint8Array>({
      start(controller) {
        input = controller;
        // Older types don't have it.
        const { signal } = controller as { signal?: AbortSignal };
        signal?.addEventListener("abort", () => end(signal.reason));
      },
      async write(chunk) {
        await wanted();
        demand = Promise.withResolvers();
        let count = 0;
        try {
          decoder.pushTo(chunk, (command) => {
            count++;
            output.enqueue(command);
          });
        } catch (error) {
          if (count === 0) demand.resolve();
          await fail(error);
        }
        if (count === 0) demand.resolve();
      },
      async close() {
        try {
          decoder.end();
        } catch (error) {
          await fail(error);
        }
        output.close();
      },
      abort(reason) {
        end(reason);
        output.error(reason);
      },
    });
  }

  /** Number of bytes that came in, whether or not they made whole commands. */
  get byteCount(): number {
    return this.#decoder.byteCount;
  }

  /** Number of bytes of a command that isn't complete yet. */
  get pendingByteCount(): number {
    return this.#decoder.pendingByteCount;
  }
}

/** Bytes from which on a chunk goes out. */
const CHUNK = 65536;

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
 * Turns commands into bytes: each command, or each array of commands, into one chunk; a new one is begun at 64 KiB.
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
  readonly #written: { bytes: number };

  /**
   * Makes a stream.
   *
   * @param format What to encode by.
   * @param options What to do with commands that can't be encoded.
   */
  constructor(format: OpenWireFormat, options: EncoderStreamOptions = {}) {
    ENCODER_STREAM_OPTIONS.check(options, "Cannot make an encoder");
    const { refused } = options;
    const encoder = new OpenWireEncoder(format);
    const written = { bytes: 0 };

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
      written.bytes += bytes.length;
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
          // A larger chunk is no cheaper, and would have to be copied while it grows.
          if (encoder.pending >= CHUNK) flush(controller);
        }
        flush(controller);
      },
    });
    this.#written = written;
  }

  /** Number of bytes that came out. */
  get byteCount(): number {
    return this.#written.bytes;
  }
}

function isBatch(
  chunk: DataStructure | readonly DataStructure[],
): chunk is readonly DataStructure[] {
  return Array.isArray(chunk);
}

/** The names of these options. */
const ENCODER_STREAM_OPTIONS: OptionNames<EncoderStreamOptions> = new OptionNames<
  EncoderStreamOptions
>({
  refused: true,
});
