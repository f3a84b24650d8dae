/** What the turns add up to: medians, who the limit is, and how our client does beside the others. Pure. */
import { RUNTIMES } from "../_runtimes.ts";
import type { Turn } from "./turns.ts";
import { BAR_BODY, type Client, type Workload } from "./workloads.ts";

/** One turn of a client, and the broker's CPU meanwhile, in microseconds; undefined where that can't be told. */
export interface Sample {
  readonly turn: Turn;
  readonly brokerMicros: number | undefined;
}

/**
 * Who keeps a client from being faster:
 *
 * - `broker`: it works all the time that a core has, and the client doesn't.
 * - `client`: it does.
 * - `waiting`: neither does; the time goes by on the way between them or at the broker's disk.
 */
export type Limit = "broker" | "client" | "waiting";

/** The figures of a client with a workload: medians over the rounds. */
export interface Cell {
  readonly workload: Workload;
  readonly client: Client;
  readonly perSecond: number;
  /** CPU of the client's process for a message, in microseconds. */
  readonly cpuMicros: number;
  /** The broker's. */
  readonly brokerMicros: number | undefined;
  /** Cores that each of them used. */
  readonly clientCores: number;
  readonly brokerCores: number | undefined;
  readonly limit: Limit | undefined;
  /** Microseconds from a request to its reply. */
  readonly p50: number | undefined;
  readonly p99: number | undefined;
}

/** A part of a core from which on a process has no time left: its main thread must wait for its own helpers, too. */
const BUSY = 0.85;

/** The middle of some values, or the mean of both in the middle. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("no values have no median");
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** All passes of a turn as one. Latencies are of turns with one pass only. */
export function sumOf(passes: readonly Sample[]): Sample {
  if (passes.length === 1) return passes[0]!;
  const sum = (value: (turn: Turn) => number): number =>
    passes.reduce((total, { turn }) => total + value(turn), 0);
  const broker = passes.map(({ brokerMicros }) => brokerMicros);
  return {
    turn: {
      messages: sum(({ messages }) => messages),
      nanos: sum(({ nanos }) => nanos),
      cpuMicros: sum(({ cpuMicros }) => cpuMicros),
    },
    brokerMicros: broker.reduce((total, one) =>
      total === undefined || one === undefined ? undefined : total + one
    ),
  };
}

/** Who the limit is when these parts of a core were used. */
export function limitOf(client: number, broker: number): Limit {
  if (client >= BUSY) return "client";
  return broker >= BUSY ? "broker" : "waiting";
}

/** The figures of some turns. */
export function cellOf(workload: Workload, client: Client, samples: readonly Sample[]): Cell {
  const of = (value: (sample: Sample) => number): number => median(samples.map(value));
  const optional = (value: (sample: Sample) => number | undefined): number | undefined => {
    const known = samples.map(value).filter((one) => one !== undefined);
    return known.length === samples.length ? median(known) : undefined;
  };
  const wall = (turn: Turn): number => turn.nanos / 1000;
  const clientCores = of(({ turn }) => turn.cpuMicros / wall(turn));
  const brokerCores = optional(({ turn, brokerMicros }) =>
    brokerMicros === undefined ? undefined : brokerMicros / wall(turn)
  );
  return {
    workload,
    client,
    perSecond: of(({ turn }) => turn.messages * 1e9 / turn.nanos),
    cpuMicros: of(({ turn }) => turn.cpuMicros / turn.messages),
    brokerMicros: optional(({ turn, brokerMicros }) =>
      brokerMicros === undefined ? undefined : brokerMicros / turn.messages
    ),
    clientCores,
    brokerCores,
    limit: brokerCores === undefined ? undefined : limitOf(clientCores, brokerCores),
    p50: optional(({ turn }) => turn.p50),
    p99: optional(({ turn }) => turn.p99),
  };
}

/** Something that our client has to reach on a runtime. */
export interface Bar {
  readonly client: Client;
  readonly workload: string;
  /** What is compared with whom, such as `CPU / java`. */
  readonly what: string;
  readonly ratio: number;
  readonly bar: number;
  readonly met: boolean;
}

