/** What a broker is sent when connections and consumers are opened: the options arrive there. */

import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import {
  connect,
  type ConnectOptions,
  type ConsumerOptions,
  type Destination,
  queue,
  topic,
} from "../../mod.ts";
import type { BaseCommand, ConnectionInfo, ConsumerInfo } from "../../codec/mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { test } from "../_harness.ts";
import { until } from "./_messages.ts";

/** Collects what clients send to a broker. */
function commandsOf(broker: MemoryBroker): BaseCommand[] {
  const commands: BaseCommand[] = [];
  broker.intercept((command, { direction }) => {
    if (direction === "from-client") commands.push(command);
    return undefined;
  });
  return commands;
}

/** The commands of one type. */
function only<Type extends BaseCommand["dataType"]>(
  commands: readonly BaseCommand[],
  type: Type,
): Extract<BaseCommand, { dataType: Type }>[] {
  return commands.filter((command) => command.dataType === type) as never;
}

/** The command by which a consumer is opened. */
async function consumerInfo(
  connectOptions: ConnectOptions,
  destination: Destination,
  { mode = "auto", ...options }: ConsumerOptions & { mode?: "auto" | "client" } = {},
): Promise<ConsumerInfo> {
  await using broker = await MemoryBroker.listen();
  const commands = commandsOf(broker);
  await using connection = await connect(broker.url, { clientId: "me", ...connectOptions });
  const session = await connection.createSession({ acknowledgeMode: mode });
  await session.createConsumer(destination, options);
  const [info, ...more] = only(commands, "ConsumerInfo");
  assertEquals(more, []);
  return info!;
}

/** The commands by which a connection is opened. */
async function connectionInfos(...options: ConnectOptions[]): Promise<ConnectionInfo[]> {
  await using broker = await MemoryBroker.listen();
  const commands = commandsOf(broker);
  for (const one of options) await (await connect(broker.url, one)).close();
  return only(commands, "ConnectionInfo");
}

/** Options with the same meaning for a connection and for a consumer. */
const flags = [
  ["dispatchAsync", "dispatchAsync", "dispatchAsync", true],
  ["exclusiveConsumer", "exclusive", "exclusive", false],
  ["useRetroactiveConsumer", "retroactive", "retroactive", false],
] as const;

for (const [ofConnection, ofConsumer, field, byDefault] of flags) {
  test(`${ofConsumer} of a consumer overrides ${ofConnection} of its connection`, async () => {
    const t = topic("t");
    assertEquals((await consumerInfo({}, t))[field], byDefault);
    for (const value of [true, false]) {
      assertEquals((await consumerInfo({ [ofConnection]: value }, t))[field], value);
      assertEquals((await consumerInfo({}, t, { [ofConsumer]: value }))[field], value);
      const both = await consumerInfo({ [ofConnection]: !value }, t, { [ofConsumer]: value });
      assertEquals(both[field], value);
    }
  });
}

test("useRetroactiveConsumer is for consumers of topics only", async () => {
  const settings = { useRetroactiveConsumer: true };
  assertEquals((await consumerInfo(settings, queue("q"))).retroactive, false);
  assertEquals((await consumerInfo(settings, queue("q"), { retroactive: true })).retroactive, true);
});

test("a consumer's maximumPendingMessageLimit overrides that of the prefetch policy", async () => {
  const settings = { prefetchPolicy: { maximumPendingMessageLimit: 7 } };
  const limits = [
    await consumerInfo({}, topic("t")),
    await consumerInfo({}, topic("t"), { maximumPendingMessageLimit: 5 }),
    await consumerInfo(settings, topic("t")),
    await consumerInfo(settings, topic("t"), { maximumPendingMessageLimit: 5 }),
    await consumerInfo(settings, topic("t"), { maximumPendingMessageLimit: 0 }),
  ].map(({ maximumPendingMessageLimit }) => maximumPendingMessageLimit);
  assertEquals(limits, [0, 5, 7, 5, 0]);
});

