/** Where brokers are: addresses that can be connected to, and those that only a transport of the application understands. */

import { type BrokerAddress, parseAddress, TransportError } from "../../transport/mod.ts";

/** Such as `ws://gateway/broker` or `unix:/run/broker.sock`; the application's function makes the connection. */
export interface ForeignAddress {
  readonly scheme: "foreign";
  /** That is for the application to read. */
  readonly hostname: "";
  readonly port: 0;
  /** As it was written, without options. */
  readonly url: string;
}

/** Where a broker is. */
export type AnyAddress = BrokerAddress | ForeignAddress;

/** Characters of an address, at most. */
const LONGEST = 1024;

const FOREIGN = /^([a-z][a-z0-9+.-]*):\/./i;

/** Those that this client connects to itself. Their addresses are read in the same way, whoever makes the connection. */
const OWN = /^(?:tcp|nio|ssl|auto|(?:auto\+)?nio(?:\+ssl)?|auto\+ssl)$/i;

/**
 * Reads the address of a broker.
 *
 * @param text Without options.
 * @param anyScheme Whether addresses of other schemes are taken, too.
 * @throws {TransportError} The message has no user name or password.
 */
export function parseAnyAddress(text: string, anyScheme: boolean): AnyAddress {
  const scheme = FOREIGN.exec(text)?.[1];
  if (!anyScheme || scheme === undefined || OWN.test(scheme)) return parseAddress(text);
  if (text.length > LONGEST) throw invalid(`it has more than ${LONGEST} characters`);
  if (/[\s\p{Cc}]/u.test(text)) throw invalid("there is white space or a control character in it");
  // It is shown in errors and logs.
  if (/^[^:]*:\/\/[^/]*@/.test(text)) {
    throw invalid("user name and password belong into the options, not into the address");
  }
  if (text.includes("#")) throw invalid("within an address `#` is written %23");
  return { scheme: "foreign", hostname: "", port: 0, url: text };
}

function invalid(problem: string): TransportError {
  return new TransportError("INVALID_URL", `Cannot use the broker URL: ${problem}`);
}
