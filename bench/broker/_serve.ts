/** What the clients that run on JavaScript have in common: one process that takes tasks until its input ends. */
import process from "node:process";
import { createInterface } from "node:readline";
import { parseTask, type Task, type Turn } from "./turns.ts";

/** Measures a part of a task. */
export class Stopwatch {
  readonly #start: bigint = process.hrtime.bigint();
  readonly #cpu: { user: number; system: number } = process.cpuUsage();

  /** What came of the part. */
  stop(messages: number): Turn {
    const nanos = Number(process.hrtime.bigint() - this.#start);
    const { user, system } = process.cpuUsage();
    return { messages, nanos, cpuMicros: user + system - this.#cpu.user - this.#cpu.system };
  }
}

/** Counts messages that come, and looks at the length of each. */
export class Counter {
  /** Resolves with the last one. */
  readonly done: Promise<void>;
  readonly #task: Task;
  readonly #resolve: () => void;
  readonly #reject: (error: Error) => void;
  #count = 0;

  constructor(task: Task) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#task = task;
    this.done = promise;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  get count(): number {
    return this.#count;
  }

  take(text: string | null | undefined): void {
    if (text?.length !== this.#task.body) {
      const length = text?.length;
      this.#reject(new Error(`a body of ${length} characters instead of ${this.#task.body}`));
    } else if (++this.#count === this.#task.count) this.#resolve();
    else if (this.#count > this.#task.count) this.#reject(new Error("a message too many"));
  }
}

/** Times requests one by one. */
export async function timeRequests(
  { count, body }: Task,
  request: () => Promise<string | null | undefined>,
): Promise<Turn> {
  const micros = new Float64Array(count);
  const watch = new Stopwatch();
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    const reply = await request();
    micros[i] = (performance.now() - start) * 1000;
    if (reply?.length !== body) throw new Error(`a reply of ${reply?.length} characters`);
  }
  const turn = watch.stop(count);
  micros.sort();
  return { ...turn, p50: micros[count >> 1]!, p99: micros[Math.floor(count * 0.99)]! };
}

/** Does what it is asked for, one task after another. The arguments of the process are the broker's URL. */
export async function serve(
  connect: (url: URL) => Promise<(task: Task) => Promise<Turn>>,
): Promise<never> {
  const lines = createInterface({ input: process.stdin });
  const run = await connect(new URL(process.argv[2]!));
  process.stdout.write("ready\n");
  for await (const line of lines) {
    let answer: object;
    try {
      answer = await run(parseTask(line));
    } catch (error) {
      answer = { error: error instanceof Error ? error.stack ?? error.message : String(error) };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
  process.exit(0);
}
