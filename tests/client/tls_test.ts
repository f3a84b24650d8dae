import { connect, HandshakeError, type Logger, TransportError } from "../../mod.ts";
import { dial, listen, memoryPair, type Transport } from "../../transport/mod.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import process from "node:process";
import { test } from "../_harness.ts";
import { broker, brokers, brokerSkip, skipWithout, wantedBrokers } from "../broker/env.ts";
import { BROKER_TITLES } from "../broker/results.ts";
import { Authority } from "../certificates/certificate.ts";
import { startTlsServer } from "../transport/_tls_server.ts";
import { freshName } from "./_brokers.ts";

const credentials = { username: "system", password: "manager" };
const stranger = await Authority.create("Stranger");

/** Bun before 1.4.4 closes the connection and doesn't say why. */
const losesAlerts = /^1\.4\.[0-3]$/.test(process.versions.bun ?? "");

/** Passes bytes on without a look at them, and cuts connections. */
class Relay implements AsyncDisposable {
  readonly #listener: Awaited<ReturnType<typeof listen>>;
  readonly #open: Set<Transport> = new Set();
  readonly #accepting: Promise<void>;
  /** Where those who connect from now on are led. */
  target: string;

  private constructor(listener: Awaited<ReturnType<typeof listen>>, target: string) {
    this.#listener = listener;
    this.target = target;
    this.#accepting = this.#accept();
  }

  static async start(target: string): Promise<Relay> {
    return new Relay(await listen(), target);
  }

  /** By the name that the broker's certificate has. */
  get url(): string {
    return `ssl://localhost:${this.#listener.port}`;
  }

  /** Ends all connections as a cable does that is cut, without a word. */
  cut(): void {
    for (const transport of this.#open) transport.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener.close();
    this.cut();
    await this.#accepting;
  }

  async #accept(): Promise<void> {
    const passing: Promise<void>[] = [];
    for await (const client of this.#listener) {
      const target = await dial(this.target.replace("ssl:", "tcp:"));
      passing.push(this.#pass(client, target), this.#pass(target, client));
    }
    await Promise.all(passing);
  }

  async #pass(from: Transport, to: Transport): Promise<void> {
    this.#open.add(from);
    await from.readable.pipeTo(to.writable).catch(() => {});
    from.close();
    to.close();
    await from.closed;
    this.#open.delete(from);
  }
}

for (const kind of wantedBrokers) {
  const title = BROKER_TITLES[kind];
  const options = { skip: skipWithout(kind) };

  test(`messages go over TLS (${title})`, async () => {
    const { urls: { ssl }, tls: { caCerts } } = brokers[kind]!;
    await using connection = await connect(ssl, { ...credentials, tls: { caCerts } });
    const name = freshName();
    const text = "x".repeat(300_000);
    for (let count = 0; count < 10; count++) await connection.send(name, text + count);
    const consumer = await connection.createConsumer(name);
    for (let count = 0; count < 10; count++) {
      assertEquals((await consumer.receive())?.text, text + count);
    }
  }, options);

  test(`a broker that wants a certificate gets it (${title})`, async () => {
    const { urls: { mutualSsl }, tls } = brokers[kind]!;
    await using connection = await connect(mutualSsl, { ...credentials, tls });
    const name = freshName();
    await connection.send(name, "hello");
    const consumer = await connection.createConsumer(name);
    assertEquals((await consumer.receive())?.text, "hello");
  }, options);

  test(
    `connect() says that a broker wants a certificate, and doesn't try again (${title})`,
    async () => {
      const { urls: { mutualSsl }, tls: { caCerts } } = brokers[kind]!;
      const url = losesAlerts ? mutualSsl : `failover:(${mutualSsl})`;
      const error = await assertRejects(() => connect(url, { tls: { caCerts } }));
      if (losesAlerts) return;
      assert(error instanceof TransportError, String(error));
      assertEquals([error.code, error.retryable], ["TLS_FAILED", false]);
      assertStringIncludes(error.message, "or the lack of one (tls.cert and tls.key)");
    },
    options,
  );

  test(`connect() trusts no broker whose authority it wasn't given (${title})`, async () => {
    const { ssl } = brokers[kind]!.urls;
    for (const tls of [undefined, { caCerts: stranger.cert }]) {
      const error = await assertRejects(
        () => connect(`failover:(${ssl})`, { ...credentials, tls }),
        TransportError,
      );
      assertEquals([error.code, error.retryable], ["CERTIFICATE_INVALID", false]);
    }
  }, options);

  test(`connect() says that a port has no TLS (${title})`, async () => {
    const { urls: { openwire }, tls: { caCerts } } = brokers[kind]!;
    const url = openwire.replace("tcp:", "ssl:");
    const connecting = connect(url, { tls: { caCerts }, connectTimeout: 2_000 });
    if (kind === "artemis") { // It waits for more of what it takes for a command.
      await assertRejects(() => connecting, Error, "TLS, which the port may not speak");
    } else {
      const error = await assertRejects(() => connecting, TransportError);
      // The broker resets the connection, which may take away what it has said.
      const known = error.code === "TLS_FAILED" ? ["TLS_FAILED", true] : ["WRONG_PROTOCOL", false];
      assertEquals([error.code, error.retryable], known);
    }
  }, options);

  test(`connect() says that a port has TLS (${title})`, async () => {
    const url = brokers[kind]!.urls.ssl.replace("ssl:", "tcp:");
    const error = await assertRejects(() => connect(url), HandshakeError);
    if (kind === "artemis") assertStringIncludes(error.message, "If it is one with TLS, write ssl");
    else assertStringIncludes(error.message, "the peer speaks TLS");
  }, options);

  test(`a lost connection is made again with the same options of TLS (${title})`, async () => {
    const { urls: { mutualSsl }, tls } = brokers[kind]!;
    await using relay = await Relay.start(mutualSsl);
    const url = `failover:(${relay.url})?initialReconnectDelay=10`;
    await using connection = await connect(url, { ...credentials, tls });
    const session = await connection.createSession({ acknowledgeMode: "individual" });
    const name = freshName();
    const consumer = await session.createConsumer(name);
    const statuses = connection.status();
    for (const text of ["one", "two", "three"]) {
      await connection.send(name, text);
      const message = await consumer.receive();
      assertEquals(message?.text, text);
      await message?.ack();
      await connection.ping(); // the broker has taken the acknowledgement
      relay.cut();
      while ((await statuses.next()).value?.type !== "resumed");
    }
  }, options);
}

