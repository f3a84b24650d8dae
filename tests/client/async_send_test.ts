/** Messages that the broker refuses when nobody waits for its answer: which ones they are. */
import {
  AsyncSendError,
  BrokerError,
  connect,
  type Connection,
  type ConnectionStatus,
  type LogFields,
  type Logger,
  type MessageProducer,
  type SendOptions,
  TimeoutError,
} from "../../mod.ts";
import {
  createActiveMQTextMessage,
  createConnectionError,
  createConnectionId,
  createExceptionResponse,
  createMessageId,
  createProducerId,
  type Throwable,
} from "../../codec/mod.ts";
import { AsyncSends } from "../../client/producer/async_sends.ts";
import { toDestination } from "../../client/destination/destination.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { test } from "../_harness.ts";
import { testOnBrokers } from "./_brokers.ts";
import { received } from "./_messages.ts";

/** The next failure that answers no call. */
async function nextFailure(
  statuses: AsyncIterableIterator<ConnectionStatus>,
): Promise<AsyncSendError> {
  const { value } = await statuses.next();
  assertInstanceOf(value.error, AsyncSendError);
  return value.error as AsyncSendError;
}

/** A logger that keeps warnings. */
function warnings() {
  const lines: [message: string, fields: LogFields][] = [];
  const ignore = () => {};
  const warn = (message: string, fields: LogFields) => void lines.push([message, fields]);
  const logger: Logger = { debug: ignore, info: ignore, warn, error: ignore };
  return { lines, logger };
}

const oneWay = (destination: string): SendOptions => ({ destination, persistent: false });

testOnBrokers("a refused message that nobody waits for is named", async (broker) => {
  const { lines, logger } = warnings();
  const owner = await broker.connect();
  const connection = await broker.connect({ logger });
  const queue = await owner.createTemporaryQueue();
  const destination = `temp-queue://${queue.physicalName}`;
  await queue.delete();
  const statuses = connection.status();
  const failure = nextFailure(statuses);
  const producer = await connection.createProducer();
  await producer.send("fine", oneWay(broker.name));
  const { messageId } = await producer.send("late", oneWay(destination));
  await producer.send("fine", oneWay(broker.name));
  const error = await failure;
  assertEquals([error.messageId, error.messageIds], [messageId, [messageId]]);
  assertEquals(error.destination, destination);
  assertEquals(error.code, "INVALID_DESTINATION");
  assert(error instanceof BrokerError);
  assert(error.message.startsWith(`Cannot send ${messageId} to ${destination}: `), error.message);
  const [message, fields] = lines.find(([message]) => message.includes("refused a message"))!;
  assertEquals(message, "The broker has refused a message");
  assertEquals(fields, {
    address: connection.remoteAddress,
    clientId: connection.clientId,
    messageId,
    destination,
    error,
  });
  await statuses.return!();
}, { needs: ["deleted temporary destinations"] });

testOnBrokers("one that may be each of several messages has the ids of all", async (broker) => {
  const owner = await broker.connect();
  const connection = await broker.connect();
  const queue = await owner.createTemporaryQueue();
  await queue.delete();
  const statuses = connection.status();
  const producer = await connection.createProducer(null, { persistent: false });
  const results = await producer.sendBatch(["1", "2"], { destination: queue });
  const ids = results.map(({ messageId }) => messageId);
  for (let i = 0; i < 2; i++) {
    const error = await nextFailure(statuses);
    assertEquals([error.messageId, error.messageIds], [undefined, ids]);
    assert(error.message.startsWith(`Cannot send one of 2 messages (${ids.join(", ")}) to temp-`));
  }
  await statuses.return!();
}, { needs: ["deleted temporary destinations"] });

testOnBrokers("a refused message of a transaction is named with it", async (broker) => {
  const { lines, logger } = warnings();
  const owner = await broker.connect();
  const connection = await broker.connect({ logger });
  const queue = await owner.createTemporaryQueue();
  await queue.delete();
  const statuses = connection.status();
  const session = await connection.createSession({ acknowledgeMode: "transacted" });
  const { messageId } = await session.send(queue, "late");
  const { transactionId } = session.toJSON();
  const error = await nextFailure(statuses);
  assertEquals([error.messageId, error.transactionId], [messageId, transactionId]);
  assertEquals(lines.at(-1)![1]["transactionId"], transactionId);
  await assertRejects(() => session.commit(), BrokerError);
  await statuses.return!();
}, { needs: ["deleted temporary destinations"] });

testOnBrokers("Artemis refuses a message that nobody waits for without a word", async (broker) => {
  if (broker.kind !== "artemis") return;
  const connection = await broker.connect();
  const failures: unknown[] = [];
  const statuses = connection.status();
  const reading = (async () => {
    for await (const { error } of statuses) failures.push(error);
  })();
  const producer = await connection.createProducer();
  const destination = `denied.${broker.name}`;
  await producer.send("1", oneWay(destination));
  const error = await assertRejects(
    () => producer.send("2", { destination, confirm: true }),
    BrokerError,
  );
  assertEquals(error.code, "SECURITY");
  await statuses.return!();
  await reading;
  assertEquals(failures, []);
});

