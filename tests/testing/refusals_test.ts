/** The broker in memory refuses what ActiveMQ refuses, and takes what ActiveMQ takes: both get the same commands. */

import {
  type ActiveMQDestination,
  createActiveMQQueue,
  createActiveMQTempQueue,
  createActiveMQTempTopic,
  createActiveMQTopic,
  createConsumerId,
  createConsumerInfo,
  createDestinationInfo,
  createLocalTransactionId,
  createMessageAck,
  createMessageId,
  createMessagePull,
  createProducerId,
  createProducerInfo,
  createRemoveInfo,
  createRemoveSubscriptionInfo,
  createSessionId,
  createSessionInfo,
  createTransactionInfo,
  type DataStructure,
} from "../../codec/mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { dial, type Transport } from "../../transport/mod.ts";
import { assertEquals } from "@std/assert";
import { test } from "../_harness.ts";
import { BROKER_TITLES } from "../broker/results.ts";
import { brokers, skipWithout } from "../broker/env.ts";
import { type RawClient, refusal } from "./_raw_client.ts";
import { Target } from "./_targets.ts";

type Command = Extract<DataStructure, { commandId: number }>;
type Steps = (client: RawClient, target: Target) => Command | Promise<Command>;

const queue = (physicalName: string) => createActiveMQQueue({ physicalName });
const topic = (physicalName: string) => createActiveMQTopic({ physicalName });

function durable(client: RawClient, target: Target, subscriptionName: string | null): Command {
  return client.consumerInfo(target.topic(), { subscriptionName });
}

/** A message to a destination, from a producer of any. */
async function message(client: RawClient, destination: ActiveMQDestination): Promise<Command> {
  return client.message(await client.producer(), destination, "x");
}

