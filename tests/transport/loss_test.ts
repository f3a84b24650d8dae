import { assert, assertEquals } from "@std/assert";
import { dial, type Transport, TransportError } from "../../transport/mod.ts";
import { runtime, test } from "../_harness.ts";
import { readAll, StalledWriter } from "./_pairs.ts";

const MB = 1024 * 1024;

/** A socket of `node:net`, which all three runtimes have: the only one that can send a reset on demand. */
interface Peer {
  on(event: "error", listener: () => void): void;
  once(event: "close", listener: () => void): void;
  write(bytes: Uint8Array, taken: () => void): void;
  end(bytes: Uint8Array): void;
  resetAndDestroy(): void;
}

interface Server {
  once(event: "connection", listener: (peer: Peer) => void): void;
  listen(port: number, hostname: string, listening: () => void): void;
  address(): { port: number };
  close(closed: () => void): void;
}

interface Net {
  createServer(options: { allowHalfOpen: boolean; pauseOnConnect: boolean }): Server;
}

/** Connects to a peer that reads nothing. */
async function withPeer(run: (transport: Transport, peer: Peer) => Promise<void>): Promise<void> {
  const { process } = globalThis as unknown as {
    process: { getBuiltinModule(name: string): Net };
  };
  const server = process.getBuiltinModule("node:net")
    .createServer({ allowHalfOpen: true, pauseOnConnect: true });
  const accepted = new Promise<Peer>((resolve) => server.once("connection", resolve));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const transport = await dial(`tcp://127.0.0.1:${server.address().port}`);
  const peer = await accepted;
  peer.on("error", () => {});
  const peerClosed = new Promise<void>((resolve) => peer.once("close", resolve));
  await run(transport, peer);
  await transport.closed;
  peer.resetAndDestroy();
  await peerClosed;
  await new Promise<void>((resolve) => server.close(resolve));
}

/** How many bytes came until which error. */
async function readUntilError(transport: Transport): Promise<[bytes: number, code: string]> {
  let bytes = 0;
  try {
    for await (const chunk of transport.readable) bytes += chunk.length;
  } catch (error) {
    assert(error instanceof TransportError, String(error));
    assertEquals((error as TransportError).retryable, true);
    return [bytes, (error as TransportError).code];
  }
  throw new Error(`End of stream after ${bytes} bytes`);
}

test("Transport reports a reset to a pending read", async () => {
  await withPeer(async (transport, peer) => {
    const reading = readUntilError(transport);
    peer.resetAndDestroy();
    assertEquals(await reading, [0, "CONNECTION_RESET"]);
  });
});

test("Transport reports a reset to a pending write", async () => {
  await withPeer(async (transport, peer) => {
    const stalled = new StalledWriter(transport, 96 * MB);
    await stalled.stalled();
    peer.resetAndDestroy();
    assertEquals(await stalled.failure, "CONNECTION_RESET");
  });
});

test("Transport reports a reset to a pending read and a pending write", async () => {
  await withPeer(async (transport, peer) => {
    const reading = readUntilError(transport);
    const stalled = new StalledWriter(transport, 96 * MB);
    await stalled.stalled();
    peer.resetAndDestroy();
    assertEquals(await reading, [0, "CONNECTION_RESET"]);
    assertEquals(await stalled.failure, "CONNECTION_RESET");
  });
});

test("Transport reports a reset to the half that is still open", async () => {
  await withPeer(async (transport, peer) => {
    await transport.writable.close();
    const reading = readUntilError(transport);
    peer.resetAndDestroy();
    assertEquals(await reading, [0, "CONNECTION_RESET"]);
  });
});

test("Transport gives what arrived before a reset", async () => {
  await withPeer(async (transport, peer) => {
    await new Promise<void>((resolve) => peer.write(new Uint8Array(500), resolve));
    const reader = transport.readable.getReader();
    assertEquals((await reader.read()).value?.length, 500);
    reader.releaseLock();
    const reading = readUntilError(transport);
    peer.resetAndDestroy();
    assertEquals(await reading, [0, "CONNECTION_RESET"]);
  });
});

test("Transport gives the peer's last words after a write has failed", async () => {
  await withPeer(async (transport, peer) => {
    await new Promise<void>((resolve) => peer.write(new Uint8Array(500), resolve));
    peer.resetAndDestroy();
    const failed = new StalledWriter(transport, 96 * MB);
    assertEquals(await failed.failure, "CONNECTION_RESET");
    await transport.closed;
    assertEquals(await readUntilError(transport), [500, "CONNECTION_RESET"]);
  });
}, { skip: runtime === "node" && "Node drops unread bytes when a write fails" });

test("Transport closes cleanly when the peer has said everything", async () => {
  await withPeer(async (transport, peer) => {
    peer.end(new Uint8Array(500));
    assertEquals((await readAll(transport.readable)).length, 500);
    await transport.writable.close();
  });
});
