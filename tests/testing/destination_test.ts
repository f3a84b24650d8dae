import { assertEquals } from "@std/assert";
import {
  createActiveMQQueue,
  createActiveMQTempQueue,
  createActiveMQTempTopic,
  createActiveMQTopic,
  createConnectionId,
  createDestinationInfo,
  type DestinationInfo,
} from "../../codec/mod.ts";
import { type RawClient, refusal, text } from "./_raw_client.ts";
import { behaviour, texts } from "./_targets.ts";

const ADD = 0;
const REMOVE = 1;

function info(
  client: RawClient,
  destination: DestinationInfo["destination"],
  operationType: number,
): DestinationInfo {
  const connectionId = createConnectionId({ value: client.connectionId });
  return createDestinationInfo({ connectionId, destination, operationType });
}

behaviour("A composite destination stands for all its parts", async (target) => {
  const client = await target.open();
  const composite = createActiveMQQueue({
    physicalName: `${target.name("A")},topic://${target.name("B")}`,
  });
  await client.consumer(target.queue("A"));
  await client.consumer(target.topic("B"));
  await client.publish(composite, "both");
  const dispatches = await client.dispatches(2);
  const places = dispatches.map(({ destination, message }) => [
    destination,
    message!.destination,
    message!.originalDestination,
  ]);
  assertEquals(
    places.toSorted((a, b) => a[0]!.dataType < b[0]!.dataType ? -1 : 1),
    [
      [target.queue("A"), target.queue("A"), composite],
      [target.topic("B"), target.topic("B"), composite],
    ],
  );
});

behaviour(
  "A composite consumer gets what comes to any of its queues, also later",
  async (target) => {
    const client = await target.open();
    await client.publish(target.queue("A"), "1");
    await client.consumer(
      createActiveMQQueue({ physicalName: `${target.name("A")},${target.name("B")}` }),
    );
    assertEquals(texts(await client.dispatches(1)), ["1"]);
    await client.publish(target.queue("B"), "2");
    await client.publish(target.queue("C"), "3");
    const [dispatch] = await client.dispatches(1);
    assertEquals([text(dispatch!), dispatch!.destination], ["2", target.queue("B")]);
    assertEquals(await target.rest(client), []);
  },
);

behaviour("A composite consumer gets only what is of its own kind", async (target) => {
  const client = await target.open();
  const physicalName = `${target.name("A")},topic://${target.name("B")}`;
  const consumerId = await client.consumer(createActiveMQQueue({ physicalName }));
  await client.publish(target.queue("A"), "1");
  await client.publish(target.topic("B"), "2");
  assertEquals(texts(await client.dispatches(1)), ["1"]);
  assertEquals(await target.rest(client), []);
  await client.remove(consumerId, -1);
});

for (
  const [pattern, expected] of [
    ["A.>", ["A", "A.B", "A.B.C"]],
    ["A.*", ["A.B"]],
    ["*.B.>", ["A.B", "A.B.C"]],
    ["*", ["A", "Z"]],
    ["A.*.C", ["A.B.C"]],
  ] as [string, string[]][]
) {
  behaviour(`The pattern ${pattern} is for ${expected}`, async (target) => {
    const client = await target.open();
    for (const name of ["A", "A.B", "A.B.C"]) await client.publish(target.queue(name), name);
    await client.consumer(target.queue(pattern));
    await client.publish(target.queue("Z"), "Z");
    const found = await client.dispatches(expected.length);
    assertEquals(texts(found).toSorted(), expected);
    for (const dispatch of found) {
      assertEquals(dispatch.destination, target.queue(text(dispatch)!));
    }
    assertEquals(await target.rest(client), []);
  });
}

behaviour("What is sent to wildcards goes to a queue of that name", async (target) => {
  const client = await target.open();
  const queue = (name: string) => target.queue(`W.${name}`);
  for (const name of ["A", "X.Y"]) await client.publish(queue(name), name);
  for (const name of ["*", "X.*", ">"]) await client.publish(queue(name), `to ${name}`);
  // Those who were there get nothing of it.
  const reader = await target.open();
  await reader.consumer(queue("A"));
  const found = await reader.dispatches(3);
  assertEquals(texts(found).toSorted(), ["A", "to *", "to >"]);
  const [star] = found.filter((dispatch) => text(dispatch) === "to *");
  assertEquals(star!.destination, queue("*"));
  assertEquals(star!.message!.destination, queue("*"));
  const other = await target.open();
  await other.consumer(queue("X.Y"));
  assertEquals(texts(await other.dispatches(2)).toSorted(), ["X.Y", "to X.*"]);
});

behaviour("A wildcard consumer gets what is sent to wildcards", async (target) => {
  const client = await target.open();
  for (const kind of ["queue", "topic"] as const) {
    const place = (name: string) => target[kind](`W.${kind}.${name}`);
    const [exact, star, all] = [await target.open(), await target.open(), await target.open()];
    await exact.consumer(place("A"));
    await star.consumer(place("*"));
    for (const name of ["*", ">", "X.*"]) await client.publish(place(name), name);
    assertEquals(texts(await star.dispatches(2)), ["*", ">"]);
    assertEquals([await target.rest(exact), await target.rest(star)], [[], []]);
    // One that comes later is attached to all that its name may stand for.
    await all.consumer(place("X.Y"));
    await client.publish(place("X.*"), "again");
    const expected = kind === "queue" ? ["X.*", "again"] : ["again"];
    assertEquals(texts(await all.dispatches(expected.length)), expected);
  }
});

