// deno-lint-ignore-file no-console
/**
 * Measures how costs grow, against a real ActiveMQ that it starts, and keeps the figures in `docs/growth/`:
 *
 * ```sh
 * deno task bench:growth [--curves=consumers,size] [--runtimes=deno,bun,node] [--rounds=3]
 * ```
 *
 * Each point is measured in a process of its own. All points take their turns within a round, so that what disturbs the
 * machine for a while disturbs no curve alone.
 */
import { fileURLToPath } from "node:url";
import { startActiveMq } from "../../tests/broker/launcher.ts";
import { findRuntime, type Runtime, RUNTIMES } from "../_runtimes.ts";
import { type Curve, CURVES, type Point } from "./curves.ts";
import { FOLDER, type MeasuredCurve, mediansOf, type Row } from "./figures.ts";
import type { Figures, Measured, Operation } from "./load.ts";

/** A point that takes longer than this is no measurement any more. */
const DEADLINE = 180_000;
const PROGRAM = fileURLToPath(new URL("measure.ts", import.meta.url));
const FLAGS: Record<Runtime, readonly string[]> = {
  deno: ["run", "-A", "--no-check", "--v8-flags=--expose-gc"],
  bun: [],
  node: ["--expose-gc"],
};

const options = parse(Deno.args);
const programs = await Promise.all(
  options.runtimes.map(async (runtime) => ({ runtime, ...await findRuntime(runtime) })),
);
const runs = options.curves.flatMap((curve) =>
  curve.points.flatMap((point) =>
    programs.map(({ runtime, program }) => ({
      curve,
      point,
      runtime,
      command: [program, ...FLAGS[runtime], PROGRAM],
      rounds: [] as Measured[],
    }))
  )
);
await using broker = await startActiveMq({ heap: "2g" });
for (let round = 1; round <= options.rounds; round++) {
  for (const run of runs) run.rounds.push(await measure(run.command, run.point));
  console.log(`Round ${round} of ${options.rounds} is done`);
}
await Deno.mkdir(FOLDER, { recursive: true });
for (const curve of options.curves) {
  const measured: MeasuredCurve = {
    broker: `ActiveMQ ${broker.version}`,
    runtimes: programs.map(({ runtime, version }) => `${runtime} ${version}`),
    rounds: options.rounds,
    rows: rowsOf(curve),
  };
  const text = JSON.stringify(measured, null, 2) + "\n";
  await Deno.writeTextFile(new URL(`${curve.name}.json`, FOLDER), text);
}

/** Measures one point in a process of its own. */
async function measure([program, ...args]: string[], { at, load }: Point): Promise<Measured> {
  const { openwire, plain } = broker.urls;
  const child = new Deno.Command(program!, {
    args: [...args, JSON.stringify(load), openwire, plain!],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
    signal: AbortSignal.timeout(DEADLINE),
  });
  const { success, stdout } = await child.output();
  if (!success) throw new Error(`${program} can't measure ${JSON.stringify(at)}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

function rowsOf(curve: Curve): Row[] {
  return runs.filter((run) => run.curve === curve).flatMap(({ point, runtime, rounds }) =>
    point.load.operations.map((operation: Operation): Row => ({
      at: point.at,
      runtime,
      operation,
      ...mediansOf(rounds.map((round): Figures => round[operation]!)),
    }))
  );
}

interface Options {
  curves: readonly Curve[];
  runtimes: readonly Runtime[];
  rounds: number;
}

function parse(args: readonly string[]): Options {
  const options: Options = { curves: CURVES, runtimes: ["deno", "bun"], rounds: 3 };
  for (const arg of args) {
    const [name, value = ""] = arg.split("=", 2);
    if (name === "--rounds" && /^[1-9]\d*$/.test(value)) options.rounds = Number(value);
    else if (name === "--runtimes") options.runtimes = list(value, RUNTIMES, (runtime) => runtime);
    else if (name === "--curves") options.curves = list(value, CURVES, (curve) => curve.name);
    else usage(`${arg} is not known`);
  }
  return options;
}

function list<T>(value: string, known: readonly T[], nameOf: (one: T) => string): T[] {
  return value.split(",").map((name) =>
    known.find((one) => nameOf(one) === name) ??
      usage(`${name} is none of ${known.map(nameOf).join(", ")}`)
  );
}

function usage(problem: string): never {
  console.error(
    `${problem}\nmain.ts [--curves=${CURVES.map(({ name }) => name).join(",")}] [--runtimes=${
      RUNTIMES.join(",")
    }] [--rounds=3]`,
  );
  Deno.exit(2);
}
