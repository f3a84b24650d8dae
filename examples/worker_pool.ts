/**
 * Workers that deliver webhooks: each message says what to POST where. For Deno, Bun and Node.
 *
 * ```sh
 * deno run --allow-net worker_pool.ts tcp://localhost:61616 webhooks     # or: bun worker_pool.ts …, node worker_pool.ts …
 * ```
 *
 * A message is text such as `{"url":"https://example.com/hook","payload":{"order":7}}`. What becomes of it:
 *
 * - The receiver says 2xx: done.
 * - It says 5xx or 429, or can't be reached: tried again after 0.2, 0.4, 0.8 … seconds, at most five times. Others go on
 *   meanwhile.
 * - All that was in vain, it says another 4xx, or the message makes no sense: to the broker's dead letter queue, with the
 *   reason, where a human finds it.
 *
 * SIGINT and SIGTERM let the workers finish what they have, for 15 seconds. Start as many of these as you like, on as many
 * machines.
 */

// deno-lint-ignore-file no-console -- a worker has a log
import process from "node:process";
// In a program of yours: from "https://example.com/openwire/mod.ts"
import { connect, type Message } from "../mod.ts";

const [url = "tcp://localhost:61616", queue = "webhooks"] = process.argv.slice(2);

/** Webhooks under way at the same time. */
const WORKERS = 8;

/** Trying again would not help. */
class Hopeless extends Error {}

const connection = await connect(url);
const consumer = await connection.createConsumer(queue, {
  // A message counts as done when its `ack()` is called.
  acknowledgeMode: "individual",
  // Enough to keep the workers busy, and few enough for other processes to get their share.
  prefetchSize: 2 * WORKERS,
  redeliveryPolicy: {
    maximumRedeliveries: 5,
    initialRedeliveryDelay: 200,
    useExponentialBackOff: true,
    backOffMultiplier: 2,
    // Not all at the same moment, if they have failed at the same moment.
    useCollisionAvoidance: true,
  },
});

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void stop(signal));
void report();

console.log(`${WORKERS} workers wait for messages of the queue ${queue}`);
try {
  await consumer.consume(work, { concurrency: WORKERS });
} catch (error) {
  // The connection has broken. Whoever runs this program starts it again; no message is lost.
  console.error(`Ended: ${(error as Error).message}`);
  process.exitCode = 1;
}

/** Does one message. What it throws has the message given to it again later. */
async function work(message: Message): Promise<void> {
  try {
    const status = await deliver(message);
    await message.ack();
    console.log(`${message.id} done: ${status}`);
  } catch (error) {
    if (!(error instanceof Hopeless)) throw error;
    await message.reject(error);
    console.log(`${message.id} given up: ${error.message}`);
  }
}

async function deliver(message: Message): Promise<number> {
  const { url, payload } = read(message);
  const response = await fetch(url, {
    method: "POST",
    // The receiver can tell by the id that it has had this one before: a message may come twice.
    headers: { "content-type": "application/json", "idempotency-key": message.id },
    body: JSON.stringify(payload ?? null),
    signal: AbortSignal.timeout(10_000),
  });
  await response.body?.cancel();
  const { status, ok } = response;
  if (ok) return status;
  if (status === 429 || status >= 500) throw new Error(`${url} says ${status}`);
  throw new Hopeless(`${url} says ${status}`);
}

function read(message: Message): { url: string; payload?: unknown } {
  try {
    const { url, payload } = message.json<{ url: string; payload?: unknown }>();
    return { url: new URL(url).href, payload };
  } catch (error) {
    throw new Hopeless("This is no webhook", { cause: error });
  }
}

/** Takes no more messages, finishes those that are here, and closes. */
async function stop(signal: string): Promise<void> {
  console.log(`${signal}: ${consumer.buffered + consumer.unsettled} messages to finish`);
  try {
    await connection.drain({ timeout: 15_000 });
  } catch (error) {
    // The connection is closed nevertheless: the broker gives to others what is left.
    console.error((error as Error).message);
  }
}

/** Says what goes wrong: what handlers throw, acknowledgements that the broker refuses, the end of the connection. */
async function report(): Promise<void> {
  for await (const { type, error } of connection.status()) {
    if (error) console.error(`${type}: ${error.message}`);
  }
}
