/** Which broker a connection goes to when another is lost, and when it is given up. */

import {
  AuthenticationError,
  BrokerError,
  connect,
  type Connection,
  ConnectionClosedError,
  type FailoverOptions,
  type Logger,
  OpenWireError,
  TransportError,
} from "../../mod.ts";
import { createConnectionControl } from "../../codec/mod.ts";
import { Candidates } from "../../client/failover/candidates.ts";
import { readPushed } from "../../client/failover/pushed_brokers.ts";
import { parseBrokerUrl } from "../../client/url/broker_url.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { FaultProxy } from "../faults/proxy/fault_proxy.ts";
import { test } from "../_harness.ts";
import { fakePeer, Script } from "./_fake_broker.ts";
import { received, until } from "./_messages.ts";

const QUICK: FailoverOptions = {
  initialReconnectDelay: 1,
  maxReconnectDelay: 20,
  randomize: false,
};

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** The broker of a URL. */
const target = (url: string) => parseBrokerUrl(url).brokers[0]!;
const urls = (brokers: readonly { address: { hostname: string } }[]): string[] =>
  brokers.map(({ address }) => address.hostname);

/** Resolves with the next status of a type. */
async function statusOf(connection: Connection, type: string) {
  for await (const status of connection.status()) if (status.type === type) return status;
  throw new Error(`The connection has ended without "${type}"`);
}

/** Has a broker send a command to its client. */
function tell(broker: MemoryBroker, command: Parameters<MemoryBroker["sendToClients"]>[0]): void {
  broker.sendToClients(command);
}

test("a list of URLs is a group of brokers, tried in their order", async () => {
  await using one = await MemoryBroker.listen();
  await using two = await MemoryBroker.listen();
  await using connection = await connect([one.url, new URL(two.url)], { failover: QUICK });
  assertEquals(`tcp://${connection.remoteAddress}`, one.url);
  one.suspend();
  const back = statusOf(connection, "resumed");
  await one.disconnectClients();
  await back;
  assertEquals(`tcp://${connection.remoteAddress}`, two.url);
  await assertRejects(() => connect([]), TypeError);
});

test("before each attempt credentials are asked for, and beforeConnect is called", async () => {
  await using broker = await MemoryBroker.listen({ users: { app: "secret" } });
  const called: string[] = [];
  let tokens = 0;
  await using connection = await connect([broker.url], {
    failover: QUICK,
    beforeConnect: async (url) => {
      await Promise.resolve();
      called.push(url);
      // What it throws ends the attempt, and not the connection.
      if (called.length === 2) throw new Error("no network");
    },
    credentials: () => {
      tokens++;
      return { username: "app", password: "secret" };
    },
  });
  const back = statusOf(connection, "resumed");
  await broker.disconnectClients();
  await back;
  assertEquals([called, tokens], [[broker.url, broker.url, broker.url], 2]);
});

test("wrong credentials end a lost connection for good, at once", async () => {
  await using broker = await MemoryBroker.listen({ users: { app: "secret" } });
  let asked = 0;
  await using connection = await connect([broker.url], {
    failover: QUICK,
    credentials: () => ({ username: "app", password: ++asked > 1 ? "expired" : "secret" }),
  });
  const waiting = connection.createConsumer("orders").then((consumer) => consumer.receive());
  waiting.catch(() => {});
  await connection.ping();
  await broker.disconnectClients();
  const error = await connection.closed;
  assertInstanceOf(error, AuthenticationError);
  assertEquals(await waiting.catch((reason) => reason), error);
  assertEquals(asked, 2);
  await assertRejects(() => connection.send("orders", "late"), AuthenticationError);
});

test("the same unreadable bytes end the connection for good when they come a second time", async () => {
  let connections = 0;
  await using peer = await fakePeer(async (transport) => {
    connections++;
    const script = new Script(transport);
    await script.accept();
    await script.sendBytes(new Uint8Array([0, 0, 0x4e, 0x20, 10]));
    await transport.closed;
  });
  await using connection = await connect([peer.url], {
    failover: QUICK,
    wireFormat: { maxFrameSize: 10_000 },
  });
  const error = await connection.closed as OpenWireError;
  assertInstanceOf(error, OpenWireError);
  assertEquals(error.retryable, false);
  assertEquals((error.cause as { code: string }).code, "FRAME_TOO_LARGE");
  assertEquals(connections, 2);
});