for (
  const [there, comes, attached] of [
    ["*.Y", "X.*", true],
    ["X.>", "*.Y", true],
    [">", "X.Y.Z", true],
    ["X.>", "X", true],
    ["X.*", "X", false],
    ["*.Y", "X.Z", false],
    ["*", "X.Y", false],
  ] as [string, string, boolean][]
) {
  behaviour(
    `A topic ${there} is ${attached ? "" : "not "}for who comes for ${comes}`,
    async (target) => {
      const client = await target.open();
      await client.publish(target.topic(`W.${there}`), "first");
      const reader = await target.open();
      await reader.consumer(target.topic(`W.${comes}`));
      await client.publish(target.topic(`W.${there}`), "second");
      assertEquals(await target.rest(reader), attached ? ["second"] : []);
    },
  );
}

for (
  const [there, made, attached] of [
    ["*", ">", true],
    ["*.Y", "X.*", false],
    ["X.>", "*.Y", true],
    ["X.Y", "X.*", false],
    ["*.*", "X.>", true],
  ] as [string, string, boolean][]
) {
  behaviour(
    `A new topic ${made} is ${attached ? "" : "not "}for who came for ${there}`,
    async (target) => {
      const [client, reader] = [await target.open(), await target.open()];
      await reader.consumer(target.topic(`W.${there}`));
      await client.publish(target.topic(`W.${made}`), "first");
      assertEquals(await target.rest(reader), attached ? ["first"] : []);
    },
  );
}

behaviour("A composite may have wildcards", async (target) => {
  const client = await target.open();
  const reader = await target.open();
  const both = {
    ...target.queue("W.A"),
    physicalName: `${target.name("W.A")},${target.name("W.*")}`,
  };
  await reader.consumer(target.queue("W.*"));
  await client.publish(both, "x");
  const found = await reader.dispatches(2);
  assertEquals(found.map(({ destination }) => destination!.physicalName).toSorted(), [
    target.name("W.*"),
    target.name("W.A"),
  ]);
});

behaviour("A wildcard consumer gets the messages of topics that are new", async (target) => {
  const client = await target.open();
  await client.consumer(target.topic(">"));
  await client.publish(target.topic("A.B"), "1");
  const [dispatch] = await client.dispatches(1);
  assertEquals([text(dispatch!), dispatch!.destination], ["1", target.topic("A.B")]);
});

behaviour("A virtual topic sends to the queue of each group", async (target) => {
  const client = await target.open();
  const topic = createActiveMQTopic({ physicalName: `VirtualTopic.${target.name("V")}` });
  for (const group of ["A", "B"]) {
    await client.consumer(
      createActiveMQQueue({ physicalName: `Consumer.${group}.${topic.physicalName}` }),
    );
  }
  await client.publish(topic, "virtual");
  const dispatches = await client.dispatches(2);
  assertEquals(texts(dispatches), ["virtual", "virtual"]);
  assertEquals(
    dispatches.map(({ destination }) => destination!.physicalName).toSorted(),
    [`Consumer.A.${topic.physicalName}`, `Consumer.B.${topic.physicalName}`],
  );
  assertEquals(dispatches[0]!.message!.originalDestination, topic);
});

for (const create of [createActiveMQTempQueue, createActiveMQTempTopic]) {
  const kind = create({ physicalName: "x" }).dataType;
  behaviour(`Others send to a ${kind} as long as its connection is there`, async (target) => {
    const [client, other] = [await target.open(), await target.open()];
    const temporary = create({ physicalName: `${client.connectionId}:1` });
    const producer = await other.producer();
    const gone = async () => {
      assertEquals(refusal(await other.request(other.message(producer, temporary, "x"))), [
        "org.apache.activemq.DestinationDoesNotExistException",
        `temp-${kind === "ActiveMQTempQueue" ? "queue" : "topic"}://${temporary.physicalName}`,
      ]);
    };
    await gone();
    assertEquals((await client.request(info(client, temporary, ADD))).dataType, "Response");
    assertEquals((await client.request(info(client, temporary, ADD))).dataType, "Response");
    await client.consumer(temporary);
    await other.request(other.message(producer, temporary, "reply"));
    assertEquals(texts(await client.dispatches(1)), ["reply"]);
    assertEquals((await client.request(info(client, temporary, REMOVE))).dataType, "Response");
    await gone();
    await client.request(info(client, temporary, ADD));
    await client.remove(createConnectionId({ value: client.connectionId }), -1);
    await gone();
  });
}

behaviour("A queue with consumers can't be removed, one without can", async (target) => {
  const client = await target.open();
  await client.publish(target.queue(), "1");
  const consumer = await client.consumer(target.queue());
  await client.dispatches(1);
  const [className, message] = refusal(await client.request(info(client, target.queue(), REMOVE)));
  assertEquals(className, "javax.jms.JMSException");
  const problem = `Destination: queue://${target.name("Q")} still has an active subscription`;
  assertEquals(message!.startsWith(problem), true);
  await client.remove(consumer, -1);
  const removed = await client.request(info(client, target.queue(), REMOVE));
  assertEquals(removed.dataType, "Response");
  await client.consumer(target.queue());
  assertEquals(await target.rest(client), []);
});

behaviour("A DestinationInfo with an unknown operation is refused", async (target) => {
  const client = await target.open();
  const answer = await client.request(info(client, target.queue(), 7));
  assertEquals(refusal(answer), ["java.io.IOException", "Unknown operation type: 7"]);
});
