/** Clients that answer what others have asked. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  connect,
  type Connection,
  type LogFields,
  OpenWireError,
  TimeoutError,
} from "../../mod.ts";
import { ScheduledJobs } from "../../client/producer/scheduled_jobs.ts";
import { Statistics } from "../../client/management/statistics.ts";
import { type ActiveMQDestination, createMessageId, encodePrimitiveMap } from "../../codec/mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { dial } from "../../transport/mod.ts";
import { RawClient } from "../testing/_raw_client.ts";
import { test } from "../_harness.ts";
import { type TestBroker, testOnBrokers } from "./_brokers.ts";
import { received, until } from "./_messages.ts";

const HOUR = 3_600_000;
const FLOOD = 20;

type Asking = Pick<
  Connection,
  "capabilities" | "createTemporaryQueue" | "createConsumer" | "send"
>;

/** The connection, with somebody who floods each temporary queue before each step, as whoever watches advisories can. */
function attacked(
  connection: Connection,
  attack: (queue: ActiveMQDestination) => Promise<void>,
): Asking {
  let queue: ActiveMQDestination | undefined;
  // In the end it is gone.
  const attackAll = async () => {
    if (queue) await attack(queue).catch(() => {});
  };
  return {
    get capabilities() {
      return connection.capabilities;
    },
    createTemporaryQueue: async (options) => {
      const made = await connection.createTemporaryQueue(options);
      queue = made;
      await attackAll();
      return made;
    },
    createConsumer: async (...args) => {
      const consumer = await connection.createConsumer(...args);
      await attackAll();
      return consumer;
    },
    send: async (...args) => {
      await attackAll();
      const result = await connection.send(...args);
      await attackAll();
      return result;
    },
  };
}

/** Whoever sends texts and maps that look like answers. */
async function forger({ connect }: TestBroker, properties: Record<string, string> = {}) {
  const connection = await connect();
  return async (queue: ActiveMQDestination): Promise<void> => {
    const map = { brokerName: "forged", destinationName: "queue://forged", clientId: "forged" };
    for (let i = 0; i < FLOOD / 4; i++) {
      const options = { type: "Advisory", properties, priority: 9, persistent: false };
      await connection.send(queue, "forged", options);
      await connection.send(queue, { map }, options);
      await connection.send(queue, null, { type: "Advisory", correlationId: "", priority: 0 });
      await connection.send(queue, { map }, { ...options, correlationId: crypto.randomUUID() });
    }
  };
}

testOnBrokers("a replier can't answer the requests that come after its own", async (broker) => {
  const [client, liar, server] = [
    await broker.connect(),
    await broker.connect(),
    await broker.connect(),
  ];
  const lies = await liar.createConsumer(`${broker.name}.liar`);
  const requests = await server.createConsumer(broker.name);
  const asked = client.request(`${broker.name}.liar`, "first");
  const { replyTo, correlationId } = await received(lies);
  await liar.send(replyTo!, "yes", { correlationId: correlationId! });
  await asked;
  const guesses = [...guessesFrom(correlationId!)];
  const known = new Set([correlationId]);
  for (const many of [false, true]) {
    const pending = many
      ? client.requestMany(broker.name, "second", { maxReplies: 1 }).next().then((r) => r.value)
      : client.request(broker.name, "second");
    const request = await received(requests);
    for (const guess of guesses) {
      await liar.send(replyTo!, "forged", { correlationId: guess, persistent: false });
    }
    await server.send(request.replyTo!, "genuine", { correlationId: request.correlationId! });
    assertEquals((await pending).text, "genuine");
    // All that is random is new.
    for (const part of request.correlationId!.split(/[:.]/)) assert(!known.has(part));
    known.add(request.correlationId);
  }
  await until(() => client.lateReplies === 2 * guesses.length);
});

/** Ids that are near to another. */
function* guessesFrom(id: string): Generator<string> {
  yield id;
  const [, start, number] = /^(.*?)(\d*)$/.exec(id)!;
  for (let n = 1; n <= FLOOD; n++) yield `${start}${Number(number) + n}`;
}

testOnBrokers("forged jobs are not shown among scheduled ones", async (broker) => {
  const connection = await broker.connect();
  await connection.send(broker.name, "genuine", { delay: HOUR });
  const lines: [string, LogFields][] = [];
  const warn = (text: string, fields: LogFields) => lines.push([text, fields]);
  const ignore = () => {};
  const jobs = new ScheduledJobs(
    attacked(connection, await forger(broker, { scheduledJobId: "forged" })),
    30_000,
    { warn, debug: ignore, info: ignore, error: ignore },
  );
  for (const range of [{}, { to: Date.now() + 2 * HOUR }, { from: Date.now() }]) {
    const found = await Array.fromAsync(jobs.browse(range));
    assertEquals(found.filter(({ id }) => id === "forged"), []);
    const own = found.filter(({ destination }) => destination?.physicalName === broker.name);
    assertEquals(own.map(({ message }) => message.text), ["genuine"]);
    // Neither the marker nor that of others.
    assertEquals(found.filter(({ destination }) => destination?.dataType !== "ActiveMQQueue"), []);
  }
  assertEquals(lines.length, 3);
  for (const [, { messages }] of lines) assert((messages as number) >= FLOOD, `${messages}`);
  for await (const { id, message } of connection.scheduledJobs.browse()) {
    if (message.destination && message.text === "genuine") {
      await connection.scheduledJobs.remove(id);
    }
  }
  // The markers are gone: what is left is of others.
  if (broker.memory) assertEquals(broker.memory.scheduled, 0);
}, { needs: ["scheduled jobs"] });

