import {
  AuthenticationError,
  connect,
  type ConnectOptions,
  HandshakeError,
  OpenWireError,
  TimeoutError,
  TransportError,
} from "../../mod.ts";
import { resolveFailoverOptions } from "../../client/failover/failover_options.ts";
import { reconnectDelay } from "../../client/failover/reconnect_delay.ts";
import { shuffled } from "../../client/failover/shuffled.ts";
import { type Search, tryBrokers } from "../../client/failover/try_brokers.ts";
import { decodePrimitiveMap, type WireFormatInfo } from "../../codec/mod.ts";
import { listen, type Transport } from "../../transport/mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { test } from "../_harness.ts";
import { leakIn, SECRET } from "../_secret.ts";
import { testOnBrokers } from "./_brokers.ts";
import { fakePeer, Script } from "./_fake_broker.ts";

/** The URL of a port on which nobody listens. */
async function deadUrl(): Promise<string> {
  const listener = await listen();
  await listener.close();
  return `tcp://127.0.0.1:${listener.port}`;
}

/** Accepts connections, and what is sent until they are closed. */
async function accept(transport: Transport): Promise<void> {
  const script = new Script(transport);
  await script.accept();
  await script.answerAll();
}

async function readAway({ readable }: Transport): Promise<void> {
  for await (const _ of readable);
}

testOnBrokers("options of the wire format in the URL are negotiated", async ({ url }) => {
  await using connection = await connect(
    `${url}?wireFormat.version=10&wireFormat.tightEncodingEnabled=true&wireFormat.cacheEnabled=false` +
      "&wireFormat.maxInactivityDuration=20000&wireFormat.maxInactivityDurationInitalDelay=5000" +
      "&wireFormat.maxFrameSize=65536&wireFormat.stackTraceEnabled=true&connectionTimeout=5000&keepAlive=true&tcpNoDelay=true",
  );
  const { wireFormat } = connection;
  assertEquals([
    wireFormat.version,
    wireFormat.tightEncodingEnabled,
    wireFormat.cacheEnabled,
    wireFormat.maxInactivityDuration,
    wireFormat.maxInactivityDurationInitialDelay,
    wireFormat.maxFrameSize,
    wireFormat.stackTraceEnabled,
  ], [10, true, false, 20_000, 5000, 65_536, true]);
});

testOnBrokers("options of the connection in the URL have an effect", async ({ url, name }) => {
  const clientId = `client-${crypto.randomUUID()}`;
  await using connection = await connect(
    `${url}?jms.userName=app&jms.password=${encodeURIComponent(SECRET)}` +
      `&jms.clientID=${clientId}` +
      "&jms.prefetchPolicy.queuePrefetch=1&jms.useCompression=true",
  );
  assertEquals(connection.clientId, clientId);
  const session = await connection.createSession({ acknowledgeMode: "individual" });
  const producer = await session.createProducer(name);
  for (const body of ["1", "2", "3"]) await producer.send(body);
  const one = await session.createConsumer(name);
  assertEquals((await one.receive())?.text, "1");
  // The broker sends no second one before the first is acknowledged.
  const others = await session.createConsumer(name);
  assertEquals((await others.receive())?.text, "2");

  await using other = await connect(`nio${url.slice(3)}?jms.clientIDPrefix=shop-`);
  assert(other.clientId.startsWith("shop-"), other.clientId);
});

testOnBrokers("a wrong password in the URL is refused and not repeated", async ({ url }) => {
  const error = await assertRejects(
    () =>
      connect(
        `failover:(${url})?jms.userName=system&jms.password=${encodeURIComponent(SECRET)}` +
          "&startupMaxReconnectAttempts=-1",
      ),
    AuthenticationError,
  );
  assertEquals(leakIn(JSON.stringify([error.message, error.stack])), undefined);
});

testOnBrokers("options of the program count more than those of the URL", async ({ url }) => {
  const query =
    "jms.userName=app&jms.password=wrong&wireFormat.version=9&wireFormat.cacheEnabled=false";
  await using connection = await connect(`${url}?${query}`, {
    password: SECRET,
    wireFormat: { version: 11 },
  });
  assertEquals([connection.wireFormat.version, connection.wireFormat.cacheEnabled], [11, false]);
});

