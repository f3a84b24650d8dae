/**
 * The tables of `docs/url-options.md`. `deno run tests/client/_url_options_page.ts` prints them as they should be; put them
 * there and run `deno fmt`.
 */

import { destinationOptions } from "../../client/url/destination_options.ts";
import { failoverOptions } from "../../client/url/failover_options.ts";
import { jmsOptions } from "../../client/url/jms_options.ts";
import type { OptionRow } from "../../client/url/option_table.ts";
import { transportOptions } from "../../client/url/transport_options.ts";

/** Rows of cells by the heading above them. */
export const tables: Record<string, string[][]> = {
  "One broker": transportOptions.rows.map(cells),
  "Several brokers": failoverOptions.rows.map(cells),
  "The connection": jmsOptions.rows.map(cells),
  "Destinations": destinationOptions.rows.map(cells),
};

const COLUMNS = ["Option", "Typed option", "Value", "Default", "What it does"];

function cells(row: OptionRow<object>): string[] {
  const name = [row.name, ...row.aliases].map((name) => `\`${name}\``).join(", ");
  switch (row.kind) {
    case "typed":
      return [name, `\`${typedName(row)}\``, row.expected, row.fallback, row.about];
    case "fixed":
      return [name, "", row.expected, row.fallback, `Can't be changed: ${row.about}.`];
    case "ignored":
      return [name, "", row.expected, "", `Makes no difference: ${row.about}.`];
    case "refused":
      return [name, "", "", "", `Refused: ${row.about}.`];
  }
}

/** Name of the typed option, from what one of these values becomes. */
function typedName(row: OptionRow<object>): string {
  for (const value of ["false", "1", "1024", "x"]) {
    const names = leaves(row.read(value) ?? {});
    if (names.length > 0) return names.join(", ");
  }
  throw new Error(`${row.name} takes none of the values`);
}

function leaves(options: object): string[] {
  return Object.entries(options).flatMap(([name, value]) =>
    typeof value === "object" ? leaves(value).map((leaf) => `${name}.${leaf}`) : [name]
  );
}

if (import.meta.main) {
  for (const [heading, rows] of Object.entries(tables)) {
    const lines = [COLUMNS, COLUMNS.map(() => "---"), ...rows].map((row) =>
      `| ${row.join(" | ")} |`
    );
    // deno-lint-ignore no-console -- it is what it is for
    console.log(`## ${heading}\n\n${lines.join("\n")}\n`);
  }
}
