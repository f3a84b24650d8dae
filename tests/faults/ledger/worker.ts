/** One process of a ledger test: does what it is told until its time is over, and writes down all of it. */
import process from "node:process";
import { connect, type Connection, type Message, OpenWireError } from "../../../mod.ts";
import { seededRandom } from "../../_random.ts";
import { CallFailed, LedgerFile } from "./ledger_file.ts";
import { MESSAGES, type Token, type WorkerOptions } from "./workload.ts";

/** Milliseconds after which a call hangs; all limits of the client are far shorter. */
const DEADLINE = 60_000;

const options: WorkerOptions = JSON.parse(process.argv[2]!);
const random = seededRandom(options.seed);
using ledger = new LedgerFile(options.ledger, options.name);
let numbers = 0;

const ROLES: Record<WorkerOptions["role"], (connection: Connection) => Promise<void>> = {
  producer: produce,
  consumer: consume,
  handler: handle,
  mover: move,
};

while (!isOver()) {
  try {
    await useConnection(ROLES[options.role]);
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
    await pause(200);
  }
}

function isOver(): boolean {
  return Date.now() >= options.until;
}

/** Works with a connection until the time is over, or something fails that a new connection may mend. */
async function useConnection(work: (connection: Connection) => Promise<void>): Promise<void> {
  const connection = await ledger.call(
    { kind: "connect", deadline: DEADLINE },
    () =>
      connect(options.url, {
        connectTimeout: 5_000,
        requestTimeout: 10_000,
        sendTimeout: 15_000,
        closeTimeout: 5_000,
        // Silence is noticed within seconds.
        wireFormat: { maxInactivityDuration: 4_000, maxInactivityDurationInitialDelay: 1_000 },
        // Only faults have messages delivered again, any number of times.
        redeliveryPolicy: { maximumRedeliveries: -1, initialRedeliveryDelay: 10 },
        sendAcksAsync: options.role !== "consumer",
      }),
  );
  void follow(connection);
  try {
    await work(connection);
  } finally {
    await ledger.call({ kind: "close", deadline: DEADLINE }, () => connection.close());
  }
}

async function follow(connection: Connection): Promise<void> {
  for await (const { type, ...status } of connection.status()) {
    const { error } = status as { error?: Error };
    ledger.note(`${type} ${error ? `${(error as OpenWireError).code}: ${error.message}` : ""}`);
  }
}

/** Sends, several messages at a time. */
async function produce(connection: Connection): Promise<void> {
  const session = await opened(() => connection.createSession());
  const producer = await opened(() => session.createProducer(MESSAGES));
  const lane = async (): Promise<void> => {
    while (!isOver()) {
      const key = `${options.name}-${++numbers}`;
      // Now and then one that does not go in a single packet.
      const size = random() < 0.02 ? 150_000 : Math.floor(random() * 1_500);
      await tryCall(() =>
        ledger.call(
          {
            kind: "send",
            key,
            deadline: DEADLINE,
            confirmed: (result) => result.outcome === "confirmed",
          },
          () => producer.send("x".repeat(size), { properties: { key } }),
        )
      );
      await pause(random() * 40);
    }
  };
  await all([lane(), lane(), lane()]);
}

/** Receives, and acknowledges. Now and then it has a message given again. */
async function consume(connection: Connection): Promise<void> {
  const session = await opened(() => connection.createSession({ acknowledgeMode: "individual" }));
  const consumer = await opened(() => session.createConsumer(MESSAGES, { prefetchSize: 20 }));
  while (!isOver()) {
    const message = await received(() => consumer.receive({ timeout: 500 }));
    if (!message) continue;
    const key = keyOf(message);
    const delivery = ledger.delivered(key, message.id, message.redelivered);
    await pause(random() * 10);
    await tryCall(() => {
      if (random() < 0.05) {
        return ledger.call({ kind: "ack", deadline: DEADLINE }, () => message.retry({ delay: 5 }));
      }
      return ledger.call(
        { kind: "ack", key, delivery, deadline: DEADLINE, confirmed: () => true },
        () => message.ack(),
      );
    });
  }
}

/** Has a handler take messages, which fails now and then. */
async function handle(connection: Connection): Promise<void> {
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), Math.max(0, options.until - Date.now()));
  try {
    const consumer = await opened(() => connection.createConsumer(MESSAGES, { prefetchSize: 20 }));
    await consumer.consume(async (message) => {
      ledger.delivered(keyOf(message), message.id, message.redelivered);
      await pause(random() * 10);
      if (random() < 0.05) throw new Error("on purpose");
    }, { concurrency: 3, signal: over.signal });
  } catch (error) {
    if (error instanceof OpenWireError) throw new CallFailed(error.message, { cause: error });
    if (!over.signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Moves tokens, some in each transaction. */
async function move(connection: Connection): Promise<void> {
  const { from, to } = options;
  const session = await opened(() => connection.createSession({ acknowledgeMode: "transacted" }));
  const consumer = await opened(() => session.createConsumer(from!, { prefetchSize: 5 }));
  while (!isOver()) {
    const tokens: Token[] = [];
    const wanted = 1 + Math.floor(random() * 3);
    await tryCall(async () => {
      while (tokens.length < wanted) {
        const message = await received(() => consumer.receive({ timeout: 300 }));
        if (!message) break;
        const token = message.getBody<Token>();
        tokens.push(token);
        // What is sent in a transaction counts when that is committed.
        await ledger.call(
          { kind: "open", deadline: DEADLINE },
          () => session.send(to!, { json: { ...token, hop: token.hop + 1 } }),
        );
        await pause(random() * 5);
      }
    });
    const moves = tokens.map(({ token, hop }) => ({ token, hop }));
    const kind = random() < 0.1 ? "rollback" : "commit";
    await tryCall(() => ledger.call({ kind, moves, deadline: DEADLINE }, () => session[kind]()));
    await pause(random() * 10);
  }
}

/** Opens something. */
async function opened<T>(open: () => Promise<T>): Promise<T> {
  return await ledger.call({ kind: "open", deadline: DEADLINE }, open);
}

async function received(receive: () => Promise<Message | null>): Promise<Message | null> {
  return await ledger.call({ kind: "receive", deadline: DEADLINE }, receive);
}

/** Goes on after a call that has failed, unless nothing more can be done with what it was made on. */
async function tryCall(call: () => Promise<unknown>): Promise<void> {
  try {
    await call();
  } catch (error) {
    const code = error instanceof CallFailed && error.cause instanceof OpenWireError
      ? error.cause.code
      : undefined;
    if (code === undefined || code === "CONNECTION_CLOSED" || code === "CLOSED") throw error;
  }
}

/** Waits for all, and fails as the first that failed. */
async function all(promises: Promise<void>[]): Promise<void> {
  const settled = await Promise.allSettled(promises);
  for (const one of settled) if (one.status === "rejected") throw one.reason;
}

function keyOf(message: Message): string {
  return String(message.properties.get("key"));
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
