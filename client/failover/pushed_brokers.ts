/** What brokers tell of other brokers (ConnectionControl), as far as it is believed. It knows no sockets. */

import { parseAnyAddress } from "../url/broker_address.ts";
import type { BrokerTarget } from "../url/broker_url.ts";
import type { TransportOptions } from "../url/transport_options.ts";
import { textOf } from "./broker_text.ts";

/** Characters that a list may have; a longer one is ignored. */
const LONGEST = 16_384;

/** Entries of a list that are looked at. */
const MOST = 64;

/** What an address begins with. */
const ADDRESS = /^[a-z][a-z0-9+.-]*:\/\//i;

/** What to do with what a broker tells. */
export interface PushedOptions {
  /** The broker that tells it. */
  readonly from: BrokerTarget;
  /** Options of connections to those that are listed nowhere else. */
  readonly options: TransportOptions;
  /** Whether to follow; all are followed without it. */
  readonly accept: ((url: string) => boolean) | undefined;
}

/** What a list says. */
export interface PushedBrokers {
  /** Those that can be followed. */
  readonly brokers: BrokerTarget[];
  /** Why others can't be, for each. */
  readonly refused: string[];
  /** Entries that were not looked at, because there are too many. */
  readonly ignored: number;
}

/**
 * Reads a list of brokers, such as `tcp://a:61616,tcp://b:61616`.
 *
 * @returns Those that can be followed, and of the others why not. Nobody is led from a connection with TLS to one without.
 */
export function readPushed(list: string, options: PushedOptions): PushedBrokers {
  const brokers: BrokerTarget[] = [];
  const refused: string[] = [];
  if (list.length > LONGEST) return { brokers, refused: ["the list is too long"], ignored: 0 };
  const parts = list.split(",").map((text) => text.trim()).filter((text) => text !== "");
  for (const part of parts.slice(0, MOST)) {
    const broker = readOne(part, options);
    if (typeof broker === "string") refused.push(broker);
    else brokers.push(broker);
  }
  return { brokers, refused, ignored: Math.max(0, parts.length - MOST) };
}

/** A broker, or why it is not followed. */
function readOne(part: string, { from, options, accept }: PushedOptions): BrokerTarget | string {
  // An error for each of many that make no sense would cost more than all else.
  if (!ADDRESS.test(part)) return "expected tcp://host:port";
  try {
    // Its options are the broker's business: ours count.
    const address = parseAnyAddress(part.split("?", 1)[0]!, from.address.scheme === "foreign");
    const broker = { address, options };
    const text = textOf(broker);
    if (schemeOf(from) !== schemeOf(broker)) return `${text} is of another scheme`;
    if (from.address.scheme === "ssl" && address.scheme !== "ssl") return `${text} is without TLS`;
    return accept && !accept(text) ? `${text} was not accepted` : broker;
  } catch (error) {
    return error instanceof Error ? error.message : "it makes no sense";
  }
}

/** The scheme of an address that only the application understands, which may be one with TLS. */
function schemeOf(broker: BrokerTarget): string {
  return broker.address.scheme === "foreign" ? textOf(broker).split(":", 1)[0]!.toLowerCase() : "";
}