test(
  "a lost connection is given up when another broker that isn't trusted takes its place",
  async () => {
    const { urls: { ssl }, tls: { caCerts } } = broker!;
    await using impostor = await startTlsServer(await stranger.issue({ hosts: ["localhost"] }));
    await using relay = await Relay.start(ssl);
    const url = `failover:(${relay.url})?initialReconnectDelay=10`;
    await using connection = await connect(url, { ...credentials, tls: { caCerts } });
    relay.target = `ssl://localhost:${impostor.port}`;
    relay.cut();
    const error = await connection.closed;
    assert(error instanceof TransportError, String(error));
    const { code, retryable } = error as TransportError;
    assertEquals([code, retryable], ["CERTIFICATE_INVALID", false]);
    await impostor.next("closed");
    assert(!impostor.events.some(({ type }) => type === "data"));
  },
  { skip: brokerSkip },
);

test("no password is sent to a broker that can't be trusted", async () => {
  await using server = await startTlsServer(await stranger.issue({ hosts: ["localhost"] }));
  const url = `ssl://localhost:${server.port}`;
  let asked = 0;
  const error = await assertRejects(() =>
    connect(url, {
      credentials: () => {
        asked++;
        return { username: "app", password: "secret" };
      },
    }), TransportError);
  assertEquals([error.code, asked], ["CERTIFICATE_INVALID", 0]);
  await server.next("closed");
  assert(!server.events.some(({ type }) => type === "data"));
});

test("connections without verification are logged as warnings, each time", async () => {
  const port = await deadPort();
  const lines: string[] = [];
  const ignore = () => {};
  const warn = (message: string, { url }: Record<string, unknown>) => {
    if (message.startsWith("TLS")) lines.push(`${message}: ${url}`);
  };
  const logger: Logger = { debug: ignore, info: ignore, warn, error: ignore };
  const url = `ssl://localhost:${port}`;
  const attempts = "?startupMaxReconnectAttempts=2&initialReconnectDelay=1";
  await assertRejects(() =>
    connect(`failover:(${url}?socket.verifyHostName=false)${attempts}`, { logger })
  );
  const host = `TLS without verification of the host's name: ${url}`;
  assertEquals(lines.splice(0), [host, host]);

  const tls = { insecureSkipVerify: true };
  await assertRejects(() => connect(url, { logger, tls }));
  assertEquals(lines.splice(0), [
    `TLS without verification: anybody on the way can read and change all: ${url}`,
  ]);

  await assertRejects(() => connect(url, { logger, tls: {} }));
  assertEquals(lines, []);
});

async function deadPort(): Promise<number> {
  const listener = await listen();
  await listener.close();
  return listener.port;
}

test("connect() refuses options of TLS that have no effect, or can't be used", async () => {
  const tls = { caCerts: stranger.cert };
  const effect = "Cannot use options of TLS without an ssl:// URL";
  await assertRejects(() => connect("tcp://localhost:1", { tls }), TypeError, effect);
  await assertRejects(() => connect("failover:(tcp://a,tcp://b)", { tls }), TypeError, effect);
  const [transport] = memoryPair();
  await assertRejects(() => connect("ssl://a", { tls, transport }), TypeError, effect);

  // Even if the first of several brokers could be had without.
  await using listener = await listen();
  const url = `failover:(tcp://127.0.0.1:${listener.port},ssl://localhost:1)?randomize=false`;
  await assertRejects(
    () => connect(url, { tls: { caCerts: "/etc/authority.pem" } }),
    TypeError,
    "tls.caCerts: PEM text is expected",
  );
});

test("a list may have brokers with TLS and without", async () => {
  const url = `failover:(ssl://localhost:${await deadPort()},tcp://localhost:${await deadPort()})`;
  const error = await assertRejects(
    () => connect(url, { tls: {}, failover: { startupMaxReconnectAttempts: 1 } }),
    TransportError,
  );
  const { errors } = error.cause as AggregateError;
  assertEquals(errors.map(({ code }) => code), ["CONNECTION_REFUSED", "CONNECTION_REFUSED"]);
});
