/** Programs that import the module by its path, outside of its tree: without import map, package or configuration. */
import { assertEquals } from "@std/assert";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "../_harness.ts";
import { broker } from "../broker/env.ts";
import {
  clientLine,
  clientProgram,
  codecLine,
  codecProgram,
  inTemporaryFolder,
  type Outcome,
  run,
  runFile,
} from "./_program.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

function runText(program: string): Promise<Outcome> {
  return inTemporaryFolder(async (cwd) => {
    const file = join(cwd, "program.mts");
    writeFileSync(file, program);
    return await run(runFile(file), { cwd });
  });
}

test("a program that imports mod.ts by its path sends and receives", async () => {
  const urls = broker ? [broker.urls.openwire] : [];
  const stdout = clientLine("memory") + (broker ? clientLine("openwire-test") : "");
  assertEquals(await runText(clientProgram(ROOT, urls)), { code: 0, stdout, stderr: "" });
});

test("a program that imports codec/mod.ts by its path pipes bytes through it", async () => {
  assertEquals(await runText(codecProgram(ROOT)), { code: 0, stdout: codecLine, stderr: "" });
});
