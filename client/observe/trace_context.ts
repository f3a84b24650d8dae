/**
 * W3C Trace Context in the properties of messages.
 *
 * @module
 */

import { numberText } from "../../errors.ts";
import { harmless } from "../harmless.ts";

/**
 * Where something stands in a trace, with the names of OpenTelemetry's `SpanContext`.
 *
 * @example
 * ```ts
 * import type { TraceContext } from "../../mod.ts";
 *
 * const context: TraceContext = {
 *   traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
 *   spanId: "00f067aa0ba902b7",
 *   traceFlags: 1,
 * };
 * ```
 */
export interface TraceContext {
  /** 32 hexadecimal digits in lower case, not all of them 0. */
  readonly traceId: string;
  /** Of the span that is the parent: 16 hexadecimal digits in lower case, not all of them 0. */
  readonly spanId: string;
  /** 0 to 255; bit 0 says that the trace is recorded. */
  readonly traceFlags: number;
}

/** Version, trace, parent and flags; a later version may have more. */
const PATTERN = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/s;
const ZEROS = /^0+$/;

/**
 * Reads a `traceparent`, as W3C Trace Context says: of a later version what is known of it.
 *
 * @param text What the property has; anything that isn't a string is no `traceparent`.
 * @returns Where the sender was; undefined when the text is not valid, which is to be taken as none.
 *
 * @example
 * ```ts
 * import { parseTraceparent } from "../../mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
 * assertEquals(parseTraceparent(text)?.spanId, "00f067aa0ba902b7");
 * assertEquals(parseTraceparent("00-0-0-0"), undefined);
 * ```
 */
export function parseTraceparent(text: unknown): TraceContext | undefined {
  const match = typeof text === "string" ? PATTERN.exec(text) : null;
  if (match === null) return undefined;
  const [, version, traceId, spanId, flags, more] = match;
  if (version === "ff" || (version === "00" && more !== undefined)) return undefined;
  if (ZEROS.test(traceId!) || ZEROS.test(spanId!)) return undefined;
  return { traceId: traceId!, spanId: spanId!, traceFlags: Number.parseInt(flags!, 16) };
}

/**
 * Writes a `traceparent`, in version 00 of W3C Trace Context.
 *
 * @param context Where the sender is.
 * @returns The text for the property.
 * @throws {TypeError} When an id is not as {@linkcode TraceContext} says.
 * @throws {RangeError} When the flags are no integer of 0 to 255.
 *
 * @example
 * ```ts
 * import { formatTraceparent } from "../../mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   formatTraceparent({
 *     traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
 *     spanId: "00f067aa0ba902b7",
 *     traceFlags: 1,
 *   }),
 *   "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
 * );
 * ```
 */
export function formatTraceparent({ traceId, spanId, traceFlags }: TraceContext): string {
  if (!Number.isInteger(traceFlags) || traceFlags < 0 || traceFlags > 255) {
    throw new RangeError(
      `Cannot use ${numberText(traceFlags)} as traceFlags: 0 to 255 are expected`,
    );
  }
  return `00-${id("traceId", traceId, 32)}-${id("spanId", spanId, 16)}-${
    traceFlags.toString(16).padStart(2, "0")
  }`;
}

function id(name: string, value: string, digits: number): string {
  if (/^[0-9a-f]+$/.test(value) && value.length === digits && !ZEROS.test(value)) return value;
  throw new TypeError(
    `Cannot use ${
      harmless(String(value))
    } as ${name}: ${digits} hexadecimal digits in lower case, not all 0, are expected`,
  );
}

/** Entries that a `tracestate` may have. */
const MOST_ENTRIES = 32;
const KEY = /^(?:[a-z][a-z0-9_*\/-]{0,255}|[a-z0-9][a-z0-9_*\/-]{0,240}@[a-z][a-z0-9_*\/-]{0,13})$/;
/** Printable ASCII without comma and equals sign; the last one is no space. */
const VALUE = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/**
 * Reads a `tracestate`, as W3C Trace Context says.
 *
 * @param text What the property has; anything that isn't a string is no `tracestate`.
 * @returns Values by their vendors, those that were written last first; undefined when the text is not valid, which is to be
 *   taken as none.
 *
 * @example
 * ```ts
 * import { parseTracestate } from "../../mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseTracestate("rojo=00f067aa0ba902b7, congo=t61rcWkgMzE")?.get("congo"), "t61rcWkgMzE");
 * assertEquals(parseTracestate("Rojo=1"), undefined);
 * ```
 */
export function parseTracestate(text: unknown): ReadonlyMap<string, string> | undefined {
  if (typeof text !== "string") return undefined;
  const entries = new Map<string, string>();
  for (const part of text.split(",")) {
    const entry = withoutBlanks(part);
    // Empty entries are allowed, and mean nothing.
    if (entry === "") continue;
    if (entries.size === MOST_ENTRIES) return undefined;
    const at = entry.indexOf("=");
    const [key, value] = [entry.slice(0, at), entry.slice(at + 1)];
    if (at < 0 || !KEY.test(key) || !VALUE.test(value) || entries.has(key)) return undefined;
    entries.set(key, value);
  }
  return entries;
}

/** A text without the spaces and tabs at its ends. A pattern for those at the end would try each run within the text. */
function withoutBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text[start])) start++;
  while (start < end && isBlank(text[end - 1])) end--;
  return text.slice(start, end);
}

function isBlank(character: string | undefined): boolean {
  return character === " " || character === "\t";
}

/**
 * Writes a `tracestate`.
 *
 * @param entries Values by their vendors, 32 at most.
 * @returns The text for the property.
 * @throws {TypeError} When a key or value is not as W3C Trace Context says.
 * @throws {RangeError} When there are more than 32.
 *
 * @example
 * ```ts
 * import { formatTracestate } from "../../mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatTracestate(new Map([["rojo", "1"], ["congo", "2"]])), "rojo=1,congo=2");
 * ```
 */
export function formatTracestate(entries: ReadonlyMap<string, string>): string {
  if (entries.size > MOST_ENTRIES) {
    throw new RangeError(
      `Cannot write a tracestate of ${entries.size} entries: ${MOST_ENTRIES} at most are expected`,
    );
  }
  return Array.from(entries, ([key, value]) => {
    if (KEY.test(key) && VALUE.test(value)) return `${key}=${value}`;
    throw new TypeError(
      `Cannot write ${
        harmless(`${key}=${value}`)
      } in a tracestate: W3C Trace Context does not allow it`,
    );
  }).join(",");
}
