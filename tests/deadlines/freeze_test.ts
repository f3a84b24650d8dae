/** A real broker that stands still (SIGSTOP), as in a long collection of garbage, goes on, and is killed. */

import process from "node:process";
import { type RunningBroker, startActiveMq } from "../broker/launcher.ts";
import { missing } from "../broker/differences.ts";
import { skipWithout, wantedBrokers } from "../broker/env.ts";
import type { BrokerKind } from "../broker/kinds.ts";
import { provision } from "../broker/provision.ts";
import { BROKER_TITLES } from "../broker/results.ts";
import { test } from "../_harness.ts";
import { type Driver, drivers, type Outcome } from "./_drivers.ts";
import { compare, isPending, outcomeOf } from "./_outcomes.ts";
import { type Call, Stage } from "./_stage.ts";

interface Prepared {
  readonly driver: Driver;
  readonly stage: Stage;
  readonly call: Call;
}

/** Each driver with a connection of its own, ready to be called. */
async function prepare(url: string, kind: BrokerKind): Promise<Prepared[]> {
  const prepared: Prepared[] = [];
  for (const driver of drivers) {
    // The queues of the others change, too.
    const changes = /^DestinationSource(\.changes|\[Symbol.asyncIterator\])/.test(driver.name);
    if (changes || missing(kind, driver.needs ?? [])) continue;
    const stage = await Stage.open(url, { ...driver.options });
    prepared.push({ driver, stage, call: await driver.ready(stage) });
  }
  return prepared;
}

/** Stops a broker. It goes on for a moment. */
async function freeze({ pid, urls }: RunningBroker): Promise<void> {
  await using witness = await Stage.open(urls.openwire, {});
  process.kill(pid, "SIGSTOP");
  while (await outcomeOf(witness.connection.ping({ timeout: 300 })) === "ok");
}

/** Compares what came of the calls. */
async function check(
  prepared: readonly Prepared[],
  outcomes: readonly Promise<Outcome>[],
  expected: (driver: Driver) => Outcome,
): Promise<void> {
  const found = new Map<string, Outcome>();
  for (const [index, outcome] of outcomes.entries()) {
    found.set(prepared[index]!.driver.name, await outcome);
  }
  compare(prepared.map(({ driver }) => driver), found, expected);
}

async function close(prepared: readonly Prepared[]): Promise<void> {
  for (const { stage } of prepared) await stage[Symbol.asyncDispose]();
}

for (const kind of wantedBrokers) {
  test(
    `nothing waits for ever for a broker that stands still (${BROKER_TITLES[kind]})`,
    async () => {
      await using broker = await startActiveMq({}, provision(kind));
      const all = await prepare(broker.urls.openwire, kind);
      const limited = all.filter(({ driver }) => driver.takes.includes("timeout"));
      await freeze(broker);
      try {
        const calls = limited.map(({ driver: { silent }, call }) => ({
          silent,
          promise: call(silent === "waits" ? {} : { timeout: 300 }),
        }));
        const timed = calls.filter(({ silent }) => silent !== "waits");
        const ended = Promise.all(timed.map(({ promise }) => outcomeOf(promise)));
        const outcomes = calls.map(async ({ silent, promise }) => {
          if (silent !== "waits") return await outcomeOf(promise);
          await ended;
          return await isPending(promise) ? "waits" : await outcomeOf(promise);
        });
        await check(limited, outcomes, ({ silent }) => silent);
      } finally {
        process.kill(broker.pid, "SIGCONT");
      }
      // Those that are still open go on as if nothing had been.
      const standing = all.filter(({ driver: { name } }) => !name.startsWith("Connection."));
      await Promise.all(standing.map(({ stage }) => stage.connection.ping()));
      await close(all);
    },
    { skip: skipWithout(kind), timeout: 90_000 },
  );

  test(`nothing waits for ever for a broker that is killed (${BROKER_TITLES[kind]})`, async () => {
    await using broker = await startActiveMq({}, provision(kind));
    const all = await prepare(broker.urls.openwire, kind);
    await freeze(broker);
    // Whether a connection that is being opened is refused, reset or ended is a matter of moments.
    const standing = all.filter(({ driver: { name } }) =>
      !/^(connect$|dial$|ConnectOptions)/.test(name)
    );
    const outcomes = standing.map(({ call }) => outcomeOf(call({})));
    await broker.kill();
    await check(standing, outcomes, ({ lost }) => lost);
    await close(all);
  }, { skip: skipWithout(kind), timeout: 90_000 });
}