test("what the next broker refuses reaches its owner, and all else goes on", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect([broker.url], { failover: QUICK });
  const refused = await connection.createConsumer("private");
  const taken = await connection.createConsumer("orders");
  const producer = await connection.createProducer("private");
  const exception = { className: "java.lang.SecurityException", message: "not yours" };
  const isPrivate = (command: unknown): boolean =>
    (command as { destination?: { physicalName?: string } }).destination?.physicalName ===
      "private";
  for (const command of ["ConsumerInfo", "ProducerInfo"] as const) {
    broker.fault({ command, where: isPrivate, action: { refuse: exception } });
  }
  const waiting = refused.receive();
  waiting.catch(() => {});
  const back = statusOf(connection, "resumed");
  await broker.disconnectClients();
  await back;
  const error = await waiting.catch((reason) => reason);
  assertInstanceOf(error, BrokerError);
  assertEquals(error.code, "SECURITY");
  assertEquals(
    await producer.send("one").catch((reason) => (reason as BrokerError).code),
    "SECURITY",
  );
  await connection.send("orders", "two");
  assertEquals((await received(taken)).text, "two");
  assertEquals([connection.stats().consumers, broker.queue("private").consumers], [1, 0]);
});

test("a broker that accepts and stays silent doesn't keep the connection from the next", async () => {
  await using broker = await MemoryBroker.listen();
  await using mute = await FaultProxy.listen(broker.url);
  mute.admission = "silence";
  await using proxy = await FaultProxy.listen(broker.url);
  await using connection = await connect([mute.url, proxy.url], {
    failover: QUICK,
    connectTimeout: 2000,
  });
  const back = statusOf(connection, "resumed");
  proxy.connection.reset();
  await back;
  assertEquals(`tcp://${connection.remoteAddress}`, proxy.url);
  assertEquals(mute.accepted, 2);
});

test("attempts have pauses when a broker accepts and leaves at once, again and again", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect([broker.url], {
    failover: { initialReconnectDelay: 1, maxReconnectDelay: 50, reconnectJitter: 0 },
  });
  const times: number[] = [];
  for (let i = 0; i < 9; i++) {
    const back = statusOf(connection, "resumed");
    const start = performance.now();
    await broker.disconnectClients();
    await back;
    times.push(performance.now() - start);
  }
  // 2, 4, 8, 16, 32, 50 ms and so on: no timer is early.
  assert(times.at(-1)! >= 49, `${times}`);
});

test("what a broker tells of others is followed within limits", () => {
  const from = target("ssl://a:61617");
  const options = { socket: { keepAlive: true } };
  const read = (list: string, accept?: (url: string) => boolean) =>
    readPushed(list, { from, options, accept });
  const told = read(" ssl://b:61617?wireFormat.maxFrameSize=1, tcp://c:61616,http://d,x y,");
  assertEquals(urls(told.brokers), ["b"]);
  assertEquals(told.brokers[0]!.options, options);
  assertEquals(told.refused.length, 3);
  assertEquals(told.refused[0], "tcp://c:61616 is without TLS");
  assertEquals(read("ssl://b,ssl://c", (url) => url === "ssl://c:61617").brokers.length, 1);
  assertEquals(read(`ssl://${"b".repeat(20_000)}`).brokers, []);
  // The other way is no loss.
  const plain = readPushed("ssl://b", { from: target("tcp://a"), options: {}, accept: undefined });
  assertEquals(urls(plain.brokers), ["b"]);
});

