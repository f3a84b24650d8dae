import {
  type Connection,
  type MessageConsumer,
  type MessageProducer,
  OpenWireError,
  topic,
} from "../../mod.ts";
import { createActiveMQTempQueue } from "../../codec/mod.ts";
import { assert, assertEquals } from "@std/assert";
import { freshName, type TestBroker, testOnBrokers } from "./_brokers.ts";

/** Four of these don't fill a queue whose name begins with `small.`, five do. */
const text = (n: number) => `${n} `.padEnd(4000, "x");

function smallQueue({ memory, name }: TestBroker): string {
  memory?.limitQueue(`small.${name}`, { messages: 5 });
  return `small.${name}`;
}

async function numbers(consumer: MessageConsumer, count: number): Promise<number[]> {
  const found: number[] = [];
  while (found.length < count) {
    const message = await consumer.receive({ timeout: 10_000 });
    if (!message) throw new Error(`Only ${found} came`);
    found.push(Number.parseInt(message.text!));
    await message.ack();
  }
  return found;
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

/** Sends without waiting; counts what has been taken. */
function sendAll(producer: MessageProducer, count: number) {
  const state = { taken: 0, all: Promise.resolve() as Promise<unknown> };
  state.all = Promise.all(
    upTo(count).map((n) => producer.send(text(n)).then(() => state.taken++)),
  );
  // A test that has failed before it awaits this tells its own reason.
  state.all.catch(() => {});
  return state;
}

/** Waits until all that was sent before has been handled, as far as the broker can, and acknowledged. */
async function settle(connection: Connection): Promise<void> {
  const session = await connection.createSession();
  const name = freshName();
  const consumer = await session.createConsumer(name);
  await session.send(name, "marker");
  // Answers overtake acknowledgements, but messages don't.
  await consumer.receive({ timeout: 10_000 });
  await session.close();
}

testOnBrokers(
  "a full queue has its producer wait, and nobody else on the connection",
  async (broker) => {
    const connection = await broker.connect();
    const session = await connection.createSession({ acknowledgeMode: "individual" });
    const full = smallQueue(broker);
    const producer = await session.createProducer(full, { persistent: false, windowSize: 40_000 });
    const sending = sendAll(producer, 30);
    await settle(connection);
    assert(sending.taken < 15, `${sending.taken} messages were taken`);
    // It goes on when half of the window is free.
    assert(producer.bufferedAmount > 20_000);

    // What others send and acknowledge meanwhile is done.
    const other = await session.createConsumer(broker.name);
    await session.send(broker.name, text(1));
    assertEquals(await numbers(other, 1), [1]);
    await settle(connection);
    const elsewhere = await (await broker.connect()).createSession();
    await other.close();
    await elsewhere.send(broker.name, text(2));
    const left = await (await elsewhere.createConsumer(broker.name)).receive({ timeout: 10_000 });
    assertEquals(Number.parseInt(left!.text!), 2);

    // What comes when there is room overtakes what waits for it in ActiveMQ.
    const came = await numbers(await session.createConsumer(full), 30);
    assertEquals(came.sort((a, b) => a - b), upTo(30));
    await sending.all;
    assertEquals(sending.taken, 30);
    await settle(connection);
    assertEquals(producer.bufferedAmount, 0);
  },
  { needs: ["exact full queues"] },
);

testOnBrokers("a queue that is full for a while loses nothing", async (broker) => {
  const full = smallQueue(broker);
  const session = await (await broker.connect()).createSession();
  const producer = await session.createProducer(full, { persistent: false, windowSize: 40_000 });
  const sending = sendAll(producer, 30);
  const other = await (await broker.connect()).createSession({ acknowledgeMode: "individual" });
  const came = await numbers(await other.createConsumer(full), 30);
  assertEquals(came.sort((a, b) => a - b), upTo(30));
  await sending.all;
  assertEquals(sending.taken, 30);
});

testOnBrokers("persistent messages wait for room in a full queue, too", async (broker) => {
  const connection = await broker.connect();
  const session = await connection.createSession({ acknowledgeMode: "individual" });
  const full = smallQueue(broker);
  const sending = sendAll(await session.createProducer(full), 20);
  await settle(connection);
  assertEquals(sending.taken, 5);
  assertEquals(await numbers(await session.createConsumer(full), 20), upTo(20));
  await sending.all;
}, { needs: ["exact full queues"] });

testOnBrokers("a transaction that meets a full queue loses nothing", async (broker) => {
  const full = smallQueue(broker);
  const other = await (await broker.connect()).createSession({ acknowledgeMode: "individual" });
  const filler = await other.createProducer(full);
  for (const n of upTo(5)) await filler.send(text(n));

  const connection = await broker.connect();
  const session = await connection.createSession({ acknowledgeMode: "transacted" });
  const producer = await session.createProducer(full);
  for (const n of [5, 6, 7]) await producer.send(text(n));
  const committed = session.commit();
  const consumer = await other.createConsumer(full);
  assertEquals(await numbers(consumer, 8), upTo(8));
  await committed;
}, { needs: ["exact full queues"] });

testOnBrokers("the window is empty when the broker has taken all", async ({ connect, name }) => {
  const connection = await connect();
  const session = await connection.createSession();
  const destinations = [
    name,
    topic(name),
    `${name}.a,${name}.b,topic://${name}.c`,
    `${name}.a, ${name}.a`,
  ];
  for (const destination of destinations) {
    const producer = await session.createProducer(destination, { persistent: false });
    for (const n of upTo(10)) {
      assertEquals((await producer.send(text(n), { timeToLive: n % 2 })).outcome, "windowed");
    }
    await settle(connection);
    assertEquals(producer.bufferedAmount, 0);
  }
}, { needs: ["exact full queues"] });

testOnBrokers(
  "a producer without a destination has one window for all",
  async ({ connect, name }) => {
    const session = await (await connect()).createSession({ acknowledgeMode: "individual" });
    const producer = await session.createProducer(null, { persistent: false, windowSize: 10_000 });
    const sends = upTo(50).map((n) =>
      producer.send(text(n), { destination: n % 2 ? name : topic(name) })
    );
    await Promise.all(sends);
    const consumer = await session.createConsumer(name);
    assertEquals(await numbers(consumer, 25), upTo(50).filter((n) => n % 2));
  },
);

testOnBrokers(
  "messages that are acknowledged several times or not at all do not stop their producer",
  async (broker) => {
    const connection = await broker.connect();
    const session = await connection.createSession({ acknowledgeMode: "individual" });
    const { name } = broker;
    const consumers = [];
    if (broker.real) {
      for (const group of ["A", "B"]) {
        consumers.push(await session.createConsumer(`Consumer.${group}.VirtualTopic.${name}`));
      }
    }
    const virtual = await session.createProducer(topic(`VirtualTopic.${name}`), {
      persistent: false,
      windowSize: 10_000,
    });
    await Promise.all(upTo(40).map((n) => virtual.send(text(n))));
    for (const consumer of consumers) assertEquals(await numbers(consumer, 40), upTo(40));

    // Nobody may send to the temporary queue of nobody: the broker says so, but not to which message.
    const errors: Error[] = [];
    const watching = (async () => {
      for await (const status of connection.status()) {
        if (status.type === "error") errors.push(status.error);
      }
    })();
    const nowhere = await session.createProducer(null, { persistent: false, windowSize: 10_000 });
    const lost = createActiveMQTempQueue({ physicalName: `${connection.clientId}:77` });
    const results = await Promise.allSettled(
      upTo(20).map((n) => nowhere.send(text(n), { destination: lost })),
    );
    // Some are answered, so that their send() fails; of the others the connection tells.
    const refused = results.filter(({ status }) => status === "rejected").length;
    await settle(connection);
    assert(refused > 0);
    assertEquals(errors.length, 20 - refused);
    assert(errors.every((error) => error instanceof OpenWireError));
    await connection.close();
    await watching;
  },
  { needs: ["deleted temporary destinations"] },
);