const CASES: Record<string, Steps> = {
  "a selector": (client, target) => client.consumerInfo(target.queue(), { selector: "a = 1" }),
  "a wrong selector": (client, target) =>
    client.consumerInfo(target.queue(), { selector: "a = = 1" }),
  "an empty selector": (client, target) => client.consumerInfo(target.queue(), { selector: "" }),
  "a blank selector": (client, target) => client.consumerInfo(target.queue(), { selector: "  " }),
  "a blank selector of a topic": (client, target) =>
    client.consumerInfo(target.topic(), { selector: " " }),
  "a wrong selector of a topic": (client, target) =>
    client.consumerInfo(target.topic(), { selector: "a b c" }),
  "a wrong selector of a browser": (client, target) =>
    client.consumerInfo(target.queue(), { selector: "a b c", browser: true }),
  "a wrong selector of a durable subscription": (client, target) =>
    client.consumerInfo(target.topic(), { selector: "a b c", subscriptionName: "s" }),
  "a consumer without a destination": (client, target) =>
    client.consumerInfo(target.queue(), { destination: null }),
  "a consumer of a queue without a name": (client) => client.consumerInfo(queue("")),
  "a consumer of a topic without a name": (client) => client.consumerInfo(topic("")),
  "a consumer of commas": (client) => client.consumerInfo(queue(",,")),
  "a consumer of several queues": (client, target) =>
    client.consumerInfo(queue(`${target.name("a")},${target.name("b")}`)),
  "a consumer with wildcards": (client, target) =>
    client.consumerInfo(queue(`${target.name("a")}.>`)),
  "a consumer with a name in use": async (client, target) => {
    const info = client.consumerInfo(target.queue());
    await client.request(info);
    return info;
  },
  "a consumer of a session that is not there": (client, target) =>
    createConsumerInfo({
      consumerId: createConsumerId({
        connectionId: client.connectionId,
        sessionId: 77,
        value: 1,
      }),
      destination: target.queue(),
    }),
  "a consumer of a connection that is not there": (_, target) =>
    createConsumerInfo({
      consumerId: createConsumerId({ connectionId: "other", sessionId: 1, value: 1 }),
      destination: target.queue(),
    }),
  "a consumer of a temporary queue that is not there": (client) =>
    client.consumerInfo(createActiveMQTempQueue({ physicalName: `${client.connectionId}:99` })),
  "a consumer of another's temporary queue": async (client, target) => {
    const other = await target.open();
    const destination = createActiveMQTempQueue({ physicalName: `${other.connectionId}:1` });
    await other.request(
      createDestinationInfo({
        connectionId: { dataType: "ConnectionId", value: other.connectionId },
        destination,
        operationType: 0,
      }),
    );
    return client.consumerInfo(destination);
  },
  "a consumer of another's temporary topic": async (client, target) => {
    const other = await target.open();
    const destination = createActiveMQTempTopic({ physicalName: `${other.connectionId}:1` });
    await other.request(
      createDestinationInfo({
        connectionId: { dataType: "ConnectionId", value: other.connectionId },
        destination,
        operationType: 0,
      }),
    );
    return client.consumerInfo(destination);
  },
  "a durable subscription": (client, target) => durable(client, target, "s"),
  "a durable subscription without a name": (client, target) => durable(client, target, ""),
  "a durable subscription with a blank name": (client, target) => durable(client, target, " "),
  "a durable subscription of a queue": (client, target) =>
    client.consumerInfo(target.queue(), { subscriptionName: "s" }),
  "a durable subscription in use": async (client, target) => {
    await client.request(durable(client, target, "s"));
    return durable(client, target, "s");
  },
  "the end of a durable subscription in use": async (client, target) => {
    await client.request(durable(client, target, "s"));
    return createRemoveSubscriptionInfo({
      connectionId: { dataType: "ConnectionId", value: client.connectionId },
      clientId: client.connectionId,
      subscriptionName: "s",
    });
  },
  "the end of a durable subscription that is not there": (client) =>
    createRemoveSubscriptionInfo({
      connectionId: { dataType: "ConnectionId", value: client.connectionId },
      clientId: client.connectionId,
      subscriptionName: "none",
    }),
  "a producer without a destination": (client) =>
    createProducerInfo({
      producerId: createProducerId({ connectionId: client.connectionId, sessionId: 1, value: 50 }),
    }),
  "a producer of a session that is not there": (client) =>
    createProducerInfo({
      producerId: createProducerId({ connectionId: client.connectionId, sessionId: 77, value: 1 }),
    }),
  "a session of a connection that is not there": () =>
    createSessionInfo({ sessionId: createSessionId({ connectionId: "other", value: 1 }) }),
  "a session that is there": (client) => createSessionInfo({ sessionId: client.sessionId }),
  "a message": (client, target) => message(client, target.queue()),
  "a message to a name with wildcards": (client, target) =>
    message(client, queue(`${target.name("a")}.*`)),
  "a message to several": (client, target) =>
    message(client, queue(`${target.name("a")},${target.name("b")}`)),
  "a message to a queue without a name": (client) => message(client, queue("")),
  "a message to a temporary queue that is not there": (client) =>
    message(client, createActiveMQTempQueue({ physicalName: `${client.connectionId}:98` })),
  "a message to another's temporary queue that is not there": (client) =>
    message(client, createActiveMQTempQueue({ physicalName: "ID:gone:1:1" })),
  "a message of a producer that is not there": (client, target) =>
    client.message(
      createProducerId({ connectionId: client.connectionId, sessionId: 1, value: 99 }),
      target.queue(),
      "x",
    ),
  "a message of a transaction that is not there": async (client, target) =>
    client.message(await client.producer(), target.queue(), "x", {
      transactionId: createLocalTransactionId({
        value: 99,
        connectionId: { dataType: "ConnectionId", value: client.connectionId },
      }),
    }),
  "an acknowledgement of a consumer that is not there": (client, target) =>
    createMessageAck({
      consumerId: createConsumerId({
        connectionId: client.connectionId,
        sessionId: 1,
        value: 99,
      }),
      destination: target.queue(),
      ackType: 2,
      messageCount: 1,
      lastMessageId: createMessageId({ textView: "ID:x-1" }),
    }),
  "an acknowledgement of a message that was not sent": async (client, target) => {
    const destination = target.queue();
    return createMessageAck({
      consumerId: await client.consumer(destination),
      destination,
      ackType: 2,
      messageCount: 1,
      lastMessageId: createMessageId({
        producerId: createProducerId({ connectionId: "x", sessionId: 1, value: 1 }),
        producerSequenceId: 1,
      }),
    });
  },
  "a commit of a transaction that is not there": (client) =>
    createTransactionInfo({
      connectionId: { dataType: "ConnectionId", value: client.connectionId },
      transactionId: createLocalTransactionId({
        value: 99,
        connectionId: { dataType: "ConnectionId", value: client.connectionId },
      }),
      type: 2,
    }),
  "a rollback of a transaction that is not there": (client) =>
    createTransactionInfo({
      connectionId: { dataType: "ConnectionId", value: client.connectionId },
      transactionId: createLocalTransactionId({
        value: 99,
        connectionId: { dataType: "ConnectionId", value: client.connectionId },
      }),
      type: 4,
    }),
  "the end of a consumer that is not there": (client) =>
    createRemoveInfo({
      objectId: createConsumerId({ connectionId: client.connectionId, sessionId: 1, value: 99 }),
    }),
  "the end of a producer that is not there": (client) =>
    createRemoveInfo({
      objectId: createProducerId({ connectionId: client.connectionId, sessionId: 1, value: 99 }),
    }),
  "the end of a session that is not there": (client) =>
    createRemoveInfo({
      objectId: createSessionId({ connectionId: client.connectionId, value: 99 }),
    }),
  "a pull of a consumer that is not there": (client, target) =>
    createMessagePull({
      consumerId: createConsumerId({
        connectionId: client.connectionId,
        sessionId: 1,
        value: 99,
      }),
      destination: target.queue(),
      timeout: -1,
    }),
  "a queue that is made": (client, target) =>
    createDestinationInfo({
      connectionId: { dataType: "ConnectionId", value: client.connectionId },
      destination: target.queue(),
      operationType: 0,
    }),
  "a queue in use that is removed": async (client, target) => {
    const destination = target.queue();
    await client.consumer(destination);
    return createDestinationInfo({
      connectionId: { dataType: "ConnectionId", value: client.connectionId },
      destination,
      operationType: 1,
    });
  },
  "a queue that is not there and is removed": (client, target) =>
    createDestinationInfo({
      connectionId: { dataType: "ConnectionId", value: client.connectionId },
      destination: target.queue("none"),
      operationType: 1,
    }),
};

