/** `deno task check`: everything that can be said about the source without running it. */
import config from "../deno.json" with { type: "json" };
import { tethered } from "./broker/tether.ts";

const deno = Deno.execPath();
const STEPS: [string, string[]][] = [
  ["format", [deno, "fmt", "--check"]],
  ["lint", [deno, "lint"]],
  ["types, by Deno", [deno, "check", "."]],
  // The same files have to type-check where Deno's own types are not there.
  ["types, by tsc for Bun", [deno, "run", "-A", "npm:typescript@^5.9.0/tsc", "-p", "."]],
  ["documentation", [deno, "doc", "--lint", ...Object.values(config.exports)]],
  ["generated code", [deno, "task", "generate:check"]],
  ["package", [deno, "publish", "--dry-run", "--allow-dirty"]],
];

const failed: string[] = [];
for (const [name, command] of STEPS) {
  print(`== ${name}`);
  const { code } = await tethered(command, 5 * 60_000);
  if (code !== 0) failed.push(name);
}
print(failed.length === 0 ? "All checks pass" : `Failed: ${failed.join("; ")}`);
Deno.exit(failed.length === 0 ? 0 : 1);

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
