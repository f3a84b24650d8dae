/** What the broker keeps with a message that was given up. */

import { thrownText } from "../../errors.ts";
import type { Throwable } from "../../codec/mod.ts";

/** Characters of a reason that are kept. */
const LONGEST = 1000;

/** The cause for the dead letter queue. */
export function poisonCause(reason: unknown): Throwable {
  const text = thrownText(reason ?? "The application rejected the message");
  return {
    className: "java.lang.Throwable",
    message: text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text,
    stackTrace: [],
    cause: null,
  };
}
