/** `deno task broker`: a broker to try things on, until Ctrl-C. */
import process from "node:process";
import { startActiveMq } from "./launcher.ts";

const broker = await startActiveMq({ persistent: process.argv.includes("--persistent") });
process.stdout.write(
  `ActiveMQ ${broker.version}, process ${broker.pid}, in the folder ${broker.folder}\n`,
);
for (const [name, url] of Object.entries(broker.urls)) {
  process.stdout.write(`${name.padEnd(12)}${url}\n`);
}
const stopped = new Promise<void>((resolve) => {
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => resolve());
});
await Promise.race([stopped, broker.ended]);
await broker.stop();
