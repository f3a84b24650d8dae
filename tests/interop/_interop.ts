/** Runs a test of this client with another one through each real broker. */
import { connect, type Connection, type ConnectOptions } from "../../mod.ts";
import { test } from "../_harness.ts";
import { type Capability, missing, type TestedBroker } from "../broker/differences.ts";
import { brokers, type BrokerUrls, skipWithout, wantedBrokers } from "../broker/env.ts";
import type { BrokerKind } from "../broker/kinds.ts";
import { freshName } from "../client/_brokers.ts";
import { BROKER_TITLES } from "../broker/results.ts";
import { JavaClient, skipJava } from "../java/java.ts";

/** What a test gets. */
export interface Interop {
  /** Which broker it is. */
  readonly kind: TestedBroker;
  /** The broker's addresses. */
  readonly urls: BrokerUrls;
  /** A name that no other test uses. */
  readonly name: string;
  /** Connects this client; the connection is closed when the test ends. */
  connect(options?: ConnectOptions): Promise<Connection>;
  /** Has the broker the capability? */
  has(capability: Capability): boolean;
}

/** What a test with Java gets. */
export interface JavaInterop extends Interop {
  /** The broker's own Java client. */
  readonly java: JavaClient;
}

/** Options of a test. */
export interface InteropOptions {
  /** What the broker must have; on those that have it not, the test does not exist. */
  readonly needs?: readonly Capability[];
}

/** Registers a test for each broker that has a connector; on those that have it not, the test does not exist. */
export function interop(
  connector: keyof BrokerUrls,
  name: string,
  fn: (pair: Interop) => Promise<void>,
  { needs = [] }: InteropOptions = {},
): void {
  for (const kind of wantedBrokers) {
    if (missing(kind, needs)) continue;
    const running = brokers[kind];
    if (running && !running.urls[connector]) continue;
    test(`${name} (${BROKER_TITLES[kind]})`, () => withConnections(kind, fn), {
      skip: skipWithout(kind),
    });
  }
}

/** Registers a test with the Java client for each broker. */
export function javaInterop(
  name: string,
  fn: (pair: JavaInterop) => Promise<void>,
  { needs = [] }: InteropOptions = {},
): void {
  for (const kind of wantedBrokers) {
    if (missing(kind, needs)) continue;
    test(`${name} (${BROKER_TITLES[kind]})`, async () => {
      await using java = await JavaClient.start(kind);
      await withConnections(kind, (pair) => fn({ ...pair, java }));
    }, { skip: skipJava(kind), timeout: 60_000 });
  }
}

async function withConnections(
  kind: BrokerKind,
  fn: (pair: Interop) => Promise<void>,
): Promise<void> {
  const { urls } = brokers[kind]!;
  const connections: Connection[] = [];
  try {
    await fn({
      kind,
      urls,
      name: freshName(),
      connect: async (options) => {
        const connection = await connect(urls.openwire, options);
        connections.push(connection);
        return connection;
      },
      has: (capability) => missing(kind, [capability]) === undefined,
    });
  } finally {
    await Promise.all(connections.map((connection) => connection.close()));
  }
}
