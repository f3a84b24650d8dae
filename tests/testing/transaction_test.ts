import { assertEquals } from "@std/assert";
import {
  createActiveMQTempQueue,
  createConnectionId,
  createDestinationInfo,
} from "../../codec/mod.ts";
import { refusal } from "./_raw_client.ts";
import { behaviour, texts } from "./_targets.ts";
import {
  BEGIN,
  begin,
  COMMIT,
  consumer,
  end,
  info,
  PREPARE,
  ROLLBACK,
  transaction,
} from "./_transactions.ts";

for (const kind of ["queue", "topic"] as const) {
  behaviour(`Messages of a transaction come to a ${kind} when it is committed`, async (target) => {
    const client = await target.open();
    const place = target[kind]();
    await client.consumer(place);
    const producer = await client.producer();
    const transactionId = await begin(client);
    for (const body of ["1", "2"]) {
      await client.send(client.message(producer, place, body, { transactionId }));
    }
    await client.request(client.message(producer, place, "outside"));
    assertEquals(texts(await client.dispatches(1)), ["outside"]);
    assertEquals(await target.rest(client), []);
    await end(client, transactionId, COMMIT);
    const sent = await client.dispatches(2);
    assertEquals(texts(sent), ["1", "2"]);
    assertEquals(sent[0]!.message!.transactionId, transactionId);
  });

  behaviour(
    `Messages of a transaction that is rolled back don't come to a ${kind}`,
    async (target) => {
      const client = await target.open();
      const place = target[kind]();
      await client.consumer(place);
      const producer = await client.producer();
      const transactionId = await begin(client);
      await client.request(client.message(producer, place, "1", { transactionId }));
      await end(client, transactionId, ROLLBACK);
      assertEquals(await target.rest(client), []);
    },
  );
}

behaviour("Messages of a transaction are lost with the connection", async (target) => {
  const [client, other] = [await target.open(), await target.open()];
  const producer = await client.producer();
  const transactionId = await begin(client);
  await client.request(client.message(producer, target.queue(), "1", { transactionId }));
  await other.consumer(target.queue());
  await client.drop();
  assertEquals(await target.rest(other), []);
});

behaviour("A transaction that was not begun is refused", async (target) => {
  const { client, sent } = await consumer(target, 1, "1");
  const producer = await client.producer();
  const transactionId = transaction(client);
  const { value } = transactionId;
  const expected: [string, string] = [
    "javax.jms.JMSException",
    `Transaction 'TX:${client.connectionId}:${value}' has not been started.`,
  ];
  for (
    const command of [
      info(client, transactionId, COMMIT),
      info(client, transactionId, ROLLBACK),
      client.message(producer, target.queue(), "x", { transactionId }),
      client.ack(sent, 2, { transactionId }),
    ]
  ) {
    assertEquals(refusal(await client.request(command)), expected);
  }
});

behaviour("A transaction is over after its end", async (target) => {
  const client = await target.open();
  const id = await begin(client);
  await end(client, id, COMMIT);
  assertEquals(
    refusal(await client.request(info(client, id, COMMIT)))[0],
    "javax.jms.JMSException",
  );
  await client.send(info(client, id, BEGIN)); // the same name again
  await client.send(info(client, id, BEGIN)); // begun already
  await end(client, id, ROLLBACK);
  const [className] = refusal(await client.request(info(client, id, ROLLBACK)));
  assertEquals(className, "javax.jms.JMSException");
});

behaviour("To begin a transaction again changes nothing", async (target) => {
  const client = await target.open();
  const producer = await client.producer();
  const transactionId = await begin(client);
  await client.send(client.message(producer, target.queue(), "1", { transactionId }));
  await end(client, transactionId, BEGIN);
  await end(client, transactionId, COMMIT);
  await client.consumer(target.queue());
  assertEquals(texts(await client.dispatches(1)), ["1"]);
});

behaviour("A transaction of another connection is unknown", async (target) => {
  const [client, other] = [await target.open(), await target.open()];
  const id = await begin(client);
  const [className] = refusal(await other.request(info(other, id, COMMIT)));
  assertEquals(className, "javax.jms.JMSException");
});

behaviour(
  "A transaction that lost a one-way part can't be committed, but rolled back",
  async (target) => {
    const { client, sent } = await consumer(target, 2, "1", "2", "3");
    const producer = await client.producer();
    const transactionId = await begin(client);
    await client.send(client.message(producer, target.queue(), "x", { transactionId }));
    const bad = { ...sent[0]!.message!.messageId!, producerSequenceId: 999 };
    await client.send(client.ack(sent, 2, { transactionId, lastMessageId: bad }));
    await client.next("ConnectionError");
    assertEquals(refusal(await client.request(info(client, transactionId, COMMIT))), [
      "javax.transaction.xa.XAException",
      "COMMIT FAILED: Transaction marked rollback only xaErrorCode:100",
    ]);
    await end(client, transactionId, ROLLBACK);
    assertEquals(await target.rest(client), []);
  },
);

behaviour(
  "A part that is refused with an answer leaves the transaction as it was",
  async (target) => {
    const { client, sent } = await consumer(target, 2, "1", "2");
    const transactionId = await begin(client);
    const bad = { ...sent[0]!.message!.messageId!, producerSequenceId: 999 };
    const ack = client.ack(sent, 2, { transactionId, lastMessageId: bad });
    assertEquals((await client.request(ack)).dataType, "ExceptionResponse");
    await end(client, transactionId, COMMIT);
  },
);

behaviour("A local transaction can't be prepared", async (target) => {
  const client = await target.open();
  const id = await begin(client);
  assertEquals(refusal(await client.request(info(client, id, PREPARE))), [
    "javax.transaction.xa.XAException",
    "Prepare not implemented on Local Transactions",
  ]);
});

behaviour("A TransactionInfo of a type that is unknown is refused", async (target) => {
  const client = await target.open();
  const id = await begin(client);
  assertEquals(refusal(await client.request(info(client, id, 9))), [
    "java.io.IOException",
    "Transaction info type unknown: 9",
  ]);
});

behaviour(
  "A transaction is for all destinations of a composite and a virtual topic",
  async (target) => {
    const client = await target.open();
    const topic = target.name("V");
    await client.consumer({ ...target.queue(), physicalName: `Consumer.A.VirtualTopic.${topic}` });
    await client.consumer(target.queue("B"));
    const producer = await client.producer();
    const transactionId = await begin(client);
    const physicalName = `topic://VirtualTopic.${topic},${target.name("B")}`;
    const destination = { ...target.queue(), physicalName };
    await client.request(client.message(producer, destination, "x", { transactionId }));
    assertEquals(await target.rest(client), []);
    await end(client, transactionId, COMMIT);
    assertEquals(texts(await client.dispatches(2)), ["x", "x"]);
  },
);

behaviour("A message to a temporary queue that is gone at the commit is lost", async (target) => {
  const client = await target.open();
  const connectionId = createConnectionId({ value: client.connectionId });
  const destination = createActiveMQTempQueue({ physicalName: `${client.connectionId}:1` });
  await client.request(createDestinationInfo({ connectionId, destination }));
  const producer = await client.producer();
  const transactionId = await begin(client);
  await client.request(client.message(producer, destination, "1", { transactionId }));
  await client.request(createDestinationInfo({ connectionId, destination, operationType: 1 }));
  await end(client, transactionId, COMMIT);
  const answer = await client.request(client.message(producer, destination, "2"));
  assertEquals(
    refusal(answer)[0],
    "org.apache.activemq.DestinationDoesNotExistException",
  );
});
