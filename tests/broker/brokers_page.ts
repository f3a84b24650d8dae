/**
 * Makes docs/brokers.md of what is known of the brokers: `deno task brokers:page`; with `--run` it runs the tests first, and
 * counts what passes.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { run } from "./command.ts";
import { countPassed, keepPassed, lastPassed, type TestResults } from "./results.ts";
import { CAPABILITIES, TESTED_BROKERS, type TestedBroker } from "./differences.ts";

const HEADINGS: Record<TestedBroker, string> = {
  memory: "in memory",
  activemq5: "ActiveMQ 5",
  activemq6: "ActiveMQ 6",
  artemis: "Artemis",
};

/** Where the page is. */
export const PAGE: URL = new URL("../../docs/brokers.md", import.meta.url);

/** The page. */
export function brokersPage(): string {
  const entries = Object.values(CAPABILITIES);
  const rows = entries.map((
    { title, missing },
  ) => [title, ...TESTED_BROKERS.map((broker) => missing[broker] ? "no" : "yes")]);
  const notes = entries.flatMap(({ title, missing }) =>
    TESTED_BROKERS.filter((broker) => missing[broker])
      .map((broker) => [title, HEADINGS[broker], missing[broker]!])
  );
  const { day, versions, areas } = lastPassed();
  const passed = Object.entries(areas).map((
    [area, counts],
  ) => [area, ...TESTED_BROKERS.map((broker) => String(counts[broker]))]);
  const titles = TESTED_BROKERS.map((broker) =>
    [HEADINGS[broker], broker === "memory" ? undefined : versions[broker]].filter(Boolean).join(" ")
  );
  return `# Brokers

The same program works with ActiveMQ 5, ActiveMQ 6, Artemis and the broker in memory.
\`connection.brokerKind\` tells which one it is, \`connection.capabilities\` what follows. What a broker
is known to ignore is refused with the code \`UNSUPPORTED\` ([errors](errors.md)).

## What was tried

One suite of tests runs against all of them. So many passed on ${day}, and none failed:

${table([["Tests of", ...titles], ...passed])}

Where there are fewer, the broker has not what the others would try.

## Differences

All that is in the other guides works on all of them, but for this:

${table([["", ...TESTED_BROKERS.map((broker) => HEADINGS[broker])], ...rows])}

## What is otherwise

${table([["What", "Broker", "There"], ...notes])}
`;
}

function table(rows: string[][]): string {
  const widths = rows[0]!.map((_, i) => Math.max(3, ...rows.map((row) => row[i]!.length)));
  const line = (row: string[]): string =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [line(rows[0]!), rule, ...rows.slice(1).map(line)].join("\n");
}

/** Runs the tests of the client on Deno against all brokers, and keeps the counts. */
function count(): void {
  const folder = mkdtempSync(join(tmpdir(), "openwire-results-"));
  try {
    const file = join(folder, "results.json");
    const root = fileURLToPath(new URL("../../", import.meta.url));
    const command = [process.execPath, "run", "-A", join(root, "tests/run.ts"), "--runtime=deno"];
    const folders = ["client", "interop", "module"].map((name) => join(root, "tests", name));
    const { status } = run([...command, `--results=${file}`, ...folders], 20 * 60_000);
    if (status !== 0) throw new Error("The tests failed: run them by `deno task test`");
    const { versions, results }: TestResults = JSON.parse(readFileSync(file, "utf8"));
    const day = new Date().toISOString().slice(0, 10);
    keepPassed({ day, versions, areas: countPassed(results) });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (import.meta.main) {
  if (process.argv.includes("--run")) count();
  writeFileSync(PAGE, brokersPage());
}
