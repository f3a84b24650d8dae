/** Whoever calls next() several times at once is answered in order, and at the end in any case: all iterations keep to this. */

import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import {
  type ActiveMQDestination,
  AdvisoryConsumer,
  advisoryTopics,
  connect,
  type Connection,
  type ConnectOptions,
  DestinationSource,
  type Message,
  type MessageConsumer,
  queue,
  type Session,
  TemporaryDestination,
} from "../../mod.ts";
import { Deadlines } from "../../client/deadlines.ts";
import { Fifo } from "../../client/fifo.ts";
import { Feed } from "../../client/iterate.ts";
import { StatusFeed } from "../../client/status.ts";
import { createActiveMQMessage, createDestinationInfo } from "../../codec/mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { dial, listen, type Transport } from "../../transport/mod.ts";
import { test } from "../_harness.ts";
import { timesAsLong } from "../_pace.ts";
import { receivedAs } from "./_messages.ts";

/** An iteration, and what happens around it. */
interface Subject {
  readonly iterator: AsyncIterator<unknown>;
  /** Has values come, of these names. */
  give(names: readonly string[]): Promise<unknown>;
  /** Ends it. Those that are there from the start end after what was given. */
  end?(): unknown;
  /** The name of a value. */
  nameOf(value: unknown): string;
  /** What comes before the end. */
  readonly last?: string;
}

/** Makes an iteration with a signal; what it needs goes on the stack. */
type Open = (stack: AsyncDisposableStack, signal: AbortSignal | undefined) => Promise<Subject>;

async function connected(
  stack: AsyncDisposableStack,
  options: ConnectOptions = {},
): Promise<Connection> {
  const broker = stack.use(await MemoryBroker.listen());
  return stack.use(await connect(broker.url, options));
}

const textOf = (value: unknown): string => (value as Message).text!;

async function sendAll(
  connection: Connection,
  to: ActiveMQDestination | string,
  names: readonly string[],
): Promise<void> {
  for (const name of names) await connection.send(to, name);
}

function messages(
  open: (consumer: MessageConsumer, signal: AbortSignal | undefined) => AsyncIterator<unknown>,
  from: (connection: Connection) => Promise<Connection | Session> = (own) => Promise.resolve(own),
): Open {
  return async (stack, signal) => {
    const connection = await connected(stack);
    const owner = await from(connection);
    const consumer = await owner.createConsumer("orders");
    return {
      iterator: open(consumer, signal),
      give: (names) => sendAll(connection, "orders", names),
      end: () => consumer.close(),
      nameOf: textOf,
    };
  };
}

/** A stream as an iteration. */
function reading(stream: ReadableStream<unknown>): AsyncIterator<unknown> {
  const reader = stream.getReader();
  return {
    next: async () => {
      const { done, value } = await reader.read();
      return done ? { done, value: undefined } : { done, value };
    },
    return: async () => {
      await reader.cancel();
      return { done: true, value: undefined };
    },
  };
}

/** Something whose values are there, and come when the connection is started. */
function prepared(
  prepare: (connection: Connection, names: readonly string[]) => Promise<unknown>,
  open: (
    connection: Connection,
    signal: AbortSignal | undefined,
  ) => Promise<AsyncIterator<unknown>>,
  nameOf: (value: unknown) => string,
): Open {
  return async (stack, signal) => {
    const connection = await connected(stack);
    await prepare(connection, ["a", "b"]);
    await connection.stop();
    return {
      iterator: await open(connection, signal),
      give: () => Promise.resolve(connection.start()),
      nameOf,
    };
  };
}

