/** Runs one test against each broker: the one in memory, and a real ActiveMQ. */

import {
  connect,
  type Connection,
  type ConnectOptions,
  type WireFormatOptions,
} from "../../mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { test, type TestOptions } from "../_harness.ts";
import { broker, brokerSkip } from "../broker/env.ts";

/** What a test gets. */
export interface TestBroker {
  readonly url: string;
  readonly real: boolean;
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
  "loose, cache": {},
  "loose": { cacheEnabled: false },
  "tight, cache": { tightEncodingEnabled: true },
  "tight": { tightEncodingEnabled: true, cacheEnabled: false },
};

type BrokerTest = (broker: TestBroker) => Promise<void>;

/** Registers a test for each broker. */
export function testOnBrokers(name: string, fn: BrokerTest, options: TestOptions = {}): void {
  testWith(name, {}, fn, options);
}

/** Registers a test for each broker and each encoding. */
export function testInEncodings(name: string, fn: BrokerTest, options: TestOptions = {}): void {
  for (const [encoding, wireFormat] of Object.entries(encodings)) {
    testWith(`${name}, ${encoding}`, wireFormat, fn, options);
  }
}

function testWith(
  name: string,
  wireFormat: WireFormatOptions,
  fn: BrokerTest,
  options: TestOptions,
): void {
  test(`${name} (in-memory broker)`, async () => {
    await using memory = await MemoryBroker.listen({
      users: { system: "manager" },
      allowAnonymous: true,
    });
    await withConnections(memory.url, wireFormat, memory, fn);
  }, options);
  test(
    `${name} (ActiveMQ)`,
    () => withConnections(broker!.urls.openwire, wireFormat, undefined, fn),
    {
      ...options,
      skip: options.skip || brokerSkip,
    },
  );
}

async function withConnections(
  url: string,
  wireFormat: WireFormatOptions,
  memory: MemoryBroker | undefined,
  fn: BrokerTest,
): Promise<void> {
  const connections: Connection[] = [];
  try {
    await fn({
      url,
      real: memory === undefined,
      memory,
      name: freshName(),
      connect: async (options = {}) => {
        const connection = await connect(url, {
          ...options,
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
