/** What a handler may do with the consumer, the session and the connection that it works for: nothing hangs. */

import { assert, assertEquals } from "@std/assert";
import {
  type AcknowledgeMode,
  connect,
  type Connection,
  type Message,
  type MessageConsumer,
  type Session,
} from "../../mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { freshName, testOnBrokers } from "../client/_brokers.ts";
import { until } from "../client/_messages.ts";
import { test } from "../_harness.ts";
import type { Outcome } from "./_drivers.ts";
import { outcomeOf } from "./_outcomes.ts";

/** What a handler has at hand. */
interface Own {
  readonly connection: Connection;
  readonly session: Session;
  readonly consumer: MessageConsumer;
  readonly message: Message;
  readonly name: string;
}

interface Case {
  readonly title: string;
  readonly mode?: AcknowledgeMode;
  readonly call: (own: Own) => Promise<unknown>;
  /** What comes of it. */
  readonly outcome?: Outcome;
}

/** How long `close()` waits for a handler that waits for it. */
const CLOSE_TIMEOUT = 300;

const cases: readonly Case[] = [
  { title: "acknowledge", mode: "individual", call: ({ message }) => message.ack() },
  { title: "reject", mode: "individual", call: ({ message }) => message.reject("no") },
  { title: "ask for it again", mode: "individual", call: ({ message }) => message.retry() },
  { title: "send", call: ({ connection, name }) => connection.send(`${name}.out`, "x") },
  { title: "send with its session", call: ({ session, name }) => session.send(`${name}.out`, "x") },
  {
    title: "send with a producer of its session",
    call: async ({ session, name }) =>
      await (await session.createProducer(`${name}.out`)).send("x"),
  },
  { title: "commit", mode: "transacted", call: ({ session }) => session.commit() },
  { title: "roll back", mode: "transacted", call: ({ session }) => session.rollback() },
  {
    title: "send and commit",
    mode: "transacted",
    call: async ({ session, name }) => {
      await session.send(`${name}.out`, "x");
      await session.commit();
    },
  },
  {
    title: "run a transaction",
    call: ({ connection, name }) =>
      connection.transaction((session) => session.send(`${name}.out`, "x")),
  },
  {
    title: "open a consumer and receive",
    call: async ({ session, connection, name }) => {
      await connection.send(`${name}.in`, "x");
      await using consumer = await session.createConsumer(`${name}.in`);
      assertEquals((await consumer.receive({ timeout: 10_000 }))?.text, "x");
    },
  },
  {
    title: "request what its connection answers",
    call: async ({ connection, name }) => {
      await using _responder = await connection.respond(`${name}.ask`, ({ text }) => text);
      assertEquals((await connection.request(`${name}.ask`, "x")).text, "x");
    },
  },
  {
    title: "receive from its own consumer",
    call: ({ consumer }) => consumer.receive(),
    outcome: "TypeError: Cannot receive otherwise: the messages go to a handler",
  },
  {
    title: "change the prefetch size of its own consumer",
    call: ({ consumer }) => consumer.setPrefetchSize(5),
  },
  { title: "pause and resume", call: ({ consumer }) => pause(consumer) },
  // These wait for the handler, and the handler for them: until the time is over.
  { title: "close its own consumer", call: ({ consumer }) => consumer.close() },
  { title: "close its own session", call: ({ session }) => session.close() },
  {
    title: "close its own session in a transaction",
    mode: "transacted",
    call: ({ session }) => session.close(),
  },
  { title: "close its connection", call: ({ connection }) => connection.close() },
  {
    title: "drain its own consumer",
    call: ({ consumer }) => consumer.drain({ timeout: CLOSE_TIMEOUT }),
    outcome: "TIMEOUT",
  },
  {
    title: "drain its connection",
    call: ({ connection }) => connection.drain({ timeout: CLOSE_TIMEOUT }),
    outcome: "TIMEOUT",
  },
  {
    title: "stop its connection",
    call: ({ connection }) => connection.stop({ timeout: CLOSE_TIMEOUT }),
    outcome: "TIMEOUT",
  },
];

function pause(consumer: MessageConsumer): Promise<void> {
  consumer.pause();
  consumer.resume();
  return Promise.resolve();
}

for (const { title, mode = "auto", call } of cases) {
  test(`a handler may ${title} while a lost connection is being replaced`, async () => {
    await using broker = await MemoryBroker.listen();
    const connection = await connect(`failover:(${broker.url})`, {
      closeTimeout: CLOSE_TIMEOUT,
      requestTimeout: CLOSE_TIMEOUT,
    });
    const name = freshName();
    await connection.send(name, "hello");
    const session = await connection.createSession({ acknowledgeMode: mode });
    const consumer = await session.createConsumer(name);
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    consumer.consume(async (message) => {
      await broker.suspend();
      await until(() => !connection.connected);
      resolve(await outcomeOf(call({ connection, session, consumer, message, name })));
    }).catch(() => {});
    const outcome = await promise;
    assert(outcome !== "HANGS" && !outcome.startsWith("AssertionError"), outcome);
    connection.abort();
    await connection.closed;
  });
}

for (const { title, mode = "auto", call, outcome = "ok" } of cases) {
  testOnBrokers(`a handler may ${title}`, async ({ connect, name }) => {
    const connection = await connect({ closeTimeout: CLOSE_TIMEOUT });
    await connection.send(name, "hello");
    const session = await connection.createSession({ acknowledgeMode: mode });
    const consumer = await session.createConsumer(name);
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    let first = true;
    consumer.consume(async (message) => {
      if (!first) return;
      first = false;
      resolve(await outcomeOf(call({ connection, session, consumer, message, name })));
    }).catch(() => {});
    assertEquals(await promise, outcome);
  });
}
