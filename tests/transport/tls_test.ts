import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import process from "node:process";
import {
  dial,
  type DialOptions,
  listen,
  type Transport,
  TransportError,
} from "../../transport/mod.ts";
import { runtime, test } from "../_harness.ts";
import {
  Authority,
  type Certificate,
  LONG_AGO,
  NOT_YET,
  selfSigned,
} from "../certificates/certificate.ts";
import { assertSameBytes, pattern, readAll, writeAll } from "./_pairs.ts";
import { startTlsServer, type TlsServer } from "./_tls_server.ts";

const MB = 1024 * 1024;
const YESTERDAY = new Date(Date.now() - 86_400_000);
const HOSTS = ["localhost", "127.0.0.1"];

const authority = await Authority.create();
const between = await authority.intermediate("Between");
const stranger = await Authority.create("Stranger");
const good = await between.issue({ hosts: HOSTS });
const client = await authority.issue({ name: "The Client" });
const caCerts = authority.cert;

function dialTls(
  { port }: { port: number },
  tls: DialOptions["tls"] = { caCerts },
  hostname = "localhost",
): Promise<Transport> {
  return dial(`ssl://${hostname}:${port}`, { tls });
}

/** What the peer sends, and the code of the error with which it ended. */
async function readTextAndError(transport: Transport): Promise<[text: string, code?: string]> {
  let text = "";
  try {
    for await (const chunk of transport.readable) text += new TextDecoder().decode(chunk);
    return [text];
  } catch (error) {
    assert(error instanceof TransportError, String(error));
    return [text, (error as TransportError).code];
  }
}

async function say(transport: Transport, text: string): Promise<void> {
  const writer = transport.writable.getWriter();
  await writer.write(new TextEncoder().encode(text));
  writer.releaseLock();
}

for (const version of ["TLSv1.2", "TLSv1.3"]) {
  test(`dial() speaks ${version}, and tells the peer which host it means`, async () => {
    await using server = await startTlsServer({
      ...good,
      minVersion: version,
      maxVersion: version,
    });
    const transport = await dialTls(server);
    assertEquals(transport.remoteAddress, `127.0.0.1:${server.port}`);
    const { servername, protocol, client } = await server.next("secure");
    assertEquals([servername, protocol, client], ["localhost", version, null]);
    await say(transport, "hello");
    await transport.writable.close();
    assertEquals(await readTextAndError(transport), ["hello"]);
    await transport.closed;
  });
}

test("dial() verifies an address as an address, and doesn't send it as a name", async () => {
  await using server = await startTlsServer(good);
  const transport = await dialTls(server, { caCerts }, "127.0.0.1");
  assertEquals((await server.next("secure")).servername, null);
  transport.close();
  await server.next("closed");

  await using named = await startTlsServer(await authority.issue({ hosts: ["localhost"] }));
  await assertRefused(named, "it is for another host", { caCerts }, "127.0.0.1");
});

/** Checks that nothing was sent to a peer whose certificate is not accepted. */
async function assertRefused(
  server: TlsServer,
  problem: string,
  tls: DialOptions["tls"] = { caCerts },
  hostname = "localhost",
): Promise<void> {
  const error = await assertRejects(() => dialTls(server, tls, hostname), TransportError);
  assertEquals([error.code, error.retryable], ["CERTIFICATE_INVALID", false], error.message);
  const address = `ssl://${hostname}:${server.port}`;
  assertStringIncludes(
    error.message,
    `Cannot connect to ${address}: its certificate is not valid: ${problem}`,
  );
  await server.next("closed");
  assert(!server.events.some(({ type }) => type === "data"));
}

const unknown = "nobody who is trusted has issued it; a private authority is trusted";

