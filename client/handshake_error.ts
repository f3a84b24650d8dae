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

/** How far a handshake has come. */
export interface Progress {
  /** Whether the wire format was agreed on. */
  readonly negotiated: boolean;
  readonly bytesReceived: number;
  /** Whether TLS stands. */
  readonly secure: boolean;
}

/**
 * What a peer without a word may be. ActiveMQ 5.17 and 6.3 and Artemis 2.55 close a connection beyond `maximumConnections`
 * (Artemis: `connectionsAllowed`) like that, and a port with TLS of Artemis does it too; those of ActiveMQ send an alert.
 */
const SILENT =
  "The broker may have as many connections as it allows (maximumConnections) or be stopping.";
const IF_TLS = "If it is one with TLS, write ssl://";

/**
 * The error for a handshake that failed.
 *
 * @param cannot What can't be done, such as `Cannot connect to 127.0.0.1:61616`.
 * @param error What has ended it.
 * @param progress How far it has come.
 */
export function toHandshakeError(cannot: string, error: unknown, progress: Progress): unknown {
  if (error instanceof BrokerError) {
    if (error.code !== "SECURITY") return error;
    return new AuthenticationError(cannot, exceptionOf(error));
  }
  if (!(error instanceof ConnectionClosedError) && !(error instanceof ProtocolError)) return error;
  const cause = error instanceof ConnectionClosedError ? error.cause ?? error : error;
  // The certificate of this client, or the lack of one.
  if (cause instanceof TransportError && !cause.retryable) return cause;
  const { negotiated, bytesReceived, secure } = progress;
  if (bytesReceived === 0) {
    const how = cause instanceof TransportError
      ? "the connection broke before anything came"
      : "the peer closed the connection without sending anything";
    const hint = secure ? SILENT : `${SILENT} Or is it no port for OpenWire? ${IF_TLS}`;
    return new HandshakeError(`${cannot}: ${how}. ${hint}`, { cause, retryable: true });
  }
  const doubt = negotiated ? "" : `: is it a port for OpenWire?${secure ? "" : ` ${IF_TLS}`}`;
  if (cause instanceof ProtocolError) {
    const code = cause.code === "WRONG_PROTOCOL" ? "WRONG_PROTOCOL" : "HANDSHAKE";
    // Later than that the link has decided.
    const { retryable } = negotiated && error instanceof ConnectionClosedError ? error : cause;
    const hint = retryable ? doubt : "";
    return new HandshakeError(`${cannot}: ${cause.message}${hint}`, { cause, retryable }, code);
  }
  const step = negotiated
    ? "it had accepted it; it may be stopping"
    : `the peer's WireFormatInfo came${doubt}`;
  const how = cause instanceof TransportError
    ? "the connection broke"
    : "the peer closed the connection";
  return new HandshakeError(`${cannot}: ${how} before ${step}`, { cause, retryable: true });
}
