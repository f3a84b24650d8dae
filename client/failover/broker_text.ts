/** Addresses of brokers as text, to tell them apart. */

import { formatAddress } from "../../transport/mod.ts";
import type { AnyAddress } from "../url/broker_address.ts";

/** A broker, as far as its address goes. */
interface Addressed {
  readonly address: AnyAddress;
}

/** A broker's address as text. */
export function textOf({ address }: Addressed): string {
  if (address.scheme === "foreign") return address.url;
  return `${address.scheme}://${formatAddress(address.hostname.toLowerCase(), address.port)}`;
}

/** Whether both have the same address. */
export function sameBroker(one: Addressed, other: Addressed): boolean {
  return textOf(one) === textOf(other);
}
