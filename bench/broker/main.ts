// deno-lint-ignore-file no-console
/**
 * Our client on Deno, Bun and Node against one real broker, beside others: Java's client, stompjs and stompit over STOMP,
 * and rhea over AMQP where the broker has that.
 *
 * ```sh
 * deno task bench:broker [--broker=activemq5] [--rounds=5] [--clients=deno,bun,java] [--workloads=produce-1k,consume-1k]
 *   [--quick | --smoke] [--fresh] [--json=FILE]
 * ```
 *
 * Each client has one process for the whole run, and they take turns with each workload within seconds, after a round
 * that does not count, so that all are warm; only the ratios mean something. What a reader takes was sent by another
 * process before, what a sender sends is counted by it afterwards: a wrong number is an error. Figures are medians over
 * the rounds. It shows who the limit is, so run nothing else meanwhile.
 *
 * With `--fresh` each turn is a process of its own, which does as much before as it is measured with: what a program costs
 * that has begun a moment ago, and not what a server costs that has run for long.
 */
import { delimiter } from "node:path";
import { fileURLToPath } from "node:url";
import { type RunningBroker, startActiveMq } from "../../tests/broker/launcher.ts";
import { type ActiveMq, provision } from "../../tests/broker/provision.ts";
import { findRuntime } from "../_runtimes.ts";
import { ClientProcess } from "./client_process.ts";
import { type Options, parseOptions, USAGE } from "./options.ts";
import { processCpuMicros } from "./process_cpu.ts";
import { barsOf, cellOf, formatBars, formatCells, type Sample, sumOf } from "./results.ts";
import { formatTask, parseTurn, type Task } from "./turns.ts";
import { BATCH, canDo, type Client, IN_FLIGHT, WINDOW, type Workload } from "./workloads.ts";

/** A turn that takes longer than this is no measurement any more. */
const DEADLINE = 60_000;

interface Row {
  readonly workload: Workload;
  readonly client: Client;
  readonly samples: Sample[];
}

let options: Options;
try {
  options = parseOptions(Deno.args);
} catch (error) {
  console.error(`${(error as Error).message}\n${USAGE}`);
  Deno.exit(2);
}

await using stack = new AsyncDisposableStack();
const scratch = await Deno.makeTempDir({ prefix: "openwire-bench-" });
stack.defer(() => Deno.remove(scratch, { recursive: true }));
const broker = stack.use(await startActiveMq({ persistent: true }, found(options.broker)));
const java = await compileJava();
console.log(`${options.broker} ${broker.version}, the Java client of ${java.version}`);

const helper = await start("java", "helper");
/** Those that the broker has a connector for. */
const able: Client[] = [];
const processes = new Map<Client, ClientProcess>();
/** Those whose version was printed. */
const told = new Set<Client>();
for (const client of options.clients) {
  if (urlOf(client) === undefined) {
    console.log(`Without ${client}: the broker has no such connector`);
  } else able.push(client);
}
if (!options.fresh) { for (const client of able) processes.set(client, await start(client)); }
for (const { kind, name } of options.workloads) {
  if (kind === "request") await helper.ask(line("echo", { queue: `bench.${name}` }), DEADLINE);
}

