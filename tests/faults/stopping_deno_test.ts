/** What is said of a broker that is asked to stop while clients connect. */
import process from "node:process";
import { connect, type OpenWireError } from "../../mod.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { test } from "../_harness.ts";
import { credentials } from "../_secret.ts";
import { skipWithout, wantedBrokers } from "../broker/env.ts";
import { startActiveMq } from "../broker/launcher.ts";
import { provision } from "../broker/provision.ts";
import { BROKER_TITLES } from "../broker/results.ts";

for (const kind of wantedBrokers) {
  test(`connect() says that a broker may be stopping (${BROKER_TITLES[kind]})`, async () => {
    await using broker = await startActiveMq({}, provision(kind));
    let gone = false;
    broker.ended.then(() => gone = true);
    process.kill(broker.pid, "SIGTERM");
    while (!gone) {
      try {
        const connection = await connect(broker.urls.openwire, credentials);
        connection.abort();
        await connection.closed;
      } catch (error) {
        const { code, message, retryable } = error as OpenWireError;
        if (code === "HANDSHAKE") assertStringIncludes(message, "be stopping");
        else assertEquals(code, "CONNECTION_REFUSED", String(error));
        assert(retryable);
      }
    }
  }, { skip: skipWithout(kind), timeout: 60_000 });
}
