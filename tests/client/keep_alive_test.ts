import { connect, ConnectionClosedError } from "../../mod.ts";
import { createExceptionResponse, createKeepAliveInfo } from "../../codec/mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { FrameWatch } from "../../client/link/frame_watch.ts";
import { InactivityMonitor } from "../../client/link/inactivity_monitor.ts";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { test } from "../_harness.ts";
import { brokers, skipWithout } from "../broker/env.ts";
import { freshName, testOnBrokers } from "./_brokers.ts";
import { fakePeer, Script } from "./_fake_broker.ts";
import { until } from "./_messages.ts";

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

test("InactivityMonitor knows for how long the event loop stood still, for a while", () => {
  const monitor = new InactivityMonitor(30_000, 0, 0);
  assertEquals(monitor.blockedFor(20_000), 0);
  assertEquals(monitor.blockedFor(40_000), 40_000);
  monitor.check(40_000, 0, 0);
  assertEquals(monitor.blockedFor(60_000), 40_000);
  monitor.check(50_000, 0, 0);
  monitor.check(60_000, 0, 0);
  monitor.check(70_000, 0, 0);
  assertEquals(monitor.blockedFor(70_001), 0);
  assertEquals(new InactivityMonitor(0, 0, 0).blockedFor(1_000_000), 0);
});

test("FrameWatch lets a frame take its time, if it comes", () => {
  const watch = new FrameWatch(30_000, 0);
  assertEquals(watch.interval, 10_000);
  // A megabyte every ten seconds: a large frame over a slow line.
  for (let i = 1; i <= 100; i++) {
    assertEquals(watch.check(i * 10_000, i * 1_000_000, 5, i * 1_000_000), undefined);
  }
});

test("FrameWatch does not mind a line without frames, nor many small ones", () => {
  const watch = new FrameWatch(30_000, 0);
  for (let i = 1; i <= 100; i++) assertEquals(watch.check(i * 10_000, 100, 1, 0), undefined);
  for (let i = 101; i <= 200; i++) assertEquals(watch.check(i * 10_000, i, i, 3), undefined);
});

test("FrameWatch tells of a frame that trickles", () => {
  const watch = new FrameWatch(30_000, 0);
  for (let i = 1; i <= 3; i++) {
    assertEquals(watch.check(i * 10_000, i * 100, 7, i * 100), undefined);
  }
  assertStringIncludes(watch.check(40_000, 400, 7, 400)!, "300 bytes in 30000 ms");
});

test("FrameWatch judges nobody after the event loop stood still", () => {
  const watch = new FrameWatch(30_000, 0);
  watch.check(10_000, 100, 7, 100);
  assertEquals(watch.check(100_000, 100, 7, 100), undefined);
  assertEquals(watch.check(110_000, 100, 7, 100), undefined);
});

