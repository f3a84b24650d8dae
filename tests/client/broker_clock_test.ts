/** What is said when the broker's clock is ahead of this one's, so that messages expire too early. */

import { connect, type Connection, type OpenWireError, TimeoutError } from "../../mod.ts";
import { BrokerClock } from "../../client/broker_clock.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { test } from "../_harness.ts";
import { credentials } from "../_secret.ts";
import { brokers, skipWithout, wantedBrokers } from "../broker/env.ts";
import { BROKER_TITLES } from "../broker/results.ts";
import { freshName, testOnBrokers } from "./_brokers.ts";
import { received } from "./_messages.ts";

const HOUR = 3_600_000;

/** Puts this program's clock back, which is as if that of the broker were ahead. */
function clockBehind(by: number): Disposable {
  const now = Date.now;
  Date.now = () => now() - by;
  return { [Symbol.dispose]: () => void (Date.now = now) };
}

/** Statuses of a connection, as they come. */
function errorsOf(connection: Connection): OpenWireError[] {
  const errors: OpenWireError[] = [];
  (async () => {
    for await (const { type, error } of connection.status()) {
      if (type === "error") errors.push(error as OpenWireError);
    }
  })().catch(() => {});
  return errors;
}

/** Registers a test for each broker that has a clock of its own, unlike the one in memory. */
function testOnReal(
  name: string,
  fn: (connection: Connection, name: string) => Promise<void>,
): void {
  for (const kind of wantedBrokers) {
    test(`${name} (${BROKER_TITLES[kind]})`, async () => {
      using _ = clockBehind(HOUR);
      await using connection = await connect(brokers[kind]!.urls.openwire, credentials);
      await fn(connection, freshName());
    }, { skip: skipWithout(kind) });
  }
}

/** Has a message come, which tells the broker's time. */
async function hear(connection: Connection, name: string): Promise<void> {
  await using consumer = await connection.createConsumer(name);
  await connection.send(name, "what time is it?");
  await received(consumer);
}

testOnReal(
  "a request that expired at once says that the broker's clock is ahead",
  async (connection, place) => {
    const name = `${place}.questions`;
    await using _responder = await connection.respond(name, () => "here");
    await hear(connection, place);
    const error = await assertRejects(
      () => connection.request(name, "?", { timeout: 500 }),
      TimeoutError,
      "within 500 ms. The broker's clock is ",
    );
    const ahead = Number(/clock is (\d+) ms ahead/.exec(error.message)?.[1]);
    assert(ahead > HOUR - 10_000 && ahead < HOUR + 10_000, error.message);
    assertStringIncludes(error.message, "a timeToLive of 500 ms expires that much earlier");
    // One that does not expire is answered.
    assertEquals((await connection.request(name, "?", { timeToLive: 0 })).text, "here");
  },
);

testOnReal("a message that expires at once is reported, once", async (connection, place) => {
  const errors = errorsOf(connection);
  const name = `${place}.expiring`;
  await connection.send(name, "nothing is known yet", { timeToLive: 1000 });
  await hear(connection, place);
  await connection.send(name, "this lives longer", { timeToLive: 2 * HOUR });
  await connection.send(name, "for ever");
  await connection.ping();
  assertEquals(errors, []);
  await connection.send(name, "dropped", { timeToLive: 1000 });
  const producer = await connection.createProducer(name, { timeToLive: 2000 });
  await producer.send("dropped");
  await connection.ping();
  assertEquals(errors.map(({ code }) => code), ["CLOCK_DIFFERENCE"]);
  assertStringIncludes(
    errors[0]!.message,
    `A message to queue://${name} may expire at once. The broker's clock is `,
  );
  const consumer = await connection.createConsumer(name);
  assertEquals([(await received(consumer)).text, (await received(consumer)).text], [
    "this lives longer",
    "for ever",
  ]);
});

test("another broker has another clock", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url, { failover: { initialReconnectDelay: 1 } });
  const errors = errorsOf(connection);
  {
    using _ahead = broker.intercept((command) => {
      if (command.dataType !== "MessageDispatch" || !command.message) return undefined;
      command.message.brokerOutTime = Date.now() + HOUR;
      return undefined;
    });
    await hear(connection, "time");
  }
  const late = () => connection.request("nobody", "?", { timeout: 500 });
  await assertRejects(late, TimeoutError, "The broker's clock is ");
  assertEquals(errors.map(({ code }) => code), ["CLOCK_DIFFERENCE"]);
  const statuses = connection.status();
  await broker.disconnectClients();
  for await (const { type } of statuses) if (type === "resumed") break;
  const error = await assertRejects(late, TimeoutError);
  assert(error.message.endsWith("within 500 ms"), error.message);
  assertEquals(errors.length, 1);
});

testOnBrokers("clocks that agree are not mentioned", async (broker) => {
  const connection = await broker.connect();
  const errors = errorsOf(connection);
  await hear(connection, broker.name);
  const error = await assertRejects(
    () => connection.request(`${broker.name}.nobody`, "?", { timeout: 100 }),
    TimeoutError,
  );
  assert(error.message.endsWith("within 100 ms"), error.message);
  await connection.ping();
  assertEquals(errors, []);
});

test("the largest of the differences counts, until it is old", () => {
  const clock = new BrokerClock();
  let now = 1_000_000;
  const real = Date.now;
  Date.now = () => now;
  try {
    assertEquals([clock.hint(100), clock.warning(100)], ["", undefined]);
    clock.seen({ brokerInTime: now + 50_000, brokerOutTime: 0 });
    assertStringIncludes(clock.hint(100), "is 50000 ms ahead");
    // It has waited in a queue, or on the way.
    clock.seen({ brokerInTime: now - 1000, brokerOutTime: BigInt(now) + 49_000n });
    assertStringIncludes(clock.hint(100), "is 50000 ms ahead");
    clock.seen({ brokerInTime: now, brokerOutTime: now + 51_000 });
    assertStringIncludes(clock.hint(100_000), "is 51000 ms ahead");
    // No message would expire before it is old in any case.
    assertEquals(clock.hint(0), "");
    assertEquals(clock.warning(51_001), undefined);
    assertStringIncludes(clock.warning(51_000) ?? "", "is 51000 ms ahead");
    assertEquals(clock.warning(51_000), undefined);
    now += 60_000;
    clock.seen({ brokerInTime: 0, brokerOutTime: now + 400 });
    assertEquals(clock.hint(2000), "");
    assertStringIncludes(clock.hint(800), "is 400 ms ahead");
    // Nothing is known of a message that was in no broker.
    clock.seen({ brokerInTime: 0, brokerOutTime: 0 });
    assertStringIncludes(clock.hint(800), "is 400 ms ahead");
    clock.reset();
    assertEquals(clock.hint(1), "");
    clock.seen({ brokerInTime: now - 5, brokerOutTime: now });
    assertEquals(clock.hint(1), "");
  } finally {
    Date.now = real;
  }
});
