/** Options that nobody knows are refused with the nearest name, and change nothing. */

import {
  connect,
  type Connection,
  createXid,
  type Message,
  type MessageConsumer,
  type MessageProducer,
  type QueueBrowser,
  type Responder,
  type Session,
} from "../../mod.ts";
import {
  OpenWireDecoder,
  OpenWireDecoderStream,
  OpenWireEncoder,
  OpenWireEncoderStream,
  OpenWireFormat,
  PartialCommandJoiner,
} from "../../codec/mod.ts";
import { dial, listen } from "../../transport/mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { OptionNames } from "../../option_names.ts";
import { test } from "../_harness.ts";
import { received } from "./_messages.ts";

// deno-lint-ignore no-explicit-any -- what the compiler would refuse
type Wrong = any;

interface Scene {
  readonly broker: MemoryBroker;
  readonly connection: Connection;
  readonly session: Session;
  readonly transacted: Session;
  readonly producer: MessageProducer;
  readonly consumer: MessageConsumer;
  readonly browser: QueueBrowser;
  readonly responder: Responder;
  readonly message: Message;
}

/** Each call that takes options, and what closes what it makes if it takes them all the same. */
const calls: Record<string, (scene: Scene, options: Wrong) => unknown> = {
  "connect()": ({ broker }, options) => connect(broker.url, options),
  "connect() with several URLs": ({ broker }, options) => connect([broker.url], options),
  "connection.createSession()": ({ connection }, options) => connection.createSession(options),
  "connection.createProducer()": ({ connection }, options) =>
    connection.createProducer("q", options),
  "connection.createConsumer()": ({ connection }, options) =>
    connection.createConsumer("q", options),
  "connection.createBrowser()": ({ connection }, options) => connection.createBrowser("q", options),
  "connection.advisories()": ({ connection }, options) =>
    connection.advisories("topic://ActiveMQ.Advisory.Connection", options),
  "connection.watchDestinations()": ({ connection }, options) =>
    connection.watchDestinations(options),
  "connection.send()": ({ connection }, options) => connection.send("q", "x", options),
  "connection.sendStream()": ({ connection }, options) =>
    connection.sendStream("q", new Blob(["x"]), options),
  "connection.createDestination()": ({ connection }, options) =>
    connection.createDestination("new", options),
  "connection.deleteDestination()": ({ connection }, options) =>
    connection.deleteDestination("new", options),
  "connection.createTemporaryQueue()": ({ connection }, options) =>
    connection.createTemporaryQueue(options),
  "connection.createTemporaryTopic()": ({ connection }, options) =>
    connection.createTemporaryTopic(options),
  "connection.request()": ({ connection }, options) => connection.request("q", "x", options),
  "connection.requestMany()": ({ connection }, options) =>
    connection.requestMany("q", "x", options),
  "connection.respond()": ({ connection }, options) => connection.respond("r", () => null, options),
  "connection.transaction()": ({ connection }, options) =>
    connection.transaction((session) => session.send("q", "x"), options),
  "connection.unsubscribe()": ({ connection }, options) => connection.unsubscribe("s", options),
  "connection.stop()": ({ connection }, options) => connection.stop(options),
  "connection.ping()": ({ connection }, options) => connection.ping(options),
  "connection.status()": ({ connection }, options) => connection.status(options),
  "scheduledJobs.browse()": ({ connection }, options) => connection.scheduledJobs.browse(options),
  "scheduledJobs.remove()": ({ connection }, options) =>
    connection.scheduledJobs.remove("x", options),
  "statistics.broker()": ({ connection }, options) => connection.statistics.broker(options),
  "statistics.destination()": ({ connection }, options) =>
    connection.statistics.destination("q", options),
  "statistics.destinations()": ({ connection }, options) =>
    connection.statistics.destinations("q", options),
  "statistics.subscriptions()": ({ connection }, options) =>
    connection.statistics.subscriptions(options),
  "xa.end()": ({ connection, session }, options) =>
    connection.xa.end(session, XID, "success", options),
  "xa.prepare()": ({ connection }, options) => connection.xa.prepare(XID, options),
  "xa.commit()": ({ connection }, options) => connection.xa.commit(XID, options),
  "xa.rollback()": ({ connection }, options) => connection.xa.rollback(XID, options),
  "xa.forget()": ({ connection }, options) => connection.xa.forget(XID, options),
  "xa.recover()": ({ connection }, options) => connection.xa.recover(options),
  "session.createProducer()": ({ session }, options) => session.createProducer("q", options),
  "session.createConsumer()": ({ session }, options) => session.createConsumer("q", options),
  "session.createBrowser()": ({ session }, options) => session.createBrowser("q", options),
  "session.send()": ({ session }, options) => session.send("q", "x", options),
  "session.sendStream()": ({ session }, options) =>
    session.sendStream("q", new Blob(["x"]), options),
  "session.commit()": ({ transacted }, options) => transacted.commit(options),
  "session.rollback()": ({ transacted }, options) => transacted.rollback(options),
  "producer.send()": ({ producer }, options) => producer.send("x", options),
  "producer.sendBatch()": ({ producer }, options) => producer.sendBatch(["x"], options),
  "producer.closeGroup()": ({ producer }, options) => producer.closeGroup("g", options),
  "consumer.receive()": ({ consumer }, options) => consumer.receive(options),
  "consumer.messages()": ({ consumer }, options) => consumer.messages(options),
  "consumer.consume()": ({ consumer }, options) => consumer.consume(() => {}, options),
  "consumer.setPrefetchSize()": ({ consumer }, options) => consumer.setPrefetchSize(5, options),
  "browser.messages()": ({ browser }, options) => browser.messages(options),
  "message.ack()": ({ message }, options) => message.ack(options),
  "message.reject()": ({ message }, options) => message.reject("x", options),
  "message.retry()": ({ message }, options) => message.retry(options),
  "dial()": ({ broker }, options) => dial(broker.url, options),
  "listen()": (_, options) => listen(options),
  "MemoryBroker.listen()": (_, options) => MemoryBroker.listen(options),
  "new MemoryBroker()": (_, options) => new MemoryBroker(options),
  "broker.fault()": ({ broker }, options) => broker.fault({ command: "MessageAck", ...options }),
  "new OpenWireFormat()": (_, options) => new OpenWireFormat(options),
  "new OpenWireDecoder()": (_, options) => new OpenWireDecoder(OpenWireFormat.fixed(), options),
  "new OpenWireDecoderStream()": (_, options) =>
    new OpenWireDecoderStream(OpenWireFormat.fixed(), options),
  "new OpenWireEncoder()": (_, options) => new OpenWireEncoder(OpenWireFormat.fixed(), options),
  "new OpenWireEncoderStream()": (_, options) =>
    new OpenWireEncoderStream(OpenWireFormat.fixed(), options),
  "new PartialCommandJoiner()": (_, options) => new PartialCommandJoiner(options),
};

