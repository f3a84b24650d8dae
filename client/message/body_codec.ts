/**
 * How values of an application become bodies of messages.
 *
 * @module
 */

import type { Message } from "./message.ts";
import type { MessageBody } from "./outgoing_message.ts";

/**
 * How values of an application become bodies of messages, and back.
 *
 * @example
 * ```ts
 * import { type BodyCodec, connect } from "../../mod.ts";
 * import { MemoryBroker } from "../../testing/mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const dates: BodyCodec<Date> = {
 *   encode: (date) => date.toISOString(),
 *   decode: (message) => new Date(message.text ?? ""),
 * };
 *
 * await using broker = await MemoryBroker.listen();
 * await using connection = await connect(broker.url);
 * const producer = await connection.createProducer("dates", { codec: dates });
 * const consumer = await connection.createConsumer("dates");
 * await producer.send(new Date(0));
 * const message = await consumer.receive();
 * assertEquals(message?.getBody(dates).getTime(), 0);
 * ```
 */
export interface BodyCodec<T> {
  /** The body for a value. What it throws, `send()` throws. */
  encode(value: T): MessageBody;
  /** The value of a body. What it throws, `getBody()` throws. */
  decode(message: Message): T;
}
