/** Consumers of all modes and kinds share a queue: each message is done once, and the broker finds all that it is told. */

import { assertEquals } from "@std/assert";
import type {
  AcknowledgeMode,
  Connection,
  ConnectOptions,
  Message,
  MessageConsumer,
  Session,
} from "../../mod.ts";
import { seededRandom } from "../_random.ts";
import { type TestBroker, testOnBrokers } from "./_brokers.ts";
import { left } from "./_messages.ts";

const MESSAGES = 1500;
const WORKERS = 4;

const modes: readonly AcknowledgeMode[] = [
  "auto",
  "individual",
  "client",
  "transacted",
  "dups-ok",
];

/** What the workers share. */
class Ledger {
  readonly random: () => number;
  /** What failed that nobody waited for. */
  readonly failures: string[] = [];
  /** How often each message was done. */
  readonly #counts: Map<string, number> = new Map();
  readonly #all: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  get all(): Promise<void> {
    return this.#all.promise;
  }

  get complete(): boolean {
    return this.#counts.size === MESSAGES;
  }

  /** Messages that were done more than once. */
  get repeated(): string[] {
    return [...this.#counts].filter(([, count]) => count > 1).map(([text]) => text);
  }

  done(...messages: Message[]): void {
    for (const { text } of messages) this.#counts.set(text!, (this.#counts.get(text!) ?? 0) + 1);
    if (this.complete) this.#all.resolve();
  }

  pick<T>(values: readonly T[]): T {
    return values[Math.floor(this.random() * values.length)]!;
  }

  async watch(connection: Connection): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type === "error" && status.error.message !== "again") {
        this.failures.push(status.error.message);
      }
    }
  }
}

/** Does something with a message, as its session's mode allows. */
function settler(ledger: Ledger, session: Session): (message: Message) => Promise<void> {
  const batch: Message[] = [];
  const finish = async (message: Message): Promise<void> => {
    ledger.done(message);
    await message.ack();
  };
  const take = async (message: Message, chance: number): Promise<void> => {
    if (chance < 0.1) return await message.retry({ delay: Math.floor(ledger.random() * 3) });
    if (chance > 0.12) return await finish(message);
    ledger.done(message);
    await message.reject("not for us");
  };
  const end = async (enough: () => Promise<void>, again: () => void | Promise<void>) => {
    const chance = ledger.random();
    if (chance < 0.1) {
      await enough();
      ledger.done(...batch.splice(0));
    } else if (chance < 0.14) {
      batch.length = 0;
      await again();
    }
  };
  switch (session.acknowledgeMode) {
    case "client":
      return async (message) => {
        batch.push(message);
        await end(() => message.ack(), () => session.recover());
      };
    case "transacted":
      return async (message) => {
        batch.push(message);
        await end(() => session.commit(), () => session.rollback());
      };
    default:
      return (message) => take(message, ledger.random());
  }
}

/** Takes some messages, in one way or another. */
async function consume(ledger: Ledger, session: Session, consumer: MessageConsumer): Promise<void> {
  const settle = settler(ledger, session);
  const mode = session.acknowledgeMode;
  const ways = {
    receive: async () => {
      for (let message; (message = await consumer.receive({ timeout: 50 }));) {
        // In these modes it is done already.
        if (mode === "auto" || mode === "dups-ok") ledger.done(message);
        else await settle(message);
      }
    },
    loop: async () => {
      const controller = new AbortController();
      const timer = setTimeout(() => controller.abort(), 100);
      try {
        for await (const message of consumer.messages(controller)) await settle(message);
      } catch (error) {
        if (!controller.signal.aborted) throw error;
      }
      clearTimeout(timer);
    },
    handler: async () => {
      const controller = new AbortController();
      const timer = setTimeout(() => controller.abort(), 100);
      const alone = mode === "client" || mode === "transacted";
      const { prefetchSize } = consumer;
      const concurrencies = [1, 2, 8].filter((count) =>
        prefetchSize === 0 || count <= prefetchSize
      );
      await consumer.consume(async (message) => {
        if (!alone && ledger.random() < 0.1) throw new Error("again");
        await settle(message);
      }, { signal: controller.signal, concurrency: alone ? 1 : ledger.pick(concurrencies) });
      clearTimeout(timer);
    },
  };
  await ways[ledger.pick(["receive", "loop", "handler"] as const)]();
}

async function work({ connect, name }: TestBroker, ledger: Ledger): Promise<void> {
  while (!ledger.complete) {
    const chance = (probability: number): boolean => ledger.random() < probability;
    const options: ConnectOptions = {
      redeliveryPolicy: { initialRedeliveryDelay: 0, redeliveryDelay: 1, maximumRedeliveries: -1 },
      nonBlockingRedelivery: chance(0.3),
      optimizeAcknowledge: chance(0.3),
      transactedIndividualAck: chance(0.2),
      sendAcksAsync: chance(0.8),
    };
    const connection = await connect(options);
    const watching = ledger.watch(connection);
    const session = await connection.createSession({ acknowledgeMode: ledger.pick(modes) });
    const consumer = await session.createConsumer(name, {
      prefetchSize: ledger.pick([0, 1, 2, 10, 100, 1000]),
      ...(chance(0.2) && { maxBufferedBytes: 5000 }),
    });
    await consume(ledger, session, consumer);
    if (chance(0.3)) await consumer.close();
    if (chance(0.3)) await session.close();
    await connection.close();
    await watching;
  }
}

for (const seed of [1, 2]) {
  testOnBrokers(`consumers of all modes share a queue, seed ${seed}`, async (broker) => {
    const ledger = new Ledger(seed);
    const sender = await broker.connect();
    const producer = await sender.createProducer(broker.name, { useAsyncSend: true });
    for (let i = 0; i < MESSAGES; i++) {
      const groupId = ledger.pick([undefined, undefined, undefined, "a", "b"]);
      producer.send(String(i), {
        compress: ledger.random() < 0.1,
        compressionThreshold: 0,
        ...(groupId && { groupId }),
      });
    }
    const workers = Array.from({ length: WORKERS }, () => work(broker, ledger));
    await ledger.all;
    await Promise.all(workers);
    assertEquals(ledger.failures, []);
    assertEquals(ledger.repeated, []);
    assertEquals(await left(broker, broker.name), []);
  });
}
