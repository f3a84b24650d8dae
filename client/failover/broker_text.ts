/** Addresses of brokers as text, to tell them apart. */

import { type BrokerAddress, formatAddress } from "../../transport/mod.ts";

/** A broker, as far as its address goes. */
interface Addressed {
  readonly address: BrokerAddress;
}

/** A broker's address as text. */
export function textOf({ address: { scheme, hostname, port } }: Addressed): string {
  return `${scheme}://${formatAddress(hostname.toLowerCase(), port)}`;
}

/** Whether both have the same address. */
export function sameBroker(one: Addressed, other: Addressed): boolean {
  return textOf(one) === textOf(other);
}
