/**
 * Commands in pieces (Java: PartialCommand, LastPartialCommand), as peers send them over datagrams.
 *
 * @module
 */

import { OptionNames } from "../option_names.ts";
import { ProtocolError } from "./errors.ts";
import { createLastPartialCommand, createPartialCommand } from "./generated/factories.ts";
import type { LastPartialCommand, PartialCommand } from "./generated/types.ts";

/**
 * Options of a {@linkcode PartialCommandJoiner}.
 *
 * @example
 * ```ts
 * import { PartialCommandJoiner, type PartialCommandJoinerOptions } from "./mod.ts";
 *
 * const options: PartialCommandJoinerOptions = { maxSize: 1_000_000 };
 * new PartialCommandJoiner(options);
 * ```
 */
export interface PartialCommandJoinerOptions {
  /** Largest frame in bytes, its size prefix counted, that is put together. @default {104_857_600} */
  maxSize?: number | undefined;
}

/**
 * Puts the frame of a command together from its pieces, which come in order.
 *
 * @example
 * ```ts
 * import {
 *   createKeepAliveInfo,
 *   cutFrame,
 *   OpenWireDecoder,
 *   OpenWireEncoder,
 *   OpenWireFormat,
 *   PartialCommandJoiner,
 * } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const format = OpenWireFormat.fixed({ version: 12 });
 * const command = createKeepAliveInfo({ commandId: 7 });
 * const joiner = new PartialCommandJoiner();
 * for (const piece of cutFrame(new OpenWireEncoder(format).encode(command), 4)) {
 *   const frame = joiner.push(piece);
 *   if (frame) assertEquals(new OpenWireDecoder(format).push(frame), [command]);
 * }
 * assertEquals(joiner.pending, 0);
 * ```
 */
export class PartialCommandJoiner {
  readonly #maxSize: number;
  #pieces: Uint8Array[] = [];
  #pending = 0;

  /**
   * Makes a joiner.
   *
   * @param options The limit.
   */
  constructor(options: PartialCommandJoinerOptions = {}) {
    JOINER_OPTIONS.check(options, "Cannot join partial commands");
    this.#maxSize = options.maxSize ?? 104_857_600;
  }

  /** Number of bytes of the unfinished frame. */
  get pending(): number {
    return this.#pending;
  }

  /**
   * Takes the next piece.
   *
   * @param piece The piece. Its bytes are kept as they are until the last one came.
   * @returns The whole frame, for an {@linkcode OpenWireDecoder}, when this was the last piece.
   * @throws {ProtocolError} When the piece has no data, or the frame would be too large: then its code is
   *   `"FRAME_TOO_LARGE"`. The pieces so far are forgotten.
   */
  push(piece: PartialCommand | LastPartialCommand): Uint8Array<ArrayBuffer> | undefined {
    const { dataType, data } = piece;
    const position = { dataType, field: "data" };
    if (data === null) {
      this.clear();
      throw new ProtocolError("Cannot join a partial command: a piece has no data", position);
    }
    const size = this.#pending + data.length;
    if (size > this.#maxSize) {
      this.clear();
      throw new ProtocolError(
        `Cannot join a partial command of ${size} bytes or more: ${this.#maxSize} are allowed`,
        position,
        "FRAME_TOO_LARGE",
      );
    }
    this.#pending = size;
    // Pieces without bytes would cost memory that the limit does not see.
    if (data.length > 0) this.#pieces.push(data);
    if (dataType !== "LastPartialCommand") return undefined;
    const frame = new Uint8Array(size);
    let at = 0;
    for (const part of this.#pieces) {
      frame.set(part, at);
      at += part.length;
    }
    this.clear();
    return frame;
  }

  /** Forgets the pieces so far. */
  clear(): void {
    this.#pieces = [];
    this.#pending = 0;
  }
}

/**
 * Cuts a frame into partial commands. The last one is a LastPartialCommand.
 *
 * @param frame The frame, with its size prefix, as an {@linkcode OpenWireEncoder} gives it.
 * @param size Bytes of each piece but the last.
 * @param commandId The `commandId` of the pieces.
 * @returns The pieces, whose data are views of the frame.
 * @throws {RangeError} When the size isn't a positive integer.
 *
 * @example
 * ```ts
 * import { cutFrame } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const pieces = cutFrame(new Uint8Array(10), 4, 5);
 * assertEquals(pieces.map(({ data }) => data?.length), [4, 4, 2]);
 * assertEquals(pieces.at(-1)?.dataType, "LastPartialCommand");
 * ```
 */
export function cutFrame(
  frame: Uint8Array,
  size: number,
  commandId = 0,
): (PartialCommand | LastPartialCommand)[] {
  if (!Number.isInteger(size) || size < 1) {
    throw new RangeError(`Cannot cut into pieces of ${size} bytes: a positive integer is expected`);
  }
  const pieces: (PartialCommand | LastPartialCommand)[] = [];
  let at = 0;
  for (; at + size < frame.length; at += size) {
    pieces.push(createPartialCommand({ commandId, data: frame.subarray(at, at + size) }));
  }
  pieces.push(createLastPartialCommand({ commandId, data: frame.subarray(at) }));
  return pieces;
}

/** The names of these options. */
const JOINER_OPTIONS: OptionNames<PartialCommandJoinerOptions> = new OptionNames<
  PartialCommandJoinerOptions
>({
  maxSize: true,
});
