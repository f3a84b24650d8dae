/** Many messages, while connections break. */
import { connect, type Message } from "../../../mod.ts";
import { type Memory, memoryInUse, slope } from "./memory.ts";
import { openOf } from "./open.ts";

/** What became of the messages. */
export interface MessageFigures {
  readonly messages: number;
  readonly perSecond: number;
  /** How often a connection was lost and replaced. */
  readonly reconnections: number;
  /** Sends that failed, by the code of their error. */
  readonly failed: Readonly<Record<string, number>>;
  /** Messages that were confirmed and never came. */
  readonly lost: number;
  /** Deliveries beyond the first of a message, and how many of these weren't marked as redelivered. */
  readonly repeated: number;
  readonly unmarked: number;
  /** What is open at the end, before the connection is closed, beyond what was at the beginning. */
  readonly open: Readonly<Record<string, number>>;
  /** Bytes that a message costs for good, the first third left out. */
  readonly rssSlope: number;
  readonly heapSlope: number;
  /** Bytes of the process at the end. */
  readonly rss: number;
}

/** Sends on their way at a time. */
const LANES = 200;
/** Times at which the memory is looked at, at most, and messages between two looks, at least. */
const SAMPLES = 30;
const APART = 5_000;
/** Milliseconds without a message after which no more is expected. */
const PATIENCE = 10_000;

/** Sends and receives over a connection that is replaced whenever it is lost. */
export async function soakMessages(url: string, messages: number): Promise<MessageFigures> {
  const connection = await connect(url, { failover: { initialReconnectDelay: 5 } });
  const seen = new Uint8Array(messages);
  const confirmed = new Uint8Array(messages);
  const failed: Record<string, number> = {};
  let missing = 0, repeated = 0, unmarked = 0, next = 0;
  let arrived = Promise.withResolvers<void>();

  const consumer = await connection.createConsumer("soak.messages");
  const consuming = consumer.consume((message: Message) => {
    const n = Number(message.properties.get("n"));
    if (seen[n]) {
      repeated++;
      if (!message.redelivered) unmarked++;
    } else if (confirmed[n]) missing--;
    seen[n] = 1;
    arrived.resolve();
  });
  const producer = await connection.createProducer("soak.messages");
  const memory: [number, Memory][] = [];
  const every = Math.max(APART, Math.ceil(messages / SAMPLES));
  const lane = async (): Promise<void> => {
    for (let n = next++; n < messages; n = next++) {
      try {
        await producer.send("x".repeat(200), { properties: { n } });
        confirmed[n] = 1;
        if (!seen[n]) missing++;
      } catch (error) {
        const { code = "untyped" } = error as { code?: string };
        failed[code] = (failed[code] ?? 0) + 1;
      }
      if ((n + 1) % every === 0) memory.push([n + 1, await memoryInUse()]);
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: LANES }, lane));
  for (let last = performance.now(); missing > 0 && performance.now() - last < PATIENCE;) {
    arrived = Promise.withResolvers();
    const timer = setTimeout(arrived.resolve, PATIENCE);
    const before = missing;
    await arrived.promise;
    clearTimeout(timer);
    if (missing < before) last = performance.now();
  }
  const seconds = (performance.now() - start) / 1000;
  const { reconnections } = connection.stats();
  await consumer.close();
  await consuming;
  await producer.close();
  // A connection that was just lost asks for all that is open.
  await connection.ping();
  const { sessions: _, ...open } = openOf(connection);
  await connection.close();
  const late = memory.slice(Math.floor(memory.length / 3));
  return {
    messages,
    perSecond: Math.round(messages / seconds),
    reconnections,
    failed,
    lost: missing,
    repeated,
    unmarked,
    open: Object.fromEntries(Object.entries(open).filter(([, count]) => count !== 0)),
    rssSlope: slope(late.map(([n, { rss }]) => [n, rss])),
    heapSlope: slope(late.map(([n, { heap }]) => [n, heap])),
    rss: memory.at(-1)![1].rss,
  };
}
