/** What many tests of the client do with messages. */

import { type Connection, Message, type MessageConsumer, OpenWireError } from "../../mod.ts";
import type { Message as WireMessage } from "../../codec/mod.ts";
import { assertEquals, assertRejects } from "@std/assert";
import { InflatedBody } from "../../client/message/inflated_body.ts";
import type { TestBroker } from "./_brokers.ts";

/** Redeliveries without a wait. */
export const AT_ONCE = { initialRedeliveryDelay: 0, redeliveryDelay: 0 };

/** Sends texts, from a connection of its own. */
export async function send(
  { connect }: TestBroker,
  destination: string,
  ...texts: string[]
): Promise<void> {
  const connection = await connect();
  for (const text of texts) await connection.send(destination, text);
  await connection.close();
}

/** The next message; fails when none comes. */
export async function received(consumer: MessageConsumer): Promise<Message> {
  const message = await consumer.receive({ timeout: 10_000 });
  if (message === null) throw new Error("No message came");
  return message;
}

/** The next messages. */
export async function take(consumer: MessageConsumer, count: number): Promise<Message[]> {
  const messages = [];
  for (let i = 0; i < count; i++) messages.push(await received(consumer));
  return messages;
}

/** The texts of messages. */
export function texts(messages: readonly Message[]): (string | null)[] {
  return messages.map(({ text }) => text);
}

/** What is in a queue, with the number of deliveries so far, when nobody has anything. It is empty afterwards. */
export async function left(
  { connect }: TestBroker,
  destination: string,
): Promise<[string | null, number][]> {
  const connection = await connect();
  await connection.send(destination, "the end");
  const consumer = await connection.createConsumer(destination);
  const found: [string | null, number][] = [];
  for await (const message of consumer) {
    if (message.text === "the end") {
      await message.ack();
      break;
    }
    found.push([message.text, message.redeliveryCount]);
  }
  await connection.close();
  return found;
}

/** The dead letter with a text. */
export async function deadLetter({ connect }: TestBroker, text: string): Promise<Message> {
  const connection = await connect();
  const consumer = await connection.createConsumer("ActiveMQ.DLQ", {
    acknowledgeMode: "individual",
  });
  for await (const message of consumer) {
    if (message.kind !== "text" || message.text !== text) continue;
    await message.ack();
    await connection.close();
    return message;
  }
  throw new Error("There is no dead letter");
}

/** Fails unless a call is refused because of the state that something is in. */
export async function assertIllegalState(call: () => Promise<unknown>): Promise<void> {
  const error = await assertRejects(call, OpenWireError);
  assertEquals(error.code, "ILLEGAL_STATE");
}

/** Waits until something is so that no event tells of. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((wake) => setTimeout(wake, 2));
}

/** A message as a consumer would give it; to settle it does nothing. */
export function receivedAs(command: WireMessage): Message {
  const settle = (): Promise<void> => Promise.resolve();
  return new Message({
    command,
    redeliveryCount: 0,
    settlement: { ack: settle, reject: settle, retry: settle },
    body: new InflatedBody({}),
    codec: undefined,
  });
}

/**
 * Sends a message that a paused consumer gets, and that is too old then. A broker drops what is too old already: on a busy
 * machine it is sent again, with more time.
 */
export async function outdated(
  buffered: () => number,
  send: (timeToLive: number) => Promise<unknown>,
): Promise<void> {
  const before = buffered();
  for (let timeToLive = 200; buffered() === before; timeToLive *= 2) {
    await send(timeToLive);
    const end = Date.now() + timeToLive + 1;
    await until(() => Date.now() > end);
  }
}

/** Takes all messages out of a queue. To delete it would take its dead letter queue from Artemis. */
export async function empty(connection: Connection, name: string): Promise<void> {
  await using consumer = await connection.createConsumer(name, { prefetchSize: 0 });
  while (await consumer.receiveNoWait());
}
