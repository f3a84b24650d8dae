/** What ends things heeds the options of each call, and ends them also when these are wrong. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  advisoryTopics,
  type CallOptions,
  type Connection,
  type MessageConsumer,
  TimeoutError,
} from "../../mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { connect } from "../../mod.ts";
import { test } from "../_harness.ts";
import { type TestBroker, testOnBrokers } from "./_brokers.ts";
import { received, until } from "./_messages.ts";

interface Ending {
  (options?: CallOptions): Promise<void>;
}

/** Something that can be ended. */
interface Subject {
  readonly end: Ending;
  /** What ends it for good, with any options. */
  readonly close: Ending;
  readonly dispose: () => PromiseLike<void>;
  /** Whether it has ended. */
  readonly ended: () => boolean;
}

const wrong: readonly [string, CallOptions, typeof RangeError | typeof TypeError][] = [
  ...[-1, NaN, Infinity, 2 ** 31, "5", null, {}].map((timeout) =>
    [`timeout ${String(timeout)}`, { timeout } as CallOptions, RangeError] as const
  ),
  ...[{}, "abort", 5, null, new EventTarget()].map((signal) =>
    [`signal ${String(signal)}`, { signal } as CallOptions, TypeError] as const
  ),
].map(([name, options, error]) => [name, options, error]);

type Closable = AsyncDisposable & { close: Ending };

const closing = (it: Closable, ended: () => boolean): Subject => ({
  end: (options) => it.close(options),
  close: (options) => it.close(options),
  dispose: () => it[Symbol.asyncDispose](),
  ended,
});

const draining = (it: Closable & { drain: Ending }, ended: () => boolean): Subject => ({
  ...closing(it, ended),
  end: (options) => it.drain(options),
});

const gone = (connection: Connection, what: "consumers" | "producers" | "sessions") => {
  const before = connection.stats()[what];
  return () => connection.stats()[what] < before;
};

const members: Record<string, (connection: Connection, name: string) => Promise<Subject>> = {
  "connection.close()": (connection) => Promise.resolve(closing(connection, hasEnded(connection))),
  "connection.drain()": (connection) => Promise.resolve(draining(connection, hasEnded(connection))),
  "session.close()": async (connection) =>
    closing(await connection.createSession(), gone(connection, "sessions")),
  "session.drain()": async (connection) =>
    draining(await connection.createSession(), gone(connection, "sessions")),
  "producer.close()": async (connection, name) =>
    closing(await connection.createProducer(name), gone(connection, "producers")),
  "consumer.close()": async (connection, name) =>
    closing(await connection.createConsumer(name), gone(connection, "consumers")),
  "consumer.drain()": async (connection, name) =>
    draining(await connection.createConsumer(name), gone(connection, "consumers")),
  "browser.close()": async (connection, name) =>
    closing(await connection.createBrowser(name), gone(connection, "consumers")),
  "responder.close()": async (connection, name) =>
    closing(await connection.respond(name, () => null), gone(connection, "consumers")),
  "responder.drain()": async (connection, name) =>
    draining(await connection.respond(name, () => null), gone(connection, "consumers")),
};

const advised: typeof members = {
  "advisories.close()": async (connection) =>
    closing(
      await connection.advisories(advisoryTopics.connections()),
      gone(connection, "consumers"),
    ),
  "destinationSource.close()": async (connection) =>
    closing(await connection.watchDestinations(), gone(connection, "consumers")),
};

function hasEnded(connection: Connection): () => boolean {
  let ended = false;
  connection.closed.then(() => ended = true);
  return () => ended;
}

for (const [all, needs] of [[members, []], [advised, ["advisories"]]] as const) {
  for (const [member, make] of Object.entries(all)) {
    testOnBrokers(`${member} with wrong options fails and ends it nevertheless`, async (broker) => {
      for (const [name, options, error] of wrong) {
        const connection = await broker.connect();
        const subject = await make(connection, broker.name);
        await assertRejects(() => subject.end(options), error, undefined, name);
        await until(subject.ended);
        await subject.close();
        await subject.dispose();
        await assertRejects(() => subject.close(options), error, undefined, name);
        await connection.close();
        assertEquals(await connection.closed, undefined);
      }
    }, { needs });
  }
}

testOnBrokers("a temporary queue is deleted after a call with wrong options", async (broker) => {
  const connection = await broker.connect();
  for (const [name, options, error] of wrong) {
    const queue = await connection.createTemporaryQueue();
    await assertRejects(() => queue.delete(options), error, undefined, name);
    // Nothing was done yet.
    await connection.send(queue, "x");
    await Promise.all([queue.delete(), queue.delete(), queue[Symbol.asyncDispose]()]);
    await assertRejects(() => connection.createConsumer(queue));
  }
});

