/** Empty and blank texts where a name or a condition is expected. */

import { connect, type ConnectOptions, TransportError } from "../../mod.ts";
import type { ConsumerInfo, Message as WireMessage } from "../../codec/mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { assertEquals, assertRejects } from "@std/assert";
import { test } from "../_harness.ts";
import { testOnBrokers } from "./_brokers.ts";
import { received } from "./_messages.ts";

const BLANK = ["", " ", "\t\n"];

testOnBrokers("a blank selector is none, as in JMS", async (broker) => {
  const commands: ConsumerInfo[] = [];
  const connection = await broker.connect({
    inspect: (command) => command.dataType === "ConsumerInfo" && commands.push(command),
  });
  for (const [index, selector] of BLANK.entries()) {
    const name = `${broker.name}.${index}`;
    await connection.send(name, "one");
    const browser = await connection.createBrowser(name, { selector });
    assertEquals((await Array.fromAsync(browser)).length, 1);
    const consumer = await connection.createConsumer(name, { selector });
    assertEquals((await received(consumer)).text, "one");
  }
  // It counts more than the one of the destination, as any option does.
  const name = `${broker.name}?consumer.selector=a+%3D+1`;
  for (const destination of [name, `${broker.name}.other?consumer.selector=+`]) {
    await connection.send(destination.split("?")[0]!, "two");
    const consumer = await connection.createConsumer(
      destination,
      destination === name ? { selector: "" } : {},
    );
    assertEquals((await received(consumer)).text, "two");
  }
  assertEquals(new Set(commands.map(({ selector }) => selector)), new Set([null]));
});

test("a blank name of a durable subscription is refused", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url, { clientId: "shop" });
  const message = "a name is expected";
  for (const name of [...BLANK, 1, null]) {
    const subscriptionName = name as string;
    const consumer = connection.createConsumer("topic://prices", { subscriptionName });
    await assertRejects(() => consumer, TypeError, message);
    await assertRejects(() => connection.unsubscribe(subscriptionName), TypeError, message);
  }
  await assertRejects(
    () => connection.unsubscribe(undefined as unknown as string),
    TypeError,
    "Cannot use a value of type undefined as subscriptionName: a name is expected",
  );
});

test("blank ids of the client, and what they begin with, are refused before anything is tried", async () => {
  for (const option of ["clientId", "clientIdPrefix", "connectionIdPrefix"]) {
    for (const blank of BLANK) {
      await assertRejects(
        () => connect("tcp://127.0.0.1:1", { [option]: blank }),
        TypeError,
        `Cannot use a blank text as ${option}: a name is expected`,
      );
    }
    await assertRejects(
      () => connect("tcp://127.0.0.1:1", { [option]: 5 } as ConnectOptions),
      TypeError,
      `Cannot use a value of type number as ${option}`,
    );
  }
  for (const option of ["jms.clientID", "jms.clientIDPrefix", "jms.connectionIDPrefix"]) {
    await assertRejects(() => connect(`tcp://127.0.0.1:1?${option}=`), TransportError, "not empty");
  }
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url, { clientId: null as unknown as string });
  assertEquals(connection.clientId.startsWith("ID:openwire-"), true);
});

test("an empty user name and an empty password are sent as they are", async () => {
  await using broker = await MemoryBroker.listen();
  const seen: unknown[] = [];
  broker.intercept((command) => {
    if (command.dataType === "ConnectionInfo") seen.push([command.userName, command.password]);
    return undefined;
  });
  const empty = { username: "", password: "" };
  const cases: [query: string, options: ConnectOptions][] = [
    ["", empty],
    ["", { credentials: () => empty }],
    ["?jms.userName=&jms.password=", {}],
    ["", {}],
  ];
  for (const [query, options] of cases) {
    await using _ = await connect(`${broker.url}${query}`, options);
  }
  assertEquals(seen, [["", ""], ["", ""], ["", ""], [null, null]]);
});

testOnBrokers(
  "a blank groupId is refused, an empty type or correlation id is sent",
  async (broker) => {
    const sent: WireMessage[] = [];
    const connection = await broker.connect({
      inspect: (command, direction) =>
        direction === "sent" && command.dataType === "ActiveMQTextMessage" && sent.push(command),
    });
    const producer = await connection.createProducer(broker.name);
    const consumer = await connection.createConsumer(broker.name);
    for (const groupId of BLANK) {
      const message = "Cannot use a blank text as groupId: a name is expected";
      await assertRejects(() => producer.send("x", { groupId }), TypeError, message);
      await assertRejects(() => connection.send(broker.name, "x", { groupId }), TypeError, message);
      await assertRejects(() => producer.closeGroup(groupId), TypeError, message);
    }
    assertEquals(sent, []);
    await producer.send("x", { type: "", correlationId: "" });
    const message = await received(consumer);
    assertEquals([message.type, message.correlationId, message.groupId], ["", "", null]);
  },
);

test("an empty destination is refused wherever one is expected", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url);
  for (const blank of BLANK) {
    for (
      const call of [
        () => connection.send(blank, "x"),
        () => connection.send("orders", "x", { replyTo: blank }),
        () => connection.createConsumer(blank),
        () => connection.createProducer(blank),
        () => connection.request(blank, "x"),
        () => connection.respond(blank, () => null),
      ]
    ) await assertRejects(call, TypeError, "empty name");
    await assertRejects(() => connection.scheduledJobs.remove(blank), TypeError, "blank text");
  }
});
