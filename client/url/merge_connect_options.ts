/** Puts the options of a URL and those of a program together. */

import type { ConnectOptions } from "../options.ts";
import { mergeOptions } from "./merge_options.ts";

/** The options of both; those of the program count more, one by one. */
export function mergeConnectOptions(url: ConnectOptions, given: ConnectOptions): ConnectOptions {
  const merged = mergeOptions(url, given);
  const policies = given.redeliveryPolicy;
  if (policies && ("default" in policies || "destinations" in policies)) {
    // A URL has one policy, which is the one for all destinations that have none of their own.
    const otherwise = mergeOptions(url.redeliveryPolicy ?? {}, policies.default ?? {});
    merged.redeliveryPolicy = { ...policies, default: otherwise };
  }
  return merged;
}
