/** The password goes to the broker, and to nobody else. */

import {
  connect,
  type Connection,
  type ConnectionStatus,
  type ConnectOptions,
  type LogFields,
  OpenWireError,
} from "../../mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { credentials, leakIn, LeakScanner, SECRET } from "../_secret.ts";
import { test } from "../_harness.ts";
import { testOnBrokers } from "./_brokers.ts";
import { fakePeer, Script } from "./_fake_broker.ts";
import { leakWithin, printed } from "./_leaks.ts";
import { received } from "./_messages.ts";

/** Fails when the password can be reached or seen. */
function assertClean(what: string, value: unknown): void {
  assertEquals(leakWithin(value), undefined, what);
  for (const text of printed(value)) assertEquals(leakIn(text), undefined, what);
}

/** Keeps all that a connection shows. */
function keeping() {
  const shown: unknown[] = [];
  const log = (message: string, fields: LogFields) => void shown.push(message, fields);
  const options: ConnectOptions = {
    inspect: (command) => void shown.push(command),
    logger: { debug: log, info: log, warn: log, error: log },
    hooks: {
      send: (operation, next) => {
        shown.push(operation.attributes, operation);
        return next();
      },
      receive: (operation) => void shown.push(operation.attributes, operation),
      settle: (operation, next) => {
        shown.push(operation.attributes, operation);
        return next();
      },
    },
  };
  return { shown, options };
}

testOnBrokers("the password can't be reached from a connection, nor seen", async (broker) => {
  const { shown, options } = keeping();
  const connection = await broker.connect({ ...options, ...credentials });
  const session = await connection.createSession({ acknowledgeMode: "individual" });
  const producer = await session.createProducer(broker.name);
  const consumer = await session.createConsumer(broker.name);
  await producer.send("hello");
  const message = await received(consumer);
  await message.ack();
  const temporary = await connection.createTemporaryQueue();
  const statuses: ConnectionStatus[] = [];
  const watching = (async () => {
    for await (const status of connection.status()) statuses.push(status);
  })();
  const all = {
    connection,
    session,
    producer,
    consumer,
    message,
    temporary,
    broker: broker.memory,
  };
  for (const [what, value] of Object.entries(all)) assertClean(what, value);
  assertClean("stats", connection.stats());
  connection.abort(new Error("enough"));
  await watching;
  for (const [what, value] of Object.entries(all)) assertClean(`${what} after the end`, value);
  assertClean("what was shown", shown);
  assertClean("statuses", statuses);
  assertClean("the end", await connection.closed);
  assert(shown.length > 10 && statuses.length > 0);
});

/** URLs that are wrong somewhere, or lead nowhere. */
function badUrls(url: string): string[] {
  const [scheme, rest] = url.split("://");
  const encoded = encodeURIComponent(SECRET);
  const query = `jms.userName=app&jms.password=${encoded}`;
  return [
    `${scheme}://app:${encoded}@${rest}`,
    `failover:(${scheme}://app:${encoded}@${rest})`,
    `${url}?jms.userName=app&jms.password=${SECRET}`,
    `${url}?${query}&jms.nothing=1`,
    `${url}?${query}&trace=true`,
    `${url}?${query}&wireFormat.version=99`,
    `${url}?password=${encoded}`,
    `${url}?jms.pasword=${encoded}`,
    `${url}?${query}#${encoded}`,
    `${url}?${query}?${encoded}`,
    `failover:(${url}?${query})`,
    `failover:(${url})?${query}&nested.jms.password=${encoded}`,
    `failover:(${url}?${query}`,
    `ssl://127.0.0.1:1?${query}`,
    `tcp://127.0.0.1:1?${query}`,
    `failover:(tcp://127.0.0.1:1,tcp://127.0.0.1:2)?${query}&startupMaxReconnectAttempts=1`,
    `${encoded}://127.0.0.1:1`,
    `tcp://${encoded}:1`,
    `amqp://app:${encoded}@127.0.0.1`,
  ];
}

testOnBrokers("the password is in no error", async ({ url, connect: connectTo }) => {
  const { shown, options } = keeping();
  const errors: unknown[] = [];
  const failing = async (attempt: () => Promise<Connection>): Promise<void> => {
    const connection = await attempt().catch((error) => void errors.push(error));
    await connection?.close();
  };
  await failing(() => connectTo({ ...options, username: "app", password: `${SECRET}!` }));
  await failing(() => connectTo({ ...options, username: "system", password: SECRET }));
  await failing(() =>
    connectTo({ ...options, credentials: () => ({ username: "nobody", password: SECRET }) })
  );
  assertEquals(errors.length, 3);
  for (const bad of badUrls(url)) {
    const before = errors.length;
    await failing(() => connect(bad, { ...options, connectTimeout: 3000 }));
    assertEquals(errors.length, before + 1, "there is an error");
  }
  for (const error of errors) {
    assertInstanceOf(error, OpenWireError);
    assertClean("an error", error);
  }
  assertClean("what was shown", shown);
}, { timeout: 60_000 });

