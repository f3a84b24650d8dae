/** Finds the runtimes that the benchmarks run on. */

import versions from "../tests/runtimes.json" with { type: "json" };

/** A runtime of JavaScript. */
export type Runtime = "deno" | "bun" | "node";

/** All of them. */
export const RUNTIMES: readonly Runtime[] = ["deno", "bun", "node"];

const CARRIED = {
  bun: ["npx", "--yes", `bun@${versions.bun}`],
  node: ["npx", "--yes", "-p", `node@${versions.node}`, "node"],
};
const OLDEST = { bun: "1.1", node: "24.0" };

/** The program and its version: the one on the PATH if it is new enough, else the one that npm carries. */
export async function findRuntime(runtime: Runtime): Promise<{ program: string; version: string }> {
  if (runtime === "deno") return { program: Deno.execPath(), version: Deno.version.deno };
  const there = await output([runtime, "--version"]);
  if (there && atLeast(there, OLDEST[runtime])) return { program: runtime, version: bare(there) };
  // The program itself and not npx: it is the one to measure and to end.
  const program = await output([...CARRIED[runtime], "-p", "process.execPath"]);
  const version = program && await output([program, "--version"]);
  if (!version) {
    throw new Error(`No ${runtime}, neither on the PATH nor by ${CARRIED[runtime].join(" ")}`);
  }
  return { program, version: bare(version) };
}

async function output([command, ...args]: string[]): Promise<string | undefined> {
  try {
    const done = await new Deno.Command(command!, { args, stdin: "null", stderr: "null" }).output();
    return done.success
      ? new TextDecoder().decode(done.stdout).trim().split("\n").at(-1)
      : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function bare(version: string): string {
  return version.replace("v", "");
}

function atLeast(version: string, oldest: string): boolean {
  const [major = 0, minor = 0] = bare(version).split(".").map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = oldest.split(".").map(Number);
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}