/** A connection to a broker in memory that refuses some message. */
async function refusing(
  refuse: (text: string) => Throwable | undefined,
  run: (connection: Connection, failures: AsyncIterableIterator<ConnectionStatus>) => Promise<void>,
  respond = false,
): Promise<void> {
  await using broker = await MemoryBroker.listen();
  using _ = broker.intercept((command, { direction }) => {
    if (direction !== "from-client" || command.dataType !== "ActiveMQTextMessage") return undefined;
    const exception = refuse(
      new TextDecoder().decode((command.content ?? new Uint8Array()).slice(4)),
    );
    if (!exception) return undefined;
    const { commandId: correlationId } = command;
    broker.sendToClients(
      respond
        ? createExceptionResponse({ correlationId, exception })
        : createConnectionError({ exception }),
    );
    return "drop";
  });
  await using connection = await connect(broker.url);
  const statuses = connection.status();
  await run(connection, statuses);
  await statuses.return!();
}

const full: Throwable = {
  className: "javax.jms.ResourceAllocationException",
  message: "full",
  stackTrace: [],
  cause: null,
};

const when = (wanted: string) => (text: string) => text === wanted ? full : undefined;

test("an exception that names nothing is about the only message there is", async () => {
  await refusing(when("bad"), async (connection, failures) => {
    const { messageId } = await connection.send("orders", "bad", { persistent: false });
    const error = await nextFailure(failures);
    assertEquals([error.messageId, error.retryable], [messageId, true]);
    assertEquals(error.message, `Cannot send ${messageId} to queue://orders: full`);
  });
});

test("an answer that nobody waits for is about the message that it answers", async () => {
  await refusing(when("bad"), async (connection, failures) => {
    const producer = await connection.createProducer("orders", { persistent: false });
    const sent = await producer.sendBatch(["1", "bad", "3"]);
    const error = await nextFailure(failures);
    assertEquals(error.messageId, sent[1]!.messageId);
  }, true);
});

test("a message whose send() was given up is named when the broker refuses it later", async () => {
  await using broker = await MemoryBroker.listen();
  const asked = Promise.withResolvers<number>();
  using _ = broker.intercept((command) => {
    if (command.dataType !== "ActiveMQTextMessage") return undefined;
    asked.resolve(command.commandId);
    return "drop";
  });
  await using connection = await connect(broker.url);
  const statuses = connection.status();
  const error = await assertRejects(
    () => connection.send("orders", "x", { timeout: 20 }),
    TimeoutError,
  );
  assertEquals(error.code, "TIMEOUT");
  const correlationId = await asked.promise;
  // What is handled meanwhile does not matter.
  for (let i = 0; i < 3; i++) await connection.ping();
  broker.sendToClients(createExceptionResponse({ correlationId, exception: full }));
  const { messageId, destination } = await nextFailure(statuses);
  assertEquals(destination, "queue://orders");
  assert(messageId?.startsWith("ID:"));
});

test("with a window only what was not acknowledged may be what is refused", async () => {
  await refusing(when("bad"), async (connection, failures) => {
    const producer: MessageProducer = await connection.createProducer("orders", {
      persistent: false,
      windowSize: 1_000_000,
    });
    await producer.sendBatch(["1", "2", "3"]);
    while (producer.bufferedAmount > 0) await connection.ping();
    const { messageId } = await producer.send("bad");
    assertEquals((await nextFailure(failures)).messageId, messageId);
    assertEquals(producer.bufferedAmount, 0);
  });
});

test("what was sent before three answers is not what is refused", async () => {
  await refusing(when("bad"), async (connection, failures) => {
    const producer = await connection.createProducer("orders", { persistent: false });
    await producer.send("1");
    for (let i = 0; i < 3; i++) await connection.ping();
    const { messageId } = await producer.send("bad");
    assertEquals((await nextFailure(failures)).messageId, messageId);
  });
});

test("a message that can't be encoded is not what is refused", async () => {
  await refusing(when("bad"), async (connection, failures) => {
    const producer = await connection.createProducer("orders", { persistent: false });
    await assertRejects(() => producer.send("1", { type: "x".repeat(70_000) }));
    const { messageId } = await producer.send("bad");
    assertEquals((await nextFailure(failures)).messageId, messageId);
  });
});

test("an exception about an acknowledgement names no message", async () => {
  for (const message of ["no", "Unmatched acknowledge: MessageAck {queue://orders}"]) {
    await using broker = await MemoryBroker.listen();
    await using connection = await connect(broker.url);
    const consumer = await connection.createConsumer("orders");
    await connection.send("orders", "1");
    const statuses = connection.status();
    await connection.send("orders", "2", { persistent: false });
    await received(consumer);
    broker.sendToClients(createConnectionError({ exception: { ...full, message } }));
    const { value } = await statuses.next();
    assertEquals(value.error.name, "BrokerError");
    assertEquals(value.error.message, `The broker reports a failure: ${message}`);
    await statuses.return!();
  }
});

