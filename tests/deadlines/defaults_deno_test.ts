/** docs/timeouts.md tells the defaults that there are. */

import { assert, assertEquals } from "@std/assert";
import { resolveSettings } from "../../client/options.ts";
import { OpenWireFormat } from "../../mod.ts";
import { test } from "../_harness.ts";

/** A number as the page writes it: `30,000`, `16 MiB`. */
function numberIn(text: string): number {
  const [, digits, unit] = /^([\d,]+)( MiB)?$/.exec(text)!;
  return Number(digits!.replaceAll(",", "")) * (unit ? 2 ** 20 : 1);
}

test("the defaults in docs/timeouts.md are those of the options", async () => {
  const page = await Deno.readTextFile(new URL("../../docs/timeouts.md", import.meta.url));
  const { requestTimeout, closeTimeout, optimizeAcknowledgeTimeout, ...settings } = resolveSettings(
    { failover: {} },
  );
  const { maxPendingSendBytes, producerWindowSize, maxInflatedSize, maxDecodedValues, failover } =
    settings;
  const { maxInactivityDuration, maxFrameSize } = new OpenWireFormat().offer;
  const expected = {
    requestTimeout,
    closeTimeout,
    optimizeAcknowledgeTimeout,
    maxPendingSendBytes,
    producerWindowSize,
    maxInflatedSize,
    maxDecodedValues,
    "wireFormat.maxInactivityDuration": maxInactivityDuration,
    "wireFormat.maxFrameSize": maxFrameSize,
    "failover.maxTransactionSize": failover!.maxTransactionSize,
  };
  for (const [option, value] of Object.entries(expected)) {
    const rows = page.split("\n").map((line) => line.split("|").map((cell) => cell.trim()))
      .filter((cells) => cells[2]?.startsWith(`\`${option}\``));
    assert(rows.length > 0, option);
    for (const cells of rows) assertEquals(numberIn(cells[3]!), value, option);
  }
});
