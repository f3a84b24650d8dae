/**
 * The address of a broker as a user writes it.
 *
 * @module
 */

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
  /** Kind of transport. */
  readonly scheme: "tcp";
  /** Name or address of the host; IPv6 without brackets. */
  readonly hostname: string;
  /** TCP port. */
  readonly port: number;
}

/** The schemes there are; `nio` and `auto` say how a broker does it, on the wire they are TCP. */
const schemes: ReadonlyMap<string, BrokerAddress["scheme"]> = new Map([
  ["tcp:", "tcp"],
  ["nio:", "tcp"],
  ["auto:", "tcp"],
  ["auto+nio:", "tcp"],
]);

/** TLS has its place here: a scheme of its own, which these are other names for. */
const tls = "TLS is not supported yet";
const webSocket = "brokers speak no OpenWire over WebSockets";
const tunnel = "there is no OpenWire over HTTP, give the broker's tcp:// address";
const broadcast =
  "only connections to known addresses are supported, give the broker's tcp:// address";
const otherProtocol = "it is another protocol, give the broker's tcp:// address";

/** Why the others that ActiveMQ has are refused. */
const refusals: ReadonlyMap<string, string> = new Map([
  ["ssl:", tls],
  ["nio+ssl:", tls],
  ["auto+ssl:", tls],
  ["auto+nio+ssl:", tls],
  ["vm:", "it is for a broker within the same Java program; for tests there is a broker in memory"],
  ["peer:", "it starts a broker within the same Java program"],
  ["http:", tunnel],
  ["https:", tunnel],
  ["ws:", webSocket],
  ["wss:", webSocket],
  ["udp:", broadcast],
  ["multicast:", broadcast],
  ["discovery:", broadcast],
  ["zeroconf:", broadcast],
  ["fanout:", "sending to many brokers at once is not supported, open a connection to each"],
  ["mock:", "it is for the tests of the Java client"],
  ["amqp:", otherProtocol],
  ["amqps:", otherProtocol],
  ["mqtt:", otherProtocol],
  ["mqtts:", otherProtocol],
  ["stomp:", otherProtocol],
  ["stomps:", otherProtocol],
]);

const DEFAULT_PORT = 61616;

/**
 * Reads the address of a broker, such as `tcp://localhost:61616`.
 *
 * `nio://`, `auto://` and `auto+nio://` are other names of `tcp://`.
 *
 * @param url The address; 61616 is the default port.
 * @returns Its parts.
 * @throws {TransportError} `"INVALID_URL"` or `"UNSUPPORTED_SCHEME"`; the message never has a password or an option's value.
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
  const parsed = parse(String(url));
  const { protocol, hostname, pathname, search, hash } = parsed;
  const scheme = schemes.get(protocol);
  if (!scheme) {
    const reason = refusals.get(protocol) ?? `supported are ${schemeNames()}`;
    throw new TransportError(
      "UNSUPPORTED_SCHEME",
      `Cannot connect to a "${protocol}" URL: ${reason}`,
    );
  }
  if (parsed.username || parsed.password) {
    throw invalid("user name and password belong into the options, not into the URL");
  }
  if (search) throw invalid("only connect() takes options in the URL");
  if (!hostname) throw invalid("the host is missing");
  if (pathname !== "" && pathname !== "/") {
    throw invalid("nothing may follow the port: a local address can't be chosen");
  }
  if (hash) throw invalid("nothing may follow the port; within a value `#` is written %23");
  const port = parsed.port === "" ? DEFAULT_PORT : Number(parsed.port);
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

function schemeNames(): string {
  return [...schemes.keys()].map((scheme) => `${scheme}//`).join(", ");
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
