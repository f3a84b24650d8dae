/** Programs that import the module from a web server: nothing else is needed, and nothing else is asked for. */
import { assert, assertEquals } from "@std/assert";
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
} from "./_program.ts";
import { serveTree } from "./_tree_server.ts";

/** Runs a program, type-checked, with an empty cache and almost no environment. */
async function runFromServer(
  program: (base: string) => string,
  permissions: string[],
): Promise<Outcome & { asked: string[] }> {
  await using tree = await serveTree();
  const { base } = tree;
  const outcome = await inTemporaryFolder(async (cwd) => {
    const cache = `${cwd}/cache`;
    await Deno.mkdir(`${cwd}/work`);
    await Deno.writeTextFile(`${cwd}/work/program.ts`, program(base));
    const allowed = [`--allow-import=${new URL(base).host}`, ...permissions];
    const options = ["--check", "--quiet", "--no-config", "--no-prompt", ...allowed];
    return await run([Deno.execPath(), "run", ...options, "program.ts"], {
      cwd: `${cwd}/work`,
      env: { DENO_DIR: cache, HOME: cwd, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
      deadline: 50_000,
    });
  });
  return { ...outcome, asked: [...tree.asked].sort() };
}

test("a program that imports mod.ts by URL needs the network and nothing else", async () => {
  const urls = broker ? [broker.urls.openwire] : [];
  const { asked, ...outcome } = await runFromServer(
    (base) => clientProgram(base, urls),
    ["--allow-net=127.0.0.1"],
  );
  const stdout = clientLine("memory") + (broker ? clientLine("openwire-test") : "");
  assertEquals(outcome, { code: 0, stdout, stderr: "" });
  assert(asked.includes("client/mod.ts"));
  assertEquals(asked, [...new Set(asked)], "each file is asked for once");
  const folders = new Set(asked.map((path) => path.slice(0, path.indexOf("/") + 1)));
  assertEquals(folders, new Set(["", "client/", "codec/", "testing/", "transport/"]));
}, { timeout: 60_000 });

test("a program that imports codec/mod.ts by URL needs no permission", async () => {
  const { asked, ...outcome } = await runFromServer(codecProgram, []);
  assertEquals(outcome, { code: 0, stdout: codecLine, stderr: "" });
  assertEquals(
    asked.filter((path) => !path.startsWith("codec/")).sort(),
    ["errors.ts", "nearest_name.ts", "option_names.ts"],
  );
}, { timeout: 60_000 });
