/** Runs one test against each broker: the one in memory, and a real ActiveMQ. */

import { connect, type Connection, type ConnectOptions } from "../../mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { test, type TestOptions } from "../_harness.ts";
import { broker, brokerSkip } from "../broker/env.ts";

/** What a test gets. */
export interface TestBroker {
  readonly url: string;
  readonly real: boolean;
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

/** Registers a test for each broker. */
export function testOnBrokers(
  name: string,
  fn: (broker: TestBroker) => Promise<void>,
  options: TestOptions = {},
): void {
  test(`${name} (in-memory broker)`, async () => {
    await using memory = await MemoryBroker.listen({
      users: { system: "manager" },
      allowAnonymous: true,
    });
    await withConnections(memory.url, false, fn);
  }, options);
  test(`${name} (ActiveMQ)`, () => withConnections(broker!.urls.openwire, true, fn), {
    ...options,
    skip: options.skip || brokerSkip,
  });
}

async function withConnections(
  url: string,
  real: boolean,
  fn: (broker: TestBroker) => Promise<void>,
): Promise<void> {
  const connections: Connection[] = [];
  try {
    await fn({
      url,
      real,
      name: freshName(),
      connect: async (options) => {
        const connection = await connect(url, options);
        connections.push(connection);
        return connection;
      },
    });
  } finally {
    await Promise.all(connections.map((connection) => connection.close()));
  }
}
