// deno-lint-ignore-file no-console -- it is a program
/**
 * `deno task hostile [--broker=activemq5,activemq6,artemis] [--messages=100000] [--seed=N] [--tight] [--cache] [--url=URL]`:
 * messages that mean harm, sent through real brokers to consumers of all kinds. No consumer may be lost, and no good message
 * behind the others.
 *
 * The last line is `N passed, N failed`.
 */
import { parseArgs } from "node:util";
import process from "node:process";
import { BROKER_KINDS } from "../broker/kinds.ts";
import { startActiveMq } from "../broker/launcher.ts";
import { provision } from "../broker/provision.ts";
import { runCampaign } from "./_campaign.ts";

const { values } = parseArgs({
  options: {
    broker: { type: "string", default: BROKER_KINDS.join(",") },
    messages: { type: "string", default: "100000" },
    seed: { type: "string", default: `${Math.floor(Math.random() * 1e9)}` },
    tight: { type: "boolean", default: false },
    cache: { type: "boolean", default: false },
    url: { type: "string" },
  },
});
let [passed, failed] = [0, 0];
for (const name of values.broker!.split(",")) {
  const kind = BROKER_KINDS.find((known) => known === name);
  if (!kind) throw new TypeError(`${name} is none of ${BROKER_KINDS.join(", ")}`);
  const start = performance.now();
  try {
    if (values.url) {
      await run(name, values.url);
    } else {
      const found = await provision(kind);
      if (typeof found === "string") throw new Error(found);
      const broker = await startActiveMq({}, found);
      try {
        await run(name, broker.urls.openwire);
      } finally {
        await broker.stop();
      }
    }
    passed++;
  } catch (error) {
    failed++;
    console.error(name, error);
  }
  console.log(`${name}: ${Math.round((performance.now() - start) / 1000)} s`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

async function run(name: string, url: string): Promise<void> {
  const result = await runCampaign({
    url,
    messages: Number(values.messages),
    seed: Number(values.seed),
    name: `hostile.${values.seed}`,
    wireFormat: { tightEncodingEnabled: values.tight, cacheEnabled: values.cache },
  });
  console.log(`${name}, seed ${values.seed}: ${JSON.stringify(result)}`);
}
