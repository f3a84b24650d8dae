/**
 * Runs the tests on Deno, Bun and Node against real brokers, and adds up.
 *
 * ```sh
 * deno task test [--runtime=deno,bun,node] [--broker=activemq5,activemq6,artemis | --no-broker]
 *   [--results=FILE] [FILES, FOLDERS or parts of test names]
 * ```
 *
 * Without `--broker` they run against all of them. `--results` writes what came of each test as JSON.
 *
 * The last line of the output is `N passed, N failed, N skipped`.
 */
import { resolve } from "node:path";
import { type RunningBroker, startActiveMq } from "./broker/launcher.ts";
import type { BrokerInfo } from "./broker/env.ts";
import { BROKER_KINDS, type BrokerKind } from "./broker/kinds.ts";
import { provision } from "./broker/provision.ts";
import type { TestResults } from "./broker/results.ts";
import { tethered } from "./broker/tether.ts";
import { parseJunit, type TestCase } from "./_junit.ts";
import { findRuntime, type Found, type Runtime, RUNTIMES } from "./_runtimes.ts";
import { LeakScanner } from "./_secret.ts";

interface Result extends TestCase {
  runtime: Runtime;
  /** Its file, where each file is run alone. */
  file?: string;
}

const MINUTES = 60_000;
/** Suites that all three runtimes run, but for files that end in `_deno_test.ts`. */
const SHARED = [
  "tests/codec",
  "tests/transport",
  "tests/client",
  "tests/testing",
  "tests/deadlines",
  "tests/module",
  "tests/interop",
  "tests/faults",
  "tests/hostile",
];
/** Modules and pages whose examples are run, on Deno. */
const DOCUMENTED = [
  "mod.ts",
  "README.md",
  "docs",
  "errors.ts",
  "codec",
  "transport",
  "client",
  "testing",
];

/** Is loaded before all tests, but before those of the documentation. */
const LEAK_WATCH = "./tests/_leak_watch.ts";

const root = new URL("../", import.meta.url);
const reports = Deno.makeTempDirSync({ prefix: "openwire-tests-" });
globalThis.addEventListener("unload", () => Deno.removeSync(reports, { recursive: true }));
for (const name of ["SIGINT", "SIGTERM"] as const) {
  // Our children are tied to us: they go when we do.
  Deno.addSignalListener(name, () => Deno.exit(130));
}

const { runtimes, kinds, paths, filter, resultsFile } = parseArguments(Deno.args);
Deno.chdir(root);

const results: Result[] = [];
await install();
const wanted = BROKER_KINDS.filter((kind) => (kinds ?? BROKER_KINDS).includes(kind));
const brokers = new Map<BrokerKind, RunningBroker>();
const reasons: Partial<Record<BrokerKind, string>> = {};
const died: RunningBroker[] = [];

try {
  for (const kind of wanted) await startBroker(kind);
  if (kinds?.length === 0) reasons.activemq5 = "no broker: --no-broker";
  for (const runtime of runtimes) await runOn(runtime);
  for (const broker of died) {
    fail(runtimes.at(-1)!, `${broker.kind} lives until the tests end`, broker.log());
  }
} finally {
  await Promise.all([...brokers.values()].map((broker) => broker.stop()));
}
if (resultsFile) {
  const versions = Object.fromEntries([...brokers].map(([kind, { version }]) => [kind, version]));
  Deno.writeTextFileSync(resultsFile, JSON.stringify({ versions, results } satisfies TestResults));
}
Deno.exit(summary() ? 0 : 1);

/** What the tests are told. */
function environment(): Record<string, string> {
  return {
    NO_COLOR: "1",
    OPENWIRE_TEST_BROKERS: JSON.stringify(
      Object.fromEntries([...brokers].map(([kind, broker]) => [kind, described(broker)])),
    ),
    OPENWIRE_TEST_BROKERS_SKIP: JSON.stringify(reasons),
  };
}

