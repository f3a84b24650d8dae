/**
 * Where a connection writes what happens.
 *
 * @module
 */

import { harmlessValue } from "../harmless.ts";

/**
 * Takes what a connection tells of itself. `console` is one.
 *
 * There are never passwords or bodies in it, nor control characters in the texts of its fields, and in errors. What a logger
 * throws is ignored.
 *
 * - `error`: the connection was lost.
 * - `warn`: attempts to connect that failed, what the broker refused, failures that answer no call such as those of handlers,
 *   messages that were given up, consumers that the broker has closed, consumers that have reached a limit: those of topics
 *   whose messages the broker may discard, those that have the connection read nothing, and those whose application did not
 *   settle `maxUnacknowledged` messages; messages that the broker refuses and nobody waits for, transactions that are in doubt
 *   or were rolled back without a call of `rollback()`.
 * - `info`: connections and their ends, consumers that ask the broker to send nothing because too much waits, and consumers of
 *   topics that have the connection read nothing another time.
 * - `debug`: messages that are given again or are too old, producers that wait for room in their window, transactions that begin
 *   and end.
 *
 * @example
 * ```ts
 * import { connect, type Logger } from "../../mod.ts";
 * import { MemoryBroker } from "../../testing/mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const lines: string[] = [];
 * const ignore = () => {};
 * const logger: Logger = {
 *   debug: ignore,
 *   info: (text) => lines.push(text),
 *   warn: ignore,
 *   error: ignore,
 * };
 * await using broker = await MemoryBroker.listen();
 * const connection = await connect(broker.url, { logger });
 * await connection.close();
 * assertEquals(lines, ["Connected to the broker", "The connection was closed"]);
 * ```
 */
export interface Logger {
  /** What is of use when something is looked for. */
  debug(message: string, fields: LogFields): unknown;
  /** What is as it should be. */
  info(message: string, fields: LogFields): unknown;
  /** What somebody should look at. */
  warn(message: string, fields: LogFields): unknown;
  /** What has ended the work. */
  error(message: string, fields: LogFields): unknown;
}

/**
 * What belongs to a line of a {@linkcode Logger}: `address`, `clientId`, `destination`, `messageId`, `transactionId`, `error` and
 * so on.
 *
 * @example
 * ```ts
 * import type { LogFields } from "../../mod.ts";
 *
 * const toJson = (message: string, fields: LogFields) => JSON.stringify({ message, ...fields });
 * ```
 */
export type LogFields = Readonly<Record<string, unknown>>;

const LEVELS = ["debug", "info", "warn", "error"] as const;

/** The fields with texts on one line, those of errors too: they may be a peer's. */
function printable(fields: LogFields): LogFields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, harmlessValue(value)]),
  );
}

/**
 * A logger that can't disturb.
 *
 * @throws {TypeError} When the user gave something else.
 */
export function guardedLogger(logger: Logger | undefined): Logger | undefined {
  if (logger === undefined) return undefined;
  for (const level of LEVELS) {
    if (typeof logger?.[level] === "function") continue;
    throw new TypeError(
      `Cannot use the logger: functions ${LEVELS.join(", ")} are expected, ${level} is missing`,
    );
  }
  const guarded = (level: typeof LEVELS[number]) => (message: string, fields: LogFields): void => {
    try {
      Promise.resolve(logger[level](message, printable(fields))).catch(() => {});
    } catch {
      // There is nobody to tell.
    }
  };
  return {
    debug: guarded("debug"),
    info: guarded("info"),
    warn: guarded("warn"),
    error: guarded("error"),
  };
}