const opened: Record<string, Open> = {
  "connection.status()": async (stack, signal) => {
    const connection = await connected(stack, {
      hooks: {
        send: async (operation, next) => {
          await next();
          throw new Error(String(operation.attributes["messaging.destination.name"]));
        },
      },
    });
    return {
      iterator: connection.status({ signal }),
      give: (names) =>
        sendAll(connection, "x", []).then(async () => {
          for (const name of names) await connection.send(name, null);
        }),
      end: () => connection.close(),
      nameOf: (value) => {
        const { type, error } = value as { type: string; error?: Error };
        return error?.message ?? type;
      },
      last: "closed",
    };
  },
  "consumer.messages()": messages((consumer, signal) => consumer.messages({ signal })),
  "messages() of a consumer in mode client": messages(
    (consumer, signal) => consumer.messages({ signal }),
    (connection) => connection.createSession({ acknowledgeMode: "client" }),
  ),
  "for await of a consumer": messages((consumer) => consumer[Symbol.asyncIterator]()),
  "consumer.readable": messages((consumer) => reading(consumer.readable)),
  "browser.messages()": prepared(
    (connection, names) => sendAll(connection, "orders", names),
    async (connection, signal) => {
      const session = await connection.createSession();
      return (await session.createBrowser("orders")).messages({ signal });
    },
    textOf,
  ),
  "scheduledJobs.browse()": prepared(
    async (connection, names) => {
      for (const [index, name] of names.entries()) {
        await connection.send("orders", name, { delay: 3_600_000 + index * 60_000 });
      }
    },
    (connection, signal) => Promise.resolve(connection.scheduledJobs.browse({ signal })),
    (value) => textOf((value as { message: Message }).message),
  ),
  "advisories.events()": async (stack, signal) => {
    const connection = await connected(stack);
    const topic = advisoryTopics.queues();
    const advisories = await connection.advisories(topic);
    return {
      iterator: advisories.events({ signal }),
      give: (names) => sendAll(connection, topic, names),
      end: () => advisories.close(),
      nameOf: (value) => textOf((value as { message: Message }).message),
    };
  },
  "source.changes()": async (stack, signal) => {
    const { source, tell, end } = await watching(stack);
    return {
      iterator: source.changes({ signal }),
      give: async (names) => {
        for (const name of names) await tell(queue(name));
      },
      end,
      nameOf: (value) => (value as { destination: ActiveMQDestination }).destination.physicalName,
    };
  },
  "connection.requestMany()": async (stack, signal) => {
    const connection = await connected(stack);
    const iterator = connection.requestMany("questions", null, { signal, maxReplies: 2 });
    const consumer = await connection.createConsumer("questions");
    return {
      iterator,
      give: async (names) => {
        const request = await consumer.receive();
        for (const name of names) {
          await connection.send(request!.replyTo!, name, {
            correlationId: request!.correlationId!,
          });
        }
      },
      nameOf: textOf,
    };
  },
  "listen()": async (stack) => {
    const listener = stack.use(await listen());
    const clients: Transport[] = [];
    stack.defer(() => clients.forEach((client) => client.close()));
    return {
      iterator: listener[Symbol.asyncIterator](),
      give: async (names) => {
        for (const _ of names) clients.push(await dial(`tcp://127.0.0.1:${listener.port}`));
      },
      end: () => listener.close(),
      nameOf: (value) => {
        (value as Transport).close();
        return "";
      },
    };
  },
};

/** A source of destinations, and what its broker tells. */
async function watching(stack: AsyncDisposableStack): Promise<{
  source: DestinationSource;
  tell(destination: ActiveMQDestination): Promise<void>;
  end(): Promise<void>;
}> {
  const { readable, writable } = new TransformStream<Message, Message>();
  const writer = writable.getWriter();
  const tell = (destination: ActiveMQDestination): Promise<void> =>
    writer.write(receivedAs(createActiveMQMessage({
      destination: advisoryTopics.queues(),
      dataStructure: createDestinationInfo({ destination }),
    })));
  const end = (): Promise<void> => writer.close().catch(() => {});
  const consumer = {
    messages: () => readable.values({ preventCancel: true }),
    close: end,
  } as unknown as MessageConsumer;
  const marker = new TemporaryDestination("ActiveMQTempQueue", "ID:m", () => Promise.resolve());
  const deadlines = new Deadlines();
  stack.defer(() => deadlines.close());
  const source = new DestinationSource({
    connection: {
      advisories: () => Promise.resolve(new AdvisoryConsumer(consumer, undefined)),
      createTemporaryQueue: () => Promise.resolve(marker),
      status: ({ signal } = {}) => new StatusFeed().subscribe(signal),
    },
    deadlines,
    requestTimeout: 5000,
  });
  const opening = source.open({});
  await tell(queue("ID:m"));
  await opening;
  stack.use(source);
  return { source, tell, end };
}

/** Those without a signal of their own. */
const WITHOUT_SIGNAL = ["for await of a consumer", "consumer.readable", "listen()"];

const END: IteratorResult<never, undefined> = { done: true, value: undefined };

/** Calls next() three times; notes in which order they are answered. */
function three(iterator: AsyncIterator<unknown>): {
  results: Promise<PromiseSettledResult<IteratorResult<unknown>>[]>;
  order: number[];
} {
  const order: number[] = [];
  const calls = [0, 1, 2].map((index) => {
    const call = iterator.next();
    const settled = (): void => void order.push(index);
    call.then(settled, settled);
    return call;
  });
  return { results: Promise.allSettled(calls), order };
}

function nameOf(
  subject: Subject,
  result: PromiseSettledResult<IteratorResult<unknown>>,
): string {
  if (result.status === "rejected") throw result.reason;
  return result.value.done ? "done" : subject.nameOf(result.value.value);
}

