import { assert, assertEquals } from "@std/assert";
import {
  createActiveMQQueue,
  createActiveMQTopic,
  createConnectionId,
  createLocalTransactionId,
  createTransactionInfo,
  decodePrimitiveMap,
  encodePrimitiveMap,
  int,
  long,
  type MessageDispatch,
  type PrimitiveInput,
} from "../../codec/mod.ts";
import { type RawClient, refusal, text } from "./_raw_client.ts";
import { behaviour, texts } from "./_targets.ts";

const MANAGEMENT = createActiveMQTopic({ physicalName: "ActiveMQ.Scheduler.Management" });
const DAY = 86_400_000;

type Properties = Record<string, PrimitiveInput>;

function properties({ message }: MessageDispatch): Record<string, unknown> {
  return { ...decodePrimitiveMap(message!.marshalledProperties).toObject() };
}

async function schedule(
  client: RawClient,
  queue: ReturnType<typeof createActiveMQQueue>,
  body: string,
  values: Properties,
  init = {},
) {
  const producer = await client.producer();
  const marshalledProperties = encodePrimitiveMap(values);
  return await client.request(
    client.message(producer, queue, body, { marshalledProperties, ...init }),
  );
}

/** Asks for the jobs, and gives those of a queue. */
async function browse(
  client: RawClient,
  queue: ReturnType<typeof createActiveMQQueue>,
  range: Properties = {},
): Promise<MessageDispatch[]> {
  const replyTo = createActiveMQQueue({ physicalName: `${queue.physicalName}.replies` });
  const consumer = await client.consumer(replyTo);
  const producer = await client.producer();
  const marshalledProperties = encodePrimitiveMap({ AMQ_SCHEDULER_ACTION: "BROWSE", ...range });
  await client.request(
    client.message(producer, MANAGEMENT, "", { replyTo, marshalledProperties }),
  );
  // As the replies are not persistent, neither is the end: ActiveMQ keeps the order of each kind.
  await client.request(client.message(producer, replyTo, "end", { persistent: false }));
  const found: MessageDispatch[] = [];
  for (;;) {
    const [dispatch] = await client.dispatches(1);
    await client.request(client.ack([dispatch!], 4));
    if (text(dispatch!) === "end") break;
    if (dispatch!.message!.originalDestination?.physicalName === queue.physicalName) {
      found.push(dispatch!);
    }
  }
  await client.remove(consumer, -1);
  return found;
}

async function manage(client: RawClient, values: Properties): Promise<void> {
  const producer = await client.producer();
  const marshalledProperties = encodePrimitiveMap(values);
  const answer = await client.request(
    client.message(producer, MANAGEMENT, "", { marshalledProperties }),
  );
  assertEquals(answer.dataType, "Response");
}

behaviour(
  "A message with a delay comes later, without the delay and with a job's id",
  async (target) => {
    const client = await target.open();
    const producer = await client.producer();
    await client.consumer(target.queue());
    const marshalledProperties = encodePrimitiveMap({ AMQ_SCHEDULED_DELAY: long(100), a: int(1) });
    const message = client.message(producer, target.queue(), "late", { marshalledProperties });
    await client.request(message);
    await client.request(client.message(producer, target.queue(), "now"));
    assertEquals(texts(await client.dispatches(1)), ["now"]);
    const [late] = await client.dispatches(1);
    assertEquals(text(late!), "late");
    const { scheduledJobId, ...rest } = properties(late!);
    assertEquals(typeof scheduledJobId, "string");
    assertEquals(rest, { a: 1 });
    assertEquals(
      late!.message!.messageId!.producerSequenceId,
      message.messageId!.producerSequenceId,
    );
  },
);

behaviour("A message with a period comes again, with another id each time", async (target) => {
  const client = await target.open();
  await client.consumer(target.queue());
  await schedule(client, target.queue(), "again", {
    AMQ_SCHEDULED_DELAY: long(1),
    AMQ_SCHEDULED_PERIOD: long(50),
    AMQ_SCHEDULED_REPEAT: int(2),
  });
  const sent = await client.dispatches(3);
  assertEquals(texts(sent), ["again", "again", "again"]);
  const ids = new Set(sent.map(({ message }) => JSON.stringify(message!.messageId)));
  assertEquals(ids.size, 3);
  assertEquals(new Set(sent.map((dispatch) => properties(dispatch).scheduledJobId)).size, 1);
  assertEquals(target.memory?.scheduled ?? 0, 0);
  assertEquals(await target.rest(client), []);
});

behaviour("Numbers of a schedule may be of any kind, or text", async (target) => {
  const client = await target.open();
  await client.consumer(target.queue());
  await schedule(client, target.queue(), "text", { AMQ_SCHEDULED_DELAY: "10" });
  await schedule(client, target.queue(), "int", { AMQ_SCHEDULED_PERIOD: int(10) });
  assertEquals(texts(await client.dispatches(2)).toSorted(), ["int", "text"]);
});

behaviour("A message that comes from a job is sent at once", async (target) => {
  const client = await target.open();
  await client.consumer(target.queue());
  const values = { AMQ_SCHEDULED_DELAY: long(DAY), scheduledJobId: "x" };
  await schedule(client, target.queue(), "now", values);
  assertEquals(texts(await client.dispatches(1)), ["now"]);
});

behaviour("The time to live of a scheduled message begins when it is sent", async (target) => {
  const client = await target.open();
  await client.consumer(target.queue());
  const timestamp = Date.now() - 1000;
  const expiration = timestamp + 1100;
  const values = { AMQ_SCHEDULED_DELAY: long(200) };
  await schedule(client, target.queue(), "alive", values, { timestamp, expiration });
  const [{ message }] = await client.dispatches(1) as [MessageDispatch];
  assert(message!.timestamp > timestamp);
  assertEquals(Number(message!.expiration) - Number(message!.timestamp), 1100);
});

