/** Generated messages that mean harm, through the brokers. `deno task hostile` sends many more of them. */

import { assert, assertEquals } from "@std/assert";
import { testInEncodings } from "../client/_brokers.ts";
import { runCampaign } from "./_campaign.ts";

testInEncodings(
  "500 generated messages stop no consumer, and the good ones behind them come",
  async (broker) => {
    const { wireFormat } = await broker.connect();
    const { tightEncodingEnabled, cacheEnabled } = wireFormat;
    const messages = broker.real ? 500 : 100;
    const result = await runCampaign({
      url: broker.url,
      name: broker.name,
      seed: 1,
      messages,
      wireFormat: { tightEncodingEnabled, cacheEnabled },
    });
    assertEquals([result.sent, result.good], [messages, messages / 25]);
    assert(result.received > 0, JSON.stringify(result));
    if (!cacheEnabled) assertEquals(result.reconnections, 0);
  },
  { timeout: 120_000 },
);
