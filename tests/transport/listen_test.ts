import { assert, assertEquals, assertRejects } from "@std/assert";
import { connect } from "node:net";
import { dial, listen, type Transport, TransportError } from "../../transport/mod.ts";
import { test } from "../_harness.ts";
import { accept, readAll } from "./_pairs.ts";

test("listen() gives every connection once", async () => {
  await using listener = await listen();
  assertEquals(listener.hostname, "127.0.0.1");
  const url = `tcp://127.0.0.1:${listener.port}`;
  const clients = await Promise.all([dial(url), dial(url), dial(url)]);
  const peers = [await accept(listener), await accept(listener), await accept(listener)];
  assertEquals(new Set(peers.map((peer) => peer.remoteAddress)).size, 3);
  for (const transport of [...clients, ...peers]) transport.close();
});

test("Listener.close() ends the loop and leaves connections open", async () => {
  const listener = await listen();
  const peers: Transport[] = [];
  const first = Promise.withResolvers<void>();
  const loop = (async () => {
    for await (const peer of listener) {
      peers.push(peer);
      first.resolve();
    }
  })();
  const client = await dial(`tcp://127.0.0.1:${listener.port}`);
  await first.promise;
  await listener.close();
  await listener.close();
  await loop;
  await client.writable.close();
  assertEquals((await readAll(peers[0]!.readable)).length, 0);
  await peers[0]!.writable.close();
  assertEquals((await readAll(client.readable)).length, 0);
  await Promise.all([client.closed, peers[0]!.closed]);
});

test("Listener.close() frees the port and closes connections nobody has taken", async () => {
  const listener = await listen();
  const client = await dial(`tcp://127.0.0.1:${listener.port}`);
  await listener.close();
  // End of stream or reset: the kernel decides.
  await readAll(client.readable).catch((error) => assertEquals(error.code, "CONNECTION_RESET"));
  client.close();
  const again = await listen({ port: listener.port });
  assertEquals(again.port, listener.port);
  await again.close();
  for await (const _ of again) throw new Error("The listener is closed");
});

test("listen() says that the port is taken", async () => {
  await using listener = await listen();
  const error = await assertRejects(() => listen({ port: listener.port }), TransportError);
  assertEquals(error.code, "ADDRESS_IN_USE");
  assertEquals(error.message, `Cannot listen on 127.0.0.1:${listener.port}: address is in use`);
  assert(error.cause instanceof Error);
});

test("listen() refuses what is no port", async () => {
  for (const port of [-1, 1.5, NaN, 65_536]) {
    await assertRejects(() => listen({ port }), RangeError);
  }
});

test("a connection that is reset before it is taken does not end the listener", async () => {
  await using listener = await listen();
  for (let n = 0; n < 3; n++) await reset(listener.port);
  const client = await dial(`tcp://127.0.0.1:${listener.port}`);
  await client.writable.getWriter().write(Uint8Array.of(7));
  for await (const peer of listener) {
    const read = await peer.readable.getReader().read().catch(() => undefined);
    peer.close();
    if (read?.value?.[0] === 7) break;
  }
  client.close();
});

/** Connects and resets. */
async function reset(port: number): Promise<void> {
  const socket = connect({ host: "127.0.0.1", port });
  await new Promise<void>((resolve) => socket.once("connect", resolve));
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.resetAndDestroy();
  await closed;
}