behaviour("A schedule that can't be is refused", async (target) => {
  const client = await target.open();
  const answers = [
    await schedule(client, target.queue(), "x", {
      AMQ_SCHEDULED_PERIOD: long(1),
      AMQ_SCHEDULED_REPEAT: int(1001),
    }),
    await schedule(client, target.queue(), "x", { AMQ_SCHEDULED_CRON: "* * * *" }),
  ];
  assertEquals(answers.map(refusal), [
    ["javax.jms.MessageFormatException", "The scheduled repeat value is too large"],
    [
      "java.lang.IllegalArgumentException",
      "Not a valid cron entry - wrong number of tokens(4): * * * *",
    ],
  ]);
});

behaviour(
  "A scheduled message of a transaction is scheduled when it is committed",
  async (target) => {
    const client = await target.open();
    const connectionId = createConnectionId({ value: client.connectionId });
    for (const type of [4, 2]) {
      const transactionId = createLocalTransactionId({ connectionId, value: type });
      await client.send(createTransactionInfo({ connectionId, transactionId, type: 0 }));
      const values = { AMQ_SCHEDULED_DELAY: long(DAY) };
      await schedule(client, target.queue(), `${type}`, values, { transactionId });
      assertEquals(await browse(client, target.queue()), []);
      await client.request(createTransactionInfo({ connectionId, transactionId, type }));
    }
    const [job, ...others] = await browse(client, target.queue());
    assertEquals([text(job!), job!.message!.transactionId, others.length], ["2", null, 0]);
    await manage(client, {
      AMQ_SCHEDULER_ACTION: "REMOVE",
      scheduledJobId: properties(job!).scheduledJobId as string,
    });
  },
);

behaviour("Scheduled messages are shown, and removed by their job's id", async (target) => {
  const client = await target.open();
  for (const body of ["1", "2"]) {
    await schedule(client, target.queue(), body, { AMQ_SCHEDULED_DELAY: long(DAY) });
  }
  const jobs = await browse(client, target.queue());
  assertEquals(texts(jobs).toSorted(), ["1", "2"]);
  const { message } = jobs[0]!;
  assertEquals([message!.persistent, message!.type], [false, "Advisory"]);
  const { scheduledJobId, ...rest } = properties(jobs[0]!);
  assertEquals(rest, { AMQ_SCHEDULED_DELAY: DAY });
  await manage(client, {
    AMQ_SCHEDULER_ACTION: "REMOVE",
    scheduledJobId: scheduledJobId as string,
  });
  const left = await browse(client, target.queue());
  assertEquals(texts(left), [text(jobs[1]!)]);
  await manage(client, {
    AMQ_SCHEDULER_ACTION: "REMOVE",
    scheduledJobId: properties(left[0]!).scheduledJobId as string,
  });
  assertEquals(await browse(client, target.queue()), []);
});

behaviour("A scheduled message that was removed does not come", async (target) => {
  const client = await target.open();
  await client.consumer(target.queue());
  await schedule(client, target.queue(), "removed", { AMQ_SCHEDULED_DELAY: long(600) });
  const [job] = await browse(client, target.queue());
  const id = properties(job!).scheduledJobId as string;
  await manage(client, { AMQ_SCHEDULER_ACTION: "REMOVE", scheduledJobId: id });
  await schedule(client, target.queue(), "kept", { AMQ_SCHEDULED_DELAY: long(1200) });
  assertEquals(texts(await client.dispatches(1)), ["kept"]);
  assertEquals(await target.rest(client), []);
});

behaviour("Scheduled messages are shown and removed by a range of time", async (target) => {
  const client = await target.open();
  // Far apart from what other tests schedule.
  for (const days of [3000, 3010, 3020]) {
    await schedule(client, target.queue(), `${days}`, { AMQ_SCHEDULED_DELAY: long(days * DAY) });
  }
  const range = (from: number, to: number) => ({
    ACTION_START_TIME: long(Date.now() + from * DAY),
    ACTION_END_TIME: long(Date.now() + to * DAY),
  });
  assertEquals(texts(await browse(client, target.queue(), range(3005, 3015))), ["3010"]);
  await manage(client, { AMQ_SCHEDULER_ACTION: "REMOVEALL", ...range(2990, 3015) });
  assertEquals(texts(await browse(client, target.queue())), ["3020"]);
  await manage(client, { AMQ_SCHEDULER_ACTION: "REMOVEALL", ...range(2990, 3030) });
  assertEquals(await browse(client, target.queue()), []);
});

behaviour("A composite message with a delay is scheduled for each destination", async (target) => {
  const client = await target.open();
  await client.consumer(target.queue("A"));
  await client.consumer(target.queue("B"));
  const physicalName = `${target.name("A")},${target.name("B")}`;
  const composite = createActiveMQQueue({ physicalName });
  await schedule(client, composite, "both", { AMQ_SCHEDULED_DELAY: long(10) });
  const sent = await client.dispatches(2);
  assertEquals(new Set(sent.map((dispatch) => properties(dispatch).scheduledJobId)).size, 2);
});

behaviour(
  "A producer with a window gets no ProducerAck for a scheduled message",
  async (target) => {
    const client = await target.open();
    await client.consumer(target.queue());
    const producer = await client.producer({ windowSize: 10_000 });
    const marshalledProperties = encodePrimitiveMap({ AMQ_SCHEDULED_DELAY: long(10) });
    await client.send(client.message(producer, target.queue(), "1", { marshalledProperties }));
    assertEquals(texts(await client.dispatches(1)), ["1"]);
    await target.rest(client);
    assertEquals(client.inbox, []);
  },
);
