/** docs/timeouts.md tells the defaults that there are. */

import { assert, assertEquals } from "@std/assert";
import { resolveConsumerOptions } from "../../client/consumer/consumer_options.ts";
import { resolveSettings } from "../../client/options.ts";
import { OpenWireFormat, queue, topic } from "../../mod.ts";
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

test("the limits of consumers in docs/timeouts.md are those of the options", async () => {
  const page = await Deno.readTextFile(new URL("../../docs/timeouts.md", import.meta.url));
  const resolve = (name: "queue" | "topic" | "durable") =>
    resolveConsumerOptions(
      name === "durable" ? { subscriptionName: "s" } : {},
      resolveSettings({}),
      name === "queue" ? queue("q") : topic("t"),
      { mode: "auto", browser: false },
    );
  const [orders, prices, durable] = [resolve("queue"), resolve("topic"), resolve("durable")];
  const defaultsOf = (option: string): string[] =>
    page.split("\n").map((line) => line.split("|").map((cell) => cell.trim()))
      .filter((cells) => cells[2]?.startsWith(`\`${option}\``)).map((cells) => cells[3]!);
  assertEquals(defaultsOf("maxBufferedBytes").map(numberIn), [
    orders.maxBufferedBytes,
    prices.maxBufferedBytes,
  ]);
  assertEquals(durable.maxBufferedBytes, orders.maxBufferedBytes);
  assertEquals(defaultsOf("maxUnacknowledged").map(numberIn), [orders.maxUnacknowledged]);
  assertEquals(
    defaultsOf("prefetchSize")[0]!.match(/\d[\d,]*(?= )/g)?.map(numberIn),
    [orders, durable, prices].map(({ prefetchSize }) => prefetchSize),
  );
});