/** What the broker in memory refuses as the later ActiveMQ does. */
const STRICTER: Record<"activemq5" | "activemq6", string[]> = {
  activemq5: [
    "a consumer of another's temporary queue",
    "a consumer of another's temporary topic",
  ],
  activemq6: [],
};

/** What came of the last command: an answer, the class of an exception, or the end of the connection. */
async function outcome(target: Target, steps: Steps): Promise<string> {
  const client = await target.open();
  try {
    const answer = await client.request(await steps(client, target));
    if (answer.dataType !== "ExceptionResponse") return "taken";
    return refusal(answer)[0]!.replace(/^jakarta\./, "javax.");
  } catch (error) {
    return (error as Error).message;
  } finally {
    await target.drop();
  }
}

async function outcomes(link: () => Promise<Transport>): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [name, steps] of Object.entries(CASES)) {
    await using target = new Target(undefined, link);
    found[name] = await outcome(target, steps);
  }
  return found;
}

for (const kind of ["activemq5", "activemq6"] as const) {
  test(`the broker in memory answers wrong commands as ${BROKER_TITLES[kind]} does`, async () => {
    const memory = new MemoryBroker();
    const [ours, theirs] = [
      await outcomes(() => Promise.resolve(memory.connect())),
      await outcomes(() => dial(brokers[kind]!.urls.openwire)),
    ];
    await memory.close();
    for (const name of STRICTER[kind]) {
      assertEquals([ours[name]?.startsWith("javax.jms."), theirs[name]], [true, "taken"], name);
      theirs[name] = ours[name]!;
    }
    assertEquals(ours, theirs);
  }, { skip: skipWithout(kind), timeout: 60_000 });
}
