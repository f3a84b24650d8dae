// deno-lint-ignore-file no-console -- it is a program
/**
 * `deno task ledger [--broker=activemq6,artemis] [--runtime=deno] [--minutes=3] [--seed=N] [--json=FILE] [--keep=FOLDER]
 * [--verbose]`: processes that send, receive and move, real brokers that are killed, networks that fail, and what of the
 * promises was kept. Several brokers run at the same time; several runtimes one after the other.
 *
 * The last line is `N passed, N failed`.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { TESTED_BROKERS, type TestedBroker } from "../../broker/differences.ts";
import { findRuntime, type Found, type Runtime, RUNTIMES } from "../../_runtimes.ts";
import { describeResult } from "./report.ts";
import { type LedgerResult, runLedger } from "./run_ledger.ts";

const MINUTE = 60_000;
const options = {
  brokers: ["activemq6", "artemis"] as TestedBroker[],
  runtimes: ["deno"] as Runtime[],
  minutes: 3,
  seed: Math.floor(Math.random() * 1e9),
  json: undefined as string | undefined,
  keep: undefined as string | undefined,
  verbose: false,
};
for (const arg of process.argv.slice(2)) {
  const [, name, value = ""] = /^--(\w+)(?:=(.+))?$/.exec(arg) ?? [];
  if (name === "broker") options.brokers = listOf(value, TESTED_BROKERS);
  else if (name === "runtime") options.runtimes = listOf(value, RUNTIMES);
  else if (name === "minutes") options.minutes = numberOf(arg, value);
  else if (name === "seed") options.seed = numberOf(arg, value);
  else if (name === "json") options.json = value;
  else if (name === "keep") options.keep = value;
  else if (name === "verbose") options.verbose = true;
  else usage(`Unknown argument ${arg}`);
}

const results: LedgerResult[] = [];
let failed = 0;
for (const name of options.runtimes) {
  const runtime = findRuntime(name);
  if (typeof runtime === "string") fail(runtime);
  else await Promise.all(options.brokers.map((broker) => run(broker, runtime)));
}
if (options.json) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
console.log(`${results.length} runs`);
console.log(`${results.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

async function run(
  broker: TestedBroker,
  runtime: Found,
): Promise<void> {
  const keep = options.keep && join(options.keep, `${broker}-${runtime.runtime}-${options.seed}`);
  if (keep) mkdirSync(keep, { recursive: true });
  const result = await runLedger({
    broker,
    runtime,
    time: options.minutes * MINUTE,
    seed: options.seed,
    keep,
    ...(options.verbose && { tell: (text) => console.log(`${broker} ${text}`) }),
  });
  if (typeof result === "string") return fail(result);
  results.push(result);
  if (result.verdict.violations.length > 0) failed++;
  console.log(describeResult(result));
}

function fail(reason: string): void {
  console.log(reason);
  failed++;
}

function listOf<T extends string>(value: string, known: readonly T[]): T[] {
  return value.split(",").map((name) =>
    known.find((one) => one === name) ?? usage(`${name} is none of ${known.join(", ")}`)
  );
}

function numberOf(arg: string, value: string): number {
  const number = Number(value);
  return value !== "" && number >= 0 ? number : usage(`A number is expected, got ${arg}`);
}

function usage(problem: string): never {
  console.log(
    `${problem}\nledger [--broker=${TESTED_BROKERS.join(",")}] [--runtime=${RUNTIMES.join(",")}] ` +
      "[--minutes=N] [--seed=N] [--json=FILE] [--keep=FOLDER] [--verbose]",
  );
  process.exit(2);
}
