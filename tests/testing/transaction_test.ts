import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  createActiveMQTempQueue,
  createConnectionId,
  createConsumerControl,
  createDestinationInfo,
  createLocalTransactionId,
  createTransactionInfo,
  type LocalTransactionId,
  type TransactionInfo,
} from "../../codec/mod.ts";
import { type RawClient, refusal, text } from "./_raw_client.ts";
import { behaviour, type Target, texts } from "./_targets.ts";

const BEGIN = 0;
const PREPARE = 1;
const COMMIT = 2;
const ROLLBACK = 4;

let ids = 0;

function transaction(client: RawClient): LocalTransactionId {
  const connectionId = createConnectionId({ value: client.connectionId });
  return createLocalTransactionId({ value: ++ids, connectionId });
}

function info(client: RawClient, transactionId: LocalTransactionId, type: number): TransactionInfo {
  const connectionId = createConnectionId({ value: client.connectionId });
  return createTransactionInfo({ connectionId, transactionId, type });
}

async function begin(client: RawClient): Promise<LocalTransactionId> {
  const id = transaction(client);
  await client.send(info(client, id, BEGIN));
  return id;
}

async function end(client: RawClient, id: LocalTransactionId, type: number): Promise<void> {
  assertEquals((await client.request(info(client, id, type))).dataType, "Response");
}

/** A consumer that has messages in its window. */
async function consumer(target: Target, size: number, ...bodies: string[]) {
  const client = await target.open();
  const id = await client.consumer(target.queue(), { prefetchSize: size });
  await client.publish(target.queue(), ...bodies);
  const sent = await client.dispatches(Math.min(size, bodies.length));
  return { client, id, sent };
}

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

behaviour("Acknowledgements of a transaction count when it is committed", async (target) => {
  const { client, id, sent } = await consumer(target, 2, "1", "2", "3", "4");
  const transactionId = await begin(client);
  await client.request(client.ack(sent, 2, { transactionId }));
  assertEquals(await target.rest(client), []); // the window is as full as before
  await end(client, transactionId, COMMIT);
  assertEquals(texts(await client.dispatches(2)), ["3", "4"]);
  await client.remove(id, -1);
  await client.consumer(target.queue());
  assertEquals(texts(await client.dispatches(2)), ["3", "4"]);
});

behaviour("The count of an acknowledgement in a transaction is not checked", async (target) => {
  const { client, sent } = await consumer(target, 2, "1", "2", "3");
  const transactionId = await begin(client);
  const ack = client.ack(sent, 2, { transactionId, messageCount: 7 });
  assertEquals((await client.request(ack)).dataType, "Response");
  await end(client, transactionId, COMMIT);
  assertEquals(texts(await client.dispatches(1)), ["3"]);
});

behaviour(
  "Messages whose acknowledgement is rolled back stay with their consumer",
  async (target) => {
    const { client, id, sent } = await consumer(target, 2, "1", "2", "3");
    const transactionId = await begin(client);
    await client.request(client.ack(sent, 2, { transactionId }));
    await end(client, transactionId, ROLLBACK);
    const other = await target.open();
    await other.consumer(target.queue());
    assertEquals(texts(await other.dispatches(1)), ["3"]);
    assertEquals(await target.rest(other), []);
    assertEquals(await target.rest(client), []);
    // They can be acknowledged again, and come again when the consumer goes.
    await client.request(client.ack([sent[0]!], 2));
    await client.remove(id, -2);
    const [again] = await other.dispatches(1);
    assertEquals([text(again!), again!.redeliveryCounter], ["2", 1]);
  },
);

behaviour("DELIVERED in a transaction widens the window until its end", async (target) => {
  const { client, sent } = await consumer(target, 2, ...Array.from("12345678"));
  const transactionId = await begin(client);
  await client.send(client.ack(sent, 0, { transactionId }));
  const more = await client.dispatches(2);
  assertEquals(texts(more), ["3", "4"]);
  await client.send(client.ack([...sent, ...more], 2, { transactionId }));
  assertEquals(await target.rest(client), []);
  await end(client, transactionId, COMMIT);
  assertEquals(texts(await client.dispatches(2)), ["5", "6"]);
  assertEquals(await target.rest(client), []);
});

