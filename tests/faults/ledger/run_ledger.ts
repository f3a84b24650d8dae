/** One run of the ledger test against one broker: processes, faults, what is left at the end, and the verdict. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connect } from "../../../mod.ts";
import type { TestedBroker } from "../../broker/differences.ts";
import { type Logged, signal, tetheredToLog } from "../../broker/tether.ts";
import { seededRandom } from "../../_random.ts";
import type { Found as FoundRuntime } from "../../_runtimes.ts";
import { FaultProxy } from "../proxy/fault_proxy.ts";
import { check, type Verdict } from "./check.ts";
import { type Entry, parseEntries } from "./entries.ts";
import { type LedgerBroker, startLedgerBroker } from "./ledger_broker.ts";
import { LedgerFile } from "./ledger_file.ts";
import { makeMischief, type Mischief } from "./mischief.ts";
import { DEAD_LETTERS, MESSAGES, type Token, TOKENS, type WorkerOptions } from "./workload.ts";

/** Options of {@linkcode runLedger}. */
export interface LedgerOptions {
  readonly broker: TestedBroker;
  /** What runs the processes. */
  readonly runtime: FoundRuntime;
  /** Milliseconds for which there are faults. */
  readonly time: number;
  readonly seed: number;
  /** Folder for the ledgers, which are kept; otherwise they are removed. */
  readonly keep?: string | undefined;
  /** Is told what happens. */
  readonly tell?: (text: string) => void;
}

/** What a run came to. */
export interface LedgerResult {
  readonly broker: TestedBroker;
  readonly version: string;
  readonly runtime: string;
  readonly seed: number;
  readonly seconds: number;
  /** What was done to the connections and the broker, and how often. */
  readonly mischief: Mischief;
  readonly verdict: Verdict;
}

/** Tokens that are moved about. */
const TOKEN_COUNT = 40;
/** Milliseconds in which a process ends when its time is over. */
const GRACE = 75_000;

/** Makes a run. */
export async function runLedger(options: LedgerOptions): Promise<LedgerResult | string> {
  const started = await startLedgerBroker(options.broker);
  if (typeof started === "string") return started;
  await using broker = started;
  const folder = options.keep ?? mkdtempSync(join(tmpdir(), "openwire-ledgers-"));
  try {
    return await runWith(broker, folder, options);
  } finally {
    if (options.keep === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

async function runWith(
  broker: LedgerBroker,
  folder: string,
  { broker: kind, runtime, time, seed, tell = () => {} }: LedgerOptions,
): Promise<LedgerResult> {
  using ledger = new LedgerFile(join(folder, "run.jsonl"), "run");
  const note = (text: string): void => {
    ledger.note(text);
    tell(text);
  };
  const start = Date.now();
  const random = seededRandom(seed);
  await issueTokens(broker.url, ledger, random);

  await using proxy = await FaultProxy.listen(broker.url);
  const until = Date.now() + time;
  const workers = workersOf({ url: proxy.url, folder, until, random });
  const running = await Promise.all(workers.map((worker) => launch(runtime, worker, folder)));
  const mischief = await makeMischief({ proxy, broker, random, until, tell: note });
  await Promise.all(
    running.map((process, n) => waitFor(process, workers[n]!, folder, ledger, until + GRACE)),
  );
  // What connections still have that nobody closed goes back to its queues.
  await proxy[Symbol.asyncDispose]();
  await drain(broker.url, ledger);

  const entries = readAll(folder);
  const verdict = check(entries, { empty: [DEAD_LETTERS] });
  return {
    broker: kind,
    version: broker.version,
    runtime: `${runtime.runtime} ${runtime.version}`,
    seed,
    seconds: Math.round((Date.now() - start) / 1000),
    mischief,
    verdict,
  };
}

function workersOf(
  { url, folder, until, random }: {
    url: string;
    folder: string;
    until: number;
    random: () => number;
  },
): WorkerOptions[] {
  const [left, right] = TOKENS;
  const workers = [
    { role: "producer", name: "producer-1" },
    { role: "producer", name: "producer-2" },
    { role: "consumer", name: "consumer-1" },
    { role: "consumer", name: "consumer-2" },
    { role: "handler", name: "handler-1" },
    { role: "mover", name: "mover-1", from: left, to: right },
    { role: "mover", name: "mover-2", from: right, to: left },
  ] as const;
  return workers.map((worker) => ({
    ...worker,
    url: `failover:(${url})?maxReconnectDelay=1000`,
    ledger: join(folder, `${worker.name}.jsonl`),
    seed: Math.floor(random() * 2 ** 32),
    until,
  }));
}

function launch(
  { runtime, command }: FoundRuntime,
  worker: WorkerOptions,
  folder: string,
): Promise<Logged> {
  const program = fileURLToPath(new URL("worker.ts", import.meta.url));
  const start = {
    deno: [command, "run", "-A", "--quiet", program],
    bun: [command, program],
    node: [command, "--disable-warning=ExperimentalWarning", program],
  };
  return tetheredToLog([...start[runtime], JSON.stringify(worker)], logOf(folder, worker));
}

function logOf(folder: string, { name }: WorkerOptions): string {
  return join(folder, `${name}.log`);
}

/** Waits for the end of a process, and writes down how it was. */
async function waitFor(
  process: Logged,
  worker: WorkerOptions,
  folder: string,
  ledger: LedgerFile,
  deadline: number,
): Promise<void> {
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    signal(process.pid, "SIGKILL");
  }, Math.max(0, deadline - Date.now()));
  const { code } = await process.ended;
  clearTimeout(timer);
  const log = readFileSync(logOf(folder, worker), "utf8").trimEnd().split("\n").slice(-20);
  ledger.write({
    what: "exit",
    process: worker.name,
    code: late ? null : code,
    log: log.join("\n"),
  });
}

async function issueTokens(url: string, ledger: LedgerFile, random: () => number): Promise<void> {
  await using connection = await connect(url);
  for (let n = 1; n <= TOKEN_COUNT; n++) {
    const token: Token = { token: `token-${n}`, hop: 0, amount: 1 + Math.floor(random() * 1000) };
    await connection.send(TOKENS[n % 2]!, { json: { ...token } });
    ledger.write({ what: "issued", token: token.token, amount: token.amount });
  }
}

/** Takes all that is left, past the proxy. */
async function drain(url: string, ledger: LedgerFile): Promise<void> {
  await using connection = await connect(url);
  await Promise.all([MESSAGES, ...TOKENS, DEAD_LETTERS].map(async (queue) => {
    await using consumer = await connection.createConsumer(queue);
    for (;;) {
      const message = await consumer.receive({ timeout: 4_000 });
      if (!message) break;
      const key = message.properties.get("key");
      const { redelivered } = message;
      if (key === undefined) {
        ledger.write({ what: "found", queue, redelivered, ...message.getBody<Token>() });
      } else {
        ledger.write({ what: "found", queue, redelivered, key: String(key) });
      }
    }
  }));
}

function readAll(folder: string): Entry[] {
  return readdirSync(folder).filter((name) => name.endsWith(".jsonl"))
    .flatMap((name) => parseEntries(readFileSync(join(folder, name), "utf8")));
}
