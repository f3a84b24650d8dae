import { assertEquals } from "@std/assert";
import {
  createActiveMQQueue,
  createBrokerInfo,
  createBrokerSubscriptionInfo,
  createMessageDispatchNotification,
  createReplayCommand,
  type DataStructure,
} from "../../codec/mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { test } from "../_harness.ts";
import { RawClient, refusal } from "./_raw_client.ts";

const Q = createActiveMQQueue({ physicalName: "Q" });

type Command = Extract<DataStructure, { commandId: number }>;
const REFUSED: [string, (client: RawClient) => Command | Promise<Command>, string][] = [
  [
    "a network consumer",
    (client) => client.consumerInfo(Q, { networkSubscription: true }),
    "networks of brokers",
  ],
  ["BrokerInfo", () => createBrokerInfo(), "BrokerInfo"],
  ["BrokerSubscriptionInfo", () => createBrokerSubscriptionInfo(), "BrokerSubscriptionInfo"],
  [
    "MessageDispatchNotification",
    () => createMessageDispatchNotification(),
    "MessageDispatchNotification",
  ],
  ["ReplayCommand", () => createReplayCommand(), "ReplayCommand"],
];

for (const [name, make, feature] of REFUSED) {
  test(`MemoryBroker refuses ${name} with the name of what it can't do`, async () => {
    await using broker = new MemoryBroker();
    await using client = await RawClient.open(broker.connect());
    const command = await make(client);
    const expected: [string, string] = [
      "java.lang.UnsupportedOperationException",
      `The in-memory broker does not support ${feature} yet`,
    ];
    assertEquals(refusal(await client.request(command)), expected);
    await client.send(command);
    assertEquals(refusal(await client.next("ConnectionError")), expected);
    assertEquals(broker.queue("Q"), {
      size: 0,
      consumers: 0,
      enqueued: 0,
      dequeued: 0,
      inFlight: 0,
      blocked: 0,
      discarded: 0,
    });
    await client.settle();
  });
}

test("MemoryBroker keeps strangers from consuming from a temporary queue", async () => {
  await using broker = new MemoryBroker();
  await using client = await RawClient.open(broker.connect());
  await using stranger = await RawClient.open(broker.connect());
  const temporary = { ...Q, dataType: "ActiveMQTempQueue" } as const;
  const own = { ...temporary, physicalName: `${client.connectionId}:1` };
  assertEquals(refusal(await stranger.request(stranger.consumerInfo(own))), [
    "javax.jms.InvalidDestinationException",
    "Subscribing to a temporary queue created by another connection is not permitted",
  ]);
  await client.consumer(own);
});