test("candidates: what was pushed adds to what was listed, the lost one comes last", () => {
  const brokers = ["tcp://a", "tcp://b"].map(target);
  const candidates = new Candidates({
    brokers,
    randomize: false,
    priority: [],
    priorityBackup: false,
  });
  assertEquals(urls(candidates.order(brokers[0])), ["b", "a"]);
  assertEquals(candidates.push([target("tcp://c"), target("tcp://A")]), true);
  assertEquals(candidates.push([target("tcp://a"), target("tcp://c")]), false);
  assertEquals(urls(candidates.order()), ["a", "c", "b"]);
  const many = Array.from({ length: 100 }, (_, n) => target(`tcp://n${n}`));
  candidates.push(many);
  assertEquals(candidates.all().length, 34);
  candidates.push([]);
  candidates.prefer(target("tcp://d"));
  assertEquals(urls(candidates.order()), ["d", "a", "b"]);
  assertEquals(urls(candidates.order()), ["d", "a", "b"]);
  const preferring = new Candidates({
    brokers,
    randomize: false,
    priority: ["tcp://b:61616"],
    priorityBackup: true,
  });
  assertEquals(urls(preferring.order()), ["b", "a"]);
});

test("brokers that a broker tells of are tried, and it may ask to choose anew", async () => {
  await using one = await MemoryBroker.listen();
  await using two = await MemoryBroker.listen();
  const asked: string[] = [];
  await using connection = await connect([one.url], {
    failover: {
      ...QUICK,
      acceptBroker: (url) => {
        asked.push(url);
        return url !== "tcp://elsewhere:61616";
      },
    },
  });
  tell(one, createConnectionControl({ connectedBrokers: `${two.url},tcp://elsewhere:61616` }));
  await until(() => asked.length === 2);
  const back = statusOf(connection, "resumed");
  one.suspend();
  await one.disconnectClients();
  await back;
  assertEquals(`tcp://${connection.remoteAddress}`, two.url);

  const again = statusOf(connection, "resumed");
  one.resume();
  tell(two, createConnectionControl({ connectedBrokers: one.url, rebalanceConnection: true }));
  await again;
  await connection.send("orders", "one");
  assertEquals(one.queue("orders").size + two.queue("orders").size, 1);
});

test("a broker may send us to another one, unless that is not wanted", async () => {
  await using one = await MemoryBroker.listen();
  await using two = await MemoryBroker.listen();
  await using staying = await connect([one.url], {
    failover: { ...QUICK, reconnectSupported: false },
  });
  await using single = await connect(one.url);
  await using following = await connect([one.url], { failover: QUICK });
  const back = statusOf(following, "resumed");
  tell(one, createConnectionControl({ reconnectTo: two.url }));
  await back;
  assertEquals(`tcp://${following.remoteAddress}`, two.url);
  await staying.ping();
  await single.ping();
  assertEquals([staying.stats().reconnections, single.stats().reconnections], [0, 0]);
});

test("a connection in reserve takes the place of a lost one", async () => {
  await using one = await MemoryBroker.listen();
  await using two = await MemoryBroker.listen();
  await using proxy = await FaultProxy.listen(two.url);
  const reserve = Promise.withResolvers<void>();
  const url = `failover:(${one.url},${proxy.url})?backup=true&randomize=false`;
  await using connection = await connect(url, {
    logger: {
      ...silent,
      debug: (message) => message === "A connection is in reserve" && reserve.resolve(),
    },
    // The wait would be seen.
    failover: { initialReconnectDelay: 600_000, maxReconnectDelay: 600_000 },
  });
  // It is negotiated, and nobody has introduced himself.
  await reserve.promise;
  assertEquals([proxy.accepted, proxy.count("ConnectionInfo")], [1, 0]);
  const back = statusOf(connection, "resumed");
  one.suspend();
  await one.disconnectClients();
  await back;
  assertEquals(`tcp://${connection.remoteAddress}`, proxy.url);
  assertEquals(proxy.accepted, 1);
  await connection.send("orders", "one");
  assertEquals(two.queue("orders").size, 1);
  assert(connection.brokerInfo !== undefined);
});

