import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { dialWith } from "../../transport/_dial_with.ts";
import { connectError } from "../../transport/_runtime_errors.ts";
import type { Adapter, Socket } from "../../transport/_socket.ts";
import { dial, listen, TransportError } from "../../transport/mod.ts";
import { test } from "../_harness.ts";
import { accept, readAll } from "./_pairs.ts";

/** Connects when told, if ever. */
function slowAdapter() {
  const connecting = Promise.withResolvers<Socket>();
  const destroyed = Promise.withResolvers<TransportError>();
  const socket: Socket = {
    remoteAddress: "slow:1",
    closed: destroyed.promise,
    read: () => new Promise(() => {}),
    write: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
    destroy: (error) => destroyed.resolve(error),
  };
  const connect: Adapter["connect"] = () => connecting.promise;
  return { connect, connecting, socket, destroyed: destroyed.promise };
}

test("dial() says that the connection was refused", async () => {
  const error = await assertRejects(() => dial("tcp://127.0.0.1:1"), TransportError);
  assertEquals(error.code, "CONNECTION_REFUSED");
  assertEquals(error.message, "Cannot connect to tcp://127.0.0.1:1: connection refused");
  assertEquals(error.retryable, true);
  assert(error.cause instanceof Error);
});

test("dial() knows the address of the peer", async () => {
  await using listener = await listen();
  const transport = await dial(new URL(`tcp://127.0.0.1:${listener.port}/`), { noDelay: false });
  assertEquals(transport.remoteAddress, `127.0.0.1:${listener.port}`);
  const peer = await accept(listener);
  assert(/^127\.0\.0\.1:\d+$/.test(peer.remoteAddress), peer.remoteAddress);
  transport.close();
  peer.close();
});

test("dial() sets the options of the socket", async () => {
  const seen: unknown[] = [];
  const { connect, connecting, socket } = slowAdapter();
  connecting.resolve(socket);
  const spy: Adapter["connect"] = (target, options) => {
    seen.push([options.noDelay, options.keepAlive]);
    return connect(target, options);
  };
  (await dialWith(spy, "tcp://broker.example")).close();
  (await dialWith(spy, "tcp://broker.example", { noDelay: false, keepAlive: true })).close();
  assertEquals(seen, [[true, false], [false, true]]);

  await using listener = await listen();
  const transport = await dial(`tcp://127.0.0.1:${listener.port}`, { keepAlive: true });
  const peer = await accept(listener);
  transport.close();
  peer.close();
  await Promise.all([transport.closed, peer.closed]);
});

test("dial() gives up after the timeout and closes what connects later", async () => {
  const { connect, connecting, socket, destroyed } = slowAdapter();
  const error = await assertRejects(
    () => dialWith(connect, "tcp://broker.example", { connectTimeout: 5 }),
    TransportError,
  );
  assertEquals(error.code, "CONNECT_TIMEOUT");
  assertEquals(
    error.message,
    "Cannot connect to tcp://broker.example:61616: no answer within 5 ms",
  );
  assertEquals(error.retryable, true);
  connecting.resolve(socket);
  assertEquals((await destroyed).code, "CLOSED");
});

test("dial() waits without end when the timeout is 0", async () => {
  const { connect, connecting, socket } = slowAdapter();
  const dialing = dialWith(connect, "tcp://broker.example", { connectTimeout: 0 });
  connecting.resolve(socket);
  const transport = await dialing;
  transport.close();
  await transport.closed;
});

test("dial() refuses a timeout that no timer can hold", async () => {
  for (const connectTimeout of [-1, NaN, Infinity, 2 ** 31]) {
    await assertRejects(() => dial("tcp://127.0.0.1:1", { connectTimeout }), RangeError);
  }
});

test("dial() rejects with the reason of a signal that was aborted before", async () => {
  const reason = new Error("not now");
  let calls = 0;
  const connect = () => {
    calls++;
    return new Promise<Socket>(() => {});
  };
  const signal = AbortSignal.abort(reason);
  const error = await assertRejects(() => dialWith(connect, "tcp://broker.example", { signal }));
  assertStrictEquals(error, reason);
  assertEquals(calls, 0);
});

test("dial() rejects with the reason of the signal and closes what connects later", async () => {
  const { connect, connecting, socket, destroyed } = slowAdapter();
  const controller = new AbortController();
  const dialing = dialWith(connect, "tcp://broker.example", { signal: controller.signal });
  const reason = new Error("enough");
  controller.abort(reason);
  assertStrictEquals(await assertRejects(() => dialing), reason);
  connecting.resolve(socket);
  await destroyed;
});

test("dial() ignores a failure after the signal", async () => {
  const { connect, connecting } = slowAdapter();
  const controller = new AbortController();
  const dialing = dialWith(connect, "tcp://broker.example", { signal: controller.signal });
  controller.abort();
  const error = await assertRejects(() => dialing);
  assertEquals((error as Error).name, "AbortError");
  connecting.reject(new Error("too late"));
});

test("dial() can be aborted while the runtime connects", async () => {
  await using listener = await listen();
  for (let i = 0; i < 20; i++) {
    const controller = new AbortController();
    const reason = new Error("enough");
    const dialing = dial(`tcp://127.0.0.1:${listener.port}`, { signal: controller.signal });
    for (let turn = 0; turn < i; turn++) await Promise.resolve();
    controller.abort(reason);
    const transport = await dialing.catch((error) => {
      assertStrictEquals(error, reason);
    });
    transport?.close(); // may have been faster than the signal
  }
});

test("dial() ignores the signal once connected", async () => {
  await using listener = await listen();
  const controller = new AbortController();
  const transport = await dial(`tcp://127.0.0.1:${listener.port}`, { signal: controller.signal });
  controller.abort();
  const peer = await accept(listener);
  await peer.writable.close();
  assertEquals((await readAll(transport.readable)).length, 0);
  transport.close();
  peer.close();
});

test("connectError() names the same condition the same way for all runtimes", () => {
  const cases: [code: string, retryable: boolean, errors: Error[]][] = [
    ["CONNECTION_REFUSED", true, [
      withCode("ECONNREFUSED"), // all
    ]],
    ["HOST_NOT_FOUND", true, [
      withCode("ENOTFOUND"), // Bun, Node
      withCode("EAI_AGAIN"), // Bun, Node
      new Error("failed to lookup address information: Name or service not known"), // Deno
    ]],
    ["PERMISSION_DENIED", false, [
      withCode("EACCES"),
      withCode("ERR_ACCESS_DENIED"), // Node with --permission
      Object.assign(new Error(), { name: "NotCapable" }), // Deno without --allow-net
    ]],
    ["CONNECT_TIMEOUT", true, [withCode("ETIMEDOUT")]],
    ["CONNECT_FAILED", true, [withCode("EHOSTUNREACH"), new Error("whatever")]],
  ];
  for (const [code, retryable, errors] of cases) {
    for (const cause of errors) {
      const error = connectError("tcp://broker.example:1", cause);
      assertEquals([error.code, error.retryable], [code, retryable]);
      assertStrictEquals(error.cause, cause);
    }
  }
});

function withCode(code: string): Error {
  return Object.assign(new Error(`message of ${code}`), { code });
}
