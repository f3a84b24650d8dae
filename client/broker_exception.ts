/** What the broker says of a failure, beside the message. */

import type { StackTraceElement, Throwable } from "../codec/mod.ts";
import { harmless } from "./harmless.ts";

/** Calls of a stack that are kept. */
const MOST_FRAMES = 100;

/** Characters of each name in it. */
const LONGEST_NAME = 200;

const NONE: readonly string[] = Object.freeze([]);

const exceptions: WeakMap<Error, Throwable> = new WeakMap();

/** Notes from what an error was made. */
export function noteException(error: Error, exception: Throwable | null): void {
  if (exception !== null) exceptions.set(error, exception);
}

/** From what an error was made: for another error about the same failure. */
export function exceptionOf(error: Error): Throwable | null {
  return exceptions.get(error) ?? null;
}

/** The calls of an exception's stack as Java writes them, innermost first. */
export function stackFramesOf(exception: Throwable | null): readonly string[] {
  const { stackTrace = [] } = exception ?? {};
  return stackTrace.length === 0 ? NONE : stackTrace.slice(0, MOST_FRAMES).map(formatFrame);
}

function formatFrame(
  { className, methodName, fileName, lineNumber }: StackTraceElement,
): string {
  const [type, method, file] = [className, methodName, fileName].map(shortName);
  const line = lineNumber >= 0 ? `:${lineNumber}` : "";
  const place = file
    ? `${file}${line}`
    : lineNumber === NATIVE
    ? "Native Method"
    : "Unknown Source";
  return `${type || "?"}.${method || "?"}(${place})`;
}

/** Line number of a method that is not written in Java. */
const NATIVE = -2;

function shortName(name: string | null): string {
  return harmless((name ?? "").slice(0, LONGEST_NAME));
}
