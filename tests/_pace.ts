/** Compares how long things take with each other: how fast the machine is, or how busy, says nothing of the code. */

/** How often both are done, at least and at most. */
const LEAST = 3;
const MOST = 12;
/** How many times the limit is no accident of three turns any more. */
const CLEARLY = 4;

/**
 * How many times as long something takes as something else. Both are done in turns, and the least time of each counts: what
 * a busy machine adds to one turn it does not add to all. It ends early when the limit is kept, or far away.
 *
 * @param subject What is measured.
 * @param reference What it is compared with; it should take a millisecond or more.
 * @param limit How many times as long it may take.
 */
export async function timesAsLong(
  subject: () => unknown,
  reference: () => unknown,
  limit: number,
): Promise<number> {
  let [least, unit] = [Infinity, Infinity];
  for (let turn = 0; turn < MOST; turn++) {
    unit = Math.min(unit, await timeOf(reference));
    least = Math.min(least, await timeOf(subject));
    if (turn < LEAST - 1) continue;
    if (least <= limit * unit || least > CLEARLY * limit * unit) break;
  }
  return least / unit;
}

/** Milliseconds from which on a text is looked at: all others are linear enough. */
const SUSPICIOUS = 50;
/** Into how many parts a text is cut: what is quadratic takes as many times as long for all of it. */
export const PARTS = 50;

/** A text in {@linkcode PARTS} parts. */
function partsOf(text: string): string[] {
  const size = Math.ceil(text.length / PARTS);
  return Array.from({ length: PARTS }, (_, n) => text.slice(n * size, (n + 1) * size));
}

/**
 * Fails if something takes more than linear time for a text: reading all of it is compared with reading its parts.
 *
 * @param read Reads a text; what it throws does not matter.
 * @param text The text.
 * @param what What the error says of it.
 * @param parts Texts that are as long together, and of the same kind.
 */
export async function assertLinear(
  read: (text: string) => unknown,
  text: string,
  what: string,
  parts: readonly string[] = partsOf(text),
): Promise<void> {
  const attempt = (text: string): void => {
    try {
      read(text);
    } catch {
      // To refuse it may take as long.
    }
  };
  if (await timeOf(() => attempt(text)) < SUSPICIOUS) return;
  const times = await timesAsLong(() => attempt(text), () => parts.forEach(attempt), PARTS / 5);
  if (times <= PARTS / 5) return;
  throw new Error(`${what}: the whole took ${times.toFixed(1)} times as long as its parts`);
}

async function timeOf(work: () => unknown): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