for (const [name, open] of Object.entries(opened)) {
  const names = name === "listen()" ? ["", "", ""] : ["a", "b", "c"];

  test(`${name}: three calls of next() get three values in order`, async () => {
    await using stack = new AsyncDisposableStack();
    const subject = await open(stack, undefined);
    const { results, order } = three(subject.iterator);
    await subject.give(subject.end ? names : names.slice(0, 2));
    const found = (await results).map((result) => nameOf(subject, result));
    assertEquals(found, subject.end ? names : ["a", "b", "done"]);
    assertEquals(order, [0, 1, 2]);
    await subject.iterator.return!();
    assertEquals(await subject.iterator.next(), END);
  });

  test(`${name}: return() ends three calls of next()`, async () => {
    await using stack = new AsyncDisposableStack();
    const subject = await open(stack, undefined);
    const { results } = three(subject.iterator);
    assertEquals(await subject.iterator.return!(), END);
    const found = (await results).map((result) => nameOf(subject, result));
    assertEquals(found, ["done", "done", "done"]);
    assertEquals(await subject.iterator.next(), END);
    assertEquals(await subject.iterator.return!(), END);
  });

  test(`${name}: three calls of next() are answered at the end`, async () => {
    await using stack = new AsyncDisposableStack();
    const subject = await open(stack, undefined);
    if (!subject.end) return;
    const { results, order } = three(subject.iterator);
    await subject.end();
    const found = (await results).map((result) => nameOf(subject, result));
    assertEquals(found, [subject.last ?? "done", "done", "done"]);
    assertEquals(order, [0, 1, 2]);
    assertEquals(await subject.iterator.next(), END);
  });

  if (WITHOUT_SIGNAL.includes(name)) continue;

  test(`${name}: an aborted signal fails three calls of next() with its reason`, async () => {
    await using stack = new AsyncDisposableStack();
    const controller = new AbortController();
    const subject = await open(stack, controller.signal);
    const { results, order } = three(subject.iterator);
    const reason = new Error("enough");
    controller.abort(reason);
    for (const result of await results) {
      assertEquals(result.status, "rejected");
      if (result.status === "rejected") assertStrictEquals(result.reason, reason);
    }
    assertEquals(order, [0, 1, 2]);
    assertEquals(await subject.iterator.next(), END);
  });

  test(`${name}: a signal that was aborted fails the next call, and ends the iteration`, async () => {
    await using stack = new AsyncDisposableStack();
    const controller = new AbortController();
    const subject = await open(stack, controller.signal);
    const reason = new Error("enough");
    controller.abort(reason);
    assertStrictEquals(await assertRejects(() => subject.iterator.next()), reason);
    assertEquals(await subject.iterator.next(), END);
  });
}

test("messages that several calls of next() have got are acknowledged, the first one first", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url);
  const consumer = await connection.createConsumer("orders");
  const iterator = consumer.messages();
  const { results } = three(iterator);
  await sendAll(connection, "orders", ["a", "b", "c", "d", "e", "f"]);
  await results;
  assertEquals(broker.queue("orders").size, 6);
  await three(iterator).results;
  await connection.ping();
  assertEquals(broker.queue("orders").size, 3);
  await iterator.return!();
  await consumer.close();
  const other = await connection.createConsumer("orders");
  const left = [];
  for (let i = 0; i < 3; i++) left.push((await other.receive())!.text);
  assertEquals(left, ["d", "e", "f"]);
});

test("leaving one iteration of a listener leaves connections to the others", async () => {
  await using listener = await listen();
  const one = listener[Symbol.asyncIterator]();
  const other = listener[Symbol.asyncIterator]();
  const waiting = one.next();
  const next = other.next();
  await one.return!();
  assertEquals(await waiting, END);
  const client = await dial(`tcp://127.0.0.1:${listener.port}`);
  const { value } = await next;
  client.close();
  value!.close();
});

test("values that nobody asks for are kept up to a limit, and a signal drops them", async () => {
  const controller = new AbortController();
  let left = 0;
  const feed = new Feed<number>({ limit: 3, signal: controller.signal, left: () => left++ });
  for (let n = 0; n < 5; n++) feed.push(n);
  assertEquals((await feed.next()).value, 2);
  controller.abort(new Error("enough"));
  await assertRejects(() => feed.next(), Error, "enough");
  assertEquals(await feed.next(), END);
  assertEquals(left, 1);
});

test("changes of destinations are told in linear time, however many there are", async () => {
  await using stack = new AsyncDisposableStack();
  const { source, tell } = await watching(stack);
  const changes = source.changes();
  const time = async (count: number, prefix: string): Promise<number> => {
    const start = performance.now();
    for (let n = 0; n < count; n++) {
      const next = changes.next();
      await tell(queue(`${prefix}${n}`));
      assertEquals((await next).value.destination.physicalName, `${prefix}${n}`);
    }
    return performance.now() - start;
  };
  /** The least of some: a busy machine does not add to all. */
  const least = async (name: string): Promise<number> => {
    let least = Infinity;
    for (let n = 0; n < 5; n++) least = Math.min(least, await time(100, `${name}${n}.`));
    return least;
  };
  await time(500, "warm");
  const first = await least("first");
  await time(8000, "more");
  const last = await least("last");
  if (last > 8 * first) throw new Error(`${first} ms became ${last} ms`);
});

test("a long row is taken in its order, in linear time", async () => {
  const row = new Fifo<number>();
  const pass = (count: number): void => {
    for (let n = 0; n < count; n++) row.push(n);
    for (let n = 0; n < count; n++) {
      if (row.shift() !== n) throw new Error(`${n} is missing`);
    }
    assertEquals([row.shift(), row.length], [undefined, 0]);
  };
  const parts = (): void => {
    for (let n = 0; n < 50; n++) pass(1_200);
  };
  const times = await timesAsLong(() => pass(60_000), parts, 10);
  if (times > 10) throw new Error(`all at once took ${times} times as long as in parts`);
});
