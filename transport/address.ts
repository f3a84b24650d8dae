/**
 * The address of a broker as a user writes it.
 *
 * @module
 */

import { typeName } from "../errors.ts";
import { adviceOn, LONGEST_ADDRESS, refusalOf } from "./_address_advice.ts";
import { TransportError } from "./errors.ts";

/**
 * Where a broker is, as {@linkcode parseAddress} found it.
 *
 * @example
 * ```ts
 * import type { BrokerAddress } from "./mod.ts";
 *
 * const address: BrokerAddress = { scheme: "tcp", hostname: "localhost", port: 61616 };
 * ```
 */
export interface BrokerAddress {
  /** Kind of transport; `ssl` is TLS. */
  readonly scheme: "tcp" | "ssl";
  /** Name or address of the host; IPv6 without brackets. */
  readonly hostname: string;
  /** TCP port. */
  readonly port: number;
}

/** The schemes there are; `nio` and `auto` say how a broker does it, on the wire they are the same. */
const schemes: ReadonlyMap<string, BrokerAddress["scheme"]> = new Map([
  ["tcp:", "tcp"],
  ["nio:", "tcp"],
  ["auto:", "tcp"],
  ["auto+nio:", "tcp"],
  ["ssl:", "ssl"],
  ["nio+ssl:", "ssl"],
  ["auto+ssl:", "ssl"],
  ["auto+nio+ssl:", "ssl"],
]);

/** Those of ActiveMQ's connectors. */
const DEFAULT_PORTS: Readonly<Record<BrokerAddress["scheme"], number>> = { tcp: 61616, ssl: 61617 };

/**
 * Reads the address of a broker, such as `tcp://localhost:61616`.
 *
 * `nio://`, `auto://` and `auto+nio://` are other names of `tcp://`, and those with `+ssl` of `ssl://`.
 *
 * @param url The address; 61616 is the default port, 61617 that of `ssl://`.
 * @returns Its parts. The name of a host with other letters than those of ASCII is converted (IDNA, Punycode).
 * @throws {TransportError} `"INVALID_URL"` or `"UNSUPPORTED_SCHEME"`; the message has no part of the URL but a known scheme.
 * @throws {TypeError} When it is neither a string nor a URL.
 *
 * @example
 * ```ts
 * import { parseAddress } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseAddress("nio://[::1]"), { scheme: "tcp", hostname: "::1", port: 61616 });
 * ```
 */
export function parseAddress(url: string | URL): BrokerAddress {
  const text = textOfUrl(url);
  const parsed = parse(text);
  const { protocol, pathname, search, hash } = parsed;
  const scheme = schemes.get(protocol);
  if (!scheme) throw unsupported(protocol, text);
  if (parsed.username || parsed.password) {
    throw invalid(
      "user name and password belong into the options, or behind it as ?jms.userName=…&jms.password=…",
    );
  }
  if (search) throw invalid("only connect() takes options in the URL");
  if (!text.slice(protocol.length).startsWith("//")) throw invalid(adviceOn(text));
  if (!parsed.hostname) throw invalid("the host is missing");
  const hostname = toAscii(parsed.hostname);
  if (!/^(?:[\w.-]+|\[.*\])$/.test(hostname) || hash.includes("://")) throw invalid(adviceOn(text));
  if (pathname !== "" && pathname !== "/") {
    throw invalid("nothing may follow the port: a local address can't be chosen");
  }
  if (hash) throw invalid("nothing may follow the port; within a value `#` is written %23");
  const port = parsed.port === "" ? DEFAULT_PORTS[scheme] : Number(parsed.port);
  if (port === 0) throw invalid("port 0 is no port to connect to");
  return { scheme, hostname: hostname.replace(/^\[(.*)\]$/, "$1"), port };
}

/**
 * Joins host and port.
 *
 * @param hostname Name or address of the host; IPv6 without brackets.
 * @param port TCP port.
 * @returns Such as `127.0.0.1:61616` or `[::1]:61616`.
 *
 * @example
 * ```ts
 * import { formatAddress } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatAddress("::1", 61616), "[::1]:61616");
 * ```
 */
export function formatAddress(hostname: string, port: number): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

/** The text of a URL, without the white space around it. */
function textOfUrl(url: string | URL): string {
  const text: unknown = typeof url === "string" ? url : (url as URL | undefined | null)?.href;
  if (typeof text === "string") return text.trim();
  throw new TypeError(
    `Cannot use a value of type ${typeName(url)} as the broker URL: ` +
      "a string such as tcp://localhost:61616, or a URL, is expected",
  );
}

/** The name of a host as it is looked up: with letters of ASCII alone. */
function toAscii(hostname: string): string {
  // As the class has left the others, for only in URLs of the web it converts them itself.
  if (!/%[89a-f]/i.test(hostname)) return hostname;
  try {
    return new URL(`http://${hostname}`).hostname;
  } catch {
    return hostname;
  }
}

function unsupported(protocol: string, text: string): TransportError {
  const refusal = refusalOf(protocol.slice(0, -1));
  // A name and a port look like a scheme.
  if (!refusal && !text.slice(protocol.length).startsWith("//")) return invalid(adviceOn(text));
  // Not the scheme itself, if it is none that is known: it may be anything.
  const message = refusal
    ? `Cannot connect to a "${refusal.scheme}:" URL: ${refusal.reason}`
    : `Cannot connect to a URL of an unknown scheme: supported are ${schemeNames()}`;
  return new TransportError("UNSUPPORTED_SCHEME", message);
}

function schemeNames(): string {
  return [...schemes.keys()].map((scheme) => `${scheme}//`).join(", ");
}

function parse(text: string): URL {
  // The class would take out line breaks without a word, and names of some schemes cost it quadratic time.
  if (/\s/.test(text) || text.length > LONGEST_ADDRESS) throw invalid(adviceOn(text));
  try {
    return new URL(text);
  } catch {
    // Neither the text nor the caught error, which has the text: there may be a password in it.
    throw invalid(adviceOn(text));
  }
}

function invalid(problem: string): TransportError {
  return new TransportError("INVALID_URL", `Cannot use the broker URL: ${problem}`);
}
