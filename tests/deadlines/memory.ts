/**
 * Measures the memory of a client that gets more than it can take, and of one that sends more than is taken.
 *
 * ```sh
 * deno run -A tests/deadlines/memory.ts [activemq5|activemq6|artemis] [--messages=8000] [--bytes=100000]
 * bun tests/deadlines/memory.ts …
 * node --import ./tests/node_register.mjs tests/deadlines/memory.ts …
 * ```
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { connect, type Connection } from "../../mod.ts";
import { BROKER_KINDS } from "../broker/kinds.ts";
import { startActiveMq } from "../broker/launcher.ts";
import { provision } from "../broker/provision.ts";
import { runtime } from "../_harness.ts";
import { outcomeOf } from "./_outcomes.ts";
import { Relay } from "./_relay.ts";

const QUEUE = "memory";
const MB = 1e6;

/** What is watched while something is done. */
interface Watched {
  /** Bytes of the process at the beginning. */
  readonly before: number;
  /** Of each sample, in their order. */
  readonly rss: number[];
  readonly buffered: number[];
}

/** The number behind `--name=`. */
function option(name: string, fallback: number): number {
  const given = process.argv.find((arg) => arg.startsWith(`--${name}=`));
  return given ? Number(given.slice(name.length + 3)) : fallback;
}

/** Watches the memory of this process while something is done. */
async function watch(connection: Connection, work: () => Promise<void>): Promise<Watched> {
  (globalThis as { gc?: () => void }).gc?.();
  const watched: Watched = { before: process.memoryUsage().rss, rss: [], buffered: [] };
  const sample = (): void => {
    watched.rss.push(process.memoryUsage().rss);
    watched.buffered.push(connection.stats().bufferedBytes);
  };
  const timer = setInterval(sample, 50);
  await work();
  clearInterval(timer);
  sample();
  return watched;
}

function tell(what: string, { before, rss, buffered }: Watched, more = ""): void {
  const quarter = (n: number): number[] =>
    rss.slice(Math.floor(rss.length * n / 4), Math.ceil(rss.length * (n + 1) / 4));
  const most = (values: number[]): string => `${Math.round(Math.max(...values) / MB)} MB`;
  const quarters = [0, 1, 2, 3].map((n) => most(quarter(n))).join(", ");
  process.stdout.write(
    `${runtime} ${what}: RSS ${most([before])} before, then by quarters ${quarters}; ` +
      `most buffered ${most(buffered)}${more}\n`,
  );
}

async function fill(url: string, messages: number, bytes: number): Promise<void> {
  await using connection = await connect(url);
  const { writable } = await connection.createProducer(QUEUE);
  const writer = writable.getWriter();
  const body = new Uint8Array(bytes).map((_, n) => n * 7);
  for (let n = 0; n < messages; n++) {
    await writer.ready;
    writer.write(body).catch(() => {});
  }
  await writer.close();
}

/** Fills the queue in another process, so that its garbage is not ours. */
async function fillElsewhere(url: string): Promise<void> {
  const script = fileURLToPath(import.meta.url);
  const run = runtime === "deno" ? ["run", "-A"] : process.execArgv;
  const args = [...run, script, `--fill=${url}`, ...process.argv.slice(2)];
  const child = spawn(process.execPath, args, { stdio: "inherit" });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`Filling ended with ${code}`);
}

/** A consumer that nobody reads. */
async function unread(url: string): Promise<void> {
  await using connection = await connect(url);
  const watched = await watch(connection, async () => {
    await connection.createConsumer(QUEUE);
    await new Promise((resolve) => setTimeout(resolve, 3000));
  });
  tell("consumer that nobody reads", watched);
}

/** A consumer that is slower than the broker. */
async function slow(url: string, messages: number): Promise<void> {
  await using connection = await connect(url);
  let count = 0;
  const pause = Math.max(10, Math.floor(messages / 10_000));
  const watched = await watch(connection, async () => {
    const consumer = await connection.createConsumer(QUEUE);
    const done = Promise.withResolvers<void>();
    consumer.consume(async () => {
      if (++count % pause === 0) await new Promise((resolve) => setTimeout(resolve, 2));
      if (count === messages) done.resolve();
    }).catch(done.reject);
    await done.promise;
  });
  tell("slow consumer", watched, `, ${count} messages`);
}

/** Messages to a broker that takes none. */
async function flood(url: string, bytes: number, wait: boolean): Promise<void> {
  await using relay = await Relay.open(url);
  const connection = await connect(relay.url);
  const producer = await connection.createProducer("flood", { persistent: false });
  relay.freeze();
  const found = new Map<string, number>();
  const sends: Promise<void>[] = [];
  const watched = await watch(connection, async () => {
    const body = new Uint8Array(bytes);
    for (let n = 0; n < (wait ? 100 : 20_000); n++) {
      const outcome = outcomeOf(producer.send(body.slice(), { timeout: wait ? 50 : 3000 }))
        .then((outcome) => void found.set(outcome, (found.get(outcome) ?? 0) + 1));
      if (wait) await outcome;
      else sends.push(outcome);
      if (n % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await Promise.all(sends);
  });
  connection.abort();
  await connection.closed;
  const outcomes = [...found].map(([outcome, count]) => `${count} ${outcome}`).join(", ");
  tell(`flood of sends, ${wait ? "awaited" : "not awaited"}`, watched, `; ${outcomes}`);
}

const messages = option("messages", 8000);
const bytes = option("bytes", 100_000);
const filling = process.argv.find((arg) => arg.startsWith("--fill="));
if (filling) {
  await fill(filling.slice("--fill=".length), messages, bytes);
} else {
  const kind = BROKER_KINDS.find((name) => process.argv.includes(name)) ?? "activemq5";
  await using broker = await startActiveMq({ persistent: true, heap: "2g" }, provision(kind));
  const url = broker.urls.openwire;
  process.stdout.write(`${kind} ${broker.version}: ${messages} messages of ${bytes} bytes\n`);
  await fillElsewhere(url);
  await unread(url);
  await slow(url, messages);
  await flood(url, bytes, true);
  await flood(url, bytes, false);
}