testOnBrokers("a broker that is not there is left out", async ({ url, name }) => {
  const dead = await deadUrl();
  for (const query of ["randomize=false", "randomize=true", "nested.wireFormat.version=9"]) {
    await using connection = await connect(
      `failover:(${dead}?connectionTimeout=5000,${url})?${query}`,
    );
    assertEquals(connection.remoteAddress, url.slice("tcp://".length));
    assertEquals(connection.wireFormat.version, query.startsWith("nested") ? 9 : 12);
    const session = await connection.createSession();
    await (await session.createProducer(name)).send("x");
    assertEquals((await (await session.createConsumer(name)).receive())?.text, "x");
  }
});

test("options of a member are for it alone", async () => {
  await using broker = await MemoryBroker.listen();
  const url =
    `failover:(${await deadUrl()}?wireFormat.version=5,${broker.url}?wireFormat.version=7)`;
  await using connection = await connect(`${url}?randomize=false`);
  assertEquals(connection.wireFormat.version, 7);
});

test("connect() names the failure of each broker", async () => {
  const [a, b] = [await deadUrl(), await deadUrl()];
  const error = await assertRejects(
    () =>
      connect(
        `failover:(${a},${b})?randomize=false&startupMaxReconnectAttempts=2&initialReconnectDelay=1`,
      ),
    TransportError,
  );
  assertEquals(
    error.message,
    `Cannot connect to any of the brokers: ${a}: connection refused; ${b}: connection refused`,
  );
  assertEquals([error.code, error.retryable], ["CONNECT_FAILED", true]);
  assertInstanceOf(error.cause, AggregateError);
  assertEquals(error.cause.errors.map(({ code }: TransportError) => code), [
    "CONNECTION_REFUSED",
    "CONNECTION_REFUSED",
  ]);
});

test("connect() tries as often as it is told", async () => {
  let attempts = 0;
  await using peer = await fakePeer((transport) => {
    attempts++;
    transport.close();
    return Promise.resolve();
  });
  for (const [value, expected] of [["0", 1], ["1", 1], ["3", 3]] as const) {
    attempts = 0;
    const url =
      `failover:(${peer.url})?initialReconnectDelay=1&startupMaxReconnectAttempts=${value}`;
    await assertRejects(() => connect(url), HandshakeError);
    assertEquals(attempts, expected);
  }
  attempts = 0;
  await assertRejects(() => connect(peer.url), HandshakeError);
  assertEquals(attempts, 1);
  await assertRejects(
    () =>
      connect(peer.url, { failover: { startupMaxReconnectAttempts: 2, initialReconnectDelay: 0 } }),
    HandshakeError,
  );
  assertEquals(attempts, 3);
});

test("connect() goes on until a broker comes", async () => {
  let attempts = 0;
  await using peer = await fakePeer(async (transport) => {
    if (++attempts < 5) transport.close();
    else await accept(transport);
  });
  const connection = await connect(
    `failover:(${peer.url})?startupMaxReconnectAttempts=-1&initialReconnectDelay=1`,
  );
  assertEquals(attempts, 5);
  await connection.close();
});

test("a silent broker takes only its share of the time", async () => {
  await using silent = await fakePeer(readAway);
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(`failover:(${silent.url},${broker.url})?randomize=false`, {
    connectTimeout: 2000,
  });
  assertEquals(`tcp://${connection.remoteAddress}`, broker.url);
});

test("connect() tells what failed before the time was over", async () => {
  await using silent = await fakePeer(readAway);
  const dead = await deadUrl();
  const error = await assertRejects(
    () => connect(`failover:(${dead},${silent.url})?randomize=false`, { connectTimeout: 1000 }),
    TimeoutError,
  );
  assertEquals(error.message, `Cannot connect within 1000 ms: ${dead}: connection refused`);
  assertInstanceOf(error.cause, AggregateError);
  const endless = await assertRejects(
    () => connect(`failover:(${dead})?startupMaxReconnectAttempts=-1`, { connectTimeout: 1000 }),
    TimeoutError,
  );
  assertStringIncludes(endless.message, `${dead}: connection refused`);
});

