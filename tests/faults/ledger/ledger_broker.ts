/** The brokers of the ledger test: they are killed, and come back with what they had. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryBroker } from "../../../testing/mod.ts";
import { type RunningBroker, startActiveMq } from "../../broker/launcher.ts";
import type { TestedBroker } from "../../broker/differences.ts";
import { provision } from "../../broker/provision.ts";

/** A broker that can be killed. */
export interface LedgerBroker extends AsyncDisposable {
  /** Where it is; somewhere else when it was started again, because somebody may have taken its port meanwhile. */
  readonly url: string;
  readonly version: string;
  /** Ends it like a power cut of its process: no shutdown hook runs. */
  kill(): Promise<void>;
  /** Starts it again, on the same data. */
  restart(): Promise<void>;
}

/** Starts a broker; a string is the reason why there is none. */
export async function startLedgerBroker(kind: TestedBroker): Promise<LedgerBroker | string> {
  if (kind === "memory") return await memoryBroker();
  const found = provision(kind);
  if (typeof found === "string") return found;
  const data = mkdtempSync(join(tmpdir(), "openwire-ledger-"));
  const options = { persistent: true, data };
  let running: RunningBroker = await startActiveMq(options, found);
  return {
    get url(): string {
      return running.urls.openwire;
    },
    version: running.version,
    async kill() {
      await running.kill();
      await running.stop();
    },
    async restart() {
      running = await startActiveMq(options, found);
    },
    async [Symbol.asyncDispose]() {
      await running.stop();
      rmSync(data, { recursive: true, force: true });
    },
  };
}

/** The one in memory keeps its messages while nobody can reach it. */
async function memoryBroker(): Promise<LedgerBroker> {
  const broker = await MemoryBroker.listen();
  return {
    url: broker.url,
    version: "",
    kill: () => broker.suspend(),
    restart: () => broker.resume(),
    [Symbol.asyncDispose]: () => broker.close(),
  };
}
