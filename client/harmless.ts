/** Text of a peer in our own messages. */

const LONGEST = 1000;

/** The peer's text without control characters, which could forge lines of a log, and not too long. */
export function harmless(text: string): string {
  const cut = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  return cut.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ");
}