test("the signal ends the wait before another attempt", async () => {
  const controller = new AbortController();
  await using peer = await fakePeer((transport) => {
    transport.close();
    setTimeout(() => controller.abort(new Error("enough")), 0);
    return Promise.resolve();
  });
  const url =
    `failover:(${peer.url})?startupMaxReconnectAttempts=-1&initialReconnectDelay=600000&maxReconnectDelay=600000`;
  await assertRejects(
    () => connect(url, { signal: controller.signal, failover: { reconnectJitter: 0 } }),
    Error,
    "enough",
  );
});

test("connect() leaves nothing at the signal", async () => {
  await using broker = await MemoryBroker.listen();
  const { signal } = new AbortController();
  let listeners = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners++;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners--;
    remove(...args);
  };
  const url = `failover:(${await deadUrl()},${broker.url})?randomize=false`;
  await (await connect(url, { signal })).close();
  await assertRejects(async () => await connect(await deadUrl(), { signal }), TransportError);
  assertEquals(listeners, 0);
});

test("what trying again can't change is thrown at once", async () => {
  let attempts = 0;
  await using broker = await MemoryBroker.listen({ users: { system: "manager" } });
  await using other = await fakePeer((transport) => {
    attempts++;
    return accept(transport);
  });
  const url =
    `failover:(${broker.url},${other.url})?randomize=false&startupMaxReconnectAttempts=-1`;
  await assertRejects(
    () => connect(url, { username: "system", password: "x" }),
    AuthenticationError,
  );
  assertEquals(attempts, 0);
});

test("credentials are asked for each broker that speaks OpenWire", async () => {
  await using broker = await MemoryBroker.listen({ users: { app: "token-1" } });
  let asked = 0;
  let refused = 0;
  await using peer = await fakePeer((transport) => {
    refused++;
    transport.close();
    return Promise.resolve();
  });
  const credentials = async () => {
    await Promise.resolve();
    return { username: "app", password: `token-${++asked}` };
  };
  const url = `failover:(${peer.url},${broker.url})?randomize=false`;
  await using _connection = await connect(url, {
    credentials,
    username: "other",
    password: "other",
  });
  assertEquals([refused, asked], [1, 1]);
});

test("credentials that can't be had end the attempt", async () => {
  await using broker = await MemoryBroker.listen();
  const failure = new Error("no token today");
  const error = await assertRejects(() =>
    connect(broker.url, { credentials: () => Promise.reject(failure) })
  );
  assertStrictEquals(error, failure);
  await assertRejects(
    () =>
      connect(broker.url, {
        credentials: () => {
          throw failure;
        },
      }),
    Error,
    "no token today",
  );
  // On a busy machine the time may be over before they are asked for.
  let asked = false;
  for (let connectTimeout = 50; !asked; connectTimeout *= 2) {
    const credentials = () => {
      asked = true;
      return new Promise<never>(() => {});
    };
    const late = await assertRejects(
      () => connect(broker.url, { credentials, connectTimeout }),
      TimeoutError,
    );
    if (!asked) continue;
    assertStringIncludes(
      late.message,
      `the option \`credentials\` took longer than ${connectTimeout} ms`,
    );
  }
});

/** The host that the client tells a broker. */
async function toldHost(
  url: (peer: string) => string,
  options: ConnectOptions = {},
): Promise<unknown> {
  const told = Promise.withResolvers<WireFormatInfo>();
  await using peer = await fakePeer(async (transport) => {
    const script = new Script(transport);
    told.resolve(await script.next() as WireFormatInfo);
    transport.close();
  });
  await assertRejects(() => connect(url(peer.url), options), HandshakeError);
  return decodePrimitiveMap((await told.promise).marshalledProperties).get("Host");
}

test("the broker is told the host of the URL, unless there are several", async () => {
  assertEquals(await toldHost((url) => url), "127.0.0.1");
  assertEquals(await toldHost((url) => `${url}?wireFormat.host=virtual`), "virtual");
  assertEquals(
    await toldHost((url) => `${url}?wireFormat.host=virtual`, { wireFormat: { host: "mine" } }),
    "mine",
  );
  const once = "startupMaxReconnectAttempts=1";
  assertEquals(await toldHost((url) => `failover:(${url})?${once}`), undefined);
  assertEquals(
    await toldHost((url) => `failover:(${url})?${once}&nested.wireFormat.host=virtual`),
    "virtual",
  );
});

