/**
 * Makes certificates for the tests, so that none is checked in that expires.
 *
 * With the runtime's own cryptography alone: openssl is not everywhere, and no tool is the same everywhere.
 */
import * as der from "./der.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** A certificate and its key. */
export interface Certificate {
  /** The certificate, followed by that of who issued it unless that is a root. */
  readonly cert: string;
  /** Its key, not encrypted. */
  readonly key: string;
  /** The certificate alone. */
  readonly certDer: Bytes;
  /** The key as PKCS #8. */
  readonly keyDer: Bytes;
}

/** What a certificate says. */
export interface CertificateOptions {
  /** Names and addresses of the host; what has an @ is an address of mail. @default {[]} */
  hosts?: readonly string[];
  /** The common name. */
  name?: string;
  /** From when on it is valid. @default {an hour ago} */
  notBefore?: Date;
  /** Until when. @default {in ten days} */
  notAfter?: Date;
  /** Whether it may issue others. @default {false} */
  authority?: boolean;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** A day that is long over. */
export const LONG_AGO: Date = new Date(Date.now() - 30 * DAY);
/** A day that is not yet. */
export const NOT_YET: Date = new Date(Date.now() + 5 * DAY);

const P256 = { name: "ECDSA", namedCurve: "P-256" };
const ECDSA_SHA256 = der.sequence(der.oid("1.2.840.10045.4.3.2"));

/** Who issues certificates. */
export class Authority implements Certificate {
  readonly cert: string;
  readonly key: string;
  readonly certDer: Bytes;
  readonly keyDer: Bytes;
  readonly #name: Bytes;
  readonly #keys: CryptoKeyPair;
  /** What follows a certificate of this authority. */
  readonly #chain: string;

  private constructor(made: Made, keys: CryptoKeyPair, chain: string) {
    this.certDer = made.der;
    this.keyDer = made.key;
    this.cert = der.pem("CERTIFICATE", made.der);
    this.key = der.pem("PRIVATE KEY", made.key);
    this.#name = made.subject;
    this.#keys = keys;
    this.#chain = chain;
  }

  /** A root, which those trust who have its `cert`. */
  static async create(
    name = "Test Authority",
    options: CertificateOptions = {},
  ): Promise<Authority> {
    const keys = await createKeys();
    const made = await make(keys, { name, authority: true, ...options });
    return new Authority(made, keys, "");
  }

  /** An authority between this one and its certificates. */
  async intermediate(name: string): Promise<Authority> {
    const keys = await createKeys();
    const made = await make(keys, { name, authority: true }, this.#name, this.#keys);
    return new Authority(made, keys, der.pem("CERTIFICATE", made.der) + this.#chain);
  }

  /** A certificate for a host or a client. */
  async issue(options: CertificateOptions): Promise<Certificate> {
    const keys = await createKeys();
    const made = await make(keys, options, this.#name, this.#keys);
    return certificate(made, this.#chain);
  }
}

/** A certificate that nobody has issued. */
export async function selfSigned(options: CertificateOptions): Promise<Certificate> {
  return certificate(await make(await createKeys(), options), "");
}

function certificate(made: Made, chain: string): Certificate {
  return {
    cert: der.pem("CERTIFICATE", made.der) + chain,
    key: der.pem("PRIVATE KEY", made.key),
    certDer: made.der,
    keyDer: made.key,
  };
}

async function createKeys(): Promise<CryptoKeyPair> {
  return await crypto.subtle.generateKey(P256, true, ["sign", "verify"]) as CryptoKeyPair;
}

interface Made {
  der: Bytes;
  key: Bytes;
  subject: Bytes;
}

async function make(
  keys: CryptoKeyPair,
  options: CertificateOptions,
  issuer?: Bytes,
  issuerKeys = keys,
): Promise<Made> {
  const { hosts = [], name = hosts[0] ?? "nobody", authority = false } = options;
  const { notBefore = new Date(Date.now() - HOUR), notAfter = new Date(Date.now() + 10 * DAY) } =
    options;
  const subject = der.sequence(der.set(der.sequence(der.oid("2.5.4.3"), der.utf8(name))));
  const publicKey = new Uint8Array(await crypto.subtle.exportKey("spki", keys.publicKey));
  const body = der.sequence(
    der.explicit(0, der.integer(2)),
    der.integer(crypto.getRandomValues(new Uint8Array(8)).map((byte, at) => at ? byte : 1)),
    ECDSA_SHA256,
    issuer ?? subject,
    der.sequence(der.time(notBefore), der.time(notAfter)),
    subject,
    publicKey,
    der.explicit(3, der.sequence(...extensions(hosts, authority))),
  );
  const signature = await crypto.subtle.sign(
    { name: "ECDSA", hash: "SHA-256" },
    issuerKeys.privateKey,
    body,
  );
  const [r, s] = [signature.slice(0, 32), signature.slice(32)].map((half) => new Uint8Array(half));
  return {
    der: der.sequence(
      body,
      ECDSA_SHA256,
      der.bits(der.sequence(der.integer(r!), der.integer(s!))),
    ),
    key: new Uint8Array(await crypto.subtle.exportKey("pkcs8", keys.privateKey)),
    subject,
  };
}

function extensions(hosts: readonly string[], authority: boolean): Bytes[] {
  const list = [
    extension("2.5.29.19", der.sequence(...authority ? [der.bool(true)] : []), true),
  ];
  if (hosts.length > 0) list.push(extension("2.5.29.17", der.sequence(...hosts.map(alternative))));
  return list;
}

function extension(id: string, value: Bytes, critical = false): Bytes {
  return der.sequence(der.oid(id), ...critical ? [der.bool(true)] : [], der.octets(value));
}

/** A subject alternative name. */
function alternative(host: string): Bytes {
  if (host.includes("@")) return der.implicit(1, new TextEncoder().encode(host));
  const address = addressOf(host);
  return address ? der.implicit(7, address) : der.implicit(2, new TextEncoder().encode(host));
}

function addressOf(host: string): Bytes | undefined {
  if (/^[\d.]+$/.test(host)) return Uint8Array.from(host.split("."), Number);
  if (host !== "::1") return undefined;
  return Uint8Array.from({ length: 16 }, (_, at) => at === 15 ? 1 : 0);
}
