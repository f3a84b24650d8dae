/** Brokers that a function of the application finds, before each round of attempts to connect. */

import {
  connect,
  type Connection,
  type ConnectOptions,
  type FailoverOptions,
  type FindBrokers,
  type OpenWireError,
  TimeoutError,
  TransportError,
} from "../../mod.ts";
import { createConnectionControl } from "../../codec/mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { listen } from "../../transport/mod.ts";
import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { test } from "../_harness.ts";
import { credentials } from "../_secret.ts";
import { testOnBrokers } from "./_brokers.ts";
import { received } from "./_messages.ts";

const QUICK: FailoverOptions = {
  initialReconnectDelay: 1,
  maxReconnectDelay: 5,
  randomize: false,
};

/** Resolves with the next status of a type. */
async function statusOf(connection: Connection, type: string) {
  for await (const status of connection.status()) if (status.type === type) return status;
  throw new Error(`The connection has ended without "${type}"`);
}

/** A URL at which nobody listens. */
async function deadUrl(): Promise<string> {
  const listener = await listen();
  await listener.close();
  return `tcp://127.0.0.1:${listener.port}`;
}

/** A function whose results are given one after another, the last one again and again. */
function finding(...results: (() => unknown)[]): FindBrokers & { calls: number } {
  const find = () => {
    const result = results[Math.min(find.calls, results.length - 1)]!;
    find.calls++;
    return result() as string[];
  };
  find.calls = 0;
  return find;
}

testOnBrokers(
  "brokers are found before the first attempt and before each round",
  async (broker) => {
    const { url, name } = broker;
    const dead = await deadUrl();
    const brokers = finding(() => [dead], () => Promise.resolve([url]));
    await using connection = await connect([], { ...credentials, brokers, failover: QUICK });
    assertEquals([`tcp://${connection.remoteAddress}`, brokers.calls], [url, 2]);
    await connection.send(name, "hello");
    const consumer = await connection.createConsumer(name);
    assertEquals((await received(consumer)).text, "hello");
  },
);

test("a connection that is lost goes to a broker that has come since", async () => {
  await using one = await MemoryBroker.listen();
  await using two = await MemoryBroker.listen();
  const dead = await deadUrl();
  const brokers = finding(() => [one.url], () => [dead], () => [], () => [two.url]);
  await using connection = await connect("failover:()?randomize=false", {
    brokers,
    failover: QUICK,
  });
  assertEquals(`tcp://${connection.remoteAddress}`, one.url);
  const back = statusOf(connection, "resumed");
  await one.disconnectClients();
  await back;
  assertEquals([`tcp://${connection.remoteAddress}`, brokers.calls], [two.url, 4]);
});

test("an address that is not found any more is not tried", async () => {
  await using one = await MemoryBroker.listen();
  await using two = await MemoryBroker.listen();
  const seen: string[] = [];
  const brokers = finding(() => [one.url], () => [], () => [two.url]);
  await using connection = await connect([], {
    brokers,
    failover: QUICK,
    beforeConnect: (url) => void seen.push(url),
  });
  const back = statusOf(connection, "resumed");
  await one.disconnectClients();
  await back;
  assertEquals(seen, [one.url, two.url]);
});

test("each found broker may have options of its own, and has those for all", async () => {
  await using broker = await MemoryBroker.listen();
  const versions: [url: string, version: number][] = [
    [`${broker.url}?wireFormat.version=9&`, 9],
    [` ${broker.url}\n`, 10],
    [`failover:(${broker.url}?wireFormat.version=9)`, 9],
    [`static:(${broker.url},)?nested.wireFormat.version=8`, 8],
  ];
  for (const [url, version] of versions) {
    const all = version === 9 || version === 8 ? "" : "?nested.wireFormat.version=10";
    await using connection = await connect(`failover:()${all}`, { brokers: () => [url] });
    assertEquals(connection.wireFormat.version, version, url);
  }
  await using connection = await connect([], { brokers: () => [new URL(broker.url)] });
  assert(connection.connected);
});

