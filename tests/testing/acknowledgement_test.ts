import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  createConsumerId,
  createMessageAck,
  createMessageId,
  decodePrimitiveMap,
  type MessageAck,
  type MessageDispatch,
} from "../../codec/mod.ts";
import { type RawClient, refusal, text } from "./_raw_client.ts";
import { behaviour, type Target, texts } from "./_targets.ts";

async function window(target: Target, size: number, ...bodies: string[]): Promise<
  [RawClient, MessageDispatch[]]
> {
  const client = await target.open();
  await client.consumer(target.queue(), { prefetchSize: size });
  await client.publish(target.queue(), ...bodies);
  return [client, await client.dispatches(size)];
}

const unknown = (dispatch: MessageDispatch) =>
  createMessageId({ producerId: dispatch.message!.producerId, producerSequenceId: 999 });

behaviour("STANDARD removes a range in the order of dispatch", async (target) => {
  const [client, sent] = await window(target, 3, "1", "2", "3", "4", "5", "6");
  await client.send(client.ack(sent.slice(1, 3), 2));
  assertEquals(texts(await client.dispatches(2)), ["4", "5"]);
  assertEquals(await target.rest(client), []);
});

behaviour("STANDARD without a first message begins at the oldest", async (target) => {
  const [client, sent] = await window(target, 3, "1", "2", "3", "4", "5", "6");
  await client.send(client.ack(sent.slice(0, 2), 2, { firstMessageId: null }));
  assertEquals(texts(await client.dispatches(2)), ["4", "5"]);
});

const UNMATCHED: [string, (sent: MessageDispatch[]) => Partial<MessageAck>, string][] = [
  [
    "another count",
    () => ({ messageCount: 3 }),
    "; Expected message count (3) differs from count in dispatched-list (2)",
  ],
  [
    "an unknown first message",
    (sent) => ({ firstMessageId: unknown(sent[0]!) }),
    "in dispatched-list (start of ack)",
  ],
  [
    "an unknown last message",
    (sent) => ({ lastMessageId: unknown(sent[0]!) }),
    "in dispatched-list (end of ack)",
  ],
];
for (const [what, change, problem] of UNMATCHED) {
  behaviour(`STANDARD with ${what} is refused`, async (target) => {
    const [client, sent] = await window(target, 2, "1", "2", "3");
    const ack = client.ack(sent, 2, change(sent));
    const [className, message] = refusal(await client.request(ack));
    assertEquals(className, "javax.jms.JMSException");
    assertStringIncludes(message!, "Unmatched acknowledge: MessageAck {");
    assertStringIncludes(message!, problem);
    assertEquals(await target.rest(client), []);
  });
}

behaviour("A one-way acknowledgement that is refused makes a ConnectionError", async (target) => {
  const [client, sent] = await window(target, 2, "1", "2", "3");
  await client.send(client.ack(sent, 2, { messageCount: 3 }));
  const error = await client.next("ConnectionError");
  assertStringIncludes(refusal(error)[1]!, "Unmatched acknowledge");
  assertEquals([error.commandId, error.responseRequired], [0, false]);
  await client.send(client.ack(sent, 2)); // the link goes on
  assertEquals(texts(await client.dispatches(1)), ["3"]);
});

behaviour("INDIVIDUAL removes one message, and ignores one that isn't there", async (target) => {
  const [client, sent] = await window(target, 3, "1", "2", "3", "4", "5");
  const gone = client.ack(sent, 4, { lastMessageId: unknown(sent[0]!) });
  assertEquals((await client.request(gone)).dataType, "Response");
  assertEquals(await target.rest(client), []);
  await client.send(client.ack([sent[1]!], 4, { firstMessageId: null }));
  assertEquals(texts(await client.dispatches(1)), ["4"]);
  // The range goes over the hole.
  await client.send(client.ack([sent[0]!, sent[2]!], 2));
  assertEquals(texts(await client.dispatches(1)), ["5"]);
});

behaviour("DELIVERED widens the window until the messages are gone", async (target) => {
  const [client, sent] = await window(target, 2, "1", "2", "3", "4", "5", "6", "7");
  await client.send(client.ack(sent, 0));
  assertEquals(texts(await client.dispatches(2)), ["3", "4"]);
  assertEquals(await target.rest(client), []);
  await client.send(client.ack(sent, 2));
  assertEquals(await target.rest(client), []);
});