testOnBrokers("forged jobs with the scheduler's own numbers are not shown", async (broker) => {
  const connection = await broker.connect();
  await connection.send(broker.name, "genuine", { delay: HOUR });
  const [job] = await Array.fromAsync(connection.scheduledJobs.browse());
  const { producerId, producerSequenceId } = job!.message.command.messageId!;
  await using raw = await RawClient.open(await dial(broker.url));
  const own = await raw.producer();
  const now = Number(producerSequenceId);
  const browse = (numbers: () => Promise<readonly number[]>) => {
    const asking = attacked(connection, async (destination) => {
      for (const number of await numbers()) {
        await raw.request({
          ...raw.message(own, destination, "forged", {
            persistent: false,
            type: "Advisory",
            marshalledProperties: encodePrimitiveMap({ scheduledJobId: "forged" }),
            originalDestination: destination,
          }),
          messageId: createMessageId({ producerId, producerSequenceId: number }),
        });
      }
    });
    return Array.fromAsync(new ScheduledJobs(asking, 30_000, undefined).browse({ timeout: 1_000 }));
  };
  const spent = () => Promise.resolve([now - 1, now]);
  const later = () => Promise.resolve([now + 10_000]);
  // Numbers that the broker has given to others meanwhile.
  const others = async () =>
    (await Array.fromAsync(connection.scheduledJobs.browse()))
      .map(({ message }) => Number(message.command.messageId!.producerSequenceId));
  for (const numbers of [spent, later, others]) {
    const found = await browse(numbers);
    assertEquals(found.filter(({ id }) => id === "forged"), []);
    assert(found.some(({ id }) => id === job!.id));
  }
  // The broker drops its own answers if a message with their id is there, so they may not be complete in time. None is forged.
  const all = () => Promise.resolve(Array.from({ length: 100 }, (_, i) => now + i));
  const left = await browse(all).catch((error) => {
    if (error instanceof TimeoutError) return [];
    throw error;
  });
  assertEquals(left.filter(({ id }) => id === "forged"), []);
  for await (const { id, destination } of connection.scheduledJobs.browse()) {
    if (destination?.physicalName === broker.name) await connection.scheduledJobs.remove(id);
  }
}, { needs: ["scheduled jobs"] });

testOnBrokers("forged statistics are not taken", async (broker) => {
  const connection = await broker.connect();
  await connection.send(broker.name, "x");
  await using _consumer = await connection.createConsumer(broker.name);
  const asking = attacked(connection, await forger(broker));
  const statistics = new Statistics(asking, 30_000, undefined);
  assertEquals((await statistics.broker()).brokerName, "openwire-test");
  const found = await statistics.destinations(`${broker.name},topic://${broker.name}.none`);
  assertEquals(found.map(({ destination }) => destination.physicalName), [broker.name]);
  const subscriptions = await statistics.subscriptions();
  assertEquals(subscriptions.filter(({ clientId }) => clientId === "forged"), []);
  assert(subscriptions.some(({ destinationName }) => destinationName === broker.name));
}, { needs: ["statistics"] });

testOnBrokers("browse() refuses a broker without a scheduler", async (broker) => {
  const connection = await broker.connect();
  const withoutScheduler: Asking = {
    capabilities: connection.capabilities,
    createTemporaryQueue: (options) => connection.createTemporaryQueue(options),
    createConsumer: (...args) => connection.createConsumer(...args),
    // Such a broker delivers at once.
    send: (destination, body, options) =>
      connection.send(destination, body, { ...options, delay: 0 }),
  };
  const jobs = new ScheduledJobs(withoutScheduler, 30_000, undefined);
  const error = await assertRejects(() => jobs.browse().next(), OpenWireError, "schedulerSupport");
  assertEquals(error.code, "UNSUPPORTED");
}, { needs: ["scheduled jobs"] });

test("browse() refuses jobs that are too large together", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url);
  const body = new Uint8Array(8_000_000);
  for (let i = 0; i < 17; i++) await connection.send("orders", body, { delay: 3_600_000 });
  const error = await assertRejects(() =>
    connection.scheduledJobs.browse().next()
  ) as OpenWireError;
  assertEquals(error.code, "ANSWERS_TOO_LARGE");
  assert(await connection.ping() >= 0);
});