test("optimizeDurableTopicPrefetch is for durable subscriptions in mode auto", async () => {
  const sizeOf = async (
    prefetchPolicy: ConnectOptions["prefetchPolicy"],
    mode: "auto" | "client",
  ) => {
    const options = { subscriptionName: "s", mode };
    return (await consumerInfo({ prefetchPolicy }, topic("t"), options)).prefetchSize;
  };
  const policy = { durableTopicPrefetch: 11, optimizeDurableTopicPrefetch: 22 };
  assertEquals([await sizeOf(policy, "auto"), await sizeOf(policy, "client")], [22, 11]);
  const without = { durableTopicPrefetch: 11 };
  assertEquals([await sizeOf(without, "auto"), await sizeOf(without, "client")], [11, 11]);
});

test("the prefixes of ids are followed by what no other client has", async () => {
  const infos = await connectionInfos(
    {},
    {},
    { connectionIdPrefix: "shop", clientIdPrefix: "till" },
    { connectionIdPrefix: "shop", clientIdPrefix: "till" },
  );
  const ids = infos.map(({ connectionId }) => connectionId!.value!);
  const clientIds = infos.map(({ clientId }) => clientId!);
  for (const [number, prefix] of ["ID:openwire", "ID:openwire", "shop", "shop"].entries()) {
    assertMatch(ids[number]!, new RegExp(`^${prefix}-\\d+-\\d+-\\d+:1$`));
  }
  for (const [number, prefix] of ["ID:openwire", "ID:openwire", "till", "till"].entries()) {
    assertMatch(clientIds[number]!, new RegExp(`^${prefix}-\\d+-\\d+-\\d+:1$`));
  }
  const ends = [...ids, ...clientIds].map((id) => id.replace(/^(ID:)?\w+-/, ""));
  assertEquals(new Set(ends).size, 8);
});

test("two programs that start at the same time have different ids", async () => {
  const { now } = Date;
  Date.now = () => 1_700_000_000_000;
  try {
    // A module with another query is loaded anew.
    const load = (program: string): Promise<typeof import("../../client/id_generator.ts")> =>
      import(`../../client/id_generator.ts?${program}`);
    const [one, other] = [await load("one"), await load("other")];
    assertNotEquals(one.generateId, other.generateId);
    assertNotEquals(one.generateId(), other.generateId());
  } finally {
    Date.now = now;
  }
});

test("a connection to one broker announces itself as one that does not come back", async () => {
  await using broker = await MemoryBroker.listen();
  const commands = commandsOf(broker);
  const received: string[] = [];
  await using connection = await connect(broker.url, {
    inspect: ({ dataType }, direction) => direction === "received" && received.push(dataType),
  });
  await connection.ping();
  const [info] = only(commands, "ConnectionInfo");
  assertEquals(
    [info!.manageable, info!.clientMaster, info!.faultTolerant, info!.failoverReconnect],
    [true, true, false, false],
  );
  assertEquals(only(commands, "ConnectionControl"), []);
  // A broker tells of others only whoever is manageable.
  assert(received.includes("ConnectionControl"));
});

test("a connection that may come back says so, and when it does", async () => {
  await using broker = await MemoryBroker.listen();
  const commands = commandsOf(broker);
  await using connection = await connect([broker.url], { failover: { initialReconnectDelay: 1 } });
  await broker.disconnectClients();
  await until(() => connection.stats().reconnections === 1);
  const openings = commands.flatMap((command): object[] => {
    if (command.dataType === "ConnectionControl") return [{ control: command.faultTolerant }];
    if (command.dataType !== "ConnectionInfo") return [];
    const { manageable, faultTolerant, failoverReconnect } = command;
    return [{ manageable, faultTolerant, failoverReconnect }];
  });
  assertEquals(openings, [
    { control: true },
    { manageable: true, faultTolerant: true, failoverReconnect: false },
    { control: true },
    { manageable: true, faultTolerant: true, failoverReconnect: true },
  ]);
});
