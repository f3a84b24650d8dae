import {
  BrokerError,
  ClosedError,
  connect,
  type Connection,
  type ConnectOptions,
  EncodeError,
  type MessageProducer,
  type ProducerOptions,
  queue,
  TimeoutError,
} from "../../mod.ts";
import {
  createConnectionError,
  createExceptionResponse,
  createProducerAck,
  type Message,
  type ProducerInfo,
} from "../../codec/mod.ts";
import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { test } from "../_harness.ts";
import { fakePeer, Script } from "./_fake_broker.ts";

/** What a text message with one character counts. */
const SIZE = 1024 + 5;

/** A broker that keeps its ProducerAcks and the answers to messages until the test has it send them. */
class Fake {
  readonly messages: Message[] = [];
  script!: Script;
  connection!: Connection;
  info: ProducerInfo | undefined;
  #arrived: PromiseWithResolvers<void> = Promise.withResolvers();

  async serve(): Promise<void> {
    for (let command; (command = await this.script.next()) !== undefined;) {
      if (command.dataType === "ShutdownInfo") return;
      if (command.dataType === "ProducerInfo") this.info = command;
      if ("compressed" in command) {
        this.messages.push(command);
        this.#arrived.resolve();
        this.#arrived = Promise.withResolvers();
      } else {
        await this.script.answer(command);
      }
    }
  }

  /** Waits until so many messages have come, and all that came before them has been worked off. */
  async arrived(count: number): Promise<void> {
    while (this.messages.length < count) await this.#arrived.promise;
    await this.settle();
  }

  /** Waits until all that was sent to the client has been worked off, and what the client sent then has come. */
  async settle(): Promise<void> {
    for (let i = 0; i < 2; i++) await this.connection.ping();
  }

  async acknowledge(): Promise<void> {
    await this.script.send(createProducerAck({ producerId: this.info!.producerId, size: SIZE }));
    await this.settle();
  }

  /** Texts of the messages that have come. */
  get texts(): string {
    return this.messages.map(({ content }) => new TextDecoder().decode(content!.subarray(4))).join(
      "",
    );
  }
}

/** Runs a test with a producer of messages that aren't persistent, and with a broker that does as it says. */
async function withFake(
  options: ProducerOptions,
  run: (fake: Fake, producer: MessageProducer) => Promise<void>,
  connectOptions: ConnectOptions = {},
): Promise<void> {
  const fake = new Fake();
  await using peer = await fakePeer(async (transport) => {
    fake.script = new Script(transport);
    await fake.script.accept();
    await fake.serve();
  });
  await using connection = await connect(peer.url, connectOptions);
  fake.connection = connection;
  const session = await connection.createSession();
  await run(fake, await session.createProducer("q", { persistent: false, ...options }));
}

/** Whether something has settled when all that came before has been worked off. */
async function isSettled(fake: Fake, promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(() => settled = true, () => settled = true);
  await fake.settle();
  return settled;
}

test("send() fills the window, then waits for the broker, in the order of the calls", async () => {
  await withFake({ windowSize: 4 * SIZE }, async (fake, producer) => {
    assertEquals(fake.info!.windowSize, 4 * SIZE);
    const sends = [..."123456"].map((text) => producer.send(text));
    await fake.arrived(4);
    const outcome = async (n: number) => (await sends[n]!).outcome;
    assertEquals([await outcome(0), await outcome(2), await outcome(3)], [
      "windowed",
      "windowed",
      "windowed",
    ]);
    assertEquals([await isSettled(fake, sends[4]!), fake.texts], [false, "1234"]);
    assertEquals(producer.bufferedAmount, 4 * SIZE);
    // The message that fills half of the window asks for an answer.
    assertEquals(fake.messages.map((message) => message.responseRequired), [
      false,
      true,
      false,
      false,
    ]);

    // It goes on when half of the window is free: one at a time would be written one by one.
    await fake.acknowledge();
    assertEquals([await isSettled(fake, sends[4]!), fake.texts], [false, "1234"]);
    await fake.acknowledge();
    await fake.arrived(6);

    await fake.script.answer(fake.messages[1]!);
    assertEquals(await outcome(1), "confirmed");
    await Promise.all(sends);
    assertEquals(fake.texts, "123456");
  });
});

test("an answer opens the window, also for messages that were never acknowledged", async () => {
  await withFake({ windowSize: 4 * SIZE }, async (fake, producer) => {
    const sends = [..."12345"].map((text) => producer.send(text));
    await fake.arrived(4);
    await fake.script.answer(fake.messages[1]!);
    await fake.arrived(5);
    assertEquals(producer.bufferedAmount, 3 * SIZE);
    await fake.script.answer(fake.messages[4]!);
    await Promise.all(sends);
    assertEquals(producer.bufferedAmount, 0);
  });
});

