/** Key stores (PKCS #12) for Java. */
import * as der from "./der.ts";
import type { Authority, Certificate } from "./certificate.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const ITERATIONS = 1000;
const PKCS12 = "1.2.840.113549.1.12.10.1";
const PKCS9 = "1.2.840.113549.1.9";

/** A key store with one key and its certificate. */
export async function keyStore(certificate: Certificate, password: string): Promise<Bytes> {
  const id = attribute(`${PKCS9}.21`, der.octets(Uint8Array.of(1)));
  const name = attribute(`${PKCS9}.20`, der.bmp("key"));
  return store([
    bag(`${PKCS12}.2`, await encrypt(certificate.keyDer, password), [id, name]),
    bag(`${PKCS12}.3`, certificateBag(certificate.certDer), [id]),
  ]);
}

/** A trust store with one authority. */
export function trustStore(authority: Authority): Bytes {
  // What Java marks as trusted; it has no other use for a certificate without a key.
  const trusted = attribute("2.16.840.1.113894.746875.1.1", der.oid("2.5.29.37.0"));
  const name = attribute(`${PKCS9}.20`, der.bmp("authority"));
  return store([bag(`${PKCS12}.3`, certificateBag(authority.certDer), [trusted, name])]);
}

function store(bags: Bytes[]): Bytes {
  const content = data(der.sequence(data(der.sequence(...bags))));
  return der.sequence(der.integer(3), content);
}

function data(content: Bytes): Bytes {
  return der.sequence(der.oid("1.2.840.113549.1.7.1"), der.explicit(0, der.octets(content)));
}

function bag(type: string, content: Bytes, attributes: Bytes[]): Bytes {
  return der.sequence(der.oid(type), der.explicit(0, content), der.set(...attributes));
}

function attribute(type: string, value: Bytes): Bytes {
  return der.sequence(der.oid(type), der.set(value));
}

function certificateBag(certificate: Bytes): Bytes {
  return der.sequence(der.oid(`${PKCS9}.22.1`), der.explicit(0, der.octets(certificate)));
}

/** Encrypts a key as PKCS #8 says (PBES2). */
export async function encrypt(key: Bytes, password: string): Promise<Bytes> {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const iv = crypto.getRandomValues(new Uint8Array(16));
  const secret = new TextEncoder().encode(password);
  const base = await crypto.subtle.importKey("raw", secret, "PBKDF2", false, ["deriveKey"]);
  const derived = await crypto.subtle.deriveKey(
    { name: "PBKDF2", hash: "SHA-256", salt, iterations: ITERATIONS },
    base,
    { name: "AES-CBC", length: 256 },
    false,
    ["encrypt"],
  );
  const encrypted = await crypto.subtle.encrypt({ name: "AES-CBC", iv }, derived, key);
  const hmacSha256 = der.sequence(der.oid("1.2.840.113549.2.9"), der.nothing());
  return der.sequence(
    der.sequence(
      der.oid("1.2.840.113549.1.5.13"),
      der.sequence(
        der.sequence(
          der.oid("1.2.840.113549.1.5.12"),
          der.sequence(der.octets(salt), der.integer(ITERATIONS), hmacSha256),
        ),
        der.sequence(der.oid("2.16.840.1.101.3.4.1.42"), der.octets(iv)),
      ),
    ),
    der.octets(new Uint8Array(encrypted)),
  );
}
