/**
 * Starts a real ActiveMQ Classic on free ports of 127.0.0.1, with everything it writes in a temporary folder.
 */
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BrokerInfo, BrokerUrls } from "./env.ts";
import { type ActiveMq, provision } from "./provision.ts";
import { type Logged, signal, tetheredToLog } from "./tether.ts";

/** Names of the broker's connectors. */
export type Connector = keyof BrokerUrls;

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

const HERE = fileURLToPath(new URL(".", import.meta.url));
const MAGIC = "ActiveMQ";
const POLL = 50;
const GRACE = 10_000;

const OPENWIRE: Partial<Record<Connector, string>> = {
  openwire: "wireFormat.maxFrameSize=104857600",
  smallFrame: "wireFormat.maxFrameSize=65536",
  plain:
    "wireFormat.maxFrameSize=104857600&wireFormat.tightEncodingEnabled=false&wireFormat.cacheEnabled=false",
};

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
  const connectors: Connector[] = ["openwire", "smallFrame", "plain"];
  if (activemq.stomp) connectors.push("stomp");
  if (activemq.amqp) connectors.push("amqp");
  const ports = await choosePorts(connectors, options.ports ?? {});

  const home = mkdtempSync(join(realpathSync(tmpdir()), "openwire-broker-"));
  const log = join(home, "broker.log");
  let java: Logged | undefined;
  try {
    writeConfig(home, options, ports);
    java = await tetheredToLog(command(activemq, home, options.heap ?? "512m"), log, {
      scratch: home,
    });
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
      connectors.map((name) => [name, `tcp://127.0.0.1:${ports[name]}`]),
    ) as unknown as BrokerUrls,
    ports: ports as Record<Connector, number>,
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

function writeConfig(home: string, options: BrokerOptions, ports: Ports): void {
  const data = options.data ?? join(home, "data");
  mkdirSync(data, { recursive: true });
  const values: Record<string, string> = {
    data,
    persistent: String(options.persistent ?? false),
    store: options.persistent
      ? `<persistenceAdapter><kahaDB directory="${data}/kahadb"/></persistenceAdapter>`
      : "",
    connectors: Object.entries(ports).map(([name, port]) => {
      const wire = OPENWIRE[name as Connector];
      const scheme = wire ? "tcp" : name;
      const query = `maximumConnections=1000${wire ? `&${wire}` : ""}`.replaceAll("&", "&amp;");
      return `<transportConnector name="${name}" uri="${scheme}://127.0.0.1:${port}?${query}"/>`;
    }).join("\n      "),
  };
  const template = readFileSync(join(HERE, "activemq.xml"), "utf8");
  writeFileSync(
    join(home, "activemq.xml"),
    template.replaceAll(/@(\w+)@/g, (_, name: string) => values[name]!),
  );
}

function command({ java, brokerClasspath }: ActiveMq, home: string, heap: string): string[] {
  return [
    java,
    `-Xmx${heap}`,
    "-XX:+UseSerialGC",
    "-Djava.net.preferIPv4Stack=true",
    `-Djava.io.tmpdir=${home}`,
    `-Dlog4j.configuration=${new URL("log4j.properties", import.meta.url)}`,
    `-Dlog4j.configurationFile=${join(HERE, "log4j2.properties")}`,
    `-Dactivemq.home=${home}`,
    `-Dactivemq.base=${home}`,
    `-Dactivemq.conf=${home}`,
    `-Dactivemq.data=${home}`,
    "-cp",
    [HERE, brokerClasspath].join(delimiter),
    "org.apache.activemq.console.Main",
    "start",
    `xbean:file:${join(home, "activemq.xml")}`,
  ];
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
    while (!await answers(port, name in OPENWIRE, end)) {
      if (gone) return await died;
      if (Date.now() > end) throw new Error(`the connector ${name} is not ready in time`);
      await new Promise((resolve) => setTimeout(resolve, POLL));
    }
  }
  // Somebody else's broker may have answered on a port that ours could not have.
  if (gone) await died;
}

function answers(port: number, speaksFirst: boolean, end: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket: Socket = connect({ host: "127.0.0.1", port });
    let bytes = "";
    const settle = (answer: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => settle(false), Math.max(0, Math.min(5_000, end - Date.now())));
    socket.on("connect", () => speaksFirst || settle(true));
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
