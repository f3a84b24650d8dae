/** Runs one test against each broker: the one in memory, and the real ones. */

import {
  connect,
  type Connection,
  type ConnectOptions,
  type LogFields,
  type Logger,
  type WireFormatOptions,
} from "../../mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { test, type TestOptions } from "../_harness.ts";
import { type Capability, missing, type TestedBroker } from "../broker/differences.ts";
import { BROKER_TITLES } from "../broker/results.ts";
import { brokers, skipWithout, wantedBrokers } from "../broker/env.ts";
import { credentials } from "../_secret.ts";
import { lookInto } from "./_leaks.ts";

/** What a test gets. */
export interface TestBroker {
  readonly url: string;
  readonly real: boolean;
  /** Which broker it is. */
  readonly kind: TestedBroker;
  /** The broker in memory, if it is that. */
  readonly memory: MemoryBroker | undefined;
  /** A name that no other test uses. */
  readonly name: string;
  /** Connects; all connections are closed when the test ends. */
  connect(options?: ConnectOptions): Promise<Connection>;
}

let names = 0;
const run = crypto.randomUUID().slice(0, 8);

/** A destination's name that no other test uses. */
export function freshName(): string {
  return `test.${run}.${++names}`;
}

/** Encodings in which a test runs, by the name that its title gets. */
const encodings: Record<string, WireFormatOptions> = {
  "loose, cache": { cacheEnabled: true },
  "loose": {},
  "tight, cache": { tightEncodingEnabled: true, cacheEnabled: true },
  "tight": { tightEncodingEnabled: true },
};

/** Options of a test for each broker. */
export interface BrokerTestOptions extends TestOptions {
  /** What the broker must have; on those that have it not, the test does not exist. */
  readonly needs?: readonly Capability[];
}

type BrokerTest = (broker: TestBroker) => Promise<void>;

/** Registers a test for each broker. */
export function testOnBrokers(name: string, fn: BrokerTest, options: BrokerTestOptions = {}): void {
  testWith(name, {}, fn, options);
}

/** Registers a test for each broker and each encoding. */
export function testInEncodings(
  name: string,
  fn: BrokerTest,
  options: BrokerTestOptions = {},
): void {
  for (const [encoding, wireFormat] of Object.entries(encodings)) {
    testWith(`${name}, ${encoding}`, wireFormat, fn, options);
  }
}

function testWith(
  name: string,
  wireFormat: WireFormatOptions,
  fn: BrokerTest,
  { needs = [], ...options }: BrokerTestOptions,
): void {
  if (!missing("memory", needs)) {
    test(`${name} (${BROKER_TITLES.memory})`, async () => {
      await using memory = await MemoryBroker.listen({
        users: { system: "manager", [credentials.username]: credentials.password },
        allowAnonymous: true,
        // As in tests/broker/activemq.xml.
        brokerName: "openwire-test",
        topicPolicies: [
          { topic: "slow.>", pendingMessageLimit: 1000 },
          { topic: "kept.>", recoveredMessages: 10 },
          { topic: "advised.>", pendingMessageLimit: 3 },
        ],
        anonymousProducerAdvisorySupport: true,
        statisticsPlugin: true,
        advisoryPolicies: ["advised.>", "topic://advised.>"].map((destination) => ({
          destination,
          sendAdvisoryIfNoConsumers: true,
          advisoryForConsumed: true,
          advisoryForDelivery: true,
          advisoryForDiscardingMessages: true,
          advisoryForSlowConsumers: true,
        })),
      });
      await withConnections(memory.url, "memory", wireFormat, memory, fn);
    }, options);
  }
  for (const kind of wantedBrokers) {
    if (missing(kind, needs)) continue;
    test(
      `${name} (${BROKER_TITLES[kind]})`,
      () => withConnections(brokers[kind]!.urls.openwire, kind, wireFormat, undefined, fn),
      { ...options, skip: options.skip || skipWithout(kind) },
    );
  }
}

async function withConnections(
  url: string,
  kind: TestedBroker,
  wireFormat: WireFormatOptions,
  memory: MemoryBroker | undefined,
  fn: BrokerTest,
): Promise<void> {
  const connections: Connection[] = [];
  try {
    await fn({
      url,
      real: memory === undefined,
      kind,
      memory,
      name: freshName(),
      connect: async (options = {}) => {
        const connection = await connect(url, {
          ...credentials,
          ...watched(options),
          wireFormat: { ...wireFormat, ...options.wireFormat },
        });
        connections.push(connection);
        return connection;
      },
    });
  } finally {
    await Promise.all(connections.map((connection) => connection.close()));
  }
}

/** The same options; what is shown to the application is looked at for the password. */
function watched(options: ConnectOptions): ConnectOptions {
  const { inspect, logger } = options;
  const look = (level: keyof Logger) => (message: string, fields: LogFields): unknown => {
    lookInto([message, fields]);
    return logger?.[level](message, fields);
  };
  return {
    ...options,
    inspect: (command, direction) => {
      // Nobody writes it into a message, and messages are many.
      if (!("content" in command)) lookInto(command);
      inspect?.(command, direction);
    },
    ...(logger && {
      logger: {
        debug: look("debug"),
        info: look("info"),
        warn: look("warn"),
        error: look("error"),
      },
    }),
  };
}
