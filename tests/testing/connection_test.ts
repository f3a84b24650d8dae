import { assertEquals } from "@std/assert";
import {
  createActiveMQTopic,
  createConnectionId,
  createConnectionInfo,
  createConsumerId,
  createConsumerInfo,
  createControlCommand,
  createDestinationInfo,
  createFlushCommand,
  createKeepAliveInfo,
  createProducerId,
  createProducerInfo,
  createSessionId,
  createSessionInfo,
  createShutdownInfo,
  OpenWireEncoder,
} from "../../codec/mod.ts";
import { refusal, text } from "./_raw_client.ts";
import { behaviour } from "./_targets.ts";

behaviour("A client without a client id is refused", async (target) => {
  const client = await target.link();
  assertEquals(refusal(await client.connect({ clientId: null })), [
    "javax.jms.InvalidClientIDException",
    "No clientID specified for connection request",
  ]);
  await client.ended;
});

behaviour("A client id that is in use is refused", async (target) => {
  const [first, second] = [await target.open(), await target.link()];
  const clientId = first.connectionId;
  const [className, message] = refusal(await second.connect({ clientId }));
  assertEquals(className, "javax.jms.InvalidClientIDException");
  assertEquals(message!.includes(` - Client: ${clientId} already connected from `), true);
  await second.ended;
  await first.settle();
  await first.remove(createConnectionId({ value: first.connectionId }), -1);
  const third = await target.link();
  assertEquals((await third.connect({ clientId })).dataType, "Response");
});

behaviour("A connection that comes again over another link ends the first", async (target) => {
  const [first, second] = [await target.open(), await target.link()];
  const connectionId = createConnectionId({ value: first.connectionId });
  const info = createConnectionInfo({ connectionId, clientId: first.connectionId });
  assertEquals((await second.request(info)).dataType, "Response");
  await first.ended;
  await second.settle();
});

behaviour("A connection that comes again over the same link is refused", async (target) => {
  const client = await target.open();
  assertEquals(refusal(await client.connect())[0], "javax.jms.InvalidClientIDException");
  await client.ended;
});

behaviour("A manageable client gets a ConnectionControl", async (target) => {
  const client = await target.link();
  await client.connect({ manageable: true });
  assertEquals(await client.next("ConnectionControl"), {
    dataType: "ConnectionControl",
    commandId: 0,
    responseRequired: false,
    close: false,
    exit: false,
    faultTolerant: false,
    resume: false,
    suspend: false,
    connectedBrokers: "",
    reconnectTo: "",
    rebalanceConnection: false,
    token: null,
  });
});

behaviour("Nothing can be opened without a connection", async (target) => {
  const client = await target.link();
  const { connectionId } = client;
  const session = createSessionInfo({ sessionId: client.sessionId });
  assertEquals((await client.request(session)).dataType, "Response"); // ignored
  assertEquals(refusal(await client.request(client.consumerInfo(target.queue()))), [
    "java.lang.IllegalStateException",
    `Cannot add a consumer to a connection that had not been registered: ${connectionId}`,
  ]);
  const producerId = createProducerId({ connectionId, sessionId: 1, value: 1 });
  assertEquals(refusal(await client.request(createProducerInfo({ producerId }))), [
    "java.lang.IllegalStateException",
    `Cannot add a producer to a connection that had not been registered: ${connectionId}`,
  ]);
  assertEquals(refusal(await client.request(client.message(producerId, target.queue(), "x"))), [
    "java.lang.IllegalStateException",
    `Cannot lookup a producer from a connection that had not been registered: ${connectionId}`,
  ]);
  const destination = createDestinationInfo({
    connectionId: createConnectionId({ value: connectionId }),
    destination: target.queue(),
  });
  assertEquals((await client.request(destination)).dataType, "ExceptionResponse");
});

behaviour("What isn't open can't be closed or used", async (target) => {
  const client = await target.open();
  const { connectionId } = client;
  const nine = { connectionId, sessionId: 9, value: 1 };
  const consumerId = createConsumerId(nine);
  const answers = [
    await client.request(createConsumerInfo({ consumerId, destination: target.queue() })),
    await client.request(createProducerInfo({ producerId: createProducerId(nine) })),
    await client.remove(createConsumerId({ ...nine, sessionId: 1 }), -1),
    await client.remove(createProducerId({ ...nine, sessionId: 1 }), -1),
    await client.remove(createSessionId({ connectionId, value: 9 }), -1),
  ];
  const name = target.memory ? "" : "openwire-test ";
  assertEquals(
    answers.map(refusal),
    [
      `${name}Cannot add a consumer to a session that had not been registered: ${connectionId}:9`,
      `Cannot add a producer to a session that had not been registered: ${connectionId}:9`,
      `Cannot remove a consumer that had not been registered: ${connectionId}:1:1`,
      `Cannot remove a producer that had not been registered: ${connectionId}:1:1`,
      `Cannot remove session that had not been registered: ${connectionId}:9`,
    ].map((message): [string, string] => ["java.lang.IllegalStateException", message]),
  );
});

