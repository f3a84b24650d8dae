import { AuthenticationError, connect, type ConnectOptions, type Logger } from "../../mod.ts";
import { createConsumerControl } from "../../codec/mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { test } from "../_harness.ts";
import { credentials, SECRET } from "../_secret.ts";
import { testOnBrokers } from "./_brokers.ts";
import { fakePeer, Script } from "./_fake_broker.ts";
import { AT_ONCE, received, until } from "./_messages.ts";

interface Line {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A logger that keeps what it is told. */
function keeping() {
  const lines: Line[] = [];
  const level = (level: string) => (message: string, fields: Line["fields"]) =>
    void lines.push({ level, message, fields });
  const logger: Logger = {
    debug: level("debug"),
    info: level("info"),
    warn: level("warn"),
    error: level("error"),
  };
  return {
    logger,
    lines,
    /** Levels and messages. */
    told: () => lines.map(({ level, message }) => `${level} ${message}`),
    /** All of it as text. */
    text: () =>
      JSON.stringify(
        lines,
        (_, value) => value instanceof Error ? `${value.stack} ${value.cause}` : value,
      ),
    /** The fields of the line with a message. */
    fields: (message: string) => lines.find((line) => line.message === message)?.fields,
  };
}

const GIVEN_AGAIN = "A message will be given again";
const GIVEN_UP = "A message was given up";

testOnBrokers("the logger is told of a connection, and of no secret", async (broker) => {
  const { logger, lines, told, text } = keeping();
  const options: ConnectOptions = { logger, ...credentials };
  const connection = await broker.connect({ ...options, clientId: broker.name });
  const address = connection.remoteAddress;
  await connection.send(broker.name, "a body", { properties: { of: "annabel" } });
  await received(await connection.createConsumer(broker.name));
  await connection.close();
  assertEquals(told(), ["info Connected to the broker", "info The connection was closed"]);
  const common = { address, clientId: broker.name };
  assertEquals(lines.map(({ fields }) => fields), [{ ...common, version: 12 }, common]);

  const wrong = { ...options, password: `not ${SECRET}` };
  await assertRejects(() => broker.connect(wrong), AuthenticationError);
  assertEquals(told().slice(2), ["warn Cannot connect to the broker"]);
  assert(lines[2]!.fields["error"] instanceof AuthenticationError);
  for (const secret of [SECRET, "a body", "annabel"]) assert(!text().includes(secret), text());
});

testOnBrokers("the logger is told of messages that fail", async ({ connect, name }) => {
  const { logger, lines, fields, told, text } = keeping();
  const redeliveryPolicy = { maximumRedeliveries: 1, ...AT_ONCE };
  const connection = await connect({ logger, redeliveryPolicy });
  const { messageId } = await connection.send(name, "a body");
  const consumer = await connection.createConsumer(name, { acknowledgeMode: "individual" });
  consumer.consume(() => Promise.reject(new RangeError("no room")));
  await until(() => fields(GIVEN_UP) !== undefined);
  assertEquals(told().slice(1), [
    "warn Something has failed that nobody waits for",
    `debug ${GIVEN_AGAIN}`,
    "warn Something has failed that nobody waits for",
    `warn ${GIVEN_UP}`,
  ]);
  const about = { destination: `queue://${name}`, messageId, error: lines[1]!.fields["error"] };
  assertEquals((about.error as Error).message, "no room");
  assertEquals(fields(GIVEN_AGAIN), { ...about, redeliveryCount: 1, delay: 0 });
  assertEquals({ ...fields(GIVEN_UP), error: about.error }, { ...about, redeliveryCount: 2 });
  assert(!text().includes("a body"));
});

testOnBrokers("the logger is told of what the application rejects", async ({ connect, name }) => {
  const { logger, fields } = keeping();
  const connection = await connect({ logger });
  const consumer = await connection.createConsumer(name, { acknowledgeMode: "individual" });
  const { messageId } = await connection.send(name, "hello");
  await (await received(consumer)).reject("no use");
  assertEquals(fields(GIVEN_UP), {
    destination: `queue://${name}`,
    messageId,
    redeliveryCount: 0,
    error: "no use",
  });
});

testOnBrokers("the logger is told of what the broker refuses", async ({ connect, name }) => {
  const { logger, lines } = keeping();
  const connection = await connect({ logger });
  const error = await assertRejects(() =>
    connection.createConsumer(name, { selector: "convert_string_expressions:not a selector" })
  );
  const line = lines.find(({ message }) => message === "The broker has refused something");
  assertEquals([line?.level, line?.fields["error"]], ["warn", error]);
});

testOnBrokers("the logger is told of waits", async ({ connect, name }) => {
  const { logger, fields } = keeping();
  const connection = await connect({ logger });
  const consumer = await connection.createConsumer(name, { maxBufferedBytes: 1 });
  const producer = await connection.createProducer(name, { persistent: false, windowSize: 1 });
  await producer.sendBatch(["one", "two"]);
  await until(() => consumer.buffered > 0);
  assertEquals(fields("A producer waits for room in its window")?.["windowBytes"], 1024 + 7);
  assertEquals(
    fields("The broker is asked to send nothing: too much waits")?.["destination"],
    `queue://${name}`,
  );
});

test("the logger is told of a connection that is lost, and of attempts", async () => {
  await using broker = await MemoryBroker.listen();
  const { logger, lines, told } = keeping();
  const url = `failover:(tcp://127.0.0.1:1,${broker.url})?randomize=false&maxReconnectAttempts=0`;
  await using connection = await connect(url, { logger });
  await broker.disconnectClients();
  const error = await connection.closed;
  assertEquals(told(), [
    "warn Cannot connect to the broker",
    "info Connected to the broker",
    "error The connection was lost",
  ]);
  assertEquals(lines[0]!.fields["url"], "tcp://127.0.0.1:1");
  assertEquals(lines[2]!.fields["error"], error);
});

test("the logger is told of a consumer that the broker closes", async () => {
  const { logger, fields } = keeping();
  const scripts = Promise.withResolvers<Script>();
  await using peer = await fakePeer(async (transport) => {
    const script = new Script(transport);
    await script.accept();
    scripts.resolve(script);
    await script.answerAll(() => {});
  });
  await using connection = await connect(peer.url, { logger });
  const consumer = await connection.createConsumer("orders");
  const ended = assertRejects(() => consumer.receive());
  await (await scripts.promise).send(createConsumerControl({
    consumerId: { dataType: "ConsumerId", connectionId: "", sessionId: 1, value: 1 },
    close: true,
  }));
  await ended;
  assertEquals(fields("The broker has closed a consumer"), { destination: "queue://orders" });
});

test("a logger that fails does not disturb, and one that isn't one is refused", async () => {
  await using broker = await MemoryBroker.listen();
  const fail = () => {
    throw new Error("no disk");
  };
  const reject = () => Promise.reject(new Error("no disk"));
  const logger = { debug: fail, info: reject, warn: fail, error: fail };
  await using connection = await connect(broker.url, { logger });
  await connection.send("orders", "hello");
  const wrong = { debug: fail } as unknown as Logger;
  await assertRejects(() => connect(broker.url, { logger: wrong }), TypeError, "info is missing");
});
