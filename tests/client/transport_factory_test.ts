/** Connections that a function of the application makes: for each attempt, to addresses of any scheme. */

import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createConnection, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex } from "node:stream";
import {
  connect,
  type Connection,
  type ConnectOptions,
  type FailoverOptions,
  HandshakeError,
  OpenWireError,
  TimeoutError,
  type Transport,
  TransportError,
  type TransportFactory,
} from "../../mod.ts";
import { createConnectionControl, decodePrimitiveMap } from "../../codec/mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { dial, memoryPair } from "../../transport/mod.ts";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
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

testOnBrokers(
  "a connection that a function has made is replaced when it is lost",
  async ({ url, name }) => {
    const addresses: string[] = [];
    const made: Transport[] = [];
    const transport: TransportFactory = async (address, signal) => {
      addresses.push(address);
      const transport = await dial(url, { signal });
      made.push(transport);
      return transport;
    };
    await using connection = await connect("ws://gateway.example/broker", {
      ...credentials,
      transport,
      failover: QUICK,
    });
    const consumer = await connection.createConsumer(name);
    const back = statusOf(connection, "resumed");
    made[0]!.close();
    await back;
    await connection.send(name, "after");
    assertEquals((await received(consumer)).text, "after");
    assertEquals(addresses, ["ws://gateway.example/broker", "ws://gateway.example/broker"]);
    assertEquals(connection.stats().reconnections, 1);
  },
);

test("the function gets the address without its options, of known schemes with the port", async () => {
  await using broker = new MemoryBroker();
  const cases: [url: string, address: string][] = [
    ["tcp://Broker.example?jms.clientID=a", "tcp://broker.example:61616"],
    ["nio+ssl://broker.example", "ssl://broker.example:61617"],
    ["tcp://bücher.example", "tcp://xn--bcher-kva.example:61616"],
    ["tcp://[::1]:1", "tcp://[::1]:1"],
    ["ws://Gateway.example:8080/a%20b?wireFormat.version=10", "ws://Gateway.example:8080/a%20b"],
    ["wss://gateway.example", "wss://gateway.example"],
    ["unix:/run/Broker.sock", "unix:/run/Broker.sock"],
    ["unix:///run/broker.sock", "unix:///run/broker.sock"],
    ["npipe:////./pipe/broker", "npipe:////./pipe/broker"],
    ["http://proxy:3128", "http://proxy:3128"],
    [broker.url, "vm://memory"],
    ["failover:(unix:/run/a.sock)?jms.clientID=a", "unix:/run/a.sock"],
    ["failover:unix:/run/a.sock", "unix:/run/a.sock"],
  ];
  for (const [url, address] of cases) {
    const seen: string[] = [];
    await using _ = await connect(url, {
      transport: (address, signal) => {
        assert(!signal.aborted);
        seen.push(address);
        return broker.connect();
      },
      beforeConnect: (address) => void seen.push(address),
    });
    assertEquals(seen, [address, address], url);
  }
});

test("the broker is told the host of its own addresses only", async () => {
  await using broker = new MemoryBroker();
  for (const [url, host] of [["tcp://one:1", "one"], ["ws://gateway/two"], ["unix:/run/a.sock"]]) {
    const hosts: unknown[] = [];
    await using _ = await connect(url!, {
      transport: () => broker.connect(),
      inspect: (command, direction) => {
        if (command.dataType !== "WireFormatInfo" || direction === "received") return;
        hosts.push(decodePrimitiveMap(command.marshalledProperties!).get("Host"));
      },
    });
    assertEquals(hosts, [host], url);
  }
});

test("addresses with a secret, and those that make no sense, are refused", async () => {
  const transport = (): never => {
    throw new Error("The function is called");
  };
  const cases: [url: string, reason: string][] = [
    ["ws://app:secret@gateway", "user name and password belong into the options"],
    ["unix:/run/secret.sock#part", "`#` is written %23"],
    ["unix:/run/the secret.sock", "white space or a control character"],
    ["unix:/run/secret\u0007.sock", "white space or a control character"],
    [`unix:/${"secret/".repeat(200)}`, "more than 1024 characters"],
    ["ws://gateway?token=secret", "there is no option token"],
    ["gateway.example:8080", "the scheme is missing"],
    ["tcp:/secret", "two slashes"],
    ["failover:()", "an address is missing"],
  ];
  for (const [url, reason] of cases) {
    const error = await assertRejects(() => connect(url, { transport }), TransportError, reason);
    assert(!error.message.includes("secret"), error.message);
  }
});

