/** What a program still holds. */
import process from "node:process";

/** Collects what nobody holds any more; every runtime has its own way to ask for it. */
const collect: () => void = await findCollector();

async function findCollector(): Promise<() => void> {
  const { Bun } = globalThis as { Bun?: { gc(now: boolean): void } };
  if (Bun) return () => Bun.gc(true);
  (await import("node:v8")).setFlagsFromString("--expose-gc");
  return (await import("node:vm")).runInNewContext("gc");
}

/** Collects until what is waiting for its turn has had it. */
export async function collectGarbage(): Promise<void> {
  for (let n = 0; n < 3; n++) {
    // Weak references are cleared between turns of the event loop only.
    await new Promise((resolve) => setTimeout(resolve, 5));
    collect();
  }
}

/** Bytes in use. */
export interface Memory {
  /** Of the whole process. */
  readonly rss: number;
  /** Of the objects of the program. */
  readonly heap: number;
}

/** Bytes in use, garbage not counted. */
export async function memoryInUse(): Promise<Memory> {
  await collectGarbage();
  const { rss, heapUsed } = process.memoryUsage();
  return { rss, heap: heapUsed };
}

/** How much something grows with each step: the slope of the line that fits best. */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (of: (point: readonly [number, number]) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean(([x]) => x), mean(([, y]) => y)];
  const spread = points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
  return points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0) / spread;
}