behaviour("What is open can be opened again", async (target) => {
  const client = await target.open();
  const info = client.consumerInfo(target.queue());
  for (let n = 0; n < 2; n++) {
    assertEquals((await client.request(info)).dataType, "Response");
    assertEquals(
      (await client.request(createSessionInfo({ sessionId: client.sessionId }))).dataType,
      "Response",
    );
  }
  await client.publish(target.queue(), "1");
  assertEquals((await client.dispatches(1)).map(text), ["1"]);
  assertEquals(await target.rest(client), []);
});

behaviour("Session -1 needs no SessionInfo", async (target) => {
  const client = await target.open();
  const consumerId = createConsumerId({
    connectionId: client.connectionId,
    sessionId: -1,
    value: 1,
  });
  const destination = createActiveMQTopic({
    physicalName: "ActiveMQ.Advisory.TempQueue,ActiveMQ.Advisory.TempTopic",
  });
  const info = createConsumerInfo({ consumerId, destination, prefetchSize: 1000, noLocal: true });
  assertEquals((await client.request(info)).dataType, "Response");
});

behaviour("Commands that mean nothing are answered", async (target) => {
  const client = await target.open();
  for (const command of [createFlushCommand(), createControlCommand({ command: "x" })]) {
    assertEquals((await client.request(command)).dataType, "Response");
  }
});

behaviour("A keep-alive is answered by itself", async (target) => {
  const client = await target.open();
  await client.send(createKeepAliveInfo({ responseRequired: true }));
  assertEquals(await client.next("KeepAliveInfo"), {
    dataType: "KeepAliveInfo",
    commandId: 3,
    responseRequired: false,
  });
});

behaviour("A closed connection says goodbye with ShutdownInfo", async (target) => {
  const client = await target.open();
  const removed = await client.remove(createConnectionId({ value: client.connectionId }), -1);
  assertEquals(removed, {
    dataType: "Response",
    commandId: 0,
    responseRequired: false,
    correlationId: 3,
  });
  await client.send(createShutdownInfo());
  await client.ended;
});

behaviour("A link ends without a word when its bytes can't be decoded", async (target) => {
  const client = await target.open();
  await client.raw(Uint8Array.of(0, 0, 0, 1, 77));
  await client.ended;
  assertEquals(client.inbox, []);
});

behaviour("What came before bad bytes is answered", async (target) => {
  const client = await target.open();
  const flush = new OpenWireEncoder(client.format)
    .encode(createFlushCommand({ commandId: 99, responseRequired: true }));
  const answered = client.answer(99);
  await client.raw(Uint8Array.of(...flush, 0, 0, 0, 1, 77));
  assertEquals((await answered).dataType, "Response");
  await client.ended;
});

for (let version = 1; version <= 12; version++) {
  for (const tightEncodingEnabled of [false, true]) {
    const how = tightEncodingEnabled ? "tight" : "loose";
    behaviour(
      `A client of version ${version}, ${how}, and one of 12 exchange messages`,
      async (target) => {
        const old = await target.open({
          version,
          tightEncodingEnabled,
          cacheEnabled: version % 2 === 0,
        });
        const current = await target.open({ version: 12 });
        await old.consumer(target.queue("old"));
        await current.consumer(target.queue("new"));
        await current.publish(target.queue("old"), "to the old");
        await old.publish(target.queue("new"), "to the new");
        const [received] = await old.dispatches(1);
        assertEquals(text(received!), "to the old");
        await old.request(old.ack([received!], 2));
        const [answer] = await current.dispatches(1);
        assertEquals(text(answer!), "to the new");
        await current.request(current.ack([answer!], 2));
      },
    );
  }
}

behaviour("A client that can't take a message is disconnected", async (target) => {
  const [old, current] = [await target.open({ version: 1 }), await target.open()];
  await old.consumer(target.queue());
  const producerId = await current.producer();
  const message = current.message(producerId, target.queue(), "");
  await current.request({
    ...message,
    dataType: "ActiveMQBlobMessage", // since version 3
    content: null,
    remoteBlobUrl: "http://localhost/",
    mimeType: null,
    deletedByBroker: false,
  });
  await old.ended;
});