test("each broker of a list is tried with the function, and again in the next round", async () => {
  await using broker = new MemoryBroker();
  const seen: string[] = [];
  const transport: TransportFactory = (address) => {
    seen.push(address);
    if (seen.length < 4) throw new Error(`no way to ${address}`);
    return broker.connect();
  };
  await using _ = await connect(["unix:/a", "unix:/b"], { transport, failover: QUICK });
  assertEquals(seen, ["unix:/a", "unix:/b", "unix:/a", "unix:/b"]);
});

test("what the function throws is a failed attempt with a cause", async () => {
  const own = new OpenWireError("X", "not now");
  const refused = new TransportError("CONNECTION_REFUSED", "refused", { retryable: true });
  const cause = new Error("no\nroute");
  const cases: [thrown: unknown, code: string, retryable: boolean][] = [
    [cause, "CONNECT_FAILED", true],
    ["a text", "CONNECT_FAILED", true],
    [undefined, "CONNECT_FAILED", true],
    [new TypeError("bug"), "CONNECT_FAILED", true],
    [own, "CONNECT_FAILED", false],
    [refused, "CONNECTION_REFUSED", true],
  ];
  for (const [thrown, code, retryable] of cases) {
    for (
      const transport of [
        (): never => {
          throw thrown;
        },
        () => Promise.reject(thrown),
      ]
    ) {
      const error = await assertRejects(() => connect("ws://gateway", { transport }));
      assertInstanceOf(error, TransportError);
      assertEquals([error.code, error.retryable], [code, retryable]);
      if (code === "CONNECT_FAILED") {
        assert(error.message.startsWith("Cannot connect to ws://gateway: "), error.message);
        assert("cause" in error && !error.message.includes("\n"));
      }
      if (thrown === own) assertEquals(error.cause, own);
    }
  }
});

test("attempts go on for as long as the function throws, and tell of each round", async () => {
  await using broker = new MemoryBroker();
  let calls = 0;
  const transport: TransportFactory = () => {
    calls++;
    if (calls === 2 || calls === 3) throw new Error("no way");
    return broker.connect();
  };
  const warnings: string[] = [];
  const logger = { debug() {}, info() {}, error() {}, warn: (text: string) => warnings.push(text) };
  await using connection = await connect("ws://gateway", { transport, failover: QUICK, logger });
  const failed = statusOf(connection, "reconnecting");
  const back = statusOf(connection, "resumed");
  await broker.disconnectClients();
  const { error } = await failed;
  assertEquals((error as OpenWireError).message, "Cannot connect to ws://gateway: no way");
  await back;
  assertEquals(calls, 4);
  assert(warnings.includes("Cannot connect to the broker"));
});

test("a function that returns no new transport ends it with a TypeError", async () => {
  await using broker = new MemoryBroker();
  const [used, peer] = memoryPair();
  const reader = used.readable.getReader();
  const cases: [returned: unknown, message: string][] = [
    [undefined, "returned a value of type undefined, a Transport is expected"],
    [null, "returned a value of type null"],
    ["ws://secret", "returned a value of type string"],
    [{ readable: used.readable, writable: used.writable }, "returned a value of type Object"],
    [new TransformStream(), "returned a value of type TransformStream"],
    [used, "returned one that is in use already"],
  ];
  for (const [returned, message] of cases) {
    let first = true;
    const transport = (): Transport => {
      if (!first) return returned as Transport;
      first = false;
      return broker.connect();
    };
    const failover = QUICK;
    // While reconnecting, too.
    const connection = await connect("ws://gateway", { transport, failover });
    await broker.disconnectClients();
    const ended = await connection.closed;
    assertInstanceOf(ended as Error, TypeError);
    assertStringIncludes(ended!.message, message);
    const error = await assertRejects(
      () => connect("ws://gateway", { transport, failover }),
      TypeError,
      message,
    );
    assert(!error.message.includes("secret"));
  }
  reader.releaseLock();
  used.close();
  peer.close();
});

