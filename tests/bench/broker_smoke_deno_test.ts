import { assertEquals } from "@std/assert";
import { test } from "../_harness.ts";
import { broker, brokerSkip } from "../broker/env.ts";

const skip = brokerSkip || (broker?.javac ? false : "no javac command");

test("the benchmark with a broker does all workloads with our client and with Java's", async () => {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "bench/broker/main.ts", "--smoke"],
    cwd: new URL("../../", import.meta.url),
    signal: AbortSignal.timeout(80_000),
  }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  const table = new TextDecoder().decode(stdout).split("\n");
  assertEquals(table.filter((line) => /^\S+-\S+ +java /.test(line)).length, 20);
  assertEquals(table.filter((line) => /^\S+-\S+ +deno /.test(line)).length, 21);
}, { skip, timeout: 90_000 });
