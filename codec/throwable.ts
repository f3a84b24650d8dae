/**
 * Exceptions of a Java peer, as text: no class is ever looked up by its name.
 *
 * @module
 */

import type { FrameReader } from "./frame_reader.ts";
import type { FrameWriter } from "./frame_writer.ts";

/**
 * A call in the stack trace of a {@linkcode Throwable} (Java: StackTraceElement).
 *
 * @example
 * ```ts
 * import type { StackTraceElement } from "./mod.ts";
 *
 * const element: StackTraceElement = {
 *   className: "org.example.Orders",
 *   methodName: "take",
 *   fileName: "Orders.java",
 *   lineNumber: 42,
 * };
 * ```
 */
export interface StackTraceElement {
  /** Full name of the class. */
  className: string | null;
  /** Name of the method. */
  methodName: string | null;
  /** Name of the source file; null when unknown. */
  fileName: string | null;
  /** Line in the source file; negative when unknown. */
  lineNumber: number;
}

/**
 * An exception as it is on the wire (Java: Throwable).
 *
 * Stack trace and cause are only sent when both peers enabled stack traces.
 *
 * @example
 * ```ts
 * import { createExceptionResponse, type Throwable } from "./mod.ts";
 *
 * const exception: Throwable = {
 *   className: "java.io.IOException",
 *   message: "No such queue",
 *   stackTrace: [],
 *   cause: null,
 * };
 * createExceptionResponse({ correlationId: 1, exception });
 * ```
 */
export interface Throwable {
  /** Full name of the class in Java, such as `java.io.IOException`. */
  className: string | null;
  /** Its message. */
  message: string | null;
  /** Where it was thrown, innermost call first; empty when it wasn't sent. */
  stackTrace: StackTraceElement[];
  /** What caused it; null when it wasn't sent. */
  cause: Throwable | null;
}

/** Bytes that a call takes at least: three absent strings and a line number. */
const LOOSE_ELEMENT = 7;
const TIGHT_ELEMENT = 4;

/** Reads a throwable in loose encoding. */
export function readThrowableLoose(r: FrameReader, t: string, f: string): Throwable | null {
  if (!r.boolean(t, f)) return null;
  r.enter(t, f);
  const className = r.string(t, f);
  const message = r.string(t, f);
  const stackTrace: StackTraceElement[] = [];
  let cause: Throwable | null = null;
  if (r.stackTraceEnabled) {
    for (let n = r.count(t, f, LOOSE_ELEMENT); n > 0; n--) {
      stackTrace.push({
        className: r.string(t, f),
        methodName: r.string(t, f),
        fileName: r.string(t, f),
        lineNumber: r.int(t, f),
      });
    }
    cause = readThrowableLoose(r, t, f);
  }
  r.leave();
  return { className, message, stackTrace, cause };
}

/** Reads a throwable in tight encoding. */
export function readThrowableTight(r: FrameReader, t: string, f: string): Throwable | null {
  if (!r.flag(t, f)) return null;
  r.enter(t, f);
  const className = r.tightString(t, f);
  const message = r.tightString(t, f);
  const stackTrace: StackTraceElement[] = [];
  let cause: Throwable | null = null;
  if (r.stackTraceEnabled) {
    for (let n = r.count(t, f, TIGHT_ELEMENT); n > 0; n--) {
      stackTrace.push({
        className: r.tightString(t, f),
        methodName: r.tightString(t, f),
        fileName: r.tightString(t, f),
        lineNumber: r.int(t, f),
      });
    }
    cause = readThrowableTight(r, t, f);
  }
  r.leave();
  return { className, message, stackTrace, cause };
}

/** Writes a throwable in loose encoding. */
export function writeThrowableLoose(
  w: FrameWriter,
  t: string,
  f: string,
  value: Throwable | null | undefined,
): void {
  if (value === null || value === undefined) return w.rawByte(0);
  w.object(t, f, value);
  w.enter(t, f);
  w.rawByte(1);
  w.string(t, f, value.className);
  w.string(t, f, value.message);
  if (w.stackTraceEnabled) {
    w.count(t, f, value.stackTrace);
    for (const element of value.stackTrace) {
      w.object(t, f, element);
      w.string(t, f, element.className);
      w.string(t, f, element.methodName);
      w.string(t, f, element.fileName);
      w.int(t, f, element.lineNumber);
    }
    writeThrowableLoose(w, t, f, value.cause);
  }
  w.leave();
}

/** First pass of tight encoding. */
export function sizeThrowable(
  w: FrameWriter,
  t: string,
  f: string,
  value: Throwable | null | undefined,
): number {
  const present = value !== null && value !== undefined;
  w.bits.write(present);
  if (!present) return 0;
  w.object(t, f, value);
  w.enter(t, f);
  let size = w.stringSize(t, f, value.className) + w.stringSize(t, f, value.message);
  if (w.stackTraceEnabled) {
    size += w.countSize(t, f, value.stackTrace);
    for (const element of value.stackTrace) {
      w.object(t, f, element);
      size += w.stringSize(t, f, element.className) + w.stringSize(t, f, element.methodName) +
        w.stringSize(t, f, element.fileName) + w.intSize(t, f, element.lineNumber);
    }
    size += sizeThrowable(w, t, f, value.cause);
  }
  w.leave();
  return size;
}

/** Second pass of tight encoding. */
export function writeThrowableTight(w: FrameWriter, value: Throwable | null | undefined): void {
  if (!w.bits.read()) return;
  const { className, message, stackTrace, cause } = value!;
  w.tightString(className);
  w.tightString(message);
  if (w.stackTraceEnabled) {
    w.rawShort(stackTrace.length);
    for (const element of stackTrace) {
      w.tightString(element.className);
      w.tightString(element.methodName);
      w.tightString(element.fileName);
      w.rawInt(element.lineNumber);
    }
    writeThrowableTight(w, cause);
  }
}