test("a transport that comes too late is closed, and the signal tells of it", async () => {
  for (const parent of ["deadline", "signal"]) {
    const [late, peer] = memoryPair();
    const asked = Promise.withResolvers<AbortSignal>();
    const answer = Promise.withResolvers<Transport>();
    const transport = (_: string, signal: AbortSignal): Promise<Transport> => {
      asked.resolve(signal);
      return answer.promise;
    };
    const abort = new AbortController();
    const opening = connect("unix:/run/broker.sock", {
      transport,
      connectTimeout: parent === "deadline" ? 20 : 0,
      signal: abort.signal,
    });
    const signal = await asked.promise;
    const reason = new Error("enough");
    if (parent === "signal") abort.abort(reason);
    const error = await assertRejects(() => opening);
    assert(signal.aborted);
    if (parent === "signal") assertEquals(error, reason);
    else {
      assertInstanceOf(error, TimeoutError);
      assertEquals(error.message, "Cannot connect: the option `transport` took longer than 20 ms");
    }
    answer.resolve(late);
    await late.closed;
    assertEquals((await peer.readable.getReader().read()).done, true);
    peer.close();
  }
});

test("what comes too late and is no transport disturbs nobody", async () => {
  const answer = Promise.withResolvers<Transport>();
  const options: ConnectOptions = { transport: () => answer.promise, connectTimeout: 5 };
  await assertRejects(() => connect("unix:/run/broker.sock", options), TimeoutError);
  answer.resolve(undefined as unknown as Transport);
  const failing = Promise.withResolvers<Transport>();
  const others: ConnectOptions = { transport: () => failing.promise, connectTimeout: 5 };
  await assertRejects(() => connect("unix:/run/broker.sock", others), TimeoutError);
  failing.reject(new Error("too late, too"));
  await new Promise((resolve) => setTimeout(resolve, 0));
});

test("one broker that takes no end leaves time for the next", async () => {
  await using broker = new MemoryBroker();
  const transport: TransportFactory = (address, signal) => {
    if (address === "unix:/b") return broker.connect();
    return new Promise((_, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason), { once: true })
    );
  };
  await using connection = await connect(["unix:/a", "unix:/b"], {
    transport,
    failover: QUICK,
    connectTimeout: 2000,
  });
  assert(connection.connected);
});

test("a lost connection without failover is not replaced", async () => {
  await using broker = new MemoryBroker();
  let calls = 0;
  const transport = (): Transport => {
    calls++;
    return broker.connect();
  };
  const connection = await connect("ws://gateway", { transport });
  await broker.disconnectClients();
  assertInstanceOf(await connection.closed, OpenWireError);
  assertEquals(calls, 1);
});

test("a ready transport is refused where it would have to be used again", async () => {
  const [transport, peer] = memoryPair();
  const cases: [url: string | string[], options: ConnectOptions][] = [
    ["tcp://memory", { failover: {} }],
    ["tcp://memory", { failover: { maxReconnectAttempts: 0 } }],
    ["failover:(tcp://memory)", {}],
    ["static:(tcp://a,tcp://b)", {}],
    ["masterslave:(tcp://a,tcp://b)", {}],
    [["tcp://a", "tcp://b"], {}],
    [["tcp://a"], {}],
    [[], { brokers: () => [] }],
    ["tcp://a", { brokers: () => [] }],
  ];
  for (const [url, options] of cases) {
    await assertRejects(
      () => connect(url, { ...options, transport }),
      TypeError,
      "Cannot use a transport with failover or several brokers, for it can be used once: " +
        "give a function that makes one, (address, signal) => …",
    );
  }
  peer.close();
  await assertRejects(() => connect("tcp://memory", { transport }), HandshakeError);
});

