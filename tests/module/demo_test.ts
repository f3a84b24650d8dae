/** The demo, as a process: what it prints, and how it ends. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { MemoryBroker } from "../../testing/mod.ts";
import { test } from "../_harness.ts";
import { SECRET } from "../_secret.ts";
import { broker, brokerSkip } from "../broker/env.ts";
import { type Outcome, run, runFile, type RunOptions } from "./_program.ts";

const DEMO = fileURLToPath(new URL("../../demo.ts", import.meta.url));

function demo(args: string[], options: RunOptions = {}): Promise<Outcome> {
  return run([...runFile(DEMO), ...args], options);
}

/** It must have sent and received `count` messages of `size` bytes. */
function assertDone({ code, stdout, stderr }: Outcome, count: string, size: string): void {
  assertEquals([code, stderr], [0, ""], stdout);
  assertStringIncludes(stdout, "Sent 12 persistent messages and received them back equal");
  assertMatch(stdout, new RegExp(`Sending ${count} (non-)?persistent messages of ${size} bytes`));
  assertMatch(stdout, new RegExp(`100%  sent ${count}  received ${count}\n`));
  for (const done of ["sent", "received"]) {
    assertMatch(stdout, new RegExp(`  ${done} +${count} in [\\d.]+ s: [\\d,]+ messages/s, `));
  }
  assertMatch(stdout, /\nClosed the connection\n$/);
}

test("the demo starts a broker in memory when it is given none", async () => {
  const outcome = await demo(["--count=1200", "--size=100"]);
  assertDone(outcome, "1,200", "100");
  assertMatch(outcome.stdout, /^Started a broker in memory, in this process, at tcp:\/\/127\.0\./);
  assertStringIncludes(outcome.stdout, "named memory");
  assertStringIncludes(outcome.stdout, "OpenWire 12, loose, cache of 1024, frames up to 104,857,");
});

test("the demo does what its options say", async () => {
  await using memory = await MemoryBroker.listen({ users: { app: SECRET }, brokerName: "b" });
  const options = "--count=5 --size=4 --persistent --tight --no-cache --version=9".split(" ");
  const outcome = await demo([memory.url, "--username=app", `--password=${SECRET}`, ...options]);
  assertDone(outcome, "5", "4");
  assertStringIncludes(outcome.stdout, "Sending 5 persistent messages");
  assertStringIncludes(outcome.stdout, "OpenWire 9, tight, no cache");
  assertStringIncludes(outcome.stdout, "named b");
});

test("the demo runs against ActiveMQ", async () => {
  const { version, urls } = broker!;
  const outcome = await demo([urls.openwire, "--count=1000", "--tight"]);
  assertDone(outcome, "1,000", "1,024");
  assertStringIncludes(outcome.stdout, `ActiveMQ ${version}, named openwire-test`);
  assertStringIncludes(outcome.stdout, "OpenWire 12, tight, cache of 1024");
  assertDone(
    await demo([
      urls.plain!,
      "--count=10",
      "--persistent",
      "--username=app",
      `--password=${SECRET}`,
    ]),
    "10",
    "1,024",
  );
}, { skip: brokerSkip });

/** It must have said what is wrong, in so many lines and without a stack trace. */
function assertRefused({ code, stdout, stderr }: Outcome, lines: RegExp[]): void {
  assertEquals([code, stdout], [1, ""], stderr);
  const said = stderr.trimEnd().split("\n");
  assertEquals(said.length, lines.length, stderr);
  lines.forEach((line, i) => assertMatch(said[i]!, line));
}

test("the demo says what is wrong with its options", async () => {
  const help = /^--help lists the options$/;
  assertRefused(await demo(["--colour"]), [/^Unknown option '--colour'$/, help]);
  assertRefused(await demo(["--count=many"]), [/^--count is an integer from 1 .* "many"$/, help]);
  assertRefused(await demo(["--size=3"]), [/^--size is an integer from 4 to /, help]);
  assertRefused(await demo(["--version=13"]), [/^--version is an integer from 1 to 12/, help]);
  assertRefused(await demo(["tcp://a", "tcp://b"]), [/^one URL is expected/, help]);
  assertRefused(await demo(["http://localhost"]), [/^Cannot connect to a "http:" URL/]);
  const { code, stdout } = await demo(["--help"]);
  assertEquals(code, 0);
  assertStringIncludes(stdout, "--no-cache");
});

test("the demo says that nobody listens", async () => {
  const memory = await MemoryBroker.listen();
  const { url } = memory;
  await memory.close();
  const refused = /^Cannot connect to tcp:\/\/127\.0\.0\.1:\d+: connection refused$/;
  assertRefused(await demo([url]), [refused, /^Is a broker running there\?/]);
});

const credentials = [/password/i, /^Give other --username and --password$/];

test("the demo says that the broker refuses the password", async () => {
  await using memory = await MemoryBroker.listen({ users: { app: SECRET } });
  assertRefused(await demo([memory.url, "--username=app", "--password=wrong"]), credentials);
  assertRefused(await demo([memory.url]), credentials);
});

test("the demo says that ActiveMQ refuses the password", async () => {
  const outcome = await demo([broker!.urls.openwire, "--username=system", `--password=${SECRET}`]);
  assertRefused(outcome, credentials);
}, { skip: brokerSkip });

test("the demo says that a port speaks something else", async () => {
  // ActiveMQ's STOMP waits for more, and says nothing.
  const outcome = await demo([broker!.urls.stomp!, "--timeout=1"]);
  assertRefused(outcome, [
    /^Cannot connect: .* may speak something else than OpenWire, took longer/,
  ]);
}, { skip: brokerSkip || (broker!.urls.stomp ? false : "the broker has no STOMP") });

test("the demo closes its connection when it is interrupted", async () => {
  await using memory = await MemoryBroker.listen();
  let interrupted = false;
  const { code, stdout, stderr } = await demo([memory.url, "--count=100000000"], {
    onOutput: (stdout, pid) => {
      if (interrupted || !stdout.includes("Sending")) return;
      interrupted = true;
      process.kill(pid, "SIGINT");
    },
  });
  assertEquals([code, stderr], [130, ""]);
  assertMatch(stdout, /\nInterrupted: the connection is closed\n$/);
  await memory.until(() => memory.connections === 0);
});
