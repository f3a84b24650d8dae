/** Generated messages that mean harm, through real brokers. `deno task hostile` sends many more of them. */

import { assert, assertEquals } from "@std/assert";
import type { WireFormatOptions } from "../../mod.ts";
import { test } from "../_harness.ts";
import { brokers, skipWithout, wantedBrokers } from "../broker/env.ts";
import { BROKER_TITLES } from "../broker/results.ts";
import { freshName } from "../client/_brokers.ts";
import { runCampaign } from "./_campaign.ts";

const forms: [how: string, wireFormat: WireFormatOptions, seed: number][] = [
  ["loose", {}, 1],
  ["tight and with the cache", { tightEncodingEnabled: true, cacheEnabled: true }, 2],
];

for (const [how, wireFormat, seed] of forms) {
  for (const kind of wantedBrokers) {
    const what = "200 generated messages stop no consumer, and the good ones behind them come";
    test(`${what}: ${how} (${BROKER_TITLES[kind]})`, async () => {
      const url = brokers[kind]!.urls.openwire;
      const result = await runCampaign({
        url,
        name: `hostile.${freshName()}`,
        seed,
        messages: 200,
        wireFormat,
      });
      assertEquals([result.sent, result.good], [200, 8]);
      assert(result.received > 50, JSON.stringify(result));
      if (!wireFormat.cacheEnabled) assertEquals(result.reconnections, 0);
    }, { timeout: 120_000, skip: skipWithout(kind) });
  }
}