const JS_PEERS: readonly Client[] = ["stompjs", "stompit", "rhea"];

/** What is asked of our client: ratios to the others. */
export function barsOf(cells: readonly Cell[]): Bar[] {
  const bars: Bar[] = [];
  for (const cell of cells) {
    const { client, workload } = cell;
    if (!RUNTIMES.some((runtime) => runtime === client)) continue;
    const atMost = (what: string, ratio: number, bar: number): void =>
      void bars.push({ client, workload: workload.name, what, ratio, bar, met: ratio <= bar });
    const atLeast = (what: string, ratio: number, bar: number): void =>
      void bars.push({ client, workload: workload.name, what, ratio, bar, met: ratio >= bar });
    const java = counterpart(cells, workload, "java");
    if (workload.kind === "request") {
      if (java) atMost("p50 / java", cell.p50! / java.p50!, 1);
      continue;
    }
    if (workload.body === BAR_BODY) {
      if (java) atMost("CPU / java", cell.cpuMicros / java.cpuMicros, 0.5);
      const peers = JS_PEERS.map((peer) => counterpart(cells, workload, peer))
        .filter((peer) => peer !== undefined)
        .toSorted((a, b) => a.cpuMicros - b.cpuMicros);
      const [best] = peers;
      if (best) atMost(`CPU / ${best.client}`, cell.cpuMicros / best.cpuMicros, 0.6);
    }
    // Where the client is not what limits it, it can't be faster.
    const bar = cell.limit === "broker" || cell.limit === "waiting" ? 0.95 : 1.1;
    if (java) atLeast("rate / java", cell.perSecond / java.perSecond, bar);
  }
  return bars;
}

/** What another client did with the workload, or with the one that is nearest to it. */
export function counterpart(
  cells: readonly Cell[],
  { name, nearest = [] }: Workload,
  client: Client,
): Cell | undefined {
  for (const wanted of [name, ...nearest]) {
    const found = cells.find((cell) => cell.client === client && cell.workload.name === wanted);
    if (found) return found;
  }
}

/** Rows as text, the first one their heads: words to the left, numbers to the right. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const isNumber = rows[0]!.map((_, column) =>
    rows.slice(1).every((row) => /^[\d.]*$/.test(row[column]!))
  );
  return rows.map((row) =>
    row.map((text, column) =>
      isNumber[column] ? text.padStart(widths[column]!) : text.padEnd(widths[column]!)
    ).join("  ").trimEnd()
  ).join("\n");
}

/** The table of all figures. */
export function formatCells(cells: readonly Cell[]): string {
  const head = [
    "workload",
    "client",
    "messages/s",
    "CPU µs",
    "broker µs",
    "cores",
    "broker",
    "limit",
    "rate / java",
    "CPU / java",
    "p50 µs",
    "p99 µs",
  ];
  return formatTable([
    head,
    ...cells.map((cell) => {
      const java = counterpart(cells, cell.workload, "java");
      return [
        cell.workload.name,
        cell.client,
        cell.perSecond.toFixed(0),
        cell.cpuMicros.toFixed(1),
        cell.brokerMicros?.toFixed(1) ?? "",
        cell.clientCores.toFixed(2),
        cell.brokerCores?.toFixed(2) ?? "",
        cell.limit ?? "",
        java ? (cell.perSecond / java.perSecond).toFixed(2) : "",
        java ? (cell.cpuMicros / java.cpuMicros).toFixed(2) : "",
        cell.p50?.toFixed(0) ?? "",
        cell.p99?.toFixed(0) ?? "",
      ];
    }),
  ]);
}

/** The table of what was asked, for one client after another. */
export function formatBars(bars: readonly Bar[]): string {
  if (bars.length === 0) return "";
  return formatTable([
    ["client", "workload", "what", "ratio", "bar", ""],
    ...bars.map(({ client, workload, what, ratio, bar, met }) => [
      client,
      workload,
      what,
      ratio.toFixed(2),
      bar.toFixed(2),
      met ? "met" : "NOT MET",
    ]),
  ]);
}
