/** A short form of the soak: what is closed is gone, and broken connections lose no message. */

import { assert, assertEquals } from "@std/assert";
import { MemoryBroker } from "../../testing/mod.ts";
import { test } from "../_harness.ts";
import { FaultProxy } from "./proxy/fault_proxy.ts";
import { CYCLES } from "./soak/cycles.ts";
import { soakMessages } from "./soak/messages.ts";
import { soak } from "./soak/soak.ts";

test("what was opened and closed many times is held by nobody", async () => {
  await using broker = await MemoryBroker.listen();
  const all = await soak(broker.url, 100);
  assertEquals(all.map(({ name }) => name), CYCLES.map(({ name }) => name));
  for (const { name, tracked, held, open, listeners } of all) {
    assert(tracked >= 10);
    // Bun's collector takes for a reference what looks like one, so some stay.
    assert(held <= tracked / 10, `of ${tracked} objects of kind ${name} ${held} are held`);
    assertEquals([open, listeners], [{}, 0], name);
  }
}, { timeout: 60_000 });

test("thousands of messages arrive while the connection breaks", async () => {
  await using broker = await MemoryBroker.listen();
  await using proxy = await FaultProxy.listen(broker.url);
  const timer = proxy.breakEvery(300);
  try {
    const { failed, lost, unmarked, open, reconnections } = await soakMessages(proxy.url, 10_000);
    assertEquals({ failed, lost, unmarked, open }, { failed: {}, lost: 0, unmarked: 0, open: {} });
    assert(reconnections > 0);
  } finally {
    clearInterval(timer);
  }
}, { timeout: 60_000 });
