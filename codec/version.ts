/**
 * Version of this module, as in its manifests. Brokers get it in our WireFormatInfo (`ProviderVersion`).
 *
 * @example
 * ```ts
 * import { VERSION } from "./mod.ts";
 * import { assertMatch } from "@std/assert";
 *
 * assertMatch(VERSION, /^\d+\.\d+\.\d+/);
 * ```
 */
export const VERSION = "0.1.0";

/** Name of this module in our WireFormatInfo (`ProviderName`). */
export const PROVIDER = "openwire";
