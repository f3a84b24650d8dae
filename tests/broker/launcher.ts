/**
 * Starts a real ActiveMQ or Artemis on free ports of 127.0.0.1, with everything it writes in a temporary folder.
 */
import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  configure,
  type Connector,
  connectorsOf,
  SPEAKS_OPENWIRE,
  urlOf,
} from "./configuration.ts";
import type { BrokerInfo, BrokerUrls } from "./env.ts";
import { type BrokerTls, makeKeys } from "./keys.ts";
import { type ActiveMq, provision } from "./provision.ts";
import { type Logged, signal, tetheredToLog } from "./tether.ts";

/** Options of {@linkcode startActiveMq}. */
export interface BrokerOptions {
  /** Keeps messages in KahaDB, in {@linkcode BrokerOptions.data}. @default {false} */
  persistent?: boolean;
  /** Folder that outlives the broker, for tests that start it again. @default {a temporary one, removed by `stop`} */
  data?: string;
  /** Ports to listen on, for tests that start a broker again where it was. @default {free ones} */
  ports?: Partial<Record<Connector, number>>;
  /** Largest Java heap. @default {"512m"} */
  heap?: string;
  /** Whether ActiveMQ has virtual topics, as it has when it is shipped. @default {true} */
  virtualTopics?: boolean;
  /** Milliseconds in which the broker must be ready. @default {60_000} */
  deadline?: number;
}

/** A broker that this process started. */
export interface RunningBroker extends BrokerInfo, AsyncDisposable {
  /** The ports its connectors listen on. */
  ports: Record<Connector, number>;
  /** Its temporary folder. */
  folder: string;
  /** Settles when the broker is gone, whoever ended it. */
  ended: Promise<void>;
  /** The last lines of its log. */
  log(): string;
  /** Ends it like a power cut: no shutdown hook runs. Resolves when it is gone; `stop` removes what it left. */
  kill(): Promise<void>;
  /** Stops it and removes its folder. */
  stop(): Promise<void>;
}

const MAGIC = "ActiveMQ";
/** A WireFormatInfo without properties: Artemis says nothing before its client has. */
const HELLO = Uint8Array.from([0, 0, 0, 14, 1, ...new TextEncoder().encode(MAGIC), 0, 0, 0, 1, 0]);
const POLL = 50;
const GRACE = 10_000;

/**
 * Starts a broker and waits until it speaks OpenWire.
 *
 * @param options How to start it
 * @param activemq What to start
 * @returns The running broker; the caller stops it
 */
export async function startActiveMq(
  options: BrokerOptions = {},
  activemq: ActiveMq | string = provision(),
): Promise<RunningBroker> {
  if (typeof activemq === "string") throw new Error(activemq);
  const end = Date.now() + (options.deadline ?? 60_000);
  for (;;) {
    try {
      return await start(options, activemq, end);
    } catch (error) {
      // A port that was free may be taken by the time Java binds it; those the caller chose are his.
      const lost = String(error).includes("Address already in use") && !options.ports;
      if (!lost || Date.now() > end) throw error;
    }
  }
}

async function start(
  options: BrokerOptions,
  activemq: ActiveMq,
  end: number,
): Promise<RunningBroker> {
  const connectors = connectorsOf(activemq);
  const ports = await choosePorts(connectors, options.ports ?? {});

  const home = mkdtempSync(join(realpathSync(tmpdir()), "openwire-broker-"));
  const log = join(home, "broker.log");
  let java: Logged | undefined;
  let tls: BrokerTls;
  try {
    const keys = await makeKeys(home);
    tls = keys.tls;
    const command = configure(activemq, {
      home,
      data: options.data ?? join(home, "data"),
      persistent: options.persistent ?? false,
      heap: options.heap ?? "512m",
      ports,
      stores: keys.stores,
      virtualTopics: options.virtualTopics ?? true,
    });
    java = await tetheredToLog(command, log, { scratch: home });
    await ready(ports, java, end);
  } catch (error) {
    const tail = logTail(log);
    if (java) await terminate(java);
    remove(home);
    throw new Error(`The broker did not start: ${message(error)}\n${tail}`, { cause: error });
  }

  const running = java;
  let stopping: Promise<void> | undefined;
  const stop = () => stopping ??= terminate(running).finally(() => remove(home));
  return {
    urls: Object.fromEntries(
      connectors.map((name) => [name, urlOf(name, ports[name]!)]),
    ) as unknown as BrokerUrls,
    ports: ports as Record<Connector, number>,
    tls,
    kind: activemq.kind,
    version: activemq.version,
    pid: running.pid,
    classpath: activemq.classpath,
    java: activemq.java,
    ...(activemq.javac ? { javac: activemq.javac } : {}),
    folder: home,
    ended: running.ended.then(() => {}),
    log: () => logTail(log),
    kill: async () => {
      signal(running.pid, "SIGKILL");
      await running.ended;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

type Ports = Partial<Record<Connector, number>>;

/** Fills in free ports. All are held at the same time, so that no two are the same. */
async function choosePorts(connectors: Connector[], chosen: Ports): Promise<Ports> {
  const held: Server[] = [];
  const ports: Ports = {};
  try {
    for (const name of connectors) {
      if (chosen[name]) {
        ports[name] = chosen[name];
        continue;
      }
      const server = createServer();
      held.push(server);
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(0, "127.0.0.1", resolve);
      });
      ports[name] = (server.address() as { port: number }).port;
    }
  } finally {
    for (const server of held) await new Promise((resolve) => server.close(resolve));
  }
  return ports;
}

/** Waits until every connector answers; the OpenWire ones by sending their WireFormatInfo. */
async function ready(ports: Ports, java: Logged, end: number): Promise<void> {
  let gone = false;
  const died = java.ended.then(({ code }) => {
    gone = true;
    throw new Error(`java ended with code ${code}`);
  });
  died.catch(() => {});
  for (const [name, port] of Object.entries(ports)) {
    while (!await answers(port, SPEAKS_OPENWIRE.has(name as Connector), end)) {
      if (gone) return await died;
      if (Date.now() > end) throw new Error(`the connector ${name} is not ready in time`);
      await new Promise((resolve) => setTimeout(resolve, POLL));
    }
  }
  // Somebody else's broker may have answered on a port that ours could not have.
  if (gone) await died;
}

function answers(port: number, openwire: boolean, end: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket: Socket = connect({ host: "127.0.0.1", port });
    let bytes = "";
    const settle = (answer: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => settle(false), Math.max(0, Math.min(5_000, end - Date.now())));
    socket.on("connect", () => openwire ? socket.write(HELLO) : settle(true));
    socket.on("data", (chunk) => {
      bytes += chunk.toString("latin1");
      // A 4-byte size and the type byte, 1, come before the magic.
      if (bytes.length >= 5 + MAGIC.length) {
        settle(bytes[4] === "\x01" && bytes.startsWith(MAGIC, 5));
      }
    });
    socket.on("error", () => settle(false));
    socket.on("end", () => settle(false));
  });
}

async function terminate({ pid, ended }: Logged): Promise<void> {
  signal(pid, "SIGTERM");
  const timer = setTimeout(() => signal(pid, "SIGKILL"), GRACE);
  try {
    await ended;
  } finally {
    clearTimeout(timer);
  }
}

function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

function logTail(log: string): string {
  try {
    return readFileSync(log, "utf8").trimEnd().split("\n").slice(-40).join("\n");
  } catch {
    return "(no log)";
  }
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