test("a message that asks and is refused fails, and opens the window", async () => {
  await withFake({ windowSize: 2 * SIZE }, async (fake, producer) => {
    const sends = [..."123"].map((text) => producer.send(text));
    const failed = assertRejects(() => sends[0]!, BrokerError, "not today");
    await fake.arrived(2);
    await fake.script.send(createExceptionResponse({
      correlationId: fake.messages[0]!.commandId,
      exception: {
        className: "javax.jms.JMSException",
        message: "not today",
        stackTrace: [],
        cause: null,
      },
    }));
    await failed;
    await fake.arrived(3);
    assertEquals(fake.texts, "123");
    for (const message of fake.messages.slice(1)) await fake.script.answer(message);
    await Promise.all(sends.slice(1));
  });
});

test("send() with a message to several destinations waits for as many acknowledgements", async () => {
  await withFake({ windowSize: 10 * SIZE }, async (fake) => {
    const session = await fake.connection.createSession();
    const producer = await session.createProducer("a,b,topic://c,a", {
      persistent: false,
      windowSize: 10 * SIZE,
    });
    await producer.send("1");
    await fake.arrived(1);
    for (const left of [SIZE, SIZE, 0]) {
      await fake.acknowledge();
      assertEquals(producer.bufferedAmount, left);
    }
  });
});

test("send() waits no longer than its timeout for room, and sends nothing then", async () => {
  await withFake({ windowSize: SIZE }, async (fake, producer) => {
    const first = producer.send("1");
    await fake.arrived(1);
    const second = producer.send("2", { timeout: 20 });
    const third = producer.send("3");
    const error = await assertRejects(() => second, TimeoutError, "it was not sent");
    assertEquals(error.retryable, true);
    await fake.script.answer(fake.messages[0]!);
    await fake.arrived(2);
    await fake.script.answer(fake.messages[1]!);
    await Promise.all([first, third]);
    assertEquals(fake.texts, "13");
  });
});

test("send() that is aborted while it waits for room sends nothing, and others go on", async () => {
  await withFake({ windowSize: SIZE }, async (fake, producer) => {
    const controller = new AbortController();
    const first = producer.send("1");
    const second = producer.send("2", { signal: controller.signal });
    const third = producer.send("3");
    const failed = assertRejects(() => second, Error, "enough");
    await fake.arrived(1);
    controller.abort(new Error("enough"));
    await failed;
    await fake.script.answer(fake.messages[0]!);
    await fake.arrived(2);
    await fake.script.answer(fake.messages[1]!);
    await Promise.all([first, third]);
    assertEquals(fake.texts, "13");
    await assertRejects(() => producer.send("4", { signal: controller.signal }), Error, "enough");
  });
});

test("send() whose caller waits no more still opens the window when it is answered", async () => {
  await withFake({ windowSize: SIZE }, async (fake, producer) => {
    const first = producer.send("1", { timeout: 20 });
    const second = producer.send("2");
    await assertRejects(() => first, TimeoutError, "no answer");
    assertEquals([await isSettled(fake, second), fake.texts], [false, "1"]);
    await fake.script.answer(fake.messages[0]!);
    await fake.arrived(2);
    await fake.script.answer(fake.messages[1]!);
    await second;
  });
});

test("a message that can't be encoded takes no room", async () => {
  await withFake({ windowSize: 4 * SIZE }, async (_fake, producer) => {
    const type = "t".repeat(70_000);
    await assertRejects(() => producer.send("1", { type }), EncodeError);
    assertEquals(producer.bufferedAmount, 0);
    await assertRejects(() => producer.send("1".repeat(4 * SIZE), { type }), EncodeError);
    assertEquals(producer.bufferedAmount, 0);
  });
});

test("an error of the connection empties the window: what it is about is not known", async () => {
  await withFake({ windowSize: 4 * SIZE }, async (fake, producer) => {
    await producer.send("1");
    await fake.arrived(1);
    await fake.script.send(createConnectionError());
    await fake.settle();
    assertEquals(producer.bufferedAmount, 0);
  });
});

test("ready resolves when there is room", async () => {
  await withFake({ windowSize: SIZE }, async (fake, producer) => {
    await producer.ready;
    const sends = [producer.send("1"), producer.send("2")];
    await fake.arrived(1);
    const { ready } = producer;
    assertEquals(await isSettled(fake, ready), false);
    await fake.script.answer(fake.messages[0]!);
    await fake.arrived(2);
    assertEquals(await isSettled(fake, ready), false);
    await fake.script.answer(fake.messages[1]!);
    await ready;
    await Promise.all(sends);
  });
});

test("close() fails what waits for room, and ready", async () => {
  await withFake({ windowSize: SIZE }, async (fake, producer) => {
    const first = producer.send("1");
    const second = producer.send("2");
    const failed = assertRejects(() => second, ClosedError, "closed");
    const { ready } = producer;
    await fake.arrived(1);
    await producer.close();
    await failed;
    await assertRejects(() => ready, ClosedError);
    await assertRejects(() => producer.ready, ClosedError);
    await fake.script.answer(fake.messages[0]!);
    await first;
    assertEquals(fake.texts, "1");
  });
});