/** Certificates that are refused, and why. */
const bad: Record<string, [problem: string, certificate: () => Promise<Certificate>]> = {
  "for another host": [
    "it is for another host",
    () => authority.issue({ hosts: ["elsewhere.example"], name: "localhost" }),
  ],
  "with a common name and no other": [
    "it is for another host",
    () => authority.issue({ name: "localhost" }),
  ],
  "with a common name and an address": [
    "it is for another host",
    () => authority.issue({ name: "localhost", hosts: ["127.0.0.1"] }),
  ],
  "with a common name and an address of mail": [
    "it is for another host",
    () => authority.issue({ name: "localhost", hosts: ["admin@localhost"] }),
  ],
  "of another authority": [unknown, () => stranger.issue({ hosts: HOSTS })],
  "that has expired": [
    "it has expired",
    () => authority.issue({ hosts: HOSTS, notBefore: LONG_AGO, notAfter: YESTERDAY }),
  ],
  "that is not valid yet": [
    "it is not valid yet",
    () => authority.issue({ hosts: HOSTS, notBefore: NOT_YET }),
  ],
  "that nobody else has signed": [unknown, () => selfSigned({ hosts: HOSTS })],
  "without that of its authority": [unknown, async () => {
    const { cert, ...rest } = await between.issue({ hosts: HOSTS });
    return { ...rest, cert: cert.slice(0, cert.indexOf("-----END") + 26) };
  }],
};

for (const [name, [problem, issue]] of Object.entries(bad)) {
  test(`dial() refuses a certificate ${name}`, async () => {
    await using server = await startTlsServer(await issue());
    await assertRefused(server, problem);
  });
}

test("dial() trusts no private authority by itself", async () => {
  await using server = await startTlsServer(good);
  await assertRefused(server, unknown, {});
});

test("dial() trusts all authorities that it is given, and certificates themselves", async () => {
  await using server = await startTlsServer(good);
  for (const caCerts of [[stranger.cert, authority.cert], stranger.cert + authority.cert]) {
    (await dialTls(server, { caCerts })).close();
    await server.next("closed");
  }
  const own = await selfSigned({ hosts: HOSTS });
  await using alone = await startTlsServer(own);
  (await dialTls(alone, { caCerts: own.cert })).close();
  await alone.next("closed");
});

test("dial() without verifyHostName verifies all the rest", async () => {
  const tls = { caCerts, verifyHostName: false };
  const hosts = ["elsewhere.example"];
  await using server = await startTlsServer(await authority.issue({ hosts }));
  const transport = await dialTls(server, tls);
  assertEquals((await server.next("secure")).servername, "localhost");
  await say(transport, "hello");
  await transport.writable.close();
  assertEquals(await readTextAndError(transport), ["hello"]);
  await server.next("closed");

  await using strange = await startTlsServer(await stranger.issue({ hosts }));
  await assertRefused(strange, unknown, tls);
  await using own = await startTlsServer(await selfSigned({ hosts }));
  await assertRefused(own, unknown, tls);
  const old = { hosts, notBefore: LONG_AGO, notAfter: YESTERDAY };
  await using expired = await startTlsServer(await authority.issue(old));
  await assertRefused(expired, "it has expired", tls);
});

test("dial() with insecureSkipVerify takes any certificate, where the runtime can", async () => {
  const old = { hosts: ["elsewhere.example"], notBefore: LONG_AGO, notAfter: YESTERDAY };
  for (const certificate of [await stranger.issue(old), await authority.issue({})]) {
    await using server = await startTlsServer(certificate);
    const dialing = dialTls(server, { insecureSkipVerify: true });
    if (runtime === "deno") {
      const error = await assertRejects(() => dialing, TransportError, "give the authority as");
      assertEquals([error.code, error.retryable], ["UNSUPPORTED", false]);
      assertEquals(server.events.length, 1); // it listens
    } else {
      const transport = await dialing;
      await say(transport, "hello");
      await transport.writable.close();
      assertEquals(await readTextAndError(transport), ["hello"]);
    }
  }
});

test("an environment variable doesn't turn verification off", async () => {
  await using server = await startTlsServer(await stranger.issue({ hosts: HOSTS }));
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
  try {
    await assertRefused(server, unknown);
  } finally {
    delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  }
}, { skip: runtime === "deno" && "Deno has no such variable" });

const mutual = { ...good, requestCert: true, ca: authority.cert };

