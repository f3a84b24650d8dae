/** `deno task broker [activemq5|activemq6|artemis] [--persistent]`: a broker to try things on, until Ctrl-C. */
import process from "node:process";
import { BROKER_KINDS } from "./kinds.ts";
import { startActiveMq } from "./launcher.ts";
import { provision } from "./provision.ts";

const kind = BROKER_KINDS.find((name) => process.argv.includes(name)) ?? "activemq5";
const persistent = process.argv.includes("--persistent");
const broker = await startActiveMq({ persistent }, provision(kind));
process.stdout.write(
  `${kind} ${broker.version}, process ${broker.pid}, in the folder ${broker.folder}\n`,
);
for (const [name, url] of Object.entries(broker.urls)) {
  process.stdout.write(`${name.padEnd(12)}${url}\n`);
}
const stopped = new Promise<void>((resolve) => {
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => resolve());
});
await Promise.race([stopped, broker.ended]);
await broker.stop();
