/**
 * How long a call may take.
 *
 * @module
 */

import { OptionNames } from "../option_names.ts";

/**
 * How long a call may take.
 *
 * @example
 * ```ts
 * import type { CallOptions } from "../mod.ts";
 *
 * const options: CallOptions = { timeout: 5_000 };
 * ```
 */
export interface CallOptions {
  /** Milliseconds to wait for the broker's answer; 0 for ever. The connection's `requestTimeout` by default. */
  timeout?: number | undefined;
  /** Ends the wait; the broker may still do what was asked. */
  signal?: AbortSignal | undefined;
}

/** The names of these options. */
export const CALL_OPTIONS: OptionNames<CallOptions> = new OptionNames<CallOptions>({
  timeout: true,
  signal: true,
});

/** The names of these options. */
export const SIGNAL_OPTION: OptionNames<Pick<CallOptions, "signal">> = new OptionNames<
  Pick<CallOptions, "signal">
>({
  signal: true,
});
