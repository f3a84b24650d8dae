/**
 * Translates what the runtimes say about TLS: the same condition is the same {@linkcode TransportError} on all of them.
 */

import { connectError } from "./_runtime_errors.ts";
import { TransportError, type TransportErrorCode } from "./errors.ts";

/** A pattern for what the runtimes say, and what we say. */
type Wording = readonly [RegExp, string];

const certificates: readonly Wording[] = [
  [/ALTNAME|HOSTNAME|NotValidForName|not valid for/i, "it is for another host"],
  [/NOT_YET_VALID|not valid (?:yet|before)|NotValidYet/i, "it is not valid yet"],
  [/EXPIRED/i, "it has expired"],
  [/REVOKED/i, "it has been revoked"],
  [/CaUsedAsEndEntity/, "it is that of an authority, which this runtime does not take for a host"],
  [
    /SELF_SIGNED|UNABLE_TO|UnknownIssuer/,
    "nobody who is trusted has issued it; a private authority is trusted when tls.caCerts has it",
  ],
];

/** Alerts of the peer that trying again can't change. */
const refusals: readonly Wording[] = [
  [/certificate.?required/i, "it wants a client certificate: give tls.cert and tls.key"],
  [
    /(?:bad|unsupported).?certificate|certificate.?(?:revoked|expired|unknown)|unknown.?ca|access.?denied|decrypt.?error/i,
    "it refuses the client certificate, or the lack of one (tls.cert and tls.key)",
  ],
  [/protocol.?version/i, "it does not speak TLS 1.2 or later"],
  [
    /handshake.?failure|insufficient.?security/i,
    "it wants a client certificate (tls.cert and tls.key), or has no cipher that this runtime has",
  ],
  [/unrecogni[sz]ed.?name/i, "it knows no host of that name"],
];

const ALERT = /alert/i;
const NO_TLS =
  /WRONG_VERSION_NUMBER|InvalidContentType|corrupt message|UNEXPECTED_MESSAGE|HTTP_REQUEST|PACKET_LENGTH|UNKNOWN_PROTOCOL/i;
const ENDED = /ECONNRESET|EPIPE|ConnectionReset|BrokenPipe|UnexpectedEof|ECONNABORTED/;

/** The error for a certificate that was not accepted. `address` as in `ssl://localhost:61617`. */
export function certificateError(address: string, cause: unknown): TransportError {
  const problem = wording(certificates, cause) ?? "see `cause`";
  return tlsError(
    "CERTIFICATE_INVALID",
    address,
    `its certificate is not valid: ${problem}`,
    cause,
  );
}

/** The error for a handshake that failed for another reason. */
export function handshakeError(address: string, cause: unknown): TransportError {
  const text = textOf(cause);
  if (ALERT.test(text)) {
    const refusal = wording(refusals, cause);
    const reason = refusal ?? "it has ended the TLS handshake with an alert, see `cause`";
    return tlsError("TLS_FAILED", address, reason, cause, refusal === undefined);
  }
  if (NO_TLS.test(text)) {
    return tlsError(
      "WRONG_PROTOCOL",
      address,
      "it does not speak TLS; without, it is tcp://",
      cause,
    );
  }
  if (ENDED.test(text)) {
    return tlsError(
      "TLS_FAILED",
      address,
      "it closed the connection before TLS stood",
      cause,
      true,
    );
  }
  if (!/SSL|EPROTO|InvalidData/.test(text)) return connectError(address, cause);
  return tlsError("TLS_FAILED", address, "the TLS handshake failed, see `cause`", cause);
}

/** The error for authorities, a certificate or a key that the runtime can't read. */
export function tlsOptionsError(address: string, cause: unknown): TransportError {
  const problem = "the runtime can't use tls.caCerts, tls.cert or tls.key, see `cause`";
  return tlsError("TLS_FAILED", address, problem, cause);
}

/**
 * The error for an open connection that the peer has ended with an alert; undefined when it was something else. With TLS 1.3 a
 * peer refuses the client's certificate, or the lack of one, when for the client the connection stands already.
 */
export function alertError(address: string, cause: unknown): TransportError | undefined {
  const refusal = ALERT.test(textOf(cause)) ? wording(refusals, cause) : undefined;
  if (!refusal) return undefined;
  return new TransportError("TLS_FAILED", `Connection to ${address} was lost: ${refusal}`, {
    cause,
  });
}

function tlsError(
  code: TransportErrorCode,
  address: string,
  problem: string,
  cause: unknown,
  retryable = false,
): TransportError {
  return new TransportError(code, `Cannot connect to ${address}: ${problem}`, { cause, retryable });
}

function wording(wordings: readonly Wording[], cause: unknown): string | undefined {
  const text = textOf(cause);
  return wordings.find(([pattern]) => pattern.test(text))?.[1];
}

/** Name, code and message: each runtime puts it somewhere else. */
function textOf(cause: unknown): string {
  const { name, code, message } = Object(cause) as Error & { code?: unknown };
  return `${name} ${code ?? ""} ${message}`;
}