for (
  const [name, ackType] of [["DELIVERED", 0], ["POISON", 1], ["REDELIVERED", 3], [
    "EXPIRED",
    6,
  ]] as const
) {
  behaviour(`${name} of a message that isn't there is refused`, async (target) => {
    const [client, sent] = await window(target, 2, "1", "2", "3");
    const answer = await client.request(
      client.ack(sent, ackType, {
        firstMessageId: unknown(sent[0]!),
        lastMessageId: unknown(sent[0]!),
      }),
    );
    const [className, message] = refusal(answer);
    assertEquals(className, "javax.jms.JMSException");
    assertStringIncludes(message!, "Could not correlate ");
  });
}

behaviour("REDELIVERED, and types that are unknown, do nothing", async (target) => {
  const [client, sent] = await window(target, 2, "1", "2", "3");
  for (const ackType of [3, 5, 9]) {
    assertEquals((await client.request(client.ack(sent, ackType))).dataType, "Response");
  }
  assertEquals(await target.rest(client), []);
});

behaviour(
  "Acknowledgements before a dispatch, and of unknown consumers, are ignored",
  async (target) => {
    const client = await target.open();
    const consumerId = await client.consumer(target.queue());
    const producerId = await client.producer();
    const ack = createMessageAck({
      consumerId,
      destination: target.queue(),
      ackType: 2,
      lastMessageId: createMessageId({ producerId, producerSequenceId: 1 }),
      messageCount: 1,
    });
    assertEquals((await client.request(ack)).dataType, "Response");
    const other = createConsumerId({ connectionId: client.connectionId, sessionId: 1, value: 99 });
    assertEquals((await client.request({ ...ack, consumerId: other })).dataType, "Response");
  },
);

behaviour("POISON moves persistent messages to the dead letter queue", async (target) => {
  const [client, sent] = await window(target, 2, "1", "2", "3");
  const poisonCause = {
    className: "java.lang.Throwable",
    message: "boom",
    stackTrace: [],
    cause: null,
  };
  await client.send(client.ack([sent[0]!], 1, { poisonCause }));
  assertEquals(texts(await client.dispatches(1)), ["3"]);
  const dead = await target.deadLetter(client);
  const {
    destination,
    originalDestination,
    persistent,
    expiration,
    marshalledProperties,
    messageId,
  } = dead.message!;
  assertEquals(text(dead), "1");
  assertEquals(destination!.physicalName, "ActiveMQ.DLQ");
  assertEquals(originalDestination, target.queue());
  assertEquals([persistent, expiration, dead.redeliveryCounter], [true, 0, 0]);
  assertEquals(messageId!.producerSequenceId, sent[0]!.message!.messageId!.producerSequenceId);
  assertEquals(
    decodePrimitiveMap(marshalledProperties).toObject(),
    Object.assign(Object.create(null), {
      dlqDeliveryFailureCause: "java.lang.Throwable: boom",
      originalExpiration: 0,
    }),
  );
});

behaviour("POISON drops messages that aren't persistent", async (target) => {
  const client = await target.open();
  const producer = await client.producer();
  await client.consumer(target.queue());
  for (const persistent of [false, true]) {
    await client.request(client.message(producer, target.queue(), `${persistent}`, { persistent }));
  }
  await client.send(client.ack(await client.dispatches(2), 1));
  assertEquals(text(await target.deadLetter(client)), "true");
});

behaviour("EXPIRED moves persistent messages to the dead letter queue", async (target) => {
  const client = await target.open();
  const producer = await client.producer();
  await client.consumer(target.queue(), { prefetchSize: 1 });
  const send = async (life: number) => {
    const expiration = Date.now() + life;
    await client.request(client.message(producer, target.queue(), "late", { expiration }));
    await client.request(client.message(producer, target.queue(), "next"));
    return { expiration, sent: await client.dispatches(1) };
  };
  let life = 100;
  let { expiration, sent } = await send(life);
  // On a busy machine it may be too old before it is sent on.
  while (texts(sent)[0] !== "late") {
    await target.deadLetter(client);
    await client.send(client.ack(sent, 2));
    ({ expiration, sent } = await send(life *= 2));
  }
  while (Date.now() <= expiration) await new Promise((resolve) => setTimeout(resolve, 10));
  await client.send(client.ack(sent, 6));
  assertEquals(texts(await client.dispatches(1)), ["next"]);
  const dead = await target.deadLetter(client);
  assertEquals(text(dead), "late");
  assertEquals(
    decodePrimitiveMap(dead.message!.marshalledProperties).get("dlqDeliveryFailureCause"),
    `java.lang.Throwable: Message Expired. Expiration:${expiration}`,
  );
});
