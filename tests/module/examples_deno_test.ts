/** The example that Deno runs from its URL. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { MemoryBroker } from "../../testing/mod.ts";
import { test } from "../_harness.ts";
import { testOnBrokers } from "../client/_brokers.ts";
import { inTemporaryFolder, type Outcome, run } from "./_program.ts";
import { serveTree } from "./_tree_server.ts";

/** Runs the script with an empty cache; it may use the network and nothing else. */
async function hello(...args: string[]): Promise<Outcome & { asked: string[] }> {
  await using tree = await serveTree();
  const outcome = await inTemporaryFolder((cwd) => {
    const options = ["--check", "--quiet", "--no-config", "--no-prompt", "--allow-net=127.0.0.1"];
    const allowed = `--allow-import=${new URL(tree.base).host}`;
    const script = `${tree.base}examples/hello.ts`;
    return run([Deno.execPath(), "run", ...options, allowed, script, ...args], {
      cwd,
      env: { DENO_DIR: `${cwd}/cache`, HOME: cwd, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
      deadline: 50_000,
    });
  });
  return { ...outcome, asked: [...tree.asked] };
}

testOnBrokers("the script by URL sends a message and receives it", async ({ url, name }) => {
  const { code, stdout, stderr, asked } = await hello(url, name);
  assertEquals([code, stderr], [0, ""]);
  const [connected, sent, received] = stdout.split("\n");
  assertMatch(connected!, /^Connected to 127\.0\.0\.1:\d+ \((ActiveMQ .+|openwire .+)\)$/);
  assertMatch(sent!, /^Sent ID:\S+: confirmed$/);
  assertEquals(received, `Received "hello" from Deno`);
  assert(!asked.some((path) => path.startsWith("testing/")));
}, { timeout: 60_000 });

test("the script by URL says what is wrong", async () => {
  await using memory = await MemoryBroker.listen({ users: { app: "secret" } });
  const { code, stdout, stderr } = await hello(`${memory.url}?jms.userName=app&jms.password=no`);
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, /^SECURITY: Cannot connect to 127\.0\.0\.1:\d+: .+\n$/);
}, { timeout: 60_000 });
