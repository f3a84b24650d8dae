/** Errors of numbers that are none show their type, never themselves. */

import {
  connect,
  type ConnectOptions,
  createXid,
  formatTraceparent,
  OpenWireError,
} from "../../mod.ts";
import { OpenWireFormat } from "../../codec/mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { dial, listen } from "../../transport/mod.ts";
import { assert, assertRejects } from "@std/assert";
import { test } from "../_harness.ts";

const texts: unknown[] = [
  "secret",
  "secret\u001b[2J\n",
  Symbol("secret"),
  ["secret"],
  { secret: 1 },
  { toString: () => "secret" },
  () => "secret",
  10n ** 5000n,
  null,
];

/** Calls something with each value, and looks at the error. */
async function refuses(what: string, call: (value: never) => unknown): Promise<void> {
  for (const value of texts) {
    // Where null is none, it is no mistake.
    if (value === null) continue;
    const error = await assertRejects(async () => await call(value as never), Error, "", what);
    const { message, stack = "" } = error;
    assert(!(error instanceof OpenWireError), what);
    // deno-lint-ignore no-control-regex
    assert(!/secret|[\x00-\x1f]/.test(message), `${what}: ${message}`);
    assert(message.length < 300 && !stack.includes("secret("), `${what}: ${message}`);
    assert(/a value of type|a bigint/.test(message), `${what}: ${message}`);
  }
}

test("connect() shows no value that is not a number where one is expected", async () => {
  const options: Record<string, (value: never) => ConnectOptions> = {};
  for (
    const name of [
      "connectTimeout",
      "requestTimeout",
      "sendTimeout",
      "closeTimeout",
      "maxInflatedSize",
      "maxDecodedValues",
      "optimizeAcknowledgeTimeout",
      "producerWindowSize",
      "maxPendingSendBytes",
      "compressionThreshold",
    ]
  ) options[name] = (value) => ({ [name]: value });
  for (
    const name of [
      "initialReconnectDelay",
      "maxReconnectDelay",
      "reconnectDelayExponent",
      "reconnectJitter",
      "maxReconnectAttempts",
      "startupMaxReconnectAttempts",
      "warnAfterReconnectAttempts",
      "timeout",
      "maxCacheSize",
      "maxTransactionSize",
      "backupPoolSize",
    ]
  ) options[`failover.${name}`] = (value) => ({ failover: { [name]: value } });
  for (const name of ["maximumRedeliveries", "redeliveryDelay", "backOffMultiplier"]) {
    options[`redeliveryPolicy.${name}`] = (value) => ({ redeliveryPolicy: { [name]: value } });
  }
  for (const name of ["all", "queuePrefetch", "maximumPendingMessageLimit"]) {
    options[`prefetchPolicy.${name}`] = (value) => ({ prefetchPolicy: { [name]: value } });
  }
  for (const name of ["version", "minimumVersion", "cacheSize", "maxFrameSize"]) {
    options[`wireFormat.${name}`] = (value) => ({ wireFormat: { [name]: value } });
  }
  options["socket.connectTimeout"] = (value) => ({ socket: { connectTimeout: value } });
  for (const [name, make] of Object.entries(options)) {
    await refuses(name, (value) => connect("tcp://127.0.0.1:1", make(value)));
  }
});

test("calls show no value that is not a number where one is expected", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url);
  const calls: Record<string, (value: never) => unknown> = {
    priority: (priority) => connection.send("q", "x", { priority }),
    timeToLive: (timeToLive) => connection.send("q", "x", { timeToLive }),
    groupSequence: (groupSequence) => connection.send("q", "x", { groupSequence }),
    delay: (delay) => connection.send("q", "x", { delay }),
    timeout: (timeout) => connection.send("q", "x", { timeout }),
    "consumer's priority": (priority) => connection.createConsumer("q", { priority }),
    prefetchSize: (prefetchSize) => connection.createConsumer("q", { prefetchSize }),
    maxUnacknowledged: (maxUnacknowledged) => connection.createConsumer("q", { maxUnacknowledged }),
    maxReplies: (maxReplies) => connection.requestMany("q", "x", { maxReplies }).next(),
    stallTimeout: (stallTimeout) => connection.requestMany("q", "x", { stallTimeout }).next(),
    concurrency: async (concurrency) => {
      await using consumer = await connection.createConsumer("q");
      await consumer.consume(() => {}, { concurrency });
    },
    from: (from) => connection.scheduledJobs.browse({ from }).next(),
    "connectTimeout of dial()": (connectTimeout) => dial("tcp://127.0.0.1:1", { connectTimeout }),
    "port of listen()": (port) => listen({ port }),
    version: (version) => new OpenWireFormat({ version }),
    formatId: (formatId) => createXid({ formatId }),
    traceFlags: (traceFlags) =>
      formatTraceparent({ traceId: "1".repeat(32), spanId: "1".repeat(16), traceFlags }),
  };
  for (const [name, call] of Object.entries(calls)) await refuses(name, call);
});
