/**
 * Errors of the codec.
 *
 * @module
 */

import { oneLine, OpenWireError, type OpenWireErrorOptions } from "../errors.ts";

/**
 * Where in the input a codec error lies.
 *
 * @example
 * ```ts
 * import { ProtocolError, type ProtocolErrorPosition } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const position: ProtocolErrorPosition = { offset: 14, dataType: "ConsumerInfo", field: "selector" };
 * assertEquals(new ProtocolError("Cannot decode", position).offset, 14);
 * ```
 */
export interface ProtocolErrorPosition {
  /** Offset in bytes from the first byte that the decoder got; -1 when unknown. */
  offset?: number;
  /** Name of the data type that was being decoded, such as `"MessageAck"`. */
  dataType?: string | undefined;
  /** Name of the field that was being decoded. */
  field?: string | undefined;
}

/**
 * The peer sent bytes that break the rules of the protocol.
 *
 * Its `code` is `"PROTOCOL"`, or `"WRONG_PROTOCOL"` when the first bytes belong to another protocol, or
 * `"FRAME_TOO_LARGE"`. After one the decoder can't go on: close the connection.
 *
 * @example
 * ```ts
 * import { OpenWireDecoder, OpenWireFormat, ProtocolError } from "./mod.ts";
 * import { assertThrows } from "@std/assert";
 *
 * const decoder = new OpenWireDecoder(OpenWireFormat.fixed({ version: 12 }));
 * const error = assertThrows(() => decoder.push(new Uint8Array([0, 0, 0, 1, 77])), ProtocolError);
 * ```
 */
export class ProtocolError extends OpenWireError {
  /** Name of the class. */
  override readonly name: string = "ProtocolError";
  /** Offset in bytes from the first byte that the decoder got; -1 when unknown. */
  readonly offset: number;
  /** Name of the data type that was being decoded. */
  readonly dataType: string | undefined;
  /** Name of the field or property that was being decoded, without control characters; cut off after 64. */
  readonly field: string | undefined;

  /**
   * Creates an error.
   *
   * @param message What was expected and what came.
   * @param position Where it came.
   * @param code Stable identifier.
   * @param options Cause.
   */
  constructor(
    message: string,
    position: ProtocolErrorPosition = {},
    code:
      | "PROTOCOL"
      | "WRONG_PROTOCOL"
      | "FRAME_TOO_LARGE"
      | "INFLATED_TOO_LARGE"
      | "TOO_MANY_VALUES" = "PROTOCOL",
    options?: OpenWireErrorOptions,
  ) {
    super(code, message, options);
    this.offset = position.offset ?? -1;
    this.dataType = optional(position.dataType);
    this.field = optional(position.field);
  }
}

/**
 * A value can't be encoded, because the peer could not take it or because it isn't of the field's type.
 *
 * Nothing was written and the encoder stays usable. Its `code` is `"ENCODE"`, or `"FRAME_TOO_LARGE"` when
 * the frame would be larger than what both peers agreed on.
 *
 * @example
 * ```ts
 * import { createActiveMQQueue, createProducerInfo, EncodeError, OpenWireEncoder, OpenWireFormat } from "./mod.ts";
 * import { assertThrows } from "@std/assert";
 *
 * const encoder = new OpenWireEncoder(OpenWireFormat.fixed({ version: 12 }));
 * const nameless = createProducerInfo({ destination: createActiveMQQueue({ physicalName: "" }) });
 * assertThrows(() => encoder.encode(nameless), EncodeError, "physicalName");
 * ```
 */
export class EncodeError extends OpenWireError {
  /** Name of the class. */
  override readonly name: string = "EncodeError";
  /** Name of the data type that was being encoded. */
  readonly dataType: string | undefined;
  /** Name of the field that was being encoded. */
  readonly field: string | undefined;

  /**
   * Creates an error.
   *
   * @param message What was expected and what was given.
   * @param dataType Name of the data type.
   * @param field Name of the field.
   * @param code Stable identifier.
   */
  constructor(
    message: string,
    dataType?: string,
    field?: string,
    code: "ENCODE" | "FRAME_TOO_LARGE" = "ENCODE",
  ) {
    super(code, message);
    this.dataType = optional(dataType);
    this.field = optional(field);
  }
}

/** Text of the peer's choice, such as the name of a property, fit for a message that may end in a log. */
export function printable(text: string): string {
  return oneLine(text.length > 64 ? `${text.slice(0, 64)}…` : text);
}

/** A name that may be of the peer's choice, too: that of a property, for example. */
function optional(name: string | undefined): string | undefined {
  return name === undefined ? undefined : printable(name);
}
