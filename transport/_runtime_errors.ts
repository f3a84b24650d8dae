/**
 * Translates the errors of the runtimes: the same condition is the same {@linkcode TransportError} on all of them.
 */

import { TransportError, type TransportErrorCode } from "./errors.ts";

interface Condition {
  code: TransportErrorCode;
  text: string;
  retryable: boolean;
}

const denied: Condition = {
  code: "PERMISSION_DENIED",
  text: "permission denied",
  retryable: false,
};
const notFound: Condition = { code: "HOST_NOT_FOUND", text: "host not found", retryable: true };

/** Keys are what the runtimes put into `error.code`, or into `error.name` where Deno has no code. */
const conditions: Record<string, Condition> = {
  EACCES: denied,
  EPERM: denied,
  ERR_ACCESS_DENIED: denied,
  NotCapable: denied,
  PermissionDenied: denied,
  ENOTFOUND: notFound,
  EAI_AGAIN: notFound,
  ECONNREFUSED: { code: "CONNECTION_REFUSED", text: "connection refused", retryable: true },
  ETIMEDOUT: { code: "CONNECT_TIMEOUT", text: "no answer", retryable: true },
  EADDRINUSE: { code: "ADDRESS_IN_USE", text: "address is in use", retryable: true },
};

/** The error of a failed attempt to connect. `address` as in `tcp://127.0.0.1:61616`. */
export function connectError(address: string, cause: unknown): TransportError {
  const { code, text, retryable } = classify(cause) ??
    { code: "CONNECT_FAILED", text: messageOf(cause), retryable: true };
  return new TransportError(code, `Cannot connect to ${address}: ${text}`, { cause, retryable });
}

/** The error of a failed attempt to listen. `address` as in `127.0.0.1:61616`. */
export function listenError(address: string, cause: unknown): TransportError {
  const { code, text, retryable } = classify(cause) ??
    { code: "LISTEN_FAILED", text: messageOf(cause), retryable: false };
  return new TransportError(code, `Cannot listen on ${address}: ${text}`, { cause, retryable });
}

/** The error of an open connection that broke; which system call noticed it first makes no difference. */
export function lostError(address: string, cause?: unknown): TransportError {
  const options = { retryable: true, ...cause === undefined ? {} : { cause } };
  return new TransportError("CONNECTION_RESET", `Connection to ${address} was lost`, options);
}

/** The error of a connection that this side closed. */
export function closedError(address: string, cause?: unknown): TransportError {
  const options = cause === undefined ? {} : { cause };
  return new TransportError("CLOSED", `Connection to ${address} is closed`, options);
}

function classify(cause: unknown): Condition | undefined {
  if (!(cause instanceof Error)) return undefined;
  const { code, name, message } = cause as Error & { code?: unknown };
  // Deno gives a failed look-up neither a code nor a name.
  if (message.startsWith("failed to lookup address information")) return notFound;
  return conditions[String(code)] ?? conditions[name];
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
