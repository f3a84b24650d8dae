/** What passed on which broker, counted for docs/brokers.md. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { TESTED_BROKERS, type TestedBroker } from "./differences.ts";
import type { BrokerKind } from "./kinds.ts";

/** How the title of a test names its broker, at its end. */
export const BROKER_TITLES: Record<TestedBroker, string> = {
  memory: "in-memory broker",
  activemq5: "ActiveMQ",
  activemq6: "ActiveMQ 6",
  artemis: "Artemis",
};

/** What is told together, and the test files that are about it. */
export const AREAS: Readonly<Record<string, readonly string[]>> = {
  "Connections, URLs, sessions": ["capabilities", "connect", "connect_url"],
  "Encodings and versions of OpenWire": ["wire_format"],
  "Messages of all types, their headers and properties": ["send_receive", "body_codec"],
  "Producers and their windows": ["producer_send", "producer_stream", "producer_full_queue"],
  "Consumers, prefetch, pull, browsers, groups, subscriptions": ["consumer", "consumer_control"],
  "Acknowledgements and redelivery": ["acknowledge", "mixed_modes"],
  "Transactions": ["transaction"],
  "Distributed transactions (XA)": ["xa"],
  "Selectors": ["selector"],
  "Scheduled messages": ["schedule"],
  "Request–reply and temporary destinations": ["request", "temporary"],
  "Destinations, composite and with wildcards": ["destination", "destination_management"],
  "Advisories and statistics": [
    "advisory_event",
    "advisory_topics",
    "destination_source",
    "statistics",
  ],
  "Lost connections (failover)": ["failover", "restarts"],
  "TLS": ["tls"],
  "Limits of time and memory": [
    "back_pressure",
    "freeze",
    "handlers",
    "keep_alive",
    "pending_sends",
  ],
  "Hooks, traces, counters, logs": [
    "hooks",
    "logger",
    "opentelemetry",
    "secrets",
    "stats",
    "trace_context",
  ],
  "Together with Java, STOMP and AMQP clients": [
    "java_messages",
    "java_client",
    "stomp",
    "amqp",
  ],
  "Examples": ["examples", "examples_deno"],
};

/** What `tests/run.ts --results=FILE` writes. */
export interface TestResults {
  versions: Passed["versions"];
  results: readonly { name: string; file?: string; outcome: string; message: string }[];
}

/** How many tests of an area passed on each broker. */
export interface Passed {
  /** The day of the run. */
  day: string;
  versions: Partial<Record<BrokerKind, string>>;
  areas: Record<string, Record<TestedBroker, number>>;
}

const FILE = new URL("passed.json", import.meta.url);

/** What passed in the last run that was kept. */
export function lastPassed(): Passed {
  return JSON.parse(readFileSync(FILE, "utf8"));
}

/** Keeps what passed in a run. */
export function keepPassed(passed: Passed): void {
  writeFileSync(fileURLToPath(FILE), `${JSON.stringify(passed, null, 2)}\n`);
}

/**
 * Counts the tests that passed.
 *
 * @throws Error if one failed, or if a file has tests of several brokers and belongs to no area.
 */
export function countPassed(results: TestResults["results"]): Passed["areas"] {
  const areas: Passed["areas"] = {};
  for (const area of Object.keys(AREAS)) {
    areas[area] = { memory: 0, activemq5: 0, activemq6: 0, artemis: 0 };
  }
  for (const { name, file = "", outcome, message } of results) {
    if (outcome === "failed") throw new Error(`${name} failed: ${message}`);
    const broker = TESTED_BROKERS.find((broker) => name.endsWith(`(${BROKER_TITLES[broker]})`));
    if (!broker || outcome !== "passed") continue;
    const subject = /(\w+)_test\.ts$/.exec(file)?.[1] ?? file;
    const area = Object.entries(AREAS).find(([, subjects]) => subjects.includes(subject))?.[0];
    if (area === undefined) throw new Error(`${file} belongs to no area of the brokers' page`);
    areas[area]![broker]++;
  }
  return areas;
}
