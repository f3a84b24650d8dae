/** A short run of the ledger test with the broker in memory; those with real brokers are `deno task ledger`. */

import { assert, assertEquals } from "@std/assert";
import { test } from "../_harness.ts";
import { findRuntime } from "../_runtimes.ts";
import { runLedger } from "./ledger/run_ledger.ts";

test("processes lose nothing while connections break and the broker is away", async () => {
  const runtime = findRuntime("deno");
  if (typeof runtime === "string") throw new Error(runtime);
  const result = await runLedger({ broker: "memory", runtime, time: 8_000, seed: 1 });
  if (typeof result === "string") throw new Error(result);
  const { violations, figures } = result.verdict;
  assertEquals(violations, []);
  assert(figures.confirmedSends > 0 && figures.confirmedAcks > 0 && figures.confirmedMoves > 0);
}, { timeout: 120_000 });
