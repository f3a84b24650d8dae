/** The runtimes that the tests run on. */
import process from "node:process";
import { run } from "./broker/command.ts";
import versions from "./runtimes.json" with { type: "json" };

/** One of them. */
export type Runtime = "deno" | "bun" | "node";

/** All of them. */
export const RUNTIMES: readonly Runtime[] = ["deno", "bun", "node"];

/** A runtime that can be started. */
export interface Found {
  runtime: Runtime;
  command: string;
  version: string;
}

const NEEDED: Record<Runtime, { minimum: string; npx: string[] }> = {
  deno: { minimum: "2.0", npx: ["npx", "--yes", `deno@${versions.deno}`] },
  bun: { minimum: "1.4", npx: ["npx", "--yes", `bun@${versions.bun}`] },
  node: { minimum: "24.0", npx: ["npx", "--yes", "-p", `node@${versions.node}`, "node"] },
};

/** This one, or the one on the PATH if it is new enough, or else the one that npm carries. */
export function findRuntime(runtime: Runtime): Found | string {
  const { minimum, npx } = NEEDED[runtime];
  const own = runtime === "deno" && "Deno" in globalThis;
  const there = own ? process.execPath : runtime;
  const version = versionOf(there);
  if (version && atLeast(version, minimum)) return { runtime, command: there, version };
  // The program itself and not npx, which would not pass on the signal that ends it.
  const command = output([...npx, ...PRINT_PATH[runtime]]);
  const carried = command && versionOf(command);
  if (!command || !carried) {
    return `no ${runtime} ${minimum} on the PATH, and \`${npx.join(" ")}\` failed`;
  }
  return { runtime, command, version: carried };
}

const PRINT_PATH: Record<Runtime, string[]> = {
  deno: ["eval", "console.log(Deno.execPath())"],
  bun: ["-p", "process.execPath"],
  node: ["-p", "process.execPath"],
};

/** Such as `24.1.0`; `deno --version` says more, in which it comes first. */
function versionOf(command: string): string | undefined {
  return /\d+\.\d+\.\d+/.exec(output([command, "--version"], "first") ?? "")?.[0];
}

function output(command: string[], line: "first" | "last" = "last"): string | undefined {
  const { status, stdout } = run(command, 5 * 60_000);
  return status === 0 ? stdout.trim().split("\n").at(line === "first" ? 0 : -1) : undefined;
}

function atLeast(version: string, minimum: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = minimum.split(".").map(Number);
  return major > wantedMajor || major === wantedMajor && minor >= wantedMinor;
}