test("the password is in no error of a handshake that breaks, or of one with a broker that repeats it", async () => {
  for (const answers of [0, 1, 2, 3]) {
    const { shown, options } = keeping();
    await using peer = await fakePeer(async (transport) => {
      const script = new Script(transport);
      if (answers > 0) await script.send(script.format.info());
      for (let i = 0; i < answers; i++) await script.next();
    });
    const error = await connect(peer.url, { ...options, ...credentials, connectTimeout: 500 })
      .catch((reason) => reason);
    assertInstanceOf(error, OpenWireError);
    assertClean("an error", error);
    assertClean("what was shown", shown);
  }
});

test("what is given as user name, password or TLS by mistake is in no error", async () => {
  await using broker = await MemoryBroker.listen();
  const pin = 987654321987;
  const others = [pin, BigInt(pin), [SECRET], { a: SECRET }, Object(SECRET), () => SECRET, true];
  const cases: [name: string, values: unknown[]][] = [
    ["username", others],
    ["password", others],
    ["credentials", [SECRET, pin, [SECRET], { username: SECRET }, null, Object(SECRET)]],
    ["credentials", others.map((password) => () => ({ username: "app", password }))],
    ["credentials", [SECRET, pin, null, undefined].map((given) => () => given)],
    ["beforeConnect", [SECRET, pin, [SECRET], null]],
    ["inspect", [SECRET, pin, [SECRET], null]],
  ];
  const secure = broker.url.replace("tcp:", "ssl:");
  const tls: unknown[] = [
    SECRET,
    pin,
    () => SECRET,
    ...others.flatMap((value) => [
      { caCerts: value },
      { cert: value, key: value },
      { cert: "-----BEGIN CERTIFICATE-----", key: value },
      { cert: value },
    ]),
    { verifyHostName: SECRET },
    { verifyHostName: null },
    { insecureSkipVerify: "false" },
    { insecureSkipVerify: pin },
  ];
  const attempts: [url: string, options: object][] = [
    ...cases.flatMap(([name, values]) =>
      values.map((value): [string, object] => [broker.url, { [name]: value }])
    ),
    ...tls.map((value): [string, object] => [secure, { tls: value }]),
  ];
  for (const [url, wrong] of attempts) {
    const { shown, options } = keeping();
    const error = await assertRejects(() => connect(url, { ...options, ...wrong }), TypeError);
    assertClean("an error", error);
    assertClean("what was shown", shown);
    assert(!`${error.message} ${error.stack}`.includes(String(pin)), error.message);
  }
});

test("a private key is in no error, and can't be reached from a connection", async () => {
  const pem = (what: string): string =>
    `-----BEGIN ${what}-----\n${btoa(SECRET)}\n-----END ${what}-----\n`;
  const tls = { cert: pem("CERTIFICATE"), key: pem("PRIVATE KEY"), caCerts: pem("CERTIFICATE") };
  const { shown, options } = keeping();
  await using broker = await MemoryBroker.listen();
  const error = await connect(broker.url.replace("tcp:", "ssl:"), { ...options, tls })
    .catch((reason) => reason);
  assert(error instanceof Error);
  assertClean("an error", error);
  // Among several brokers one may be without TLS.
  const url = `failover:(${broker.url},ssl://127.0.0.1:1)?randomize=false`;
  await using connection = await connect(url, { ...options, tls });
  await connection.ping();
  assertClean("the connection", connection);
  assertClean("what was shown", shown);
});

test("the password is in nothing that shows the broker in memory", async () => {
  await using broker = await MemoryBroker.listen({ users: { app: SECRET } });
  await using connection = await connect(broker.url, credentials);
  await connection.ping();
  assertClean("the broker", broker);
});

test("the password would be found in all its forms", () => {
  const bytes = new TextEncoder().encode(SECRET);
  const base64 = (before: string): string => btoa(`${before}${SECRET}`);
  const forms = [
    `x${SECRET}x`,
    encodeURIComponent(SECRET),
    `${new URLSearchParams({ password: SECRET })}`,
    ...["", "a", "ab", "app:", "user:"].map(base64),
    JSON.stringify({ password: SECRET }),
    Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(""),
    [...SECRET].join("\0"),
    `Uint8Array(${bytes.length}) [ ${Array.from(bytes).join(", ")} ]`,
  ];
  for (const form of forms) assert(leakIn(form) !== undefined, form);
  assertEquals(leakIn("Xy7/correct horse"), undefined);

  const scanner = new LeakScanner();
  for (const byte of new TextEncoder().encode(`before ${SECRET} after`)) {
    scanner.push(Uint8Array.of(byte));
  }
  assertEquals([scanner.found, scanner.first], [1, "before "]);

  const hidden = {
    get options() {
      return new Map([["a", new Error("x", { cause: { password: SECRET } })]]);
    },
  };
  assertEquals(leakWithin(hidden) !== undefined, true);
});
