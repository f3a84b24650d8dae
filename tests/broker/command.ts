/** Commands that are run to their end. */
import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { join } from "node:path";
import process from "node:process";

const MINUTES = 60_000;

/** Runs a command to its end. */
export function run(
  [command, ...args]: string[],
  timeout: number,
  env: Record<string, string> = {},
): SpawnSyncReturns<string> {
  return spawnSync(command!, args, {
    encoding: "utf8",
    timeout,
    maxBuffer: 2 ** 28,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
}

/** What a command said last, or what went wrong with it. */
export function lastLine({ error, stderr, stdout }: SpawnSyncReturns<string>): string {
  const lines = `${stdout ?? ""}\n${stderr ?? ""}`.split("\n").filter((line) => line.trim());
  // Maven's last lines are advice: its first error says what happened.
  return lines.find((line) => line.includes("ERROR")) ?? lines.at(-1) ?? String(error);
}

/** The command of the Java tool `name`, or `undefined` when it does not run. */
export function javaTool(name: "java" | "javac"): string | undefined {
  const home = process.env.JAVA_HOME;
  const candidates = home ? [join(home, "bin", name), name] : [name];
  return candidates.find((command) => run([command, "-version"], MINUTES).status === 0);
}