for (const maxVersion of ["TLSv1.2", "TLSv1.3"]) {
  test(`dial() shows its certificate if it has one, ${maxVersion}`, async () => {
    await using server = await startTlsServer({ ...mutual, maxVersion });
    const { cert, key } = client;
    const transport = await dialTls(server, { caCerts, cert, key });
    assertEquals((await server.next("secure")).client, "The Client");
    await say(transport, "hello");
    await transport.writable.close();
    assertEquals(await readTextAndError(transport), ["hello"]);
  });
}

/** Bun before 1.4.4 closes the connection and doesn't say why. */
const losesAlerts = /^1\.4\.[0-3]$/.test(process.versions.bun ?? "");

test("a peer that wants a certificate says so to the first read, TLSv1.3", async () => {
  await using server = await startTlsServer({ ...mutual, minVersion: "TLSv1.3" });
  const transport = await dialTls(server);
  const error = await assertRejects(() => readAll(transport.readable), TransportError);
  await transport.closed;
  if (losesAlerts) return assertEquals(error.code, "CONNECTION_RESET");
  assertEquals([error.code, error.retryable], ["TLS_FAILED", false]);
  assertStringIncludes(error.message, "wants a client certificate: give tls.cert and tls.key");
});

test("a peer that wants a certificate ends the handshake, TLSv1.2", async () => {
  await using server = await startTlsServer({ ...mutual, maxVersion: "TLSv1.2" });
  const error = await assertRejects(() => dialTls(server), TransportError);
  assertEquals(error.code, "TLS_FAILED");
});

test("dial() refuses TLS 1.1", async () => {
  await using server = await startTlsServer({
    ...good,
    minVersion: "TLSv1",
    maxVersion: "TLSv1.1",
    ciphers: "ALL:@SECLEVEL=0",
  });
  const error = await assertRejects(() => dialTls(server), TransportError);
  assertEquals([error.code, error.retryable], ["TLS_FAILED", false]);
  assertStringIncludes(error.message, "it does not speak TLS 1.2 or later");
});

/** A peer without TLS. */
async function withPeer(
  behave: (peer: Transport) => Promise<void> | void,
  run: (server: { port: number }) => Promise<void>,
): Promise<void> {
  await using listener = await listen();
  const peers = (async () => {
    for await (const peer of listener) {
      await behave(peer);
      break;
    }
  })();
  await run(listener);
  await peers;
}

test("dial() says that a peer has no TLS", async () => {
  const wireFormatInfo = Uint8Array.of(0, 0, 1, 0x2a, 1, 0x41, 0x63, 0x74, 0x69, 0x76, 0x65);
  await withPeer(async (peer) => {
    const writer = peer.writable.getWriter();
    await writer.write(wireFormatInfo);
    await readAll(peer.readable).catch(() => {}); // until the client goes
    peer.close();
  }, async (server) => {
    const error = await assertRejects(() => dialTls(server), TransportError);
    assertEquals([error.code, error.retryable], ["WRONG_PROTOCOL", false]);
    assertStringIncludes(error.message, "it does not speak TLS; without, it is tcp://");
  });
});

test("dial() can be tried again when the peer goes during the handshake", async () => {
  await withPeer(async (peer) => {
    await peer.readable.getReader().read();
    peer.close();
  }, async (server) => {
    const error = await assertRejects(() => dialTls(server), TransportError);
    assertEquals([error.code, error.retryable], ["TLS_FAILED", true]);
    assertStringIncludes(error.message, "it closed the connection before TLS stood");
  });
  const refused = await assertRejects(() => dialTls({ port: 1 }), TransportError);
  assertEquals([refused.code, refused.retryable], ["CONNECTION_REFUSED", true]);
});

for (const how of ["connectTimeout", "signal"]) {
  test(`dial() limits the time of the handshake, ${how}`, async () => {
    const rejected = Promise.withResolvers<void>();
    await withPeer(async (peer) => {
      // Deno keeps the socket until the peer goes.
      if (runtime === "deno") await rejected.promise;
      else await readAll(peer.readable).catch(() => {});
      peer.close();
    }, async ({ port }) => {
      const url = `ssl://localhost:${port}`;
      const reason = new Error("enough");
      const limit = how === "signal" ? { signal: abortedSoon(reason) } : { connectTimeout: 100 };
      const error = await assertRejects(() => dial(url, { tls: { caCerts }, ...limit }));
      if (how === "signal") assertEquals(error, reason);
      else assertEquals((error as TransportError).code, "CONNECT_TIMEOUT");
      rejected.resolve();
    });
  });
}