test("the end of the connection fails what waits for room", async () => {
  await withFake({ windowSize: SIZE }, async (fake, producer) => {
    const sends = [producer.send("1"), producer.send("2")];
    const failed = Promise.allSettled(sends);
    await fake.arrived(1);
    fake.connection.abort(new Error("test"));
    for (const result of await failed) {
      assertEquals(result.status, "rejected");
      assertEquals((result as PromiseRejectedResult).reason.code, "CONNECTION_CLOSED");
    }
  });
});

test("without a window send() does not wait for the broker", async () => {
  await withFake({ windowSize: 0 }, async (fake, producer) => {
    assertEquals(fake.info!.windowSize, 0);
    const { outcome } = await producer.send("x".repeat(100_000));
    assertEquals([outcome, producer.bufferedAmount], ["sent", 0]);
    await fake.arrived(1);
    assertEquals(fake.messages[0]!.responseRequired, false);
  });
});

test("which messages are answered", async () => {
  /** Whether a message asks for an answer, and what is known of it then. */
  async function decide(
    connectOptions: ConnectOptions,
    options: ProducerOptions,
    confirm?: boolean,
  ): Promise<[boolean, string]> {
    let found: [boolean, string] | undefined;
    await withFake(options, async (fake, producer) => {
      const sending = producer.send("x", { confirm });
      await fake.arrived(1);
      await fake.script.answer(fake.messages[0]!);
      found = [fake.messages[0]!.responseRequired, (await sending).outcome];
    }, connectOptions);
    return found!;
  }
  const windowed = [false, "windowed"];
  const confirmed = [true, "confirmed"];
  assertEquals(await decide({}, { persistent: true }), confirmed);
  assertEquals(await decide({}, { persistent: false }), windowed);
  assertEquals(await decide({ useAsyncSend: true }, { persistent: true }), windowed);
  assertEquals(await decide({}, { persistent: true, useAsyncSend: true }), windowed);
  assertEquals(
    await decide({ useAsyncSend: true }, { persistent: true, useAsyncSend: false }),
    confirmed,
  );
  assertEquals(await decide({ alwaysSyncSend: true }, { persistent: false }), confirmed);
  assertEquals(await decide({ producerWindowSize: 0 }, { persistent: false }), [false, "sent"]);
  assertEquals(await decide({}, { persistent: false }, true), confirmed);
  assertEquals(await decide({}, { persistent: true }, false), windowed);
  assertEquals(await decide({ alwaysSyncSend: true }, { persistent: true }, false), windowed);
});

test("the producer's and the connection's options decide about deadlines", async () => {
  const wait = (connectOptions: ConnectOptions, options: ProducerOptions, timeout?: number) =>
    withFake(options, async (_fake, producer) => {
      await assertRejects(() => producer.send("x", { confirm: true, timeout }), TimeoutError, "20");
    }, connectOptions);
  await wait({ sendTimeout: 20 }, {});
  await wait({}, { sendTimeout: 20 });
  await wait({ sendTimeout: 1e6 }, { sendTimeout: 1e6 }, 20);
});

test("createProducer() refuses options that are out of range", async () => {
  await withFake({}, async (fake) => {
    const session = await fake.connection.createSession();
    const refuses = (options: ProducerOptions) =>
      assertRejects(() => session.createProducer("q", options), RangeError);
    await refuses({ windowSize: -1 });
    await refuses({ windowSize: 0.5 });
    await refuses({ priority: 10 });
    await refuses({ timeToLive: -1 });
    await refuses({ delay: -1 });
    await refuses({ sendTimeout: NaN });
    await refuses({ compressionThreshold: -1 });
  });
});

test("the options of a name are those of its producer", async () => {
  await withFake({}, async (fake) => {
    const session = await fake.connection.createSession();
    await session.createProducer("q?producer.windowSize=2000");
    assertEquals(fake.info!.windowSize, 2000);
    assertEquals(fake.info!.destination, queue("q"));
    assert(fake.info!.dispatchAsync);
    await session.createProducer("q?producer.windowSize=2000", {
      windowSize: 3000,
      dispatchAsync: false,
    });
    assertEquals([fake.info!.windowSize, fake.info!.dispatchAsync], [3000, false]);
  });
});

test("a producer of a transacted session has no window", async () => {
  await withFake({}, async (fake) => {
    const session = await fake.connection.createSession({ acknowledgeMode: "transacted" });
    await assertRejects(
      () => session.createProducer("q", { windowSize: 1000 }),
      TypeError,
      "transacted",
    );
    const producer = await session.createProducer("q");
    assertEquals(fake.info!.windowSize, 0);
    const { outcome } = await producer.send("x".repeat(2_000_000));
    assertEquals(outcome, "transactional");
    await fake.arrived(1);
    assertEquals(fake.messages[0]!.responseRequired, false);
    assertInstanceOf(fake.messages[0]!.transactionId, Object);
  });
});