test("the brokers of the URL are tried, too, and duplicates once", async () => {
  const [one, two, three] = [await deadUrl(), await deadUrl(), await deadUrl()];
  const seen: string[] = [];
  const brokers = () => [two, one, three, two.toUpperCase().replace("TCP", "tcp"), three];
  const error = await assertRejects(() =>
    connect(one, {
      brokers,
      failover: { ...QUICK, startupMaxReconnectAttempts: 2 },
      beforeConnect: (url) => void seen.push(url),
    }), TransportError);
  assertEquals(seen, [one, two, three, one, two, three]);
  assertEquals((error.cause as AggregateError).errors.length, 3);
});

test("the error tells of the brokers of the last round, and of no others", async () => {
  const dead = await Promise.all(Array.from({ length: 4 }, deadUrl));
  const brokers = finding(() => dead.slice(0, 2), () => dead.slice(2));
  const failover = { ...QUICK, startupMaxReconnectAttempts: 2 };
  const error = await assertRejects(() => connect([], { brokers, failover }), TransportError);
  const { errors } = error.cause as AggregateError;
  assertEquals(
    errors.map(({ message }) => message),
    dead.slice(2).map((url) => `Cannot connect to ${url}: connection refused`),
  );
});

test("a failure to find brokers counts no more when some were found", async () => {
  const [one, two] = [await deadUrl(), await deadUrl()];
  const brokers = finding(() => Promise.reject(new Error("no api")), () => [two]);
  for (const rounds of [1, 2]) {
    const failover = { ...QUICK, startupMaxReconnectAttempts: rounds };
    brokers.calls = 0;
    const error = await assertRejects(() => connect(one, { brokers, failover }), TransportError);
    // The one broker that is known has failed after that.
    const errors = (error.cause as AggregateError | undefined)?.errors ?? [error];
    const refused = (url: string) => `Cannot connect to ${url}: connection refused`;
    assertEquals(
      errors.map(({ message }: Error) => message),
      rounds === 1 ? [refused(one)] : [refused(one), refused(two)],
    );
  }
});

test("a connection to the broker of the URL is replaced by one to a found broker", async () => {
  await using two = await MemoryBroker.listen();
  for (const list of [false, true]) {
    await using one = await MemoryBroker.listen();
    const brokers = finding(() => [], () => [two.url]);
    await using connection = await connect(list ? [one.url] : one.url, { brokers });
    assertEquals(`tcp://${connection.remoteAddress}`, one.url);
    const back = statusOf(connection, "resumed");
    await one.suspend();
    await back;
    assertEquals(`tcp://${connection.remoteAddress}`, two.url);
  }
});

test("found brokers are tried in random order by default", async () => {
  const urls = await Promise.all(Array.from({ length: 4 }, deadUrl));
  const orders = new Set<string>();
  for (let i = 0; i < 200 && orders.size < 3; i++) {
    const seen: string[] = [];
    await assertRejects(() =>
      connect([], {
        brokers: () => urls,
        failover: { startupMaxReconnectAttempts: 1 },
        beforeConnect: (url) => void seen.push(url),
      })
    );
    orders.add(seen.join());
  }
  assertEquals(orders.size, 3);
});

test("the first of those that are found now is preferred", async () => {
  await using one = await MemoryBroker.listen();
  await using two = await MemoryBroker.listen();
  const brokers = finding(() => [one.url, two.url], () => [two.url, one.url]);
  const failover = { ...QUICK, randomize: true, priorityBackup: true };
  await using connection = await connect([], { brokers, failover });
  assertEquals(`tcp://${connection.remoteAddress}`, one.url);
  const back = statusOf(connection, "resumed");
  await one.disconnectClients();
  await back;
  assertEquals(`tcp://${connection.remoteAddress}`, two.url);
});

test("brokers that a broker has told of are tried beside those that are found", async () => {
  await using one = await MemoryBroker.listen();
  await using two = await MemoryBroker.listen();
  const accepted: string[] = [];
  const acceptBroker = (url: string): boolean => accepted.push(url) > 0;
  const failover = { ...QUICK, acceptBroker };
  await using connection = await connect([], { brokers: () => [one.url], failover });
  one.sendToClients(createConnectionControl({ connectedBrokers: two.url }));
  await connection.ping();
  const back = statusOf(connection, "resumed");
  await one.suspend();
  await back;
  assertEquals(`tcp://${connection.remoteAddress}`, two.url);
  // The application itself has found the other.
  assertEquals(accepted, [two.url]);
});

