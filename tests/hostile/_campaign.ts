/** Sends hostile messages through a broker to consumers of all kinds, and sees whether they go on. */

import {
  connect,
  type Connection,
  type ConnectOptions,
  type Message,
  type Session,
} from "../../mod.ts";
import { credentials } from "../_secret.ts";
import { HostileMessages } from "./_hostile_messages.ts";
import { Sender } from "./_sender.ts";

/** What came of it. */
export interface CampaignResult {
  /** Messages that were sent, whether or not the broker took them. */
  readonly sent: number;
  /** Links of the sender that the broker has ended. */
  readonly refusedLinks: number;
  /** Hostile messages that reached a handler. */
  readonly received: number;
  /** Messages that the client has dead-lettered because it could not read them. */
  readonly unreadable: number;
  /** Good messages that were sent behind the others, and came. */
  readonly good: number;
  /** Connections that were lost and replaced; with the object cache this may be. */
  readonly reconnections: number;
}

/** What to do. */
export interface CampaignOptions {
  readonly url: string;
  readonly messages: number;
  readonly seed: number;
  /** Name of the queues, to which numbers are added. */
  readonly name: string;
  readonly wireFormat: ConnectOptions["wireFormat"];
  tell?(text: string): void;
}

/** Messages of one burst, behind which a good one is sent. */
const BURST = 25;
/** Messages that are sent without waiting for the broker. */
const TOGETHER = 3;
/** Messages of one queue: those that ActiveMQ fails to write stay in the prefetch window of their consumer. */
const QUEUE = 250;
const PATIENCE = 20_000;
const MODES = ["individual", "auto", "transacted", "client"] as const;

/**
 * Runs it.
 *
 * @throws When a consumer or its connection has ended, or a good message did not come.
 */
export async function runCampaign(options: CampaignOptions): Promise<CampaignResult> {
  const { url, messages, seed, name } = options;
  const connection = await connect(url, {
    ...credentials,
    failover: { initialReconnectDelay: 5, maxReconnectDelay: 100 },
    wireFormat: { maxFrameSize: 524_288, ...options.wireFormat },
  });
  const hostile = new HostileMessages(seed);
  const result = {
    sent: 0,
    refusedLinks: 0,
    received: 0,
    unreadable: 0,
    good: 0,
    reconnections: 0,
  };
  const watching = (async () => {
    for await (const { type, error } of connection.status()) {
      if (type === "error" && error.message.startsWith("Cannot read the message")) {
        result.unreadable++;
      }
    }
  })();
  try {
    for (let queue = 0; result.sent < messages; queue++) {
      await runQueue(
        connection,
        hostile,
        `${name}.${queue}`,
        MODES[queue % MODES.length]!,
        result,
        options,
      );
      options.tell?.(JSON.stringify(result));
    }
    result.reconnections = connection.stats().reconnections;
  } finally {
    await connection.close();
    await watching;
  }
  return result;
}

async function runQueue(
  connection: Connection,
  hostile: HostileMessages,
  name: string,
  acknowledgeMode: (typeof MODES)[number],
  result: { -readonly [Name in keyof CampaignResult]: number },
  { url, messages }: CampaignOptions,
): Promise<void> {
  const session = await connection.createSession({ acknowledgeMode });
  const consumer = await session.createConsumer(name);
  const expected = new Map<string, () => void>();
  const ended = consumer.consume(async (message) => {
    const wake = expected.get(message.correlationId ?? "");
    if (wake) wake();
    else result.received++;
    readAll(message);
    await settle(session, message);
  });
  let failure: unknown = new Error(`The consumer of ${name} has ended`);
  const lost = ended.then(() => {
    throw failure;
  }, (error) => {
    throw failure = error;
  });
  lost.catch(() => {});
  let sender = await Sender.open(url, name);
  try {
    for (let n = 0; n < QUEUE && result.sent < messages; n += BURST) {
      for (let i = 0; i < BURST && result.sent < messages; i++, result.sent++) {
        const { fields, structure } = await hostile.next();
        const message = sender.message({ ...fields, ...hostile.messageId() });
        if (structure) await sender.postStructure(message, structure);
        else await sender.post(message);
        // A broker that ends the link has not read what comes behind.
        if (i % TOGETHER !== 0 || await sender.settle()) continue;
        result.refusedLinks++;
        await sender[Symbol.asyncDispose]();
        sender = await Sender.open(url, name);
      }
      const correlationId = `good-${crypto.randomUUID()}`;
      const came = Promise.withResolvers<void>();
      expected.set(correlationId, came.resolve);
      await connection.send(name, "good", { correlationId });
      const late = setTimeout(
        () =>
          came.reject(
            new Error(`A good message behind ${result.sent} others did not come to ${name}`),
          ),
        PATIENCE,
      );
      await Promise.race([came.promise, lost]).finally(() => clearTimeout(late));
      expected.delete(correlationId);
      result.good++;
    }
  } finally {
    await sender[Symbol.asyncDispose]();
    await session.close();
    await connection.deleteDestination(name).catch(() => {});
  }
}

/** Reads all that a message has; what is wrong with it is an error of the codec or of the language. */
function readAll(message: Message): void {
  for (const read of READERS) {
    try {
      read(message);
    } catch (error) {
      if (!(error instanceof Error) || error instanceof RangeError) throw error;
    }
  }
}

const READERS: readonly ((message: Message) => unknown)[] = [
  (message) => message.text,
  (message) => message.json(),
  (message) => message.bytes,
  (message) => message.map.toJSON(),
  (message) => message.stream.toJSON(),
  (message) => message.reader().readUtf(),
  (message) => message.getBody(),
  (message) => message.properties.toJSON(),
  (message) => message.contentType,
  (message) => message.scheduledJobId,
  (message) => message.id,
  (message) => message.producerTransactionId,
  (message) => message.brokerPath,
  (message) => message.command,
  (message) =>
    JSON.stringify([
      message.timestamp,
      message.expiration,
      message.brokerInTime,
      message.brokerOutTime,
      message.deliveryCount,
      message.groupSequence,
    ]),
];

async function settle(session: Session, message: Message): Promise<void> {
  switch (session.acknowledgeMode) {
    case "individual":
    case "client":
      await message.ack();
      break;
    case "transacted":
      await session.commit();
      break;
  }
}
