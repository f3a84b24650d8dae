/** Makes docs/brokers.md of what is known of the brokers: `deno run -A tests/broker/brokers_page.ts`. */
import { writeFileSync } from "node:fs";
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
  return `# Brokers

The same program works with ActiveMQ 5, ActiveMQ 6, Artemis and the broker in memory.
\`connection.brokerKind\` tells which one it is, \`connection.capabilities\` what follows. What a broker
is known to ignore is refused with the code \`UNSUPPORTED\` ([errors](errors.md)).

All that is in the other guides works on all of them, but for this, which the tests have found. This
page is made of their data in \`tests/broker/differences.ts\`.

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

if (import.meta.main) writeFileSync(PAGE, brokersPage());
