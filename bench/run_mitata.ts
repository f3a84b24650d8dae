/**
 * The benchmarks on Bun and Node, where there is no `deno bench`:
 *
 * ```sh
 * bun bench/run_mitata.ts [encode] [decode] [stream] [--filter=PART OF A NAME]
 * ```
 *
 * It takes mitata from `node_modules`, where `deno install` puts it.
 */
import process from "node:process";
import { run } from "mitata";

const FILES = ["encode", "decode", "stream"];

const options = process.argv.slice(2);
const filter = options.find((option) => option.startsWith("--filter="))?.slice("--filter=".length);
const asked = options.filter((option) => !option.startsWith("--"));
for (const name of asked) {
  if (!FILES.includes(name)) throw new Error(`${name} is none of ${FILES.join(", ")}`);
}
for (const name of asked.length > 0 ? asked : FILES) await import(`./${name}_bench.ts`);
await run(filter === undefined ? {} : { filter: new RegExp(RegExp.escape(filter)) });