function parseArguments(args: string[]) {
  const options = {
    runtimes: RUNTIMES,
    kinds: undefined as BrokerKind[] | undefined,
    paths: [] as string[],
    resultsFile: undefined as string | undefined,
  };
  const names: string[] = [];
  for (const arg of args) {
    if (arg === "--no-broker") {
      options.kinds = [];
    } else if (arg.startsWith("--broker=")) {
      options.kinds = arg.slice("--broker=".length).split(",").map((name) => {
        const known = BROKER_KINDS.find((kind) => kind === name);
        return known ?? usage(`${name} is none of ${BROKER_KINDS.join(", ")}`);
      });
    } else if (arg.startsWith("--runtime=")) {
      options.runtimes = arg.slice("--runtime=".length).split(",").map((name) => {
        const known = RUNTIMES.find((runtime) => runtime === name);
        return known ?? usage(`${name} is none of ${RUNTIMES.join(", ")}`);
      });
    } else if (arg.startsWith("--results=")) {
      options.resultsFile = resolve(arg.slice("--results=".length));
    } else if (arg.startsWith("-")) {
      usage(`unknown option ${arg}`);
    } else if (exists(arg)) {
      const path = relative(arg);
      if (path) options.paths.push(path);
    } else {
      names.push(arg.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&"));
    }
  }
  return { ...options, filter: names.length > 0 ? new RegExp(names.join("|")) : undefined };
}

function usage(problem: string): never {
  print(
    `${problem}\nrun.ts [--runtime=deno,bun,node] [--broker=${
      BROKER_KINDS.join(",")
    } | --no-broker] [FILES or test names]`,
  );
  Deno.exit(2);
}

/** Bun and Node take the test libraries from node_modules. */
async function install(): Promise<void> {
  const { code } = await tethered([Deno.execPath(), "install", "--quiet"], 5 * MINUTES);
  if (code !== 0) {
    fail("deno", "deno install", `ended with code ${code}`);
    summary();
    Deno.exit(1);
  }
}

async function startBroker(kind: BrokerKind): Promise<void> {
  try {
    const found = provision(kind);
    if (typeof found === "string") return without(kind, found);
    const started = performance.now();
    const broker = await startActiveMq({}, found);
    brokers.set(kind, broker);
    broker.ended.then(() => died.push(broker));
    const took = Math.round(performance.now() - started);
    print(`${kind} ${broker.version} (${found.from}) at ${broker.urls.openwire}, in ${took} ms`);
  } catch (error) {
    without(kind, error instanceof Error ? error.message : String(error));
  }
}

/** What the tests may know of the broker. */
function described(
  { kind, urls, tls, version, pid, classpath, java, javac }: BrokerInfo,
): BrokerInfo {
  return { kind, urls, tls, version, pid, classpath, java, ...(javac ? { javac } : {}) };
}

/** Without a broker its tests are skipped; continuous integration must not pass like that. */
function without(kind: BrokerKind, reason: string): void {
  print(reason);
  if (Deno.env.get("CI") === "true") fail("deno", `${kind} for the tests`, reason);
  reasons[kind] = reason.split("\n")[0]!;
}

async function runOn(runtime: Runtime): Promise<void> {
  const found = findRuntime(runtime);
  if (typeof found === "string") return fail(runtime, `find ${runtime}`, found);
  print(`\n== ${runtime} ${found.version}`);
  const files = runtime === "deno" ? denoTests() : sharedTests();
  if (runtime === "node" || resultsFile) {
    // One process a file: a file that leaves something open can be told, and ended; and results tell their file.
    for (const file of files) await runner(found, [file], 15 * MINUTES);
  } else {
    await runner(found, files, 40 * MINUTES);
  }
  if (runtime === "deno") await runner(found, documented(), 15 * MINUTES, ["--doc"]);
}

async function runner(
  found: Found,
  files: string[],
  deadline: number,
  options: string[] = [],
): Promise<void> {
  if (files.length === 0) return;
  const { runtime } = found;
  const report = `${reports}/${crypto.randomUUID()}.xml`;
  const scanner = new LeakScanner();
  const { code, late } = await tethered(command(found, files, report, options), deadline, {
    env: environment(),
    output: (piece) => scanner.push(piece),
  });
  const xml = exists(report) ? await Deno.readTextFile(report) : "";
  scanner.push(new TextEncoder().encode(xml));
  const cases = parseJunit(xml);
  // Bun reports tests that the filter leaves out as skipped.
  const own = cases.filter(({ name }) => !filter || filter.test(name));
  const file = files.length === 1 ? { file: files[0]! } : {};
  results.push(...own.map((test) => ({ ...test, runtime, ...file })));
  const where = files.length === 1 ? files[0]! : options.length > 0 ? "the examples" : "the tests";
  if (scanner.found > 0) {
    const message = `${scanner.found} times, first behind: ${scanner.first}`;
    fail(runtime, `${where} write no password`, message);
  }
  if (late) {
    fail(runtime, where, `did not end within ${deadline / MINUTES} minutes`);
  } else if (code !== 0 && !own.some(({ outcome }) => outcome === "failed")) {
    // To have left out every test by a filter is no failure.
    if (filter && own.length === 0 && cases.length > 0) return;
    fail(runtime, where, `${runtime} ended with code ${code}`);
  }
}

function command(
  { runtime, command }: Found,
  files: string[],
  report: string,
  options: string[],
): string[] {
  switch (runtime) {
    case "deno": {
      const only = filter ? [`--filter=/${filter.source}/`] : [];
      const watch = options.length > 0 ? [] : [`--preload=${LEAK_WATCH}`];
      const junit = `--junit-path=${report}`;
      return [command, "test", "-A", ...watch, ...options, junit, ...only, ...files];
    }
    case "bun": {
      const only = filter ? ["--test-name-pattern", filter.source] : [];
      const junit = ["--reporter=junit", `--reporter-outfile=${report}`];
      const watch = ["--preload", LEAK_WATCH];
      return [command, "test", ...watch, ...junit, ...only, ...files.map((file) => `./${file}`)];
    }
    case "node": {
      const only = filter ? [`--test-name-pattern=${filter.source}`] : [];
      return [
        command,
        "--import=./tests/node_register.mjs",
        `--import=${LEAK_WATCH}`,
        "--test",
        "--test-isolation=none",
        "--test-reporter=spec",
        "--test-reporter-destination=stdout",
        "--test-reporter=junit",
        `--test-reporter-destination=${report}`,
        ...only,
        ...files,
      ];
    }
  }
}

function denoTests(): string[] {
  const wanted = paths.length > 0 ? paths.filter((path) => /^tests(\/|$)/.test(path)) : ["tests"];
  if (!resultsFile) return wanted;
  return wanted.flatMap((path) => Deno.statSync(path).isFile ? [path] : [...walk(path)])
    .filter((path) => path.endsWith("_test.ts")).sort();
}

function documented(): string[] {
  if (paths.length === 0) return DOCUMENTED.filter(exists);
  return paths.filter((path) =>
    DOCUMENTED.some((one) => path === one || path.startsWith(`${one}/`))
  );
}

function sharedTests(): string[] {
  return SHARED.filter(exists).flatMap((folder) => [...walk(folder)])
    .filter((file) => file.endsWith("_test.ts") && !file.endsWith("_deno_test.ts"))
    .filter((file) =>
      paths.length === 0 || paths.some((path) => file === path || file.startsWith(`${path}/`))
    )
    .sort();
}

function* walk(folder: string): Generator<string> {
  for (const entry of Deno.readDirSync(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* walk(path);
    else yield path;
  }
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** A path of the command line, seen from the root of the tree; empty for the root itself. */
function relative(path: string): string {
  const top = Deno.realPathSync(root);
  const real = Deno.realPathSync(path);
  if (real === top) return "";
  if (!real.startsWith(`${top}/`)) usage(`${path} is not in the source tree`);
  return real.slice(top.length + 1);
}

function fail(runtime: Runtime, name: string, message: string): void {
  results.push({ runtime, name, outcome: "failed", message });
}

/** Prints the counts and what did not pass; `true` if the run is good. */
function summary(): boolean {
  const of = (outcome: TestCase["outcome"], all = results) =>
    all.filter((result) => result.outcome === outcome);
  const counts = (all = results) =>
    `${of("passed", all).length} passed, ${of("failed", all).length} failed, ${
      of("skipped", all).length
    } skipped`;

  for (const outcome of ["skipped", "failed"] as const) {
    const lines = new Map<string, Set<Runtime>>();
    for (const { runtime, name, message } of of(outcome)) {
      const line = message ? `${name}: ${message}` : name;
      lines.set(line, (lines.get(line) ?? new Set()).add(runtime));
    }
    if (lines.size > 0) print(`\n${outcome}:`);
    for (const [line, where] of lines) print(`  (${[...where].join(", ")}) ${line}`);
  }
  print("");
  for (const runtime of runtimes) {
    // Of one word before the colon: "deno: 1 passed, …" must not be taken for the last line.
    print(`on ${runtime}: ${counts(results.filter((result) => result.runtime === runtime))}`);
  }
  const ran = of("passed").length + of("failed").length;
  if (ran === 0) print("no test ran");
  print(counts());
  return of("failed").length === 0 && ran > 0;
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
