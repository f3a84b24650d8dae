/**
 * The base of every error that this module throws on purpose.
 *
 * @module
 */

/**
 * Options of {@linkcode OpenWireError}.
 *
 * @example
 * ```ts
 * import type { OpenWireErrorOptions } from "./errors.ts";
 *
 * const options: OpenWireErrorOptions = { cause: new Error("reset"), retryable: true };
 * ```
 */
export interface OpenWireErrorOptions {
  /** What caused this error, if anything did. */
  cause?: unknown;
  /**
   * Whether doing the same again later may succeed.
   *
   * @default {false}
   */
  retryable?: boolean;
}

/**
 * Base class of all errors of this module.
 *
 * Its message has no control characters, whatever names a peer has given to things, and 10,000 characters at most. If its
 * cause has, `cause` is a copy without them.
 *
 * A wrong argument of the caller is a `TypeError` or `RangeError` of the language instead.
 *
 * @example Telling errors apart by their code
 * ```ts
 * import { OpenWireError } from "./errors.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new OpenWireError("CLOSED", "Connection is closed", { retryable: true });
 * assertEquals(error.code, "CLOSED");
 * assertEquals(error.retryable, true);
 * ```
 */
export class OpenWireError extends Error {
  /** Name of the class, also after minification. */
  override readonly name: string = "OpenWireError";
  /** Stable upper-case identifier of the condition, such as `"TIMEOUT"`. */
  readonly code: string;
  /** Whether doing the same again later may succeed. */
  readonly retryable: boolean;

  /**
   * Creates an error.
   *
   * @param code Stable identifier of the condition.
   * @param message What could not be done, and what was found instead.
   * @param options Cause and retryability.
   */
  constructor(code: string, message: string, options: OpenWireErrorOptions = {}) {
    super(
      oneLine(shortened(message)),
      "cause" in options ? { cause: harmlessValue(options.cause) } : undefined,
    );
    this.code = code;
    this.retryable = options.retryable ?? false;
  }
}

const LONGEST = 10_000;

function shortened(message: string): string {
  return message.length > LONGEST ? `${message.slice(0, LONGEST)}…` : message;
}

/** Line ends and other controls, which could forge lines of a log or steer a terminal, and what turns the order of letters. */
const CONTROLS = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]+/gu;

/** A text without control characters. */
export function oneLine(text: string): string {
  return text.replaceAll(CONTROLS, " ");
}

/** Characters of a text that is not ours, such as the message of an error of the application. */
const LONGEST_FOREIGN = 1000;

/** Characters of a line of a stack: the first one has the message and what stands before it. */
const LONGEST_LINE = LONGEST + 100;

/** Lines of a stack. */
const MOST_LINES = 200;

/** Errors of a chain, or of an AggregateError, that are copied. */
const MOST_COPIED = 1000;

/** A text of somebody else on one line, and not too long. */
export function harmless(text: string): string {
  return oneLine(
    text.length > LONGEST_FOREIGN ? `${text.slice(0, LONGEST_FOREIGN)}…` : text,
  );
}

/**
 * What may be shown of a value that was thrown: of an error itself, or, if one of its texts has control characters or is too
 * long, a copy of the same class without them. What JSON.parse() throws, for example, quotes what it was given.
 */
export function harmlessValue<T>(value: T): T;
export function harmlessValue(value: unknown): unknown {
  if (typeof value === "string") return harmless(value);
  if (!(value instanceof Error)) return value;
  try {
    return isHarmless(value, false, new Set()) ? value : copyOf(value, new Map());
  } catch {
    // One of its members is a function that throws.
    return new Error("The error can't be shown");
  }
}

/** The same for an error that goes to a program, not into a log: messages of several lines are left as they are. */
export function harmlessError(error: Error): Error {
  try {
    if (isHarmless(error, true, new Set())) return error;
  } catch {
    // The other one sees to that.
  }
  return harmlessValue(error);
}

/** Whether neither an error nor what has caused it has a text that is not to be shown. */
function isHarmless(value: unknown, lines: boolean, seen: Set<unknown>): boolean {
  if (typeof value === "string") return value === harmless(value);
  if (!(value instanceof Error) || seen.has(value)) return true;
  if (seen.add(value).size > MOST_COPIED) return false;
  const message = lines ? value.message.replaceAll("\n", " ") : value.message;
  return [message, value.name, ...textsOf(value).map(([, text]) => text)]
    .every((text) => text === shown(text, value)) &&
    (message !== value.message || stackOf(value) === value.stack) &&
    isHarmless(value.cause, lines, seen) &&
    errorsOf(value).every((error) => isHarmless(error, lines, seen));
}