test("a function that fails is asked again, until connectTimeout is over", async () => {
  await using broker = await MemoryBroker.listen();
  const fail = (): never => {
    throw new Error("no\napi");
  };
  const brokers = finding(fail, () => Promise.reject(new Error("no api")), () => [], () => [
    broker.url,
  ]);
  const warnings: [string, string][] = [];
  const logger = {
    debug() {},
    info() {},
    error() {},
    warn: (text: string, { error }: Record<string, unknown>) =>
      void warnings.push([text, (error as Error).message]),
  };
  await using connection = await connect([], { brokers, failover: QUICK, logger });
  assertEquals([connection.connected, brokers.calls], [true, 4]);
  assertEquals(warnings, [["Cannot find brokers", "Cannot find brokers: no api"]]);
});

test("when no broker is found the error says why, with a cause", async () => {
  const cause = new Error("forbidden");
  const failover = { ...QUICK, startupMaxReconnectAttempts: 2 };
  const throwing = () => Promise.reject(cause);
  const thrown = await assertRejects(() => connect([], { brokers: throwing, failover }));
  assertInstanceOf(thrown, TransportError);
  assertEquals([thrown.code, thrown.message, thrown.retryable, thrown.cause], [
    "CONNECT_FAILED",
    "Cannot find brokers: forbidden",
    true,
    cause,
  ]);
  const empty = await assertRejects(() => connect([], { brokers: () => [], failover }));
  assertInstanceOf(empty, TransportError);
  assertEquals([empty.code, empty.message, empty.retryable], [
    "CONNECT_FAILED",
    "Cannot find brokers: the option brokers returned none",
    true,
  ]);
  const late = await assertRejects(() =>
    connect([], { brokers: () => [], failover: QUICK, connectTimeout: 50 })
  );
  assertInstanceOf(late, TimeoutError);
  assertEquals(
    late.message,
    "Cannot connect within 50 ms: Cannot find brokers: the option brokers returned none",
  );
});

test("a function that takes no end fails in time, and its signal is aborted", async () => {
  let asked: AbortSignal | undefined;
  const brokers: FindBrokers = (signal) => {
    asked = signal;
    return new Promise(() => {});
  };
  const error = await assertRejects(() => connect([], { brokers, connectTimeout: 30 }));
  assertInstanceOf(error, TimeoutError);
  assertEquals(error.message, "Cannot connect: the option `brokers` took longer than 30 ms");
  assert(asked!.aborted);
  const abort = new AbortController();
  const opening = connect([], { brokers, connectTimeout: 0, signal: abort.signal });
  const reason = new Error("enough");
  abort.abort(reason);
  assertEquals(await assertRejects(() => opening), reason);
});

test("when the function fails brokers that are known are tried", async () => {
  await using one = await MemoryBroker.listen();
  await using two = await MemoryBroker.listen();
  const never = () => new Promise(() => {});
  const fail = () => Promise.reject(new Error("no api"));
  // As the first thing, those of the URL.
  for (const result of [never, fail]) {
    await using connection = await connect(one.url, {
      brokers: finding(result),
      failover: QUICK,
      connectTimeout: 2000,
    });
    assertEquals(`tcp://${connection.remoteAddress}`, one.url);
  }
  // Later, those that were found.
  for (const result of [never, fail, () => [1], () => "text", () => ["foo://bar"]]) {
    const brokers = finding(() => [one.url, two.url], result);
    await using connection = await connect([], {
      brokers,
      failover: QUICK,
      connectTimeout: 2000,
    });
    assertEquals(`tcp://${connection.remoteAddress}`, one.url);
    const back = statusOf(connection, "resumed");
    await one.disconnectClients();
    await back;
    assertEquals(`tcp://${connection.remoteAddress}`, two.url);
  }
});

