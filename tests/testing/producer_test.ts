import { assertEquals } from "@std/assert";
import {
  createActiveMQBlobMessage,
  createActiveMQBytesMessage,
  createActiveMQMapMessage,
  createActiveMQMessage,
  createActiveMQObjectMessage,
  createActiveMQQueue,
  createActiveMQStreamMessage,
  createProducerId,
  createRemoveInfo,
  decodePrimitiveMap,
  encodePrimitiveMap,
} from "../../codec/mod.ts";
import { refusal, text } from "./_raw_client.ts";
import { behaviour } from "./_targets.ts";

behaviour(
  "A producer with a window gets a ProducerAck for each one-way message",
  async (target) => {
    const client = await target.open();
    const producerId = await client.producer({ windowSize: 10_000 });
    const marshalledProperties = encodePrimitiveMap({ a: 1 });
    const message = client.message(producerId, target.queue(), "12", { marshalledProperties });
    await client.send(message);
    const ack = await client.next("ProducerAck");
    assertEquals(ack.producerId, producerId);
    // A text has four bytes of length.
    assertEquals(ack.size, 1024 + marshalledProperties.length + 4 + 2);
    assertEquals([ack.commandId, ack.responseRequired], [0, false]);
    await client.request(client.message(producerId, target.queue(), "answered"));
    await target.rest(client);
    assertEquals(client.inbox, []);
  },
);

behaviour("A producer without a window gets no ProducerAck", async (target) => {
  const client = await target.open();
  const producerId = await client.producer();
  await client.send(client.message(producerId, target.queue(), "1"));
  await target.rest(client);
  assertEquals(client.inbox, []);
});

behaviour("A composite message makes a ProducerAck for each destination", async (target) => {
  const client = await target.open();
  const producerId = await client.producer({ windowSize: 10_000 });
  const composite = createActiveMQQueue({
    physicalName: `${target.name("A")},${target.name("B")}`,
  });
  await client.send(client.message(producerId, composite, "both"));
  await client.next("ProducerAck");
  await client.next("ProducerAck");
});

behaviour("A message of an unknown producer is refused", async (target) => {
  const client = await target.open();
  const { connectionId } = client;
  const producerId = createProducerId({ connectionId, sessionId: 1, value: 77 });
  assertEquals(refusal(await client.request(client.message(producerId, target.queue(), "x"))), [
    "javax.jms.JMSException",
    `Cannot send message to queue://${target.name("Q")} with invalid (null) producer state`,
  ]);
  await client.send(client.message(producerId, target.queue(), "x"));
  await client.next("ConnectionError");
  const closed = await client.producer();
  await client.send(createRemoveInfo({ objectId: closed }));
  const answer = await client.request(client.message(closed, target.queue(), "x"));
  assertEquals(refusal(answer)[0], "javax.jms.JMSException");
});

behaviour(
  "An expired message goes to the dead letter queue if it is persistent",
  async (target) => {
    const client = await target.open();
    const producerId = await client.producer({ windowSize: 10_000 });
    const expiration = Date.now() - 1000;
    await client.consumer(target.queue());
    await client.consumer(target.topic());
    const late = (body: string, persistent: boolean) =>
      client.message(producerId, target.queue(), body, { expiration, persistent });
    await client.send(late("dropped", false));
    await client.next("ProducerAck");
    await client.send(late("kept", true));
    await client.next("ProducerAck");
    const dead = await target.deadLetter(client);
    assertEquals(text(dead), "kept");
    const properties = decodePrimitiveMap(dead.message!.marshalledProperties);
    assertEquals(Number(properties.get("originalExpiration")), expiration);
    assertEquals(
      properties.get("dlqDeliveryFailureCause"),
      `java.lang.Throwable: Message Expired. Expiration:${expiration}`,
    );
  },
);

behaviour("A message whose time ends in the queue is not sent", async (target) => {
  const client = await target.open();
  const producerId = await client.producer();
  const expiration = Date.now() + 40;
  await client.request(client.message(producerId, target.queue(), "late", { expiration }));
  await client.request(client.message(producerId, target.queue(), "good"));
  while (Date.now() <= expiration) await new Promise((resolve) => setTimeout(resolve, 10));
  await client.consumer(target.queue());
  assertEquals((await client.dispatches(1)).map(text), ["good"]);
  assertEquals(text(await target.deadLetter(client)), "late");
});

behaviour("Messages of all types pass as they are", async (target) => {
  const client = await target.open();
  const producerId = await client.producer();
  const content = Uint8Array.of(1, 2, 3);
  const messages = [
    createActiveMQMessage(),
    createActiveMQBytesMessage({ content }),
    createActiveMQMapMessage({ content: encodePrimitiveMap({ a: 1 }) }),
    createActiveMQStreamMessage({ content: Uint8Array.of(1, 1) }),
    createActiveMQObjectMessage({ content }),
    createActiveMQBlobMessage({ remoteBlobUrl: "http://x/", mimeType: "text/plain" }),
    createActiveMQBytesMessage({ content: Uint8Array.of(0, 0, 0, 1, 120, 156), compressed: true }),
  ];
  await client.consumer(target.queue());
  for (const message of messages) {
    const { messageId } = client.message(producerId, target.queue(), "");
    const sent = {
      ...message,
      producerId,
      messageId,
      destination: target.queue(),
      replyTo: target.topic("reply"),
      correlationId: "c",
      type: "t",
      priority: 7,
      timestamp: 12345,
      userID: "me",
      redeliveryCounter: 2,
      marshalledProperties: encodePrimitiveMap({ s: "text" }),
    };
    await client.request(sent);
    const [dispatch] = await client.dispatches(1);
    const { brokerInTime, brokerOutTime, commandId, ...received } = dispatch!.message!;
    assertEquals([brokerInTime > 0, brokerOutTime > 0, commandId > 0], [true, true, true]);
    const { brokerInTime: _in, brokerOutTime: _out, commandId: _id, ...expected } = sent;
    assertEquals<unknown>(received, {
      ...expected,
      responseRequired: true,
      messageId: { ...messageId, brokerSequenceId: received.messageId!.brokerSequenceId },
    });
    assertEquals(dispatch!.redeliveryCounter, 2);
  }
});
