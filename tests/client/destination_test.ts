import { type Destination, queue, topic } from "../../mod.ts";
import { formatDestination, toDestination } from "../../client/destination/destination.ts";
import { resolveDestination } from "../../client/destination/destination_options.ts";
import {
  type DestinationOptions,
  destinationOptions,
} from "../../client/url/destination_options.ts";
import { createActiveMQQueue } from "../../codec/mod.ts";
import {
  assert,
  assertEquals,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { test } from "../_harness.ts";
import { testOnBrokers } from "./_brokers.ts";

test("a destination is named by a text or made by queue() or topic()", () => {
  const cases: [given: Destination, text: string][] = [
    ["orders", "queue://orders"],
    [" orders ", "queue://orders"],
    ["queue://orders", "queue://orders"],
    ["topic://prices", "topic://prices"],
    ["temp-queue://ID:x:1", "temp-queue://ID:x:1"],
    ["temp-topic://ID:x:1", "temp-topic://ID:x:1"],
    ["ID:x:1", "temp-queue://ID:x:1"],
    ["topic://ID:x:1", "temp-topic://ID:x:1"],
    ["orders,topic://prices", "queue://orders,topic://prices"],
    ["queue://orders,topic://prices", "queue://orders,topic://prices"],
    ["topic://a,b", "topic://a,b"],
    ["a.*.>", "queue://a.*.>"],
    [queue("orders"), "queue://orders"],
    [queue("queue://orders"), "queue://orders"],
    [topic("prices"), "topic://prices"],
    [topic("topic://prices"), "topic://prices"],
    [queue("ID:x:1"), "temp-queue://ID:x:1"],
    [topic("ID:x:1"), "temp-topic://ID:x:1"],
  ];
  for (const [given, text] of cases) assertEquals(formatDestination(toDestination(given)), text);
});

test("what is no destination is refused", () => {
  for (
    const name of [
      "",
      " ",
      "queue://",
      "topic://",
      "temp-queue://",
      "?consumer.priority=1",
      ",",
      " , ",
    ]
  ) {
    assertThrows(() => toDestination(name), TypeError, "empty name");
  }
  assertThrows(
    () => queue("topic://a"),
    TypeError,
    "Cannot make a queue:// destination of a topic:// one",
  );
  assertThrows(() => topic("queue://a"), TypeError, "topic:// destination of a queue:// one");
  assertThrows(() => queue("temp-topic://a"), TypeError, "temp-topic://");
  for (const given of [undefined, null, 1, {}] as unknown as Destination[]) {
    assertThrows(() => toDestination(given), TypeError, "a name, queue() or topic() is expected");
  }
  assertThrows(() => queue(undefined as unknown as string), TypeError);
});

test("a text that can only be a mistake is refused with what to write", () => {
  const cases: [given: string, write: string][] = [
    ["/queue/orders", "queue://orders"],
    ["/topic/prices", "topic://prices"],
    ["/Topic/prices.eu", "topic://prices.eu"],
    ["/temp-queue/a", "temp-queue://a"],
    ["/temp-topic/a", "temp-topic://a"],
    ["topic/prices", "topic://prices"],
    ["queue/orders", "queue://orders"],
    ["queue:orders", "queue://orders"],
    ["topic:prices", "topic://prices"],
    ["topic:/prices", "topic://prices"],
    ["temp-queue:ID:x:1", "temp-queue://ID:x:1"],
    ["QUEUE://Orders", "queue://Orders"],
    ["Topic://prices", "topic://prices"],
    ["TEMP-TOPIC://a", "temp-topic://a"],
    ["dynamicQueues/orders", "queue://orders"],
    ["dynamicTopics/prices", "topic://prices"],
    ["activemq:queue:orders", "queue://orders"],
    ["activemq:topic:prices", "topic://prices"],
    ["jms:queue:orders", "queue://orders"],
    ["jms://topic:prices", "topic://prices"],
    ["sjms2:topic:prices", "topic://prices"],
    [" /topic/prices ", "topic://prices"],
    ["orders,topic:prices", "topic://prices"],
    ["topic://prices, /queue/orders", "queue://orders"],
    ["topic:prices?consumer.prefetchSize=1", "topic://prices"],
  ];
  for (const [given, write] of cases) {
    const error = assertThrows(() => resolveDestination(given), TypeError);
    assertStringIncludes(error.message, `as a destination: write ${write}. `, given);
    assertStringIncludes(error.message, "For a queue of this very name write queue:// before it");
  }
  const others: [given: string, problem: string][] = [
    ["java:/jms/queue/orders", "names of JNDI"],
    ["java:jboss/exported/jms/queue/orders", "names of JNDI"],
    ["tcp://app:secret@localhost:61616", "the URL of a broker"],
    ["nio+ssl://secret", "the URL of a broker"],
    ["failover:(tcp://secret:1)", "the URL of a broker"],
    ["failover:tcp://secret:1,tcp://b", "the URL of a broker"],
    ["https://secret/orders", "the URL of a broker"],
    ["quue://secret", "queue or topic is expected"],
    ["exchange://secret", "queue or topic is expected"],
  ];
  for (const [given, problem] of others) {
    const error = assertThrows(() => toDestination(given), TypeError, problem);
    assert(!error.message.includes("secret"), error.message);
  }
  const steering = assertThrows(() => toDestination("topic:\u001b[2J\nx"), TypeError);
  // deno-lint-ignore no-control-regex
  assert(!/[\u0000-\u001f]/.test(steering.message));
  const long = assertThrows(() => toDestination(`topic:${"x".repeat(1e6)}`), TypeError);
  assert(long.message.length < 5000);
});

test("a name that looks like a mistake is taken where it is meant", () => {
  const cases: [given: Destination, text: string][] = [
    [queue("/topic/x"), "queue:///topic/x"],
    ["queue:///topic/x", "queue:///topic/x"],
    [queue("topic:x"), "queue://topic:x"],
    ["queue://topic:x", "queue://topic:x"],
    [queue("QUEUE://x"), "queue://QUEUE://x"],
    [topic("dynamicTopics/x"), "topic://dynamicTopics/x"],
    ["topic://tcp://x", "topic://tcp://x"],
    [createActiveMQQueue({ physicalName: "/topic/x" }), "queue:///topic/x"],
    ["queue:///topic/x,queue://topic:x", "queue:///topic/x,queue://topic:x"],
    // These may well be names.
    ["orders/eu", "queue://orders/eu"],
    ["queues/eu", "queue://queues/eu"],
    ["eu/queue/orders", "queue://eu/queue/orders"],
    ["queue", "queue://queue"],
    ["topic.prices", "queue://topic.prices"],
    ["topics:eu", "queue://topics:eu"],
    ["a:b", "queue://a:b"],
    ["a::b", "queue://a::b"],
    ["topic::queue", "queue://topic::queue"],
    ["jms.queue.orders", "queue://jms.queue.orders"],
    ["dynamicQueues", "queue://dynamicQueues"],
    ["/orders", "queue:///orders"],
    ["ID:host-1:1", "temp-queue://ID:host-1:1"],
  ];
  for (const [given, text] of cases) assertEquals(formatDestination(toDestination(given)), text);
});

test("options behind a name are for consumers and producers", () => {
  for (const make of [queue, topic, (name: string) => name]) {
    const { destination, consumer, producer } = resolveDestination(
      make("a,b ?consumer.prefetchSize=10&producer.windowSize=5&consumer.selector=x%20=%20'1%262'"),
    );
    assertEquals(destination.physicalName, "a,b");
    assertEquals(consumer, { prefetchSize: 10, selector: "x = '1&2'" });
    assertEquals(producer, { windowSize: 5 });
  }
  assertEquals(resolveDestination("topic://t?consumer.retroactive=true"), {
    destination: topic("t"),
    consumer: { retroactive: true },
    producer: {},
  });
  assertEquals(resolveDestination("a?"), { destination: queue("a"), consumer: {}, producer: {} });
  assertEquals(resolveDestination(queue("a")), {
    destination: queue("a"),
    consumer: {},
    producer: {},
  });
});

/** What each option becomes. */
const typedCases: Record<string, [value: string, options: DestinationOptions]> = {
  "consumer.prefetchSize": ["0", { consumer: { prefetchSize: 0 } }],
  "consumer.maximumPendingMessageLimit": ["5", { consumer: { maximumPendingMessageLimit: 5 } }],
  "consumer.selector": ["a%3D1+or+b", { consumer: { selector: "a=1 or b" } }],
  "consumer.noLocal": ["true", { consumer: { noLocal: true } }],
  "consumer.exclusive": ["true", { consumer: { exclusive: true } }],
  "consumer.retroactive": ["true", { consumer: { retroactive: true } }],
  "consumer.priority": ["-128", { consumer: { priority: -128 } }],
  "consumer.dispatchAsync": ["false", { consumer: { dispatchAsync: false } }],
  "consumer.subscriptionName": ["me", { consumer: { subscriptionName: "me" } }],
  "consumer.optimizedAcknowledge": ["true", { consumer: { optimizeAcknowledge: true } }],
  "producer.windowSize": ["0", { producer: { windowSize: 0 } }],
  "producer.dispatchAsync": ["false", { producer: { dispatchAsync: false } }],
};

test("each option of a destination becomes its typed one or is refused with a reason", () => {
  const kinds = (kind: string) => destinationOptions.rows.filter((row) => row.kind === kind);
  assertEquals(Object.keys(typedCases).sort(), kinds("typed").map(({ name }) => name).sort());
  for (const [name, [value, options]] of Object.entries(typedCases)) {
    const { consumer, producer } = resolveDestination(`q?${name}=${value}`);
    assertEquals({ consumer: {}, producer: {}, ...options }, { consumer, producer }, name);
  }
  for (const { name, about } of kinds("fixed")) {
    assertEquals(resolveDestination(`q?${name}=false`).consumer, {});
    assertThrows(
      () => queue(`q?${name}=true`),
      TypeError,
      `Cannot use queue://q: the option ${name} can only be false: ${about}`,
    );
  }
  for (const { name, about } of kinds("refused")) {
    assertThrows(
      () => queue(`q?${name}=x`),
      TypeError,
      `Cannot use queue://q: the option ${name} is not supported: ${about}`,
    );
  }
  assertEquals(kinds("ignored"), []);
});

test("wrong options of a destination are refused at once", () => {
  const cases: [name: string, reason: string][] = [
    [
      "q?consumer.prefetchsize=1",
      "no option consumer.prefetchsize; the nearest is consumer.prefetchSize",
    ],
    ["q?prefetchSize=1", "no option prefetchSize; the nearest is consumer.prefetchSize"],
    ["q?consumer.prefetchSize=secret", "expected an integer from 0 to 32767"],
    ["q?consumer.prefetchSize=32768", "expected an integer from 0 to 32767"],
    ["q?consumer.subscriptionName=", "expected text, not empty"],
    ["q?consumer.priority=128", "expected an integer from -128 to 127"],
    ["q?consumer.noLocal", "option 1 has no value"],
    ["q?consumer.noLocal=true&consumer.noLocal=true", "there twice"],
    // Java silently drops what stands between the first and the last `?`.
    ["a?consumer.noLocal=true,b?consumer.priority=1", "within a value it is written %3F"],
  ];
  for (const [name, reason] of cases) {
    for (const make of [queue, topic, toDestination]) {
      const error = assertThrows(() => make(name), TypeError);
      assertStringIncludes(error.message, reason);
      assert(!error.message.includes("secret"));
    }
  }
});

test("options of a destination are refused where they can't have an effect", () => {
  const orders = queue("orders?consumer.prefetchSize=1");
  for (const given of [orders, "orders?consumer.prefetchSize=1"]) {
    assertThrows(() => toDestination(given), TypeError, "give queue://orders without them");
  }
  assertStrictEquals(resolveDestination(orders).destination, orders);
});

test("the name of what a peer sent is no place for options", () => {
  const received = createActiveMQQueue({ physicalName: "answers?consumer.selector=false" });
  assertStrictEquals(toDestination(received), received);
  assertEquals(resolveDestination(received), { destination: received, consumer: {}, producer: {} });
});

testOnBrokers("options of a destination have an effect", async ({ connect, name }) => {
  const connection = await connect({ username: "system", password: "manager" });
  const session = await connection.createSession({ acknowledgeMode: "individual" });
  const producer = await session.createProducer(`${name}?producer.dispatchAsync=false`);
  assertEquals(producer.destination, queue(name));
  const one = await session.createConsumer(queue(`${name}?consumer.prefetchSize=1`));
  for (const body of ["1", "2", "3"]) await producer.send(body);
  assertEquals((await one.receive())?.text, "1");
  // As long as the first is not acknowledged the broker sends no more to that one.
  const others = await session.createConsumer(name);
  assertEquals((await others.receive())?.text, "2");
  assertEquals((await others.receive())?.text, "3");
});

testOnBrokers(
  "options of a call count more than those of a destination",
  async ({ connect, name }) => {
    const connection = await connect({ username: "system", password: "manager" });
    const session = await connection.createSession();
    const producer = await session.createProducer(name);
    for (const color of ["blue", "red"]) await producer.send(color, { properties: { color } });
    const red = await session.createConsumer(`${name}?consumer.selector=color%3D'blue'`, {
      selector: "color = 'red'",
    });
    assertEquals((await red.receive())?.text, "red");
    const blue = await session.createConsumer(`${name}?consumer.selector=color+%3D+'blue'`);
    assertEquals((await blue.receive())?.text, "blue");
  },
);