test("while reconnecting a function that fails without known brokers is asked again", async () => {
  await using one = await MemoryBroker.listen();
  const results: (() => unknown)[] = [
    () => [one.url],
    () => [],
    () => Promise.reject(new Error("no api")),
    () => 1,
    () => [1],
    () => ["foo://bar"],
    () => [one.url],
  ];
  const brokers = finding(...results);
  await using connection = await connect([], { brokers, failover: QUICK });
  const errors: string[] = [];
  const watching = (async () => {
    for await (const { type, error } of connection.status()) {
      if (type === "reconnecting") errors.push((error as OpenWireError).code);
      if (type === "resumed") return;
    }
  })();
  await one.disconnectClients();
  await watching;
  assertEquals(brokers.calls, results.length);
  assertEquals(errors, Array.from({ length: 5 }, () => "CONNECT_FAILED"));
});

test("a connection that may not reconnect any more ends with the reason", async () => {
  await using one = await MemoryBroker.listen();
  const brokers = finding(() => [one.url], () => []);
  const failover = { ...QUICK, maxReconnectAttempts: 2 };
  const connection = await connect([], { brokers, failover });
  await one.disconnectClients();
  assertEquals(
    (await connection.closed)?.message,
    "The connection was lost for good. Cannot reconnect to any of the brokers: " +
      "Cannot find brokers: the option brokers returned none",
  );
  assertEquals(brokers.calls, 3);
});

test("values that are no brokers are thrown at once", async () => {
  const dead = await deadUrl();
  const cases: [value: unknown, message: string][] = [
    [undefined, "the option brokers returned a value of type undefined, an array of URLs"],
    [null, "a value of type null"],
    ["tcp://secret", "a value of type string"],
    [new Set([dead]), "a value of type Set"],
    [{ host: "secret" }, "a value of type Object"],
    [[dead, undefined], "Cannot use a value of type undefined as the broker URL"],
    [[61616], "a value of type number as the broker URL"],
    [[{ host: "secret", port: 1 }], "Write host and port as tcp://host:port"],
    [[""], "an address is missing"],
    [["localhost:61616"], "the scheme is missing"],
    [["amqp://secret:5672"], "AMQP"],
    [["failover:()"], "an address is missing"],
    [[`${dead}?jms.password=secret`], "is not one of a single broker"],
    [[`${dead}?wireFormat.version=99`], "the option wireFormat.version is wrong"],
  ];
  for (const [value, message] of cases) {
    // Even when the URL has a broker.
    for (const url of [[], dead]) {
      const brokers = finding(() => value);
      const error = await assertRejects(() => connect(url, { brokers }), Error, message);
      assert(error instanceof TypeError || error instanceof TransportError);
      assertEquals(brokers.calls, 1);
      assert(!error.message.includes("secret"), error.message);
    }
  }
});

test("options that would have no effect with found brokers are refused", async () => {
  const plain = await deadUrl();
  const cases: [options: ConnectOptions, message: string][] = [
    [{ tls: { verifyHostName: false }, brokers: () => [plain] }, "without an ssl:// URL"],
    [{
      transport: () => {
        throw new Error("called");
      },
      brokers: () => [`${plain}?tcpNoDelay=false`],
    }, "options of the socket"],
    [{ brokers: "tcp://secret" as unknown as FindBrokers }, "a function is expected"],
    [{ brokers: [plain] as unknown as FindBrokers }, "a function is expected"],
  ];
  for (const [options, message] of cases) {
    const error = await assertRejects(() => connect([], options), TypeError, message);
    assert(!error.message.includes("secret"));
  }
});

test("found brokers can be of any scheme for a transport of the application", async () => {
  await using broker = new MemoryBroker();
  const seen: string[] = [];
  await using _ = await connect([], {
    brokers: () => ["unix:/run/broker.sock"],
    transport: (address) => {
      seen.push(address);
      return broker.connect();
    },
  });
  assertEquals(seen, ["unix:/run/broker.sock"]);
});

test("a URL without brokers is refused when nobody finds any", async () => {
  await assertRejects(() => connect([]), TypeError, "a URL is expected");
  await assertRejects(() => connect("failover:()"), TransportError, "an address is missing");
  await assertRejects(
    () => connect((() => []) as unknown as string),
    TypeError,
    "A function can be given as the option `brokers`",
  );
});
