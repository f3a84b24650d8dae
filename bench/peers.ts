// deno-lint-ignore-file no-console
/**
 * Our codec against the marshaller of the Java client, over the same bytes.
 *
 * ```sh
 * deno task bench:peers [--rounds=3] [--workloads=ack,send-1k] [--runtimes=deno,bun,node] [--json=FILE]
 *                       [--warm=700] [--slice=200] [--chunks]
 * ```
 *
 * One process of each side stays for the whole run, and they take turns pass by pass, so that all are timed within
 * seconds of each other; only the ratios mean something. Each turn is a warm-up and the median of five slices, and
 * the figure of a pass is its median over the rounds.
 */
import { startsWith } from "@std/bytes";
import { delimiter } from "node:path";
import { fileURLToPath } from "node:url";
import { provision } from "../tests/broker/provision.ts";
import { findRuntime, type Runtime, RUNTIMES } from "./_runtimes.ts";
import {
  type Cell,
  cells,
  framesOf,
  type Pass,
  passes,
  type Workload,
  WORKLOADS,
} from "./corpus.ts";

type Peer = "java" | Runtime;

/** A turn that takes longer than this is no measurement any more. */
const DEADLINE = 60_000;
/** The process has been warm since the first round: it only has to come back to the pass. */
const REWARM = 0.4;

const options = parse(Deno.args);
const scratch = Deno.makeTempDirSync({ prefix: "openwire-bench-" });
globalThis.addEventListener("unload", () => Deno.removeSync(scratch, { recursive: true }));

/** A process that times what it is asked for. */
class Timer {
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #peer: Peer;
  #text = "";

  constructor(peer: Peer, [program, ...args]: string[]) {
    this.#peer = peer;
    this.#child = new Deno.Command(program!, {
      args,
      stdin: "piped",
      stdout: "piped",
      // Without its own logger slf4j complains.
      stderr: peer === "java" ? "null" : "inherit",
    }).spawn();
    this.#lines = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#input = this.#child.stdin.getWriter();
  }

  /** Million commands a second. */
  async time(cell: Cell, pass: Pass, warm: number, slice: number): Promise<number> {
    const late = setTimeout(() => this.#child.kill("SIGKILL"), DEADLINE);
    try {
      await this.#input.write(
        new TextEncoder().encode(`${cell.name} ${pass} ${Math.round(warm)} ${slice}\n`),
      );
      while (!this.#text.includes("\n")) {
        const { done, value } = await this.#lines.read();
        if (done) throw new Error(`${this.#peer} ended while it timed ${cell.name} ${pass}`);
        this.#text += value;
      }
    } finally {
      clearTimeout(late);
    }
    const [line, ...rest] = this.#text.split("\n");
    this.#text = rest.join("\n");
    const rate = Number(line);
    if (!(rate > 0)) throw new Error(`${this.#peer} answered ${line} for ${cell.name} ${pass}`);
    return rate;
  }

  async end(): Promise<void> {
    await this.#input.close();
    await this.#child.status;
  }
}

/** Node has no import map: the module gives it the names that deno.json gives. */
const REGISTER = new URL("../tests/node_register.mjs", import.meta.url).href;
const FLAGS = { deno: ["run", "-A", "--no-check"], bun: [], node: ["--import", REGISTER] };

const chosen = cells(options.workloads);
const java = await compileJava();
await compareStreams(chosen);

const commands = new Map<Peer, string[]>([["java", [...java, "serve", scratch]]]);
for (const runtime of options.runtimes) {
  const { program, version } = await findRuntime(runtime);
  console.log(`${runtime} ${version}`);
  const load = fileURLToPath(new URL("codec_load.ts", import.meta.url));
  commands.set(runtime, [
    program,
    ...FLAGS[runtime],
    load,
    "serve",
    ...(options.chunks ? ["--chunks"] : []),
  ]);
}
const timers = [...commands].map(([peer, command]) => ({ peer, timer: new Timer(peer, command) }));
const rows = chosen.flatMap((cell) =>
  passes(cell.workload).map((pass) => ({ cell, pass, rates: new Map<Peer, number[]>() }))
);
for (let round = 0; round < options.rounds; round++) {
  for (const { cell, pass, rates } of rows) {
    // Whose turn it is first changes, so that none always follows the same other.
    const turns = timers.map((_, i) => timers[(i + round) % timers.length]!);
    for (const { peer, timer } of turns) {
      const warm = round === 0 ? options.warm : options.warm * REWARM;
      const rate = await timer.time(cell, pass, warm, options.slice);
      rates.set(peer, [...rates.get(peer) ?? [], rate]);
    }
  }
  console.error(`Round ${round + 1} of ${options.rounds} is done`);
}
await Promise.all(timers.map(({ timer }) => timer.end()));
report();

/** The command that runs our Java peer. */
async function compileJava(): Promise<string[]> {
  const found = provision();
  if (typeof found === "string") throw new Error(found);
  const { java, javac, classpath, version, from } = found;
  if (!javac) throw new Error("No javac command");
  console.log(`Java's marshaller of ActiveMQ ${version} (${from})`);
  const source = fileURLToPath(new URL("java/CodecBench.java", import.meta.url));
  await execute(javac, ["--release", "17", "-nowarn", "-cp", classpath, "-d", scratch, source]);
  return [java, "-cp", [scratch, classpath].join(delimiter), "CodecBench"];
}