testOnBrokers("wrong options leave everything as it is", async (broker) => {
  const connection = await broker.connect({ sendAcksAsync: false });
  const errors: unknown[] = [];
  const told = (async () => {
    for await (const status of connection.status()) {
      if (status.type === "error") errors.push(status.error);
    }
  })();
  const session = await connection.createSession({ acknowledgeMode: "transacted" });
  const consumer = await connection.createConsumer(broker.name, { acknowledgeMode: "individual" });
  for (const [name, options, error] of wrong) {
    await session.send(broker.name, name);
    await assertRejects(() => session.commit(options), error);
    await assertRejects(() => session.rollback(options), error);
    await session.commit();
    await assertRejects(() => connection.stop(options), error);
    const message = await received(consumer);
    assertEquals(message.text, name);
    await assertRejects(() => message.ack(options), error);
    await assertRejects(() => message.reject("no", options), error);
    await message.ack();
    await assertRejects(() => connection.createConsumer(broker.name, options), error);
    await assertRejects(() => connection.createProducer(broker.name, options), error);
    await assertRejects(() => connection.createSession(options), error);
    await assertRejects(() => consumer.setPrefetchSize(5, options), error);
    await assertRejects(() => connection.createTemporaryQueue(options), error);
  }
  assertEquals(connection.stats().consumers, 1);
  await connection.ping();
  await connection.close();
  await told;
  assertEquals(errors, []);
});

/** A consumer whose handler does not end before it is told to. */
async function busy(
  broker: TestBroker,
  connection: Connection,
): Promise<[MessageConsumer, () => void]> {
  const consumer = await connection.createConsumer(broker.name);
  const [started, hold] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  consumer.consume(async () => {
    started.resolve();
    await hold.promise;
  }).catch(() => {});
  await connection.send(broker.name, "x");
  await started.promise;
  return [consumer, hold.resolve];
}

testOnBrokers("each close() waits for the handler as long as it may itself", async (broker) => {
  const connection = await broker.connect();
  for (const kind of ["signal", "timeout"] as const) {
    const [consumer, release] = await busy(broker, connection);
    const first = consumer.close({ timeout: 0 });
    if (kind === "signal") {
      const controller = new AbortController();
      const second = consumer.close({ timeout: 0, signal: controller.signal });
      controller.abort(new Error("enough"));
      await assertRejects(() => second, Error, "enough");
    } else await consumer.close({ timeout: 10 });
    await first;
    release();
    await consumer.close();
    await using next = await connection.createConsumer(broker.name);
    await received(next);
  }
});

testOnBrokers("a second close() of the connection can end it at once", async (broker) => {
  for (const kind of ["signal", "timeout"] as const) {
    const connection = await broker.connect();
    const [, release] = await busy(broker, connection);
    const first = connection.close({ timeout: 0 });
    if (kind === "signal") await connection.close({ signal: AbortSignal.abort(new Error("now")) });
    else await connection.close({ timeout: 10 });
    await first;
    await connection.closed;
    release();
    const other = await broker.connect();
    await using next = await other.createConsumer(broker.name);
    await received(next);
  }
});

test("each close() waits for the broker's answer as long as it may itself", async () => {
  await using memory = await MemoryBroker.listen();
  await using connection = await connect(memory.url);
  const makers: Record<string, () => Promise<Closable>> = {
    ConsumerId: () => connection.createConsumer("orders"),
    ProducerId: () => connection.createProducer("orders"),
    SessionId: () => connection.createSession(),
  };
  for (const [type, make] of Object.entries(makers)) {
    const closable = await make();
    const answer = Promise.withResolvers<void>();
    let asked = 0;
    using _ = memory.intercept((command) => {
      if (command.dataType !== "RemoveInfo" || command.objectId?.dataType !== type) return;
      asked++;
      return { delay: answer.promise };
    });
    await assertRejects(() => closable.close({ timeout: 10 }), TimeoutError, "10 ms");
    const patient = closable.close();
    await assertRejects(() => closable.close({ timeout: 20 }), TimeoutError, "20 ms");
    const controller = new AbortController();
    const aborted = closable.close({ signal: controller.signal });
    controller.abort(new Error("enough"));
    await assertRejects(() => aborted, Error, "enough");
    answer.resolve();
    await patient;
    await closable.close({ timeout: 1 });
    await closable[Symbol.asyncDispose]();
    assertEquals(asked, 1);
  }
});

test("close() does not fail again when the broker has refused it", async () => {
  await using memory = await MemoryBroker.listen();
  await using connection = await connect(memory.url);
  const consumer = await connection.createConsumer("orders");
  memory.fault({ command: "RemoveInfo", action: { refuse: "no" }, times: 1 });
  await assertRejects(() => consumer.close(), Error, "no");
  await consumer.close();
  await consumer[Symbol.asyncDispose]();
});

test("each delete() of a temporary queue waits as long as it may itself", async () => {
  await using memory = await MemoryBroker.listen();
  await using connection = await connect(memory.url);
  const queue = await connection.createTemporaryQueue();
  const answer = Promise.withResolvers<void>();
  const interception = memory.intercept((command) =>
    command.dataType === "DestinationInfo" ? { delay: answer.promise } : undefined
  );
  const first = queue.delete();
  await assertRejects(() => queue.delete({ timeout: 10 }), TimeoutError);
  await assertRejects(
    () => queue.delete({ signal: AbortSignal.abort(new Error("enough")) }),
    Error,
    "enough",
  );
  answer.resolve();
  await first;
  interception.remove();
  await queue.delete();
  assert(connection.connected);
});
