/** What the operating system is told of sockets, on each runtime. */
import { assertEquals } from "@std/assert";
import { dial, type DialOptions, listen, type Transport } from "../../transport/mod.ts";
import { test } from "../_harness.ts";
import { Authority } from "../certificates/certificate.ts";
import { accept } from "./_pairs.ts";
import { portOf, tcpOptions, unreadable } from "./_socket_options.ts";
import { startTlsServer } from "./_tls_server.ts";

const skip = unreadable;

/** What is asked of `dial()`, and what the socket has then. */
const cases: [asked: DialOptions, had: { noDelay: boolean; keepAlive: boolean }][] = [
  [{}, { noDelay: true, keepAlive: false }],
  [{ noDelay: false, keepAlive: true }, { noDelay: false, keepAlive: true }],
  [{ noDelay: true, keepAlive: true }, { noDelay: true, keepAlive: true }],
  [{ noDelay: false, keepAlive: false }, { noDelay: false, keepAlive: false }],
];

async function close(...transports: Transport[]): Promise<void> {
  for (const transport of transports) transport.close();
  await Promise.all(transports.map(({ closed }) => closed));
}

test("dial() sets noDelay and keepAlive on the socket", async () => {
  await using listener = await listen();
  for (const [asked, had] of cases) {
    const transport = await dial(`tcp://127.0.0.1:${listener.port}`, asked);
    const peer = await accept(listener);
    try {
      assertEquals(tcpOptions({ remote: listener.port }), had);
    } finally {
      await close(transport, peer);
    }
  }
}, { skip });

test("dial() sets noDelay and keepAlive below TLS, too", async () => {
  const authority = await Authority.create();
  await using server = await startTlsServer(await authority.issue({ hosts: ["localhost"] }));
  for (const [asked, had] of cases) {
    const tls = { caCerts: authority.cert };
    const transport = await dial(`ssl://localhost:${server.port}`, { ...asked, tls });
    try {
      assertEquals(tcpOptions({ remote: server.port }), had);
    } finally {
      await close(transport);
      await server.next("closed");
    }
  }
}, { skip });

test("listen() sets noDelay on the sockets that it accepts", async () => {
  for (const noDelay of [undefined, true, false]) {
    await using listener = await listen(noDelay === undefined ? {} : { noDelay });
    const transport = await dial(`tcp://127.0.0.1:${listener.port}`);
    const peer = await accept(listener);
    try {
      const options = tcpOptions({ local: listener.port, remote: portOf(peer.remoteAddress) });
      assertEquals(options, { noDelay: noDelay ?? true, keepAlive: false });
    } finally {
      await close(transport, peer);
    }
  }
}, { skip });