/** Those that close what they are called of, with wrong options too. */
const closing: Record<string, (scene: Scene, options: Wrong) => Promise<void>> = {
  "consumer.drain()": ({ consumer }, options) => consumer.drain(options),
  "consumer.close()": ({ consumer }, options) => consumer.close(options),
  "browser.close()": ({ browser }, options) => browser.close(options),
  "producer.close()": ({ producer }, options) => producer.close(options),
  "responder.drain()": ({ responder }, options) => responder.drain(options),
  "responder.close()": ({ responder }, options) => responder.close(options),
  "session.drain()": ({ session }, options) => session.drain(options),
  "session.close()": ({ session }, options) => session.close(options),
  "connection.drain()": ({ connection }, options) => connection.drain(options),
  "connection.close()": ({ connection }, options) => connection.close(options),
};

const XID = createXid();

async function withScene(run: (scene: Scene) => Promise<void>): Promise<void> {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url);
  const session = await connection.createSession({ acknowledgeMode: "individual" });
  const consumer = await session.createConsumer("mine");
  const producer = await connection.createProducer("q");
  await connection.send("mine", "x");
  await run({
    broker,
    connection,
    session,
    transacted: await connection.createSession({ acknowledgeMode: "transacted" }),
    producer,
    consumer,
    browser: await connection.createBrowser("mine"),
    responder: await connection.respond("ask", () => null),
    message: await received(consumer),
  });
}

