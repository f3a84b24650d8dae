/**
 * How the benchmark and the clients' processes talk: a line with a task, such as
 * `produce queue=bench.1 body=1024 count=20000 style=unconfirmed persistent=false`, and a line of JSON as the answer.
 */
import type { Workload } from "./workloads.ts";

/** What a client is to do. */
export interface Task extends Omit<Workload, "name" | "passes" | "nearest"> {
  readonly queue: string;
}

/** What came of it. */
export interface Turn {
  /** Messages that were sent or received; a reader has looked at the length of each body. */
  readonly messages: number;
  /** Nanoseconds that it took. */
  readonly nanos: number;
  /** CPU of the client's whole process meanwhile, in microseconds. */
  readonly cpuMicros: number;
  /** Microseconds from a request to its reply. */
  readonly p50?: number;
  readonly p99?: number;
}

/** The line for a task. */
export function formatTask({ kind, queue, body, count, style, persistent }: Task): string {
  return `${kind} queue=${queue} body=${body} count=${count} style=${style} persistent=${persistent}`;
}

/** Reads {@linkcode formatTask}. */
export function parseTask(line: string): Task {
  const [kind, ...pairs] = line.split(" ");
  const values = Object.fromEntries(pairs.map((pair) => pair.split("=", 2)));
  return {
    kind: kind as Task["kind"],
    queue: values.queue!,
    body: Number(values.body),
    count: Number(values.count),
    style: values.style as Task["style"],
    persistent: values.persistent === "true",
  };
}

/** Reads an answer. */
export function parseTurn(line: string): Turn {
  const turn = JSON.parse(line) as Partial<Turn> & { error?: string };
  if (turn.error !== undefined) throw new Error(turn.error);
  const { messages, nanos, cpuMicros } = turn;
  const plausible = Number.isInteger(messages) && Number(nanos) > 0 && Number(cpuMicros) >= 0;
  if (!plausible) throw new Error(`no result but ${line}`);
  return turn as Turn;
}
