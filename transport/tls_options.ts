/**
 * Options of TLS.
 *
 * @module
 */

import { resolveTls } from "./_tls_settings.ts";

/**
 * Options of TLS, for `ssl://` URLs.
 *
 * The certificate of the peer, the host name in it and all between it and a trusted authority are verified before a byte is
 * sent. TLS 1.2 is the least. The host must be among the certificate's subject alternative names: its common name does not
 * count.
 *
 * @example
 * ```ts
 * import { dial, listen, type TlsOptions, TransportError } from "./mod.ts";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const tls: TlsOptions = { verifyHostName: true }; // and caCerts: await Deno.readTextFile("authority.pem")
 *
 * await using listener = await listen(); // has no TLS
 * (async () => {
 *   for await (const peer of listener) await peer.writable.getWriter().write(new Uint8Array(100));
 * })();
 * const url = `ssl://127.0.0.1:${listener.port}`;
 * const error = await assertRejects(() => dial(url, { tls }), TransportError);
 * assertEquals(error.code, "WRONG_PROTOCOL");
 * ```
 */
export interface TlsOptions {
  /**
   * Certificates of authorities to trust, as PEM texts: the text of a file, not its name.
   *
   * Those that the runtime trusts don't count then, but on Deno, which trusts both.
   */
  caCerts?: string | readonly string[] | undefined;
  /**
   * Certificate of this client as PEM text, followed by those between it and its authority; for brokers that ask for one.
   *
   * Deno can't set `noDelay` on a connection with a client certificate, nor end an attempt to connect early: there `noDelay` is
   * `false`, and what connects too late is closed.
   */
  cert?: string | undefined;
  /** Private key of `cert` as PEM text, not encrypted. */
  key?: string | undefined;
  /** Whether the certificate must be for the host of the URL. @default {true} */
  verifyHostName?: boolean | undefined;
  /**
   * Whether nothing at all is verified: then anybody between you and the broker can read and change everything, passwords too.
   * Not on Deno.
   *
   * @default {false}
   */
  insecureSkipVerify?: boolean | undefined;
}

/**
 * Checks options of TLS as far as they can be without a connection, as `dial()` does.
 *
 * @param options The options.
 * @throws {TypeError} One is no PEM text, `cert` and `key` are not both there, or the key is encrypted. The message never has
 *   the text.
 *
 * @example
 * ```ts
 * import { checkTlsOptions } from "./mod.ts";
 * import { assertThrows } from "@std/assert";
 *
 * assertThrows(() => checkTlsOptions({ caCerts: "authority.pem" }), TypeError, "PEM text is expected");
 * ```
 */
export function checkTlsOptions(options: TlsOptions): void {
  resolveTls(options);
}
