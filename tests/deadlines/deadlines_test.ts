/** Each call that gives something to wait for, when the broker does not do its part: nothing stays pending. */

import { until } from "../client/_messages.ts";
import { test } from "../_harness.ts";
import { type Driver, drivers, type Outcome } from "./_drivers.ts";
import { isPending, outcomeOf, play, REASON } from "./_outcomes.ts";
import { Relay } from "./_relay.ts";
import { SilentBroker } from "./_silence.ts";
import type { Call, Stage } from "./_stage.ts";

/** Time limits of the connection that are short enough to wait for. */
const SHORT = { requestTimeout: 1000, closeTimeout: 1000 };
/** What may come of a call when the broker answers for a while. */
const IN_TIME = ["ok", "TIMEOUT", "BATCH", "UNSUPPORTED", "INVALID_DESTINATION", "XA"];
/** To close again changes nothing. */
const CLOSES = /^Connection(\.close\b(?!d)|\[Symbol.asyncDispose\])/;
/** Bytes that the buffers of no system take. */
const MUCH = 60_000_000;
/** What waits for handlers. */
const IN_HANDLERS = new Map([["Connection.stop", "TIMEOUT"]]);
/** A machine that is busy needs more time for so many calls. */
const BUSY = { timeout: 90_000 };
/** More than any call has. */
const MOST_STEPS = 9;
const LIMITS = { timeout: 50 };

/** Whether a call still waits when another one has run into its limit. */
async function outlasts(promise: Promise<unknown>, { connection }: Stage): Promise<boolean> {
  await outcomeOf(connection.ping({ timeout: 100 }));
  return await isPending(promise);
}

test("a call that is not answered ends in the time that the call may take", async () => {
  const limited = drivers.filter(({ takes, silent }) =>
    takes.includes("timeout") && silent !== "waits"
  );
  await play(limited, () => SilentBroker.open(), ({ silent }) => silent, async (call, _, scene) => {
    scene.silence();
    return await outcomeOf(call(LIMITS));
  });
}, BUSY);

test("a call that is not answered ends in the time that the connection allows", async () => {
  const open = () => SilentBroker.open(SHORT);
  await play(drivers, open, ({ silent }) => silent, async (call, stage, scene, { silent }) => {
    scene.silence();
    const promise = call({});
    if (silent !== "waits") return await outcomeOf(promise);
    return await outlasts(promise, stage) ? "waits" : await outcomeOf(promise);
  });
}, BUSY);

test("a call of several steps ends in its time whichever of them is not answered", async () => {
  const several = drivers.filter(({ takes, silent }) =>
    takes.includes("timeout") && silent !== "waits"
  );
  const open = () => SilentBroker.open();
  for (let steps = 1; steps <= MOST_STEPS; steps++) {
    const expected = () => "in time";
    await play(several, open, expected, async (call, _, scene) => {
      scene.silence(steps);
      const outcome = await outcomeOf(call(LIMITS));
      return IN_TIME.includes(outcome) ? "in time" : outcome;
    });
  }
}, BUSY);

test("a call that waits ends when the connection is lost", async () => {
  const open = () => SilentBroker.open();
  await play(drivers, open, ({ lost }) => lost, async (call, _, scene, { name }) => {
    scene.silence();
    const outcome = outcomeOf(call({}));
    if (name === "connect") await Promise.race([scene.introduced, outcome]);
    await scene.broker.disconnectClients();
    return await outcome;
  });
}, BUSY);

test("a call that waits ends when the connection is closed", async () => {
  const open = () => SilentBroker.open();
  const others = drivers.filter(({ name }) => !CLOSES.test(name));
  await play(others, open, ({ closing }) => closing, async (call, { connection }, scene) => {
    scene.silence();
    const outcome = outcomeOf(call({}));
    const end = await outcomeOf(connection.close({ timeout: 50 }));
    return end === "ok" ? await outcome : `close() ${end}`;
  });
}, BUSY);

test("a call after the connection was closed says so at once", async () => {
  const open = () => SilentBroker.open();
  await play(drivers, open, ({ closed }) => closed, async (call, { connection }) => {
    await connection.close({ timeout: 200 });
    return await outcomeOf(call({}));
  });
}, BUSY);

