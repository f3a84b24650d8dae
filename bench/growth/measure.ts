// deno-lint-ignore-file no-console
/**
 * Measures one point in a process of its own, on Deno, Bun or Node, and prints what it found as one line of JSON:
 *
 * ```sh
 * measure.ts LOAD URL CONTROL_URL
 * ```
 *
 * The load goes to the first URL. What is not measured, such as filling the queues, goes through the other one, which may be
 * another connector of the same broker.
 */
import process from "node:process";
import { connect, type Connection, type MessageProducer, queue } from "../../mod.ts";
import {
  type Figures,
  type Load,
  type Measured,
  messageOf,
  type Operation,
  weightOf,
  wireFormatOf,
} from "./load.ts";

/** The broker keeps so much, of which it can hold 256 MiB, before it is taken away. */
const BATCH_BYTES = 40_000_000;
const BATCH_MESSAGES = 10_000;
/** An operation was measured enough, and before that is warm, after so many messages or microseconds of CPU time. */
const ENOUGH_MESSAGES = 40_000;
const ENOUGH_CPU = 1_000_000;
/** Calls of `send()` that are not waited for at the same time. */
const AT_ONCE = 100;
const MINUTE = 60_000;

const [load, url, controlUrl] = [
  JSON.parse(process.argv[2]!) as Load,
  process.argv[3]!,
  process.argv[4]!,
];
const times = { requestTimeout: MINUTE, sendTimeout: MINUTE };

/** Sums of what a measured part took. */
class Sums {
  count = 0;
  cpu = 0;
  time = 0;
  bytesSent = 0;
  bytesReceived = 0;

  async add(count: number, connections: readonly Connection[], part: () => Promise<void>) {
    const before = traffic(connections);
    const cpu = process.cpuUsage();
    const start = performance.now();
    await part();
    const time = (performance.now() - start) * 1000;
    // The last acknowledgements leave after the turn in which the last message was handled.
    await new Promise((resolve) => setTimeout(resolve, 5));
    const { user, system } = process.cpuUsage(cpu);
    const after = traffic(connections);
    this.count += count;
    this.cpu += user + system;
    this.time += time;
    this.bytesSent += after.sent - before.sent;
    this.bytesReceived += after.received - before.received;
  }

  get enough(): boolean {
    return this.count >= ENOUGH_MESSAGES || this.cpu >= ENOUGH_CPU;
  }

  get means(): Figures {
    const { count, cpu, time, bytesSent, bytesReceived } = this;
    return {
      cpu: cpu / count,
      time: time / count,
      bytesSent: bytesSent / count,
      bytesReceived: bytesReceived / count,
    };
  }
}

const names = `growth.${process.pid}`;
const sinks = Array.from({ length: load.destinations }, (_, i) => queue(`${names}.out.${i}`));
const sources = Array.from({ length: load.destinations }, (_, i) => queue(`${names}.in.${i}`));
const { body, properties } = messageOf(load.message);
const batch = Math.max(
  3,
  Math.min(BATCH_MESSAGES, Math.floor(BATCH_BYTES / weightOf(load.message))),
);

const measured: Measured = {};
const wants = (operation: Operation) => load.operations.includes(operation);
const control = await connect(controlUrl, { ...times, wireFormat: { cacheEnabled: false } });
const connections = await open();
if (wants("send")) measured.send = await measureSending();
if (wants("receive")) measured.receive = await measureReceiving();
await Promise.all(connections.map((connection) => connection.close()));
for (const source of sources) await control.deleteDestination(source);
await control.close();
console.log(JSON.stringify(measured));

/** Opens the connections, one after another. */
async function open(): Promise<Connection[]> {
  const options = { ...times, wireFormat: wireFormatOf(load.encoding) };
  // What the first ones cost is the program, not the connections.
  for (let i = 0; i < 20; i++) await (await connect(url, options)).close();
  collectGarbage();
  const { rss } = process.memoryUsage();
  const sums = new Sums();
  const connections: Connection[] = [];
  await sums.add(load.connections, [], async () => {
    for (let i = 0; i < load.connections; i++) connections.push(await connect(url, options));
  });
  collectGarbage();
  if (wants("connect")) {
    const { cpu, time } = sums.means;
    const memory = (process.memoryUsage().rss - rss) / load.connections;
    measured.connect = { cpu, time, memory };
  }
  return connections;
}

/** Sends to queues that nobody reads, and deletes them. */
async function measureSending(): Promise<Figures> {
  const producers = await Promise.all(
    connections.map((connection) => connection.createProducer(null, { persistent: false })),
  );
  return await repeat(async (sums) => {
    await sums.add(batch, connections, () => sendAll(producers, sinks));
    await Promise.all(connections.map((connection) => connection.ping()));
    for (const sink of sinks) await control.deleteDestination(sink);
  });
}

/** Receives what one transaction has sent, from its commit on. */
async function measureReceiving(): Promise<Figures> {
  const session = await control.createSession({ acknowledgeMode: "transacted" });
  const producer = await session.createProducer(null, { persistent: false });
  let left = 0;
  let done = () => {};
  for (const connection of connections) {
    for (let i = 0; i < load.consumers * load.destinations; i++) {
      const source = sources[i % sources.length]!;
      const consumer = await connection.createConsumer(source, { prefetchSize: load.prefetch });
      consumer.consume((message) => {
        message.getBody();
        if (--left === 0) done();
      });
    }
  }
  return await repeat(async (sums) => {
    await sendAll([producer], sources);
    collectGarbage();
    await sums.add(batch, connections, async () => {
      const all = new Promise<void>((resolve) => done = resolve);
      left = batch;
      await session.commit();
      await all;
    });
    // The broker has taken all acknowledgements.
    await Promise.all(connections.map((connection) => connection.ping()));
  });
}

/** Until it is warm, then until it was measured enough. */
async function repeat(part: (sums: Sums) => Promise<void>): Promise<Figures> {
  const warm = new Sums();
  while (!warm.enough) await part(warm);
  const sums = new Sums();
  while (!sums.enough) await part(sums);
  return sums.means;
}

/** Sends a batch, spread over producers and destinations. */
async function sendAll(
  producers: readonly MessageProducer[],
  destinations: readonly ReturnType<typeof queue>[],
): Promise<void> {
  for (let i = 0; i < batch; i += AT_ONCE) {
    const sends = [];
    for (let k = i; k < Math.min(i + AT_ONCE, batch); k++) {
      const destination = destinations[k % destinations.length]!;
      sends.push(producers[k % producers.length]!.send(body, { destination, properties }));
    }
    await Promise.all(sends);
  }
}

function traffic(connections: readonly Connection[]): { sent: number; received: number } {
  let [sent, received] = [0, 0];
  for (const connection of connections) {
    const { bytesSent, bytesReceived } = connection.stats();
    sent += bytesSent;
    received += bytesReceived;
  }
  return { sent, received };
}

function collectGarbage(): void {
  const { gc, Bun } = globalThis as { gc?: () => void; Bun?: { gc(force: boolean): void } };
  if (Bun) Bun.gc(true);
  else gc?.();
}
