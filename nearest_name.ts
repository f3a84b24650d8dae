/** Finds what somebody may have meant. */

/** Characters that are looked at: the time is that of their number times that of all names. */
const LONGEST = 80;

/**
 * The name that is nearest to a given one: one with the same last part, such as `jms.useAsyncSend` for `useAsyncSend`, or
 * the one that takes the fewest changes of single characters.
 *
 * @param most Changes at most; undefined if even the nearest name takes more.
 */
export function nearestName(given: string, names: readonly string[]): string;
export function nearestName(
  given: string,
  names: readonly string[],
  most: number,
): string | undefined;
export function nearestName(
  given: string,
  names: readonly string[],
  most = Infinity,
): string | undefined {
  const wanted = given.slice(0, LONGEST).toLowerCase();
  let nearest = "";
  let least = Infinity;
  for (const name of names) {
    const known = name.toLowerCase();
    const changes = Math.min(
      countChanges(wanted, known),
      // The prefix is missing or another one.
      1 + countChanges(lastPart(wanted), lastPart(known)),
    );
    if (changes < least) [nearest, least] = [name, changes];
  }
  return least <= most ? nearest : undefined;
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}

/** How many characters are to be inserted, removed or replaced (Levenshtein). */
export function countChanges(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      next[j] = Math.min(replaced, row[j]! + 1, next[j - 1]! + 1);
    }
    row = next;
  }
  return row[to.length]!;
}
