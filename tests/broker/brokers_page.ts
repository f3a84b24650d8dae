/**
 * Makes docs/brokers.md of what is known of the brokers. With the results of a run it counts what passed, too:
 *
 * ```sh
 * deno task test --runtime=deno --results=results.json tests/client tests/interop tests/module
 * deno task brokers:page results.json
 * ```
 */
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
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
  const titles = TESTED_BROKERS.map((broker) => {
    const version = broker === "memory" ? undefined : versions[broker];
    return version ? `${HEADINGS[broker].replace(/ \d$/, "")} ${version}` : HEADINGS[broker];
  });
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

if (import.meta.main) {
  const [file] = process.argv.slice(2);
  if (file !== undefined) {
    const { versions, results }: TestResults = JSON.parse(readFileSync(file, "utf8"));
    const day = new Date().toISOString().slice(0, 10);
    keepPassed({ day, versions, areas: countPassed(results) });
  }
  writeFileSync(PAGE, brokersPage());
}