const rows: Row[] = options.workloads.flatMap((workload) =>
  able.filter((client) => canDo(client, workload))
    .map((client) => ({ workload, client, samples: [] }))
);
// The round that warms all up is of no use to those that begin anew.
for (let round = options.fresh ? 1 : 0; round <= options.rounds; round++) {
  const started = performance.now();
  for (const workload of options.workloads) {
    const all = rows.filter((row) => row.workload === workload);
    // Whose turn it is first changes, so that none always follows the same other.
    const turns = all.map((_, i) => all[(i + round) % all.length]!);
    for (const { client, samples } of turns) {
      const sample = await (options.fresh ? takeFresh : takeAll)(workload, client);
      if (round > 0) samples.push(sample);
    }
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.error(`Round ${round} of ${options.rounds} took ${seconds} s`);
}
report();

/** All passes of a client's turn. */
async function takeAll(workload: Workload, client: Client): Promise<Sample> {
  const passes: Sample[] = [];
  for (let i = 0; i < workload.passes; i++) passes.push(await take(workload, client));
  return sumOf(passes);
}

/** The same by a process that has just done it once. */
async function takeFresh(workload: Workload, client: Client): Promise<Sample> {
  const process = await start(client);
  try {
    processes.set(client, process);
    await takeAll(workload, client);
    return await takeAll(workload, client);
  } finally {
    processes.delete(client);
    await process.end();
  }
}

/** One pass of a client's turn. */
async function take(workload: Workload, client: Client): Promise<Sample> {
  const { kind, name, count } = workload;
  const queue = kind === "request" ? `bench.${name}` : `bench.${name}.${client}`;
  const task = { ...workload, queue };
  try {
    if (kind === "consume") {
      await helper.ask(line("fill", { ...task, style: "unconfirmed" }), DEADLINE);
    }
    const before = await processCpuMicros(broker.pid);
    const turn = parseTurn(await processes.get(client)!.ask(formatTask(task), DEADLINE));
    const after = await processCpuMicros(broker.pid);
    if (turn.messages !== count) throw new Error(`${turn.messages} messages instead of ${count}`);
    const check = line(kind === "produce" ? "drain" : "left", task);
    const { left, error } = JSON.parse(await helper.ask(check, DEADLINE));
    if (error) throw new Error(error);
    if (left !== 0) throw new Error(`${left} messages too many are in the queue`);
    const brokerMicros = before === undefined || after === undefined ? undefined : after - before;
    return { turn, brokerMicros };
  } catch (error) {
    throw new Error(`${client} with ${name}: ${(error as Error).message}`, { cause: error });
  }
}

/** A task of the helper's. */
function line(what: string, task: Partial<Task>): string {
  const some: Task = {
    kind: "produce",
    queue: "",
    body: 0,
    count: 0,
    style: "unconfirmed",
    persistent: false,
    ...task,
  };
  return formatTask({ ...some, kind: what as Task["kind"] });
}

async function start(client: Client, name: string = client): Promise<ClientProcess> {
  const child = await ClientProcess.start(
    name,
    [...await commandOf(client), urlOf(client)!]
      .concat(client === "java" ? [String(IN_FLIGHT), String(BATCH), String(WINDOW)] : []),
  );
  stack.defer(() => child.end());
  return child;
}

function urlOf(client: Client): string | undefined {
  const { openwire, stomp, amqp } = broker.urls;
  if (client === "rhea") return amqp;
  return client === "stompjs" || client === "stompit" ? stomp : openwire;
}

async function commandOf(client: Client): Promise<string[]> {
  switch (client) {
    case "java":
      return java.command;
    case "deno":
    case "bun":
    case "node": {
      const { program, version } = await findRuntime(client);
      if (!told.has(client)) console.log(`${client} ${version}`);
      told.add(client);
      return [program, ...(client === "deno" ? ["run", "-A", "--no-check"] : []), here("openwire")];
    }
    default:
      return [(await findRuntime("node")).program, here(client)];
  }
}

function here(client: string): string {
  return fileURLToPath(new URL(`${client}_load.ts`, import.meta.url));
}

function found(kind: RunningBroker["kind"]): ActiveMq {
  const activemq = provision(kind);
  if (typeof activemq === "string") throw new Error(activemq);
  return activemq;
}

/** The Java client is the one of ActiveMQ 5 with all brokers. */
async function compileJava(): Promise<{ command: string[]; version: string }> {
  const { java, javac, classpath, version } = found("activemq5");
  if (!javac) throw new Error("No javac command");
  const source = fileURLToPath(new URL("java/BrokerLoad.java", import.meta.url));
  const { success, stderr } = await new Deno.Command(javac, {
    args: ["--release", "17", "-nowarn", "-cp", classpath, "-d", scratch, source],
  }).output();
  if (!success) throw new Error(`javac failed: ${new TextDecoder().decode(stderr)}`);
  return { command: [java, "-cp", [scratch, classpath].join(delimiter), "BrokerLoad"], version };
}

function report(): void {
  const cells = rows.map(({ workload, client, samples }) => cellOf(workload, client, samples));
  const bars = options.smoke ? [] : barsOf(cells);
  console.log(formatCells(cells));
  console.log(
    `CPU µs of the client's process and of the broker's for a message; cores that they used; medians of ${options.rounds} rounds`,
  );
  console.log(formatBars(bars));
  for (const client of options.clients) {
    const own = bars.filter((bar) => bar.client === client);
    if (own.length === 0) continue;
    console.log(`${client}: ${own.filter(({ met }) => met).length} of ${own.length} bars met`);
  }
  if (options.json === undefined) return;
  const { broker: kind, rounds } = options;
  const json = { broker: kind, version: broker.version, rounds, rows, cells, bars };
  Deno.writeTextFileSync(options.json, JSON.stringify(json, null, 1) + "\n");
}