test("options that can't be used are refused before anything is tried", async () => {
  const dead = await deadUrl();
  const cases: [url: string, options: ConnectOptions][] = [
    [dead, { connectTimeout: -1 }],
    [dead, { wireFormat: { version: 13 } }],
    [dead, { failover: { maxReconnectAttempts: -2 } }],
    [dead, { failover: { maxReconnectAttempts: 0.5 } }],
    [dead, { failover: { reconnectJitter: 1.1 } }],
    [dead, { failover: { reconnectDelayExponent: 0.5 } }],
    [dead, { failover: { initialReconnectDelay: -1 } }],
    [dead, { failover: { maxReconnectDelay: NaN } }],
    [dead, { socket: { connectTimeout: -1 } }],
    [dead, { prefetchPolicy: { all: 40_000 } }],
  ];
  for (const [url, options] of cases) await assertRejects(() => connect(url, options), RangeError);
});

test("waits between attempts become longer, up to a limit, and vary", () => {
  const none = resolveFailoverOptions({ reconnectJitter: 0 });
  const delays = (options: typeof none) =>
    [1, 2, 3, 12, 13, 5000].map((failures) => reconnectDelay(options, failures, () => 0.5));
  assertEquals(delays(none), [10, 20, 40, 20_480, 30_000, 30_000]);
  assertEquals(delays({ ...none, useExponentialBackOff: false }), [10, 10, 10, 10, 10, 10]);
  assertEquals(delays({ ...none, initialReconnectDelay: 0 }), [0, 0, 0, 0, 0, 0]);
  assertEquals(delays({ ...none, reconnectDelayExponent: 1 }), [10, 10, 10, 10, 10, 10]);
  assertEquals(delays({ ...none, maxReconnectDelay: 5 }), [5, 5, 5, 5, 5, 5]);
  // Full jitter: any time from nothing to the whole delay.
  assertEquals(delays(resolveFailoverOptions({})), [5, 10, 20, 10_240, 15_000, 15_000]);
  assertEquals(reconnectDelay({ ...none, reconnectJitter: 0.5 }, 1, () => 1), 5);
  assertThrows(() => resolveFailoverOptions({ reconnectJitter: 2 }), RangeError);
});

/** A search in which all fail, and what it did. */
function failingSearch(
  failover: Parameters<typeof resolveFailoverOptions>[0],
  passes: number,
  failure: Error,
): { search: Search<string, never>; seen: string[] } {
  const seen: string[] = [];
  const numbers = [0.9, 0.1, 0.6];
  const resolved = resolveFailoverOptions(failover);
  const brokers = ["a", "b", "c"];
  const random = (): number => {
    numbers.push(numbers.shift()!);
    return numbers.at(-1)!;
  };
  const search: Search<string, never> = {
    order: () => resolved.randomize ? shuffled(brokers, random) : brokers,
    failover: resolved,
    passes,
    failed: 0,
    failures: new Map(),
    signal: new AbortController().signal,
    attempt: (broker, left) => {
      seen.push(`${broker}${left}`);
      return Promise.reject(failure);
    },
    wait: (delay) => {
      seen.push(`wait ${delay}`);
      return Promise.resolve();
    },
    random,
  };
  return { search, seen };
}

test("brokers are tried in order, or in one of chance", async () => {
  const retryable = new OpenWireError("X", "x", { retryable: true });
  const ordered = failingSearch({ randomize: false, reconnectJitter: 0 }, 2, retryable);
  assertEquals(await tryBrokers(ordered.search), undefined);
  assertEquals(ordered.seen, ["a3", "b2", "c1", "wait 10", "a3", "b2", "c1"]);
  assertEquals([...ordered.search.failures.keys()], ["a", "b", "c"]);

  const random = failingSearch({}, 1, retryable);
  await tryBrokers(random.search);
  assertEquals(random.seen, ["b3", "a2", "c1"]);

  for (const failure of [new OpenWireError("X", "final"), new RangeError("final")]) {
    const final = failingSearch({ randomize: false }, 2, failure);
    assertStrictEquals(await assertRejects(() => tryBrokers(final.search)), failure);
    assertEquals(final.seen, ["a3"]);
  }

  const orders = new Set<string>();
  for (let i = 0; i < 1000 && orders.size < 6; i++) {
    orders.add(shuffled(["a", "b", "c"], Math.random).join(""));
  }
  assertEquals([...orders].sort(), ["abc", "acb", "bac", "bca", "cab", "cba"]);
});
