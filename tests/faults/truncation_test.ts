/** A session that is cut at any byte, or in which silence falls: every call settles, and nothing is left. */

import { assert, assertEquals } from "@std/assert";
import { MemoryBroker } from "../../testing/mod.ts";
import { runtime, test } from "../_harness.ts";
import { exercise } from "./_exercise.ts";
import { type Direction, DIRECTIONS } from "./proxy/conversation.ts";
import type { FaultAction } from "./proxy/fault.ts";
import { FaultProxy } from "./proxy/fault_proxy.ts";

/** Milliseconds that no call needs, however slow the machine is. */
const DEADLINE = 20_000;
/** All bytes are tried on Deno, whose sanitizers see most; some on the others, whose sockets differ. */
const STEP = runtime === "deno" ? 1 : 5;
/** As many bytes as a queue's name has in every run. */
const name = (n: number): string => `cut.${String(n).padStart(5, "0")}`;

/** How many bytes go each way when nothing happens. */
async function length(proxy: FaultProxy): Promise<Record<Direction, number>> {
  const known = Promise.withResolvers<Record<Direction, number>>();
  proxy.onConnection = (connection) => {
    connection.closed.then(() =>
      known.resolve({
        "from-client": connection.bytes("from-client"),
        "to-client": connection.bytes("to-client"),
      })
    );
  };
  const { outcomes } = await exercise(proxy.url, {
    name: name(0),
    timeout: DEADLINE,
    deadline: DEADLINE,
  });
  assertEquals(outcomes.filter(({ error }) => error), [], "nothing fails by itself");
  return await known.promise;
}

for (const direction of DIRECTIONS) {
  test(`every call settles when what goes ${direction} is cut, at any byte`, async () => {
    await using broker = await MemoryBroker.listen();
    await using proxy = await FaultProxy.listen(broker.url);
    const total = (await length(proxy))[direction];
    assert(total > 1_500);
    for (let n = 0; n < total; n += STEP) {
      const action: FaultAction = (n / STEP) % 2 === 0 ? "end" : "reset";
      proxy.onConnection = (connection) => connection.truncate(direction, n, action);
      const at = `${action} after ${n} bytes ${direction}`;
      try {
        const { left } = await exercise(proxy.url, {
          name: name(n),
          timeout: DEADLINE,
          deadline: DEADLINE,
        });
        for (const [what, count] of Object.entries(left)) assertEquals(count, 0, what);
      } catch (error) {
        throw new Error(`${at}: ${(error as Error).message}`, { cause: error });
      }
    }
    await proxy.until(() => proxy.connections.length === 0);
    await broker.until(() => broker.connections === 0);
  }, { timeout: 600_000 });
}

/** What a loss may do to a call of a connection that survives it. */
const LOSSES: Readonly<Record<string, readonly string[]>> = {
  commit: ["TRANSACTION_IN_DOUBT"],
  "commit receive": ["TRANSACTION_IN_DOUBT", "TRANSACTION_ROLLED_BACK"],
  ack: ["DELIVERY_LOST"],
  createBrowser: ["CONNECTION_CLOSED"],
  browse: ["CONNECTION_CLOSED"],
};

for (const direction of DIRECTIONS) {
  test(
    `a connection with failover survives a cut of what goes ${direction}, at any byte`,
    async () => {
      await using broker = await MemoryBroker.listen();
      await using proxy = await FaultProxy.listen(broker.url);
      const total = (await length(proxy))[direction];
      const connect = { failover: { initialReconnectDelay: 1, maxReconnectDelay: 10 } };
      for (let n = 0; n < total; n += 5 * STEP) {
        const action: FaultAction = (n / STEP) % 2 === 0 ? "end" : "reset";
        const at = `${action} after ${n} bytes ${direction}`;
        let first = true;
        proxy.onConnection = (connection) => {
          if (first) connection.truncate(direction, n, action);
          first = false;
        };
        const { outcomes, left } = await exercise(proxy.url, {
          name: name(n),
          timeout: DEADLINE,
          deadline: DEADLINE,
          connect,
        });
        for (const { call, error } of outcomes) {
          assert(
            !error || LOSSES[call]?.includes(error.code),
            `${at}: ${call} failed with ${error}`,
          );
        }
        for (const [what, count] of Object.entries(left)) assertEquals(count, 0, `${at}: ${what}`);
      }
      await proxy.until(() => proxy.connections.length === 0);
      await broker.until(() => broker.connections === 0);
    },
    { timeout: 600_000 },
  );
}

for (const silent of [...DIRECTIONS, undefined]) {
  const what = silent ? `what goes ${silent} stops` : "nothing goes either way";
  test(`every call settles when ${what}, and nobody is told`, async () => {
    await using broker = await MemoryBroker.listen();
    await using proxy = await FaultProxy.listen(broker.url);
    const totals = await length(proxy);
    const places: [Direction, number][] = [];
    for (const direction of silent ? [silent] : DIRECTIONS) {
      // Places within frames and between them.
      for (let n = 0; n < totals[direction]; n += 61) places.push([direction, n]);
    }
    const action: FaultAction = silent ? { silence: silent } : "silence";
    const open = [...places];
    proxy.onConnection = (connection) => connection.truncate(...open.pop()!, action);
    const timeout = 150;
    const connect = {
      connectTimeout: timeout,
      requestTimeout: timeout,
      sendTimeout: timeout,
      closeTimeout: timeout,
    };
    const exercises = await Promise.all(
      places.map((_, n) =>
        exercise(proxy.url, { name: name(n), timeout, deadline: DEADLINE, connect })
      ),
    );
    for (const { left } of exercises) {
      for (const [what, count] of Object.entries(left)) assertEquals(count, 0, what);
    }
  }, { timeout: 60_000 });
}