/** Calls something that throws at once or later. */
async function refusal(call: () => unknown): Promise<Error> {
  try {
    await call();
  } catch (error) {
    assert(error instanceof TypeError, `${error}`);
    return error as Error;
  }
  throw new Error("It was taken");
}

test("an option that nobody knows is refused by each call, and nothing changes", async () => {
  await withScene(async (scene) => {
    const { broker, connection, message } = scene;
    const before = JSON.stringify([connection.stats().sessions, broker.queue("q").enqueued]);
    for (const [name, call] of Object.entries(calls)) {
      // The call with no such option is the one that is documented: undefined is refused, too.
      for (const value of [1, undefined]) {
        const error = await refusal(() => call(scene, { "no\u0007such": value }));
        assert(error.message.includes(`"no such" is not an option`), `${name}: ${error.message}`);
      }
    }
    assertEquals(JSON.stringify([connection.stats().sessions, broker.queue("q").enqueued]), before);
    // What was refused has settled nothing and ended nothing.
    await message.ack();
    await broker.until(() => broker.queue("mine").size === 0);
  });
});

test("a value that is no object is refused in place of options", async () => {
  await withScene(async (scene) => {
    for (const [name, call] of Object.entries(calls)) {
      if (name === "broker.fault()") continue;
      for (
        const [options, shown] of [[300, "a number"], ["x", "a string"], [null, "null"]] as const
      ) {
        const error = await refusal(() => call(scene, options));
        assert(
          error.message.includes(`an object is expected as options, not ${shown}`),
          `${name}: ${error.message}`,
        );
      }
    }
  });
});

for (const [name, close] of Object.entries(closing)) {
  test(`${name} refuses options that nobody knows, and closes all the same`, async () => {
    await withScene(async (scene) => {
      // Nothing is left that draining would wait for.
      await scene.message.ack();
      if (name === "connection.drain()") await scene.browser.close();
      const error = await assertRejects(() => close(scene, { wait: 5 }), TypeError);
      assert(error.message.includes(`"wait" is not an option`), error.message);
      await close(scene, {});
    });
  });
}

test("what was meant is said", () => {
  const names = new OptionNames<
    Record<"timeToLive" | "prefetchSize" | "username" | "acknowledgeMode" | "noLocal", true>
  >({
    timeToLive: true,
    prefetchSize: true,
    username: true,
    acknowledgeMode: true,
    noLocal: true,
  });
  const cases: [given: string, meant: string | undefined][] = [
    ["ttl", "timeToLive"],
    ["time_to_live", "timeToLive"],
    ["timetolive", "timeToLive"],
    ["prefetch", "prefetchSize"],
    ["prefetchsise", "prefetchSize"],
    ["user", "username"],
    ["login", "username"],
    ["ack", "acknowledgeMode"],
    ["ackMode", "acknowledgeMode"],
    ["no-local", "noLocal"],
    ["pass", undefined],
    ["x", undefined],
    ["", undefined],
    ["__proto__", undefined],
    ["constructor", undefined],
  ];
  for (const [given, meant] of cases) {
    const options = Object.defineProperty({}, given, { value: 1, enumerable: true });
    const { message } = assertThrows(() => names.check(options, "Cannot try"), TypeError);
    const expected = meant === undefined
      ? ". The options are timeToLive, prefetchSize, username, acknowledgeMode, noLocal"
      : `. Did you mean "${meant}"?`;
    assertEquals(message, `Cannot try: "${given}" is not an option${expected}`);
  }
});