test("a call after the connection was lost says so at once", async () => {
  const open = () => SilentBroker.open();
  await play(drivers, open, ({ gone }) => gone, async (call, { connection }, scene) => {
    await scene.broker.disconnectClients();
    await connection.closed;
    return await outcomeOf(call({}));
  });
}, BUSY);

test("a call that waits ends when its signal is aborted", async () => {
  const abortable = drivers.filter(({ takes, aborted }) =>
    takes.includes("signal") && aborted !== "waits"
  );
  const open = () => SilentBroker.open();
  await play(abortable, open, ({ aborted }) => aborted, async (call, _, scene) => {
    scene.silence();
    const controller = new AbortController();
    const outcome = outcomeOf(call({ signal: controller.signal }));
    controller.abort(REASON);
    return await outcome;
  });
}, BUSY);

test("a call ends in its time when the peer reads nothing any more and bytes pile up", async () => {
  await using broker = await SilentBroker.open();
  const limited = drivers.filter(({ takes, silent }) =>
    takes.includes("timeout") && silent !== "waits"
  );
  const open = () => Relay.open(broker.url);
  await play(limited, open, ({ silent }) => silent, async (call, { connection }, relay) => {
    relay.freeze();
    const flood = connection.send("flood", new Uint8Array(MUCH), { persistent: false });
    flood.catch(() => {});
    return await outcomeOf(call(LIMITS));
  }, 4);
}, BUSY);

/** Makes a call from a handler, when something has happened to the broker. */
async function callInHandler(
  call: Call,
  { connection, queue }: Stage,
  happen: () => Promise<void> | void,
): Promise<Outcome> {
  const outcome = Promise.withResolvers<Outcome>();
  const consumer = await connection.createConsumer(`${queue}.handler`);
  consumer.consume(async () => {
    await happen();
    outcome.resolve(await outcomeOf(call({})));
  }).catch(() => {});
  await connection.send(`${queue}.handler`, "hello");
  return await outcome.promise;
}

test("a call from a handler ends as any other when the broker says nothing any more", async () => {
  const open = () => SilentBroker.open(SHORT);
  const inHandlers = drivers.filter(({ silent }) => silent !== "waits");
  const expected = ({ name, silent }: Driver) => IN_HANDLERS.get(name) ?? silent;
  await play(inHandlers, open, expected, async (call, stage, scene) => {
    return await callInHandler(call, stage, () => scene.silence());
  });
}, BUSY);

test(
  "a call from a handler ends as any other while a lost connection is being replaced",
  async () => {
    const open = () => SilentBroker.open(SHORT, true);
    const inHandlers = drivers.filter(({ away }) => away !== "waits");
    const expected = ({ name, away }: Driver) => IN_HANDLERS.get(name) ?? away;
    await play(inHandlers, open, expected, async (call, stage, scene) => {
      return await callInHandler(call, stage, async () => {
        await scene.broker.suspend();
        await until(() => !stage.connection.connected);
      });
    });
  },
  BUSY,
);

test("a call ends in its time while a lost connection is being replaced", async () => {
  const open = () => SilentBroker.open(SHORT, true);
  await play(drivers, open, ({ away }) => away, async (call, stage, scene, { away }) => {
    await scene.broker.suspend();
    await until(() => !stage.connection.connected);
    const promise = call({});
    if (away !== "waits") return await outcomeOf(promise);
    return await outlasts(promise, stage) ? "waits" : await outcomeOf(promise);
  });
}, BUSY);

test("a call that waits for a connection ends when the wait is ended", async () => {
  const open = () => SilentBroker.open({}, true);
  const waiting = drivers.filter(({ name, away }) =>
    !CLOSES.test(name) && (away === "TIMEOUT" || away === "waits")
  );
  await play(waiting, open, ({ closing }) => closing, async (call, { connection }, scene) => {
    await scene.broker.suspend();
    await until(() => !connection.connected);
    const outcome = outcomeOf(call({}));
    const end = await outcomeOf(connection.close({ timeout: 50 }));
    return end === "ok" ? await outcome : `close() ${end}`;
  });
}, BUSY);