/** Ours are checked when they are made, and may name many brokers. */
function shown(text: unknown, error: Error): string {
  return error instanceof OpenWireError ? oneLine(shortened(String(text))) : harmless(String(text));
}

function copyOf(value: unknown, copies: Map<Error, Error>): unknown {
  if (typeof value === "string") return harmless(value);
  if (!(value instanceof Error)) return value;
  const known = copies.get(value);
  if (known) return known;
  if (copies.size >= MOST_COPIED) return undefined;
  const copy = new Error(shown(value.message, value));
  copies.set(value, copy);
  // The accessors of that class take nothing but what the runtime has made.
  const native = typeof DOMException === "function" && value instanceof DOMException;
  if (!native) Object.setPrototypeOf(copy, Object.getPrototypeOf(value));
  const define = (name: string, value: unknown, enumerable: boolean): void => {
    Object.defineProperty(copy, name, { value, enumerable, configurable: true, writable: true });
  };
  for (const [name, text] of textsOf(value)) define(name, shown(text, value), true);
  for (const [name, other] of Object.entries(value)) {
    if (typeof other === "number" || typeof other === "boolean") define(name, other, true);
    if (isTexts(other)) define(name, other.slice(0, MOST_LINES).map(harmless), true);
  }
  define("name", shown(value.name, value), false);
  define("stack", stackOf(value), false);
  if ("cause" in value) define("cause", copyOf(value.cause, copies), false);
  const errors = errorsOf(value).map((error) => copyOf(error, copies));
  if (errors.length > 0) define("errors", errors.filter((error) => error !== undefined), false);
  return copy;
}

/** Own texts of an error beside those that every error has. */
function textsOf(error: Error): [name: string, text: string][] {
  return Object.entries(error).filter((entry): entry is [string, string] =>
    typeof entry[1] === "string" && !["name", "message", "stack"].includes(entry[0])
  );
}

/** Such as the stack of a broker. */
function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((text) => typeof text === "string");
}

function errorsOf(error: Error): readonly unknown[] {
  const { errors } = error as Error & { errors?: unknown };
  return Array.isArray(errors) ? errors : [];
}

/** The stack with lines that have no control characters, and the message as it is shown. */
function stackOf(error: Error): string | undefined {
  const { stack, message } = error;
  if (typeof stack !== "string") return undefined;
  // Not by a pattern: the message may have what means something in one.
  const at = message === "" ? -1 : stack.indexOf(message);
  const text = at < 0
    ? stack
    : stack.slice(0, at) + shown(message, error) + stack.slice(at + message.length);
  return text.split("\n", MOST_LINES)
    .map((line) => oneLine(line.length > LONGEST_LINE ? `${line.slice(0, LONGEST)}…` : line))
    .join("\n");
}

/**
 * The text of anything that was thrown, whatever it does when it is asked. Of an object that is no error it is its `message`,
 * with its `code`.
 */
export function thrownText(value: unknown): string {
  try {
    if (typeof value !== "object" || value === null) return String(value);
    if (value instanceof Error) return String(value);
    const { message, code } = value as { message?: unknown; code?: unknown };
    if (typeof message !== "string") return String(value);
    const isCode = typeof code === "string" || typeof code === "number";
    return isCode ? `${message} (code ${code})` : message;
  } catch {
    return "a value that cannot be shown";
  }
}

/** An error for anything that was thrown: the value itself, if it is an error whose message can be read. */
export function toError(value: unknown): Error {
  try {
    if (value instanceof Error && typeof value.message === "string") return value;
  } catch {
    // It is an error in name only.
  }
  return new Error(thrownText(value));
}

/** Characters of a class's name. */
const LONGEST_NAME = 64;

/** The name of a value's class, or of its type if the class has no name that can be read; nothing of what the value holds. */
export function typeName(value: unknown): string {
  if (typeof value !== "object" || value === null) return value === null ? "null" : typeof value;
  try {
    const { name } = value.constructor as { name?: unknown };
    return typeof name === "string" && name !== ""
      ? harmless(name.slice(0, LONGEST_NAME))
      : "object";
  } catch {
    return "object";
  }
}

/** What may be shown of a value where a number is expected: the number, or the type of a value that is none, not the value. */
export function numberText(value: unknown): string {
  if (typeof value === "number") return String(value);
  // A large one takes quadratic time to be written.
  if (typeof value === "bigint") {
    return value === BigInt.asIntN(64, value) ? `${value}n` : "a bigint";
  }
  return `a value of type ${typeName(value)}`;
}
