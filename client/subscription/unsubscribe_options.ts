/**
 * Options of `connection.unsubscribe()`.
 *
 * @module
 */

import { OptionNames } from "../../option_names.ts";
import type { CallOptions } from "../call_options.ts";
import type { Destination } from "../destination/destination.ts";

/**
 * Options of `connection.unsubscribe()`.
 *
 * @example
 * ```ts
 * import type { UnsubscribeOptions } from "../../mod.ts";
 *
 * const options: UnsubscribeOptions = { topic: "topic://VirtualTopic.prices" };
 * ```
 */
export interface UnsubscribeOptions extends CallOptions {
  /**
   * The topic of a shared subscription. Without it the subscription is the durable one of that name that belongs to the
   * connection's `clientId`.
   */
  topic?: Destination | undefined;
}

/** The names of these options. */
export const UNSUBSCRIBE_OPTIONS: OptionNames<UnsubscribeOptions> = new OptionNames<
  UnsubscribeOptions
>({
  topic: true,
  timeout: true,
  signal: true,
});