test("what is no transport is refused before anything is tried", async () => {
  for (const transport of [null, "ws://secret", 1, {}, new TransformStream()]) {
    const error = await assertRejects(
      () => connect("tcp://memory", { transport: transport as Transport }),
      TypeError,
      "Cannot use the option transport: it is a value of type",
    );
    assert(!error.message.includes("secret"));
  }
});

test("options of TLS and of the socket are refused beside a transport", async () => {
  const [ready, peer] = memoryPair();
  const tls = "Cannot use options of TLS without an ssl:// URL, or with a transport";
  const socket = "Cannot use options of the socket with a transport";
  for (const transport of [ready, () => ready]) {
    const cases: [url: string, options: ConnectOptions, message: string][] = [
      ["tcp://memory", { socket: { noDelay: false } }, socket],
      ["ssl://memory", { tls: { verifyHostName: false } }, tls],
      ["tcp://memory?tcpNoDelay=true", {}, socket],
      ["ssl://memory?socket.verifyHostName=false", {}, tls],
    ];
    for (const [url, options, message] of cases) {
      await assertRejects(() => connect(url, { ...options, transport }), TypeError, message);
    }
  }
  ready.close();
  peer.close();
});

test("brokers that a broker tells of go to the function, but none of another scheme", async () => {
  for (
    const [url, told, then] of [
      ["tcp://one", "tcp://two:1", "tcp://two:1"],
      ["ssl://one", "tcp://two:1,ssl://three:1", "ssl://three:1"],
      ["ws://one", "tcp://two:1,wss://three,ws://four", "ws://four"],
      ["unix:/one", "tcp://two:1", "unix:/one"],
    ] as const
  ) {
    await using broker = new MemoryBroker();
    const seen: string[] = [];
    const transport: TransportFactory = (address) => {
      seen.push(address);
      return broker.connect();
    };
    await using connection = await connect(url, { transport, failover: QUICK });
    const back = statusOf(connection, "resumed");
    broker.sendToClients(
      createConnectionControl({ connectedBrokers: told, rebalanceConnection: true }),
    );
    if (then === url) await broker.disconnectClients();
    await back;
    assertEquals(seen[1], then);
  }
});

test("priorityURIs may be of any scheme, too", async () => {
  await using broker = new MemoryBroker();
  const seen: string[] = [];
  const transport: TransportFactory = (address) => {
    seen.push(address);
    return broker.connect();
  };
  const url = "failover:(unix:/a,unix:/b)?priorityBackup=true&priorityURIs=unix:/b";
  await using _ = await connect(url, { transport });
  assertEquals(seen[0], "unix:/b");
});

test("a broker behind a unix socket is reached, and again when the connection was lost", async () => {
  await using broker = new MemoryBroker();
  const folder = mkdtempSync(join(tmpdir(), "openwire-"));
  const path = join(folder, "broker.sock");
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const upstream = broker.connect();
    const { readable, writable } = Duplex.toWeb(socket) as unknown as Transport;
    Promise.all([readable.pipeTo(upstream.writable), upstream.readable.pipeTo(writable)])
      .catch(() => {})
      .finally(() => {
        upstream.close();
        socket.destroy();
      });
  });
  server.listen(path);
  await once(server, "listening");
  // As docs/connecting.md has it.
  const transport: TransportFactory = async (address, signal) => {
    const socket = createConnection({ path: address.replace("unix:", ""), signal });
    await once(socket, "connect", { signal });
    const closed = once(socket, "close").then(() => {}, () => {});
    const close = () => void socket.destroy();
    return { ...Duplex.toWeb(socket), closed, remoteAddress: address, close } as Transport;
  };
  {
    await using connection = await connect(`unix:${path}`, { transport, failover: QUICK });
    assertEquals(connection.remoteAddress, `unix:${path}`);
    const consumer = await connection.createConsumer("orders");
    const back = statusOf(connection, "resumed");
    for (const socket of sockets) socket.destroy();
    await back;
    await connection.send("orders", "hello");
    assertEquals((await received(consumer)).text, "hello");
    // Nobody listens any more.
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
    const failed = await statusOf(connection, "reconnecting");
    assertEquals((failed.error as OpenWireError).code, "CONNECT_FAILED");
  }
  rmSync(folder, { recursive: true });
});
