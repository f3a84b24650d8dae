/** Text of a peer in our own messages. */

import { oneLine } from "../errors.ts";

const LONGEST = 1000;

/** The peer's text on one line, and not too long. */
export function harmless(text: string): string {
  return oneLine(text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
}
