/**
 * The address of a broker as a user writes it.
 *
 * @module
 */

import { TransportError } from "./errors.ts";

/** What {@linkcode parseBrokerUrl} found. */
export interface BrokerUrl {
  /** Kind of transport. */
  scheme: "tcp";
  /** Name or address of the host; IPv6 without brackets. */
  hostname: string;
  /** TCP port. */
  port: number;
}

/** All schemes there are. */
const schemes: { [scheme: string]: { scheme: BrokerUrl["scheme"]; defaultPort: number } } = {
  "tcp:": { scheme: "tcp", defaultPort: 61616 },
};

/**
 * Reads a broker URL such as `tcp://localhost:61616`.
 *
 * @param url The URL; the port may be left out.
 * @returns Its parts.
 * @throws {TransportError} `"INVALID_URL"` or `"UNSUPPORTED_SCHEME"`; the message never has a password or an option's value.
 */
export function parseBrokerUrl(url: string | URL): BrokerUrl {
  const parsed = parse(String(url));
  const { protocol, hostname, pathname, search, hash } = parsed;
  const known = Object.hasOwn(schemes, protocol) ? schemes[protocol] : undefined;
  if (!known) {
    const names = Object.keys(schemes).map((scheme) => `${scheme}//`).join(", ");
    const message = `Cannot connect to a "${protocol}" URL: supported are ${names}`;
    throw new TransportError("UNSUPPORTED_SCHEME", message);
  }
  if (parsed.username || parsed.password) {
    throw invalid("user name and password belong into the options, not into the URL");
  }
  if (search) {
    const names = [...new Set(parsed.searchParams.keys())].join(", ");
    throw invalid(`options in the URL are not supported yet: ${names}`);
  }
  if (!hostname) throw invalid("the host is missing");
  if (hash || (pathname !== "" && pathname !== "/")) throw invalid("nothing may follow the port");
  const port = parsed.port === "" ? known.defaultPort : Number(parsed.port);
  if (port === 0) throw invalid("port 0 is no port to connect to");
  return { scheme: known.scheme, hostname: hostname.replace(/^\[(.*)\]$/, "$1"), port };
}

/** Joins host and port, as in `127.0.0.1:61616` or `[::1]:61616`. */
export function formatAddress(hostname: string, port: number): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

function parse(text: string): URL {
  try {
    return new URL(text);
  } catch {
    // Neither the text nor the caught error, which has the text: there may be a password in it.
    throw invalid("expected tcp://host:port");
  }
}

function invalid(problem: string): TransportError {
  return new TransportError("INVALID_URL", `Cannot use the broker URL: ${problem}`);
}
