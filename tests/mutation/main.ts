// deno-lint-ignore-file no-console -- printing is what it is for
/**
 * Changes source files in small ways, runs tests against each change, and lists the changes that no test notices.
 *
 * ```sh
 * deno task mutate codec/primitive_map.ts                               # with tests/codec/primitive_map_test.ts
 * deno task mutate client/fifo.ts --tests=tests/client/iterators_test.ts
 * ```
 *
 * Stryker makes the changes in a copy of the tree and switches one on for each run of the tests, on Deno and without real
 * brokers. The full report stays in `mutation.json`.
 */

import { parseArgs } from "node:util";
import { basename, dirname } from "node:path";

const STRYKER = "@stryker-mutator/core@9.6.1";

const { positionals: files, values } = parseArgs({
  args: Deno.args,
  allowPositionals: true,
  options: {
    tests: { type: "string", multiple: true, default: [] },
    timeout: { type: "string", default: "30000" },
  },
});
if (files.length === 0) {
  console.error("usage: deno task mutate FILE… [--tests=FILE]… [--timeout=MILLISECONDS]");
  Deno.exit(2);
}
const tests = values.tests.length > 0 ? values.tests : [...new Set(files.map(testOf))];
for (const path of [...files, ...tests]) {
  if (exists(path)) continue;
  console.error(`There is no ${path}: say with --tests= which tests to run`);
  Deno.exit(2);
}

const folder = Deno.makeTempDirSync({ prefix: "openwire-mutation-" });
try {
  const config = `${folder}/stryker.json`;
  await Deno.writeTextFile(config, JSON.stringify(configuration()));
  const { code } = await new Deno.Command("npx", {
    args: ["--yes", "-p", STRYKER, "stryker", "run", config],
    env: { NO_COLOR: "1" },
  }).spawn().status;
  Deno.exitCode = code;
} finally {
  Deno.removeSync(folder, { recursive: true });
}

function configuration(): Record<string, unknown> {
  return {
    mutate: files,
    testRunner: "command",
    // Types are stripped, so that a change that does not compile runs, too.
    commandRunner: {
      command: `${Deno.execPath()} test -A --no-check --quiet ${tests.join(" ")}`,
    },
    // Its own one would need TypeScript.
    tsconfigFile: "none.json",
    ignorePatterns: ["docs", "bench", "tests/testdata"],
    tempDirName: ".stryker-tmp",
    concurrency: 1,
    timeoutMS: Number(values.timeout),
    reporters: ["clear-text", "json"],
    clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
    jsonReporter: { fileName: "mutation.json" },
  };
}

/** The tests of a file, by its name. */
function testOf(file: string): string {
  const [folder] = dirname(file).split("/");
  return `tests/${folder}/${basename(file, ".ts")}_test.ts`;
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