test("updateURIsSupported false: brokers that a broker tells of are not tried", async () => {
  await using one = await MemoryBroker.listen();
  await using two = await MemoryBroker.listen();
  const asked: string[] = [];
  await using connection = await connect([one.url], {
    failover: {
      ...QUICK,
      maxReconnectAttempts: 2,
      updateURIsSupported: false,
      acceptBroker: (url) => asked.push(url) > 0,
    },
  });
  tell(one, createConnectionControl({ connectedBrokers: two.url, rebalanceConnection: true }));
  await connection.ping();
  assertEquals([connection.stats().reconnections, asked], [0, []]);
  one.suspend();
  await one.disconnectClients();
  assertInstanceOf(await connection.closed, ConnectionClosedError);
  assertEquals(two.connections, 0);
});

test("rebalanceUpdateURIs false: the connection stays until it is lost", async () => {
  await using one = await MemoryBroker.listen();
  await using two = await MemoryBroker.listen();
  await using connection = await connect([one.url], {
    failover: { ...QUICK, rebalanceUpdateURIs: false },
  });
  tell(one, createConnectionControl({ connectedBrokers: two.url, rebalanceConnection: true }));
  await connection.ping();
  assertEquals(connection.stats().reconnections, 0);
  const back = statusOf(connection, "resumed");
  one.suspend();
  await one.disconnectClients();
  await back;
  assertEquals(`tcp://${connection.remoteAddress}`, two.url);
});

test("no more than backupPoolSize connections are in reserve", async () => {
  await using broker = await MemoryBroker.listen();
  await using stack = new AsyncDisposableStack();
  const proxies: FaultProxy[] = [];
  for (let i = 0; i < 5; i++) proxies.push(stack.use(await FaultProxy.listen(broker.url)));
  const inUse = (): number => proxies.filter(({ accepted }) => accepted > 0).length;
  let found = 0;
  const reserve = (count: number): Promise<void> => until(() => found === count);
  await using connection = await connect(proxies.map(({ url }) => url), {
    logger: {
      ...silent,
      debug: (message) => message === "A connection is in reserve" && found++,
    },
    failover: { ...QUICK, backup: true, backupPoolSize: 2 },
  });
  await reserve(2);
  // One more would be begun at once: the next one is when one of these is lost.
  await connection.ping();
  assertEquals([inUse(), found], [3, 2]);
  proxies[2]!.connection.reset();
  await reserve(3);
  assertEquals([inUse(), proxies[2]!.accepted], [3, 2]);
});

test("a connection moves to a broker that is to be preferred, when it comes", async () => {
  await using one = await MemoryBroker.listen();
  await using two = await MemoryBroker.listen();
  one.suspend();
  const url = `failover:(${one.url},${two.url})?priorityBackup=true`;
  await using connection = await connect(url, { failover: QUICK });
  assertEquals(`tcp://${connection.remoteAddress}`, two.url);
  const back = statusOf(connection, "resumed");
  one.resume();
  await back;
  assertEquals(`tcp://${connection.remoteAddress}`, one.url);
  await using other = await connect(
    `failover:(${one.url},${two.url})?priorityBackup=true&priorityURIs=${two.url}`,
  );
  assertEquals(`tcp://${other.remoteAddress}`, two.url);
  await assertRejects(
    () => connect([one.url], { failover: { priorityURIs: ["x"] } }),
    TransportError,
  );
});

test("failed rounds are logged as warnings the first time, and now and then", async () => {
  await using broker = await MemoryBroker.listen();
  const lines: string[] = [];
  const note = (level: string) => (message: string): void => {
    if (message === "Cannot connect to the broker") lines.push(level);
  };
  const logger: Logger = {
    debug: note("debug"),
    info: note("info"),
    warn: note("warn"),
    error: note("error"),
  };
  await using connection = await connect([broker.url], {
    logger,
    failover: { ...QUICK, maxReconnectAttempts: 7, warnAfterReconnectAttempts: 3 },
  });
  broker.suspend();
  await broker.disconnectClients();
  assertInstanceOf(await connection.closed, ConnectionClosedError);
  assertEquals(lines, ["warn", "debug", "debug", "warn", "debug", "debug", "warn"]);
});