function abortedSoon(reason: Error): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), 100);
  return controller.signal;
}

test("an orderly end of TLS is the end of the stream", async () => {
  await using server = await startTlsServer({ ...good, behaviour: "end" });
  const transport = await dialTls(server);
  await say(transport, "hello");
  assertEquals(await readTextAndError(transport), ["goodbye"]);
  await transport.writable.close();
  await transport.closed;
});

test("an end without a word keeps what was read before", async () => {
  await using server = await startTlsServer({ ...good, behaviour: "vanish" });
  const transport = await dialTls(server);
  await say(transport, "hello");
  // Bun and Node don't tell it from an orderly end.
  const expected = runtime === "deno" ? ["goodbye", "CONNECTION_RESET"] : ["goodbye"];
  assertEquals<unknown>(await readTextAndError(transport), expected);
  transport.close();
  await transport.closed;
});

test("a reset under TLS is a loss that can be tried again", async () => {
  await using server = await startTlsServer({ ...good, behaviour: "reset" });
  const transport = await dialTls(server);
  await say(transport, "hello");
  const error = await assertRejects(() => readAll(transport.readable), TransportError);
  assertEquals([error.code, error.retryable], ["CONNECTION_RESET", true]);
  await transport.closed;
});

test("close() under TLS ends both directions", async () => {
  await using server = await startTlsServer(good);
  const transport = await dialTls(server);
  const reading = readTextAndError(transport);
  transport.close();
  assertEquals(await reading, ["", "CLOSED"]);
  await transport.closed;
  await server.next("closed");
});

test("Transport carries megabytes under TLS, in both directions at once", async () => {
  await using server = await startTlsServer(good);
  const transport = await dialTls(server);
  const bytes = pattern(8 * MB);
  const [received] = await Promise.all([
    readAll(transport.readable),
    writeAll(transport.writable, bytes, 100_000),
  ]);
  assertSameBytes(received, bytes);
  await transport.closed;
});

test("dial() refuses options of TLS that can't be used", async () => {
  const { cert, key } = client;
  const encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nc2VjcmV0\n";
  const old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: x\n\nc2VjcmV0\n";
  const cases: [string, NonNullable<DialOptions["tls"]>][] = [
    ["tls.caCerts: PEM text is expected", { caCerts: "/etc/ssl/secret.pem" }],
    ["tls.caCerts: PEM text is expected", { caCerts: [cert, ""] }],
    ["tls.caCerts: it is an empty list", { caCerts: [] }],
    ["only one of tls.cert and tls.key", { cert }],
    ["only one of tls.cert and tls.key", { key }],
    ["tls.cert: PEM text is expected", { cert: "secret", key }],
    ["tls.key: PEM text is expected", { cert, key: "secret" }],
    ["tls.key: it is encrypted", { cert, key: encrypted }],
    ["tls.key: it is encrypted", { cert, key: old }],
  ];
  for (const [problem, tls] of cases) {
    const error = await assertRejects(() => dial("ssl://127.0.0.1:1", { tls }), TypeError, problem);
    assert(!/c2VjcmV0|secret/.test(error.message), error.message);
  }
  await assertRejects(
    () => dial("tcp://127.0.0.1:1", { tls: { caCerts } }),
    TypeError,
    "Cannot use options of TLS for a tcp:// URL: write ssl://",
  );
});

test("dial() refuses a key that is not that of the certificate", async () => {
  await using listener = await listen();
  const tls = { caCerts, cert: client.cert, key: good.key };
  const error = await assertRejects(() => dialTls(listener, tls), TransportError);
  assertEquals([error.code, error.retryable], ["TLS_FAILED", false]);
  assert(error.cause instanceof Error);
}, {
  skip: /^2\.([0-8]\.|9\.[0-5]$)/.test(process.versions.deno ?? "") && "Deno before 2.9.6 panics",
});
