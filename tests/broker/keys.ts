/** Keys and certificates for the brokers' TLS connectors, made anew for each broker. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Authority } from "../certificates/certificate.ts";
import { keyStore, trustStore } from "../certificates/pkcs12.ts";

/** What a client needs for a broker's TLS connectors, as PEM texts. */
export interface BrokerTls {
  /** Who has issued the broker's certificate, and those that it accepts. */
  caCerts: string;
  /** A certificate that the broker accepts. */
  cert: string;
  key: string;
}

/** The password of the stores. */
export const STORE_PASSWORD = "password";

/** The files that the broker reads. */
export interface Stores {
  keyStore: string;
  trustStore: string;
}

/** Makes them in a folder. */
export async function makeKeys(folder: string): Promise<{ stores: Stores; tls: BrokerTls }> {
  const authority = await Authority.create();
  const server = await authority.issue({ hosts: ["localhost", "127.0.0.1"] });
  const client = await authority.issue({ name: "client" });
  const stores = {
    keyStore: join(folder, "keys.p12"),
    trustStore: join(folder, "trusted.p12"),
  };
  writeFileSync(stores.keyStore, await keyStore(server, STORE_PASSWORD));
  writeFileSync(stores.trustStore, trustStore(authority));
  return { stores, tls: { caCerts: authority.cert, cert: client.cert, key: client.key } };
}
