import { TLS_OPTIONS } from "./_option_names.ts";
import type { BrokerAddress } from "./address.ts";
import type { TlsOptions } from "./tls_options.ts";

/** {@linkcode TlsOptions}, checked. */
export interface TlsSettings {
  /** PEM texts of the authorities to trust; undefined for those of the runtime. */
  readonly caCerts: string[] | undefined;
  /** Certificate and key of the client. */
  readonly client: ClientCertificate | undefined;
  /** What is verified: everything, all but the host's name, or nothing. */
  readonly verify: "all" | "chain" | "nothing";
}

/** PEM texts. */
export interface ClientCertificate {
  readonly cert: string;
  readonly key: string;
}

/** Checks the options as far as the text tells. */
export function resolveTls(options: TlsOptions = {}): TlsSettings {
  TLS_OPTIONS.check(options, "Cannot use the options of TLS");
  if (typeof options !== "object" || options === null) {
    throw new TypeError("Cannot use the options of TLS: an object is expected");
  }
  const { caCerts, verifyHostName = true, insecureSkipVerify = false } = options;
  // "false" would turn verification off.
  for (const [name, value] of Object.entries({ verifyHostName, insecureSkipVerify })) {
    if (typeof value === "boolean") continue;
    throw new TypeError(`Cannot use tls.${name}: true or false is expected`);
  }
  const list = caCerts === undefined ? undefined : [caCerts].flat();
  if (list?.length === 0) throw new TypeError("Cannot use tls.caCerts: it is an empty list");
  for (const text of list ?? []) expectPem("caCerts", "CERTIFICATE", text);
  return {
    caCerts: list,
    client: resolveClient(options),
    verify: insecureSkipVerify ? "nothing" : verifyHostName ? "all" : "chain",
  };
}

/** The name of the host to send to the peer; empty for an address, which is none (RFC 6066). The certificate is for either. */
export function serverNameOf({ hostname }: BrokerAddress): string {
  return hostname.includes(":") || /^[\d.]+$/.test(hostname) ? "" : hostname;
}

function resolveClient({ cert, key }: TlsOptions): ClientCertificate | undefined {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) {
    throw new TypeError("Cannot use only one of tls.cert and tls.key: both are expected");
  }
  expectPem("cert", "CERTIFICATE", cert);
  if (
    typeof key === "string" &&
    /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type:.*ENCRYPTED/m.test(key)
  ) {
    throw new TypeError(
      "Cannot use tls.key: it is encrypted, which not all runtimes can read; decrypt it, for example with " +
        "`openssl pkey -in key.pem -out decrypted.pem`",
    );
  }
  expectPem("key", "PRIVATE KEY", key);
  return { cert, key };
}

/** Never repeats the text, which may be a key. */
function expectPem(name: string, label: string, text: unknown): void {
  if (typeof text === "string" && new RegExp(`-----BEGIN [A-Z ]*${label}-----`).test(text)) return;
  throw new TypeError(
    `Cannot use tls.${name}: PEM text is expected, which begins with -----BEGIN ${label}-----, not the name of a file`,
  );
}
