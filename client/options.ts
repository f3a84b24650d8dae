/**
 * Options of a connection.
 *
 * @module
 */

import type { WireFormatOptions } from "../codec/mod.ts";
import type { Transport } from "../transport/mod.ts";

/**
 * Options of `connect()`. All times are milliseconds, and 0 is for ever.
 *
 * @example
 * ```ts
 * import type { ConnectOptions } from "../mod.ts";
 *
 * const options: ConnectOptions = { username: "app", password: "secret", wireFormat: { tightEncodingEnabled: true } };
 * ```
 */
export interface ConnectOptions {
  /** User name; none by default. */
  username?: string;
  /** Password; none by default. It is sent as it is: without TLS anybody on the way can read it. */
  password?: string;
  /** JMS client id, which no other connection to the broker may have; a new one by default. */
  clientId?: string;
  /** What to offer the broker; see `WireFormatOptions` for the defaults. */
  wireFormat?: WireFormatOptions;
  /** Milliseconds until the connection must stand, all steps together. @default {30_000} */
  connectTimeout?: number;
  /** Milliseconds to wait for an answer of the broker. @default {30_000} */
  requestTimeout?: number;
  /** Milliseconds to wait for an answer while closing. @default {15_000} */
  closeTimeout?: number;
  /** Largest body in bytes that a compressed message may have. @default {104_857_600} */
  maxInflatedSize?: number;
  /** Ends the attempt to connect. */
  signal?: AbortSignal;
  /** A connection that stands already, instead of one to the URL. It is closed with the connection. */
  transport?: Transport;
}

/** The options that a connection keeps, with their defaults. */
export interface ConnectionSettings {
  readonly requestTimeout: number;
  readonly closeTimeout: number;
  readonly maxInflatedSize: number;
}

/** Checks a number of milliseconds. */
export function milliseconds(name: string, value: number | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  if (!Number.isFinite(value) || value < 0 || value > 0x7fffffff) {
    throw new RangeError(
      `Cannot use ${value} as ${name}: 0 to 2147483647 milliseconds are expected`,
    );
  }
  return value;
}
