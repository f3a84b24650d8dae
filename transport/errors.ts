/**
 * The error of this folder.
 *
 * @module
 */

import { OpenWireError, type OpenWireErrorOptions } from "../errors.ts";

/**
 * What went wrong with a connection; the same on every runtime.
 *
 * - `"ADDRESS_IN_USE"`: another socket listens on the port already.
 * - `"CERTIFICATE_INVALID"`: the certificate of the peer has expired, is for another host, or nobody who is trusted has issued it.
 * - `"CLOSED"`: this side closed the connection.
 * - `"CONNECTION_REFUSED"`: nothing listens on that port.
 * - `"CONNECTION_RESET"`: an open connection broke.
 * - `"CONNECT_FAILED"`: the runtime could not connect for another reason, none of several brokers could be reached, or a
 *   function of the application has failed: see `cause`.
 * - `"CONNECT_TIMEOUT"`: nobody answered in time.
 * - `"HOST_NOT_FOUND"`: the name has no address.
 * - `"INVALID_URL"`: the text is no URL of a broker.
 * - `"LISTEN_FAILED"`: the runtime could not listen for another reason, see `cause`.
 * - `"PERMISSION_DENIED"`: the runtime or the system forbids it.
 * - `"TLS_FAILED"`: the peer refuses TLS as it is offered, such as without a client certificate, or a key and its certificate
 *   can't be used, or the connection ended while TLS was agreed on; only then it is retryable.
 * - `"UNSUPPORTED"`: the runtime can't do what an option asks for.
 * - `"UNSUPPORTED_RUNTIME"`: neither Deno, nor Bun, nor Node; or a Bun that is too old for TLS.
 * - `"UNSUPPORTED_SCHEME"`: the URL names a transport that this module doesn't have.
 * - `"WRONG_PROTOCOL"`: the peer doesn't speak TLS.
 *
 * @example
 * ```ts
 * import type { TransportErrorCode } from "./mod.ts";
 *
 * const transient: TransportErrorCode[] = ["CONNECTION_REFUSED", "CONNECTION_RESET", "CONNECT_TIMEOUT"];
 * ```
 */
export type TransportErrorCode =
  | "ADDRESS_IN_USE"
  | "CERTIFICATE_INVALID"
  | "CLOSED"
  | "CONNECTION_REFUSED"
  | "CONNECTION_RESET"
  | "CONNECT_FAILED"
  | "CONNECT_TIMEOUT"
  | "HOST_NOT_FOUND"
  | "INVALID_URL"
  | "LISTEN_FAILED"
  | "PERMISSION_DENIED"
  | "TLS_FAILED"
  | "UNSUPPORTED"
  | "UNSUPPORTED_RUNTIME"
  | "UNSUPPORTED_SCHEME"
  | "WRONG_PROTOCOL";

/**
 * A connection could not be made, or broke.
 *
 * `cause` holds the error of the runtime, if there was one.
 *
 * @example The port is closed
 * ```ts
 * import { dial, TransportError, type TransportErrorCode } from "./mod.ts";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const refused: TransportErrorCode = "CONNECTION_REFUSED";
 * const error = await assertRejects(() => dial("tcp://127.0.0.1:1"), TransportError);
 * assertEquals(error.code, refused);
 * assertEquals(error.message, "Cannot connect to tcp://127.0.0.1:1: connection refused");
 * ```
 */
export class TransportError extends OpenWireError {
  /** Name of the class, also after minification. */
  override readonly name: string = "TransportError";
  /** What went wrong. */
  declare readonly code: TransportErrorCode;

  /**
   * Creates an error.
   *
   * @param code What went wrong.
   * @param message What could not be done, and why.
   * @param options Cause and retryability.
   */
  constructor(code: TransportErrorCode, message: string, options: OpenWireErrorOptions = {}) {
    super(code, message, options);
  }
}