test("the error for an option shows a short name, and no value", () => {
  const names = new OptionNames<{ a: true }>({ a: true });
  const { message } = assertThrows(
    () => names.check({ ["x".repeat(100_000)]: "secret" }, "Cannot try"),
    TypeError,
  );
  assert(message.length < 200 && !message.includes("secret"), message);
});

test("names that an object inherits, and symbols, are no options", () => {
  const names = new OptionNames<{ a: true }>({ a: true });
  names.check(Object.create({ b: 1 }), "Cannot try");
  names.check({ a: 1, [Symbol("b")]: 1 }, "Cannot try");
  names.check(Object.create(null), "Cannot try");
});

test("options within options of connect() are refused, too", async () => {
  await using broker = await MemoryBroker.listen();
  const cases: [options: Wrong, says: string][] = [
    [{ user: "x", pass: "y" }, `"user" is not an option. Did you mean "username"?`],
    [{ wireFormat: { tight: true } }, `"tight" is not an option`],
    [
      { socket: { nodelay: true } },
      `in socket: "nodelay" is not an option. Did you mean "noDelay"`,
    ],
    [{ failover: { retries: 3 } }, `in failover: "retries" is not an option`],
    [{ failover: true }, "in failover: an object is expected as options, not a boolean"],
    [{ prefetchPolicy: { queue: 1 } }, `in prefetchPolicy: "queue" is not an option`],
    [{ redeliveryPolicy: { maxRedeliveries: 1 } }, `Did you mean "maximumRedeliveries"?`],
    [{ redeliveryPolicy: { default: { x: 1 } } }, `"x" is not an option`],
    [{ redeliveryPolicy: { destinations: [], x: 1 } }, `"x" is not an option`],
    [
      { redeliveryPolicy: { destinations: [{ destination: "q", policy: { x: 1 } }] } },
      `"x" is not an option`,
    ],
    [{ hooks: { sent() {} } }, `in hooks: "sent" is not an option. Did you mean "send"?`],
    [{ credentials: () => ({ user: "x" }) }, `"user" is not an option. Did you mean "username"?`],
  ];
  for (const [options, says] of cases) {
    const { message } = await assertRejects(() => connect(broker.url, options), TypeError);
    assert(message.includes(says), message);
  }
  const tls = { ca: "x" } as Wrong;
  const { message } = await assertRejects(() => connect("ssl://localhost:1", { tls }), TypeError);
  assert(message.includes(`"ca" is not an option. Did you mean "caCerts"?`), message);
});

test("options of a message within a batch or a stream are refused, too", async () => {
  await withScene(async ({ broker, producer }) => {
    const message = { body: "x", ttl: 5 } as Wrong;
    const says = `"ttl" is not an option. Did you mean "timeToLive"?`;
    await assertRejects(() => producer.sendBatch([message]), TypeError, says);
    const writer = producer.writable.getWriter();
    await assertRejects(() => writer.write(message), TypeError, says);
    await assertRejects(() => writer.closed, TypeError, says);
    assertEquals(broker.queue("q").enqueued, 0);
  });
});

test("options within options of consumers are refused, too", async () => {
  await withScene(async ({ connection }) => {
    for (const options of [{ redeliveryPolicy: { x: 1 } }, { streams: { x: 1 } }] as Wrong[]) {
      await assertRejects(
        () => connection.createConsumer("q", options),
        TypeError,
        `"x" is not an option`,
      );
    }
  });
});

test("a logger and a codec may have what they want", async () => {
  await using broker = await MemoryBroker.listen();
  const logger = { debug() {}, info() {}, warn() {}, error() {}, child: 1 };
  await using connection = await connect(broker.url, { logger });
  const codec = { encode: (value: string) => value, decode: () => "", name: "mine" };
  await connection.createProducer("q", { codec });
});