test("FrameWatch watches nothing when that was asked for", () => {
  assertEquals(new FrameWatch(0, 0).interval, 0);
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

/** A broker that wants no keep-alives. */
const withoutKeepAlives = { maxInactivityDuration: 0, maxInactivityDurationInitialDelay: 0 };

test("a broker without keep-alives is given up when it answers nothing", async () => {
  await using silent = await fakePeer(async (transport) => {
    const script = new Script(transport, withoutKeepAlives);
    await script.accept();
    while (await script.next());
  });
  const connection = await connect(silent.url, { wireFormat: quick });
  assertEquals(connection.wireFormat.maxInactivityDuration, 0);
  const error = await connection.closed;
  assertInstanceOf(error, ConnectionClosedError);
  assertStringIncludes(error!.message, "Nothing came from the broker for 150 ms");
});

test("a broker without keep-alives is not given up as long as it answers", async () => {
  for (const refuses of [false, true]) {
    let asked = 0;
    const { promise: longEnough, resolve } = Promise.withResolvers<void>();
    await using living = await fakePeer(async (transport) => {
      const script = new Script(transport, withoutKeepAlives);
      await script.accept();
      for (let command; (command = await script.next()) !== undefined;) {
        assert(command.dataType !== "KeepAliveInfo");
        if (command.dataType === "FlushCommand") {
          if (++asked === 12) resolve();
          // As Artemis does.
          if (refuses) {
            await script.send(createExceptionResponse({ correlationId: command.commandId }));
            continue;
          }
        }
        await script.answer(command);
      }
    });
    const connection = await connect(living.url, { wireFormat: quick });
    const errors: unknown[] = [];
    const told = (async () => {
      for await (const status of connection.status()) {
        if (status.type === "error") errors.push(status.error);
      }
    })();
    await longEnough;
    await connection.close();
    assertEquals(await connection.closed, undefined);
    await told;
    assertEquals(errors, []);
  }
});

test("a broker without keep-alives that waits for space for a message is not given up", async () => {
  let asked = 0;
  const [waits, space] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  await using full = await fakePeer(async (transport) => {
    const script = new Script(transport, withoutKeepAlives);
    await script.accept();
    for (let command; (command = await script.next()) !== undefined;) {
      if (command.dataType === "FlushCommand") asked++;
      if (command.dataType === "ActiveMQTextMessage") {
        waits.resolve();
        await space.promise;
      }
      await script.answer(command);
    }
  });
  const connection = await connect(full.url, { wireFormat: quick });
  let ended = false;
  connection.closed.then(() => ended = true);
  const sending = connection.send("orders", "x");
  await waits.promise;
  await assertRejects(() => connection.ping({ timeout: 6 * quick.maxInactivityDuration }));
  assertEquals(ended, false);
  space.resolve();
  await sending;
  await until(() => asked > 3);
  assertEquals(ended, false);
  await connection.close();
});

test("nothing is asked of a broker without keep-alives when they are off here, too", async () => {
  let commands = 0;
  await using silent = await fakePeer(async (transport) => {
    const script = new Script(transport, withoutKeepAlives);
    await script.accept();
    while (await script.next()) commands++;
  });
  const connection = await connect(silent.url, { wireFormat: withoutKeepAlives });
  await new Promise((resolve) => setTimeout(resolve, 50));
  assertEquals(commands, 0);
  connection.abort();
});

for (const kind of ["activemq5", "activemq6"] as const) {
  test(`a connector without keep-alives keeps an idle connection (${kind})`, async () => {
    const wireFormat = { maxInactivityDuration: 300, maxInactivityDurationInitialDelay: 0 };
    let answered = 0;
    const longEnough = Promise.withResolvers<void>();
    await using connection = await connect(brokers[kind]!.urls.plain!, {
      wireFormat,
      inspect: (command, direction) => {
        if (direction === "received" && command.dataType === "Response" && ++answered > 12) {
          longEnough.resolve();
        }
      },
    });
    assertEquals(connection.wireFormat.maxInactivityDuration, 0);
    const name = freshName();
    await using consumer = await connection.createConsumer(name);
    await longEnough.promise;
    await connection.send(name, "x");
    assertEquals((await consumer.receive())?.text, "x");
  }, { skip: skipWithout(kind) });
}

/** Keeps the event loop from all else. */
function block(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

test("a broker that gives up on a blocked event loop is told apart from one that just leaves", async () => {
  for (const [limit, blocked] of [[150, 400], [10_000, 0]] as const) {
    const { promise: leave, resolve } = Promise.withResolvers<void>();
    await using peer = await fakePeer(async (transport) => {
      const script = new Script(transport);
      await script.accept();
      await Promise.race([leave, script.answerAll()]);
    });
    const connection = await connect(peer.url, {
      wireFormat: { ...quick, maxInactivityDuration: limit },
    });
    block(blocked);
    resolve();
    const { message, retryable } = await connection.closed as ConnectionClosedError;
    const told = /the event loop was blocked and nothing was sent for (\d+) ms, longer than the 150/
      .exec(message);
    assertEquals(told !== null, blocked > 0, message);
    if (told) assert(Number(told[1]) >= blocked, message);
    assertEquals(retryable, true);
  }
});

test("the broker in memory gives nobody up after the event loop stood still", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url, { wireFormat: quick });
  for (let turn = 0; turn < 6; turn++) {
    block(2 * quick.maxInactivityDuration);
    await new Promise((wake) => setTimeout(wake, 0));
  }
  await connection.ping();
  assertEquals(connection.connected, true);
});

testOnBrokers("a blocked event loop is named when the broker gives up", async (broker) => {
  // The broker in memory lives in the same event loop, and judges nobody after that stood still.
  if (!broker.real) return;
  const wireFormat = { maxInactivityDuration: 1000, maxInactivityDurationInitialDelay: 0 };
  const connection = await broker.connect({ wireFormat });
  // Artemis looks every two seconds.
  block(broker.kind === "artemis" ? 6000 : 4000);
  const error = await connection.closed;
  assertInstanceOf(error, ConnectionClosedError);
  assertStringIncludes(error!.message, "the event loop was blocked and nothing was sent for");
});

testOnBrokers(
  "handlers that take long keep their connection, as long as they let go",
  async (broker) => {
    const { connect, name } = broker;
    const wireFormat = { maxInactivityDuration: 3000, maxInactivityDurationInitialDelay: 0 };
    const connection = await connect({ wireFormat });
    let ended = false;
    connection.closed.then(() => ended = true);
    const consumer = await connection.createConsumer(name);
    const { promise, resolve } = Promise.withResolvers<void>();
    let count = 0;
    consumer.consume(async () => {
      block(500);
      if (++count === 10) resolve();
      await new Promise((next) => setTimeout(next, 0));
    });
    for (let i = 0; i < 10; i++) await connection.send(name, `${i}`, { timeout: 0 });
    await promise;
    assertEquals(ended, false);
    await connection.ping();
  },
  { timeout: 60_000 },
);
