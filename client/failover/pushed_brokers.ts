/** What brokers tell of other brokers (ConnectionControl), as far as it is believed. It knows no sockets. */

import { parseAddress } from "../../transport/mod.ts";
import type { BrokerTarget } from "../url/broker_url.ts";
import type { TransportOptions } from "../url/transport_options.ts";
import { textOf } from "./broker_text.ts";

/** Characters that a list may have; a longer one is ignored. */
const LONGEST = 16_384;

/** What to do with what a broker tells. */
export interface PushedOptions {
  /** The broker that tells it. */
  readonly from: BrokerTarget;
  /** Options of connections to those that are listed nowhere else. */
  readonly options: TransportOptions;
  /** Whether to follow; all are followed without it. */
  readonly accept: ((url: string) => boolean) | undefined;
}

/**
 * Reads a list of brokers, such as `tcp://a:61616,tcp://b:61616`.
 *
 * @returns Those that can be followed, and of the others why not. Nobody is led from a connection with TLS to one without.
 */
export function readPushed(
  list: string,
  { from, options, accept }: PushedOptions,
): { brokers: BrokerTarget[]; refused: string[] } {
  const brokers: BrokerTarget[] = [];
  const refused: string[] = [];
  if (list.length > LONGEST) return { brokers, refused: ["the list is too long"] };
  for (const part of list.split(",").map((text) => text.trim()).filter((text) => text !== "")) {
    try {
      // Its options are the broker's business: ours count.
      const address = parseAddress(part.replace(/\?.*$/, ""));
      const broker = { address, options };
      const text = textOf(broker);
      if (from.address.scheme === "ssl" && address.scheme !== "ssl") {
        refused.push(`${text} is without TLS`);
      } else if (accept && !accept(text)) {
        refused.push(`${text} was not accepted`);
      } else {
        brokers.push(broker);
      }
    } catch (error) {
      refused.push(error instanceof Error ? error.message : "it makes no sense");
    }
  }
  return { brokers, refused };
}
