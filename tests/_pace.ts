/** Compares how long things take with each other: how fast the machine is, or how busy, says nothing of the code. */

/** How often both are done, at least and at most. */
const LEAST = 3;
const MOST = 12;

/**
 * How many times as long something takes as something else. Both are done in turns, and the least time of each counts: what
 * a busy machine adds to one turn it does not add to all. It ends early when the limit is kept.
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
    if (turn >= LEAST - 1 && least <= limit * unit) break;
  }
  return least / unit;
}

async function timeOf(work: () => unknown): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
