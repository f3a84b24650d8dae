/** Opens and closes things many times, and looks at what is left. */
import { connect, type Connection } from "../../../mod.ts";
import { type Cycle, CYCLES } from "./cycles.ts";
import { collectGarbage, type Memory, memoryInUse, slope } from "./memory.ts";
import { openOf } from "./open.ts";

/** What became of one kind. */
export interface SoakFigures {
  readonly name: string;
  readonly cycles: number;
  readonly perSecond: number;
  /** What the connection has open now and had not before; only what is not zero. */
  readonly open: Readonly<Record<string, number>>;
  /** Of the objects that were tracked, how many there were and how many are still held. */
  readonly tracked: number;
  readonly held: number;
  /** Listeners that were left on a signal which is never aborted. */
  readonly listeners: number;
  /** Bytes that a cycle costs for good: growth of the process and of the heap, the first third left out. */
  readonly rssSlope: number;
  readonly heapSlope: number;
  /** Bytes of the process at the end. */
  readonly rss: number;
}

/** Objects that are tracked, of each kind. */
const TRACKED = 500;
/** Times at which the memory is looked at, at most, and cycles between two looks, at least: to look takes time. */
const SAMPLES = 15;
const APART = 100;

/** Soaks each kind. */
export async function soak(
  url: string,
  cycles: number,
  told: (figures: SoakFigures) => void = () => {},
): Promise<SoakFigures[]> {
  const all: SoakFigures[] = [];
  const connection = await connect(url, {
    redeliveryPolicy: { initialRedeliveryDelay: 0 },
    // It would keep the last destinations.
    wireFormat: { cacheEnabled: false },
  });
  try {
    for (const cycle of CYCLES) {
      const figures = await soakOne(cycle, url, connection, Math.ceil(cycles / cycle.weight));
      told(figures);
      all.push(figures);
    }
  } finally {
    await connection.close();
  }
  return all;
}

async function soakOne(
  { name, open }: Cycle,
  url: string,
  connection: Connection,
  cycles: number,
): Promise<SoakFigures> {
  const tracked: WeakRef<object>[] = [];
  const signal = new CountingSignal();
  const ground = {
    url,
    connection,
    signal: signal.signal,
    track: (made: object): void => {
      if (tracked.length < TRACKED) tracked.push(new WeakRef(made));
    },
  };
  // What the connection opens once and keeps is no leak.
  const first = await open({ ...ground, track: () => {} });
  await first.run();
  await first.close();
  const before = openOf(connection);

  const kind = await open(ground);
  const memory: [number, Memory][] = [];
  const every = Math.max(APART, Math.ceil(cycles / SAMPLES));
  let spent = 0;
  for (let done = 0; done < cycles; done += every) {
    const start = performance.now();
    for (let n = done; n < Math.min(done + every, cycles); n++) await kind.run();
    spent += performance.now() - start;
    memory.push([Math.min(done + every, cycles), await memoryInUse()]);
  }
  await kind.close();
  await collectGarbage();

  const late = memory.slice(Math.floor(memory.length / 3));
  const after = openOf(connection);
  return {
    name,
    cycles,
    perSecond: Math.round(1000 * cycles / spent),
    open: Object.fromEntries(
      Object.entries(after).map(([what, count]) => [what, count - before[what]!] as const)
        .filter(([, count]) => count !== 0),
    ),
    tracked: tracked.length,
    held: tracked.filter((reference) => reference.deref() !== undefined).length,
    listeners: signal.listeners,
    rssSlope: slope(late.map(([cycle, { rss }]) => [cycle, rss])),
    heapSlope: slope(late.map(([cycle, { heap }]) => [cycle, heap])),
    rss: memory.at(-1)![1].rss,
  };
}

/** Counts the listeners of a signal. */
class CountingSignal {
  listeners = 0;
  readonly signal: AbortSignal = new AbortController().signal;

  constructor() {
    const { signal } = this;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    // Holds nothing itself.
    const known = new WeakMap<object, number>();
    const count = (listener: object, by: number): void => {
      const there = known.get(listener) ?? 0;
      if (there + by < 0) return;
      known.set(listener, there + by);
      this.listeners += by;
    };
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      count(args[1]!, 1);
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      count(args[1]!, -1);
      remove(...args);
    };
  }
}
