// deno-lint-ignore-file no-console -- it is a program
/**
 * `deno run -A tests/faults/soak/main.ts [--cycles=100000] [--messages=1000000] [--fault=10000] [--url=URL]`, or the same with
 * `bun` or `node`: opens and closes each kind of thing so many times, sends so many messages while the connection breaks
 * every so many milliseconds, and prints what is left of it. Without a URL the broker is one in memory, in a process of its
 * own.
 *
 * It ends by itself: a timer or socket that is left keeps it from that. The last line is `N passed, N failed`.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { FaultProxy } from "../proxy/fault_proxy.ts";
import { soakMessages } from "./messages.ts";
import { soak } from "./soak.ts";

const options = { cycles: 100_000, messages: 1_000_000, fault: 10_000, url: "" };
for (const arg of process.argv.slice(2)) {
  const [, name, value] = /^--(cycles|messages|fault|url)=(.+)$/.exec(arg) ?? [];
  if (name === "url") options.url = value!;
  else if (name && Number(value) >= 0) options[name as "cycles"] = Number(value);
  else {
    console.log(
      `Unknown argument ${arg}\nsoak [--cycles=N] [--messages=N] [--fault=MS] [--url=URL]`,
    );
    process.exit(2);
  }
}
let passed = 0, failed = 0;

const broker = options.url ? await proxied(options.url) : await started();
try {
  if (options.cycles > 0) {
    await soak(broker.url, options.cycles, (figures) => {
      const { name, cycles, perSecond, tracked, held, listeners, open } = figures;
      tell(
        [
          `${name}: ${cycles} times, ${perSecond} a second`,
          `of ${tracked} objects ${held} are held`,
          `open ${JSON.stringify(open)}`,
          `${listeners} listeners`,
          growth(figures),
        ],
        // Bun's collector looks at its stack for what might be a reference.
        Object.keys(open).length === 0 && listeners === 0 && held <= tracked / 50,
      );
    });
  }
  if (options.messages > 0) {
    const figures = await soakMessages(broker.faulty, options.messages);
    const { messages, perSecond, reconnections, lost, repeated, unmarked, open } = figures;
    tell(
      [
        `messages: ${messages}, ${perSecond} a second, ${reconnections} reconnections`,
        `${lost} lost, ${repeated} repeated, ${unmarked} of them unmarked`,
        `failed ${JSON.stringify(figures.failed)}`,
        `open ${JSON.stringify(open)}`,
        growth(figures),
      ],
      lost === 0 && unmarked === 0 && Object.keys(open).length === 0,
    );
  }
} finally {
  await broker.stop();
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function tell(lines: string[], good: boolean): void {
  if (good) passed++;
  else failed++;
  console.log(`${good ? "" : "FAILED "}${lines.join("; ")}`);
}

function growth(
  { rssSlope, heapSlope, rss }: { rssSlope: number; heapSlope: number; rss: number },
): string {
  return `growth each ${rssSlope.toFixed(1)} bytes of the process, ${
    heapSlope.toFixed(1)
  } of the heap, at the end ${Math.round(rss / 2 ** 20)} MiB`;
}

interface SoakBroker {
  readonly url: string;
  /** Where connections break now and then. */
  readonly faulty: string;
  stop(): Promise<void>;
}

/** Starts a broker in a process of its own. */
async function started(): Promise<SoakBroker> {
  const program = fileURLToPath(new URL("broker_program.ts", import.meta.url));
  const run = "Deno" in globalThis ? ["run", "-A"] : [];
  const child = spawn(process.execPath, [...run, program, String(options.fault)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const gone = once(child, "exit");
  child.stdout!.setEncoding("utf8");
  let said = "";
  while (!said.includes("\n")) said += (await once(child.stdout!, "data"))[0];
  return {
    ...JSON.parse(said),
    async stop() {
      child.stdin!.end();
      await gone;
    },
  };
}

/** A broker that runs elsewhere. */
async function proxied(url: string): Promise<SoakBroker> {
  const proxy = await FaultProxy.listen(url);
  const timer = proxy.breakEvery(options.fault);
  return {
    url,
    faulty: proxy.url,
    async stop() {
      clearInterval(timer);
      await proxy[Symbol.asyncDispose]();
    },
  };
}
