import { connect, ConnectionClosedError } from "../../mod.ts";
import { createKeepAliveInfo } from "../../codec/mod.ts";
import { InactivityMonitor } from "../../client/link/inactivity_monitor.ts";
import { assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import { test } from "../_harness.ts";
import { fakePeer, Script } from "./_fake_broker.ts";

test("InactivityMonitor asks for a keep-alive when nothing was written since the last check", () => {
  const monitor = new InactivityMonitor(30_000, 10_000, 0);
  assertEquals(monitor.interval, 10_000);
  assertEquals(monitor.check(10_000, 100, 5), "nothing");
  assertEquals(monitor.check(20_000, 200, 5), "keep-alive");
  assertEquals(monitor.check(30_000, 300, 6), "nothing");
});

test("InactivityMonitor suspects a peer that sent nothing for the whole time", () => {
  const monitor = new InactivityMonitor(30_000, 10_000, 0);
  assertEquals(monitor.check(10_000, 100, 1), "nothing");
  assertEquals(monitor.check(20_000, 100, 2), "nothing");
  assertEquals(monitor.check(30_000, 100, 3), "nothing");
  assertEquals(monitor.check(40_000, 100, 4), "suspect");
});

test("InactivityMonitor counts bytes, not commands: a large slow frame is a sign of life", () => {
  const monitor = new InactivityMonitor(30_000, 0, 0);
  for (let i = 1; i <= 20; i++) assertEquals(monitor.check(i * 10_000, i, i), "nothing");
});

test("InactivityMonitor judges nobody after the event loop stood still", () => {
  const monitor = new InactivityMonitor(30_000, 0, 0);
  assertEquals(monitor.check(10_000, 0, 1), "nothing");
  assertEquals(monitor.check(100_000, 0, 2), "nothing");
  assertEquals(monitor.check(110_000, 0, 3), "nothing");
  assertEquals(monitor.check(120_000, 0, 4), "nothing");
  assertEquals(monitor.check(130_000, 0, 5), "suspect");
});

test("InactivityMonitor watches nothing when the peers agreed on that", () => {
  assertEquals(new InactivityMonitor(0, 0, 0).interval, 0);
});

const quick = { maxInactivityDuration: 150, maxInactivityDurationInitialDelay: 0 };

test("a silent broker is given up, a living one is not", async () => {
  await using silent = await fakePeer(async (transport) => {
    const script = new Script(transport);
    await script.accept();
    while (await script.next());
  });
  const connection = await connect(silent.url, { wireFormat: quick });
  const error = await connection.closed;
  assertInstanceOf(error, ConnectionClosedError);
  assertStringIncludes(error!.message, "150 ms");

  // Signs of life keep it open for far longer than the limit, and each side sends some.
  let keptAlive = 0;
  const { promise: longEnough, resolve } = Promise.withResolvers<void>();
  await using living = await fakePeer(async (transport) => {
    const script = new Script(transport);
    await script.accept();
    await script.answerAll(async (command) => {
      if (command.dataType !== "KeepAliveInfo") return;
      if (++keptAlive === 12) resolve();
      await script.send(createKeepAliveInfo());
    });
  });
  const alive = await connect(living.url, { wireFormat: quick });
  let ended = false;
  alive.closed.then(() => ended = true);
  const start = performance.now();
  await longEnough;
  assertEquals(ended, false);
  assertEquals(performance.now() - start > 2 * quick.maxInactivityDuration, true);
  await alive.close();
  assertEquals(await alive.closed, undefined);
});

test("a keep-alive that wants an answer gets itself back", async () => {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  await using peer = await fakePeer(async (transport) => {
    const script = new Script(transport);
    await script.accept();
    await script.send(createKeepAliveInfo({ commandId: 77, responseRequired: true }));
    await script.answerAll((command) => {
      if (command.dataType === "KeepAliveInfo") resolve(command);
    });
  });
  const connection = await connect(peer.url);
  assertEquals(await promise, createKeepAliveInfo({ commandId: 77, responseRequired: false }));
  await connection.close();
});