/** A message with a number. */
function message(commandId: number, destination: string, producer = 1) {
  const connectionId = createConnectionId({ value: "ID:me" }).value;
  return Object.assign(
    createActiveMQTextMessage({
      commandId,
      messageId: createMessageId({
        producerId: createProducerId({ connectionId, sessionId: 1, value: producer }),
        producerSequenceId: commandId,
      }),
    }),
    { destination: toDestination(destination) },
  );
}

const suspectsOf = (sends: AsyncSends, text: string) =>
  sends.failed({ ...full, message: text })?.messageIds.map((id) => Number(id.split(":").at(-1)));

test("an exception is about the destination that it names, and no other", () => {
  const names = ["a", "a.b", "topic://a", "x,y", "x, topic://z", "with space"];
  const cases: [text: string, suspects: number[]][] = [
    ["not allowed: queue://a", [1]],
    ["queue://a.", [1]],
    ["(queue://a) is full: stop", [1]],
    ["queue://a.b is full", [2]],
    ["queue://a.b.c, no queue://ab", [1, 2, 3, 4, 5, 6]],
    ["topic://a is full", [3]],
    ["queue://y", [4]],
    ["queue://x", [4, 5]],
    ["topic://z", [5]],
    ["to queue://with space!", [6]],
    ["", [1, 2, 3, 4, 5, 6]],
  ];
  for (const [text, expected] of cases) {
    const sends = new AsyncSends();
    names.forEach((name, i) => sends.add(message(i + 1, name)));
    assertEquals(suspectsOf(sends, text), expected, text);
  }
});

test("an exception is about the producer or the message that it names", () => {
  const sends = new AsyncSends();
  for (const [id, producer] of [[1, 1], [2, 2], [3, 12], [4, 12]] as const) {
    sends.add(message(id, "a", producer));
  }
  assertEquals(suspectsOf(sends, "Stopping producer (ID:me:1:12) for queue://a"), [3, 4]);
  assertEquals(suspectsOf(sends, "no ID:me:1:12:4 in queue://a"), [4]);
  assertEquals(suspectsOf(sends, "Stopping producer (ID:me:1:1) for queue://a"), [1]);
});

test("a message that was refused is not refused again", () => {
  const sends = new AsyncSends();
  sends.add(message(1, "a"));
  sends.add(message(2, "b"));
  assertEquals(suspectsOf(sends, "queue://a"), [1]);
  assertEquals(suspectsOf(sends, ""), [2]);
  assertEquals(suspectsOf(sends, ""), undefined);
});

test("few messages are remembered, and few named", () => {
  const sends = new AsyncSends();
  for (let id = 1; id <= 20_000; id++) sends.add(message(id, `queue.${id % 3}`));
  assertEquals(sends.refused(1, full), undefined);
  assertEquals(sends.refused(12_001, full)?.messageId, "ID:me:1:1:12001");
  assertEquals(sends.refused(12_001, full), undefined);
  const error = sends.failed(full)!;
  assertEquals(error.messageIds.length, 100);
  assert(error.message.startsWith("Cannot send one of 7999 messages (ID:me:1:1:12002, "));
  assert(error.message.endsWith("and 7989 others): full"), error.message);
  assertEquals([error.messageId, error.destination], [undefined, undefined]);
});

test("messages are over when three requests were answered one after another", () => {
  const sends = new AsyncSends();
  sends.add(message(1, "a"));
  sends.add(message(2, "a"));
  sends.answered(3, 5);
  for (const id of [4, 5]) sends.answered(id, 5); // they were sent before the first answer came
  sends.add(message(6, "a"));
  sends.answered(7, 7);
  assertEquals(suspectsOf(sends, ""), [1, 2, 6]);
  sends.answered(8, 8);
  assertEquals(suspectsOf(sends, ""), [6]);
});

test("what names nothing may be about an acknowledgement until that is over", () => {
  const sends = new AsyncSends();
  sends.acknowledged();
  sends.add(message(2, "a"));
  assertEquals(suspectsOf(sends, ""), undefined);
  for (const id of [3, 4]) sends.answered(id, id);
  sends.add(message(5, "a"));
  assertEquals(suspectsOf(sends, ""), undefined);
  sends.answered(6, 6);
  assertEquals(suspectsOf(sends, ""), [5]);
});

test("the numbers of commands begin again after the last", () => {
  const sends = new AsyncSends();
  sends.add(message(0x7fffffff, "a"));
  sends.answered(0x7ffffffe, 0x7fffffff);
  sends.add(message(1, "b"));
  assertEquals(suspectsOf(sends, ""), [1]);
});
