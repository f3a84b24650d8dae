/** Generated messages that mean harm, through the brokers. `deno task hostile` sends many more of them. */

import { assert, assertEquals } from "@std/assert";
import type { WireFormatOptions } from "../../mod.ts";
import { testOnBrokers } from "../client/_brokers.ts";
import { runCampaign } from "./_campaign.ts";

const forms: [how: string, wireFormat: WireFormatOptions, seed: number][] = [
  ["loose", {}, 1],
  ["tight and with the cache", { tightEncodingEnabled: true, cacheEnabled: true }, 2],
];

for (const [how, wireFormat, seed] of forms) {
  testOnBrokers(
    `200 generated messages stop no consumer, and the good ones behind them come: ${how}`,
    async ({ url, name }) => {
      const result = await runCampaign({ url, name, seed, messages: 200, wireFormat });
      assertEquals([result.sent, result.good], [200, 8]);
      assert(result.received > 50, JSON.stringify(result));
      if (wireFormat.cacheEnabled) return;
      assertEquals(result.reconnections, 0);
    },
    { timeout: 120_000 },
  );
}