behaviour("INDIVIDUAL in a transaction widens the window by itself", async (target) => {
  const { client, id, sent } = await consumer(target, 2, "1", "2", "3", "4");
  const transactionId = await begin(client);
  await client.send(client.ack([sent[1]!], 4, { transactionId, firstMessageId: null }));
  assertEquals(texts(await client.dispatches(1)), ["3"]);
  assertEquals(await target.rest(client), []);
  await end(client, transactionId, ROLLBACK);
  assertEquals(await target.rest(client), []);
  const control = { consumerId: id, destination: target.queue() };
  await client.send(createConsumerControl({ ...control, prefetch: 3 }));
  assertEquals(await target.rest(client), []);
  await client.send(createConsumerControl({ ...control, prefetch: 2 }));
  await client.send(client.ack([sent[0]!], 2));
  assertEquals(await target.rest(client), []);
  await client.send(client.ack([sent[1]!], 2));
  assertEquals(texts(await client.dispatches(1)), ["4"]);
});

behaviour("What a dead client acknowledged in a transaction comes again", async (target) => {
  const { client, sent } = await consumer(target, 2, "1", "2");
  const transactionId = await begin(client);
  await client.request(client.ack(sent, 2, { transactionId }));
  const other = await target.open();
  await other.consumer(target.queue());
  await client.drop();
  const again = await other.dispatches(2);
  // ActiveMQ gives them back one by one, the last first, and may send the first before it has the second.
  const found = again.map((d) => [text(d), d.redeliveryCounter]);
  assertEquals(found.toSorted(), [["1", 1], ["2", 1]]);
});

behaviour(
  "A consumer may close before the transaction in which it acknowledged ends",
  async (target) => {
    for (const type of [COMMIT, ROLLBACK]) {
      const client = await target.open();
      const queue = target.queue(String(type));
      const id = await client.consumer(queue);
      await client.publish(queue, "1", "2");
      const [one, two] = await client.dispatches(2);
      const transactionId = await begin(client);
      await client.request(client.ack([one!, two!], 2, { transactionId }));
      await client.remove(id, -1);
      await client.consumer(queue);
      assertEquals(await target.rest(client), []);
      await end(client, transactionId, type);
      assertEquals(await target.rest(client), type === COMMIT ? [] : ["1", "2"]);
    }
  },
);

behaviour("Acknowledgements of a topic consumer count when they are committed", async (target) => {
  const client = await target.open();
  await client.consumer(target.topic(), { prefetchSize: 2 });
  await client.publish(target.topic(), "1", "2", "3", "4");
  const sent = await client.dispatches(2);
  const lost = await begin(client);
  await client.request(client.ack(sent, 2, { transactionId: lost }));
  await end(client, lost, ROLLBACK);
  assertEquals(await target.rest(client), []);
  const transactionId = await begin(client);
  await client.request(client.ack(sent, 2, { transactionId }));
  assertEquals(await target.rest(client), []);
  await end(client, transactionId, COMMIT);
  assertEquals(texts(await client.dispatches(2)), ["3", "4"]);
});

for (const type of [COMMIT, ROLLBACK]) {
  behaviour(
    `A topic consumer's window after ${type === COMMIT ? "commit" : "rollback"}`,
    async (target) => {
      const client = await target.open();
      await client.consumer(target.topic(), { prefetchSize: 2 });
      await client.publish(target.topic(), ...Array.from("123456789"));
      const sent = await client.dispatches(2);
      const transactionId = await begin(client);
      // DELIVERED widens by its count, INDIVIDUAL by one.
      await client.send(client.ack([sent[0]!], 0, { transactionId }));
      assertEquals(texts(await client.dispatches(1)), ["3"]);
      await client.send(client.ack([sent[1]!], 4, { transactionId, firstMessageId: null }));
      assertEquals(texts(await client.dispatches(1)), ["4"]);
      await client.send(client.ack([sent[0]!], 2, { transactionId, firstMessageId: null }));
      assertEquals(await target.rest(client), []);
      await end(client, transactionId, type);
      if (type === COMMIT) {
        // Three of the four are gone, and the widened window is as it was.
        assertEquals(await target.rest(client), ["5", "6", "7"]);
        return;
      }
      assertEquals(await target.rest(client), []);
      await client.send(client.ack(sent, 0, { messageCount: 1 }));
      assertEquals(await target.rest(client), []);
      await client.send(client.ack(sent, 0, { messageCount: 2 }));
      assertEquals(await target.rest(client), ["5"]);
    },
  );
}

behaviour("A POISON acknowledgement can't be in a transaction", async (target) => {
  const { client, sent } = await consumer(target, 1, "1");
  const transactionId = await begin(client);
  const [className, message] = refusal(
    await client.request(client.ack(sent, 1, { transactionId })),
  );
  assertEquals(className, "javax.jms.JMSException");
  assertStringIncludes(message!, "Poison ack cannot be transacted: MessageAck {");
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