async function execute(command: string, args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args }).output();
  if (!success) throw new Error(`${command} failed: ${new TextDecoder().decode(stderr)}`);
}

/** Both sides must time the same bytes. */
async function compareStreams(cells: Cell[]): Promise<void> {
  const [program, ...args] = java;
  await execute(program!, [...args, "streams", scratch]);
  for (const cell of cells) {
    const theirs = await Deno.readFile(`${scratch}/${cell.name}.bin`);
    let at = 0;
    for (const [i, frame] of framesOf(cell).entries()) {
      const same = startsWith(theirs.subarray(at), frame);
      if (!same) throw new Error(`Frame ${i} of ${cell.name} isn't the one that Java writes`);
      at += frame.length;
    }
    if (at !== theirs.length) throw new Error(`Java writes more frames of ${cell.name}`);
  }
  console.log(`Our frames of ${cells.length} streams are the ones that Java writes`);
}

function report(): void {
  const { runtimes } = options;
  const head = ["stream", "bytes", "pass", "Java M/s"];
  for (const runtime of runtimes) head.push(`${runtime} M/s`, "× Java");
  const table = [head];
  const ratios = new Map<Runtime, { name: string; ratio: number }[]>(
    runtimes.map((runtime) => [runtime, []]),
  );
  const json = [];
  for (const { cell, pass, rates } of rows) {
    const frames = framesOf(cell);
    const bytes = frames.reduce((sum, frame) => sum + frame.length, 0) / frames.length;
    const theirs = median(rates.get("java")!);
    const line = [cell.name, bytes.toFixed(0), pass, theirs.toFixed(3)];
    for (const runtime of runtimes) {
      const ours = median(rates.get(runtime)!);
      const ratio = ours / theirs;
      ratios.get(runtime)!.push({ name: `${cell.name} ${pass}`, ratio });
      line.push(ours.toFixed(3), ratio.toFixed(2));
    }
    table.push(line);
    json.push({ stream: cell.name, bytes, pass, rates: Object.fromEntries(rates) });
  }
  const widths = head.map((_, column) => Math.max(...table.map((line) => line[column]!.length)));
  for (const line of table) {
    console.log(
      line.map((text, column) =>
        head[column] === "stream" || head[column] === "pass"
          ? text.padEnd(widths[column]!)
          : text.padStart(widths[column]!)
      ).join("  "),
    );
  }
  console.log(
    `Million commands a second, bytes a command; ${options.rounds} rounds, ${
      options.chunks ? "chunks of 64 KiB" : "the stream in one array"
    }`,
  );
  for (const [runtime, all] of ratios) {
    const lowest = all.reduce((least, cell) => cell.ratio < least.ratio ? cell : least);
    const mean = Math.exp(all.reduce((sum, { ratio }) => sum + Math.log(ratio), 0) / all.length);
    console.log(
      `${runtime}: geometric mean ${mean.toFixed(2)} × Java, lowest cell ${
        lowest.ratio.toFixed(2)
      } (${lowest.name})`,
    );
  }
  if (options.json) Deno.writeTextFileSync(options.json, JSON.stringify(json, null, 1) + "\n");
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

interface Options {
  rounds: number;
  workloads: readonly Workload[];
  runtimes: readonly Runtime[];
  json: string | undefined;
  warm: number;
  slice: number;
  chunks: boolean;
}

function parse(args: string[]): Options {
  const options: Options = {
    rounds: 3,
    workloads: WORKLOADS,
    runtimes: ["deno", "bun"],
    json: undefined,
    warm: 700,
    slice: 200,
    chunks: false,
  };
  for (const arg of args) {
    const [name, value = ""] = arg.split("=", 2);
    if (name === "--rounds") options.rounds = count(arg, value);
    else if (name === "--warm") options.warm = count(arg, value);
    else if (name === "--slice") options.slice = count(arg, value);
    else if (name === "--workloads") options.workloads = list(arg, value, WORKLOADS);
    else if (name === "--runtimes") options.runtimes = list(arg, value, RUNTIMES);
    else if (name === "--json" && value) options.json = value;
    else if (arg === "--chunks") options.chunks = true;
    else usage(`unknown option ${arg}`);
  }
  return options;
}

function count(arg: string, value: string): number {
  return /^[1-9]\d*$/.test(value) ? Number(value) : usage(`${arg} is no number`);
}

function list<T extends string>(arg: string, value: string, known: readonly T[]): T[] {
  return value.split(",").map((name) =>
    known.find((one) => one === name) ?? usage(`${arg}: ${name} is none of ${known.join(", ")}`)
  );
}

function usage(problem: string): never {
  console.error(
    `${problem}\npeers.ts [--rounds=3] [--workloads=${WORKLOADS.join(",")}] [--runtimes=${
      RUNTIMES.join(",")
    }] [--json=FILE] [--warm=700] [--slice=200] [--chunks]`,
  );
  Deno.exit(2);
}
