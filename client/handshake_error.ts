/** What went wrong while a connection was made, in terms of the handshake. */

import { ProtocolError } from "../codec/mod.ts";
import { TransportError } from "../transport/mod.ts";
import { exceptionOf } from "./broker_exception.ts";
import {
  AuthenticationError,
  BrokerError,
  ConnectionClosedError,
  HandshakeError,
} from "./errors.ts";

/**
 * The error for a handshake that failed.
 *
 * @param cannot What can't be done, such as `Cannot connect to 127.0.0.1:61616`.
 * @param error What has ended it.
 * @param negotiated Whether the wire format was agreed on.
 */
export function toHandshakeError(cannot: string, error: unknown, negotiated: boolean): unknown {
  if (error instanceof BrokerError) {
    if (error.code !== "SECURITY") return error;
    return new AuthenticationError(cannot, exceptionOf(error));
  }
  if (!(error instanceof ConnectionClosedError) && !(error instanceof ProtocolError)) return error;
  const cause = error instanceof ConnectionClosedError ? error.cause ?? error : error;
  // The certificate of this client, or the lack of one.
  if (cause instanceof TransportError && !cause.retryable) return cause;
  const doubt = negotiated
    ? ""
    : ": is it a port for OpenWire? If it is one with TLS, write ssl://";
  if (cause instanceof ProtocolError) {
    const code = cause.code === "WRONG_PROTOCOL" ? "WRONG_PROTOCOL" : "HANDSHAKE";
    // Later than that the link has decided.
    const { retryable } = negotiated && error instanceof ConnectionClosedError ? error : cause;
    const hint = retryable ? doubt : "";
    return new HandshakeError(`${cannot}: ${cause.message}${hint}`, { cause, retryable }, code);
  }
  const step = negotiated ? "the connection was opened" : `the peer's WireFormatInfo came${doubt}`;
  const how = cause instanceof TransportError
    ? "the connection broke"
    : "the peer closed the connection";
  return new HandshakeError(`${cannot}: ${how} before ${step}`, { cause, retryable: true });
}
